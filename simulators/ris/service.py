"""The RIS at work: makes messages, sends them over MLLP, reads what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from protocols import hl7v2
from simulators.ris.messages import Header, Options, mdm, oru
from simulators.ris.report import Report
from simulators.ris.subject import Subject
from wire.exchange import Exchange, Observe
from wire.mllp import MllpClient
from wire.tls import ClientTls

__all__ = ["Ack", "AckError", "Link", "Ris", "label"]


@dataclass(frozen=True, slots=True)
class AckError:
    """One ERR segment: table 0357 condition and its text, severity, application error, place."""

    condition: str
    text: str
    severity: str
    application: str
    location: str


@dataclass(frozen=True, slots=True)
class Ack:
    """What an acknowledgement says; judging whether it may say so is a validator's affair."""

    code: str
    control_id: str
    text: str
    errors: tuple[AckError, ...]
    raw: bytes = field(repr=False)

    @property
    def accepted(self) -> bool:
        """The receiver takes responsibility for the message (MSA-1 = AA)."""
        return self.code == "AA"

    @classmethod
    def read(cls, data: bytes) -> Ack:
        """Read an acknowledgement; absent fields are empty.

        Raises:
            protocols.hl7v2.Hl7SyntaxError: not an HL7 message.
        """
        message = hl7v2.parse(data)
        return cls(
            code=message.value("MSA-1"),
            control_id=message.value("MSA-2"),
            text=message.value("MSA-3"),
            errors=tuple(
                AckError(
                    condition=error.field(3).component(1).value,
                    text=error.field(3).component(2).value,
                    severity=error.field(4).value,
                    application=error.field(5).component(1).value,
                    location=error.field(2).text,
                )
                for error in message.all("ERR")
            ),
            raw=data,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How a RIS brings its messages: in clear without `tls`; `server_name` is whom it wants to
    find behind an address. `pieces` and `pause` as in `wire.mllp.MllpClient`."""

    tls: ClientTls | None = None
    server_name: str | None = None
    pieces: int = 1
    pause: float = 0.0


class Ris:
    """A RIS. `clock` gives aware dates, `ids` a fresh control id at each call; `link` is how it
    sends unless told otherwise."""

    def __init__(
        self,
        *,
        observe: Observe,
        clock: Callable[[], datetime],
        ids: Callable[[], str],
        actor: str = "ris",
        peer: str = "source",
        link: Link | None = None,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._ids = ids
        self._actor = actor
        self._peer = peer
        self._link = link or Link()

    def header(self, **changes: Any) -> Header:
        """A header with a fresh control id and the date of now; `changes` as in `Header`."""
        return replace(Header(control_id=self._ids(), moment=self._clock()), **changes)

    def message(
        self,
        report: Report,
        options: Options | None = None,
        *,
        header: Header | None = None,
        event: str = "",
    ) -> bytes:
        """The ORU^R01 of a report of ours; with an `event` (T02, T10, T04), its MDM."""
        document, about, header = report.document(), Subject.of(report), header or self.header()
        if not event:
            return oru(document, about, header, options)
        replaces = report.replaces or "" if event == "T10" else ""
        return mdm(document, about, header, options, event=event, id=report.id, replaces=replaces)

    def wrap(
        self,
        document: bytes,
        options: Options | None = None,
        *,
        subject: Subject | None = None,
        header: Header | None = None,
    ) -> bytes:
        """The ORU^R01 of a CDA document that we did not write; its bytes travel unchanged.

        Raises:
            protocols.cda.CdaSyntaxError: not a CDA document, and no `subject` given.
            ValueError: the document names no patient, and no `subject` given.
        """
        about = subject or Subject.read(document)
        return oru(document, about, header or self.header(), options)

    async def send(
        self,
        message: bytes,
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
    ) -> Ack:
        """Send a message on a connection of its own and read the acknowledgement.

        Raises:
            wire.mllp.MllpTimeout: no acknowledgement in `timeout` seconds.
            ConnectionError: refused, broken, or closed without acknowledgement.
            protocols.hl7v2.Hl7SyntaxError: what came back is not an HL7 message.
        """
        (ack,) = await self.send_each([message], to, timeout)
        return ack

    async def send_each(
        self,
        messages: Sequence[bytes],
        to: tuple[str, int],
        timeout: float = 30.0,  # noqa: ASYNC109
        *,
        link: Link | None = None,
    ) -> list[Ack]:
        """Send messages one after the other on one connection, each once the one before was
        acknowledged. Raises as `send`."""
        link = link or self._link
        async with MllpClient(
            *to,
            actor=self._actor,
            observe=self._observe,
            label=label,
            peer=self._peer,
            tls=link.tls,
            server_name=link.server_name,
            pieces=link.pieces,
            pause=link.pause,
        ) as client:
            return [Ack.read(await client.send(one, timeout=timeout)) for one in messages]


def label(exchange: Exchange) -> Exchange:
    """Name an exchange by MSH-9 of its request (`ORU^R01`), keyed by its control id."""
    if exchange.request is None:
        return exchange
    try:
        message = hl7v2.parse(exchange.request.body)
    except hl7v2.Hl7SyntaxError:
        return exchange  # a scenario may send anything
    kind = [message.value(f"MSH-9.{n}") for n in (1, 2)]
    return exchange.labelled(transaction="^".join(kind), keys=[message.value("MSH-10")])
