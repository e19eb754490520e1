"""What the viewer wants from whoever serves it: one series, being received or whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

__all__ = ["Arriving", "StoredImage"]


class StoredImage(Protocol):
    """One instance on disk, a Part 10 file."""

    @property
    def path(self) -> Path:
        """The file; it stays while its series is open."""
        ...

    @property
    def sop_instance(self) -> str:
        """SOP Instance UID."""
        ...


class Arriving(Protocol):
    """One series whose instances arrive, or all of which are there, until it is closed."""

    @property
    def total(self) -> int:
        """How many instances are announced."""
        ...

    @property
    def received(self) -> Sequence[StoredImage]:
        """In the order of arrival (DB.VI-CS.17).

        Empty again when one of the series proved to be another patient's.
        """
        ...

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        ...

    @property
    def failure(self) -> Exception | None:
        """Why it ended before its time; its text is French, for the user (DB.VI-CO.27)."""
        ...

    async def changed(self, seen: int) -> None:
        """Return once more than `seen` instances are there, or nothing more will come."""
        ...

    def close(self) -> None:
        """Nothing more is needed; closing twice is harmless."""
        ...
