"""Attacks by the request itself: its address, its verb, its headers, and how many come at once.

Each is an attempt of `bench.attacking`, by the French words of the scenarios. The certificate is
always a member's; the token is right unless the attempt says that there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from simulators.peer import Manners, Retrieved
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["ACCEPTS", "ASIDE", "DEMANDS", "TRAPS", "RequestAttacks"]

TRAPS: Mapping[str, str] = {
    "remontée de dossiers": "..%2f..%2f..%2fetc%2fpasswd",
    "octet nul derrière": "{series}%00",
    "65 caractères": "1.2." + "3" * 61,
    "zéro en tête": "1.2.03",
    "lettres": "{series}abc",
    "rien": "",
    "chiffres arabes": "1.2.%D9%A3",
    "joker": "*",
}
"""Words -> what stands in the address where a series' UID should; `{series}` is a right one."""

ASIDE: Mapping[str, tuple[str, str]] = {
    "recherche par patient": ("GET", "/studies?PatientID=*"),
    "recherche d'examens": ("GET", "/studies?limit=100&includefield=all"),
    "recherche de séries": ("GET", "/series?limit=100"),
    "images de la série": ("GET", "/studies/{study}/series/{series}/instances"),
    "metadata": ("GET", "/studies/{study}/metadata"),
    "rendered": ("GET", "/studies/{study}/series/{series}/rendered"),
    "bulkdata": ("GET", "/studies/{study}/bulkdata/1"),
    "POST": ("POST", "/studies/{study}"),
    "POST à la racine": ("POST", "/studies"),
    "PUT": ("PUT", "/studies/{study}/series/{series}"),
    "DELETE": ("DELETE", "/studies/{study}/series/{series}"),
    "TRACE": ("TRACE", "/studies/{study}/series/{series}"),
    "racine": ("GET", ""),
    "racine suivie d'une barre": ("GET", "/"),
    "série suivie d'une barre": ("GET", "/studies/{study}/series/{series}/"),
    "série et point-virgule": ("GET", "/studies/{study}/series/{series};v=1"),
    "racine et deux points": ("GET", "/..;/rs/studies/{study}/series/{series}"),
    "racine et %2e%2e": ("GET", "/%2e%2e%2frs/studies/{study}/series/{series}"),
    "deux barres": ("GET", "//studies/{study}/series/{series}"),
    "capacités de la série": ("OPTIONS", "/studies/{study}/series/{series}"),
    "HEAD de la série": ("HEAD", "/studies/{study}/series/{series}"),
    "POST de la racine": ("POST", ""),
}
"""Words -> a verb, and an address below the service's root."""

_OBJECTS = 'multipart/related; type="application/dicom"'
_THOUSAND = ", ".join(f"{_OBJECTS}; transfer-syntax=1.2.3.{number}" for number in range(300))

ACCEPTS: Mapping[str, tuple[str, ...]] = {
    "aucun": (),
    "des virgules": (",,, ,",),
    "300 valeurs, la bonne au bout": (f"{_THOUSAND}, {_OBJECTS}; transfer-syntax=*",),
    "q démesuré": (f"{_OBJECTS}; transfer-syntax=*; q=1.001",),
    "q vide": (f"{_OBJECTS}; transfer-syntax=*; q=",),
    "guillemet sans fin": ('multipart/related; type="application/dicom; transfer-syntax=*',),
    "syntaxe illisible": (f"{_OBJECTS}; transfer-syntax=../../etc",),
    "plusieurs en-têtes": (
        f"{_OBJECTS}; transfer-syntax=1.2.3.4; q=1.0",
        f"{_OBJECTS}; transfer-syntax={EXPLICIT_VR_LITTLE_ENDIAN}; q=0.5",
    ),
}
"""Words -> the Accept lines of a request that is right otherwise."""

DEMANDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Range": (("Range", "bytes=0-99"),),
    "cent Range": (("Range", "bytes=" + ",".join(f"{n}-{n}" for n in range(100))),),
    "If-None-Match": (("If-None-Match", "*"),),
    "If-Match": (("If-Match", '"kit"'),),
    "Expect inconnu": (("Expect", "kit"),),
    "Upgrade": (("Connection", "Upgrade"), ("Upgrade", "kit/9")),
}
"""Words -> headers beside those of a right request."""

Ask: TypeAlias = Callable[[], Retrieved]


@dataclass(slots=True)
class RequestAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking

    # -- Quand -------------------------------------------------------------------------------

    def trapped(self, words: Iterable[str]) -> None:
        """The exam's address, each of these in place of the series' UID."""

        def play(one: str) -> Ask:
            uid = TRAPS[one].format(series=self._series)
            return lambda: self._ask("GET", f"/studies/{self._study}/series/{uid}", self._good)

        self._play(words, play)

    def aside(self, words: Iterable[str], *, with_token: bool) -> None:
        """Each of these verbs and addresses: with a right token but no KOS, of which nothing may
        be had then; or with the KOS, and no token."""

        def play(one: str) -> Ask:
            method, path = ASIDE[one]
            path = path.format(study=self._study, series=self._series)
            content = b"kit" if method in ("POST", "PUT", "PATCH") else b""
            return lambda: self._ask(method, path, self._half(with_token=with_token), content)

        self._play(words, play)

    def accepting(self, words: Iterable[str]) -> None:
        """The first series, in these forms."""

        def play(one: str) -> Ask:
            return lambda: self.attacking.ask(manners=replace(self._good, accept=ACCEPTS[one]))

        self._play(words, play)

    def demanding(self, words: Iterable[str]) -> None:
        """The first series, with these headers besides."""

        def play(one: str) -> Ask:
            return lambda: self.attacking.ask(manners=replace(self._good, more=DEMANDS[one]))

        self._play(words, play)

    def at_once(self, count: int) -> None:
        """The first series, so many times at the same instant with one token: one attempt, whose
        answer is the worst of all, as nothing else must come than a series or a refusal."""
        imaging = self.attacking.imaging
        bed = imaging.story.bed
        url = imaging.url(self._study, self._series)

        async def burst(manners: Manners) -> list[Retrieved]:
            peer = bed.peer(bed.papers.clients["peer"])
            return await asyncio.gather(*(peer.retrieve(url, manners) for _ in range(count)))

        def play() -> Retrieved:
            answers = bed.call(burst, self._good)
            served = sum(bool(one.images) and one.complete for one in answers)
            if not served:
                return answers[0]
            wrong = [one for one in answers if not (one.images and one.complete)]
            return next((one for one in wrong if one.status not in (429, 503)), answers[0])

        words = f"{count} demandes au même instant"
        self.attacking.play([Attempt(words=words, play=play, unavailable=True)])

    # -- inside ------------------------------------------------------------------------------

    def _play(self, words: Iterable[str], play: Callable[[str], Ask]) -> None:
        # A front end may refuse all of these before they are a request for images.
        attempts = [Attempt(words=one, play=play(one), traced=False) for one in words]
        self.attacking.play(attempts)

    @property
    def _study(self) -> str:
        return self.attacking.imaging.exam.study_uid

    @property
    def _series(self) -> str:
        return self.attacking.imaging.exam.series[0].uid

    @property
    def _good(self) -> Manners:
        return self.attacking.imaging.good_manners()

    def _half(self, *, with_token: bool) -> Manners:
        return replace(self._good, kos_uid=None) if with_token else replace(self._good, token=None)

    def _ask(self, method: str, path: str, manners: Manners, content: bytes = b"") -> Retrieved:
        imaging = self.attacking.imaging
        root, found, _ = imaging.url(self._study, self._series).partition("/studies/")
        if not found:
            raise CannotVerify(f"le RetrieveURL du KOS n'a pas de /studies/ : {root}")
        bed = imaging.story.bed
        peer = bed.peer(bed.papers.clients["peer"])
        return bed.call(peer.ask, method, root + path, manners, content)
