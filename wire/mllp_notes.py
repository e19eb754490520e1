"""What MLLP's server and client share: what the framing had of its own, and why a link broke."""

from __future__ import annotations

import ssl

from protocols.mllp import MllpJunk
from wire.tls import failure_reason

__all__ = ["Notes", "reason_of"]

_NOTES = 20
"""Junk notes kept for one message: a peer that sends only junk must not fill our memory."""


class Notes:
    """What the framing around the next message had of its own."""

    def __init__(self) -> None:
        self._head: list[tuple[str, str]] = []
        self.worth_telling = False

    def add(self, junk: MllpJunk) -> None:
        """Note bytes that belong to no block."""
        self.worth_telling = self.worth_telling or not junk.blank
        name = "mllp-unterminated" if junk.unterminated else "mllp-junk"
        self._note(name, junk.data, junk.size)

    def add_extra(self, block: bytes) -> None:
        """Note a block that nobody asked for."""
        self._note("mllp-extra", block, len(block))

    def take(self) -> tuple[tuple[str, str], ...]:
        """The notes so far, as pairs for a payload's head; the next message starts afresh."""
        head, self._head, self.worth_telling = tuple(self._head), [], False
        return head

    def _note(self, name: str, data: bytes, size: int) -> None:
        if len(self._head) < _NOTES:
            self._head.append((name, f"{size} octets : {data[:32].hex(' ')}"))


def reason_of(error: BaseException) -> str:
    """OpenSSL's reason for a refusal, else what the error says of itself."""
    if isinstance(error, ssl.SSLError):
        return failure_reason(error)
    return str(error) or type(error).__name__
