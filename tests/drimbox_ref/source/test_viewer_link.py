"""The link of a report to its images: its grammar, the archive, the PACS, and what is then said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drimbox_ref.source.values import ArchiveEntry, Denied, EntryState, FoundInstance
from drimbox_ref.source.viewer_door import build_viewer
from drimbox_ref.source.viewer_link import LinkChecks, _read
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE
from spec.viewer import PARAMETERS, PATH
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import INS, IPP, STUDIES, World, found_study, oru

pytestmark = pytest.mark.anyio

STUDY = STUDIES[0]
REPORT = "1.2.250.1.999.5.1"
GOOD = {"requestType": "STUDY", "studyUID": STUDY, "accessionNumber": "ACC-1", "idCDA": REPORT}


@pytest.fixture
async def published(world: World) -> ArchiveEntry:
    """The KOS of the first study, its PACS not asked for anything since."""
    await Box(world).publish(oru())
    entry = world.parts.archive.current(STUDY)
    assert entry is not None
    world.pacs.asked.clear()
    return entry


async def decide(world: World, **changed: str) -> ArchiveEntry | Denied:
    return await LinkChecks(world.parts).decide(urlencode({**GOOD, **changed}))


async def refused(world: World, **changed: str) -> tuple[int, str]:
    denied = await decide(world, **changed)
    assert isinstance(denied, Denied)
    return denied.status, denied.message


async def test_a_good_link_leads_to_the_exam(world: World, published: ArchiveEntry) -> None:
    assert await decide(world) == published
    assert world.pacs.asked == [STUDY]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "il y manque requestType, studyUID, accessionNumber, idCDA"),
        (urlencode({**GOOD, "idCDA": ""}), "il y manque idCDA"),
        (urlencode({**GOOD, "requestType": "PATIENT"}), "requestType vaut STUDY"),
        (urlencode({**GOOD, "studyUID": "1.02.3"}), "studyUID n'est pas un UID"),
        (urlencode({**GOOD, "studyUID": "1." + "2" * 63}), "studyUID n'est pas un UID"),
        (urlencode({**GOOD, "accessionNumber": "A" * 17}), "16 caractères au plus"),
        (urlencode({**GOOD, "accessionNumber": "A\\B"}), "sans barre inverse"),
        (urlencode({**GOOD, "accessionNumber": "A\n"}), "imprimables"),
        (urlencode({**GOOD, "idCDA": "compte-rendu"}), "idCDA ne commence pas par un OID"),
        (f"{urlencode(GOOD)}&studyUID={STUDY}", "studyUID y est plusieurs fois"),
        (urlencode({name.lower(): value for name, value in GOOD.items()}), "il y manque"),
        (urlencode(GOOD) + "%FF", "UTF-8"),
        ("&".join(f"a{n}=1" for n in range(21)), "20 paramètres au plus"),
        ("a=" + "1" * 2048, "trop longue"),
    ],
)
async def test_a_link_that_is_not_understood(
    world: World, published: ArchiveEntry, query: str, told: str
) -> None:
    denied = await LinkChecks(world.parts).decide(query)
    assert isinstance(denied, Denied)
    assert denied.status == 400
    assert told in denied.message
    assert world.pacs.asked == []


async def test_other_parameters_of_iid_are_left_alone(
    world: World, published: ArchiveEntry
) -> None:
    assert await decide(world, viewerType="DIAGNOSTIC") == published


async def test_identifiers_that_do_not_go_together_cost_the_pacs_nothing(
    world: World, published: ArchiveEntry
) -> None:
    status, told = await refused(world, studyUID=STUDIES[2])
    assert (status, "Aucun examen publié" in told) == (404, True)
    for other in ("1.2.250.1.999.5.2", f"{REPORT}_2"):
        status, told = await refused(world, idCDA=other)
        assert (status, "idCDA n'est pas celui" in told) == (404, True)
    status, told = await refused(world, accessionNumber="ACC-2")
    assert (status, "accessionNumber n'est pas celui" in told) == (404, True)
    assert world.pacs.asked == []


async def test_the_pacs_has_the_last_word_on_the_pair(
    world: World, published: ArchiveEntry
) -> None:
    world.pacs.studies[STUDY] = found_study(accession="ACC-9")
    assert (await refused(world))[0] == 404
    world.pacs.down = True
    status, told = await refused(world)
    assert (status, "ne répond pas" in told) == (503, True)


async def test_what_is_no_more(world: World, published: ArchiveEntry) -> None:
    whole = found_study()
    note = FoundInstance(
        sop_class=KEY_OBJECT_SELECTION_STORAGE, sop_instance="2.25.9", number=1, frames=None
    )
    world.pacs.studies[STUDY] = replace(
        whole, series=(replace(whole.series[0], instances=(note,)),)
    )
    assert (await refused(world))[0] == 410
    del world.pacs.studies[STUDY]
    status, told = await refused(world)
    assert (status, "ne sont plus dans le PACS" in told) == (410, True)
    world.parts.archive.depublish(published.kos_uid, now=world.clock.now())
    status, told = await refused(world)
    assert (status, "n'est plus publié" in told) == (410, True)


async def test_a_printed_link_outlives_its_version(world: World, published: ArchiveEntry) -> None:
    second = "1.2.250.1.999.5.2"
    newer = replace(
        published, kos_uid="2.25.77", version=2, reports=(second,), state=EntryState.PUBLISHED
    )
    world.parts.archive.record(newer)
    for report in (REPORT, second):
        found = await decide(world, idCDA=report)
        assert isinstance(found, ArchiveEntry)
        assert found.kos_uid == "2.25.77"


# The page ---------------------------------------------------------------------------------------


async def ask(world: World, query: Mapping[str, str], method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(build_viewer(world.parts))
    async with httpx.AsyncClient(transport=transport, base_url="https://vi1.test") as client:
        return await client.request(method, PATH, params=query)


async def test_what_a_person_reads(world: World, published: ArchiveEntry) -> None:
    answer = await ask(world, GOOD)
    assert answer.status_code == 501  # the viewer itself is not there
    assert "Le lien et ses identifiants sont justes" in answer.text
    wrong = await ask(world, {**GOOD, "idCDA": "<script>"})
    assert wrong.status_code == 400
    assert "<h1>Lien non compris</h1>" in wrong.text
    world.pacs.down = True
    down = await ask(world, GOOD)
    assert (down.status_code, down.headers["Retry-After"]) == (503, "5")
    for one in (answer, wrong, down):
        assert one.headers["Cache-Control"] == "no-store"
        assert one.headers["Content-Security-Policy"].startswith("default-src 'none'")
        for secret in (INS, IPP, "PAT-TROIS", "<script>"):
            assert secret not in one.text
    assert (await ask(world, GOOD, "POST")).status_code == 405


async def test_each_call_leaves_a_trace(world: World, published: ArchiveEntry) -> None:
    await ask(world, GOOD)
    await ask(world, {**GOOD, "idCDA": "1.2.3"})
    rows = [row for row in world.parts.audit.everything(10) if row["event"] == "IID"]
    wrong, good = rows
    assert (good["EventOutcomeIndicator"], wrong["EventOutcomeIndicator"]) == (0, 4)
    assert "idCDA" in str(wrong["EventOutcomeDescription"])
    assert INS in str(good)
    assert INS not in str(wrong)


@given(
    st.text(max_size=200) | st.dictionaries(st.sampled_from(PARAMETERS), st.text()).map(urlencode)
)
def test_any_query_is_read_or_denied(query: str) -> None:
    read = _read(query)
    if isinstance(read, Denied):
        assert read.status == 400
    else:
        assert all(read[name] for name in PARAMETERS)
