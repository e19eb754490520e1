"""What a Consumer does that logs in by CIBA: how often it asks, when it stops, what it shows.

Times are those at which Pro Santé Connect was asked. Réf.: OpenID Connect CIBA Core 1.0, 7.3, 10.1
and 11, grade: standard; the two digits: PSC documentation page, grade: sample.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from bench.browser import Browser
from bench.consulting import TELEPHONE_S, Consulting
from bench.deadline import until
from bench.feed import Seen
from bench.login_attacks import LoginAttacks
from bench.outcomes import CannotVerify, NotClaimed
from bench.process import BoxFailure
from protocols.errors import RemoteProtocolError
from protocols.oauth import FORM_TYPE, parse_form
from simulators.psc import Acknowledged, Answer, Polled
from simulators.ris.contextual_call import body, parameters
from simulators.user import Page, UserError
from spec.psc import BINDING_MESSAGE
from wire.exchange import Payload
from wire.http_client import HttpFailure

__all__ = ["CibaAttacks", "Ring", "gaps", "rings", "strays"]

_ODD = {
    "sans interval": Acknowledged.NO_INTERVAL,
    "interval nul": Acknowledged.ZERO,
    "interval négatif": Acknowledged.NEGATIVE,
    "interval d'un jour": Acknowledged.HUGE,
    "sans expires_in": Acknowledged.NO_EXPIRY,
}
"""Words -> what is odd in the acknowledgement of a request."""
_TERMINAL = frozenset({Polled.DENIED, Polled.EXPIRED, Polled.INVALID})
_USUAL_S, _SLOWER_S, _LEAST_S = 5.0, 5.0, 1.0
"""Without `interval`; what `slow_down` adds; whatever `interval` says (the last one is ours)."""
_LONGEST_S = 600.0
"""No request lives for longer: an interval beyond is no more worth than none."""
_SLACK_S = 0.25
"""What a request may be held up on its way, which brings it nearer to the next one."""
_SHORT_S = 8
"""Seconds that a request lives whose interval is longer than anybody waits."""
_FEWEST = 5
"""Different messages of ten that are drawn: fewer once in ten million times."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A request of CIBA, as Pro Santé Connect saw it."""

    seen: Seen
    id: str
    message: str
    interval: object
    """As it was acknowledged; None when it was not said."""
    polls: tuple[Seen, ...]


@dataclass(slots=True)
class _Login:
    """Somebody who logs in beside others."""

    words: str
    user: Browser
    page: Page
    begun: int
    """Position in the feed when they said who they are."""
    digits: str = ""
    why: str = ""
    """Why there is no page any more."""


@dataclass(slots=True)
class CibaAttacks:
    """Whoever attacks a login by CIBA; the logins themselves are those of `attacks`."""

    attacks: LoginAttacks
    logins: list[_Login] = field(default_factory=list)
    _restarted: bool = False

    # -- Étant donné -------------------------------------------------------------------------

    def log_in_by_telephone(self) -> None:
        """The Consumer logs its users in by CIBA; the reference starts anew to do so.

        Raises:
            NotClaimed: the product does not.
            CannotVerify: Pro Santé Connect is real, or the reference does not start.
        """
        bed, profile = self._consulting.story.bed, self._consulting.story.stage.profile
        if profile.options.get("login_mode") != "ciba":
            if not bed.consumer_is_reference:
                raise NotClaimed("CIBA : options.login_mode n'est pas « ciba »")
            self._restarted = True
            self._restart(login_mode="ciba")
        assert self.attacks.psc

    def leave(self) -> None:
        """The Consumer is as it was."""
        self._close()
        if self._restarted:
            self._restarted = False
            self._restart()

    def _restart(self, **options: str) -> None:
        try:
            self._consulting.story.bed.restart_consumer(**options)
        except BoxFailure as error:
            raise CannotVerify(f"la Consommatrice ne redémarre pas : {error}") from error

    # -- Quand -------------------------------------------------------------------------------

    def log_in_slowly(self) -> None:
        """The professional is not there yet, then Pro Santé Connect wants to be asked less often;
        between two right logins."""
        self.attacks.played.clear()
        self.attacks.twin("avant")
        self.attacks.play("attente, puis slow_down", self._slowly)

    def _slowly(self) -> None:
        faults = self.attacks.psc.faults
        placed = [
            faults.set("interrogation", "token", {"erreur": error}, times=1)
            for error in (Polled.PENDING, Polled.SLOWER)
        ]
        try:
            self._consulting.call()
            self._consulting.login()
        finally:
            for one in placed:
                faults.clear(one)

    def log_in_side_by_side(self, words: Iterable[str]) -> None:
        """A login under each of these acknowledgements, all at once, the professional being a
        while before they accept; between two right logins."""
        psc = self.attacks.psc
        self.attacks.played.clear()
        self.attacks.twin("avant")
        psc.phone.habit, usual = Answer.IGNORE, psc.phone.habit
        lifetime = psc.ciba.lifetime
        try:
            for one in words:
                if _ODD[one] is Acknowledged.HUGE:
                    psc.ciba.lifetime = _SHORT_S
                placed = psc.faults.set("accuse-ciba", "ciba", {"quoi": _ODD[one]})
                try:
                    self._begin(one)
                finally:
                    psc.faults.clear(placed)
                    psc.ciba.lifetime = lifetime
            timing = self._consulting.story.stage.profile.timing
            until(self._all_answered, deadline_s=TELEPHONE_S + timing.effect_s)
        finally:
            psc.phone.habit = usual
        for login in self.logins:
            self._consulting.page = None if login.why else login.page
            self.attacks.keep(login.words, login.why)
        self._close()
        self.attacks.twin("après")

    def begin_often(self, times: int) -> None:
        """As many people say who they are, and look at the two digits; between two right logins."""
        psc = self.attacks.psc
        self.attacks.played.clear()
        self.attacks.twin("avant")
        psc.phone.habit, usual = Answer.IGNORE, psc.phone.habit
        try:
            for number in range(times):
                self._begin(f"connexion {number + 1}")
        finally:
            psc.phone.habit = usual
        self._close()
        self.attacks.twin("après")

    def _begin(self, words: str) -> None:
        """Somebody says who they are, in a browser of their own."""
        consulting, story = self._consulting, self._consulting.story
        user = story.bed.user()
        values = list(parameters(consulting.here(story.patient)))
        address = f"https://{story.bed.site.names.consumer}/drim"
        login = _Login(words, user, Page(0, address, ""), 0)
        self.logins.append(login)
        try:
            story.bed.call(user.call, address, body(values))
            login.begun = story.stage.feed.mark()
            login.page = story.bed.call(user.login, story.bed.site.reader)
            login.digits = login.page.digits
        except (HttpFailure, UserError) as error:
            login.why = str(error)

    def _all_answered(self) -> bool:
        """Whether no page waits any more. Whoever was asked about once accepts."""
        waiting = [one for one in self.logins if not one.why and one.page.digits]
        for login in waiting:
            ring = self._ring_of(login)
            if ring is not None and ring.polls:
                self.attacks.psc.phone.answer_one(ring.id, Answer.ACCEPT)
            try:
                login.page = self._consulting.story.bed.call(login.user.reload)
            except (HttpFailure, UserError) as error:
                login.why = str(error)
        return not any(one.page.digits and not one.why for one in waiting)

    def _close(self) -> None:
        for login in self.logins:
            self._consulting.story.bed.call(login.user.aclose)

    # -- Alors -------------------------------------------------------------------------------

    def expect_paced(self) -> None:
        """Between two requests about one login, as long as Pro Santé Connect said, and five seconds
        more from `slow_down` on.

        Raises:
            CannotVerify: nobody was asked about twice.
        """
        found = [gap for ring in self._rings() for gap in gaps(ring)]
        if not found:
            raise CannotVerify("aucune demande n'a été interrogée deux fois")
        for wanted, waited, ids in found:
            self._consulting.story.stage.expect(
                "l'intervalle entre deux interrogations est tenu",
                waited >= wanted - _SLACK_S,
                expected=f"{wanted:g} s",
                actual=f"{waited:.2f} s",
                exchanges=ids,
            )

    def expect_ended_at_once(self) -> None:
        """What says that the request is over is said once: no request after it, and a message."""
        stage = self._consulting.story.stage
        ended = [
            ring for ring in self._rings() if any(_error(one) in _TERMINAL for one in ring.polls)
        ]
        if len(ended) < len(self.attacks.all()):
            raise CannotVerify("une connexion n'a pas été interrogée")
        for ring in ended:
            errors = [_error(one) for one in ring.polls]
            after = errors[next(n for n, error in enumerate(errors) if error in _TERMINAL) + 1 :]
            stage.expect(
                "aucune interrogation ne suit celle qui clôt la demande",
                not after,
                expected="aucune",
                actual=f"{len(after)} après {errors[0]}",
                exchanges=[one.id for one in ring.polls],
            )
        for one in self.attacks.all():
            stage.expect(
                f"la page de « {one.words} » dit ce qu'il en est",
                one.page is not None and bool(one.page.alerts) and not one.page.digits,
                expected="un message",
                actual=one.told,
            )

    def expect_none_astray(self) -> None:
        """Every request about a login names one that Pro Santé Connect has acknowledged."""
        stage = self._consulting.story.stage
        astray = strays(stage.feed.since(stage.origin))
        stage.expect(
            "chaque interrogation nomme une demande que Pro Santé Connect a donnée",
            not astray,
            expected="un auth_req_id reçu",
            actual=f"{len(astray)} interrogation(s) d'une demande inconnue",
            exchanges=[one.id for one in astray],
        )

    def expect_over(self) -> None:
        """No page still waits."""
        for login in self._all_logins():
            self._consulting.story.stage.expect(
                f"l'attente « {login.words} » a une fin",
                not login.page.digits,
                expected="l'examen, ou un message",
                actual="la page attend encore" if login.page.digits else login.why or "finie",
            )

    def expect_default(self) -> None:
        """Without an interval, the login is right, and was asked about twice or more."""
        for login in self._all_logins():
            if _ODD.get(login.words) is not Acknowledged.NO_INTERVAL:
                continue
            ring = self._ring_of(login)
            polls = ring.polls if ring is not None else ()
            self._consulting.story.stage.expect(
                f"la connexion « {login.words} » aboutit",
                len(polls) > 1 and any(form.id.startswith("export-") for form in login.page.forms),
                expected="plusieurs interrogations, puis la page de l'examen",
                actual=f"{len(polls)} interrogation(s), « {login.why or login.page.title} »",
                exchanges=[one.id for one in polls],
            )

    def expect_digits(self) -> None:
        """Each page shows the two digits that the telephone shows; nobody foresees them."""
        stage, found = self._consulting.story.stage, []
        for login in self._all_logins():
            ring = self._ring_of(login)
            sent = ring.message if ring is not None else ""
            found.append(sent)
            stage.expect(
                f"les chiffres de la {login.words} sont ceux du téléphone",
                bool(re.fullmatch(BINDING_MESSAGE, sent)) and login.digits == sent,
                expected="deux chiffres, les mêmes",
                actual=f"« {login.digits} » à l'écran, « {sent} » au téléphone"
                + (f" ({login.why})" if login.why else ""),
                exchanges=[ring.seen.id] if ring is not None else [],
            )
        steps = {(int(b) - int(a)) % 100 for a, b in pairwise(found)}
        stage.expect(
            "les chiffres ne se devinent pas d'une connexion à l'autre",
            len(set(found)) >= min(_FEWEST, len(found)) and len(steps) > 1,
            expected=f"{_FEWEST} nombres différents au moins, sans suite",
            actual=", ".join(found),
        )

    # -- reading -----------------------------------------------------------------------------

    @property
    def _consulting(self) -> Consulting:
        return self.attacks.consulting

    def _all_logins(self) -> list[_Login]:
        if not self.logins:
            raise CannotVerify("aucune connexion n'a été tentée")
        return self.logins

    def _rings(self) -> list[Ring]:
        """Since the scenario began."""
        stage = self._consulting.story.stage
        return rings(stage.feed.since(stage.origin))

    def _ring_of(self, login: _Login) -> Ring | None:
        """The request that they began; None when the Consumer made none."""
        if not login.begun:
            return None
        found = rings(self._consulting.story.stage.feed.since(login.begun))
        return found[0] if found else None


def rings(seen: Iterable[Seen]) -> list[Ring]:
    """Every request that was acknowledged, and how it was asked about."""
    found: list[Ring] = []
    polls: dict[str, list[Seen]] = {}
    for one in seen:
        if one.exchange.transaction == "PSC-CIBA-poll":
            polls.setdefault(_form(one).get("auth_req_id", ""), []).append(one)
        elif one.exchange.transaction == "PSC-CIBA":
            answer, asked = _object(one.exchange.response), _form(one)
            id = answer.get("auth_req_id")
            if not isinstance(id, str):
                continue
            message = asked.get("binding_message", "")
            found.append(Ring(one, id, message, answer.get("interval"), ()))
    return [
        Ring(ring.seen, ring.id, ring.message, ring.interval, tuple(polls.get(ring.id, ())))
        for ring in found
    ]


def strays(seen: Iterable[Seen]) -> list[Seen]:
    """Polls about a request that was never acknowledged."""
    every = list(seen)
    known = {ring.id for ring in rings(every)}
    return [
        one
        for one in every
        if one.exchange.transaction == "PSC-CIBA-poll"
        and _form(one).get("auth_req_id", "") not in known
    ]


def gaps(ring: Ring) -> list[tuple[float, float, list[str]]]:
    """Seconds to wait, seconds waited, and the two requests."""
    said = ring.interval
    wanted = _USUAL_S if said is None else _LEAST_S
    if isinstance(said, int) and 0 < said <= _LONGEST_S:
        wanted = float(said)
    found = []
    for before, after in pairwise(ring.polls):
        if _error(before) == Polled.SLOWER:
            wanted += _SLOWER_S
        waited = after.exchange.mono_start - before.exchange.mono_start
        found.append((wanted, waited, [before.id, after.id]))
    return found


def _error(poll: Seen) -> str:
    return str(_object(poll.exchange.response).get("error", ""))


def _form(seen: Seen) -> dict[str, str]:
    request = seen.exchange.request
    try:
        return parse_form(FORM_TYPE, request.body) if request is not None else {}
    except RemoteProtocolError:
        return {}


def _object(answer: Payload | None) -> dict[str, Any]:
    try:
        said = json.loads(answer.body) if answer is not None else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
