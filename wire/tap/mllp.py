"""MLLP as it passes: each message with the acknowledgement that came after it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime

from protocols.mllp import Decoder, MllpJunk
from wire.exchange import Outcome, Payload, stamp
from wire.mllp_notes import Notes
from wire.tap.ear import Line, Side, Witness

__all__ = ["MllpEar"]


class MllpEar:
    """Follows one connection on which the caller sends and the called acknowledges, in order."""

    def __init__(self, line: Line, witness: Witness) -> None:
        self._line = line
        self._witness = witness
        self._decoders = {side: Decoder() for side in Side}
        self._notes = {side: Notes() for side in Side}
        self._begun = stamp()
        self._open: deque[tuple[Payload, tuple[datetime, float]]] = deque()

    def hear(self, side: Side, data: bytes) -> None:
        """Bytes of one side.

        Raises:
            MllpTooLarge: a block that never ends.
        """
        decoder = self._decoders[side]
        if side is Side.CALLER and not decoder.in_block:
            self._begun = stamp()
        for event in decoder.feed(data):
            if isinstance(event, MllpJunk):
                self._notes[side].add(event)
            elif side is Side.CALLER:
                payload = Payload.whole(event, head=self._notes[side].take())
                self._open.append((payload, self._begun))
                self._begun = stamp()
            elif self._open:
                answer = Payload.whole(event, head=self._notes[side].take())
                self._tell(*self._open.popleft(), answer, Outcome.ANSWERED, "")
            else:
                self._notes[side].add_extra(event)

    def ended(self, side: Side) -> None:
        """Messages end by themselves."""

    def over(self, reason: str) -> None:
        """Messages that nobody acknowledged, and the block that was being sent."""
        for payload, begun in self._open:
            why = f"aucun acquittement : {reason}"
            self._tell(payload, begun, None, Outcome.ABORTED, why)
        self._open.clear()
        decoder, notes = self._decoders[Side.CALLER], self._notes[Side.CALLER]
        if decoder.in_block or notes.worth_telling:
            rest = Payload.whole(decoder.pending, head=notes.take())
            self._tell(replace(rest, truncated=True), self._begun, None, Outcome.ABORTED, reason)

    def _tell(
        self,
        request: Payload,
        begun: tuple[datetime, float],
        response: Payload | None,
        outcome: Outcome,
        reason: str,
    ) -> None:
        self._witness.tell(
            self._line,
            protocol="MLLP",
            outcome=outcome,
            begun=begun,
            reason=reason,
            request=request,
            response=response,
        )
