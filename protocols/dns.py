"""DNS messages (RFC 1035), read by dnspython, what it cannot read told in one way."""

from __future__ import annotations

import dns.exception
import dns.message

from protocols.errors import RemoteProtocolError

__all__ = ["read"]


def read(data: bytes) -> dns.message.Message:
    """A question or an answer.

    Raises:
        RemoteProtocolError: it is no DNS message.
    """
    try:
        return dns.message.from_wire(data)
    # Beside its own exceptions dnspython lets some of Python's out, on bytes that are cut or odd.
    except (dns.exception.DNSException, ValueError, IndexError, KeyError, NotImplementedError) as e:
        raise RemoteProtocolError(f"no DNS message: {e}") from e
