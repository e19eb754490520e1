"""What the Consumer remembers while it is in use: one context per call, one login per browser.

In memory only: no token outlives the process. A context is reached by
an unguessable identifier, and only by the professional who first opened it; no two calls share
anything (the demonstrator's single parameter map showed everybody the last patient called).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from drimbox_ref.consumer.jobs import Job
from drimbox_ref.consumer.values import (
    Call,
    Document,
    Emergency,
    Exam,
    Professional,
    Search,
    Situation,
)
from drimbox_ref.psc_login import Ended, Grant

__all__ = ["ApiToken", "Consultation", "Context", "Login", "Pending", "Sessions"]

_PENDING_LIFE = timedelta(minutes=10)
"""How long a professional may take to log in at PSC."""
_CONTEXT_LIFE = timedelta(hours=12)
"""A working day: a page left open in the morning still answers in the afternoon."""


@dataclass(slots=True)
class Consultation:
    """What the DMP said for one context. `reason` is why there is nothing, "" otherwise."""

    reason: str = ""
    transient: bool = False
    """The reason may be gone at the next attempt: a reload tries again, once it was shown."""
    told: bool = False
    exams: tuple[Exam, ...] = ()
    unreadable: tuple[str, ...] = ()
    partial: str = ""
    """What to say of exams that the DMP knows to be missing from its answer."""
    left_out: int = 0
    """Results beyond the number that one page reads."""
    documents: tuple[Document, ...] = ()
    documents_reason: str = ""
    """Why the documents are not there; the exams may be."""
    authorisable: bool = False
    """Only the patient's authorisation is wanting, which the professional may declare (TD0.3)."""


@dataclass(slots=True)
class Context:
    """One contextual call and everything that follows from it."""

    id: str
    call: Call
    opened: datetime
    owner: str = ""
    """National identifier of the professional who opened it, "" before."""
    situation: Situation | None = None
    notice: str = ""
    """What the next page must say once."""
    search: Search | None = None
    """What the professional narrowed the search to; None, what the call said."""
    emergency: Emergency | None = None
    consultation: Consultation | None = None
    asking: asyncio.Task[None] | None = field(default=None, repr=False)
    """The consultation under way: pages are shown without waiting for its end (DMP/UX.10)."""
    shown: dict[str, set[str]] = field(default_factory=dict)
    """The KOS shown for each study, so that a newer one can be signalled (CDA/DD.05)."""
    renewed: frozenset[str] = frozenset()
    """KOS of the last answer that replace one shown before."""
    jobs: dict[str, Job] = field(default_factory=dict)
    """By KOS, the owner's latest attempt only: they outlive the search that showed the exam."""
    exported: dict[str, tuple[Job, ...]] = field(default_factory=dict)
    """By KOS, who exported it before and where (DB.CO.79), the latest first."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    def choose(self, situation: Situation) -> None:
        """Consult as that situation; what another situation was shown is forgotten."""
        if self.situation != situation:
            self.situation = situation
            self.forget()

    @property
    def criteria(self) -> Search:
        """What exams are searched for."""
        return self.call.search if self.search is None else self.search

    @property
    def searching(self) -> bool:
        """Whether the DMP is being asked."""
        return self.asking is not None and not self.asking.done()

    def keep(self, found: Consultation) -> None:
        """What the DMP answered, and what is new in it."""
        self.consultation = found
        self.renewed = frozenset(
            exam.kos_uid
            for exam in found.exams
            if exam.kos_uid not in self.shown.get(exam.study_uid, {exam.kos_uid})
        )
        for exam in found.exams:
            self.shown.setdefault(exam.study_uid, set()).add(exam.kos_uid)

    def forget(self) -> None:
        """The next page asks the DMP again; an answer on its way is not waited for."""
        self.consultation = None
        if self.asking is not None:
            self.asking.cancel()
            self.asking = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A token of the DMP's API. Stays on the server."""

    value: str = field(repr=False)
    expires: datetime


@dataclass(slots=True)
class Login:
    """One professional in one browser. Tokens never leave the server."""

    id: str = field(repr=False)
    professional: Professional
    grant: Grant
    opened: datetime
    seen: datetime
    situation: Situation | None = None
    """The one that the professional chose last: taken again for the next call (DB.CO.50)."""
    all_traits: bool = False
    """Whether the ten identity traits are shown, or five (INS/va1.36)."""
    closed: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    api_tokens: dict[str, ApiToken] = field(default_factory=dict, repr=False)
    """By situation."""
    api_lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A browser that was sent to PSC and has not come back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    browser: str = field(repr=False)
    context: str
    opened: datetime


class Sessions:
    """All contexts, logins and pending logins of the process.

    Args:
        mint: unguessable URL-safe texts of at least 43 characters.
        now: the current instant, aware.
        idle_s: seconds of inactivity that end a login.
        limit: how many contexts are kept; the oldest idle one makes room.
    """

    def __init__(
        self,
        *,
        mint: Callable[[], str],
        now: Callable[[], datetime],
        idle_s: float,
        limit: int = 10_000,
    ) -> None:
        self._mint = mint
        self._now = now
        self._idle = timedelta(seconds=idle_s)
        self._limit = limit
        self._contexts: dict[str, Context] = {}
        self._logins: dict[str, Login] = {}
        self._pending: dict[str, Pending] = {}
        self._listeners: list[Callable[[Login], None]] = []

    # Contexts

    def open(self, call: Call) -> Context:
        """A context of its own for a call."""
        self._forget_old()
        context = Context(id=self._mint(), call=call, opened=self._now())
        self._contexts[context.id] = context
        return context

    def context(self, id: str) -> Context | None:
        """The context of that identifier, whoever asks: see `claim`."""
        context = self._contexts.get(id)
        if context is None or self._now() - context.opened > _CONTEXT_LIFE:
            return None
        return context

    def claim(self, context: Context, login: Login) -> bool:
        """Whether this professional may see the context; the first one who comes owns it."""
        if not context.owner:
            context.owner = login.professional.id
        return context.owner == login.professional.id

    def contexts_of(self, login: Login) -> tuple[Context, ...]:
        """The contexts that this professional opened."""
        owner = login.professional.id
        return tuple(one for one in self._contexts.values() if one.owner == owner)

    # Logins

    def send_away(self, browser: str, context: str) -> Pending:
        """Remember a browser that goes to PSC; `browser` is its cookie."""
        self._forget_old()
        pending = Pending(
            state=self._mint(),
            nonce=self._mint(),
            verifier=self._mint(),
            browser=browser,
            context=context,
            opened=self._now(),
        )
        self._pending[pending.state] = pending
        return pending

    def come_back(self, state: str, browser: str) -> Pending | None:
        """The pending login of that state and browser; it serves once.

        A state that comes from another browser is used up too: somebody tries to log a victim in
        as somebody else, or was given the victim's link.
        """
        pending = self._pending.pop(state, None)
        if pending is None or not browser or pending.browser != browser:
            return None
        return pending if self._now() - pending.opened <= _PENDING_LIFE else None

    def log_in(self, professional: Professional, grant: Grant) -> Login:
        """A login under a fresh identifier: the one before it may be known to somebody else."""
        now = self._now()
        login = Login(self._mint(), professional, grant, opened=now, seen=now)
        self._logins[login.id] = login
        for hear in self._listeners:
            hear(login)
        return login

    def listen(self, hear: Callable[[Login], None]) -> None:
        """Have `hear` told of each professional who logs in."""
        self._listeners.append(hear)

    def login(self, id: str, *, activity: bool = True) -> Login | None:
        """The live login of that cookie. A page that refreshes by itself is no activity."""
        login = self._logins.get(id)
        if login is None:
            return None
        now = self._now()
        if now - login.seen > self._idle:
            self.expire(login)
            return None
        if activity:
            login.seen = now
        return login

    def expire(self, login: Login) -> None:
        """The login is over; its contexts wait for the same professional to come back."""
        login.closed = True
        login.api_tokens.clear()
        self._logins.pop(login.id, None)

    def ended_at_psc(self, ended: Ended) -> tuple[Login, ...]:
        """End the logins of a session that PSC says is over; those that were."""
        over = tuple(
            login
            for login in self._logins.values()
            if (
                login.grant.session == ended.session
                if ended.session
                else login.grant.subject == ended.subject
            )
        )
        for login in over:
            self.expire(login)
        return over

    def log_out(self, login: Login) -> None:
        """The login is over, and every context of this professional with it."""
        self.expire(login)
        for context in self.contexts_of(login):
            context.forget()
            for job in context.jobs.values():
                if job.task is not None:
                    job.task.cancel()
            del self._contexts[context.id]

    def new_browser(self) -> str:
        """An identifier for a browser that has none yet."""
        return self._mint()

    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The exports under way or waiting."""
        return tuple(
            job.task
            for context in self._contexts.values()
            for job in context.jobs.values()
            if job.task is not None and not job.task.done()
        )

    def consultations(self) -> tuple[asyncio.Task[None], ...]:
        """What is being asked of the DMP."""
        asked = (context.asking for context in self._contexts.values())
        return tuple(task for task in asked if task is not None and not task.done())

    def _forget_old(self) -> None:
        now = self._now()
        for state, pending in list(self._pending.items()):
            if now - pending.opened > _PENDING_LIFE or len(self._pending) > self._limit:
                del self._pending[state]
        for login in list(self._logins.values()):
            if now - login.seen > self._idle:
                self.expire(login)
        for id, context in list(self._contexts.items()):
            old = now - context.opened > _CONTEXT_LIFE or len(self._contexts) >= self._limit
            if old and not any(job.active for job in context.jobs.values()):
                del self._contexts[id]
