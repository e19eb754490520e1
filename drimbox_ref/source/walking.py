"""A walk of the administrator's over all KOS in force: ask the PACS again, or change the address.

Each exam becomes an order in the inbox, which the running Source takes like a notice of the PACS: a
few at a time, so that reports are not kept waiting; outside the suspended hours; from where the
last walk stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from drimbox_ref.database import Database, insert_into
from drimbox_ref.source.archive import SqlArchive
from drimbox_ref.source.hours import Window
from drimbox_ref.source.inbox import SqlInbox
from drimbox_ref.source.orders import write_order
from drimbox_ref.source.tables import inbox, walks
from drimbox_ref.source.values import ArchiveEntry, EntryState

__all__ = ["Walk", "Walked", "in_force"]

_PAGE, _AHEAD = 100, 20
_POLL_S = 0.1


@dataclass(slots=True)
class Walked:
    """How far a walk came: exams ordered and done, and what was done, in a word, how many times."""

    ordered: int = 0
    done: int = 0
    words: Counter[str] = field(default_factory=Counter)


def in_force(
    archive: SqlArchive, after: int = 0, upto: int | None = None
) -> Iterator[tuple[int, ArchiveEntry]]:
    """The entries in force that come after that one, and not after `upto`, oldest first, each with
    its number."""
    while page := archive.page(after, _PAGE):
        for number, entry in page:
            if upto is not None and number > upto:
                return
            if entry.state is EntryState.PUBLISHED:
                yield number, entry
        after = page[-1][0]


class Walk:
    """One walk, by its kind (`resync`, `readdress`); the next of that kind resumes it."""

    def __init__(
        self,
        database: Database,
        kind: str,
        *,
        address: str = "",
        suspended: Sequence[Window] = (),
        now: Callable[[], datetime],
        sleep: Callable[[float], object] = time.sleep,
        told: Callable[[str], object] = lambda _: None,
        progress: Callable[[int], object] = lambda _: None,
    ) -> None:
        """`now` is aware, in local time; `told` hears of suspensions, `progress` of exams done."""
        self._database = database
        self._archive, self._inbox = SqlArchive(database), SqlInbox(database)
        self._kind, self._address = kind, address
        self._suspended = suspended
        self._now, self._sleep = now, sleep
        self._told, self._progress = told, progress

    def begun(self) -> str:
        """When a walk of that kind that was not ended began, "" when there is none."""
        row = self._row()
        return row.begun if row else ""

    def forget(self) -> None:
        """The next walk begins at the first KOS."""
        with self._database.transaction() as connection:
            connection.execute(delete(walks).where(walks.c.name == self._kind))

    def run(self, studies: Sequence[str] = ()) -> Walked:
        """Order every exam, or those `studies` alone, and wait until the Source has done them.

        Interrupted at any point, what was ordered will be done and the rest is for the next walk.
        """
        begun = self._now().isoformat()
        if studies:
            name = f"{self._kind}-{begun}"
            entries = [(0, study) for study in studies]
            return self._order(name, iter(entries), remember=False)
        row = self._row()
        if row is None:
            self._remember(begun, 0)
        else:
            begun = row.begun
        # What the walk itself publishes comes after what there is now.
        following = in_force(self._archive, row.after if row else 0, self._archive.last())
        walked = self._order(
            f"{self._kind}-{begun}",
            ((number, entry.study_uid) for number, entry in following),
            remember=True,
            begun=begun,
        )
        self.forget()
        return walked

    def _order(
        self, name: str, studies: Iterator[tuple[int, str]], *, remember: bool, begun: str = ""
    ) -> Walked:
        walked = Walked()
        for number, study in studies:
            self._wait_for_hours()
            while self._waiting(name) >= _AHEAD:
                self._sleep(_POLL_S)
                self._progress(walked.ordered - self._waiting(name))
            order = write_order(self._kind, study, address=self._address)
            self._inbox.put(f"{name}-{study}", order, now=self._now())
            walked.ordered += 1
            if remember:
                self._remember(begun, number)
            self._progress(walked.ordered - self._waiting(name))
        while left := self._waiting(name):
            self._progress(walked.ordered - left)
            self._sleep(_POLL_S)
        walked.done = walked.ordered
        walked.words = self._words(name)
        self._progress(walked.done)
        return walked

    def _wait_for_hours(self) -> None:
        while ends := [end for one in self._suspended if (end := one.ends(self._now()))]:
            until = max(ends)
            self._told(f"suspendu jusqu'à {until:%H:%M}")
            self._sleep((until - self._now()).total_seconds())

    def _waiting(self, name: str) -> int:
        statement = (
            select(func.count())
            .select_from(inbox)
            .where(inbox.c.state == "waiting", inbox.c.control_id.startswith(f"{name}-"))
        )
        with self._database.reading() as connection:
            return connection.execute(statement).scalar_one()

    def _words(self, name: str) -> Counter[str]:
        """What the Source noted of each order: `1.2.3 : remplacé`."""
        statement = select(inbox.c.detail).where(inbox.c.control_id.startswith(f"{name}-"))
        with self._database.reading() as connection:
            details = connection.execute(statement).scalars().all()
        return Counter(detail.partition(" : ")[2] or detail for detail in details)

    def _row(self) -> Any:
        with self._database.reading() as connection:
            found = connection.execute(
                select(walks).where(walks.c.name == self._kind)
            ).one_or_none()
        return found

    def _remember(self, begun: str, after: int) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                insert_into(connection, walks)
                .values(name=self._kind, begun=begun, after=after)
                .on_conflict_do_update(index_elements=[walks.c.name], set_={"after": after})
            )
