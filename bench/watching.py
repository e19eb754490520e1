"""Which DRIMboxes the agency's weather of services looks at, and how it reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from bench.bed import Bed
from simulators.ans import Weather
from wire.tls import ClientTls

__all__ = ["weather_of", "watched"]

_ROOT = "/drimbox/rs"


def weather_of(bed: Bed) -> Weather:
    """The product's Source when the profile claims one, and the neighbouring Source.

    The list names more: a Consumer has no service that lives, and the healthy Source of a campaign
    runs in campaigns only.
    """

    def places() -> Mapping[str, str]:
        names = bed.site.names
        hosts = [names.source] if bed.profile.claims.source else []
        hosts.append(names.neighbour)
        return {host: f"https://{host}{_ROOT}" for host in hosts}

    return Weather(
        places,
        trust=ClientTls(bed.papers.server_trust),
        connect_to=bed.connect_to,
        clock=bed.clock,
        observe=bed.observe,
    )


@contextmanager
def watched(bed: Bed, weather: Weather, every_s: float) -> Iterator[None]:
    """The agency looks now and every so many seconds, in the bed's loop, until the caller is done.

    With 0 seconds it never looks.
    """
    if not every_s:
        yield
        return

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(weather.watch(every_s))

    async def end() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    task = bed.call(begin)
    try:
        yield
    finally:
        bed.call(end)
