"""A WADO-RS client that can be wrong on purpose, one thing at a time.

It keeps the beginning of each part, enough to be judged; who wants them whole takes the events
as they come. Réf. PS3.18 10.4; header names of the
DRIM-M_DATA WADO-RS samples (grade `sample`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from protocols import multipart
from protocols.dicomweb import format_accept
from protocols.errors import RemoteProtocolError
from spec.wado import KOS_HEADER, LOSSLESS_PROFILE
from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Manners", "PeerDrimbox", "Retrieved", "RetrievedPart", "Watch"]

Watch = Callable[[multipart.Event], None]
"""Sees each event of a multipart answer as it comes."""

_HEAD = 1 << 20
"""How much of each part is kept: whole test images, or the header of real ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What one request says. `None` leaves a header out."""

    token: str | None
    kos_uid: str | None
    accept: tuple[str, ...] = format_accept(LOSSLESS_PROFILE)
    """One header line each; empty leaves it out."""
    more: tuple[tuple[str, str], ...] = ()
    """Headers that no text asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievedPart:
    """One part of an answer."""

    headers: tuple[tuple[str, str], ...]
    size: int
    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What became of a request: an HTTP answer, or a refusal below HTTP (`status` is None)."""

    status: int | None
    headers: tuple[tuple[str, str], ...] = ()
    parts: tuple[RetrievedPart, ...] = ()
    text: str = ""
    complete: bool = True
    """Whether a multipart answer ended with its closing boundary."""
    reason: str = ""
    tls_reason: str | None = None

    @property
    def refused(self) -> bool:
        """Refused in the handshake or by HTTP 4xx: one class. A dead server is not a refusal."""
        if self.status is None:
            return self.tls_reason is not None
        return 400 <= self.status < 500

    @property
    def images(self) -> int:
        """How many parts came with a success status."""
        return len(self.parts) if self.status in (200, 206) else 0


@dataclass(slots=True)
class _Collector:
    parts: list[RetrievedPart] = field(default_factory=list)
    headers: tuple[tuple[str, str], ...] = ()
    head: bytearray = field(default_factory=bytearray)
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, event: multipart.Event) -> None:
        match event:
            case multipart.PartBegin():
                self.headers = tuple(event.headers)
                self.head, self.size, self.digest = bytearray(), 0, hashlib.sha256()
            case multipart.PartData():
                self.size += len(event.data)
                self.digest.update(event.data)
                self.head += event.data[: max(0, _HEAD - len(self.head))]
            case multipart.PartEnd():
                self.parts.append(
                    RetrievedPart(
                        headers=self.headers,
                        size=self.size,
                        sha256=self.digest.hexdigest(),
                        head=bytes(self.head),
                    )
                )


class PeerDrimbox:
    """A DRIMbox of the network, seen from a Source.

    Args:
        observe: receives each exchange.
        tls: whom it trusts (the market CA) and the certificate that it shows, if any.
        connect_to: `host[:port]` of a KOS RetrieveURL -> real address.
        timeout: seconds of silence after which a Source is given up.
    """

    def __init__(
        self,
        *,
        observe: Observe,
        tls: ClientTls,
        connect_to: Mapping[str, str],
        timeout: float = 30.0,
    ) -> None:
        self._observe = observe
        self._tls = tls
        self._connect_to = dict(connect_to)
        self._timeout = timeout

    async def retrieve(
        self, url: str, manners: Manners, *, watch: Watch | None = None
    ) -> Retrieved:
        """GET a WADO-RS resource on a connection of its own; `watch` may raise to stop it."""
        headers = self._said(manners)
        return await self._exchange("GET", url, headers, transaction="WADO-RS", watch=watch)

    async def ask(self, method: str, url: str, manners: Manners, content: bytes = b"") -> Retrieved:
        """Any other request, on a connection of its own; the address leaves as it is written, as
        long as it has neither `/../` nor a fragment. It is no retrieval to be judged as one."""
        headers = self._said(manners)
        return await self._exchange(method, url, headers, transaction="DICOMweb", content=content)

    @staticmethod
    def _said(manners: Manners) -> list[tuple[str, str]]:
        headers = []
        if manners.token is not None:
            headers.append(("Authorization", f"Bearer {manners.token}"))
        if manners.kos_uid is not None:
            headers.append((KOS_HEADER, manners.kos_uid))
        headers.extend(("Accept", value) for value in manners.accept)
        headers.extend(manners.more)
        return headers

    async def capabilities(self, url: str) -> Retrieved:
        """OPTIONS on the service root (PS3.18 8.9)."""
        return await self._exchange("OPTIONS", url, [], transaction="capabilities")

    async def alive(self, url: str) -> Retrieved:
        """GET, as the ANS's own health check client does: no token, JSON asked for.

        Réf. DRIM-M_DATA, "test a blanc", "Simulateur client healthcheck" (grade `sample`).
        """
        accept = [("Accept", "application/json")]
        return await self._exchange("GET", url, accept, transaction="capabilities")

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        *,
        transaction: str,
        watch: Watch | None = None,
        content: bytes = b"",
    ) -> Retrieved:
        client = HttpClient(
            actor="pair",
            observe=self._observe,
            tls=self._tls,
            connect_to=self._connect_to,
            timeout=self._timeout,
        )
        try:
            async with (
                client,
                client.stream(
                    method,
                    url,
                    headers=headers,
                    content=content,
                    transaction=transaction,
                    peer="source",
                ) as answer,
            ):
                answered = answer.headers.items
                content_type = answer.headers.get("content-type")
                if not content_type.lower().startswith("multipart/"):
                    body = b"".join([chunk async for chunk in answer.aiter()])
                    return Retrieved(
                        status=answer.status,
                        headers=answered,
                        text=body[:65536].decode(errors="replace"),
                    )
                collector, complete = _Collector(), True
                parser = multipart.Parser(multipart.boundary_of(content_type))
                try:
                    async for chunk in answer.aiter():
                        for event in parser.feed(chunk):
                            collector.take(event)
                            if watch is not None:
                                watch(event)
                    parser.finish()
                except (HttpFailure, RemoteProtocolError):
                    complete = False
                return Retrieved(
                    status=answer.status,
                    headers=answered,
                    parts=tuple(collector.parts),
                    complete=complete,
                )
        except HttpFailure as error:
            return Retrieved(status=None, reason=error.reason, tls_reason=error.tls_reason)
