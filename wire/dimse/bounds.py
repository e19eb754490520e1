"""What pynetdicom needs to let go of a peer that stops in the middle, or sends what is no PDU.

Three measured facts about 3.0.4: once the first byte of a PDU is there, its reader waits without
end for the rest (the association's own time-outs then wait for that reader); a message that
cannot be decoded ends its thread with a trace and without A-ABORT; and an acceptor whose peer has
gone before asking for anything holds its place until the association time-out.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import Any

from pynetdicom.pdu import A_ABORT_RQ
from pynetdicom.transport import AssociationSocket

from protocols.dimse import LONGEST_PDU

__all__ = ["LONGEST_PDU", "bound", "unread"]

_PIECE = 65_536
_LOOK_S = 0.2
"""How often a reader that waits for the rest looks whether its association has been ended."""

_SERVICE_PROVIDER, _UNEXPECTED_PARAMETER = 0x02, 0x06
"""A-ABORT's source and reason, PS3.8 9.3.8: an invalid PDU parameter value."""

_LOG = logging.getLogger(__name__)


def bound(association: Any) -> None:
    """Bound what an association whose connection has just opened may wait for, and survive."""
    transport = association.dul.socket
    transport.__class__ = _BoundedSocket
    transport.unread = bytearray()
    transport.socket.settimeout(association.network_timeout)
    _survive(association)


def unread(association: Any, data: bytes) -> None:
    """Give a bound association bytes that its connection has already been read for."""
    association.dul.socket.unread += data


class _BoundedSocket(AssociationSocket):  # type: ignore[misc]
    """A transport of which each read ends: whole, or short as if the peer had closed."""

    unread: bytearray

    @property
    def ready(self) -> bool:
        """Whether there is something to read."""
        return bool(self.unread) or super().ready

    def recv(self, nr_bytes: int) -> bytearray:
        """That many bytes; less when the peer closes, is late, or announces too much.

        An association that is asked for may take the association time-out for each part of a
        PDU (its head, the rest), an established one the network time-out, however slowly bytes
        come in; one that this side has ended meanwhile, no time at all.
        """
        got = bytearray()
        if nr_bytes > LONGEST_PDU:
            _LOG.warning("PDU de %d octets annoncés : connexion fermée", nr_bytes)
            return got
        got += self.unread[:nr_bytes]
        del self.unread[:nr_bytes]
        association, connection = self.assoc, self.socket
        limit = association.acse_timeout
        if association.is_established:
            limit = association.network_timeout
        end = time.monotonic() + limit
        connection.settimeout(_LOOK_S)
        try:
            while len(got) < nr_bytes and time.monotonic() < end:
                try:
                    data = connection.recv(min(nr_bytes - len(got), _PIECE))
                except TimeoutError:
                    if association._kill:
                        break
                    continue
                if not data:
                    break
                got += data
        finally:
            with suppress(OSError):
                # What a peer that no longer reads may make a send wait.
                connection.settimeout(association.network_timeout)
        return got


def _survive(association: Any) -> None:
    """Answer what the state machine stumbles on with A-ABORT, and leave one line of it."""
    provider = association.dul
    act = provider.state_machine.do_action

    def survive(event: str) -> None:
        try:
            act(event)
        except Exception as error:
            # pynetdicom's decoders raise whatever they met.
            _LOG.warning("PDU inattendu ou illisible, association interrompue : %s", error)
            abort = A_ABORT_RQ()
            abort.source, abort.reason_diagnostic = _SERVICE_PROVIDER, _UNEXPECTED_PARAMETER
            with suppress(Exception):
                provider.socket.send(abort.encode())
            with suppress(Exception):
                act("Evt17")  # as when the transport closes: from any state
            provider.kill_dul()
        asked = not association.is_acceptor or association.requestor.primitive is not None
        if provider._kill_thread and not asked:
            # Nobody will ask for an association any more: do not await it.
            provider.to_user_queue.put(None)

    provider.state_machine.do_action = survive


class _Brief(logging.Filter):
    """Keeps what pynetdicom says of a peer's PDUs to lines: a trace is for our own mistakes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


for _name in ("dul", "fsm", "dimse", "utils"):
    logging.getLogger(f"pynetdicom.{_name}").addFilter(_Brief())
