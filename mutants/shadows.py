"""The right box, each part of it shadowed by the wrong ones: which would have answered otherwise?

A wrong part is asked what the right one was just asked, and finds within it nothing but what the
right one answered, or would answer without doing anything. When it asked for just that, and
answered the same, it made no difference: a scenario in which a wrong box never differs from the
right one cannot tell it apart. Nor can one in which it only writes something else to what nobody
reads afterwards: such a difference is told when something is read of what was written about.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from copy import deepcopy
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import wraps
from operator import is_not
from typing import TYPE_CHECKING, Any, TypeVar

from lxml import etree

from mutants.registry import Mutant
from wire.shard import Shard

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)
else:
    P = TypeVar("P")

__all__ = ["DIFFERS", "SHADOWED", "WRITTEN", "shadows_of", "told"]

SHADOWED = "shadowed"
"""The journal's event: `role`, and `mutants`, those whose every difference will be told."""

DIFFERS = "differs"
"""The journal's event: `role`, and `mutants`, those that would have answered otherwise."""

WRITTEN = "differs.written"
"""The journal's event: `role`, and `mutants`, those that would have written something else, which
nobody has read yet. A box that is started again forgets it."""


_ANSWERS = frozenset(
    {
        "bearer",
        "calls",
        "directory",
        "identity",
        "matcher",
        "negotiator",
        "notices",
        "reports",
        "showcase",
        "stamper",
        "transcoder",
    }
)
"""Parts that do nothing but answer: that the one within is not asked, or is asked something else,
changes nothing."""

_READS = frozenset(
    {
        ("archive", "by_kos"),
        ("archive", "current"),
        ("archive", "history"),
        ("catalogue", "resolve"),
        ("trust", "judge"),
        ("versions", "known"),
        ("versions", "others"),
        ("versions", "overtaken"),
    }
)
"""Methods of other parts that do nothing but answer, from what the box itself holds."""

_WRITES = {
    ("archive", "add_report"): "archive",
    ("archive", "depublish"): "archive",
    ("archive", "record"): "archive",
    ("archive", "set_entry_uuid"): "archive",
    ("audit", "record"): "audit",
}
"""Methods that do nothing but write, without an answer, and the store that they write to."""

_READERS = {
    ("archive", "by_kos"): "archive",
    ("archive", "current"): "archive",
    ("archive", "everything"): "archive",
    ("archive", "history"): "archive",
    ("audit", "everything"): "audit",
    ("catalogue", "resolve"): "archive",
}
"""Whatever reads such a store while the box runs."""


class _Unforeseen(Exception):
    """A wrong part asked for what the right one was not asked: what follows is not known."""


@dataclass(slots=True)
class _Call:
    """What the right part was asked, and what came of it."""

    part: str
    name: str
    bound: inspect.BoundArguments
    result: Any = None
    error: BaseException | None = None
    asked: int = field(default=0)
    """How often a wrong part asked it of the one within."""

    def answer(self) -> Any:
        """What came of it."""
        if self.error is not None:
            raise self.error
        return self.result


_current: ContextVar[_Call] = ContextVar("call")

_Difference = tuple[BaseException | None] | None
"""None when it made no difference, else what it ended with."""


class _Replayed:
    """The part within a wrong one: it knows the answer to the question just asked, and is the
    real one for those that change nothing."""

    def __init__(self, right: object, part: str) -> None:
        self._right = right
        self._part = part

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._right, name)
        if not callable(method):
            raise _Unforeseen(f"{self._part}.{name}")

        def replay(*arguments: Any, **named: Any) -> Any:
            call = _current.get()
            bound = inspect.signature(method).bind(*arguments, **named)
            if (call.part, call.name) != (self._part, name) or not _same(
                bound.arguments, call.bound.arguments
            ):
                if not _only_answers(self._part, name):
                    raise _Unforeseen(f"{self._part}.{name}")
                return method(*arguments, **named)
            call.asked += 1
            return _apart(call.answer())

        async def replay_later(*arguments: Any, **named: Any) -> Any:
            given = replay(*arguments, **named)
            return await given if inspect.isawaitable(given) else given

        return replay_later if inspect.iscoroutinefunction(method) else replay


class _Written:
    """What wrong boxes would have written otherwise: to which store, and about what."""

    def __init__(self) -> None:
        self._about: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def note(self, store: str, mutants: Iterable[str], about: set[str]) -> None:
        """One writing that differs."""
        for one in mutants:
            self._about[store][one] |= about

    def read(self, store: str, about: set[str]) -> list[str]:
        """Those of which that reading finds something; of nothing in particular: of everything."""
        written = list(self._about[store].items())
        return [one for one, words in written if not about or not about.isdisjoint(words)]


class _Shadowed:
    """A right part and the wrong ones that shadow it. What it answers is the right one's."""

    def __init__(
        self,
        right: object,
        part: str,
        wrong: dict[str, object],
        written: _Written,
        tell: Callable[[str, list[str]], None],
    ) -> None:
        self._right = right
        self._part = part
        self._wrong = wrong
        self._written = written
        self._tell_of = tell

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._right, name)
        if not callable(method):
            return method
        if inspect.iscoroutinefunction(method):

            @wraps(method)
            async def call_later(*arguments: Any, **named: Any) -> Any:
                call = self._call(method, name, arguments, named)
                try:
                    call.result = await method(*arguments, **named)
                except Exception as error:
                    call.error = error
                found = [(one, await self._differs_later(one, call)) for one in self._wrong]
                self._tell(call, [(one, told[0]) for one, told in found if told])
                return call.answer()

            return call_later

        @wraps(method)
        def call_now(*arguments: Any, **named: Any) -> Any:
            call = self._call(method, name, arguments, named)
            try:
                call.result = method(*arguments, **named)
            except Exception as error:
                call.error = error
            found = [(one, self._differs(one, call)) for one in self._wrong]
            self._tell(call, [(one, told[0]) for one, told in found if told])
            return call.answer()

        return call_now

    def _tell(self, call: _Call, differing: list[tuple[str, BaseException | None]]) -> None:
        """At once, or when what was written is read."""
        key = (call.part, call.name)
        at_once = [one for one, _ in differing]
        store = _WRITES.get(key)
        if store and call.error is None:
            later = [one for one, error in differing if error is None or _unforeseen(error)]
            at_once = [one for one in at_once if one not in later]
            self._written.note(store, later, set(_words(call.bound.arguments)))
            self._tell_of(WRITTEN, later)
        if key in _READERS:
            about = {*_words(call.bound.arguments), *_words(call.result)}
            found = self._written.read(_READERS[key], about)
            at_once += [one for one in found if one not in at_once]
        self._tell_of(DIFFERS, at_once)

    def _call(self, method: Any, name: str, arguments: Any, named: Any) -> _Call:
        return _Call(self._part, name, inspect.signature(method).bind(*arguments, **named))

    def _differs(self, mutant: str, call: _Call) -> _Difference:
        result, error, mark = None, None, _current.set(call)
        call.asked = 0
        try:
            result = self._ask(mutant, call)
        except Exception as raised:
            error = raised
        finally:
            _current.reset(mark)
        return _made_a_difference(call, result, error)

    async def _differs_later(self, mutant: str, call: _Call) -> _Difference:
        result, error, mark = None, None, _current.set(call)
        call.asked = 0
        try:
            result = await self._ask(mutant, call)
        except Exception as raised:
            error = raised
        finally:
            _current.reset(mark)
        return _made_a_difference(call, result, error)

    def _ask(self, mutant: str, call: _Call) -> Any:
        asked = getattr(self._wrong[mutant], call.name)
        return asked(*_apart(call.bound.args), **_apart(call.bound.kwargs))


def shadows_of(right: P, mutants: Iterable[Mutant]) -> dict[str, dict[str, object]]:
    """Of each part, the wrong ones of those boxes that can shadow it: part -> mutant -> wrong part.

    A wrong part can when nothing real is within it, and it is no variant of the real one: it then
    does nothing but answer. A box of which one wrong part cannot is left out.
    """
    within = replace(
        right,
        **{one.name: _Replayed(getattr(right, one.name), one.name) for one in fields(right)},
    )
    shadows: dict[str, dict[str, object]] = defaultdict(dict)
    for mutant in mutants:
        try:
            wrong = mutant.transform(within)
        except Exception:
            continue  # it wants more than parts that answer
        changed = {
            one.name: getattr(wrong, one.name)
            for one in fields(right)
            if getattr(wrong, one.name) is not getattr(within, one.name)
        }
        if all(map(_is_shadow, changed.values())):
            for part, made in changed.items():
                shadows[part][mutant.name] = made
    return shadows


def told(right: P, role: str, mutants: Iterable[Mutant], shard: Shard) -> P:
    """The right parts, a journal being told when a wrong one would have differed."""
    shadows = shadows_of(right, mutants)

    def tell(event: str, differing: list[str]) -> None:
        if differing:
            shard.write(event, role=role, mutants=differing)

    names = sorted({name for wrong in shadows.values() for name in wrong})
    shard.write(SHADOWED, role=role, mutants=names)
    written = _Written()
    readers = {part for part, _ in _READERS}
    return replace(
        right,
        **{
            one.name: _Shadowed(
                getattr(right, one.name), one.name, shadows.get(one.name, {}), written, tell
            )
            for one in fields(right)
            if one.name in shadows or one.name in readers
        },
    )


def _is_shadow(part: object) -> bool:
    """Whether all that it does is its own: a class of the box might open a door or a file."""
    return all(
        one.__module__.partition(".")[0] in ("mutants", "builtins", "typing")
        for one in type(part).__mro__
    )


def _made_a_difference(call: _Call, result: Any, error: BaseException | None) -> _Difference:
    """What it did not ask of the part within was not done; what it asked twice was done twice."""
    done = call.asked == 1 or _only_answers(call.part, call.name)
    differs = not done or error is not call.error or not _same(result, call.result)
    return (error,) if differs else None


def _unforeseen(error: BaseException) -> bool:
    return isinstance(error, _Unforeseen)


def _words(value: Any) -> Iterator[str]:
    """The texts within a value: what a call is about."""
    match value:
        case str():
            yield value
        case dict():
            yield from _words(list(value.values()))
        case tuple() | list():
            for one in value:
                yield from _words(one)
        case _ if is_dataclass(value):
            yield from _words([getattr(value, one.name) for one in fields(value)])


def _only_answers(part: str, name: str) -> bool:
    return part in _ANSWERS or (part, name) in _READS


def _apart(value: Any) -> Any:
    """As `value`, but for what a wrong part could change in it: XML elements are mutable."""
    match value:
        case etree._Element():
            return deepcopy(value)
        case tuple() if type(value) is tuple:
            items = tuple(map(_apart, value))
            return items if any(map(is_not, items, value)) else value
        case dict():
            return {key: _apart(one) for key, one in value.items()}
        case list():
            return list(map(_apart, value))
        case _ if is_dataclass(value) and not isinstance(value, type):
            found = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
            apart = {name: _apart(one) for name, one in found.items()}
            changed = {name: one for name, one in apart.items() if one is not found[name]}
            return replace(value, **changed) if changed else value
        case _:
            return value


def _same(one: Any, other: Any) -> bool:
    """Whether nobody could tell them apart; False when that is not known."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    match one:
        case etree._Element():
            return etree.tostring(one, method="c14n") == etree.tostring(other, method="c14n")
        case tuple() | list():
            return len(one) == len(other) and all(map(_same, one, other))
        case dict():
            return list(one) == list(other) and all(map(_same, one.values(), other.values()))
        case _ if is_dataclass(one):
            return all(
                _same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
            )
        case _:
            return bool(one == other)
