"""What listens to a tapped connection: given its bytes as they pass, it tells exchanges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from wire.exchange import Direction, Exchange, Label, Observe, Outcome, Payload, TlsInfo, stamp

__all__ = ["Ear", "Line", "Side", "Witness"]


class Side(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    """Who opened the connection."""
    CALLED = "called"
    """Who is behind the tap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One tapped connection: its id, who calls, and the TLS session in which it calls."""

    connection: str
    caller: str
    tls: TlsInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """In whose name a tap records: the neighbour's, as its simulator would have.

    `direction` is IN for a neighbour that is called, OUT for one that calls; `peer` is who is
    opposite, by default who calls.
    """

    actor: str
    observe: Observe
    label: Label | None = None
    direction: Direction = Direction.IN
    peer: str = ""

    def tell(
        self,
        line: Line,
        *,
        protocol: str,
        outcome: Outcome,
        begun: tuple[datetime, float],
        transaction: str = "",
        reason: str = "",
        request: Payload | None = None,
        response: Payload | None = None,
    ) -> None:
        """Hand over one exchange of a connection, named by the label if there is one."""
        exchange = Exchange(
            protocol=protocol,
            actor=self.actor,
            peer=self.peer or line.caller,
            direction=self.direction,
            outcome=outcome,
            connection=line.connection,
            utc=begun[0],
            mono_start=begun[1],
            mono_end=stamp()[1],
            transaction=transaction,
            reason=reason,
            request=request,
            response=response,
            tls=line.tls,
        )
        self.observe(exchange if self.label is None else self.label(exchange))


class Ear(Protocol):
    """Follows one connection. Called from the loop; what `hear` and `ended` raise makes it deaf:
    `over` is then called at once, and nothing after."""

    def hear(self, side: Side, data: bytes) -> None:
        """Bytes that one side has sent, in order."""

    def ended(self, side: Side) -> None:
        """That side has closed its direction in good order."""

    def over(self, reason: str) -> None:
        """Nothing more will be heard; what is still open is told, for that reason."""
