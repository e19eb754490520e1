"""The doors where RISs come: one heard as the other, messages cut and joined, refusals that hold
when nothing can be written."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from drimbox_ref.config import ConfigError, Listen
from drimbox_ref.source.config import Mllps, load
from drimbox_ref.source.intake import MllpDoor, MllpIntake, doors
from drimbox_ref.source.reception import Reception
from protocols.hl7v2 import parse
from protocols.mllp import Decoder, frame
from simulators.igc.pki import Pki
from simulators.ris.service import Link, Ris
from tests.drimbox_ref.source.world import World, cda_report, oru
from wire.exchange import Exchange
from wire.tls import ClientTls

pytestmark = pytest.mark.anyio

HERE = Listen(host="127.0.0.1", port=0)


@asynccontextmanager
async def listening(world: World, intake: MllpIntake) -> AsyncIterator[dict[str, tuple[str, int]]]:
    reception = Reception(world.parts, wake=lambda: None)
    try:
        addresses = await intake.open(reception.handle, port=lambda _, configured: configured)
        yield {
            name: (where.rpartition(":")[0], int(where.rpartition(":")[2]))
            for name, where in addresses.items()
        }
    finally:
        await intake.close()


def kept(world: World) -> list[str]:
    return [item.control_id for item in reversed(world.parts.inbox.everything(1000))]


async def answers(where: tuple[str, int], writes: list[bytes], count: int) -> list[Any]:
    """What comes back when those bytes are written, one write after the other."""
    reader, writer = await asyncio.open_connection(*where)
    decoder, found = Decoder(), []
    for data in writes:
        writer.write(data)
        await writer.drain()
    while len(found) < count:
        data = await reader.read(1 << 16)
        assert data, "closed before every acknowledgement came"
        found += [parse(one) for one in decoder.feed(data) if isinstance(one, bytes)]
    writer.close()
    return found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(0, 1 << 16), max_size=12), count=st.integers(1, 4))
async def test_pipelined_in_any_pieces_each_is_kept_and_answered(
    world: World, cuts: list[int], count: int
) -> None:
    before = len(kept(world))
    names = [f"MSG-{before}-{number}" for number in range(count)]
    stream = b"".join(frame(oru(control_id=name)) for name in names)
    bounds = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    pieces = [stream[start:end] for start, end in itertools.pairwise(bounds)]
    async with listening(world, MllpIntake(doors(HERE, None))) as where:
        found = await answers(where["mllp"], pieces, count)
    assert [one.value("MSA-1") for one in found] == ["AA"] * count
    assert [one.value("MSA-2") for one in found] == names, "in the order of the messages"
    assert kept(world)[before:] == names


async def test_many_senders_at_once(world: World) -> None:
    names = [f"RIS-{number}" for number in range(24)]
    async with listening(world, MllpIntake(doors(HERE, None))) as where:
        found = await asyncio.gather(
            *(answers(where["mllp"], [frame(oru(control_id=name))], 1) for name in names)
        )
    assert [one.value("MSA-2") for (one,) in found] == names
    assert sorted(kept(world)) == sorted(names)
    ids = {one.value("MSH-10") for (one,) in found}
    assert len(ids) == len(names), "each acknowledgement is a message of its own"


async def test_the_same_control_id_from_two_riss_is_two_messages(world: World) -> None:
    async with listening(world, MllpIntake(doors(HERE, None))) as where:
        for message in (oru(), oru().replace(b"|RIS|", b"|AUTRE|", 1), oru()):
            await answers(where["mllp"], [frame(message)], 1)
    assert kept(world) == ["MSG-1", "MSG-1"]


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(clock=lambda: datetime.now(UTC), crl_url="http://127.0.0.1:1/kit.crl")


async def test_over_tls_only_who_shows_a_certificate(
    world: World, pki: Pki, tmp_path: Path
) -> None:
    trust = pki.write(tmp_path)
    key = pki.throwaway_key
    server = pki.server("db1.drimbench.test", key=key).write(tmp_path, "server")
    right = pki.auth_cli("KIT-RIS", "1", key=key).write(tmp_path, "ris")
    wrong = pki.auth_cli("KIT-RIS", "1", issuer="market", key=key).write(tmp_path, "wrong")
    secure = Mllps(
        listen=HERE, certificate=server.certificate, key=server.key, client_ca=trust.igc_trust
    )
    seen: list[Exchange] = []
    ris = Ris(observe=seen.append, clock=lambda: datetime.now(UTC), ids=lambda: "X")

    async with listening(world, MllpIntake(doors(HERE, secure))) as where:

        async def send(control_id: str, *shown: Path) -> str:
            tls = ClientTls(trust.market_trust, *shown)
            link = Link(tls=tls, server_name="db1.drimbench.test", pieces=3)
            message = oru(control_id=control_id)
            (ack,) = await ris.send_each([message], where["mllps"], 5.0, link=link)
            return ack.code

        assert await send("TLS-1", right.certificate, right.key) == "AA"
        with pytest.raises(ConnectionError):
            await send("TLS-2")
        with pytest.raises(ConnectionError):
            await send("TLS-3", wrong.certificate, wrong.key)
        assert await send("TLS-4", right.certificate, right.key) == "AA"
        assert (await ris.send(oru(control_id="CLEAR"), where["mllp"])).accepted
    assert kept(world) == ["TLS-1", "TLS-4", "CLEAR"]
    served = [one.tls for one in seen if one.response is not None and one.tls is not None]
    assert [one.version for one in served] == ["TLSv1.3", "TLSv1.3"]


def test_the_clear_door_is_closed_when_only_the_other_is_written(tmp_path: Path) -> None:
    secure = Mllps(listen=HERE, certificate=tmp_path, key=tmp_path, client_ca=tmp_path)
    assert list(doors(None, secure)) == ["mllps"]
    assert doors(HERE, None) == {"mllp": MllpDoor(HERE)}
    file = tmp_path / "source.toml"
    file.write_text("[mllps]\nport = 2575\n" + IDENTITY.format(state=tmp_path))
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.key == "mllps.certificate"


IDENTITY = """
[box]
name = "x"
state = "{state}"
[identity]
installation_oid = "1.2"
uid_root = "1.2"
lps_name = "x"
lps_version = "1"
lps_id = "x"
lps_homologation = "x"
"""


# When nothing can be written --------------------------------------------------------------------


def full(connection: sqlite3.Connection, _: object) -> None:
    """A disk that is full: SQLite may not take one page more."""
    connection.execute("PRAGMA max_page_count = 1")


def read_only(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA query_only = ON")


@pytest.mark.parametrize("trouble", [full, read_only])
@pytest.mark.parametrize(
    ("message", "code", "condition"),
    [(oru(cda_report() + b" " * 400_000), "AR", "207"), (oru(version="2.3.1"), "AE", "203")],
)
async def test_a_disk_that_takes_nothing_is_told(
    world: World, trouble: Any, message: bytes, code: str, condition: str
) -> None:
    reception = Reception(world.parts, wake=lambda: None)
    peer: Any = type("Peer", (), {"name": "RIS"})
    engine = world.database.engine
    event.listen(engine, "connect", trouble)
    engine.dispose()  # the next transaction connects anew
    raw = await reception.handle(message, peer)
    assert raw is not None
    answer = parse(raw)
    assert (answer.value("MSA-1"), answer.value("ERR-3.1")) == (code, condition)
    event.remove(engine, "connect", trouble)
    engine.dispose()
    assert kept(world) == []
    if code == "AR":
        raw = await reception.handle(message, peer)
        assert raw is not None
        assert parse(raw).value("MSA-1") == "AA", "taken once there is room again"


async def test_a_report_that_is_kept_is_acknowledged_even_untraced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("plus de place pour la trace")

    monkeypatch.setattr(type(world.parts.audit), "record", broken)
    async with listening(world, MllpIntake(doors(HERE, None))) as where:
        (ack,) = await answers(where["mllp"], [frame(oru())], 1)
    assert ack.value("MSA-1") == "AA"
    assert kept(world) == ["MSG-1"]


async def test_an_examination_that_breaks_is_told_to_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(type(world.parts.reports), "examine", broken)
    async with listening(world, MllpIntake(doors(HERE, None))) as where:
        (ack,) = await answers(where["mllp"], [frame(oru())], 1)
    assert ack.value("MSA-1") == "AR"
