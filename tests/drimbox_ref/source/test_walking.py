"""The administrator's walks: every KOS compared with the PACS, or given another address."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.hours import window
from drimbox_ref.source.kos import ImgKosBuilder
from drimbox_ref.source.orders import READDRESS, RESYNC, addressed, read_order, write_order
from drimbox_ref.source.renewal import outlook
from drimbox_ref.source.values import EntryState, Operation
from drimbox_ref.source.walking import Walk, in_force
from tests.drimbox_ref.source.test_publication import PEER, Box
from tests.drimbox_ref.source.world import STUDIES, World, cda_report, found_study, oru

pytestmark = pytest.mark.anyio

NEW = "https://db2.drimbench.test/drimbox/rs"


@pytest.fixture
async def box(world: World) -> Box:
    """Three exams published."""
    made = Box(world)
    await made.publish(oru(cda_report(STUDIES)))
    return made


def _walk(box: Box, kind: str, **options: Any) -> Walk:
    """A walk whose waits are the Source's work."""

    def work(_: float) -> None:
        asyncio.run(box.settle())

    options.setdefault("sleep", work)
    return Walk(box.world.database, kind, now=lambda: box.world.clock.now().astimezone(), **options)


async def _run(walk: Walk, *studies: str) -> dict[str, int]:
    return dict((await asyncio.to_thread(walk.run, studies)).words)


def _states(box: Box) -> list[EntryState]:
    entries = [box.world.parts.archive.current(uid) for uid in STUDIES]
    return [entry.state for entry in entries if entry]


async def test_what_left_the_pacs_is_withdrawn_and_what_changed_is_replaced(box: Box) -> None:
    del box.world.pacs.studies[STUDIES[0]]
    box.world.pacs.studies[STUDIES[1]] = found_study(STUDIES[1], instances=5)
    expected = {"dépublié": 1, "remplacé": 1, "examen inchangé dans le PACS": 1}
    entries = [entry for _, entry in in_force(SqlArchive(box.world.database))]
    foreseen = sorted(outlook(entry, box.world.pacs) for entry in entries)
    assert foreseen == ["inchangé", "à dépublier", "à remplacer"]
    assert await _run(_walk(box, RESYNC)) == expected
    await box.settle()
    assert _states(box) == [
        EntryState.DEPUBLISHED,
        EntryState.PUBLISHED,
        EntryState.PUBLISHED,
    ]
    assert [one.operation for one in box.world.dmp.submissions[3:]] == [
        Operation.DELETE,
        Operation.REPLACE,
    ]
    box.world.clock.advance(1)
    assert await _run(_walk(box, RESYNC)) == {"examen inchangé dans le PACS": 2}


async def test_a_pacs_that_does_not_answer_withdraws_nothing(box: Box) -> None:
    box.world.pacs.down = True
    entry = box.world.parts.archive.current(STUDIES[0])
    assert entry is not None
    assert outlook(entry, box.world.pacs) == "PACS injoignable"

    class Stop(Exception):
        pass

    def work(_: float) -> None:
        asyncio.run(box.settle())
        raise Stop

    with pytest.raises(Stop):
        await asyncio.to_thread(_walk(box, RESYNC, sleep=work).run)
    assert _states(box) == [EntryState.PUBLISHED] * 3
    assert len(box.world.dmp.submissions) == 3


async def test_one_exam_alone(box: Box) -> None:
    box.world.pacs.studies.clear()
    assert await _run(_walk(box, RESYNC), STUDIES[2]) == {"dépublié": 1}
    await box.settle()
    assert _states(box)[:2] == [EntryState.PUBLISHED] * 2


async def test_an_interrupted_walk_is_resumed(box: Box) -> None:
    class Stop(Exception):
        pass

    seen: list[int] = []

    def stop(done: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise Stop

    first = _walk(box, RESYNC, progress=stop)
    with pytest.raises(Stop):
        await asyncio.to_thread(first.run)
    second = _walk(box, RESYNC)
    assert second.begun()
    before = len(box.world.pacs.asked)
    await _run(second)
    asked = box.world.pacs.asked[before:]
    assert sorted(asked) == sorted(STUDIES), "each exam once, by one walk or the other"
    assert second.begun() == ""
    third = _walk(box, RESYNC)
    third.forget()
    assert await _run(third) == {"examen inchangé dans le PACS": 3}


async def test_nothing_is_begun_during_suspended_hours(box: Box) -> None:
    waited: list[float] = []
    told: list[str] = []
    now = box.world.clock.now().astimezone()
    begin, end = now - timedelta(minutes=10), now + timedelta(hours=1)

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if seconds > 60:
            assert box.world.pacs.asked == list(STUDIES), "nothing but the publication"
            box.world.clock.advance(seconds)
        else:
            asyncio.run(box.settle())

    walk = _walk(
        box,
        RESYNC,
        suspended=[window(f"{begin:%H:%M}-{end:%H:%M}")],
        sleep=sleep,
        told=told.append,
    )
    assert sum((await _run(walk)).values()) == 3
    assert 3000 < waited[0] <= 3600
    assert told == [f"suspendu jusqu'à {end:%H:%M}"]


@pytest.mark.parametrize(
    ("written", "hour", "ends"),
    [
        ("08:00-18:00", 7, None),
        ("08:00-18:00", 8, (22, 18)),
        ("08:00-18:00", 18, None),
        ("22:00-06:00", 23, (23, 6)),
        ("22:00-06:00", 3, (22, 6)),
        ("22:00-06:00", 12, None),
    ],
)
def test_hours(written: str, hour: int, ends: tuple[int, int] | None) -> None:
    end = window(written).ends(datetime(2026, 11, 22, hour, tzinfo=UTC))
    assert (end and (end.day, end.hour)) == ends


@pytest.mark.parametrize("written", ["", "8-18", "08:00", "24:00-06:00", "08:00-08:00"])
def test_hours_that_are_none(written: str) -> None:
    with pytest.raises(ValueError, match="plage horaire"):
        window(written)


def _moved(box: Box) -> None:
    """The Source runs with another address."""
    builder = box.world.parts.kos
    assert isinstance(builder, ImgKosBuilder)
    builder._public_url = NEW


async def test_every_kos_is_replaced_by_one_at_the_new_address(box: Box) -> None:
    _moved(box)
    walk = _walk(box, READDRESS, address=NEW)
    assert await _run(walk) == {"remplacé": 3}
    await box.settle()
    for uid in STUDIES:
        entry = box.world.parts.archive.current(uid)
        assert entry is not None
        assert entry.version == 2
        assert addressed(entry.kos, NEW)
        assert not addressed(entry.kos, "https://db1.drimbench.test/drimbox/rs")
    assert {one.operation for one in box.world.dmp.submissions[3:]} == {Operation.REPLACE}
    box.world.clock.advance(1)
    again = _walk(box, READDRESS, address=NEW)
    assert await _run(again) == {"examen inchangé dans le PACS": 3}


async def test_a_source_at_the_old_address_is_told(box: Box) -> None:
    assert await _run(_walk(box, READDRESS, address=NEW)) == {"adresse-differente": 3}
    assert set(box.bans()) == {"adresse-differente"}
    assert len(box.world.dmp.submissions) == 3


async def test_a_change_of_address_withdraws_nothing(box: Box) -> None:
    _moved(box)
    del box.world.pacs.studies[STUDIES[0]]
    words = await _run(_walk(box, READDRESS, address=NEW))
    assert words == {"remplacé": 2, "examen-absent": 1}
    assert _states(box)[0] is EntryState.PUBLISHED


async def test_no_door_takes_an_order(box: Box) -> None:
    """Who speaks to the MLLP door cannot have an exam withdrawn by it."""
    del box.world.pacs.studies[STUDIES[0]]
    order = write_order(RESYNC, STUDIES[0])
    await box.reception.handle(order, PEER)
    await box.settle()
    assert all(item.raw != order for item in box.world.parts.inbox.everything(9))
    assert _states(box) == [EntryState.PUBLISHED] * 3


@pytest.mark.parametrize("raw", [b"", b"MSH|^~\\&|", b"{}", b"\0" * 128 + b"DICM"])
def test_what_is_no_order(raw: bytes) -> None:
    assert read_order(raw) is None
