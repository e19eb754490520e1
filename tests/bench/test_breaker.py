"""A box that is gone is not driven into forty deadlines; one that behaves badly is judged."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.breaker import Breaker, silence
from bench.campaign import Options, play
from bench.process import ChildBox
from bench.profile import Claims, ConsumerBox, Profile, SourceBox, Timing
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from wire.exchange import Direction, Exchange, Outcome, stamp

SOURCE = frozenset({"source"})
QUICK = Timing(ack_s=1.0, effect_s=1.0, retry_window_s=0.0)


def exchange(outcome: Outcome, transaction: str = "ORU^R01") -> Exchange:
    utc, mono = stamp()
    return Exchange(
        protocol="MLLP", actor="ris", peer="source", direction=Direction.OUT, outcome=outcome,
        connection="1", utc=utc, mono_start=mono, mono_end=mono, transaction=transaction,
    )  # fmt: skip


@dataclass
class Addresses:
    """A bed whose boxes are known by their addresses alone."""

    source: dict[str, str] = field(default_factory=dict)
    consumer: dict[str, str] = field(default_factory=dict)
    counterpart: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, ChildBox] = field(default_factory=dict)


@contextmanager
def listening(*, answers: bool) -> Iterator[str]:
    """A port where each connection is closed at once, or accepted and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up, daemon=True)
        if answers:
            thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        if answers:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def closed() -> str:
    """An address where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_signs_of_life() -> None:
    with listening(answers=True) as address:
        assert silence(address, tls=True, deadline_s=5) == ""
        assert silence(address, tls=False, deadline_s=5) == ""
    with listening(answers=False) as address:
        assert silence(address, tls=False, deadline_s=5) == ""
        assert "aucune réponse" in silence(address, tls=True, deadline_s=0.1)
    assert silence(closed(), tls=True, deadline_s=5) == "connexion refusée"


def test_several_silent_scenarios_and_no_sign_of_life() -> None:
    bed = Addresses(source={"mllp": closed(), "wado": closed()})
    breaker = Breaker(2, 1.0)
    dumb = [exchange(Outcome.REFUSED)]
    assert breaker.concluded("SCN-1", SOURCE, dumb, bed) == []
    assert breaker.concluded("SCN-2", SOURCE, [exchange(Outcome.ANSWERED)], bed) == []
    assert breaker.concluded("SCN-3", SOURCE, [exchange(Outcome.TIMED_OUT)], bed) == []
    assert breaker.concluded("SCN-4", SOURCE, [], bed) == []  # nothing asked says nothing
    assert breaker.stops(SOURCE, bed) == ""
    assert breaker.concluded("SCN-5", SOURCE, dumb, bed) == ["source"]
    reason = breaker.stops(SOURCE, bed)
    assert bed.source["mllp"] in reason
    assert "depuis SCN-3 : connexion refusée" in reason
    assert breaker.stops({"consumer"}, bed) == ""


def test_a_box_that_hangs_up_is_judged_not_lost() -> None:
    with listening(answers=True) as address:
        bed = Addresses(source={"mllp": address, "wado": address})
        breaker = Breaker(1, 5.0)
        for number in range(5):
            assert (
                breaker.concluded(f"SCN-{number}", SOURCE, [exchange(Outcome.ABORTED)], bed) == []
            )
        assert breaker.lost == {}


def test_a_box_that_hangs_is_lost() -> None:
    with listening(answers=False) as address:
        bed = Addresses(source={"mllp": address, "wado": address})
        breaker = Breaker(1, 0.1)
        assert breaker.concluded("SCN-1", SOURCE, [exchange(Outcome.TIMED_OUT)], bed) == ["source"]


def test_a_consumer_without_the_only_source_has_nobody_to_call() -> None:
    bed = Addresses(source={"mllp": closed()})
    breaker = Breaker(1, 1.0)
    breaker.concluded("SCN-1", SOURCE, [exchange(Outcome.REFUSED)], bed)
    assert breaker.stops({"consumer"}, bed) == ""
    bed.counterpart = bed.source
    assert "la Source" in breaker.stops({"consumer"}, bed)


def test_zero_never_gives_up() -> None:
    breaker, bed = Breaker(0, 1.0), Addresses(source={"mllp": closed()})
    for number in range(4):
        assert not breaker.concluded(f"SCN-{number}", SOURCE, [exchange(Outcome.REFUSED)], bed)


DIES = """
import json, os, pathlib, socket, sys
names = ("mllp", "wado", "dicom", "admin")
doors = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
told = {name: "127.0.0.1:%d" % one.getsockname()[1] for name, one in doors.items()}
pathlib.Path(sys.argv[1]).write_text(json.dumps({"pid": os.getpid(), **told}))
doors["mllp"].accept()
os._exit(3)
"""


def test_a_process_that_ends_is_driven_no_more(tmp_path: Path) -> None:
    script = tmp_path / "boite.py"
    script.write_text(DIES)
    profile = Profile(claims=Claims(consumer=False), timing=QUICK)
    command = (sys.executable, str(script), "{ready}")
    run = play(
        Options(
            features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=profile,
            only=("SCN-PUB-01", "SCN-PUB-02", "SCN-IMG-01", "SCN-CON-01"), source_command=command,
        )
    )  # fmt: skip
    first, second, third, other = run.scenarios
    assert first.verdict is Verdict.FAIL
    # A process takes its time to end: one more scenario may meet it.
    assert second.verdict in (Verdict.FAIL, Verdict.SKIP)
    assert (third.verdict, other.verdict) == (Verdict.SKIP, Verdict.OMIT)
    reason = third.reason
    assert "depuis SCN-PUB-01" in reason
    assert "code 3" in reason
    assert reason in run.notes
    assert run.verdict is Verdict.FAIL


@pytest.mark.slow
def test_an_address_where_nobody_is(tmp_path: Path) -> None:
    source = SourceBox(mllp=closed(), wado=closed(), dicom=closed())
    profile = Profile(
        claims=Claims(consumer=False), source=source, consumer=ConsumerBox(), timing=QUICK
    )
    run = play(
        Options(
            features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=profile,
            only=("publication",),
        )
    )  # fmt: skip
    claimed = [one for one in run.scenarios if one.verdict is not Verdict.OMIT]
    left = [one for one in run.scenarios if "ne répond plus" in one.reason]
    assert left == claimed[2:]
    assert {one.verdict for one in left} == {Verdict.SKIP}
    assert (
        f"la Source ({source.mllp}) ne répond plus depuis {run.scenarios[0].id}" in left[0].reason
    )
