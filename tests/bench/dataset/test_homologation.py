"""A homologation set: filled and nothing else, read without trusting it, sent in order."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pybase64
import pytest
import tomli_w
from anyio.from_thread import start_blocking_portal
from hypothesis import given
from hypothesis import strategies as st

from bench.dataset import homologation
from bench.dataset.homologation import Kind, Message, Set, ready, values_of
from bench.dataset.prepared import prepare
from bench.dataset.sending import Delivery, deliver, without_twins
from bench.dataset.situations import SITUATIONS
from bench.dataset.template import TemplateError, fill, placeholders, wire
from bench.errors import BenchError
from bench.journal import Journal
from bench.profile import EMBEDDED
from bench.site import site_of
from protocols import hl7v2
from validators.api import validate
from wire.exchange import Exchange, ignore
from wire.mllp import PeerInfo, serve_mllp

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
FIVE = (
    "applicationSupplier",
    "facilitySupplier",
    "applicationReceiver",
    "facilityReceiver",
    "idMessage",
)


def official(message: bytes) -> bytes:
    """One of our messages as the official set writes it: LF, and places to fill in MSH."""
    segments = message.decode().removesuffix("\r").split("\r")
    fields = segments[0].split("|")
    fields[2:6] = [f"{{{{{name}}}}}" for name in FIVE[:4]]
    fields[6] = fields[9] = "{{idMessage}}"
    return "\n".join(["|".join(fields), *segments[1:]]).encode()


@pytest.fixture(scope="module")
def messages() -> dict[str, bytes]:
    """Name of a file -> a message: creation and deletion of one report, in both forms."""
    prepared = prepare(
        SITUATIONS["depublication"], seed=1, day=date(2026, 11, 20), site=site_of(EMBEDDED)
    )
    document = prepared.report(1).document()
    return {
        f"{name}-{form}.hl7": prepared.message(number, form, document)
        for number, name in ((1, "CR_I"), (2, "CR_I_Depublication"))
        for form in ("ORU", "MDM")
    }


@pytest.fixture
def folder(messages: dict[str, bytes], tmp_path: Path) -> Path:
    root = tmp_path / "HL7v2"
    (root / "Examen I").mkdir(parents=True)
    for name, message in messages.items():
        (root / "Examen I" / name).write_bytes(official(message))
    return root


def read(folder: Path, **given: str) -> list[Message]:
    return list(ready(Set.read(folder), values_of(given, moment=lambda: NOW)))


# Filling ---------------------------------------------------------------------------------------

PIECE = st.binary(max_size=40).filter(lambda data: b"{{" not in data and b"}}" not in data)
NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,20}", fullmatch=True)
VALUE = st.text(st.characters(min_codepoint=0x20, codec="utf-8"), max_size=20).filter(
    lambda text: "\x7f" not in text
)


@given(st.lists(st.tuples(PIECE, NAME)), PIECE, st.dictionaries(NAME, VALUE))
def test_filling_alters_nothing_but_the_places(
    pieces: list[tuple[bytes, str]], last: bytes, values: dict[str, str]
) -> None:
    # A brace that a piece ends or begins with would belong to the place.
    pieces = [(piece.strip(b"{}"), name) for piece, name in pieces]
    last = last.strip(b"{}")
    template = b"".join(piece + b"{{%s}}" % name.encode() for piece, name in pieces) + last
    filled = fill(template, values)
    for piece, name in pieces:
        assert filled.startswith(piece)
        filled = filled.removeprefix(piece)
        place = b"{{%s}}" % name.encode()
        written = place if name not in values else fill(place, values)
        assert filled.startswith(written)
        filled = filled.removeprefix(written)
    assert filled == last
    assert [one.name for one in placeholders(template)] == [name for _, name in pieces]


@given(VALUE)
def test_a_value_is_read_back_as_it_was_given(value: str) -> None:
    template = b"MSH|^~\\&|{{a}}|B||||||1|P|2.5\rPID|1\r"
    message = hl7v2.parse(fill(template, {"a": value}))
    assert message.value("MSH-3.1") == value
    assert message.value("MSH-4") == "B"


@given(st.lists(st.binary(min_size=1).filter(lambda d: not re.search(rb"[\r\n]", d)), min_size=1))
def test_line_feeds_become_the_ends_of_segments_and_back(lines: list[bytes]) -> None:
    lines[0] = b"MSH" + lines[0]
    for ending in (b"\n", b"\r\n", b"\r"):
        sent = wire(ending.join(lines))
        assert sent == b"".join(line + b"\r" for line in lines)
        assert wire(sent) == sent
        assert sent.replace(b"\r", b"\n") == b"".join(line + b"\n" for line in lines)


@given(st.binary(max_size=400))
def test_hostile_bytes_are_only_filled(data: bytes) -> None:
    assert fill(data, {}) == data
    assert wire(wire(data)) == wire(data)
    assert all(one.line >= 1 for one in placeholders(data))


def test_a_line_feed_inside_a_segment_is_left_where_carriage_returns_end_them() -> None:
    assert wire(b"MSH|a\rOBX|b\nc\r") == b"MSH|a\rOBX|b\nc\r"


@pytest.mark.parametrize("value", ["deux\rlignes", "a\x00", "\x0b"])
def test_a_value_that_would_break_the_message_is_refused(value: str) -> None:
    with pytest.raises(TemplateError, match="valeur d'une ligne"):
        fill(b"{{a}}", {"a": value})


def test_a_value_that_the_charset_cannot_write_is_refused() -> None:
    with pytest.raises(TemplateError, match="8859"):
        fill(b"{{a}}", {"a": "日本"}, charset="8859/15")


# The set ---------------------------------------------------------------------------------------


def test_the_messages_of_a_set_are_made_conform_and_carry_their_report_unchanged(
    folder: Path, messages: dict[str, bytes]
) -> None:
    made = read(folder)
    assert [one.file.path.name for one in made] == [
        "CR_I-MDM.hl7",
        "CR_I-ORU.hl7",
        "CR_I_Depublication-MDM.hl7",
        "CR_I_Depublication-ORU.hl7",
    ]
    for one in made:
        assert not one.unknown
        assert not one.trouble
        assert not validate(one.data, one.form.lower()).findings
        ours, theirs = hl7v2.parse(messages[one.file.path.name]), hl7v2.parse(one.data)
        assert [s.raw for s in theirs.segments[1:]] == [s.raw for s in ours.segments[1:]]
    ids = [hl7v2.parse(one.data).value("MSH-10") for one in made]
    assert len(set(ids)) == len(ids)


def test_twins_are_played_once(folder: Path) -> None:
    made = read(folder)
    # Both steps carry the same report: a twin is one of the other form.
    assert [one.form for one in without_twins(made, "ORU")] == ["ORU", "ORU"]
    assert [one.form for one in without_twins(made, "MDM")] == ["MDM", "MDM"]
    (folder / "Examen I" / "CR_I-ORU.hl7").unlink()
    (folder / "Examen I" / "CR_I_Depublication-ORU.hl7").unlink()
    assert len(without_twins(read(folder), "ORU")) == 2


def test_what_nobody_filled_is_named_with_its_file_and_line(folder: Path) -> None:
    file = folder / "Examen I" / "CR_I-ORU.hl7"
    file.write_bytes(file.read_bytes().replace(b"|VALI", b"|{{statut}}", 1))
    (one,) = [one for one in read(folder) if one.unknown]
    assert one.file.path == file
    assert [(place.name, place.line) for place in one.unknown] == [("statut", 2)]
    assert not [one for one in read(folder, statut="VALI") if one.unknown]


def test_the_report_beside_a_message_is_carried(folder: Path) -> None:
    file = folder / "Examen I" / "CR_I-ORU.hl7"
    message = hl7v2.parse(file.read_bytes())
    carried = message.value("OBX-5.5").encode()
    file.write_bytes(file.read_bytes().replace(carried, b"{{cda}}"))
    document = pybase64.b64decode(carried)
    (folder / "Examen I" / "CR_I.xml").write_bytes(document)
    (folder / "Examen I" / "CR_J.xml").write_bytes(document.replace(b"KIT-", b"AUT-"))
    (one,) = [one for one in read(folder) if one.file.path == file]
    assert pybase64.b64decode(hl7v2.parse(one.data).value("OBX-5.5")) == document
    (folder / "Examen I" / "CR_I.xml").unlink()
    (folder / "Examen I" / "CR_K.xml").write_bytes(document)
    (one,) = [one for one in read(folder) if one.file.path == file]
    assert [place.name for place in one.unknown] == ["cda"]


def test_places_inside_a_report_are_told_and_left(folder: Path) -> None:
    file = folder / "Examen I" / "CR_I-ORU.hl7"
    carried = hl7v2.parse(file.read_bytes()).value("OBX-5.5").encode()
    inner = pybase64.b64encode(b"<ClinicalDocument>\n{{idMessage}}</ClinicalDocument>")
    file.write_bytes(file.read_bytes().replace(carried, inner))
    (one,) = [one for one in read(folder) if one.file.path == file]
    assert [(place.name, place.line) for place in one.inside] == [("idMessage", 2)]
    assert hl7v2.parse(one.data).value("OBX-5.5").encode() == inner


def test_a_report_that_is_no_base64_is_told(folder: Path) -> None:
    file = folder / "Examen I" / "CR_I-ORU.hl7"
    file.write_bytes(file.read_bytes().replace(b"^Base64^", b"^Base64^*"))
    (one,) = [one for one in read(folder) if one.file.path == file]
    assert "base64" in one.trouble


# Hostile folders -------------------------------------------------------------------------------


def test_links_that_leave_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.hl7"
    secret.write_bytes(b"MSH|^~\\&|A")
    (folder / "vers.hl7").symlink_to(secret)
    (folder / "dossier").symlink_to(tmp_path)
    (folder / "perdu.hl7").symlink_to(folder / "nulle-part")
    (folder / "dedans.hl7").symlink_to(folder / "Examen I" / "CR_I-ORU.hl7")
    found = Set.read(folder)
    refused = {one.name: one.why for one in found.refused}
    assert refused.keys() == {"vers.hl7", "dossier", "perdu.hl7"}
    assert "sort du dossier" in refused["vers.hl7"]
    assert "dedans.hl7" in [one.name for one in found.of(Kind.MESSAGE)]


@pytest.mark.parametrize("content", [b"\0" * 64, b"MSH\0|", b"\x7fELF", b"", b"PK\x03\x04"])
def test_a_message_file_that_holds_no_message_is_refused(folder: Path, content: bytes) -> None:
    (folder / "faux.hl7").write_bytes(content)
    (refused,) = Set.read(folder).refused
    assert refused.name == "faux.hl7"
    assert "message HL7v2" in refused.why


def test_what_is_no_plain_file_or_is_too_large_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "tuyau.hl7")
    (folder / "gros.hl7").write_bytes(b"MSH|^~\\&|" + b"A" * 400_000)
    monkeypatch.setattr(homologation, "LARGEST_TEXT", 300_000)
    refused = {one.name: one.why for one in Set.read(folder).refused}
    assert "ni fichier ordinaire" in refused["tuyau.hl7"]
    assert "300000 au plus" in refused["gros.hl7"]
    monkeypatch.setattr(homologation, "MOST_FILES", 3)
    with pytest.raises(BenchError, match="plus de 3 fichiers"):
        Set.read(folder)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="dossier est attendu"):
        Set.read(tmp_path / "rien")


# Sending ---------------------------------------------------------------------------------------


class Receiver:
    """A Source that acknowledges, and refuses what it is told to."""

    def __init__(self) -> None:
        self.received: list[hl7v2.Message] = []
        self.code = "AA"

    async def __call__(self, data: bytes, _: PeerInfo) -> bytes:
        message = hl7v2.parse(data)
        self.received.append(message)
        control = message.value("MSH-10")
        head = f"MSH|^~\\&|B|B|A|A|20261122101500||ACK|{control}|T|2.5\rMSA|{self.code}|{control}\r"
        error = "ERR|||204^Unknown key identifier^HL70357|E\r" if self.code != "AA" else ""
        return (head + error).encode()


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, tuple[str, int]]]:
    source = Receiver()
    with start_blocking_portal() as portal:

        async def start() -> tuple[Callable[[], object], int]:
            server = await serve_mllp(source, actor="source", observe=ignore)
            return server.stop, server.port

        stop, port = portal.call(start)
        try:
            yield source, ("127.0.0.1", port)
        finally:
            portal.call(stop)  # type: ignore[arg-type]


def test_messages_arrive_in_order_as_they_were_made(
    folder: Path, receiver: tuple[Receiver, tuple[str, int]]
) -> None:
    source, address = receiver
    made = without_twins(read(folder), "ORU")
    seen: list[Exchange] = []
    told: list[Delivery] = []
    named = [(one.file.name, one.data) for one in made]
    sent = deliver(named, address, seen.append, timeout=10, told=told.append)
    assert [one.raw for one in source.received] == [one.data for one in made]
    assert [one.ack is not None and one.ack.accepted for one in sent] == [True, True]
    assert told == list(sent)
    assert [one.transaction for one in seen] == ["ORU^R01", "ORU^R01"]


def test_a_source_that_is_not_there_is_told_for_each_message(folder: Path) -> None:
    (one, *_) = read(folder)
    (found,) = deliver([("un", one.data)], ("127.0.0.1", 1), ignore, timeout=1, told=lambda _: None)
    assert found.ack is None
    assert found.silence


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "data", "import", str(folder), *arguments],
        cwd=folder.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_the_command_lists_refuses_and_sends(
    folder: Path, receiver: tuple[Receiver, tuple[str, int]]
) -> None:
    source, (host, port) = receiver
    profile = folder.parent / "boite.toml"
    profile.write_text(tomli_w.dumps({"source": {"mllp": f"{host}:{port}"}}))
    listed = command(folder)
    assert listed.returncode == 0, listed.stderr
    assert "4 message HL7v2" in listed.stdout
    assert not source.received

    source.code = "AR"
    refused = command(folder, "--send", "--profile", str(profile), "--json", "--only", "*Dep*")
    assert refused.returncode == 1, refused.stderr
    document = json.loads(refused.stdout)
    assert [one["ack"]["code"] for one in document["messages"]] == ["AR"]
    assert document["messages"][0]["ack"]["errors"][0]["condition"] == "204"
    (kept,) = (folder.parent / "envois").iterdir()
    (event,) = Journal(kept).of("exchange")
    assert event.fields["transaction"] == "ORU^R01"

    file = folder / "Examen I" / "CR_I-ORU.hl7"
    file.write_bytes(file.read_bytes().replace(b"{{facilityReceiver}}", b"{{inconnu}}"))
    before = len(source.received)
    stopped = command(folder, "--send", "--profile", str(profile))
    assert stopped.returncode == 64
    assert "Examen I/CR_I-ORU.hl7:1 : {{inconnu}}" in stopped.stderr
    assert command(folder).returncode == 2
    assert len(source.received) == before
