"""The exchanges that the bench has seen: chosen, named, and one of them annotated and judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.bed import Bed
from bench.feed import Seen
from bench.judge import judge_scenario
from bench.results import RecordedExchange
from bench.site import actors
from reports import redact
from reports.flow import Message, messages
from reports.sequence import tone
from reports.views import MessageView, lone
from wire.exchange import Exchange

__all__ = ["Captured", "Choice", "Listing"]

_WINDOW = 2000
"""How far back the page looks; the journal of the folder has everything."""
_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which exchanges are looked for; "" is any."""

    transaction: str = ""
    actor: str = ""
    outcome: str = ""
    """`ok`: answered yes; `no`: anything else."""
    text: str = ""
    """In names, addresses, reasons and start lines, never in bodies."""

    @classmethod
    def read(cls, asked: Mapping[str, str]) -> Choice:
        """From the query of the page."""
        return cls(
            transaction=asked.get("transaction", ""),
            actor=asked.get("acteur", ""),
            outcome=asked.get("issue", ""),
            text=asked.get("texte", "").strip(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The exchanges chosen, last first, and what there is to choose from."""

    messages: tuple[Message, ...]
    found: int
    total: int
    transactions: tuple[str, ...]
    actors: tuple[str, ...]


class Captured:
    """What a bed has recorded."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._names = actors(bed.site, bed.profile)

    def listing(self, choice: Choice) -> Listing:
        """The last exchanges of a choice."""
        every = self._messages()
        kept = [one for one in every if _chosen(one, choice)]
        return Listing(
            messages=tuple(reversed(kept[-_SHOWN:])),
            found=len(kept),
            total=self._bed.feed.mark(),
            transactions=tuple(sorted({one.name for one in every})),
            actors=tuple(sorted({end for one in every for end in (one.caller, one.callee)})),
        )

    def view(self, id: str) -> MessageView | None:
        """One exchange, annotated, with what the judges say of what a box emitted in it.

        A lone exchange knows neither its patient nor the KOS before it: only what it shows by
        itself is judged.
        """
        found = next((one for one in self._messages() if one.recorded.id == id), None)
        if found is None:
            return None
        judged = judge_scenario([(found.recorded.id, found.exchange)], self._bed.claimed, {})
        return lone(found, tuple(finding for _, finding in judged))

    def _messages(self) -> tuple[Message, ...]:
        """The last ones, each named by all of them: a connection that said its name keeps it."""
        seen = self._bed.feed.since(max(0, self._bed.feed.mark() - _WINDOW))
        return messages(map(_recorded, seen), 1, self._names)


def _recorded(one: Seen) -> RecordedExchange:
    return RecordedExchange(id=one.id, exchange=one.exchange, scenario=None, step=None, why="")


def _chosen(message: Message, choice: Choice) -> bool:
    exchange = message.exchange
    if choice.transaction and message.name != choice.transaction:
        return False
    if choice.actor and choice.actor not in (message.caller, message.callee):
        return False
    if choice.outcome and (tone(message) == "ok") != (choice.outcome == "ok"):
        return False
    return not choice.text or choice.text.lower() in " ".join(_said(message, exchange)).lower()


def _said(message: Message, exchange: Exchange) -> Iterator[str]:
    yield from (message.name, message.caller, message.callee, exchange.detail, exchange.peer)
    yield from (exchange.reason, exchange.connection)
    # What is masked when shown is not found either.
    for payload in (exchange.request, exchange.response):
        if payload is not None:
            yield redact.text(payload.start_line)
