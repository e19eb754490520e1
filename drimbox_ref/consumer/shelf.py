"""Series that are being looked at: each opened once, whatever the page asks of it afterwards.

A page asks for a series again image by image: that is one access to be accounted for, not many.
"""

from __future__ import annotations

from collections.abc import Sequence

from drimbox_ref.consumer.ports import Fetch, Library
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import Exam, ExportFailed, Received, Series, Use

__all__ = ["Shelf"]


class Shelf:
    """Keeps series open for those who look at them.

    Args:
        places: how many stay open when nobody reads them at the moment; those read longest ago
            leave first. Series of a login that is over leave at the next opening.
    """

    def __init__(self, library: Library, *, places: int = 32) -> None:
        self._library = library
        self._places = places
        self._kept: dict[tuple[str, str, str, str], _Kept] = {}

    def open(self, context: Context, login: Login, exam: Exam, series: Series) -> _Hold:
        """A hold on the series; one that failed is fetched again."""
        key = (login.id, context.id, exam.kos_uid, series.uid)
        kept = self._kept.pop(key, None)
        if kept is not None and kept.fetch.failure is not None:
            kept.leave()
            kept = None
        if kept is None:
            fetch = self._library.open(context.call, login, exam, series, use=Use.VIEW)
            kept = _Kept(login, fetch)
        self._kept[key] = kept
        hold = _Hold(kept)
        self._make_room()
        return hold

    def _make_room(self) -> None:
        idle = [key for key, kept in self._kept.items() if not kept.holds]
        over = [key for key, kept in self._kept.items() if kept.login.closed]
        over += idle[: max(0, len(idle) - self._places)]
        for key in dict.fromkeys(over):
            self._kept.pop(key).leave()


class _Kept:
    """One series and how many read it now."""

    def __init__(self, login: Login, fetch: Fetch) -> None:
        self.login = login
        self.fetch = fetch
        self.holds = 0
        self._leaving = False

    def leave(self) -> None:
        """Close it, once nobody reads it."""
        self._leaving = True
        self.settle()

    def settle(self) -> None:
        """Somebody may have been the last reader."""
        if self._leaving and not self.holds:
            self.fetch.close()


class _Hold:
    """One reader of a series: `drimbox_ref.viewer.ports.Arriving`."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._fetch = kept.fetch
        self._closed = False
        kept.holds += 1

    @property
    def total(self) -> int:
        """How many instances the KOS announces."""
        return self._fetch.total

    @property
    def received(self) -> Sequence[Received]:
        """Those here, in the order of arrival."""
        return self._fetch.received

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return self._fetch.ended

    @property
    def failure(self) -> ExportFailed | None:
        """Why the series is not whole."""
        return self._fetch.failure

    async def changed(self, seen: int) -> None:
        """Wait for more than `seen` instances, or the end."""
        await self._fetch.changed(seen)

    def close(self) -> None:
        """This reader needs nothing more; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._kept.holds -= 1
            self._kept.settle()
