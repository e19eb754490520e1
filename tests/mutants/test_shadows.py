"""Which wrong parts would have answered otherwise, while the right box alone answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from bench.journal import Journal
from drimbox_ref.consumer import ports as consumer_ports
from drimbox_ref.consumer.parts import Parts as ConsumerParts
from drimbox_ref.source import ports as source_ports
from drimbox_ref.source.parts import Parts as SourceParts
from mutants.registry import Mutant, catalogue
from mutants.shadows import _ANSWERS, _READERS, _READS, _WRITES, DIFFERS, SHADOWED, WRITTEN, told
from wire.shard import Shard

ALL = catalogue()


class Till:
    """A part with an effect: what it is told, it keeps."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def keep(self, amount: int) -> int:
        """How many it has."""
        if amount < 0:
            raise ValueError(amount)
        self.kept.append(amount)
        return len(self.kept)

    async def seal(self, amount: int) -> etree._Element:
        """An element that says it."""
        await asyncio.sleep(0)
        return etree.fromstring(f"<a><b>{amount}</b></a>")


class Book:
    """A part that only answers, if it is called `reports`."""

    def read(self, message: str) -> tuple[str, ...]:
        """Its words."""
        return tuple(message.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a small box."""

    till: Any
    reports: Any


class Wrong:
    """A part that asks the one within, altered by its subclasses."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def keep(self, amount: int) -> int:
        """As it should."""
        kept: int = self._inner.keep(amount)
        return kept

    async def seal(self, amount: int) -> etree._Element:
        """As it should."""
        return await self._inner.seal(amount)

    def read(self, message: str) -> tuple[str, ...]:
        """As it should."""
        words: tuple[str, ...] = self._inner.read(message=message)
        return words


# What the module of a wrong part is called is how a shadow is told from a part of the box.
Wrong.__module__ = "mutants.somewhere"


def wrong(**methods: Callable[..., Any]) -> type[Wrong]:
    return type("Altered", (Wrong,), {"__module__": "mutants.somewhere", **methods})


def box(name: str, part: str, made: Callable[[Any], Any]) -> Mutant:
    return Mutant(
        name=name,
        breaks="",
        requirements=("DB.SO.03",),
        consequences=(),
        role="source",
        transform=lambda parts: replace(parts, **{part: made(getattr(parts, part))}),
    )


def heard(run: Path, mutants: list[Mutant], use: Callable[[Parts], object]) -> list[list[str]]:
    """What was told as the parts were used."""
    shard = Shard(run, "shadows")
    use(told(Parts(till=Till(), reports=Book()), "source", mutants, shard))
    shard.close()
    return [event.fields["mutants"] for event in Journal(run).of(DIFFERS)]


def test_a_wrong_part_that_answers_as_the_right_one_makes_no_difference(tmp_path: Path) -> None:
    mutants = [box("same", "till", Wrong), box("read-too", "reports", Wrong)]

    def use(parts: Parts) -> None:
        assert parts.till.keep(3) == 1
        assert parts.reports.read("two words") == ("two", "words")

    assert heard(tmp_path, mutants, use) == []
    (event,) = Journal(tmp_path).of(SHADOWED)
    assert event.fields["mutants"] == ["read-too", "same"]


@pytest.mark.parametrize(
    ("altered", "differs"),
    [
        (lambda self, amount: self._inner.keep(amount) + 1, True),
        (lambda self, amount: self._inner.keep(amount + 1), True),
        (lambda self, amount: 1, True),  # the answer alone is right: nothing was kept
        (lambda self, amount: self._inner.keep(amount) and self._inner.keep(amount), True),
        (lambda self, amount: self._inner.keep(amount) if amount < 10 else 0, False),
    ],
)
def test_another_answer_another_question_or_another_effect_is_a_difference(
    tmp_path: Path, altered: Callable[..., Any], differs: bool
) -> None:
    part = wrong(keep=altered)
    found = heard(tmp_path, [box("wrong", "till", part)], lambda parts: parts.till.keep(3))
    assert found == ([["wrong"]] if differs else [])


def test_only_the_right_part_has_effects(tmp_path: Path) -> None:
    till = Till()
    shard, mutants = Shard(tmp_path, "shadows"), [box("same", "till", Wrong)]
    parts = told(Parts(till=till, reports=Book()), "source", mutants, shard)
    assert [parts.till.keep(1), parts.till.keep(2)] == [1, 2]
    assert till.kept == [1, 2]
    shard.close()


def test_a_part_that_only_answers_need_not_be_asked(tmp_path: Path) -> None:
    part = wrong(read=lambda self, message: tuple(message.split(" ")))
    mutants = [box("wrong", "reports", part)]

    def use(parts: Parts) -> None:
        parts.reports.read("two words")
        parts.reports.read("two  words")

    assert heard(tmp_path, mutants, use) == [["wrong"]]


def test_what_changes_nothing_may_be_asked_of_another_part(tmp_path: Path) -> None:
    """A till that counts the words of a book is told what the book says, not what the till did."""

    class Reader(wrong()):  # type: ignore[misc]
        def __init__(self, till: Any, reports: Any) -> None:
            super().__init__(till)
            self._reports = reports

        def keep(self, amount: int) -> int:
            return (
                amount if len(self._reports.read("two words")) == amount else super().keep(amount)
            )

    Reader.__module__ = "mutants.somewhere"
    reader = replace(
        box("reader", "till", Wrong),
        transform=lambda parts: replace(parts, till=Reader(parts.till, parts.reports)),
    )

    def use(parts: Parts) -> None:
        parts.till.keep(1)
        parts.till.keep(2)

    assert heard(tmp_path, [reader], use) == [["reader"]]


def test_an_error_is_an_answer(tmp_path: Path) -> None:
    def swallow(self: Any, amount: int) -> int:
        try:
            kept: int = self._inner.keep(amount)
        except ValueError:
            return 0
        return kept

    mutants = [box("same", "till", Wrong), box("deaf", "till", wrong(keep=swallow))]

    def use(parts: Parts) -> None:
        with pytest.raises(ValueError, match="-1"):
            parts.till.keep(-1)

    assert heard(tmp_path, mutants, use) == [["deaf"]]


def test_a_wrong_part_changes_nothing_of_what_the_right_one_gave(tmp_path: Path) -> None:
    async def emptied(self: Any, amount: int) -> etree._Element:
        element = await self._inner.seal(amount)
        element.remove(element[0])
        return element

    mutants = [box("same", "till", Wrong), box("empty", "till", wrong(seal=emptied))]

    def use(parts: Parts) -> None:
        assert etree.tostring(asyncio.run(parts.till.seal(4))) == b"<a><b>4</b></a>"

    assert heard(tmp_path, mutants, use) == [["empty"]]


def test_a_variant_of_the_real_part_is_no_shadow(tmp_path: Path) -> None:
    """It would do things of its own."""
    variant = type("Variant", (Till,), {"__module__": "mutants.somewhere"})
    mutants = [
        box("variant", "till", lambda inner: variant()),
        box("curious", "till", lambda inner: Wrong(inner.kept)),
        box("other-question", "till", wrong(keep=lambda self, amount: self._inner.read("a"))),
    ]
    found = heard(tmp_path, mutants, lambda parts: parts.till.keep(1))
    assert found == [["other-question"]]
    (event,) = Journal(tmp_path).of(SHADOWED)
    assert event.fields["mutants"] == ["other-question"]


def test_the_parts_that_only_answer_are_parts_of_a_box() -> None:
    named = {one.name for parts in (SourceParts, ConsumerParts) for one in fields(parts)}
    assert named >= _ANSWERS
    ports = {**vars(source_ports), **vars(consumer_ports)}
    for part, method in _READS:
        assert part in named
        assert callable(getattr(ports[part.capitalize()], method))


class Diary:
    """A store, if it is called `audit`: it is written, and read later."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def record(self, event: str) -> None:
        """One more line."""
        if not event:
            raise ValueError("empty")
        self.events.append(event)

    def everything(self, limit: int) -> tuple[str, ...]:
        """The latest."""
        return tuple(self.events[-limit:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The parts of a box that keeps a diary."""

    audit: Any


class Forgetful:
    """A diary that skips what is said of exams, and cannot bear the word `panic`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def record(self, event: str) -> None:
        """Unless it is about an exam."""
        if event == "panic":
            raise RuntimeError(event)
        if event != "exam":
            self._inner.record(event)

    def everything(self, limit: int) -> tuple[str, ...]:
        """As it should."""
        read: tuple[str, ...] = self._inner.everything(limit)
        return read


Forgetful.__module__ = "mutants.somewhere"


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        (["door"], []),
        (["exam"], [(WRITTEN, ["skips"])]),
        (["exam", None], [(WRITTEN, ["skips"]), (DIFFERS, ["skips"])]),
        (["door", None], []),
        ([None, "exam"], [(WRITTEN, ["skips"])]),
        (["panic"], [(DIFFERS, ["skips"])]),
    ],
)
def test_what_is_written_otherwise_makes_a_difference_when_it_is_read(
    tmp_path: Path, writes: list[str | None], expected: list[tuple[str, list[str]]]
) -> None:
    shard = Shard(tmp_path, "shadows")
    box_ = told(Written(audit=Diary()), "source", [box("skips", "audit", Forgetful)], shard)
    for one in writes:
        if one is None:
            box_.audit.everything(10)
        else:
            box_.audit.record(one)
    shard.close()
    heard = Journal(tmp_path).of(DIFFERS, WRITTEN)
    assert [(one.type, one.fields["mutants"]) for one in heard] == expected


def test_what_is_written_and_read_is_a_method_of_a_part() -> None:
    ports = {
        "archive": source_ports.Archive,
        "audit": source_ports.Audit,
        "catalogue": source_ports.Catalogue,
    }
    assert {part for part, _ in (*_WRITES, *_READERS)} == set(ports)
    assert all(hasattr(ports[part], name) for part, name in (*_WRITES, *_READERS))
    assert set(_WRITES.values()) == set(_READERS.values())
