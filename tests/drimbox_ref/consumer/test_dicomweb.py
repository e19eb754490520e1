"""The DICOMweb of a context among real services: exams of its DMP, their images, nobody else's."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from protocols.multipart import Parser, PartData, boundary_of
from simulators.user import User
from tests.drimbox_ref.consumer.bed import RADIOLOGIST, STRANGER, TWO_SITES, WEB, Bed
from tests.drimbox_ref.viewer.test_ohif import make_folder

NUMBERS = itertools.count(1)
ANY = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'}


class OhifBed(Bed):
    """A bed whose Consumer has a viewer installed."""

    def configuration(self, addresses: dict[str, str]) -> dict[str, Any]:
        folder = make_folder(self.directory / "ohif")
        return {**super().configuration(addresses), "viewer": {"folder": str(folder)}}


class Visit:
    """A browser in a context."""

    def __init__(self, portal: BlockingPortal, bed: Bed, professional: str = RADIOLOGIST) -> None:
        self.portal = portal
        self.user: User = portal.call(bed.opened, professional)
        self.path = "/session/" + self.user.page.url.rpartition("/")[2]

    def get(self, path: str, *, user: User | None = None, **headers: str) -> Any:
        async def run() -> Any:
            client = (user or self.user)._client
            return await client.request(
                "GET", f"https://{WEB}{self.path}{path}", headers=list(headers.items())
            )

        return self.portal.call(run)

    def models(self, path: str) -> Any:
        answer = self.get(f"/dicomweb{path}")
        assert (answer.status, answer.headers.get("content-type")) == (
            200,
            "application/dicom+json",
        )
        return json.loads(answer.body)


@pytest.fixture(scope="module")
def world(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = OhifBed(tmp_path_factory.mktemp("dicomweb"))
    portal.call(bed.start)
    yield bed
    portal.call(bed.stop)


@pytest.fixture
def bed(world: Bed) -> Iterator[Bed]:
    world.ins = f"2790351216{next(NUMBERS):05d}"
    world.patient()
    yield world
    world.source.faults.clear()


def publish(bed: Bed, **options: Any) -> str:
    study = f"1.2.250.1.999.32.{next(NUMBERS)}"
    bed.publish(study, **options)
    return study


def value(model: Any, tag: str) -> Any:
    return model[tag]["Value"][0]


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["message"]


def test_from_the_list_to_the_pixels(portal: BlockingPortal, bed: Bed) -> None:
    study = publish(bed, series=2, count=3)
    other = publish(bed, series=1, count=1)
    visit = Visit(portal, bed)
    since = len(bed.exchanges)
    assert {value(one, "0020000D") for one in visit.models("/studies")} == {study, other}
    (found,) = visit.models(f"/studies?StudyInstanceUID={study}&limit=101&offset=0")
    assert value(found, "00100010") == {"Alphabetic": "PAT-TROIS^DOMINIQUE"}
    assert (value(found, "00201206"), value(found, "00201208")) == (2, 6)
    series = [value(one, "0020000E") for one in visit.models(f"/studies/{study}/series")]
    assert len(series) == 2
    root = f"/studies/{study}/series/{series[0]}"
    instances = {value(one, "00080018") for one in visit.models(f"{root}/instances")}
    assert len(instances) == 3
    # So far manifests alone said everything.
    assert "WADO-RS" not in {one.transaction for one in bed.exchanges[since:]}
    models = visit.models(f"{root}/metadata")
    assert {value(one, "00080018") for one in models} == instances
    assert value(models[0], "00100020") == "LOCAL-77"
    uid = value(models[0], "00080018")
    assert visit.models(f"{root}/instances/{uid}/metadata") == models[:1]
    answer = visit.get(f"/dicomweb{root}/instances/{uid}/frames/1", **ANY)
    parser = Parser(boundary_of(answer.headers.get("content-type") or ""))
    events = parser.feed(answer.body)
    pixels = b"".join(event.data for event in events if isinstance(event, PartData))
    assert len(pixels) == 32 * 32 * 2
    # One download for all of it, and no token (DB.VI-CO.12).
    asked = [one for one in bed.exchanges[since:] if one.transaction == "WADO-RS"]
    assert len(asked) == 1
    assert asked[0].request is not None
    token = (asked[0].request.header("authorization") or "").removeprefix("Bearer ").encode()
    assert token
    assert token not in answer.body


def test_two_manifests_of_a_study_are_one_study(portal: BlockingPortal, bed: Bed) -> None:
    study = publish(bed)
    bed.publish(study, version=998)
    visit = Visit(portal, bed)
    (found,) = visit.models("/studies")
    assert value(found, "00201206") == 2
    series = visit.models(f"/studies/{study}/series")
    assert len({value(one, "0020000E") for one in series}) == len(series) == 2


def test_nobody_else_and_nothing_else(portal: BlockingPortal, bed: Bed) -> None:
    study = publish(bed)
    mine, other = Visit(portal, bed), Visit(portal, bed, TWO_SITES)
    series = value(mine.models(f"/studies/{study}/series")[0], "0020000E")
    root = f"/dicomweb/studies/{study}/series/{series}"
    paths = [
        "/dicomweb/studies",
        f"/dicomweb/studies/{study}/series",
        f"{root}/instances",
        f"{root}/metadata",
        f"{root}/instances/1.2/metadata",
        f"{root}/instances/1.2/frames/1",
        f"{root}/instances/1.2/bulkdata/00281201",
        "/ohif/app-config.js",
    ]
    stranger = bed.user()
    for path in paths:
        assert mine.get(path, user=stranger).status == 401
        assert mine.get(path, user=other.user).status == 403
    assert refused(mine.get(f"{root}9/metadata"))[0] == 404
    assert refused(mine.get(f"{root}/instances/1.2/frames/1"))[0] == 404
    assert refused(mine.get(f"{root}/instances/1.2/frames/x"))[0] == 400
    assert refused(mine.get("/dicomweb/studies?limit=x"))[0] == 400
    assert mine.models("/studies/1.2.3/series") == []
    assert mine.models("/studies/1.2.3/series/1.2/instances") == []


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [(410, 410, "ne sont plus disponibles"), (404, 404, "ne connaît pas"), (500, 502, "HTTP 500")],
)
def test_what_a_source_refuses_is_said(
    portal: BlockingPortal, bed: Bed, code: int, status: int, said: str
) -> None:
    study = publish(bed, series=1)
    visit = Visit(portal, bed)
    series = value(visit.models(f"/studies/{study}/series")[0], "0020000E")
    bed.source.faults.set("http", "WADO-RS", code=code)
    answer = visit.get(f"/dicomweb/studies/{study}/series/{series}/metadata")
    assert refused(answer)[0] == status
    assert said in refused(answer)[1]
    # Opened again once the Source is well, it is asked again.
    bed.source.faults.clear()
    assert len(visit.models(f"/studies/{study}/series/{series}/metadata")) == 3


def test_hosts_and_patients_that_must_not_be(portal: BlockingPortal, bed: Bed) -> None:
    elsewhere = publish(bed, host=STRANGER, series=1)
    somebody = publish(bed, ins="160010100000137", series=1)
    visit = Visit(portal, bed)
    for study, status, said in (
        (elsewhere, 403, "liste blanche"),
        (somebody, 409, "Alerte d'identité"),
    ):
        series = value(visit.models(f"/studies/{study}/series")[0], "0020000E")
        answer = visit.get(f"/dicomweb/studies/{study}/series/{series}/metadata")
        assert refused(answer)[0] == status
        assert said in refused(answer)[1]


def test_the_viewer_opens_on_exams_of_the_context(portal: BlockingPortal, bed: Bed) -> None:
    study = publish(bed)
    visit = Visit(portal, bed)
    link = visit.user.page.link("Ouvrir dans OHIF")
    assert link is not None
    path = link.url.partition(visit.path)[2]
    assert path == f"/ohif/viewer?StudyInstanceUIDs={study}"
    answer = visit.get(path)
    assert f"{visit.path}/ohif/app-config.js".encode() in answer.body
    policy = answer.headers.get("content-security-policy") or ""
    assert "unsafe-eval" not in policy
    assert "connect-src 'self';" in policy
    config = visit.get("/ohif/app-config.js").body.decode()
    assert f'"{visit.path}/dicomweb"' in config
    assert "PAT-TROIS DOMINIQUE" in config
    unknown = "StudyInstanceUIDs=1.2.3"
    for query in ("", f"?{unknown}", f"?StudyInstanceUIDs={study}&{unknown}"):
        assert visit.get(f"/ohif/viewer{query}").status == 404
    assert visit.get("/ohif/").status == 303


def test_without_a_viewer_nothing_of_it_is_there(portal: BlockingPortal, tmp_path: Path) -> None:
    bed = Bed(tmp_path)
    portal.call(bed.start)
    try:
        bed.patient()
        study = publish(bed)
        visit = Visit(portal, bed)
        assert visit.user.page.link("Ouvrir dans OHIF") is None
        assert visit.get("/dicomweb/studies").status == 404
        assert visit.get(f"/ohif/viewer?StudyInstanceUIDs={study}").status == 404
    finally:
        portal.call(bed.stop)
