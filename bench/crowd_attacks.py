"""Handshakes that begin and never end, or weigh too much, while who has a right asks for images.

The crowd is a small one: what is looked for is a server that gives all that it has to whoever comes
first, not how much a machine bears.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from simulators.igc import CredentialFiles
from simulators.peer import Retrieved
from wire.half_open import HalfOpen, hold
from wire.http_backend import Backend
from wire.tls_probe import Met, probe
from wire.tls_records import (
    EMPTY_RENEGOTIATION_INFO,
    ClientHello,
    Content,
    Version,
    record,
    server_name,
    usual,
)

__all__ = ["CROWDS", "CrowdAttacks"]

_HELD = 300
_LONG = 100
_MESSAGE = (1 << 24) - 1
"""The longest that a handshake message can say that it is (RFC 5246 7.4)."""


def _silent(_: bytes) -> bytes:
    return b""


def _halved(hello: bytes) -> bytes:
    return hello[: len(hello) // 2]


def _one_byte(hello: bytes) -> bytes:
    return hello[:1]


CROWDS: Mapping[str, Callable[[bytes], bytes]] = {
    "connexions muettes": _silent,
    "poignées de main à un octet": _one_byte,
    "poignées de main à moitié dites": _halved,
}
"""Words -> what each connection of a crowd says of a ClientHello."""


@dataclass(slots=True)
class CrowdAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    held: dict[str, int] = field(default_factory=dict)
    """Words -> how many connections were held."""
    _numbers: Callable[[], int] = field(default_factory=lambda: itertools.count().__next__)

    # -- Quand -------------------------------------------------------------------------------

    def crowds(self, words: Iterable[str]) -> None:
        """The right request, while so many connections are held in each of these states."""
        self.attacking.play(
            Attempt(words=one, play=lambda one=one: self._amid(one))  # type: ignore[misc]
            for one in words
        )

    def heavy(self) -> None:
        """A chain of a hundred certificates, then a message of 16 Mio."""
        self.attacking.play(
            (
                Attempt(
                    words="chaîne de cent certificats",
                    play=lambda: self.attacking.ask(papers=self._long_chain()),
                ),
                Attempt(words="message de 16 Mio", play=self._long_message),
            )
        )

    # -- Alors -------------------------------------------------------------------------------

    def expect_served(self) -> None:
        """Whoever has a right is served amid each crowd."""
        if not self.held:
            raise CannotVerify("aucune connexion n'a été tenue")
        for one in self.attacking.played:
            if one.attempt.words not in self.held:
                continue
            held = self.held[one.attempt.words]
            self.attacking.imaging.story.stage.expect(
                f"la demande conforme est servie pendant « {one.attempt.words} »",
                bool(one.answer.images) and one.answer.complete,
                expected="200 et des images",
                actual=f"{self.attacking.imaging.summary(one.answer)} ; {held} connexion(s)",
                exchanges=one.exchanges,
            )

    # -- inside ------------------------------------------------------------------------------

    def _amid(self, words: str) -> Retrieved:
        bed, (host, port) = self.attacking.imaging.story.bed, self._target()
        beginning = CROWDS[words](self._hello())

        async def gather() -> HalfOpen:
            where = Backend(bed.connect_to).where(host, port)
            return await hold(where, count=_HELD, beginning=beginning)

        crowd = bed.call(gather)
        try:
            self.held[words] = crowd.count
            return self.attacking.ask()
        finally:
            bed.call(crowd.release)

    def _hello(self) -> bytes:
        return ClientHello(
            version=Version.TLS1_2,
            suites=(0xC02C, 0xC030, 0xC02B, 0xC02F, EMPTY_RENEGOTIATION_INFO),
            extensions=(server_name(self._target()[0]), *usual()),
        ).wire()

    def _long_chain(self) -> CredentialFiles:
        """A member's certificate, followed by a hundred that have nothing to do with it."""
        bed = self.attacking.imaging.story.bed
        pki = bed.papers.pki
        right = pki.auth_cli(bed.site.names.neighbour, bed.site.operator, key=pki.throwaway_key)
        more = tuple(
            pki.auth_cli(f"kit{number}", bed.site.operator, key=pki.throwaway_key).certificate
            for number in range(_LONG - len(right.chain))
        )
        made = replace(right, chain=(*right.chain, *more))
        return made.write(bed.papers.directory, f"chaine-{self._numbers()}")

    def _long_message(self) -> Retrieved:
        """A ClientHello that says it is as long as one may, and comes whole."""
        bed, (host, port) = self.attacking.imaging.story.bed, self._target()
        hello = self._hello()[5:]
        head = hello[:1] + _MESSAGE.to_bytes(3, "big") + hello[4:]
        pieces = [record(Content.HANDSHAKE, head, Version.TLS1_0)]
        left = _MESSAGE + 4 - len(head)
        filling = record(Content.HANDSHAKE, bytes(1 << 14), Version.TLS1_0)
        pieces += [filling] * (left >> 14)
        data = b"".join(pieces)

        async def send() -> Met:
            return await probe(
                data,
                host=host,
                port=port,
                connect_to=bed.connect_to,
                observe=bed.observe,
                detail="message de 16 Mio",
            )

        met = bed.call(send)
        return Retrieved(
            status=None,
            reason="" if met.refused else "ni alerte, ni fermeture",
            tls_reason=met.reason,
        )

    def _target(self) -> tuple[str, int]:
        imaging = self.attacking.imaging
        url = urlsplit(imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid))
        return url.hostname or "", url.port or 443
