"""Attacks on the session of a Consumer: its cookies replayed, its addresses led elsewhere.

Cookies are those that the Consumer set on the wire; they are shown again by a client that follows
nothing and knows nothing else. Réf.: SSI/IE.38, SSI/IE.39, grade: draft; RFC 6265 4.1.2, RFC 9700
4.11 (open redirection), grade: standard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, Morsel, SimpleCookie
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from bench.attacking import shows_stack
from bench.browser import Browser
from bench.consulting import Consulting
from bench.feed import Seen
from bench.outcomes import CannotVerify, NotMet, Refused
from simulators.psc import Returned
from simulators.ris.contextual_call import body, parameters
from simulators.user import Form, Page, UserError
from wire.http_client import HttpClient, HttpFailure, Response
from wire.tls import ClientTls

__all__ = ["SessionAttacks"]

_ELSEWHERE = "ailleurs.drimbench.test"
_EVIL = f"https://{_ELSEWHERE}/kit"
_LEAST = 16
"""A shorter cookie is a preference, no session."""
_ADDRESSES = ("redirect_uri", "post_logout_redirect_uri")
_FORM = "application/x-www-form-urlencoded"
_LOGOUT = ("logout", "déconn", "deconn")

Jar = dict[str, Morsel[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Led:
    """What came of an address that somebody changed."""

    words: str
    told: str
    status: int
    stack: bool
    elsewhere: tuple[str, ...]
    """Where the Consumer led."""
    exchanges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """Cookies shown at a page of the patient: who holds them, whether it was right, the answer."""

    words: str
    right: bool
    status: int
    offered: bool


@dataclass(slots=True)
class SessionAttacks:
    """Whoever holds cookies or changes addresses, and the radiologist who logs in around."""

    consulting: Consulting
    jar: Jar = field(default_factory=dict)
    """What the session under attack was known by."""
    shown: list[_Shown] = field(default_factory=list)
    led: list[_Led] = field(default_factory=list)
    _begun: int = 0

    # -- Quand -------------------------------------------------------------------------------

    def live(self) -> None:
        """A session from its call to its logout, then another one; the cookies of before, during
        and after are shown again, those in force beside them.

        Raises:
            CannotVerify: the Consumer sets no cookie, or its page offers no way out.
        """
        consulting = self.consulting
        self._begun = self._mark()
        consulting.call()
        before = self._cookies(self._begun)
        consulting.login()
        address, self.jar = self._page(), self._cookies(self._begun)
        if not _sessions(self.jar):
            raise CannotVerify("la Consommatrice n'a posé aucun cookie de session")
        self._show("ceux de la session", address, self.jar, right=True)
        self._show("ceux d'avant la connexion", address, before, right=False)
        self._show("ceux de la session, de nouveau", address, self.jar, right=True)
        self._log_out()
        self._show("ceux de la session finie", address, self.jar, right=False)
        begun = self._mark()
        consulting.call()
        consulting.login()
        address, others = self._page(), self._cookies(begun)
        self._show("ceux de la session suivante", address, others, right=True)
        self._show("ceux de la session finie, à la page suivante", address, self.jar, right=False)
        self._show("ceux de la session suivante, de nouveau", address, others, right=True)

    def lead_elsewhere(self, names: Iterable[str]) -> None:
        """Each of these parameters, worth the address of another, where a login begins, where it
        comes back and where it ends; a right login before and after each."""
        places = {
            "à l'appel contextuel": self._at_call,
            "au retour de Pro Santé Connect": self._at_return,
            "à la déconnexion": self._at_logout,
        }
        self._twin("avant")
        for name in names:
            for place, attempt in places.items():
                self._lead(f"{name} {place}", name, attempt)

    # -- Alors -------------------------------------------------------------------------------

    def expect_guarded(self) -> None:
        """Each cookie of the session is Secure, HttpOnly and SameSite (Lax or Strict)."""
        for name, cookie in _sessions(self.jar).items():
            wanting = [
                words
                for words, met in (
                    ("Secure", cookie["secure"]),
                    ("HttpOnly", cookie["httponly"]),
                    ("SameSite", cookie["samesite"].lower() in ("lax", "strict")),
                )
                if not met
            ]
            self.consulting.story.stage.expect(
                f"le cookie « {name} » est hors de portée des scripts et des autres sites",
                not wanting,
                expected="Secure, HttpOnly, SameSite Lax ou Strict",
                actual=f"sans {', '.join(wanting)}" if wanting else "les trois",
            )

    def expect_not_in_addresses(self) -> None:
        """No value of a cookie of the session is in an address, or in a Referer."""
        values = [cookie.value for cookie in _sessions(self.jar).values()]
        found = [
            seen.id
            for seen in self.consulting.story.stage.feed.since(self._begun)
            if any(value in line for value in values for line in _addresses(seen))
        ]
        self.consulting.story.stage.expect(
            "aucun identifiant de session n'est dans une adresse",
            not found,
            expected="dans un cookie seulement",
            actual=f"{len(found)} échange(s) le portent dans une adresse",
            exchanges=found,
        )

    def expect_lived(self) -> None:
        """The cookies in force show the exam; those of before the login, or of a session that is
        over, show nothing of the patient."""
        if not self.shown:
            raise CannotVerify("aucun cookie n'a été montré")
        for one in self.shown:
            self.consulting.story.stage.expect(
                f"cookies : {one.words}",
                one.offered == one.right and 0 < one.status < 500,
                expected="la page du patient" if one.right else "rien du patient",
                actual=f"HTTP {one.status or 'aucune réponse'}, "
                f"{'la page du patient' if one.offered else 'rien du patient'}",
            )

    def expect_not_led(self) -> None:
        """Neither an answer nor a page of the Consumer leads to the address of another."""
        if not self.led:
            raise CannotVerify("aucune adresse n'a été changée")
        for one in self.led:
            self.consulting.story.stage.expect(
                f"« {one.words} » ne mène pas ailleurs",
                not one.elsewhere and 0 < one.status < 500 and not one.stack,
                expected=f"une réponse, rien vers {_ELSEWHERE}",
                actual=f"{one.told} ; vers ailleurs : {', '.join(one.elsewhere) or 'rien'}",
                exchanges=one.exchanges,
            )

    # -- sessions ----------------------------------------------------------------------------

    def _page(self) -> str:
        """Where the patient's page is.

        Raises:
            CannotVerify: it offers no exam.
        """
        if not self.consulting.offered:
            raise CannotVerify("la connexion conforme ne montre pas l'examen")
        return self.consulting.shown.url

    def _show(self, words: str, address: str, jar: Jar, *, right: bool) -> None:
        answer = self._ask("GET", address, jar)
        text = answer.body.decode(errors="replace") if answer else ""
        patient = self.consulting.story.patient
        names = (patient.family, patient.ins.value if patient.ins else "")
        self.shown.append(
            _Shown(
                words=words,
                right=right,
                status=answer.status if answer else 0,
                offered=any(name and name in text for name in names),
            )
        )

    def _log_out(self) -> None:
        """The radiologist leaves, by the page's own button."""
        consulting, form = self.consulting, _way_out(self.consulting.shown)
        user = consulting.user
        assert user is not None
        try:
            consulting.page = consulting.story.bed.call(user.submit, form.id or form.name)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la déconnexion n'aboutit pas : {error}") from error

    # -- addresses ---------------------------------------------------------------------------

    def _twin(self, place: str) -> None:
        """The right login.

        Raises:
            CannotVerify: it never showed the exam.
            NotMet: it did, until something was tried.
        """
        try:
            self.consulting.call()
            self.consulting.login()
            why = "" if self.consulting.offered else "aucun examen"
        except Refused as error:
            why = str(error)
        if why and not self.led:
            raise CannotVerify(f"la connexion conforme, {place} : {why}")
        if why:
            raise NotMet(f"la connexion conforme, {place} : {why}")

    def _lead(
        self, words: str, name: str, attempt: Callable[[Browser, str], Page | Response | None]
    ) -> None:
        bed = self.consulting.story.bed
        begun, user = self._mark(), bed.user()
        answer: Page | Response | None = None
        why = "aucune réponse"
        try:
            answer = attempt(user, name)
        except (HttpFailure, UserError) as error:
            why = str(error)
        finally:
            bed.call(user.aclose)
        seen = self._of_consumer(begun)
        elsewhere = [to for one in seen for to in _leads(one)]
        if isinstance(answer, Page):
            elsewhere += _offers_elsewhere(answer)
        last = [one.exchange.response for one in seen if one.exchange.response][-1:]
        status = int(last[0].start_line.split(" ")[1]) if last else 0
        text = answer.body.decode(errors="replace") if answer else ""
        self.led.append(
            _Led(
                words=words,
                told=f"HTTP {answer.status}" if answer else why,
                status=status,
                stack=shows_stack(text),
                elsewhere=tuple(dict.fromkeys(elsewhere)),
                exchanges=tuple(one.id for one in seen),
            )
        )
        self._twin(f"après « {words} »")

    def _called(self, user: Browser, more: Iterable[tuple[str, str]] = ()) -> Page:
        story = self.consulting.story
        values = [*parameters(self.consulting.here(story.patient)), *more]
        return story.bed.call(
            user.call, f"https://{story.bed.site.names.consumer}/drim", body(values)
        )

    def _logged_in(self, user: Browser, page: Page) -> Page:
        """The page after the login, if that one asks for it."""
        bed = self.consulting.story.bed
        reader = bed.site.reader
        if any(value == reader for form in page.forms for _, value in form.choices):
            return bed.call(user.login, reader)
        return page

    def _at_call(self, user: Browser, name: str) -> Page:
        return self._logged_in(user, self._called(user, [(name, _EVIL)]))

    def _at_return(self, user: Browser, name: str) -> Page:
        bed = self.consulting.story.bed
        psc = bed.simulators.psc
        if psc is None:
            raise CannotVerify("Pro Santé Connect est réel : son retour ne se change pas")
        placed = psc.faults.set("retour", "login", {"quoi": Returned.KEPT})
        try:
            page = self._logged_in(user, self._called(user))
        finally:
            psc.faults.clear(placed)
        if not page.links:
            raise CannotVerify("le retour de Pro Santé Connect n'a pas été vu")
        return bed.call(user.get, _with(page.links[0].url, name))

    def _at_logout(self, user: Browser, name: str) -> Response | None:
        begun = self._mark()
        page = self._logged_in(user, self._called(user))
        form = _way_out(page)
        fields = [*form.fields, (name, _EVIL)]
        return self._ask(
            form.method, _with(form.action, name), self._cookies(begun), urlencode(fields)
        )

    # -- the wire ----------------------------------------------------------------------------

    def _mark(self) -> int:
        return self.consulting.story.stage.feed.mark()

    def _of_consumer(self, begun: int) -> list[Seen]:
        """What a browser was answered by the Consumer since."""
        return [
            seen
            for seen in self.consulting.story.stage.feed.since(begun)
            if seen.exchange.actor == "user"
            and seen.exchange.transaction in ("appel-contextuel", "consumer-page")
        ]

    def _cookies(self, begun: int) -> Jar:
        """What a browser that began then holds."""
        jar: Jar = {}
        for seen in self._of_consumer(begun):
            answer = seen.exchange.response
            for name, value in answer.head if answer else ():
                if name.lower() != "set-cookie":
                    continue
                try:
                    read = SimpleCookie(value)
                except CookieError:
                    continue
                jar.update(read)
        return {name: one for name, one in jar.items() if one.value and one["max-age"] != "0"}

    def _ask(self, method: str, address: str, jar: Jar, content: str = "") -> Response | None:
        """That request with these cookies and nothing else; None: no answer."""
        bed = self.consulting.story.bed
        headers = [("Cookie", "; ".join(f"{one.key}={one.value}" for one in jar.values()))]
        if content:
            headers.append(("Content-Type", _FORM))

        async def ask() -> Response:
            async with HttpClient(
                actor="user",
                observe=bed.observe,
                tls=ClientTls(bed.papers.server_trust),
                connect_to=bed.connect_to,
            ) as client:
                return await client.request(
                    method,
                    address,
                    headers=headers if jar else headers[1:],
                    content=content.encode("ascii"),
                    transaction="consumer-page",
                )

        try:
            return bed.call(ask)
        except HttpFailure:
            return None


def _sessions(jar: Jar) -> Jar:
    """The cookies that may name a session."""
    return {name: one for name, one in jar.items() if len(one.value) >= _LEAST}


def _way_out(page: Page) -> Form:
    """The form by which one leaves.

    Raises:
        CannotVerify: the page has none that says so.
    """
    for form in page.forms:
        said = " ".join((form.id, form.name, form.action, *(one.label for one in form.buttons)))
        if any(word in said.lower() for word in _LOGOUT):
            return form
    raise CannotVerify("la page n'offre pas de se déconnecter")


def _with(address: str, name: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode({name: _EVIL})}"


def _addresses(seen: Seen) -> tuple[str, ...]:
    """The address that was asked, the page that led there, and where the answer leads."""
    asked, answer = seen.exchange.request, seen.exchange.response
    lines = [asked.start_line, asked.header("referer") or ""] if asked else []
    return (*lines, (answer.header("location") or "") if answer else "")


def _leads(seen: Seen) -> list[str]:
    """Where that answer leads, or has PSC lead, if it is elsewhere."""
    answer = seen.exchange.response
    if answer is None:
        return []
    location = answer.header("location") or ""
    refresh = (answer.header("refresh") or "").partition("url=")[2]
    found = [to for to in (location, refresh) if _host(to) == _ELSEWHERE]
    given = parse_qs(urlsplit(location).query) if location else {}
    found += [
        f"{name}={to}"
        for name in _ADDRESSES
        for to in given.get(name, ())
        if _host(to) == _ELSEWHERE
    ]
    return found


def _offers_elsewhere(page: Page) -> list[str]:
    """What a link, a form or a frame of that page leads to elsewhere."""
    if _host(page.url) == _ELSEWHERE:
        return [page.url]
    offered = (*(one.url for one in page.links), *(one.action for one in page.forms), *page.frames)
    return [to for to in offered if _host(urljoin(page.url, to)) == _ELSEWHERE]


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
