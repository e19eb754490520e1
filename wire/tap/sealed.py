"""A connection whose content cannot be read: when, with whom, how much, and no more."""

from __future__ import annotations

import contextlib
import hashlib
import ssl

from wire.exchange import Outcome, Payload, stamp
from wire.tap.ear import Line, Side, Witness

__all__ = ["SealedEar", "server_name"]

_HELLO = 16 * 1024
"""Bytes kept to find the name that a ClientHello asks for."""


class SealedEar:
    """Tells one exchange for a whole connection: protocol `TCP`, transaction `connexion`."""

    def __init__(self, line: Line, witness: Witness) -> None:
        self._line = line
        self._witness = witness
        self._begun = stamp()
        self._sizes = dict.fromkeys(Side, 0)
        self._hashes = {side: hashlib.sha256() for side in Side}
        self._hello = b""

    def hear(self, side: Side, data: bytes) -> None:
        """Counted and hashed; nothing is kept but the beginning."""
        self._sizes[side] += len(data)
        self._hashes[side].update(data)
        if side is Side.CALLER and len(self._hello) < _HELLO:
            self._hello += data[: _HELLO - len(self._hello)]

    def ended(self, side: Side) -> None:
        """Nothing to conclude."""

    def over(self, reason: str) -> None:
        """The connection as a whole."""
        name = server_name(self._hello)
        head = (("server_name", name),) if name else ()
        spoken = {
            side: Payload(
                head=head if side is Side.CALLER else (),
                size=self._sizes[side],
                sha256=self._hashes[side].hexdigest(),
                truncated=True,
            )
            for side in Side
        }
        answered = self._sizes[Side.CALLED] > 0
        self._witness.tell(
            self._line,
            protocol="TCP",
            transaction="connexion",
            outcome=Outcome.ANSWERED if answered else Outcome.ABORTED,
            begun=self._begun,
            reason=reason,
            request=spoken[Side.CALLER],
            response=spoken[Side.CALLED] if answered else None,
        )


def server_name(hello: bytes) -> str:
    """The host that a ClientHello asks for (SNI), "" when it says none or is no ClientHello.

    OpenSSL reads it: a server without certificate gets as far as the name.
    """
    found: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _socket, name, _context: found.append(name or "")
    incoming = ssl.MemoryBIO()
    incoming.write(hello)
    session = context.wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    # No certificate to show, or nothing to read: the name was told before.
    with contextlib.suppress(ssl.SSLError):
        session.do_handshake()
    return found[0] if found else ""
