"""Who spoke to whom, in what order: recorded exchanges as numbered messages between named actors.

The journal holds what each process saw. Here one message keeps one number through the whole
report, a peer known only by its address gets the name of its certificate or of its connection,
an exchange that two processes of the bench recorded is drawn once, and long series of the same
exchange (four hundred C-STORE) are told by their ends.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.results import RecordedExchange
from bench.site import REAL
from reports.annotate.tls import common_name
from wire.exchange import Direction, Exchange, Outcome

__all__ = ["Group", "Message", "actor_label", "actor_rank", "condensed", "messages"]

_ACTORS = {
    "ris": "RIS",
    "pacs": "PACS",
    "source": "DRIMbox Source",
    "counterpart": "DRIMbox en face",
    "dmp": "DMP",
    "psc": "Pro Santé Connect",
    "ans": "ANS",
    "igc": "IGC-Santé",
    "pair": "DRIMbox du réseau",
    "voisin": "DRIMbox voisine",
    "consumer": "DRIMbox Consumer",
    "pacs-local": "PACS local",
    "user": "Utilisateur",
    "dns": "DNS du banc",
}
"""Lifelines from left to right; any other actor comes after, in alphabetical order."""
_HINTS = (
    (re.compile(r"navigateur|browser|utilisateur", re.I), "user"),
    (re.compile(r"consumer|consommateur", re.I), "consumer"),
    (re.compile(r"source|^drimbox$", re.I), "source"),
    (re.compile(r"pacs$", re.I), "pacs"),
)
"""What AE titles, client ids and host names of the field say of their owner."""
_ROLES = {
    ("dmp", "ITI-41"): "source",
    ("dmp", "ITI-57"): "source",
    ("dmp", "TD3.1b"): "source",
    ("dmp", "TD0.2"): "consumer",
    ("dmp", "TD3.1a"): "consumer",
    ("dmp", "ITI-43"): "consumer",
    ("psc", "introspection"): "source",
    ("psc", "PSC-token"): "consumer",
    ("psc", "PSC-refresh"): "consumer",
    ("user", "appel-contextuel"): "consumer",
    ("user", "consumer-page"): "consumer",
}
"""Who plays a transaction towards whom, for a peer that nothing else names."""
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
    """The name that readers know; a real neighbour's says that it is one."""
    played, real, _ = actor.partition(REAL)
    return _ACTORS.get(played, played) + real


def actor_rank(actor: str) -> tuple[int, str]:
    """Sorts lifelines always in the same order."""
    names, played = list(_ACTORS), actor.partition(REAL)[0]
    return (names.index(played) if played in names else len(names), actor)


def messages(
    recorded: Iterable[RecordedExchange],
    first_number: int,
    aliases: Mapping[str, str] | None = None,
) -> tuple[Message, ...]:
    """The exchanges in time order, numbered from `first_number`.

    `aliases` maps what a peer is called on the wire (AE title, client id, host, common name) to
    the actor that it is.
    """
    ordered = sorted(recorded, key=lambda one: (one.exchange.mono_start, one.id))
    names = {name.lower(): actor for name, actor in (aliases or {}).items()}
    by_connection = {
        (one.exchange.actor, one.exchange.connection): _key(_said(one.exchange), names)
        for one in ordered
        if not _is_address(one.exchange.peer)
    }
    made: list[Message] = []
    for number, one in enumerate(ordered, first_number):
        exchange = one.exchange
        peer = _peer(exchange, by_connection, names)
        actor = _key(exchange.actor, names)
        ends = (peer, actor) if exchange.direction is Direction.IN else (actor, peer)
        made.append(Message(number, one, *ends))
    return tuple(_joined(made))


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


def _peer(
    exchange: Exchange, by_connection: Mapping[tuple[str, str], str], names: Mapping[str, str]
) -> str:
    if not _is_address(exchange.peer):
        return _key(_said(exchange), names)
    if known := by_connection.get((exchange.actor, exchange.connection)):
        return known
    shown = common_name(exchange.tls)
    if shown.lower() in names:
        return names[shown.lower()]
    for played in (exchange.detail, exchange.transaction):
        if role := _ROLES.get((exchange.actor, played)):
            return role
    if shown:
        return _key(shown, names)
    # The port of a client says nothing; that of a server is its address.
    return _UNNAMED if exchange.direction is Direction.IN or not exchange.peer else exchange.peer


def _said(exchange: Exchange) -> str:
    """The name of the peer; for an association that we open, the AE that it calls."""
    if exchange.protocol == "DIMSE" and exchange.direction is Direction.OUT and exchange.request:
        calling = exchange.request.header("CallingAETitle")
        called = exchange.request.header("CalledAETitle")
        if called and exchange.peer == calling:
            return called
    return exchange.peer


def _is_address(peer: str) -> bool:
    return not peer or _ADDRESS.fullmatch(peer) is not None


def _key(name: str, names: Mapping[str, str]) -> str:
    """The actor behind a name: told, known, or hinted; else the name itself."""
    lowered = name.lower()
    if lowered in names:
        return names[lowered]
    for candidate in (lowered, lowered.partition(".")[0]):
        if candidate in _ACTORS:
            return candidate
    return next((actor for hint, actor in _HINTS if hint.search(name)), name)


def _joined(made: Sequence[Message]) -> list[Message]:
    """The messages, each server's record of what a client of the bench sent tied to the client's.

    Either record may know an end that the other does not.
    """
    sent: dict[tuple[object, ...], list[int]] = {}
    for index, message in enumerate(made):
        if message.exchange.direction is Direction.OUT and message.exchange.request:
            sent.setdefault(_content(message.exchange), []).append(index)
    joined = list(made)
    for index, message in enumerate(made):
        if message.exchange.direction is Direction.OUT or not message.exchange.request:
            continue
        for twin in sent.get(_content(message.exchange), ()):
            client = joined[twin]
            if _within(message.exchange, client.exchange) and (
                client.callee == message.callee or client.callee not in _ACTORS
            ):
                joined[twin] = replace(client, callee=message.callee)
                joined[index] = replace(message, caller=client.caller, mirror_of=client.number)
                break
    return joined


def _content(exchange: Exchange) -> tuple[object, ...]:
    """What both ends see alike of a request."""
    request = exchange.request
    if request is None:
        return ()
    host = (request.header("Host") or "").lower()
    return (exchange.protocol, request.sha256, _path(request.start_line), host)


def _within(served: Exchange, called: Exchange) -> bool:
    return (
        called.mono_start - _TOLERANCE_S <= served.mono_start
        and served.mono_end <= called.mono_end + _TOLERANCE_S
    )


def _path(start_line: str) -> str:
    """Method and path of a request line, whether its target is absolute or not."""
    method, _, rest = start_line.partition(" ")
    target = rest.partition(" ")[0]
    return f"{method} {re.sub(r'^https?://[^/]*', '', target)}"
