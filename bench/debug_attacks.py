"""What is left open on a Source for whoever made it: consoles, pages, factory accounts.

Nothing of it has a place in what is delivered (SSI/GEN.07, grade: draft): each page is asked for at
each HTTP door, the images are asked for under factory accounts and by switches, and a page of
another origin asks whether a browser may (CORS).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench.attacking import Attacking, Attempt, told
from bench.outcomes import CannotVerify
from protocols.multipart import header
from simulators.peer import Manners, Retrieved

__all__ = ["PAGES", "SWITCHES", "DebugAttacks"]

PAGES: Mapping[str, tuple[str, ...]] = {
    "consoles de mise au point": ("/q/dev", "/q/dev-ui", "/console", "/h2-console", "/debug/pprof"),
    "descriptions d'interface": ("/swagger", "/swagger-ui/", "/docs", "/openapi.json", "/redoc"),
    "mesures et état interne": ("/metrics", "/q/metrics", "/actuator", "/actuator/env", "/jmx"),
    "administration": ("/admin", "/admin/", "/manager/html", "/console/login", "/phpmyadmin/"),
    "fichiers du produit": ("/.git/config", "/.env", "/WEB-INF/web.xml", "/server-status"),
}
"""Words -> paths that products and their frameworks answer while they are made."""

_ORIGIN = "https://attaquant.exemple.fr"


def _account(name: str, password: str) -> Callable[[Manners], Manners]:
    value = base64.b64encode(f"{name}:{password}".encode()).decode()
    more = (("Authorization", f"Basic {value}"),)
    return lambda good: replace(good, token=None, more=more)


def _header(name: str, value: str) -> Callable[[Manners], Manners]:
    return lambda good: replace(good, token=None, more=((name, value),))


SWITCHES: Mapping[str, Callable[[Manners], Manners]] = {
    "admin, admin": _account("admin", "admin"),
    "admin, password": _account("admin", "password"),
    "orthanc, orthanc": _account("orthanc", "orthanc"),
    "X-Debug": _header("X-Debug", "true"),
    "X-No-Auth": _header("X-No-Auth", "true"),
    "X-Test-User": _header("X-Test-User", "admin"),
}
"""Words -> a request for images that is right but for its token, which this takes the place of."""

_QUERIES = ("?debug=true", "?noAuth=true", "?debug.noAuth=true")


@dataclass(slots=True)
class DebugAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking

    # -- Quand -------------------------------------------------------------------------------

    def pages(self, words: Iterable[str]) -> None:
        """All the pages of each of these kinds, at one door after the other: one attempt each,
        whose answer is the first that is no refusal."""

        def play(kind: str, door: str) -> Callable[[], Retrieved]:
            def ask() -> Retrieved:
                answer = Retrieved(status=None, reason="aucune page demandée")
                for path in PAGES[kind]:
                    address = dict(self._doors(path)).get(door)
                    if address is not None:
                        answer = self._asking(address + path)()
                        if not answer.refused:
                            return replace(answer, reason=path)
                return answer

            return ask

        self.attacking.play(
            Attempt(words=f"{kind} ({door})", play=play(kind, door), traced=False)
            for kind in words
            for door, _ in self._doors(PAGES[kind][0])
        )

    def switches(self, words: Iterable[str]) -> None:
        """The first series, each of these instead of a token; then by each query that turns a check
        off."""

        def play(one: str) -> Callable[[], Retrieved]:
            def ask() -> Retrieved:
                good = self.attacking.imaging.good_manners()
                return self.attacking.ask(manners=SWITCHES[one](good))

            return ask

        self.attacking.play(Attempt(words=one, play=play(one), traced=False) for one in words)
        self.attacking.play(
            Attempt(words=one, play=self._asking(self._url + one, kos=True), traced=False)
            for one in _QUERIES
        )

    def of_another_origin(self) -> None:
        """A page of another origin asks for the service and for the series, and first whether it
        may (Fetch, CORS protocol)."""
        asked = (
            ("Origin", _ORIGIN),
            ("Access-Control-Request-Method", "GET"),
            ("Access-Control-Request-Headers", "authorization"),
        )
        doors = dict(self._doors(""))
        attempts = [
            Attempt(
                words=f"{method} ({door}) d'une autre origine",
                play=self._asking(address, method=method, more=asked),
                traced=False,
            )
            for door, address in doors.items()
            for method in ("OPTIONS", "GET")
        ]

        def series() -> Retrieved:
            good = self.attacking.imaging.good_manners()
            return self.attacking.ask(manners=replace(good, more=asked[:1]))

        attempts.append(Attempt(words="la série, d'une autre origine", play=series, traced=False))
        self.attacking.play(attempts)

    # -- Alors -------------------------------------------------------------------------------

    def expect_no_other_origin(self) -> None:
        """Whatever the answer, no browser hands it to a page of another origin."""
        judged = [one for one in self.attacking.played if "autre origine" in one.attempt.words]
        if not judged:
            raise CannotVerify("aucune demande n'a été faite d'une autre origine")
        for one in judged:
            allowed = header(one.answer.headers, "Access-Control-Allow-Origin") or ""
            decided = one.answer.status is not None and one.answer.status < 500
            self.attacking.imaging.story.stage.expect(
                f"la demande « {one.attempt.words} » n'est permise à aucune page",
                (decided or one.answer.refused) and allowed not in ("*", _ORIGIN, "null"),
                expected="une réponse sans Access-Control-Allow-Origin pour cette origine",
                actual=f"{told(one.answer)} ; Access-Control-Allow-Origin : {allowed or 'absent'}",
                exchanges=one.exchanges,
            )

    # -- inside ------------------------------------------------------------------------------

    def _doors(self, path: str) -> list[tuple[str, str]]:
        """Those of HTTP: the service, its host, and the administrator's, whose own pages are
        where they are."""
        url = urlsplit(self._url)
        root, found, _ = self._url.partition("/studies/")
        if not found:
            raise CannotVerify(f"le RetrieveURL du KOS n'a pas de /studies/ : {root}")
        doors = [("service", root), ("hôte", f"{url.scheme}://{url.netloc}")]
        admin = self.attacking.imaging.administration.address
        if admin and not path.startswith("/admin"):
            doors.append(("administration", f"http://{admin}"))
        return doors

    def _asking(
        self,
        address: str,
        *,
        method: str = "GET",
        more: tuple[tuple[str, str], ...] = (),
        kos: bool = False,
    ) -> Callable[[], Retrieved]:
        def ask() -> Retrieved:
            imaging = self.attacking.imaging
            bed = imaging.story.bed
            good = imaging.good_manners()
            manners = replace(good, token=None, more=more)
            if not kos:
                manners = replace(manners, kos_uid=None)
            peer = bed.peer(bed.papers.clients["peer"])
            return bed.call(peer.ask, method, address, manners)

        return ask

    @property
    def _url(self) -> str:
        imaging = self.attacking.imaging
        return imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)
