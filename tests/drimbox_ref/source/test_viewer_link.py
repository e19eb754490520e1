"""The link of a report to its images: its grammar, the archive, the PACS."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drimbox_ref.source.values import ArchiveEntry, EntryState, FoundInstance
from drimbox_ref.source.viewer_link import Link, LinkChecks, LinkRefused, _read, read_link
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE
from spec.viewer import PARAMETERS
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import STUDIES, World, found_study, oru

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


async def decide(world: World, **changed: str) -> ArchiveEntry | LinkRefused:
    link = read_link(urlencode({**GOOD, **changed}))
    assert isinstance(link, Link)
    parts = world.parts
    return LinkChecks().decide(link, archive=parts.archive, examinations=parts.examinations)


async def refused(world: World, **changed: str) -> LinkRefused:
    denied = await decide(world, **changed)
    assert isinstance(denied, LinkRefused)
    return denied


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
def test_a_link_that_is_not_understood(query: str, told: str) -> None:
    denied = read_link(query)
    assert isinstance(denied, LinkRefused)
    assert denied.status == 400
    assert told in denied.message


async def test_other_parameters_of_iid_are_left_alone(
    world: World, published: ArchiveEntry
) -> None:
    assert await decide(world, viewerType="DIAGNOSTIC") == published


async def test_which_identifier_is_wrong_is_for_the_administrator_alone(
    world: World, published: ArchiveEntry
) -> None:
    strays = [
        await refused(world, studyUID=STUDIES[2]),
        await refused(world, idCDA="1.2.250.1.999.5.2"),
        await refused(world, idCDA=f"{REPORT}_2"),
        await refused(world, accessionNumber="ACC-2"),
    ]
    assert world.pacs.asked == []
    world.pacs.studies[STUDY] = found_study(accession="ACC-9")
    strays.append(await refused(world))  # the PACS has the last word on the pair
    assert world.pacs.asked == [STUDY]
    assert {(one.status, one.message) for one in strays} == {(404, strays[0].message)}
    assert [one.reason.partition(" ")[0] for one in strays] == [
        "studyUID", "idCDA", "idCDA", "accessionNumber", "accessionNumber",
    ]  # fmt: skip


async def test_a_depublished_exam_is_only_told_of_to_who_has_its_whole_link(
    world: World, published: ArchiveEntry
) -> None:
    world.parts.archive.depublish(published.kos_uid, now=world.clock.now())
    assert (await refused(world)).status == 410
    assert (await refused(world, accessionNumber="ACC-2")).status == 404
    assert (await refused(world, idCDA="1.2.250.1.999.5.2")).status == 404


async def test_what_the_pacs_says(world: World, published: ArchiveEntry) -> None:
    whole = found_study()
    note = FoundInstance(
        sop_class=KEY_OBJECT_SELECTION_STORAGE, sop_instance="2.25.9", number=1, frames=None
    )
    world.pacs.studies[STUDY] = replace(
        whole, series=(replace(whole.series[0], instances=(note,)),)
    )
    assert (await refused(world)).status == 410
    del world.pacs.studies[STUDY]
    gone = await refused(world)
    assert (gone.status, "ne sont plus dans le PACS" in gone.message) == (410, True)
    world.pacs.down = True
    down = await refused(world)
    assert (down.status, "ne répond pas" in down.message) == (503, True)


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


@given(
    st.text(max_size=200) | st.dictionaries(st.sampled_from(PARAMETERS), st.text()).map(urlencode)
)
def test_any_query_is_read_or_denied(query: str) -> None:
    read = _read(query)
    if isinstance(read, LinkRefused):
        assert read.status == 400
    else:
        assert all(read[name] for name in PARAMETERS)
