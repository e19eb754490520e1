"""A Source that acknowledges before the disk: messages are kept in memory until it has time.

No scenario of a campaign kills a Source, so this one is in no catalogue: only a soak can tell it
from the right one. `python wrong_source.py --config F.toml --ready F.json` starts it.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from drimbox_ref import source
from drimbox_ref.source.config import load
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Inbox
from drimbox_ref.source.values import InboxItem
from mutants.source.passing import PassingInbox

_KEPT = 4
_LATE = timedelta(seconds=8)


@dataclass(slots=True)
class _Come:
    """A message that was acknowledged."""

    control_id: str
    raw: bytes
    received: datetime


class InMemory(PassingInbox):
    """An `Inbox` whose last messages are on no disk: each is written once a few more came, or some
    seconds later. However quick or slow the machine, a kill falls on some of them."""

    def __init__(self, inner: Inbox) -> None:
        super().__init__(inner)
        self._lock = threading.Lock()
        self._come: list[_Come] = []

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        with self._lock:
            self._come.append(_Come(control_id, raw, now))
        return True

    def due(self, now: datetime) -> tuple[InboxItem, ...]:
        with self._lock:
            older = len(self._come) - _KEPT
            late = [
                one
                for place, one in enumerate(self._come)
                if place < older or now - one.received > _LATE
            ]
            self._come = [one for one in self._come if one not in late]
        for one in late:
            super().put(one.control_id, one.raw, now=one.received)
        return super().due(now)


def _wrong(parts: Parts) -> Parts:
    return replace(parts, inbox=InMemory(parts.inbox))


if __name__ == "__main__":
    _, _, config, _, ready = sys.argv
    sys.exit(source.run(load(Path(config)), Path(ready), _wrong))
