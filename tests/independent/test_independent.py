"""A Source that shares no code with us: what it does passes, what it leaves out fails by name.

Our encoders, the reference's and the simulators' might agree in a mistake; this box can share
none of them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import tomli_w

from bench.campaign import Options, play
from bench.process import ChildBox
from bench.profile import Profile, read
from bench.results import Run
from bench.verdicts import Verdict
from drimbench.origin import ROOMS
from features import FEATURES, STEP_MODULES
from tests.bench.test_external import WORLD, free_ports

pytestmark = pytest.mark.slow

HERE = Path(__file__).resolve().parent
STRANGERS = {"cryptography", "lxml", "pydicom", "pynetdicom", "xmlsec"}


def test_it_imports_nothing_of_ours() -> None:
    files = [*(HERE / "box").glob("*.py"), HERE / "changes.py"]
    assert len(files) > 5
    siblings = {file.stem for file in files}
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in (
                [one.name for one in node.names]
                if isinstance(node, ast.Import)
                else [node.module or "."]
            )
        }
        assert not names & {*ROOMS, "tests", "."}, file.name
        assert names <= {*sys.stdlib_module_names, *STRANGERS, *siblings}, file.name


def product(folder: Path, *gaps: str) -> Profile:
    given = ["--config", "{config}", "--ready", "{ready}", "--store", str(folder / "pacs")]
    chosen = [word for gap in gaps for word in ("--gap", gap)]
    return Profile.model_validate(
        {
            "claims": {"consumer": False, "mode": "native"},
            "source": {
                "command": ["{python}", str(HERE / "box"), *given, *chosen],
                "changes": ["{python}", str(HERE / "changes.py"), str(folder / "pacs")],
            },
            # It polls five times a second; an effect that never comes is waited for in vain.
            "timing": {"effect_s": 8.0 if gaps else 30.0},
        }
    )


def campaign(folder: Path, profile: Profile, *scenarios: str) -> Run:
    return play(
        Options(
            features=FEATURES,
            steps=STEP_MODULES,
            runs=folder / "runs",
            profile=profile,
            only=scenarios,
            seed=1,
        )
    )


def told(run: Run) -> dict[str, Verdict]:
    return {one.id.removeprefix("SCN-"): one.verdict for one in run.scenarios}


def failed(run: Run) -> set[str]:
    """The requirements that the run holds for broken."""
    every = run.requirements()
    return {one for one in every if run.requirement_verdict(one) is Verdict.FAIL}


def test_what_it_does_passes(tmp_path: Path) -> None:
    run = campaign(
        tmp_path, product(tmp_path),
        "SCN-PUB-01", "SCN-PUB-02", "SCN-PUB-05", "SCN-REF-03", "SCN-REF-06", "SCN-RES-02",
        "SCN-NAT-01", "SCN-NAT-02", "SCN-NAT-03", "SCN-IMG-02", "SCN-IMG-03", "SCN-IMG-04",
        "SCN-IMG-05", "SCN-IMG-06-CT", "SCN-IMG-06-MR", "SCN-IMR-02", "SCN-IMR-05", "SCN-IMR-07",
        "SCN-IMR-08", "SCN-IMR-09", "SCN-IMR-11", "SCN-CON-01", "SCN-CHG-01", "SCN-ACC-01",
    )  # fmt: skip
    verdicts = told(run)
    # Alerts and traces have no address: a person looks at them.
    assert {id for id, one in verdicts.items() if one is Verdict.REVIEW} == {"PUB-01", "REF-03"}
    assert verdicts.pop("IMR-07") is Verdict.WARN  # refused by 409, which PS3.18 does not name
    assert verdicts.pop("CON-01") is Verdict.OMIT
    assert verdicts.pop("CHG-01") is Verdict.OMIT
    assert set(verdicts.values()) == {Verdict.PASS, Verdict.REVIEW}, run.scenarios
    assert not failed(run)
    for requirement in ("DB.SO.14", "DB.SO.25", "DB.SO.26", "DB.CS.05"):
        assert run.requirement_verdict(requirement) is Verdict.OMIT
        assert "Proxy seulement" in run.inapplicable[requirement]
    assert run.requirement_verdict("DB.SO.27") is Verdict.PASS
    assert not {"C-FIND", "C-MOVE"} & run.counts().keys()


def test_what_it_leaves_out_fails_by_name(tmp_path: Path) -> None:
    gaps = product(tmp_path, "white-list", "server-error", "retry", "pacs-events", "ins")
    run = campaign(
        tmp_path, gaps,
        "SCN-PUB-02", "SCN-RES-01", "SCN-RES-02", "SCN-NAT-01", "SCN-NAT-03", "SCN-IMG-02",
        "SCN-IMG-03", "SCN-IMR-01", "SCN-IMR-09", "SCN-IMR-10",
    )  # fmt: skip
    wrong = {"RES-01", "NAT-01", "NAT-03", "IMG-02", "IMR-01", "IMR-09"}
    assert {id for id, one in told(run).items() if one is Verdict.FAIL} == wrong
    assert told(run)["PUB-02"] is told(run)["RES-02"] is Verdict.PASS
    # What these are about is right; that their images lack the INS is IMG-02's affair.
    assert told(run)["IMG-03"] is told(run)["IMR-10"] is Verdict.WARN
    assert failed(run) == {
        "DB.SO.27",  # does not follow its PACS
        "DB.SO.32",  # 500 is no answer to a request that is refused
        "DB.SO.33", "KIT-SEC-TOK-01",  # ... nor a refusal
        "DB.SO.39",  # the INS is not in the images
        "DB.SO.98", "KIT-LISTE-BLANCHE", "KIT-SEC-TLS-16",  # anybody certified is served
        "KIT-REPRISE",  # sent once, never again
    }  # fmt: skip


def test_it_starts_from_a_preloaded_archive(tmp_path: Path) -> None:
    given = product(tmp_path)
    source = given.source.model_copy(update={"start": "xdm"})
    run = campaign(
        tmp_path, given.model_copy(update={"source": source}),
        "SCN-IMG-01", "SCN-IMG-02", "SCN-IMR-06", "SCN-IMR-07", "SCN-IMR-08",
    )  # fmt: skip
    assert told(run) == {
        "IMG-01": Verdict.REVIEW,
        "IMG-02": Verdict.PASS,
        "IMR-06": Verdict.PASS,
        "IMR-07": Verdict.WARN,
        "IMR-08": Verdict.PASS,
    }
    assert not {"ORU^R01", "ITI-41"} & run.counts().keys()
    assert len(list((run.directory / "xdm").glob("SCN-*.zip"))) == 5


def test_by_its_addresses_with_nobody_to_change_its_pacs(tmp_path: Path) -> None:
    ports = free_ports(len(WORLD) + 3)
    mllp, wado, store = (f"127.0.0.1:{port}" for port in ports[len(WORLD) :])
    world: dict[str, object] = dict(zip(WORLD, ports, strict=False))
    file = tmp_path / "p.toml"
    file.write_text(
        tomli_w.dumps(
            {
                "claims": {"consumer": False, "mode": "native"},
                "source": {"mllp": mllp, "wado": wado, "store": store},
                "world": {**world, "pki": "pki"},
            }
        )
    )
    written = tmp_path / "banc"
    command = [sys.executable, "-m", "drimbench", "serve", "--once", "--profile", str(file)]
    done = subprocess.run(
        [*command, "--output", str(written)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "KITMODALITY" in (written / "configuration.md").read_text()
    given = ["--config", "{config}", "--ready", "{ready}", "--store", str(tmp_path / "pacs")]
    box = ChildBox(
        "source", [sys.executable, str(HERE / "box"), *given], written / "boites/source.toml",
        written,
    )  # fmt: skip
    try:
        box.start(30)
        run = campaign(tmp_path, read(file), "SCN-IMG-02", "SCN-NAT-01", "SCN-NAT-03")
    finally:
        box.stop()
    assert told(run) == {
        "IMG-02": Verdict.PASS,
        "NAT-01": Verdict.PASS,
        "NAT-03": Verdict.REVIEW,  # a person takes the exam out, and looks
    }
    left = next(one for one in run.scenarios if one.id == "SCN-NAT-03")
    assert [step.verdict for step in left.steps[-2:]] == [Verdict.REVIEW, Verdict.REVIEW]
    assert "retirer du PACS du produit l'examen" in left.steps[-2].message
