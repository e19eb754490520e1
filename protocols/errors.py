"""Whose fault it is when bytes do not follow the syntax: ours, or theirs.

The distinction is h11's. A `LocalProtocolError` is a bug or a misuse on our side (the bench's
fault: verdict `error`); a `RemoteProtocolError` is what the peer sent (the box's fault: `fail`).
"""

from __future__ import annotations

__all__ = ["LocalProtocolError", "ProtocolError", "RemoteProtocolError"]


class ProtocolError(Exception):
    """Bytes and syntax disagree."""


class LocalProtocolError(ProtocolError):
    """We tried to write something that the syntax does not allow."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the syntax does not allow.

    Attributes:
        where: path in the artefact (`PID-3[1].4`, an XPath, a header name), or "".
        span: first and past-the-end byte offsets in the artefact, or None.
    """

    def __init__(
        self, message: str, *, where: str = "", span: tuple[int, int] | None = None
    ) -> None:
        super().__init__(message)
        self.where = where
        self.span = span
