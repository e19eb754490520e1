"""Who spoke to whom, in what order: recorded exchanges as numbered messages between named actors.

The journal holds what each process saw. Here one message keeps one number through the whole
report, a peer known only by its address gets the name of its certificate or of its connection,
an exchange that two processes of the bench recorded is drawn once, and long series of the same
exchange (four hundred C-STORE) are told by their ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bench.results import RecordedExchange
from reports.annotate.tls import common_name
from wire.exchange import Direction, Exchange, Outcome

__all__ = ["Group", "Message", "actor_label", "actor_rank", "condensed", "messages"]

_ACTORS = {
    "ris": "RIS",
    "pacs": "PACS",
    "source": "DRIMbox Source",
    "dmp": "DMP",
    "psc": "Pro Santé Connect",
    "ans": "ANS",
    "igc": "IGC-Santé",
    "consumer": "DRIMbox Consumer",
    "user": "Utilisateur",
}
"""Lifelines from left to right; any other actor comes after, in alphabetical order."""
_ALIASES = {"utilisateur": "user", "browser": "user", "navigateur": "user"}
_ADDRESS = re.compile(r"\[?[0-9a-fA-F.:]+\]?:\d+|localhost:\d+")
_UNNAMED = "pair non identifié"
_TOLERANCE_S = 0.05
"""The server's interval lies in that of its client, but for what stamping takes."""


@dataclass(frozen=True, slots=True)
class Message:
    """One exchange with its number in the report and its two ends."""

    number: int
    recorded: RecordedExchange
    caller: str
    callee: str
    mirror_of: int | None = None
    """Number of the message that records the same exchange from the other end."""

    @property
    def exchange(self) -> Exchange:
        """What was recorded."""
        return self.recorded.exchange

    @property
    def name(self) -> str:
        """The transaction, or the protocol when nobody named it."""
        return self.exchange.transaction or self.exchange.protocol


@dataclass(frozen=True, slots=True)
class Group:
    """Messages alike, left out between those shown before and after."""

    messages: tuple[Message, ...]

    @property
    def first(self) -> Message:
        """The one that gives the group its ends and its name."""
        return self.messages[0]


def actor_label(actor: str) -> str:
    """The name that readers know."""
    return _ACTORS.get(actor, actor)


def actor_rank(actor: str) -> tuple[int, str]:
    """Sorts lifelines always in the same order."""
    names = list(_ACTORS)
    return (names.index(actor) if actor in names else len(names), actor)


def messages(recorded: Iterable[RecordedExchange], first_number: int) -> tuple[Message, ...]:
    """The exchanges in time order, numbered from `first_number`."""
    ordered = sorted(recorded, key=lambda one: (one.exchange.mono_start, one.id))
    by_connection = {
        (one.exchange.actor, one.exchange.connection): _key(one.exchange.peer)
        for one in ordered
        if not _is_address(one.exchange.peer)
    }
    made: list[Message] = []
    for number, one in enumerate(ordered, first_number):
        exchange = one.exchange
        peer = _peer(exchange, by_connection)
        actor = _key(exchange.actor)
        ends = (peer, actor) if exchange.direction is Direction.IN else (actor, peer)
        made.append(Message(number, one, *ends))
    return tuple(_mirrored(message, made) for message in made)


def condensed(
    sequence: Sequence[Message], keep: Collection[str] = (), *, longest: int = 6
) -> tuple[Message | Group, ...]:
    """The sequence with the middle of each long series of alike messages as one `Group`.

    Exchanges whose id is in `keep` (those with findings) always stay, and so does everything that
    was not answered.
    """
    made: list[Message | Group] = []
    series: list[Message] = []
    for message in sequence:
        lone = message.recorded.id in keep or message.exchange.outcome is not Outcome.ANSWERED
        if series and (lone or _kind(message) != _kind(series[0])):
            made += _shortened(series, longest)
            series = []
        if lone:
            made.append(message)
        else:
            series.append(message)
    return (*made, *_shortened(series, longest))


def _shortened(series: list[Message], longest: int) -> list[Message | Group]:
    if len(series) <= longest:
        return list(series)
    return [*series[:2], Group(tuple(series[2:-1])), series[-1]]


def _kind(message: Message) -> tuple[object, ...]:
    exchange = message.exchange
    return (message.caller, message.callee, message.name, exchange.detail, message.recorded.step,
            message.mirror_of is None)  # fmt: skip


def _peer(exchange: Exchange, by_connection: dict[tuple[str, str], str]) -> str:
    if not _is_address(exchange.peer):
        return _key(exchange.peer)
    if known := by_connection.get((exchange.actor, exchange.connection)):
        return known
    if name := common_name(exchange.tls):
        return name
    # The port of a client says nothing; that of a server is its address.
    return _UNNAMED if exchange.direction is Direction.IN or not exchange.peer else exchange.peer


def _is_address(peer: str) -> bool:
    return not peer or _ADDRESS.fullmatch(peer) is not None


def _key(actor: str) -> str:
    lowered = actor.lower()
    known = _ALIASES.get(lowered, lowered)
    return known if known in _ACTORS else actor


def _mirrored(message: Message, made: Sequence[Message]) -> Message:
    """The same message, named from its twin when a client of the bench recorded it too."""
    mine = message.exchange
    if mine.direction is not Direction.IN or mine.request is None:
        return message
    for twin in made:
        theirs = twin.exchange
        if (
            theirs.direction is Direction.OUT
            and theirs.request is not None
            and theirs.protocol == mine.protocol
            and twin.callee == message.callee
            and theirs.mono_start - _TOLERANCE_S <= mine.mono_start
            and mine.mono_end <= theirs.mono_end + _TOLERANCE_S
            and theirs.request.sha256 == mine.request.sha256
            and _path(theirs.request.start_line) == _path(mine.request.start_line)
        ):
            return Message(
                message.number, message.recorded, twin.caller, message.callee, twin.number
            )
    return message


def _path(start_line: str) -> str:
    """Method and path of a request line, whether its target is absolute or not."""
    method, _, rest = start_line.partition(" ")
    target = rest.partition(" ")[0]
    return f"{method} {re.sub(r'^https?://[^/]*', '', target)}"
