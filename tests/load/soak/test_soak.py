"""The short soak of `make test`, and the proof that a soak can fail."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from load.soak import __main__ as command
from load.soak import driving
from load.soak.driving import Telling
from load.soak.expected import Kind, State
from load.soak.pages import Pages
from load.soak.playing import Outcome, Soak, play
from load.soak.telling import as_document, replay

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[3]
_WRONG = Path(__file__).with_name("wrong_source.py")
_STARTED = ("--config", "{config}", "--ready", "{ready}")


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def short(*given: str, reports: int, kills: int) -> Outcome:
    soak = Soak(
        seed=5, reports=reports, senders=4, kills=kills, command=given, window=16, patience_s=20.0
    )
    return play(soak, quiet)


def told(outcome: Outcome) -> str:
    return json.dumps(as_document(outcome), ensure_ascii=False, indent=1)


def kinds(outcome: Outcome) -> set[Kind]:
    return {one.kind for one in outcome.judgement.differences}


def test_sixty_reports_and_two_kills_lose_nothing() -> None:
    outcome = play(Soak(seed=81, reports=60, kills=2, window=20), quiet)
    assert outcome.conform, told(outcome)
    assert outcome.played.kills.total() == 2
    assert sum(code == "AA" for code in outcome.played.acknowledged.values()) == 60
    judged = outcome.judgement
    assert judged.found[State.IN_FORCE] == judged.expected > 0
    # It was worth playing.
    assert judged.found[State.REPLACED]
    assert judged.found[State.WITHDRAWN]
    assert len(outcome.played.faults) > 5
    assert outcome.exchanges["ITI-57"]


def test_a_source_that_acknowledges_before_the_disk_loses_reports() -> None:
    outcome = short("{python}", str(_WRONG), *_STARTED, reports=24, kills=3)
    assert not outcome.conform
    assert kinds(outcome) & {Kind.FORGOTTEN, Kind.LOST}, told(outcome)
    assert all(one.about and one.text for one in outcome.judgement.differences)


def test_a_source_that_does_not_know_a_message_again_publishes_twice() -> None:
    outcome = short("{python}", "-m", "mutants", "republie-le-meme", *_STARTED, reports=16, kills=0)
    assert not outcome.conform
    assert Kind.DUPLICATE in kinds(outcome), told(outcome)


def test_the_command_says_it_to_a_machine(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    kept = tmp_path / "gardé"
    options = ["--seed", "3", "--reports", "8", "--senders", "2", "--kills", "1"]
    code = command.main([*options, "--keep", str(kept), "--json"])
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert code == 0, shown.out
    assert document["conform"]
    assert document["kills"]
    assert document["differences"] == []
    assert document["replay"] == f"python -m load.soak {' '.join(options)}"
    assert "graine 3" in shown.err
    assert list(kept.glob("journal/*.ndjson"))
    assert (kept / "dmp.sqlite").exists()
    again = command.main([*options, "--keep", str(kept)])
    assert again == 64
    assert "n'est pas vide" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT : POSIX seulement")
def test_ctrl_c_ends_it_and_what_it_started(tmp_path: Path) -> None:
    kept = tmp_path / "run"
    playing = subprocess.Popen(
        [sys.executable, "-m", "load.soak", "--seed", "4", "--reports", "500", "--keep", str(kept)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=_ROOT,
        text=True,
    )
    assert playing.stderr is not None
    for line in playing.stderr:
        if line.startswith("envoi"):
            break
    source = json.loads((kept / "boxes" / "source.ready.json").read_text())["pid"]
    playing.send_signal(signal.SIGINT)
    out, err = playing.communicate(timeout=60)
    assert playing.returncode == 130, err
    assert out == ""
    assert "interrompue (graine 4)" in err
    with pytest.raises(ProcessLookupError):
        os.kill(source, 0)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--reports", "3"], "--reports"),
        (["--kills", "21", "--reports", "20"], "--reports"),
        (["--senders", "0"], "--senders"),
        (["--seed", "x"], "--seed"),
        (["--color"], "--color"),
    ],
)
def test_what_cannot_be_asked_is_usage(
    given: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(given) == 64
    assert named in capsys.readouterr().err


def test_a_source_that_does_not_start_is_no_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    broken = "{python} -c 'exit(\"pas aujourd hui\")' {config} {ready}"
    assert command.main(["--reports", "8", "--kills", "0", "--source", broken]) == 70
    assert "pas aujourd hui" in capsys.readouterr().err


def test_a_fault_of_the_bench_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(soak: Soak, tell: Telling) -> Outcome:
        raise ExceptionGroup("senders", [RuntimeError("sender 3")])

    monkeypatch.setattr(command, "play", broken)
    assert command.main(["--reports", "20"]) == 70
    assert "sender 3" in capsys.readouterr().err


def test_a_source_without_pages_is_judged_by_the_dmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "Pages", lambda _address: Pages(""))
    soak = Soak(seed=9, reports=12, senders=3, kills=1, patience_s=6.0)
    outcome = play(soak, quiet)
    assert outcome.conform, told(outcome)
    assert outcome.played.backlog is None
    assert outcome.judgement.found[State.IN_FORCE] == outcome.judgement.expected > 0


def test_another_source_is_named_in_what_plays_it_again() -> None:
    soak = Soak(seed=1, command=("{python}", "my source.py", "{config}", "{ready}"))
    words = replay(soak)
    assert words.startswith("python -m load.soak --seed 1 --reports 2000 --senders 8 --kills 20")
    (given,) = shlex.split(words)[-1:]
    assert tuple(shlex.split(given)) == soak.command
