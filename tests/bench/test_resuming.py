"""An interrupted campaign goes on where it was: what is concluded is kept, the rest is fresh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bench.assemble import load
from bench.campaign import Options
from bench.errors import BenchError
from bench.journal import Journal
from bench.outcomes import Failure
from bench.profile import EMBEDDED, Profile
from bench.resuming import find_interrupted, resume
from bench.sessions import Session
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from tests.bench.written import write_run
from wire.shard import Shard

PLAN = ("SCN-PUB-01", "SCN-PUB-02", "SCN-PUB-03")
PROFILE = {"name": EMBEDDED.name, "sha256": EMBEDDED.digest()}


def options(**changes: object) -> Options:
    return Options(features=FEATURES, steps=STEP_MODULES, **changes)  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(
        tmp_path, "a", {"SCN-PUB-01": None}, ended=False, plan=PLAN, profile=PROFILE, report=""
    )


def begin(run: Path, scenario: str, *, identifiers: dict[str, str], end: str | None) -> None:
    """A scenario of a further shard; `end` is its verdict."""
    with closing(Shard(run, "bench")) as shard:
        shard.write(
            "scenario.start", scenario=scenario, title="T", feature="F", domain="publication",
            requirements=["DB.SO.12"], roles=["source"],
        )  # fmt: skip
        shard.write("case", scenario=scenario, identifiers=identifiers, public=identifiers)
        failure = None if end else Failure.NOT_MET.value
        shard.write(
            "expectation", scenario=scenario, step=0, what="l'effet", met=end is not None,
            requirements=[], exchanges=[], expected="", actual="", deadline_s=None,
        )  # fmt: skip
        shard.write(
            "step", scenario=scenario, index=0, keyword="Alors", kind="then", text="t",
            failure=failure, message="", started="", mono_start=0.0,
        )  # fmt: skip
        if end:
            shard.write("scenario.end", scenario=scenario, verdict=end)


def test_what_is_left_is_played_with_other_identifiers(run: Path, tmp_path: Path) -> None:
    begin(run, "SCN-PUB-02", identifiers={}, end=None)
    assert find_interrupted("", tmp_path) == run
    left = resume(run, options())
    assert left is not None
    assert left.only == ("SCN-PUB-02", "SCN-PUB-03")
    assert left.session is not None
    first = Session(directory=run, seed=1)
    assert (left.session.seed, left.session.go) == (1, 2)
    assert left.session.case_seed != first.case_seed
    assert left.session.bed_seed != first.bed_seed
    assert left.session.workplace != first.workplace
    third = resume(run, options())
    assert third is not None
    assert third.session is not None
    assert third.session.go == 3


def test_a_try_that_was_cut_does_not_count(run: Path) -> None:
    begin(run, "SCN-PUB-02", identifiers={"le patient": "PATIENT-DU-PREMIER"}, end=None)
    assert resume(run, options()) is not None
    begin(run, "SCN-PUB-02", identifiers={"le patient": "PATIENT-DU-SECOND"}, end="pass")
    begin(run, "SCN-PUB-03", identifiers={}, end="pass")
    assert resume(run, options()) is None  # only the end was missing
    whole = load(run)
    assert [one.id for one in whole.scenarios] == list(PLAN)
    assert whole.verdict is Verdict.PASS
    assert not whole.interrupted
    assert whole.scenarios[1].case == {"le patient": "PATIENT-DU-SECOND"}
    assert len(whole.scenarios[1].steps) == 1


def test_a_scenario_without_end_is_not_verified(run: Path) -> None:
    with closing(Shard(run, "bench")) as shard:
        shard.write(
            "scenario.start", scenario="SCN-PUB-02", title="T", feature="F", domain="publication",
            requirements=[], roles=["source"],
        )  # fmt: skip
    cut = load(run)
    assert [one.verdict for one in cut.scenarios] == [Verdict.PASS, Verdict.SKIP]
    assert cut.unplayed == ("SCN-PUB-03",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"profile": Profile(name="autre")}, "autre profil"),
        ({"seed": 2}, "attendu 1, trouvé 2"),
        ({"only": ("SCN-PUB-01",)}, "en écart : SCN-PUB-02, SCN-PUB-03"),
        ({"only": PLAN, "report": Path(__file__)}, "autre --report"),
    ],
)
def test_another_campaign_is_refused(run: Path, changes: dict[str, object], told: str) -> None:
    before = sorted((run / "journal").iterdir())
    with pytest.raises(BenchError, match=told):
        resume(run, options(**changes))
    assert sorted((run / "journal").iterdir()) == before


def test_a_whole_run_has_nothing_left(tmp_path: Path) -> None:
    whole = write_run(tmp_path, "a", {"SCN-PUB-01": None}, profile=PROFILE)
    with pytest.raises(BenchError, match="complète"):
        resume(whole, options())
    with pytest.raises(BenchError, match="aucune campagne interrompue"):
        find_interrupted("", tmp_path)


def test_a_machine_that_started_again_in_between(run: Path) -> None:
    assert resume(run, options()) is not None
    begin(run, "SCN-PUB-02", identifiers={}, end="pass")
    begin(run, "SCN-PUB-03", identifiers={}, end="pass")
    assert resume(run, options()) is None
    told = [event.type for event in Journal(run).events]
    shards = {
        shard: [json.loads(line) for line in shard.read_text().splitlines()]
        for shard in (run / "journal").iterdir()
    }
    later = sorted(
        (shard for shard, lines in shards.items() if lines[0]["type"] != "run.start"),
        key=lambda shard: float(shards[shard][0]["mono"]),
    )
    for minutes, shard in enumerate(later, 1):
        booted, lines = shards[shard][0]["mono"], shards[shard]
        moved = [
            {
                **line,
                "mono": line["mono"] - booted,
                "utc": (
                    datetime.fromisoformat(line["utc"]) + timedelta(minutes=minutes)
                ).isoformat(),
            }
            for line in lines
        ]
        shard.write_text("".join(json.dumps(line) + "\n" for line in moved))
    assert [event.type for event in Journal(run).events] == told
    assert load(run).verdict is Verdict.PASS


def drimbench(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "drimbench", "run", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"},
    )


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ctrl-c twice", "kill -9"])
def test_interrupted_then_resumed(tmp_path: Path, how: str) -> None:
    words = ("SCN-REF-05", "SCN-REF-06", "SCN-PUB-03")
    playing = drimbench(tmp_path, *words)
    assert playing.stderr is not None
    assert any("✓ SCN-PUB-03" in line for line in playing.stderr)
    if how == "kill -9":
        playing.kill()
    else:
        playing.send_signal(signal.SIGINT)
        playing.send_signal(signal.SIGINT)
    playing.communicate(timeout=60)
    assert playing.returncode == (-signal.SIGKILL if how == "kill -9" else 130)
    (folder,) = (tmp_path / "runs").iterdir()
    cut = load(folder)
    assert cut.interrupted
    seen = cut.scenarios[0]

    going_on = drimbench(tmp_path, "--resume", "--json")
    printed, errors = going_on.communicate(timeout=120)
    assert going_on.returncode == 0, errors
    document = json.loads(printed)
    assert {one["id"]: one["verdict"] for one in document["scenarios"]} == dict.fromkeys(
        words, "pass"
    )
    assert document["seed"] == cut.seed
    whole = load(folder)
    assert whole.scenarios[0].id == seen.id == "SCN-PUB-03"
    assert whole.scenarios[0].case == seen.case
    assert whole.scenarios[0].steps == seen.steps
    assert sorted((tmp_path / "runs").iterdir()) == [folder]
    refused = drimbench(tmp_path, "--resume", "@1")
    assert "complète" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 64
