"""What pynetdicom needs to be quick and to lose nothing: applied to each association.

Three measured facts about 3.0.4: Nagle is left on (40 ms a message against another such peer),
the requestor's own reactor may take a response that a sender awaits (the sender then waits for
its whole time-out), and the default logging handlers decode every identifier a second time.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

from pynetdicom import _config

from wire.impairment import ImpairedSocket, Link

__all__ = ["MAXIMUM_PDU", "adopt", "heal", "impair"]

MAXIMUM_PDU = 131_072
"""Bytes. Twice the throughput of pynetdicom's default of 16 KiB."""

_POLL_S = 0.0005
"""How often an idle upper layer looks for work: half of pynetdicom's delay, for a third less
latency per message; much less would cost a core to associations that wait."""

_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False


def adopt(association: Any) -> None:
    """Prepare an association whose connection has just opened (handler of EVT_CONN_OPEN)."""
    association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    association.dul._run_loop_delay = _POLL_S
    _close_response_race(association)


def impair(association: Any, link: Link) -> None:
    """Let all that this side sends leave through that link, in place of any other one."""
    heal(association)
    transport = association.dul.socket
    if transport is not None and transport.socket is not None:
        transport.socket = ImpairedSocket(transport.socket, link)


def heal(association: Any) -> None:
    """Let what this side sends leave as it should again."""
    transport = association.dul.socket
    if transport is not None and isinstance(transport.socket, ImpairedSocket):
        transport.socket = transport.socket.inner


class _Checkpoint(threading.Event):
    """Pauses the reactor; clearing it waits for a reactor that is taking a message."""

    def __init__(self, gate: threading.Lock) -> None:
        super().__init__()
        self._gate = gate

    def clear(self) -> None:
        with self._gate:
            super().clear()


def _close_response_race(association: Any) -> None:
    """Let nobody but the sender take messages while the reactor is paused.

    The reactor announces that it is paused, then passes the checkpoint, then takes a message
    without waiting. A sender that clears the checkpoint in between believes it alone. Here the
    reactor's non-blocking take and the clearing exclude each other, and the take gives nothing
    while the checkpoint is clear.
    """
    gate = threading.Lock()
    checkpoint = _Checkpoint(gate)
    checkpoint.set()
    association._reactor_checkpoint = checkpoint
    take = association.dimse.get_msg

    def get_msg(block: bool = False) -> Any:
        if block:
            return take(block=True)
        with gate:
            return take(block=False) if checkpoint.is_set() else (None, None)

    association.dimse.get_msg = get_msg
