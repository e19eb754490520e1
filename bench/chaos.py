"""A tap between anything and any service, and its journal: `drimbench tap` held for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from spec.networks import NamedNetwork
from wire.exchange import Exchange
from wire.shard import Shard
from wire.tap import (
    DimseEar,
    Ear,
    HttpEar,
    Line,
    Link,
    MllpEar,
    Network,
    SealedEar,
    Shape,
    Tap,
    Witness,
    open_tap,
)

__all__ = ["EARS", "shape_of", "tapped"]

EARS: dict[str, Callable[[Line, Witness], Ear]] = {
    "octets": SealedEar,
    "http": HttpEar,
    "mllp": MllpEar,
    "dimse": DimseEar,
}
"""What listens, by name: bytes that nobody reads (TLS, or anything), or a protocol in clear."""


def shape_of(named: NamedNetwork) -> Shape:
    """What a named network costs."""
    return Shape(
        latency_s=named.rtt_ms / 2000,
        up_bps=round(named.up_mbps * 1e6),
        down_bps=round(named.down_mbps * 1e6),
    )


@contextmanager
def tapped(
    listen: tuple[str, int],
    towards: tuple[str, int],
    ear: str,
    network: Network,
    journal: Path,
    told: Callable[[Exchange], None],
    noted: Callable[[str], None] = lambda what: None,
) -> Iterator[tuple[Tap, Callable[[Network], None]]]:
    """The tap, and how to change its network while it runs; what passes is recorded.

    Args:
        journal: folder of the run. `told` receives each exchange, `noted` what was broken on
            purpose, once they are recorded (events `exchange` and `network`).

    Raises:
        OSError: the address cannot be bound, or the folder written.
    """
    shard = Shard(journal, "tap")

    def note(what: str) -> None:
        shard.write("network", what=what)
        noted(what)

    link = Link(network, noted=note)

    def observe(exchange: Exchange) -> None:
        shard.observe(exchange)
        told(exchange)

    def change(to: Network) -> None:
        link.network = to

    witness = Witness(actor="voisin", observe=observe)
    try:
        with start_blocking_portal("asyncio") as portal:

            async def start() -> Tap:
                return await open_tap(
                    EARS[ear],
                    witness,
                    towards,
                    host=listen[0],
                    port=listen[1],
                    passage=link.passage,
                    reading=link.reading,
                )

            tap = portal.call(start)
            try:
                yield tap, lambda to: portal.call(change, to)
            finally:
                portal.call(tap.stop)
    finally:
        shard.close()
