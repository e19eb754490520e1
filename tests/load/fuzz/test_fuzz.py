"""Campaigns that find what is wrong, make it small and leave the proof; cases told by a seed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.process import ChildBox
from bench.profile import EMBEDDED, Fuzz, Profile, SourceBox
from load.fuzz import seeds
from load.fuzz.campaign import Campaign, Limits
from load.fuzz.doors import Door
from load.fuzz.exchange import Socketry, dimse_complete, dimse_echoed, filled, http_complete
from load.fuzz.keeping import keep
from load.fuzz.minimising import minimised
from load.fuzz.mutation import DIMSE, HL7, HTTP, LARGEST, SOAP, Grammar, case_of
from load.fuzz.running import check
from load.fuzz.vitals import Vitals, growing
from protocols.mllp import frame

WORD = "ZKIT"
VALID = frame(b"MSH|^~\\&|A|B|C|D\rPID|1|" + WORD.encode() + b"|x^y\rOBX|1|ED|PDF\r")
CALM = frame(b"MSH|^~\\&|A|B|C|D\rPID|1|calme\r")


@pytest.fixture
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Door, str]]:
    kind = str(request.param)
    script = Path(__file__).with_name("wrong_box.py")
    config = tmp_path / "none.toml"
    config.touch()
    box = ChildBox("source", [sys.executable, str(script), "{ready}", kind, WORD], config, tmp_path)
    box.start()

    def where() -> Socketry:
        host, _, port = box.addresses["mllp"].rpartition(":")
        return Socketry(host, int(port))

    def restart() -> None:
        box.kill()
        box.start()

    yield (
        Door(
            name="mllp",
            grammar=HL7,
            seeds=((CALM,), (VALID,)),
            where=where,
            values=dict,
            complete=lambda data: b"\x1c\r" in data,
            right=lambda data: b"MSA|AA" in data,
            box=box,
            restart=restart,
            pid=lambda: box.pid,
            http=False,
        ),
        kind,
    )
    box.kill()
    box.stop()


@pytest.mark.parametrize("wrong", ["crash", "hang", "twin", "trace"], indirect=True)
def test_what_breaks_a_box_is_found_made_small_and_kept(
    wrong: tuple[Door, str], tmp_path: Path
) -> None:
    door, kind = wrong
    limits = Limits(count=8, batch=4, patience_s=0.1, deadline_s=0.5, minimise_s=3.0)
    campaign = Campaign([door], 3, limits)
    campaign.play()
    assert kind in {one.kind for one in campaign.findings}
    found = next(one for one in campaign.findings if one.kind == kind)
    assert kind != "trace" or found.what == "KeyError: 'OBX'"
    assert WORD.encode() in b"".join(found.smallest)
    assert len(b"".join(found.smallest)) <= len(b"".join(found.pieces))

    document = keep(campaign, 3, tmp_path / "run")
    assert not document["conform"]
    written = json.loads((tmp_path / "run" / "fuzz.json").read_text(encoding="utf-8"))
    listed = next(one for one in written["findings"] if one["kind"] == kind)
    assert listed["replay"] == f"drimbench fuzz mllp --seed 3 --only {found.index}"
    folder = Path(listed["folder"])
    assert (folder / "minimal-1.bin").read_bytes() == found.smallest[0]
    assert "Pour rejouer" in (folder / "transcription.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", ["half"], indirect=True)
def test_a_listener_that_never_lets_go_is_found(wrong: tuple[Door, str]) -> None:
    door, _ = wrong
    calm = seeds.dimse("CALM")
    door.name, door.grammar, door.seeds = "dimse", DIMSE, (calm[0], seeds.dimse(WORD)[0])
    door.complete, door.right = dimse_complete, dimse_echoed
    limits = Limits(count=8, batch=4, patience_s=0.1, deadline_s=0.5, minimise_s=2.0)
    campaign = Campaign([door], 3, limits)
    campaign.play()
    assert {one.kind for one in campaign.findings} == {"hang"}
    assert WORD.encode() in b"".join(campaign.findings[0].smallest)
    assert campaign.played["dimse"].twins == 2


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process uses")
@pytest.mark.parametrize("wrong", ["growth"], indirect=True)
def test_a_leak_is_a_trend(wrong: tuple[Door, str]) -> None:
    door, _ = wrong
    campaign = Campaign([door], 3, Limits(count=32, batch=2, patience_s=0.1, deadline_s=2.0))
    campaign.play()
    assert [one.kind for one in campaign.findings] == ["growth"]


def test_a_peak_is_no_trend() -> None:
    flat = [Vitals(number, 100_000, 40, 9) for number in range(40)]
    assert growing(flat) == ""
    flat[20] = Vitals(20, 900_000, 900, 900)
    assert growing(flat) == ""
    assert "descripteurs" in growing([Vitals(n, 100_000, 40 + 10 * n, 9) for n in range(40)])


def test_a_case_is_played_again_alone(tmp_path: Path) -> None:
    made = [seeds.seeded(7, EMBEDDED) for _ in range(2)]
    doors: tuple[tuple[str, Grammar, list[seeds.Seeds]], ...] = (
        ("mllp", HL7, [seeds.mllp(one) for one in made]),
        ("wado", HTTP, [seeds.wado(one) for one in made]),
        ("drim-call", HTTP, [seeds.drim_call(one) for one in made]),
        ("dimse", DIMSE, [seeds.dimse("DRIMBOX")] * 2),
        ("soap", SOAP, [seeds.soap()] * 2),
        ("oidc", HTTP, [seeds.oidc("/psc/logout")] * 2),
    )
    for name, grammar, (first, second) in doors:
        cases = [case_of(name, grammar, first, 7, index) for index in range(60)]
        again = [case_of(name, grammar, second, 7, index) for index in reversed(range(60))]
        assert cases == again[::-1]
        assert len(set(cases)) > 50
        assert all(len(piece) <= LARGEST for case in cases for piece in case)
        assert sum(case not in first for case in cases) > 50


def test_the_smallest_conversation() -> None:
    found = minimised((b"hello", b"a" * 300 + b"X" + b"b" * 300), lambda one: b"X" in b"".join(one))
    assert found == (b"X",)


def test_the_length_is_told_after_the_body_was_struck() -> None:
    sent = filled(b"POST / HTTP/1.1\r\nContent-Length: @LENGTH@\r\n\r\n@A@", {b"@A@": b"12345"})
    assert b"Content-Length: 5\r\n" in sent


def test_an_answer_is_whole_by_its_length_or_its_last_chunk() -> None:
    assert not http_complete(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
    assert http_complete(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    assert http_complete(b"HTTP/1.1 200 OK\r\n\r\n1\r\na\r\n0\r\n\r\n")


def test_an_association_is_right_when_its_echo_succeeded() -> None:
    accept, release = b"\x02\0\0\0\0\0", b"\x06\0\0\0\0\x04\0\0\0\0"
    fields = b"\0\0\0\x01\x02\0\0\0\x30\x80" + b"\0\0\0\x09\x02\0\0\0"
    success, failure = (b"\x04\0\0\0\0\x14" + fields + code for code in (b"\0\0", b"\x22\x01"))
    assert dimse_echoed(accept + success + release)
    assert not dimse_echoed(accept + failure + release)
    assert not dimse_echoed(accept + release)
    assert dimse_complete(accept + release)
    assert not dimse_complete(accept + success + release[:-1])


def test_a_box_elsewhere_is_struck_only_when_it_is_named() -> None:
    source = SourceBox(mllp="10.0.0.5:2575", wado="10.0.0.5:443", dicom="10.0.0.5:104")
    with pytest.raises(BenchError, match=r"source\.mllp = 10\.0\.0\.5.*fuzz\.hosts"):
        check(Profile(source=source), ["mllp"])
    check(Profile(source=source, fuzz=Fuzz(hosts=("10.0.0.5",))), ["mllp", "wado", "dimse"])
    check(Profile(source=SourceBox(mllp="127.0.0.1:2575", wado="127.0.0.1:443")), ["wado"])
