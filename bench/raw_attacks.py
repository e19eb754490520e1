"""What is said to a Source by requests that no HTTP library writes: in clear, or of two lengths.

Each stands between two right requests (`bench.attacking`). Where two servers stand one behind the
other, what they do not cut at the same place is a request that the first has not seen: the sign of
it is a second answer on the connection (RFC 9112 6.3 and 11.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.attacking import Attacking, Attempt
from bench.outcomes import CannotVerify
from simulators.peer import Retrieved
from spec.wado import KOS_HEADER
from wire.raw_http import Heard, say
from wire.tls import ClientTls

__all__ = ["AMBIGUOUS", "RawAttacks"]

_HIDDEN = b"GET {path}/kit HTTP/1.1\r\nHost: {host}\r\n\r\n"


def _of_both(announced: int | None, coding: bytes) -> Callable[[bytes], bytes]:
    """A chunked body that is over at once, then a request; or its contrary, when a length is
    announced that ends before it."""

    def write(hidden: bytes) -> bytes:
        if announced is None:
            body = b"0\r\n\r\n" + hidden
            length = len(body)
        else:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden)
            length = len(body.partition(b"\r\n")[0]) + 2
        return b"Content-Length: %d\r\n%s\r\n\r\n%s" % (length, coding, body)

    return write


def _two_lengths(hidden: bytes) -> bytes:
    return b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n%s" % (len(hidden), hidden)


def _strange_length(value: bytes) -> Callable[[bytes], bytes]:
    return lambda hidden: b"Content-Length: %s\r\n\r\n%s" % (value, hidden)


_CHUNKED = b"Transfer-Encoding: chunked"

AMBIGUOUS: Mapping[str, Callable[[bytes], bytes]] = {
    "CL.TE": _of_both(None, _CHUNKED),
    "TE.CL": _of_both(0, _CHUNKED),
    "deux Content-Length": _two_lengths,
    "Content-Length double": _strange_length(b"0, 5"),
    "Content-Length signé": _strange_length(b"+0"),
    "espace avant les deux points": _of_both(None, b"Transfer-Encoding : chunked"),
    "codage inconnu": _of_both(None, b"Transfer-Encoding: kit"),
    "deux codages": _of_both(None, _CHUNKED + b"\r\nTransfer-Encoding: identity"),
}
"""Words -> the rest of a request: its lengths, and a body that hides another request."""


@dataclass(slots=True)
class RawAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    heard: dict[str, Heard] = field(default_factory=dict)

    # -- Quand -------------------------------------------------------------------------------

    def in_clear(self) -> None:
        """The right request, its token too, without TLS: on the port of the images, then on those
        that the box declares besides."""
        source = self.attacking.imaging.story.bed.source
        doors: dict[str, tuple[str, int]] = {"port des images": self._target()}
        doors |= {f"port {name}": source.pair(name) for name in ("admin",) if source.get(name)}

        def play(words: str) -> Callable[[], Retrieved]:
            return lambda: self._say(words, doors[words], self._right(), None)

        self.attacking.play(
            Attempt(words=f"en clair, {one}", play=play(one), traced=False) for one in doors
        )

    def ambiguous(self, words: Iterable[str]) -> None:
        """A member's request, without token, whose length may be read in two ways."""
        bed = self.attacking.imaging.story.bed
        papers = bed.papers.clients["peer"]
        tls = ClientTls(bed.papers.server_trust, papers.certificate, papers.key)

        def play(one: str) -> Callable[[], Retrieved]:
            path, host = self._path(), self._target()[0].encode()
            hidden = _HIDDEN.replace(b"{path}", path).replace(b"{host}", host)
            data = b"POST %s HTTP/1.1\r\nHost: %s\r\n" % (path, host) + AMBIGUOUS[one](hidden)
            return lambda: self._say(one, self._target(), data, tls)

        self.attacking.play(Attempt(words=one, play=play(one), traced=False) for one in words)

    # -- Alors -------------------------------------------------------------------------------

    def expect_one_answer(self) -> None:
        """Each refused by 4xx (501 for a coding that nobody knows), the connection closed, and
        nothing answers what was hidden."""
        if not self.heard:
            raise CannotVerify("aucune demande n'a été faite")
        for words, heard in self.heard.items():
            statuses = heard.statuses
            refused = bool(heard.tls_reason) or (
                len(statuses) <= 1 and all(400 <= one < 500 or one == 501 for one in statuses)
            )
            said = ", ".join(map(str, statuses)) or heard.tls_reason or heard.reason or "rien"
            self.attacking.imaging.story.stage.expect(
                f"la demande « {words} » est refusée, et la connexion fermée",
                refused and heard.closed,
                expected="une réponse 4xx au plus, puis la fermeture",
                actual=f"{said} ; {'fermée' if heard.closed else 'restée ouverte'}",
            )

    def expect_nothing_in_clear(self) -> None:
        """Each port hangs up, refuses, or sends to https; no image."""
        if not self.heard:
            raise CannotVerify("aucune demande n'a été faite")
        for words, heard in self.heard.items():
            if heard.reason:
                continue  # nobody listens there any more: the twins tell that of the images does
            statuses = heard.statuses
            shut = heard.closed and all(300 <= one < 500 for one in statuses)
            told = b"DICM" in heard.received
            self.attacking.imaging.story.stage.expect(
                f"la demande « {words} » n'obtient rien",
                shut and not told,
                expected="fermeture, renvoi ou refus, sans image",
                actual=", ".join(map(str, statuses)) or ("fermée" if shut else "restée ouverte"),
            )

    # -- inside ------------------------------------------------------------------------------

    def _say(
        self, words: str, where: tuple[str, int], data: bytes, tls: ClientTls | None
    ) -> Retrieved:
        bed = self.attacking.imaging.story.bed

        async def send() -> Heard:
            return await say(
                data,
                host=where[0],
                port=where[1],
                connect_to=bed.connect_to,
                observe=bed.observe,
                tls=tls,
                detail=words,
            )

        heard = self.heard[words] = bed.call(send)
        return Retrieved(
            status=heard.statuses[0] if heard.statuses else None,
            headers=heard.head,
            text=heard.received[:65536].decode("latin-1"),
            reason=heard.reason,
            tls_reason=heard.tls_reason or ("closed" if heard.closed else None),
        )

    def _right(self) -> bytes:
        manners = self.attacking.imaging.good_manners()
        lines = [
            f"GET {self._path().decode()} HTTP/1.1",
            f"Host: {self._target()[0]}",
            f"Authorization: Bearer {manners.token}",
            f"{KOS_HEADER}: {manners.kos_uid}",
            *(f"Accept: {one}" for one in manners.accept),
        ]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode()

    def _url(self) -> str:
        imaging = self.attacking.imaging
        return imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)

    def _path(self) -> bytes:
        return urlsplit(self._url()).path.encode()

    def _target(self) -> tuple[str, int]:
        url = urlsplit(self._url())
        return url.hostname or "", url.port or 443
