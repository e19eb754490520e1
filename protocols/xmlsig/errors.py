"""Why a signature is refused: one exception, one kind per reason."""

from __future__ import annotations

from enum import StrEnum

from protocols.errors import RemoteProtocolError

__all__ = ["SignatureError", "SignatureFault"]


class SignatureFault(StrEnum):
    """The step of the verification that failed."""

    MALFORMED = "malformed"
    """Not the structure of a signature, or not exactly one where one is demanded."""
    ALGORITHM = "algorithm"
    """An algorithm, key or transform outside the allow-list."""
    UNSUPPORTED = "unsupported"
    """A known format that this verifier does not read."""
    REFERENCE = "reference"
    """What is signed is not what must be."""
    DIGEST = "digest"
    """The content changed after signing."""
    VALUE = "value"
    """The signature value fits none of the certificates."""
    CERTIFICATE = "certificate"
    """No readable certificate, or not the one that the signed properties name."""


class SignatureError(RemoteProtocolError):
    """A signature that does not hold. `kind` says at which step."""

    def __init__(
        self,
        kind: SignatureFault,
        message: str,
        *,
        where: str = "",
        span: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message, where=where, span=span)
        self.kind = kind
