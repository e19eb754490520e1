"""The circuit breaker: a box that no longer answers is not driven any more.

Scenarios that a dead box would each let run into their deadlines say nothing of the product. A box
whose process has ended, or that left several scenarios in a row without any answer and then gives
no sign of life, is lost: what is left to play of it is `skip`, for one reason. A connection that
is closed, a refused handshake, a message without acknowledgement are answers to be judged: they
lose nobody.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from bench.process import ChildBox
from spec.hl7v2 import REPORT_MESSAGES
from wire.exchange import Direction, Exchange, Outcome

__all__ = ["Breaker", "Driven", "silence"]

_ASKED: Mapping[str, frozenset[str]] = {
    "source": frozenset({*REPORT_MESSAGES, "WADO-RS", "capabilities"}),
    "consumer": frozenset({"appel-contextuel", "consumer-page"}),
}
"""Role -> what the bench sends to that box."""
_DOORS: Mapping[str, tuple[tuple[str, bool], ...]] = {
    "source": (("mllp", False), ("mllps", True), ("wado", True)),
    "consumer": (("web", True),),
}
"""Role -> its addresses that the bench connects to, and whether TLS is spoken there."""
_NAMES: Mapping[str, str] = {"source": "la Source", "consumer": "la Consommatrice"}


class Driven(Protocol):
    """What the breaker knows of a bed."""

    @property
    def source(self) -> Mapping[str, str]:
        """Addresses of the Source under test, by name."""

    @property
    def consumer(self) -> Mapping[str, str]:
        """Addresses of the Consumer under test, by name."""

    @property
    def counterpart(self) -> Mapping[str, str]:
        """Addresses of the Source that the Consumer calls: those of `source`, or others."""

    @property
    def boxes(self) -> Mapping[str, ChildBox]:
        """The boxes that the bench started, by role."""


@dataclass(slots=True)
class Breaker:
    """Listens to each scenario's end. `lost` holds the reason for each role that is gone.

    Args:
        after: how many scenarios in a row without any answer lead to a probe; 0: none ever does.
        deadline_s: how long a sign of life is waited for.
    """

    after: int
    deadline_s: float
    lost: dict[str, str] = field(default_factory=dict)
    _silent: dict[str, list[str]] = field(default_factory=dict)
    """Role -> the scenarios in a row that had no answer."""

    def concluded(
        self, scenario: str, roles: Iterable[str], exchanges: Iterable[Exchange], bed: Driven
    ) -> list[str]:
        """A scenario is over, with everything that was exchanged meanwhile; roles just lost."""
        seen = list(exchanges)
        gone = []
        for role in sorted(set(roles) - set(self.lost)):
            self._count(role, scenario, seen)
            if reason := self._reason(role, scenario, bed):
                self.lost[role] = reason
                gone.append(role)
        return gone

    def stops(self, roles: Iterable[str], bed: Driven) -> str:
        """Why a scenario of these roles is not played, "" when it is.

        A Consumer has nobody to call where the only Source is the one that is lost.
        """
        needed = set(roles)
        if "consumer" in needed and bed.counterpart is bed.source:
            needed.add("source")
        return next((self.lost[role] for role in sorted(needed) if role in self.lost), "")

    def _count(self, role: str, scenario: str, seen: Iterable[Exchange]) -> None:
        asked = [
            exchange.outcome
            for exchange in seen
            if exchange.direction is Direction.OUT and exchange.transaction in _ASKED[role]
        ]
        if Outcome.ANSWERED in asked:
            self._silent.pop(role, None)
        elif asked:
            self._silent.setdefault(role, []).append(scenario)

    def _reason(self, role: str, scenario: str, bed: Driven) -> str:
        addresses = bed.source if role == "source" else bed.consumer
        silent = self._silent.get(role, [])
        first = silent[0] if silent else scenario
        box = bed.boxes.get(role)
        if box is not None and (code := box.ended()) is not None:
            where = ", ".join(addresses[name] for name, _ in _DOORS[role] if addresses.get(name))
            return _told(role, where, first, f"son processus s'est arrêté (code {code})")
        if not self.after or len(silent) < self.after:
            return ""
        for name, tls in _DOORS[role]:
            address = addresses.get(name, "")
            if address and (why := silence(address, tls=tls, deadline_s=self.deadline_s)):
                return _told(role, address, first, why)
        del self._silent[role]  # it lives: what it does not answer is judged
        return ""


def silence(address: str, *, tls: bool, deadline_s: float) -> str:
    """Why nobody lives at `address:port`, "" when somebody does.

    A process that is stopped still has its connections accepted, by the system: where TLS is
    spoken, some answer to a ClientHello is waited for, be it an alert or the end of the
    connection.
    """
    host, _, port = address.rpartition(":")
    try:
        with closing(
            socket.create_connection((host.strip("[]"), int(port)), deadline_s)
        ) as connection:
            if tls:
                _greet(connection)
    except ConnectionRefusedError:
        return "connexion refusée"
    except TimeoutError:
        return f"aucune réponse en {deadline_s:g} s"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _greet(connection: socket.socket) -> None:
    """Begin a handshake; returns when the peer said anything, or hung up."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: who answers is not the question
    try:
        context.wrap_socket(connection).close()
    except TimeoutError:
        raise
    except (ssl.SSLError, ConnectionError):
        return


def _told(role: str, where: str, scenario: str, why: str) -> str:
    return f"{_NAMES[role]} ({where}) ne répond plus depuis {scenario} : {why}"
