"""HTTP/1.1 as it passes: each request with its answer, bodies recorded as servers of ours do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

import h11

from protocols.errors import RemoteProtocolError
from wire.exchange import Outcome, Payload, stamp
from wire.recording import BodyRecorder
from wire.tap.ear import Line, Side, Witness

__all__ = ["HttpEar"]

_MAX_HEAD = 64 * 1024
_SHOWN_GARBAGE = 4096


@dataclass(slots=True)
class _Conversation:
    """One request and what came of it so far."""

    method: bytes
    start_line: str
    head: tuple[tuple[str, str], ...]
    asked: BodyRecorder
    begun: tuple[datetime, float] = field(default_factory=stamp)
    asked_whole: bool = False
    status_line: str = ""
    answer_head: tuple[tuple[str, str], ...] = ()
    answered: BodyRecorder | None = None

    def request(self) -> Payload:
        return self.asked.payload(
            start_line=self.start_line, head=self.head, incomplete=not self.asked_whole
        )

    def response(self, *, incomplete: bool) -> Payload | None:
        if self.answered is None:
            return None
        return self.answered.payload(
            start_line=self.status_line, head=self.answer_head, incomplete=incomplete
        )


class HttpEar:
    """Follows one HTTP/1.1 connection, pipelined or not, until it becomes something else."""

    def __init__(self, line: Line, witness: Witness) -> None:
        self._line = line
        self._witness = witness
        self._asking = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        self._answering: h11.Connection | None = None
        self._open: deque[_Conversation] = deque()
        self._asked: _Conversation | None = None
        """The question being asked: its answer may have begun, or be over."""
        self._garbage: tuple[bytes, tuple[datetime, float]] | None = None

    def hear(self, side: Side, data: bytes) -> None:
        """Bytes of one side.

        Raises:
            RemoteProtocolError: they are not HTTP.
        """
        try:
            self._caller(data) if side is Side.CALLER else self._called(data)
        except h11.RemoteProtocolError as error:
            if side is Side.CALLER:
                self._garbage = data[:_SHOWN_GARBAGE], stamp()
            raise RemoteProtocolError(f"HTTP illisible : {error}") from error

    def ended(self, side: Side) -> None:
        """An answer without length ends with its connection (RFC 9112 6.3)."""
        if side is Side.CALLED and self._answering is not None:
            try:
                self._called(b"", ended=True)
            except h11.RemoteProtocolError:
                self._answering = None  # cut short: told when all is over

    def over(self, reason: str) -> None:
        """What was asked and not answered whole."""
        for one in self._open:
            self._witness.tell(
                self._line,
                protocol="HTTP",
                outcome=Outcome.ABORTED,
                begun=one.begun,
                reason=reason,
                request=one.request(),
                response=one.response(incomplete=True),
            )
        self._open.clear()
        if self._garbage is not None:
            data, begun = self._garbage
            self._witness.tell(
                self._line,
                protocol="HTTP",
                outcome=Outcome.ABORTED,
                begun=begun,
                reason=reason,
                request=Payload.whole(data),
            )

    def _caller(self, data: bytes) -> None:
        self._asking.receive_data(data)
        while True:
            event = self._asking.next_event()
            if isinstance(event, h11.Request):
                target = f"{event.target.decode()} HTTP/{event.http_version.decode()}"
                self._asked = _Conversation(
                    method=event.method,
                    start_line=f"{event.method.decode()} {target}",
                    head=_head(event),
                    asked=BodyRecorder(_content_type(event)),
                )
                self._open.append(self._asked)
            elif isinstance(event, h11.Data):
                assert self._asked is not None
                self._asked.asked.feed(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert self._asked is not None
                self._asked.asked_whole = True
                rest = self._asking.trailing_data[0]
                self._asking = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
                if rest:
                    self._asking.receive_data(rest)
            else:
                return

    def _called(self, data: bytes, *, ended: bool = False) -> None:
        while data or ended:
            if self._answering is None:
                if not self._open:
                    raise RemoteProtocolError("réponse HTTP sans demande")
                self._answering = _expecting(self._open[0].method)
            self._answering.receive_data(data)
            data, ended = self._answer(self._answering), False

    def _answer(self, connection: h11.Connection) -> bytes:
        """Read on; what follows the answer when it is whole."""
        one = self._open[0]
        while True:
            event = connection.next_event()
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                raise RemoteProtocolError("la connexion devient autre chose que HTTP")
            if isinstance(event, h11.Response):
                reason = event.reason.decode("latin-1")
                one.status_line = (
                    f"HTTP/{event.http_version.decode()} {event.status_code} {reason}".rstrip()
                )
                one.answer_head = _head(event)
                one.answered = BodyRecorder(_content_type(event))
            elif isinstance(event, h11.Data):
                assert one.answered is not None
                one.answered.feed(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._open.popleft()
                self._answering = None
                self._witness.tell(
                    self._line,
                    protocol="HTTP",
                    outcome=Outcome.ANSWERED,
                    begun=one.begun,
                    request=one.request(),
                    response=one.response(incomplete=False),
                )
                return connection.trailing_data[0]
            elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
                return b""


def _expecting(method: bytes) -> h11.Connection:
    """A reader of the answer to that method: HEAD's has no body."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "tap")]))
    connection.send(h11.EndOfMessage())
    return connection


def _head(event: h11.Request | h11.Response) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in event.headers.raw_items()
    )


def _content_type(event: h11.Request | h11.Response) -> str | None:
    values = (value for name, value in event.headers if name == b"content-type")
    return next((value.decode("latin-1") for value in values), None)
