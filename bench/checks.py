"""What a check of the doctor is: something looked at, what was found, who is at fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from validators.finding import Cause

__all__ = ["Check", "State", "fault", "good", "skipped", "warned"]


class State(StrEnum):
    """What a check found."""

    GOOD = "good"
    WARN = "warn"
    FAULT = "fault"
    SKIP = "skip"
    """An earlier fault makes it vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. `cause` and `advice` are those of a fault or a warning."""

    name: str
    state: State
    message: str
    cause: Cause | None = None
    advice: str = ""


def good(name: str, message: str) -> Check:
    """As it should be."""
    return Check(name=name, state=State.GOOD, message=message)


def skipped(name: str, message: str) -> Check:
    """Not looked at, and why."""
    return Check(name=name, state=State.SKIP, message=message)


def warned(name: str, cause: Cause, message: str, advice: str) -> Check:
    """What works, and is to be known."""
    return Check(name=name, state=State.WARN, cause=cause, message=message, advice=advice)


def fault(name: str, cause: Cause, message: str, advice: str) -> Check:
    """What keeps product and bench from meeting."""
    return Check(name=name, state=State.FAULT, cause=cause, message=message, advice=advice)
