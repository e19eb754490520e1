"""Other parsers of HL7 v2 (hl7, hl7apy) find the same values, and refuse what we refuse.

hl7apy knows the tables of each version: the segments of a message, the type of each field.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from tests.alterations.hl7 import alterations
from tests.validators.strangers.model import noticed
from validators.examples import hl7v2 as example

pytestmark = pytest.mark.interop

Values = dict[str, str]
"""What is written in each component that is not empty, by path: `PID[1]-3[2].1`."""

MESSAGES = {
    "oru": example.oru(),
    "mdm": example.mdm(),
    "omi": example.omi(),
    "ack": example.ack("AE"),
}
KINDS = list(MESSAGES)


def _library(name: str) -> Any:
    return pytest.importorskip(name, reason=f"bibliothèque absente : {name} (extra interop)")


def _by_us(data: bytes) -> Values:
    found: Values = {}
    for part, place in _ranked(hl7v2.parse(data).segments, lambda one: one.name):
        for number, field in enumerate(part.fields, start=1):
            if part.name == "MSH" and number < 3:
                continue
            for rank, repetition in enumerate(field.repetitions, start=1):
                for position, component in enumerate(repetition.components, start=1):
                    found[f"{place}-{number}[{rank}].{position}"] = component.text
    return _filled(found)


def _by_hl7(data: bytes) -> Values:
    found: Values = {}
    segments = _library("hl7").parse(data.decode())
    for segment, place in _ranked(segments, lambda one: str(one[0])):
        for number in range(3 if place.startswith("MSH") else 1, len(segment)):
            for rank, repetition in enumerate(segment[number], start=1):
                pieces = repetition if isinstance(repetition, list) else [repetition]
                for position, component in enumerate(pieces, start=1):
                    found[f"{place}-{number}[{rank}].{position}"] = str(component)
    return _filled(found)


def _by_hl7apy(data: bytes) -> Values:
    parser = _library("hl7apy.parser")
    found: Values = {}
    message = parser.parse_message(data.decode(), find_groups=True)
    for segment, place in _ranked(_segments(message), lambda one: str(one.name)):
        seen = Counter[int]()
        for field in segment.children:
            if field.name is None:  # beyond those that its tables have for the segment
                continue
            number = _last_number(field.name)
            if place.startswith("MSH") and number < 3:
                continue
            seen[number] += 1
            for component in field.children:
                # A field of one component has the name of its type.
                position = _last_number(component.name) if "_" in component.name else 1
                found[f"{place}-{number}[{seen[number]}].{position}"] = component.to_er7()
    return _filled(found)


def _segments(group: Any) -> Iterator[Any]:
    for child in group.children:
        if child.classname == "Group":
            yield from _segments(child)
        else:
            yield child


def _last_number(name: str) -> int:
    return int(name.rpartition("_")[2])


def _ranked(segments: Any, name: Callable[[Any], str]) -> Iterator[tuple[Any, str]]:
    counted = Counter[str]()
    for one in segments:
        counted[name(one)] += 1
        yield one, f"{name(one)}[{counted[name(one)]}]"


def _filled(values: Values) -> Values:
    """Without trailing separators, which say nothing (HL7 2.5, 2.10): hl7apy drops them."""
    bare = {path: text.rstrip("&") for path, text in values.items()}
    return {path: text for path, text in bare.items() if text}


def _in_its_tables(data: bytes) -> bytes:
    """Without PRT: HL7 2.7 defines it, the French volet takes it into 2.5 and 2.6.

    hl7apy has the tables of 2.5 and 2.6 only, and leaves such a segment out without a word.
    """
    return re.sub(rb"(?m)^PRT\|[^\r]*\r", b"", data.replace(b"\r", b"\r\n")).replace(b"\n", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_hl7_finds_the_same_values(kind: str) -> None:
    ours = _by_us(MESSAGES[kind])
    assert len(ours) > 10
    assert _by_hl7(MESSAGES[kind]) == ours


@pytest.mark.parametrize("kind", KINDS)
def test_hl7apy_finds_the_same_values(kind: str) -> None:
    data = _in_its_tables(MESSAGES[kind])
    ours = _by_us(data)
    assert len(ours) > 10
    assert _by_hl7apy(data) == ours


@pytest.mark.parametrize("kind", ["oru", "mdm"])
def test_hl7apy_does_not_see_prt(kind: str) -> None:
    """The difference that `_in_its_tables` takes away is there, and is theirs."""
    data = MESSAGES[kind]
    assert any(path.startswith("PRT[1]-") for path in _by_us(data))
    assert not any(path.startswith("PRT") for path in _by_hl7apy(data))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_alterations_are_read_alike(kind: str) -> None:
    for one in alterations(_in_its_tables(MESSAGES[kind])):
        # Its version, type and delimiters choose how hl7apy reads a message.
        if one.place.startswith("MSH"):
            continue
        ours = _by_us(one.data)
        assert _by_hl7(one.data) == ours, one.name
        assert _by_hl7apy(one.data) == ours, one.name


ACK = MESSAGES["ack"]
REFUSED, READ = True, False


@pytest.mark.parametrize(
    ("data", "us", "hl7", "hl7apy"),
    [
        pytest.param(b"", REFUSED, REFUSED, REFUSED, id="vide"),
        pytest.param(ACK.partition(b"\r")[2], REFUSED, REFUSED, REFUSED, id="sans MSH"),
        pytest.param(
            ACK.replace(b"^~\\&", b"^^\\&", 1), REFUSED, REFUSED, REFUSED, id="délimiteur doublé"
        ),
        # HL7 2.5, 2.5.4 asks for a printing character; a letter makes the name of MSH longer.
        pytest.param(
            ACK.replace(b"|", b"A"), REFUSED, READ, REFUSED, id="une lettre pour séparateur"
        ),
        # 2.5.2: a message begins with MSH. Both strip what precedes it, as a text file's reader.
        pytest.param(b" " + ACK, REFUSED, READ, READ, id="espace avant MSH"),
        # We read on, and a rule tells what is wrong, with its place.
        pytest.param(ACK[:5], READ, READ, REFUSED, id="coupé dans MSH-2"),
        pytest.param(
            ACK.replace(b"|2.5|", b"|2.99|"), READ, READ, REFUSED, id="version inconnue"
        ),
        pytest.param(ACK.replace(b"|2.5|", b"||"), READ, READ, REFUSED, id="sans version"),
        pytest.param(
            ACK.replace(b"CLINIQUE_A", b"CLINIQU\xc9"), READ, REFUSED, REFUSED, id="hors du jeu"
        ),
        pytest.param(b"\xef\xbb\xbf" + ACK, READ, REFUSED, REFUSED, id="BOM"),
        pytest.param(ACK.replace(b"MSA|", b"msa|"), READ, READ, READ, id="nom en minuscules"),
        pytest.param(ACK.replace(b"\r", b"\n"), READ, READ, READ, id="fins de ligne d'Unix"),
        pytest.param(ACK + ACK, READ, READ, READ, id="deux messages"),
    ],
)  # fmt: skip
def test_who_refuses_what(data: bytes, us: bool, hl7: bool, hl7apy: bool) -> None:
    """Read or refused, we say something of each: nothing that a stranger refuses passes."""
    theirs = _library("hl7").exceptions.HL7Exception
    assert _refuses(_by_us, data, RemoteProtocolError) is us
    assert _refuses(_by_hl7, data, (theirs, AssertionError, UnicodeDecodeError)) is hl7
    base = _library("hl7apy.exceptions").HL7apyException
    assert _refuses(_by_hl7apy, data, (base, UnicodeDecodeError)) is hl7apy
    assert noticed(data, "ack")


def _refuses(
    read: Callable[[bytes], Values],
    data: bytes,
    errors: type[Exception] | tuple[type[Exception], ...],
) -> bool:
    try:
        read(data)
    except errors:
        return True
    return False
