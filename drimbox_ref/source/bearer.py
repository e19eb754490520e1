"""The token that a request shows (RFC 6750 2.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drimbox_ref.source.values import Denied

__all__ = ["AuthorizationHeader"]

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)")
"""The scheme is case-insensitive (RFC 9110 11.1)."""
_LIMIT = 8192


class AuthorizationHeader:
    """A `Bearer` that reads one Authorization header, and no other place."""

    def read(self, authorization: Sequence[str]) -> str | Denied:
        """The token, or why there is none.

        Who shows nothing, or shows something of another scheme, is told of no error; who writes a
        `Bearer` that cannot be read made a wrong request (RFC 6750 3 and 3.1).
        """
        if not authorization or (len(authorization) == 1 and not _is_bearer(authorization[0])):
            return Denied(status=401, error="", message="Jeton Pro Santé Connect exigé.")
        match = _BEARER.fullmatch(authorization[0].strip()) if len(authorization) == 1 else None
        if match is None or len(match[1]) > _LIMIT:
            return Denied(
                status=400,
                error="invalid_request",
                message="En-tête Authorization illisible : « Bearer <jeton> » attendu, "
                "une seule fois.",
            )
        return match[1]


def _is_bearer(value: str) -> bool:
    return value.strip()[:6].lower() == "bearer"
