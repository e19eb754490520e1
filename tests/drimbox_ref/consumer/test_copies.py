"""The local cache: what is found, by whom, and what is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drimbox_ref.consumer.copies import SqlCopies
from drimbox_ref.consumer.values import Copy, CopyKey, Ins, Received, Use
from tests.drimbox_ref.consumer.world import CT, EXPLICIT, INS, STUDY, make_copies

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
JPEG, JPEG_LOSSLESS, JPEG_2000 = (f"1.2.840.10008.1.2.4.{last}" for last in (50, 70, 91))
KEY = CopyKey(
    owner="899700990016",
    ins=INS,
    ipp="LOCAL-77",
    kos_uid=f"{STUDY}.999",
    series_uid=f"{STUDY}.1",
    instances=frozenset({f"{STUDY}.1.1", f"{STUDY}.1.2"}),
)


def keep(
    copies: SqlCopies,
    key: CopyKey = KEY,
    *,
    use: Use = Use.EXPORT,
    syntax: str = EXPLICIT,
    now: datetime = NOW,
) -> Copy:
    directory = copies.directory() / "1"
    directory.mkdir(parents=True)
    images = []
    for uid in sorted(key.instances):
        path = directory / f"{uid}.dcm"
        path.write_bytes(b"x" * 100)
        images.append(
            Received(path=path, sop_class=CT, sop_instance=uid, transfer_syntax=syntax, size=100)
        )
    copy = Copy(directory=directory.parent, images=tuple(images))
    copies.keep(key, use, copy, now=now)
    return copy


def test_a_copy_is_found_whole_and_by_a_later_process(tmp_path: Path) -> None:
    copy = keep(make_copies(tmp_path))
    assert make_copies(tmp_path).find(KEY, Use.VIEW, now=NOW) == copy


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, owner="899700990032"),
        replace(KEY, ins=Ins(value=INS.value, oid="1.2.250.1.213.1.4.8")),
        replace(KEY, ins=Ins(value="162018885045327", oid=INS.oid)),
        replace(KEY, ipp="LOCAL-78"),
        replace(KEY, kos_uid=f"{STUDY}.998"),
        replace(KEY, series_uid=f"{STUDY}.2"),
        replace(KEY, instances=KEY.instances | {f"{STUDY}.1.3"}),
        replace(KEY, instances=frozenset({f"{STUDY}.1.1"})),
    ],
)
def test_a_copy_is_for_nothing_and_nobody_else(tmp_path: Path, other: CopyKey) -> None:
    copies = make_copies(tmp_path)
    keep(copies)
    assert copies.find(other, Use.VIEW, now=NOW) is None


@pytest.mark.parametrize(
    ("asked_for", "syntax", "fit"),
    [
        (Use.VIEW, JPEG, {Use.VIEW, Use.EXPORT_LOSSY}),
        (Use.VIEW, JPEG_2000, {Use.VIEW, Use.EXPORT_LOSSY}),
        (Use.VIEW, JPEG_LOSSLESS, {Use.VIEW, Use.EXPORT_LOSSY, Use.EXPORT}),
        (Use.VIEW, EXPLICIT, set(Use)),
        (Use.EXPORT, JPEG_2000, {Use.VIEW, Use.EXPORT}),
        (Use.EXPORT, EXPLICIT, {Use.VIEW, Use.EXPORT, Use.EXPORT_UNCOMPRESSED}),
        (Use.EXPORT_LOSSY, JPEG, {Use.VIEW, Use.EXPORT_LOSSY}),
        (Use.EXPORT_UNCOMPRESSED, JPEG, {Use.VIEW, Use.EXPORT_UNCOMPRESSED}),
    ],
)
def test_what_was_asked_for_one_use_may_not_serve_another(
    tmp_path: Path, asked_for: Use, syntax: str, fit: set[Use]
) -> None:
    copies = make_copies(tmp_path)
    keep(copies, use=asked_for, syntax=syntax)
    assert {use for use in Use if copies.find(KEY, use, now=NOW)} == fit


def test_a_file_cut_short_is_no_copy_and_goes(tmp_path: Path) -> None:
    copies = make_copies(tmp_path)
    copy = keep(copies)
    copy.images[1].path.write_bytes(b"x")
    assert copies.find(KEY, Use.VIEW, now=NOW) is None
    assert not copy.directory.exists()


def test_what_was_being_written_when_the_process_died_goes(tmp_path: Path) -> None:
    copies = make_copies(tmp_path)
    copy = keep(copies)
    half = copies.directory()
    (half / "1").mkdir(parents=True)
    make_copies(tmp_path)
    assert list((tmp_path / "images").iterdir()) == [copy.directory]


def test_the_longest_unused_makes_room_and_the_open_one_never(tmp_path: Path) -> None:
    copies = make_copies(tmp_path, quota=450)
    keys = [replace(KEY, series_uid=f"{STUDY}.{number}") for number in range(4)]
    kept = [
        keep(copies, key, now=NOW + timedelta(minutes=number)) for number, key in enumerate(keys)
    ]
    copies.find(keys[1], Use.VIEW, now=NOW + timedelta(hours=1))
    copies.trim({kept[0].directory}, now=NOW + timedelta(hours=2))
    assert [one.directory.exists() for one in kept] == [True, True, False, True]


def test_days_are_counted_from_the_download(tmp_path: Path) -> None:
    copies = make_copies(tmp_path)
    keep(copies)
    copies.find(KEY, Use.VIEW, now=NOW + timedelta(hours=23))
    copies.trim((), now=NOW + timedelta(hours=24, seconds=-1))
    assert copies.find(KEY, Use.VIEW, now=NOW) is not None
    copies.trim((), now=NOW + timedelta(hours=24))
    assert copies.find(KEY, Use.VIEW, now=NOW) is None
