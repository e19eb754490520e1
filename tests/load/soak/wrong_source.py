"""A Source that acknowledges before the disk: messages are kept in memory until it has time.

No scenario of a campaign kills a Source, so this one is in no catalogue: only a soak can tell it
from the right one. `python wrong_source.py --config F.toml --ready F.json` starts it.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from drimbox_ref import source
from drimbox_ref.source.config import load
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Inbox
from drimbox_ref.source.values import InboxItem
from mutants.source.passing import PassingInbox

_ROUNDS = 8


class InMemory(PassingInbox):
    """An `Inbox` that writes what came when work is looked for, and only some times later: a kill
    that falls between is not rare, however quick the machine."""

    def __init__(self, inner: Inbox) -> None:
        super().__init__(inner)
        self._lock = threading.Lock()
        self._come: list[tuple[str, bytes, datetime]] = []
        self._seen: deque[list[tuple[str, bytes, datetime]]] = deque([] for _ in range(_ROUNDS))

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        with self._lock:
            self._come.append((control_id, raw, now))
        return True

    def due(self, now: datetime) -> tuple[InboxItem, ...]:
        with self._lock:
            self._seen.append(self._come)
            written, self._come = self._seen.popleft(), []
        for control_id, raw, received in written:
            super().put(control_id, raw, now=received)
        return super().due(now)


def _wrong(parts: Parts) -> Parts:
    return replace(parts, inbox=InMemory(parts.inbox))


if __name__ == "__main__":
    _, _, config, _, ready = sys.argv
    sys.exit(source.run(load(Path(config)), Path(ready), _wrong))
