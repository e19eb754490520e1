"""Who is in front of the Source's viewer: a login per browser, in memory only.

What a browser was shown is reached by the login that was let in, and ends with it. Réf.: PSC's
session of 4 hours, 30 minutes of inactivity (CI-SIS volet API PSC, grade: standard).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drimbox_ref.psc_login import Grant
from drimbox_ref.source.values import ArchiveEntry

__all__ = ["KnownGuests", "Leaving", "People", "Person"]

_LEAVING_LIFE = timedelta(minutes=10)
"""How long a professional may take to log in at PSC."""
_LIFE = timedelta(hours=4)
_LIMIT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """A browser that was sent to PSC and has not come back. `link` is what it followed."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    browser: str = field(repr=False)
    link: str
    left: datetime


@dataclass(slots=True)
class Person:
    """A professional in one browser. The tokens never leave the server."""

    id: str = field(repr=False)
    subject: str
    """National identifier."""
    name: str
    grant: Grant = field(repr=False)
    opened: datetime
    seen: datetime
    exams: dict[str, ArchiveEntry] = field(default_factory=dict, repr=False)
    """By KOS: what the links that were followed lead to."""


class People:
    """Everybody.

    Args:
        mint: unguessable URL-safe texts.
        now: the current instant, aware.
        idle_s: seconds of inactivity that end a login.
        gone: told the identifier of each login that ends.
    """

    def __init__(
        self,
        *,
        mint: Callable[[], str],
        now: Callable[[], datetime],
        idle_s: float,
        gone: Callable[[str], None],
    ) -> None:
        self._mint = mint
        self._now = now
        self._idle = timedelta(seconds=idle_s)
        self._gone = gone
        self._leaving: dict[str, Leaving] = {}
        self._people: dict[str, Person] = {}

    def new_browser(self) -> str:
        """An identifier for a browser that has none yet."""
        return self._mint()

    def send_away(self, browser: str, link: str) -> Leaving:
        """Remember a browser that goes to PSC; `browser` is its cookie."""
        self._forget_old()
        leaving = Leaving(
            state=self._mint(),
            nonce=self._mint(),
            verifier=self._mint(),
            browser=browser,
            link=link,
            left=self._now(),
        )
        self._leaving[leaving.state] = leaving
        return leaving

    def come_back(self, state: str, browser: str) -> Leaving | None:
        """Who left with that state, from that browser; a state serves once, whoever shows it."""
        leaving = self._leaving.pop(state, None)
        if leaving is None or not browser or leaving.browser != browser:
            return None
        return leaving if self._now() - leaving.left <= _LEAVING_LIFE else None

    def welcome(self, subject: str, name: str, grant: Grant) -> Person:
        """A login under a fresh identifier: the one before it may be known to somebody else."""
        now = self._now()
        person = Person(self._mint(), subject, name, grant, opened=now, seen=now)
        self._people[person.id] = person
        return person

    def find(self, id: str, *, activity: bool = True) -> Person | None:
        """The live login of that cookie; what a page asks by itself is no activity."""
        person = self._people.get(id)
        if person is None:
            return None
        if self._over(person):
            self.leave(person)
            return None
        if activity:
            person.seen = self._now()
        return person

    def leave(self, person: Person) -> None:
        """The login is over, and what it was shown with it."""
        if self._people.pop(person.id, None) is not None:
            self._gone(person.id)

    def _over(self, person: Person) -> bool:
        now = self._now()
        return now - person.seen > self._idle or now - person.opened > _LIFE

    def _forget_old(self) -> None:
        """Oldest first: nobody fills the memory by leaving for PSC again and again."""
        for state, leaving in list(self._leaving.items()):
            if self._now() - leaving.left > _LEAVING_LIFE or len(self._leaving) >= _LIMIT:
                del self._leaving[state]
        for person in list(self._people.values()):
            if self._over(person):
                self.leave(person)


class KnownGuests:
    """`Guests`: those who have logged in."""

    def recognise(self, cookie: str, people: People) -> Person | None:
        """As `People.find`."""
        return people.find(cookie)
