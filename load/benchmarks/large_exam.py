"""Publishing the KOS of an exam of 10,000 instances: what the Source adds to the PACS's own answer.

The Source's own parts do it in this process, each call timed, among the simulators of a campaign:
the C-FIND on one side, all that follows it on the other (KOS built, lot described and signed, kept
on disk, sent to the DMP, confirmed, archived).
"""

from __future__ import annotations

import asyncio
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.compose import build_parts
from drimbox_ref.source.config import load
from drimbox_ref.source.delivery import Delivery
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.publication import Publication
from load.benchmarks.measure import Measure
from load.benchmarks.workbench import Workbench, workbench

__all__ = ["INSTANCES", "LIMIT", "NAME", "LargeExamError", "run"]

NAME = "large_exam"
INSTANCES = 10_000
LIMIT = 1.0
"""All that follows the C-FIND, over the C-FIND: it must not be what takes time."""
_ROUNDS = 1

_SHOWN = {
    "kos": "KOS écrit",
    "metadata": "lot décrit et signé",
    "outbox": "lot gardé sur disque",
    "registry": "lot envoyé au DMP",
    "archive": "KOS archivé",
}
"""Parts that are shown on their own."""


class LargeExamError(Exception):
    """It was not published: its time would mean nothing."""


def run(*, instances: int = INSTANCES, rounds: int = _ROUNDS) -> list[Measure]:
    """Publish an exam of that many instances several times, by a box of its own each time.

    Raises:
        LargeExamError: it was not published.
    """
    with workbench() as bench:
        taken = [_publish(bench, instances, number) for number in range(rounds)]
    return [
        _measure("tout ce qui suit", instances, taken, "rest", LIMIT),
        *(_measure(label, instances, taken, part, None) for part, label in _SHOWN.items()),
    ]


def _publish(bench: Workbench, instances: int, number: int) -> dict[str, float]:
    """Seconds by part, `find` for the C-FIND and `rest` for all but it."""
    message = bench.message(instances, f"BENCH-{instances}-{number}")
    config = load(bench.bed.boxes["source"].config)
    state = Path(bench.bed.directory) / f"large-{number}"
    state.mkdir()
    foundation, parts = build_parts(replace(config, box=replace(config.box, state=state, seed=0)))
    spent: dict[str, float] = dict.fromkeys(("examinations", *_SHOWN), 0.0)
    timed = replace(
        parts,
        **{name: _Timed(getattr(parts, name), name, spent) for name in ("examinations", *_SHOWN)},
    )
    whole = asyncio.run(_work(timed, message, foundation.close))
    spent["find"] = spent.pop("examinations")
    spent["rest"] = whole - spent["find"]
    return spent


async def _work(
    parts: Parts, message: bytes, close: tuple[Callable[[], Awaitable[None]], ...]
) -> float:
    backoff = Backoff(1.0, 1.0)
    publication = Publication(parts, backoff=backoff, exam_retry_s=())
    delivery = Delivery(parts, backoff=backoff, ask_entry_uuid=True)
    try:
        parts.inbox.put("BENCH", message, now=parts.clock.now())
        begun = time.perf_counter()
        await publication.step()
        await delivery.step()
        whole = time.perf_counter() - begun
        if not parts.archive.everything(1):
            alerts = [alert["message"] for alert in parts.alerts.everything(1)]
            raise LargeExamError(f"KOS non publié : {alerts or parts.outbox.everything(1)}")
        return whole
    finally:
        for one in close:
            await one()


class _Timed:
    """A part whose calls add up to a number of seconds."""

    def __init__(self, inner: object, name: str, spent: dict[str, float]) -> None:
        self._inner, self._name, self._spent = inner, name, spent

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def call_later(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return await method(*arguments, **named)
            finally:
                self._spent[self._name] += time.perf_counter() - begun

        def call(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments, **named)
            finally:
                self._spent[self._name] += time.perf_counter() - begun

        return call_later if inspect.iscoroutinefunction(method) else call


def _measure(
    what: str,
    instances: int,
    taken: list[dict[str, float]],
    part: str,
    limit: float | None,
) -> Measure:
    return Measure(
        benchmark=NAME,
        name=f"examen de {instances} instances, {what}",
        peer_name="son C-FIND",
        ours=statistics.median(one[part] for one in taken) * 1e3,
        peer=statistics.median(one["find"] for one in taken) * 1e3,
        ratio=statistics.median(one[part] / one["find"] for one in taken),
        quiet_ratio=min(one[part] for one in taken) / min(one["find"] for one in taken),
        limit=limit,
        unit="ms",
        runs=len(taken),
    )
