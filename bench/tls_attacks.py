"""What is tried on the TLS of a Source, by bytes that no library of today sends.

Old protocols, weak suites, a feigned fallback, compression, a second handshake inside the first:
each between two right requests (`bench.attacking`), which show that the server is there.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench.attacking import GREETED, Attacking, Attempt
from bench.outcomes import CannotVerify
from protocols.errors import RemoteProtocolError
from simulators.peer import Retrieved
from wire.http_backend import Backend
from wire.tls import ClientTls
from wire.tls_probe import Met, probe
from wire.tls_records import (
    EMPTY_RENEGOTIATION_INFO,
    FALLBACK,
    ClientHello,
    ServerHello,
    Version,
    key_share,
    server_name,
    supported_versions,
    usual,
)
from wire.tls_renegotiation import renegotiate

__all__ = ["PROTOCOLS", "SUITES", "TlsAttacks"]

_OLD = (0xC014, 0xC00A, 0xC013, 0xC009, 0x0039, 0x0033, 0x0035, 0x002F, 0x000A, 0x0005, 0x0004)
_ADVISED = (0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8)
_OF_1_3 = (0x1302, 0x1303, 0x1301)
_ELSEWHERE = "autre-etablissement.exemple.fr"

PROTOCOLS: Mapping[str, Version] = {
    "SSL 3.0": Version.SSL3,
    "TLS 1.0": Version.TLS1_0,
    "TLS 1.1": Version.TLS1_1,
}
"""Words -> the only version that is offered."""

SUITES: Mapping[str, tuple[int, ...]] = {
    "NULL": (0x0001, 0x0002, 0x003B, 0xC006, 0xC010),
    "EXPORT": (0x0003, 0x0006, 0x0008, 0x0011, 0x0014),
    "RC4": (0x0004, 0x0005, 0xC007, 0xC011),
    "3DES": (0x000A, 0x0016, 0xC008, 0xC012),
    "RSA sans échange éphémère": (0x002F, 0x0035, 0x003C, 0x003D, 0x009C, 0x009D),
    "CBC seules": (0xC009, 0xC00A, 0xC013, 0xC014, 0xC023, 0xC024, 0xC027, 0xC028),
    "DHE": (0x0033, 0x0039, 0x0067, 0x006B, 0x009E, 0x009F, 0xCCAA),
}
"""Words -> the only TLS 1.2 suites that are offered (IANA, TLS Cipher Suites)."""


@dataclass(slots=True)
class TlsAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking

    def protocols(self, words: Iterable[str]) -> None:
        """One old version and no other; SSL 3.0 has no extension."""

        def hello(one: str) -> ClientHello:
            version = PROTOCOLS[one]
            extensions = () if version is Version.SSL3 else self._extensions()
            return ClientHello(
                version=version, suites=(*_OLD, EMPTY_RENEGOTIATION_INFO), extensions=extensions
            )

        self._offer({one: lambda one=one: hello(one) for one in words})  # type: ignore[misc]

    def suites(self, words: Iterable[str], *, times: int = 1) -> None:
        """These suites in TLS 1.2, and no other."""

        def hello(one: str) -> ClientHello:
            return self._hello((*SUITES[one], EMPTY_RENEGOTIATION_INFO))

        self._offer({one: lambda one=one: hello(one) for one in words}, times=times)  # type: ignore[misc]

    def downgrades(self) -> None:
        """A client that says it was cut off, one that compresses, one that begins again."""
        self.attacking.play(
            (
                Attempt(words="rétrogradation (FALLBACK_SCSV)", play=self._fallback),
                Attempt(words="compression", play=self._compression),
                Attempt(words="renégociation par le client", play=self._renegotiation),
            )
        )

    def other_names(self) -> None:
        """Twice no SNI, that of another host, and its Host header under the right SNI."""
        bare = ClientHello(
            version=Version.TLS1_2, suites=(*_ADVISED, EMPTY_RENEGOTIATION_INFO), extensions=usual()
        )
        other = replace(bare, extensions=(server_name(_ELSEWHERE), *usual()))
        imaging = self.attacking.imaging

        def addressed() -> Retrieved:
            manners = replace(imaging.good_manners(), more=(("Host", _ELSEWHERE),))
            return self.attacking.ask(manners=manners)

        attempts = (
            Attempt(words="sans SNI", play=lambda: self._greet(bare)),
            Attempt(words="SNI d'un autre hôte", play=lambda: self._greet(other)),
            Attempt(words="Host d'un autre hôte", play=addressed),
        )
        self.attacking.play(one for one in attempts for _ in range(2))

    # -- inside ------------------------------------------------------------------------------

    def _offer(self, hellos: Mapping[str, Callable[[], ClientHello]], *, times: int = 1) -> None:
        def play(words: str) -> Retrieved:
            return self._greet(hellos[words](), words)

        self.attacking.play(
            Attempt(words=one, play=lambda one=one: play(one))  # type: ignore[misc]
            for one in hellos
            for _ in range(times)
        )

    def _fallback(self) -> Retrieved:
        """One version below the best that the server speaks, which says that it is a fallback."""
        best = self._met(
            ClientHello(
                version=Version.TLS1_2,
                suites=(*_OF_1_3, *_ADVISED),
                extensions=(
                    *self._extensions(),
                    supported_versions(Version.TLS1_3, Version.TLS1_2),
                    key_share(),
                ),
            )
        ).hello
        if best is None:
            raise CannotVerify("la Source ne répond ni à TLS 1.2 ni à TLS 1.3")
        suites = (*_ADVISED, *_OLD, EMPTY_RENEGOTIATION_INFO, FALLBACK)
        return self._greet(replace(self._hello(suites), version=best.version - 1), "repli")

    def _compression(self) -> Retrieved:
        """DEFLATE (1) is offered first; a server that goes on without it has declined it."""
        hello = self._hello((*_ADVISED, EMPTY_RENEGOTIATION_INFO))
        met = self._met(replace(hello, compressions=b"\1\0"), "compression")
        if met.hello is not None and met.hello.compression == 0:
            return Retrieved(status=None, tls_reason="compression non retenue")
        return _retrieved(met)

    def _renegotiation(self) -> Retrieved:
        bed, (host, port) = self.attacking.imaging.story.bed, self._target()
        papers = bed.papers.clients["peer"]
        tls = ClientTls(bed.papers.server_trust, papers.certificate, papers.key)
        where = Backend(bed.connect_to).where(host, port)

        async def ask() -> str:
            return await renegotiate(where, tls=tls, host=host)

        try:
            said = bed.call(ask)
        except (ssl.SSLError, RemoteProtocolError) as error:
            raise CannotVerify(f"aucune session TLS 1.2 à renégocier : {error}") from error
        except OSError as error:  # a silence too
            return Retrieved(status=None, reason=str(error) or "silence")
        return Retrieved(status=None, tls_reason=said or None, reason="" if said else GREETED)

    def _hello(self, suites: tuple[int, ...]) -> ClientHello:
        return ClientHello(version=Version.TLS1_2, suites=suites, extensions=self._extensions())

    def _extensions(self) -> tuple[bytes, ...]:
        return (server_name(self._target()[0]), *usual())

    def _greet(self, hello: ClientHello, words: str = "") -> Retrieved:
        return _retrieved(self._met(hello, words))

    def _met(self, hello: ClientHello, words: str = "") -> Met:
        bed, (host, port) = self.attacking.imaging.story.bed, self._target()

        async def send() -> Met:
            return await probe(
                hello.wire(),
                host=host,
                port=port,
                connect_to=bed.connect_to,
                observe=bed.observe,
                detail=words,
            )

        return bed.call(send)

    def _target(self) -> tuple[str, int]:
        imaging = self.attacking.imaging
        url = urlsplit(imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid))
        return url.hostname or "", url.port or 443


def _retrieved(met: Met) -> Retrieved:
    """A refusal in the handshake; what goes on is none, nor is what says nothing."""
    if met.hello is not None:
        return Retrieved(status=None, reason=f"{GREETED} ({_told(met.hello)})")
    return Retrieved(
        status=None,
        reason="" if met.refused else "ni alerte, ni fermeture",
        tls_reason=met.reason,
    )


def _told(hello: ServerHello) -> str:
    names = {int(one): one.words for one in Version}
    version = names.get(hello.version, f"version {hello.version:04X}")
    return f"{version}, suite {hello.suite:04X}, compression {hello.compression}"
