"""Parts that tell of their uses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bench.deadline import until
from bench.journal import Journal
from drimbox_ref.usage import EVENT, recorded, watched


class Bell:
    """A part."""

    size = 3

    def ring(self, times: int, *, loud: bool = False) -> str:
        return "DONG" * times if loud else "ding" * times

    async def slowly(self) -> str:
        return "dong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    bell: Bell
    other: Bell


def test_a_part_works_as_it_did_and_says_so() -> None:
    told: list[tuple[str, str]] = []
    parts = watched(Parts(bell=Bell(), other=Bell()), lambda part, call: told.append((part, call)))
    assert parts.bell.ring(2, loud=True) == "DONGDONG"
    assert asyncio.run(parts.bell.slowly()) == "dong"
    assert parts.other.size == 3
    assert told == [("bell", "ring"), ("bell", "slowly"), ("other", "size")]


def test_a_method_is_used_when_it_is_called() -> None:
    told: list[tuple[str, str]] = []
    parts = watched(Parts(bell=Bell(), other=Bell()), lambda part, call: told.append((part, call)))
    taken = parts.bell.ring
    assert told == []
    assert (taken(1), taken(1)) == ("ding", "ding")
    assert told == [("bell", "ring")] * 2


def test_uses_are_written_to_the_journal_of_a_run(tmp_path: Path) -> None:
    parts = recorded(Parts(bell=Bell(), other=Bell()), "source", tmp_path)
    parts.bell.ring(1)
    (shard,) = (tmp_path / "journal").iterdir()
    assert shard.name.startswith("parts-source-")
    told = {"role": "source", "part": "bell", "call": "ring"}

    def written() -> bool:
        return [event.fields for event in Journal(tmp_path).of(EVENT)] == [told]

    assert until(written, deadline_s=10)


def test_without_a_run_nothing_is_wrapped() -> None:
    parts = Parts(bell=Bell(), other=Bell())
    assert recorded(parts, "source", None) is parts
