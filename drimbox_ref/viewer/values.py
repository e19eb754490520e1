"""What decoding gives, and what it says when it cannot."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Frame", "NotDisplayable"]


class NotDisplayable(Exception):
    """An instance that this viewer cannot show. French, for the user."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Decoded pixels, row after row, little endian; colours are red, green, blue bytes."""

    type: str
    """`uint8`, `uint16`, `int16` (one sample) or `rgb`."""
    data: memoryview
