"""Who is beside the box while a campaign plays, if anybody: asked to act, to look, to say so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Nobody", "Operator", "Request", "Word"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a person, or waited for."""

    identifier: str
    """How `drimbench proceed` names it."""
    title: str
    """Of the scenario."""
    text: str
    """What to do or to look at, in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person says of what was looked at."""

    conform: bool
    by: str
    comment: str = ""
    """Mandatory when it is not conform."""
    files: tuple[Path, ...] = ()
    """Screenshots, videos, whatever proves it."""


class Operator(Protocol):
    """Who is there during a campaign."""

    @property
    def present(self) -> bool:
        """Whether somebody can be asked."""

    def judge(self, request: Request) -> Word | None:
        """Show what is to be looked at; what the person says, None: later."""

    def waiting(self, request: Request, left_s: float, *, gesture: bool) -> bool:
        """Show how long is left. True once the person says that it is done.

        Args:
            gesture: whether the person is the one who has to do it.
        """

    def waited(self, request: Request, how: str) -> None:
        """The wait is over, and how it ended, in French."""


class Nobody:
    """Nobody is there."""

    present = False

    def judge(self, request: Request) -> Word | None:
        """Later."""
        return None

    def waiting(self, request: Request, left_s: float, *, gesture: bool) -> bool:
        """Nothing is shown."""
        return False

    def waited(self, request: Request, how: str) -> None:
        """Nothing is shown."""
