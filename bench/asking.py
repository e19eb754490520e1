"""Asking a Source outside any campaign: for images, for a sign of life; judged on the spot.

What ANS's own two client simulators do (faq.md 17.3: "Simulateur client wadoRS", "Simulateur
client healthcheck"), with the judges of the campaign on both sides of the exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bench.judge import images_of, message
from bench.verdicts import Verdict
from protocols import kos
from protocols.errors import RemoteProtocolError
from simulators.peer import Manners, PeerDrimbox, Retrieved, Watch
from validators.api import Context, Report, judge, validate
from wire.exchange import Exchange
from wire.tls import ClientTls

__all__ = ["Answer", "Asker", "Manifest", "Probe", "read_manifest"]

_NOT_SERVED = frozenset({404, 405, 501})
"""Of a probe: this way of asking is not the one that this Source answers."""


class Probe(StrEnum):
    """How a sign of life is asked for. No public text says which one it is (DB.SO.103)."""

    GET = "get"
    """As ANS's client of the dry run: JSON asked for, no token."""
    OPTIONS = "options"
    """DICOMweb Capabilities (PS3.18 8.9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a KOS asks for: its SOP Instance UID and one address for each series."""

    uid: str
    urls: tuple[str, ...]
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one question. `request` and `response` are None when they never were."""

    url: str
    retrieved: Retrieved
    exchange: Exchange | None
    request: Report | None = None
    response: Report | None = None

    @property
    def verdict(self) -> Verdict:
        """Of the Source: what it served, or that it did not. The question is not its affair.

        A refusal may be perfectly well said: it is no success to whoever wanted images.
        """
        status = self.retrieved.status
        if self.response is None and status in _NOT_SERVED:
            return Verdict.OMIT
        if self.response is None or status is None or not 200 <= status < 300:
            return Verdict.FAIL
        return Verdict(self.response.verdict)


def read_manifest(data: bytes) -> Manifest:
    """What a KOS file asks for.

    Raises:
        RemoteProtocolError: no KOS, or one without UID or retrieve URL.
    """
    found = kos.decode(data)
    urls = tuple(
        series.retrieve_url
        for study in found.studies
        for series in study.series
        if series.retrieve_url
    )
    if not found.sop_instance or not urls:
        raise RemoteProtocolError("KOS sans SOPInstanceUID ou sans RetrieveURL")
    return Manifest(uid=found.sop_instance, urls=urls, data=data)


class Asker:
    """A DRIMbox without site, on the command line of somebody.

    Args:
        tls: whom it trusts and the certificate that it shows.
        connect_to: `host[:port]` -> `address:port`.
        timeout: seconds of silence after which a Source is given up.
    """

    def __init__(
        self, *, tls: ClientTls, connect_to: Mapping[str, str], timeout: float = 30.0
    ) -> None:
        self._seen: list[Exchange] = []
        self._peer = PeerDrimbox(
            observe=self._seen.append, tls=tls, connect_to=connect_to, timeout=timeout
        )

    async def images(
        self, url: str, manners: Manners, *, context: Context, watch: Watch | None = None
    ) -> Answer:
        """Ask for a study, a series or an instance, and judge both sides."""
        retrieved = await self._peer.retrieve(url, manners, watch=watch)
        exchange = self._exchange()
        asked = exchange.request if exchange else None
        request = (
            validate(message(asked), "wado-request", context=context) if asked is not None else None
        )
        response = None
        if exchange is not None and exchange.response is not None and retrieved.status is not None:
            answer = images_of(exchange.response, context)
            response = judge(answer, "wado-response", context=answer.context)
        return Answer(
            url=url, retrieved=retrieved, exchange=exchange, request=request, response=response
        )

    async def life(self, url: str, probe: Probe) -> Answer:
        """Ask for a sign of life; a way of asking that is not served is not judged."""
        ask = self._peer.alive if probe is Probe.GET else self._peer.capabilities
        retrieved = await ask(url)
        exchange = self._exchange()
        response = None
        if (
            exchange is not None
            and exchange.response is not None
            and retrieved.status not in _NOT_SERVED
        ):
            response = validate(message(exchange.response), "capacites")
        return Answer(url=url, retrieved=retrieved, exchange=exchange, response=response)

    def _exchange(self) -> Exchange | None:
        """The last one that was seen; a handshake that failed leaves one as well."""
        seen, self._seen[:] = list(self._seen), []
        return seen[-1] if seen else None
