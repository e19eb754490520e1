"""The journal gives back what was written, and survives a process killed in the middle."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.feed import Feed
from bench.journal import Journal, JournalError
from wire.exchange import Direction, Exchange, Outcome, Part, Payload, TlsInfo
from wire.shard import Shard

EXCHANGE = Exchange(
    protocol="HTTP",
    actor="dmp",
    peer="source",
    direction=Direction.IN,
    outcome=Outcome.ANSWERED,
    connection="42-1",
    utc=datetime(2026, 11, 22, 10, 15, 0, 123000, tzinfo=UTC),
    mono_start=1.0,
    mono_end=2.5,
    transaction="ITI-41",
    detail="TD2.1a",
    request=Payload.whole(b"\x00\xffrequest", start_line="POST / HTTP/1.1", head=[("A", "é")]),
    response=Payload(
        start_line="HTTP/1.1 200 OK",
        size=10,
        sha256="ab",
        truncated=True,
        parts=(Part(headers=(("Content-Type", "x/y"),), size=10, sha256="cd", head=b"DICM"),),
    ),
    tls=TlsInfo(version="TLSv1.3", peer_chain=(b"der",)),
    keys=("urn:uuid:1",),
)


def test_exchange_comes_back_as_written(tmp_path: Path) -> None:
    shard = Shard(tmp_path, "bench")
    shard.observe(EXCHANGE)
    shard.close()
    journal = Journal(tmp_path)
    assert journal.exchange(journal.events[0]) == EXCHANGE
    assert not journal.notes


def test_torn_last_line_is_a_note_not_an_error(tmp_path: Path) -> None:
    shard = Shard(tmp_path, "bench")
    shard.observe(EXCHANGE)
    shard.write("run.end")
    shard.close()
    path = next((tmp_path / "journal").iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    journal = Journal(tmp_path)
    assert [event.type for event in journal.events] == ["exchange"]
    assert "incomplète" in journal.notes[0]


def test_foreign_line_is_named(tmp_path: Path) -> None:
    shard = Shard(tmp_path, "bench")
    shard.write("run.start")
    shard.close()
    path = next((tmp_path / "journal").iterdir())
    path.write_bytes(path.read_bytes() + b"hello\n")
    with pytest.raises(JournalError, match="ligne 2"):
        Journal(tmp_path)


def test_shards_of_several_processes_merge_in_time_order(tmp_path: Path) -> None:
    one, two = Shard(tmp_path, "bench"), Shard(tmp_path, "source")
    written = [one.write("a"), two.write("b"), one.write("c")]
    one.close()
    two.close()
    assert [event.id for event in Journal(tmp_path).events] == written


def test_directory_without_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="aucun journal"):
        Journal(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_feed_wakes_on_an_exchange_written_by_another_process(tmp_path: Path) -> None:
    feed = Feed(Shard(tmp_path, "bench"))
    feed.follow("source")
    feed.attributor.open("SCN-A", {"l'entryUUID": "urn:uuid:1"})
    Shard(tmp_path, "source").observe(EXCHANGE)
    found = feed.wait(lambda seen: seen.scenario == "SCN-A", deadline_s=5)
    assert [seen.exchange for seen in found] == [EXCHANGE]


def test_a_process_of_the_same_number_writes_elsewhere(tmp_path: Path) -> None:
    first = Shard(tmp_path, "source")
    first.observe(EXCHANGE)
    first.close()
    feed = Feed(Shard(tmp_path, "bench"))
    feed.follow(f"source-{os.getpid()}")
    again = Shard(tmp_path, "source")
    again.observe(replace(EXCHANGE, detail="second"))
    again.close()
    assert first.path != again.path
    assert [seen.exchange.detail for seen in feed.since()] == ["second"]  # not of an earlier go
    assert len({event.id for event in Journal(tmp_path).of("exchange")}) == 2


def test_feed_returns_what_it_has_at_the_deadline(tmp_path: Path) -> None:
    feed = Feed(Shard(tmp_path, "bench"))
    feed.observe(replace(EXCHANGE, transaction="C-FIND"))
    assert feed.wait(lambda seen: seen.exchange.transaction == "ITI-41", deadline_s=0.01) == []


def test_feed_sees_only_what_comes_after_a_mark(tmp_path: Path) -> None:
    feed = Feed(Shard(tmp_path, "bench"))
    feed.observe(EXCHANGE)
    mark = feed.mark()
    feed.observe(replace(EXCHANGE, detail="second"))
    assert [seen.exchange.detail for seen in feed.since(mark)] == ["second"]


def test_what_could_not_be_written_is_told_to_the_next_who_writes(tmp_path: Path) -> None:
    shard = Shard(tmp_path, "bench")
    shard.write("run.start", unwritable=object())
    shard.flush()
    with pytest.raises(TypeError):
        shard.write("run.end")
