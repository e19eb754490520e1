"""The agency's weather of services: which DRIMboxes give a sign of life, now and before.

ANS has every DRIMbox polled by BetterStack; one that does not answer is shown "hors service" (ANS
FAQ, "météo des services", grade: faq). How often, by which method and with which certificate is not
public. Here: GET as ANS's own client of the dry run does, then OPTIONS where GET is not served
(DRIM-M_DATA, grade: sample; DB.SO.103, grade: draft), without client certificate. A DRIMbox that
refuses a client without certificate, by an alert that says so, is alive: inferred.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from time import perf_counter
from typing import Final

from wire.exchange import Observe
from wire.http_client import HttpClient, HttpFailure
from wire.tls import ClientTls

__all__ = ["Glance", "Sky", "Station", "Weather"]

_NOT_SERVED: Final = frozenset({404, 405, 501})
_WANTS_CERTIFICATE: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")
"""Alerts for a client without certificate: TLS 1.3 has one for it, TLS 1.2 only the second."""
_KEPT: Final = 1440
"""Glances that a station remembers: a day, at one a minute."""


class Sky(StrEnum):
    """What the agency shows of a DRIMbox."""

    UNKNOWN = "pas encore vue"
    CLEAR = "en service"
    CLOUDED = "sans réponse, à confirmer"
    DOWN = "hors service"


@dataclass(frozen=True, slots=True)
class Glance:
    """One probe: when, whether it showed life, what was seen, and for how many seconds."""

    at: datetime
    alive: bool
    seen: str
    took_s: float


@dataclass(slots=True)
class Station:
    """One DRIMbox: what was seen of it, the latest last."""

    host: str
    url: str
    sky: Sky = Sky.UNKNOWN
    since: datetime | None = None
    """Of this sky."""
    glances: deque[Glance] = field(default_factory=lambda: deque(maxlen=_KEPT))
    missed: int = 0
    """Probes without life, in a row."""

    @property
    def availability(self) -> float | None:
        """Part of the remembered probes that showed life, 0 to 1; None before the first."""
        if not self.glances:
            return None
        return sum(one.alive for one in self.glances) / len(self.glances)


class Weather:
    """Looks at every DRIMbox that it is told of, and remembers.

    Args:
        places: host -> address of its DICOMweb service, asked at each look.
        trust: authorities of the DRIMboxes' certificates, a PEM file's worth; nothing is shown.
        confirm: probes in a row without life that make an outage.
        timeout_s: of silence, then the DRIMbox gave no sign.
    """

    def __init__(
        self,
        places: Callable[[], Mapping[str, str]],
        *,
        trust: ClientTls,
        connect_to: Mapping[str, str],
        clock: Callable[[], datetime],
        observe: Observe,
        confirm: int = 2,
        timeout_s: float = 10.0,
    ) -> None:
        if confirm < 1:
            raise ValueError(f"confirm: 1 at least, not {confirm}")
        self._places = places
        self._trust = trust
        self._connect_to = connect_to
        self._clock = clock
        self._observe = observe
        self._confirm = confirm
        self._timeout = timeout_s
        self._stations: dict[str, Station] = {}

    @property
    def stations(self) -> tuple[Station, ...]:
        """Every DRIMbox that was ever looked at, in the order of the first look."""
        return tuple(self._stations.values())

    async def look(self) -> None:
        """Probe them all, side by side. Never raises for what a DRIMbox does."""
        places = self._places()
        for host, url in places.items():
            station = self._stations.setdefault(host, Station(host, url))
            station.url = url
        await asyncio.gather(*(self._probe(self._stations[host]) for host in places))

    async def watch(self, every_s: float) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(every_s)

    async def _probe(self, station: Station) -> None:
        at, began = self._clock(), perf_counter()
        alive, seen = await self._ask(station.url)
        station.glances.append(Glance(at, alive, seen, perf_counter() - began))
        station.missed = 0 if alive else station.missed + 1
        sky = Sky.CLEAR
        if not alive:
            sky = Sky.DOWN if station.missed >= self._confirm else Sky.CLOUDED
        if sky is not station.sky:
            station.sky, station.since = sky, at

    async def _ask(self, url: str) -> tuple[bool, str]:
        """Whether it lives, and what was seen, in French."""
        # A connection of its own each time: a kept one would hide a listener that is gone.
        async with HttpClient(
            actor="meteo",
            observe=self._observe,
            tls=self._trust,
            connect_to=self._connect_to,
            timeout=self._timeout,
        ) as client:
            status, method = 0, ""
            for method in ("GET", "OPTIONS"):
                try:
                    # The body is of no use, and may be endless: the status line is enough.
                    async with client.stream(
                        method,
                        url,
                        headers=(("Accept", "application/json"),),
                        transaction="meteo",
                        peer="source",
                    ) as answer:
                        status = answer.status
                except HttpFailure as failure:
                    reason = failure.tls_reason or ""
                    if any(one in reason for one in _WANTS_CERTIFICATE):
                        return True, f"{method} : certificat client exigé"
                    return False, f"{method} : {failure.reason}"
                if status not in _NOT_SERVED:
                    break
        return 200 <= status < 300, f"{method} : HTTP {status}"
