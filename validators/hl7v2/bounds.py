"""How much structure a message may have: rules read it piece by piece, and more than once."""

from __future__ import annotations

from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import Message

__all__ = ["REPETITIONS", "SEGMENTS", "require_bounded"]

SEGMENTS = 1_000
"""A report has about twenty. Naming the place of a finding costs as much as there are segments."""
REPETITIONS = 10_000
"""Of all fields together. Long values are no trouble: a report of 100 MB is read."""


def require_bounded(message: Message) -> None:
    """Refuse what could only be meant to exhaust its reader.

    Raises:
        RemoteProtocolError: too many segments or repetitions, with the span of the message.
    """
    span = (0, len(message.raw))
    if len(message.segments) > SEGMENTS:
        raise RemoteProtocolError(f"message démesuré : plus de {SEGMENTS} segments", span=span)
    if message.raw.count(message.delimiters.repetition) > REPETITIONS:
        raise RemoteProtocolError(
            f"message démesuré : plus de {REPETITIONS} répétitions", span=span
        )
