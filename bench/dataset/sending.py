"""Messages of a set sent to a Source, one after the other, each exchange kept in a journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.dataset.homologation import Message
from bench.errors import BenchError
from protocols.errors import LocalProtocolError, RemoteProtocolError
from simulators.ris.service import Ack, Ris
from wire.exchange import Exchange, Observe
from wire.mllp import MllpTimeout
from wire.shard import Shard

__all__ = ["Delivery", "deliver", "journal", "without_twins"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came back for one message: an acknowledgement, or why there is none."""

    name: str
    ack: Ack | None = None
    silence: str = ""


@contextmanager
def journal(folder: Path) -> Iterator[Observe]:
    """What records exchanges in `folder`, as in a campaign's (docs/reference/journal.md).

    Raises:
        BenchError: it cannot be written.
    """
    try:
        shard = Shard(folder, "donnees")
    except OSError as error:
        raise BenchError(f"{error.filename} : ne peut pas être écrit ({error.strerror})") from None

    def observe(exchange: Exchange) -> None:
        shard.record(exchange)

    try:
        yield observe
    finally:
        shard.close()


def without_twins(messages: Sequence[Message], form: str) -> tuple[Message, ...]:
    """The messages, but those whose twin in the wanted form carries the same report.

    A creator sends ORU or MDM, never both (CI-SIS, acteurs-transactions, grade: standard).
    """
    wanted = {one.carried for one in messages if one.form == form and one.carried}
    return tuple(one for one in messages if one.form == form or one.carried not in wanted)


def deliver(
    messages: Iterable[tuple[str, bytes]],
    to: tuple[str, int],
    observe: Observe,
    *,
    timeout: float,
    told: Callable[[Delivery], None],
) -> tuple[Delivery, ...]:
    """Send named messages by MLLP, each on a connection of its own, in order; tell each outcome."""
    ris = Ris(observe=observe, clock=lambda: datetime.now(UTC), ids=str)
    found = []
    for name, data in messages:
        try:
            outcome = Delivery(name, asyncio.run(ris.send(data, to, timeout)))
        except (MllpTimeout, ConnectionError, RemoteProtocolError, LocalProtocolError) as error:
            outcome = Delivery(name, silence=str(error) or type(error).__name__)
        told(outcome)
        found.append(outcome)
    return tuple(found)
