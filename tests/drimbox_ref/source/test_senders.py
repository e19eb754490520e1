"""Which RIS a report comes from, and what a report gets whose RIS nobody declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drimbox_ref.config import ConfigError, read
from drimbox_ref.source.config import Ris, _every_ris
from drimbox_ref.source.reception import Reception
from drimbox_ref.source.senders import BAN, Senders, Unknown
from protocols.hl7v2 import Message, parse
from tests.drimbox_ref.source.world import World, oru

PEER: Any = type("Peer", (), {"name": "10.0.0.9:4000"})

A = Ris(name="Imagerie A", application="RIS", facility="CLINIQUE")
ANYWHERE = Ris(name="RIS de partout", application="RIS")
B = Ris(name="Imagerie B", application="RIS-B")


def named(application: bytes, facility: bytes = b"CLINIQUE") -> bytes:
    return oru().replace(b"|RIS|CLINIQUE|", b"|" + application + b"|" + facility + b"|", 1)


@pytest.mark.parametrize(
    ("application", "facility", "found"),
    [
        (b"RIS", b"CLINIQUE", A),
        (b"RIS^1.2.250.1.999.30^ISO", b"CLINIQUE^1.2.250.1.999.31^ISO", A),
        (b"RIS", b"AUTRE", ANYWHERE),
        (b"RIS", b"", ANYWHERE),
        (b" RIS-B ", b"AUTRE", B),
        (b"interne^RIS-B^DNS", b"AUTRE", B),
    ],
)
@pytest.mark.parametrize("declared", [(A, ANYWHERE, B), (B, ANYWHERE, A)])
def test_a_ris_is_known_by_the_names_it_gives_itself(
    application: bytes, facility: bytes, found: Ris, declared: tuple[Ris, ...]
) -> None:
    assert Senders(declared).recognise(named(application, facility)) is found


@pytest.mark.parametrize(
    ("application", "facility", "told"),
    [
        (b"ris", b"CLINIQUE", "MSH-3 'ris', MSH-4 'CLINIQUE'"),
        (b"RIS", b"AUTRE", "MSH-3 'RIS', MSH-4 'AUTRE'"),
        (b"", b"", "MSH-3 absent, MSH-4 absent"),
        (b"^1.2.3^ISO", b"CLINIQUE", "MSH-3 '1.2.3', MSH-4 'CLINIQUE'"),
        (b"A\\X0D0A\\B", b"C", "MSH-3 'A\\r\\nB', MSH-4 'C'"),
    ],
)
def test_another_is_unknown_and_named(application: bytes, facility: bytes, told: str) -> None:
    found = Senders([A]).recognise(named(application, facility))
    assert isinstance(found, Unknown)
    assert found.fault().text == f"RIS non déclaré : {told}"


def test_nobody_is_unknown_when_none_is_declared_nor_when_nothing_can_be_read() -> None:
    assert Senders([]).recognise(named(b"AUTRE")) is None
    assert Senders([A]).recognise(b"\x00") is None


async def answer(world: World, message: bytes, *, refuse: bool = True) -> Message:
    reception = Reception(
        world.parts, wake=lambda: None, senders=Senders([A, B]), refuse_undeclared=refuse
    )
    raw = await reception.handle(message, PEER)
    assert raw is not None
    return parse(raw)


def kept(world: World) -> int:
    return len(world.parts.inbox.everything(10))


def alerts(world: World) -> list[Any]:
    return [one for one in world.parts.alerts.everything(10) if one["kind"] == BAN]


@pytest.mark.anyio
async def test_a_declared_ris_is_heard_and_named_in_the_trail(world: World) -> None:
    assert (await answer(world, named(b"RIS-B"))).value("MSA-1") == "AA"
    (event,) = world.parts.audit.everything(10)
    assert event["peer"] == "Imagerie B (10.0.0.9:4000)"
    assert (kept(world), alerts(world)) == (1, [])


@pytest.mark.anyio
async def test_an_undeclared_ris_is_refused_and_told(world: World) -> None:
    for _ in range(2):
        said = await answer(world, named(b"PIRATE"))
        assert (said.value("MSA-1"), said.value("ERR-3.1")) == ("AE", "207")
        assert said.value("ERR-5.1") == "906"
    assert kept(world) == 0
    (alert,) = alerts(world)
    assert "MSH-3 'PIRATE', MSH-4 'CLINIQUE'" in alert["message"]
    assert "[[ris]]" in alert["advice"]
    refused = world.parts.audit.everything(10)
    assert {one["EventOutcomeIndicator"] for one in refused} == {4}


@pytest.mark.anyio
async def test_an_undeclared_ris_may_be_heard_and_told_once(world: World) -> None:
    for number in range(3):
        message = named(b"NOUVEAU").replace(b"MSG-1", f"MSG-{number}".encode())
        assert (await answer(world, message, refuse=False)).value("MSA-1") == "AA"
    assert (kept(world), len(alerts(world))) == (3, 1)


@pytest.mark.anyio
async def test_a_fault_of_form_is_told_before_the_sender_is_looked_at(world: World) -> None:
    said = await answer(world, named(b"PIRATE").replace(b"|2.5|", b"|2.3.1|", 1))
    assert said.value("ERR-3.1") == "203"
    assert alerts(world) == []


# The configuration ------------------------------------------------------------------------------


def written(tmp_path: Path, text: str) -> tuple[Ris, ...]:
    file = tmp_path / "source.toml"
    file.write_text(text)
    return read(file, _every_ris)


def test_the_section_is_read(tmp_path: Path) -> None:
    text = """
    [[ris]]
    name = "Imagerie A"
    application = "RIS"
    facility = "CLINIQUE"
    [[ris]]
    application = "RIS"
    """
    assert written(tmp_path, text) == (A, Ris(name="RIS", application="RIS"))
    assert written(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[ris]]\nfacility = "X"', "ris[0].application"),
        ('[[ris]]\napplication = ""', "ris[0].application"),
        ('[[ris]]\napplication = "A"\nmsh = "B"', "ris[0].msh"),
        ('[[ris]]\napplication = "A"\n[[ris]]\napplication = "A"', "ris[1].application"),
        ("ris = 3", "ris"),
    ],
)
def test_what_is_written_wrong_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, text)
    assert caught.value.key == key
