"""Exchanges as they come: recorded, attributed and awaited, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.attribution import Attributor
from bench.journal import ShardTail, exchange_from
from wire.exchange import Exchange
from wire.shard import BlobStore, Shard

__all__ = ["Feed", "Seen"]

_TAIL_PERIOD_S = 0.02
"""How often shards of other processes are looked at while somebody waits."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A recorded exchange and the scenario it belongs to (None: ambient)."""

    id: str
    exchange: Exchange
    scenario: str | None
    why: str
    serial: int


class Feed:
    """The live journal of a bed.

    `observe` is handed to every simulator. Shards that the reference's own processes write, when
    it plays the missing half, are followed too.
    """

    def __init__(self, shard: Shard) -> None:
        self.shard = shard
        self.attributor = Attributor()
        self._seen: list[Seen] = []
        self._changed = threading.Condition()
        self._tails: dict[Path, ShardTail] = {}
        self._blobs = BlobStore(shard.run / "blobs")
        self._follow: tuple[str, ...] = ()
        self._earlier = frozenset((shard.run / "journal").glob("*.ndjson"))
        """Of goes that are over, and of ours, which is not read back."""

    def follow(self, *names: str) -> None:
        """Also read the shards of these names, `role-pid`, and what begins there from now on."""
        self._follow = (*self._follow, *names)

    def observe(self, exchange: Exchange) -> None:
        """Record, attribute, wake who waits."""
        event_id = self.shard.record(exchange)
        self._append(event_id, exchange)

    def mark(self) -> int:
        """A position: what comes after it is new."""
        self._read_tails()
        with self._changed:
            return len(self._seen)

    def since(self, mark: int = 0, *, scenario: str | None = None) -> list[Seen]:
        """What has come since a mark, of one scenario when named."""
        self._read_tails()
        with self._changed:
            return [s for s in self._seen[mark:] if scenario is None or s.scenario == scenario]

    def wait(
        self,
        matches: Callable[[Seen], bool],
        *,
        count: int = 1,
        since: int = 0,
        deadline_s: float,
    ) -> list[Seen]:
        """The exchanges that match, as soon as there are `count`, else those at the deadline."""
        limit = time.monotonic() + deadline_s
        while True:
            self._read_tails()
            with self._changed:
                found = [seen for seen in self._seen[since:] if matches(seen)]
                left = limit - time.monotonic()
                if len(found) >= count or left <= 0:
                    return found
                self._changed.wait(min(left, _TAIL_PERIOD_S) if self._follow else left)

    def _append(self, event_id: str, exchange: Exchange) -> None:
        with self._changed:
            scenario, why = self.attributor.attribute(exchange)
            self._seen.append(Seen(event_id, exchange, scenario, why, len(self._seen)))
            self._changed.notify_all()

    def _read_tails(self) -> None:
        for name in self._follow:
            for path in (self.shard.run / "journal").glob(f"{name}*.ndjson"):
                if path in self._earlier or not f"{path.stem}-".startswith(f"{name}-"):
                    continue
                with self._changed:
                    tail = self._tails.setdefault(path, ShardTail(path))
                    events = tail.read()
                for event in events:
                    if event.type == "exchange":
                        self._append(event.id, exchange_from(event.fields, self._blobs))
