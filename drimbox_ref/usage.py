"""Which parts a box uses, told as it uses them: for whoever wants to know what a test exercises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wire.shard import Shard

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    P = TypeVar("P", bound=DataclassInstance)
else:
    P = TypeVar("P")

__all__ = ["EVENT", "Tell", "recorded", "watched"]

EVENT = "part"
"""The journal's event: `role`, `part` (a field of `Parts`), `call` (what was asked of it)."""

Tell = Callable[[str, str], object]
"""Hears of each use: the part, the method called or the attribute read."""


class _Watched:
    """A part that tells of each use. Special methods are not forwarded: no port has any."""

    __slots__ = ("_inner", "_part", "_tell")

    def __init__(self, inner: object, part: str, tell: Tell) -> None:
        self._inner = inner
        self._part = part
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            self._tell(self._part, name)
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            # When it is called, not when it is taken: a service takes its methods as it starts.
            self._tell(self._part, name)
            return value(*arguments, **named)

        return call


def watched(parts: P, tell: Tell) -> P:
    """The same parts, each telling of its uses.

    A part that another one holds is not seen through it: what is seen is what may be replaced.
    """
    wrapped: dict[str, Any] = {
        field.name: _Watched(getattr(parts, field.name), field.name, tell)
        for field in fields(parts)
    }
    return replace(parts, **wrapped)


def recorded(parts: P, role: str, run: Path | None) -> P:
    """The same parts, their uses written to the journal of that run; as they are without one."""
    if run is None:
        return parts
    shard = Shard(run, f"parts-{role}")
    return watched(parts, lambda part, call: shard.write(EVENT, role=role, part=part, call=call))
