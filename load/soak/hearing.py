"""What a soak hears of the world: counts of exchanges, and whoever must act on one of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from bench.feed import Feed
from wire.exchange import Exchange
from wire.shard import Shard

__all__ = ["Ear"]


class Ear(Feed):
    """A feed that remembers no exchange: thousands of reports would not fit in memory.

    `kept` writes them to the shard. `told` hears each of them, in the thread that made it.
    """

    def __init__(self, shard: Shard, *, kept: bool) -> None:
        super().__init__(shard)
        self._kept = kept
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        """Transaction -> exchanges."""
        self.told: Callable[[Exchange], None] = lambda _: None

    def observe(self, exchange: Exchange) -> None:
        """Count it, keep it when all is kept, and tell of it."""
        if self._kept:
            self.shard.record(exchange)
        with self._lock:
            self.counts[exchange.transaction] += 1
        self.told(exchange)
