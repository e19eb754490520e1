"""The trail sent on: in order, over mutual TLS, once a repository is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from drimbox_ref.database import Database
from drimbox_ref.forwarding import BAN, Forwarder, Repository
from drimbox_ref.names import SystemClock
from drimbox_ref.trail import SCHEMA, Alert, AuditEvent, SqlAudit
from protocols.syslog import Deframer, Message, parse
from tests.wire.conftest import Authority, _authority
from wire.tls import ClientTls, ServerTls, server_context

pytestmark = pytest.mark.anyio

_NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return _authority(tmp_path / "ca", "Autorité d'essai")


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[SqlAudit]:
    database = Database(tmp_path / "state.sqlite", SCHEMA)
    yield SqlAudit(database, key=b"k")
    database.close()


class Alerts:
    def __init__(self) -> None:
        self.raised: list[Alert] = []
        self.heard = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        self.raised.append(alert)
        self._loop.call_soon_threadsafe(self.heard.set)
        return True


class Receiver:
    """An audit record repository."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.heard = asyncio.Event()
        self.port = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        deframer = Deframer()
        while data := await reader.read(1000):
            self.messages += map(parse, deframer.feed(data))
            if self.messages:
                self.heard.set()
        writer.close()


@asynccontextmanager
async def receiving(authority: Authority) -> AsyncIterator[Receiver]:
    leaf = authority.leaf("arr", "arr.test")
    tls = ServerTls(leaf.certificate, leaf.key, client_ca=authority.trust, require="required")
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0, ssl=server_context(tls))
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


def _forwarder(
    audit: SqlAudit, authority: Authority, port: int, *, alerts: Alerts | None = None
) -> Forwarder:
    leaf = authority.leaf("boitier")
    return Forwarder(
        Repository(
            host="arr.test",
            port=6514,
            tls=ClientTls(authority.trust, leaf.certificate, leaf.key),
        ),
        audit,
        role="source",
        box="Boîtier 1",
        alerts=alerts or Alerts(),
        clock=SystemClock(),
        connect_to={"arr.test:6514": f"127.0.0.1:{port}"},
    )


_EVENT = AuditEvent(
    event="ITI-41",
    outcome=8,
    description="Le DMP refuse.\nMotif \x00.",
    subject="899700000001",
    patient="275036322310189",
    peer="DMP",
    objects={"study": "1.2.3", "kos": "1.2.4", "vide": ""},
)


async def test_records_are_sent_in_order_and_once(audit: SqlAudit, authority: Authority) -> None:
    for number in range(3):
        audit.record(replace(_EVENT, subject=str(number)), now=_NOW)
    async with receiving(authority) as receiver:
        forwarder = _forwarder(audit, authority, receiver.port)
        assert await forwarder.step() == 3
        assert await forwarder.step() == 0
        audit.record(_EVENT, now=_NOW)
        assert await forwarder.step() == 1
    told = [message.data["drimbench@32473"] for message in receiver.messages]
    assert [one["number"] for one in told] == ["1", "2", "3", "4"]
    assert told[-1]["mac"] == audit.verify().head, "what is noted elsewhere verifies the chain"
    message = receiver.messages[-1]
    assert (message.priority, message.host, message.app) == (85, "Bo-tier-1", "drimbox-source")


async def test_a_record_is_a_dicom_audit_message(audit: SqlAudit, authority: Authority) -> None:
    audit.record(_EVENT, now=_NOW)
    async with receiving(authority) as receiver:
        await _forwarder(audit, authority, receiver.port).step()
    (message,) = receiver.messages
    root = etree.fromstring(message.text)
    assert [child.tag for child in root] == [
        "EventIdentification",
        *["ActiveParticipant"] * 3,
        "AuditSourceIdentification",
        *["ParticipantObjectIdentification"] * 3,
    ]
    event = root[0]
    assert event.attrib == {
        "EventActionCode": "R",
        "EventDateTime": "2026-11-22T10:00:00.000000Z",
        "EventOutcomeIndicator": "8",
    }
    assert [(child.tag, child.get("csd-code")) for child in event] == [
        ("EventID", "110106"),
        ("EventTypeCode", "ITI-41"),
        ("EventOutcomeDescription", None),
    ]
    assert event[2].text == "Le DMP refuse.\\x0aMotif \\x00."
    assert [one.get("UserID") for one in root.iter("ActiveParticipant")] == [
        "Boîtier 1",
        "DMP",
        "899700000001",
    ]
    assert [
        (one.get("ParticipantObjectID"), one.get("ParticipantObjectTypeCode"))
        for one in root.iter("ParticipantObjectIdentification")
    ] == [("275036322310189", "1"), ("1.2.3", "2"), ("1.2.4", "2")]


async def test_what_could_not_be_sent_is_sent_later(audit: SqlAudit, authority: Authority) -> None:
    audit.record(_EVENT, now=_NOW)
    async with receiving(authority) as gone:
        port = gone.port
    alerts = Alerts()
    forwarder = _forwarder(audit, authority, port, alerts=alerts)
    running = asyncio.create_task(forwarder.run())
    await asyncio.wait_for(alerts.heard.wait(), 10)
    running.cancel()
    assert [alert.ban for alert in alerts.raised] == [BAN]
    assert audit.forwarded() == 0
    async with receiving(authority) as receiver:
        await _forwarder(audit, authority, receiver.port).step()
    assert len(receiver.messages) == 1


async def test_an_impostor_is_sent_nothing(
    audit: SqlAudit, authority: Authority, tmp_path: Path
) -> None:
    audit.record(_EVENT, now=_NOW)
    async with receiving(_authority(tmp_path / "other", "Une autre")) as receiver:
        with pytest.raises(OSError, match="certificate verify failed"):
            await _forwarder(audit, authority, receiver.port).step()
    assert receiver.messages == []
    assert audit.forwarded() == 0
