"""The viewer among real services: who sees what, what Sources are asked, what does not cross."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from anyio.from_thread import BlockingPortal

from simulators.user import User
from tests.drimbox_ref.consumer.bed import RADIOLOGIST, STRANGER, TWO_SITES, WEB, Bed

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def world(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("viewer"))
    portal.call(bed.start)
    yield bed
    portal.call(bed.stop)


@pytest.fixture
def bed(world: Bed) -> Bed:
    world.ins = f"2790351215{next(NUMBERS):05d}"
    world.patient()
    return world


def opened(portal: BlockingPortal, bed: Bed, professional: str = RADIOLOGIST) -> User:
    return portal.call(bed.opened, professional)


def get(portal: BlockingPortal, user: User, path: str) -> Any:
    async def run() -> Any:
        return await user._client.request("GET", f"https://{WEB}{path}")

    return portal.call(run)


def data_of(answer: Any) -> dict[str, Any]:
    found = re.search(rb'<script type="application/json" id="data">(.*?)</script>', answer.body)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def viewer(portal: BlockingPortal, user: User, **asked: str) -> Any:
    context = user.page.url.rpartition("/")[2]
    return get(portal, user, f"/session/{context}/viewer?{urlencode(asked)}")


def publish(bed: Bed, **options: Any) -> str:
    return bed.publish(f"1.2.250.1.999.31.{next(NUMBERS)}", **options)


def test_an_exam_opens_on_its_first_series(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    assert user.page.link("Voir les images") is not None
    answer = viewer(portal, user, exam=kos)
    data = data_of(answer)
    assert data["exam"] == kos
    assert data["first"] == data["exams"][0]["series"][0]["uid"]
    text = answer.body.decode()
    for trait in ("PAT-TROIS", "DOMINIQUE", "28/03/1979", "51215", "Usage non diagnostique"):
        assert trait in text
    assert "unsafe" not in (answer.headers.get("content-security-policy") or "unsafe")


def test_a_series_opens_by_itself(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    second = data_of(viewer(portal, user, exam=kos))["exams"][0]["series"][1]["uid"]
    assert data_of(viewer(portal, user, exam=kos, series=second))["first"] == second


@pytest.mark.parametrize("asked", [{}, {"exam": "1.2.3"}, {"exam": "", "series": "9"}])
def test_what_is_not_listed_is_not_shown(portal: BlockingPortal, bed: Bed, asked: Any) -> None:
    publish(bed)
    assert viewer(portal, opened(portal, bed), **asked).status == 404


def test_images_come_through_the_box_asked_for_with_lossy_first(
    portal: BlockingPortal, bed: Bed
) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    address = data_of(viewer(portal, user, exam=kos))["exams"][0]["series"][0]["address"]
    since = len(bed.exchanges)
    answer = get(portal, user, f"{address}/stream")
    (asked,) = [one for one in bed.exchanges[since:] if one.transaction == "WADO-RS"]
    assert asked.request is not None
    accept = asked.request.header("accept") or ""
    q = dict(re.findall(r'transfer-syntax="?([\d.]+)"?;\s*q=([\d.]+)', accept))
    # DB.VI-CO.15: JPEG baseline, lossy, before JPEG lossless.
    assert float(q["1.2.840.10008.1.2.4.50"]) > float(q["1.2.840.10008.1.2.4.70"])
    token = (asked.request.header("authorization") or "").removeprefix("Bearer ").encode()
    assert token
    assert token not in answer.body
    assert answer.body.count(b'"type":"frame"') == 3
    # A page opened again asks the Source for nothing new.
    get(portal, user, f"{address}/stream")
    asked_again = [one for one in bed.exchanges[since:] if one.transaction == "WADO-RS"]
    assert len(asked_again) == 1


def test_one_frame_and_metadata(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    address = data_of(viewer(portal, user, exam=kos))["exams"][0]["series"][0]["address"]
    models = json.loads(get(portal, user, f"{address}/metadata").body)
    sop = models[0]["00080018"]["Value"][0]
    frame = get(portal, user, f"{address}/instances/{sop}/frames/1")
    assert (frame.status, len(frame.body)) == (200, 32 * 32 * 2)


def test_nobody_else_sees_the_images(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    page = viewer(portal, user, exam=kos)
    address = data_of(page)["exams"][0]["series"][0]["address"]
    stranger = bed.user()
    for path in ("stream", "metadata", "instances/1.2/frames/1"):
        assert get(portal, stranger, f"{address}/{path}").status == 401
    other = opened(portal, bed, TWO_SITES)
    assert get(portal, other, f"{address}/stream").status == 403
    context = user.page.url.rpartition("/")[2]
    assert get(portal, other, f"/session/{context}/viewer?exam={kos}").status == 403


def test_who_looks_at_images_keeps_the_session_alive(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed)
    user = opened(portal, bed)
    alive = data_of(viewer(portal, user, exam=kos))["alive"]

    async def tell(who: User) -> int:
        answer = await who._client.request("POST", f"https://{WEB}{alive}")
        return int(answer.status)

    (login,) = [
        one for one in bed.parts.sessions._logins.values() if one.professional.id in RADIOLOGIST
    ][-1:]
    before = login.seen
    assert portal.call(tell, user) == 204
    assert login.seen > before
    assert portal.call(tell, bed.user()) == 401
    assert portal.call(tell, opened(portal, bed, TWO_SITES)) == 403


def test_a_source_that_is_not_listed_is_said(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed, host=STRANGER)
    user = opened(portal, bed)
    address = data_of(viewer(portal, user, exam=kos))["exams"][0]["series"][0]["address"]
    answer = get(portal, user, f"{address}/stream")
    assert "liste blanche" in answer.body.decode("utf-8", "replace")
    assert b'"type":"frame"' not in answer.body


def test_another_patients_images_never_cross(portal: BlockingPortal, bed: Bed) -> None:
    kos = publish(bed, ins="160010100000137")
    user = opened(portal, bed)
    address = data_of(viewer(portal, user, exam=kos))["exams"][0]["series"][0]["address"]
    answer = get(portal, user, f"{address}/stream")
    assert b'"type":"frame"' not in answer.body
    assert b'"type":"failure"' in answer.body


def test_modules_are_served(portal: BlockingPortal, bed: Bed) -> None:
    user = bed.user()
    found = get(portal, user, "/viewer/viewer.js")
    assert (found.headers.get("content-type") or "").startswith("text/javascript")
    assert get(portal, user, "/viewer/nothing.js").status == 404
