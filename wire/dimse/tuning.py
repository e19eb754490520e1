"""What pynetdicom needs to be quick and to lose nothing: applied to each association.

Five measured facts about 3.0.4: Nagle is left on (40 ms a message against another such peer),
the requestor's own reactor may take a response that a sender awaits (the sender then waits for
its whole time-out), threads that wait look for work a thousand times a second however long they
have found none, the default logging handlers decode every identifier a second time, and each wrong
value that a peer sends is warned of in words of its own, which Python keeps for ever.
"""

from __future__ import annotations

import socket
import threading
import time
import warnings
from typing import Any

from pynetdicom import _config
from pynetdicom.dul import DULServiceProvider

from wire.dimse.bounds import bound
from wire.impairment import ImpairedSocket, Link

__all__ = ["MAXIMUM_PDU", "adopt", "heal", "impair"]

MAXIMUM_PDU = 131_072
"""Bytes. Twice the throughput of pynetdicom's default of 16 KiB."""

_POLL_S = 0.0005
"""How soon an idle upper layer looks for work: half of pynetdicom's delay, for a third less latency
per message. One that goes on finding none looks less and less often..."""

_GROWTH, _LONGEST_POLL_S = 1.25, 0.004
"""... but never so rarely that a peer would notice: an exchange takes longer than that."""

_REACTOR_POLL_S = 0.001
"""How long the reactor of an association sleeps by itself before each look."""

_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = False
_config.LOG_RESPONSE_IDENTIFIERS = False
warnings.filterwarnings("ignore", module=r"py(net)?dicom\b")
"""pydicom logs the same words: nothing is lost but the memory of them."""


def adopt(association: Any) -> None:
    """Prepare an association whose connection has just opened (handler of EVT_CONN_OPEN)."""
    association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound(association)
    _look_less_and_less(association.dul)
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


class _Patience:
    """How long a thread that polls sleeps before it looks again."""

    __slots__ = ("_sleep",)

    def __init__(self) -> None:
        self._sleep = _POLL_S

    def next(self) -> float:
        """Nothing was found: seconds to sleep."""
        sleep = self._sleep
        self._sleep = min(sleep * _GROWTH, _LONGEST_POLL_S)
        return sleep

    def found(self) -> None:
        """Something was: more may follow at once."""
        self._sleep = _POLL_S


class _PatientProvider(DULServiceProvider):  # type: ignore[misc]
    """An upper layer of which each look at its delay says that it found nothing to do."""

    _patience: _Patience

    @property
    def _run_loop_delay(self) -> float:
        return self._patience.next()

    @_run_loop_delay.setter
    def _run_loop_delay(self, seconds: float) -> None:
        """Its patience knows."""


def _look_less_and_less(provider: Any) -> None:
    patience = _Patience()
    act = provider.state_machine.do_action

    def found_work(event: str) -> None:
        patience.found()
        act(event)

    provider.state_machine.do_action = found_work
    provider._patience = patience
    provider.__class__ = _PatientProvider


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

    patience = _Patience()

    def get_msg(block: bool = False) -> Any:
        if block:
            return take(block=True)
        with gate:
            found = take(block=False) if checkpoint.is_set() else (None, None)
        if found[1] is not None:
            patience.found()
        elif (sleep := patience.next()) > _REACTOR_POLL_S:
            time.sleep(sleep - _REACTOR_POLL_S)
        return found

    association.dimse.get_msg = get_msg
