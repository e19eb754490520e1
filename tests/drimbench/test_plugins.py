"""Plug-ins as distributions: found by their entry point, checked, played; the example is one."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from bench.campaign import CampaignError, Options, play
from bench.profile import Claims, Profile
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from simulators.user import User, UserError
from validators.kos import KOS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin"


def install(folder: Path, name: str, target: str, code: str = "") -> Path:
    """A distribution with one entry point, as pip would have left it; returns its folder."""
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[drimbench.plugins]\n{name} = {target}\n")
    if code:
        (folder / f"{name}.py").write_text(code)
    return folder


def drimbench(folder: Path, where: list[Path], *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), *map(str, where)])
    return subprocess.run(
        [sys.executable, "-m", "drimbench", *words], cwd=folder, capture_output=True, text=True,
        timeout=240, check=False,
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip


@pytest.fixture
def acme(tmp_path: Path) -> list[Path]:
    return [install(tmp_path / "site", "acme", "acme_drimbench:PLUGIN"), EXAMPLE]


def test_the_example_imports_the_api_and_nothing_else_of_ours() -> None:
    rooms = {room.name for room in ROOT.iterdir() if (room / "__init__.py").is_file()}
    assert {"bench", "drimbench", "validators"} <= rooms
    for file in EXAMPLE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = (
                [node.module or ""] if isinstance(node, ast.ImportFrom)
                else [one.name for one in node.names] if isinstance(node, ast.Import)
                else []
            )  # fmt: skip
            ours = {name for name in names if name.split(".")[0] in rooms}
            assert ours <= {"drimbench.api"}, file


def test_what_is_installed_is_listed(tmp_path: Path, acme: list[Path]) -> None:
    (row,) = json.loads(drimbench(tmp_path, acme, "plugins", "--json").stdout)
    assert row["name"] == "acme"
    assert row["kinds"] == ["acme-etiquette"]
    assert (row["drivers"], row["projections"]) == (["acme"], ["acme-csv"])
    assert "Aucun greffon installé" in drimbench(tmp_path, [], "plugins").stdout


def test_its_kind_and_its_rule_judge(tmp_path: Path, acme: list[Path]) -> None:
    (tmp_path / "e.txt").write_text("ACME|1|ACC45678901234567")
    (tmp_path / "n.txt").write_text("rien")
    told = drimbench(tmp_path, acme, "validate", "acme-etiquette", "e.txt", "n.txt", "--json")
    judged = {Path(one["file"]).name: one for one in json.loads(told.stdout)}
    assert told.returncode == 1
    assert [one["rule"] for one in judged["e.txt"]["findings"]] == ["ACME-101"]
    assert [one["rule"] for one in judged["n.txt"]["findings"]] == ["ACME-100"]
    assert "Règles du site ACME, 2.1" in drimbench(tmp_path, acme, "explain", "ACME-001").stdout
    named = pydicom.dcmread(BytesIO(KOS.good()))
    for name in (str(named.InstitutionName), ""):
        named.InstitutionName = name
        named.save_as(tmp_path / "kos.dcm", enforce_file_format=True)
        (one,) = json.loads(drimbench(tmp_path, acme, "validate", "kos.dcm", "--json").stdout)
        assert ("ACME-001" in {found["rule"] for found in one["findings"]}) is not bool(name)


@pytest.mark.slow
def test_its_scenario_is_played_and_its_projection_written(
    tmp_path: Path, acme: list[Path]
) -> None:
    told = drimbench(tmp_path, acme, "run", "SCN-ACME-01", "--projection", "acme-csv", "--json")
    (scenario,) = json.loads(told.stdout)["scenarios"]
    assert scenario["verdict"] == "pass", told.stderr
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "acme.csv").read_text().startswith("SCN-ACME-01;pass;DB.SO.12;")


def test_a_step_of_a_plugin_that_is_wrong_is_told(tmp_path: Path, acme: list[Path]) -> None:
    told = drimbench(tmp_path, acme, "run", "--projection", "absente")
    assert told.returncode == 64
    assert "--projection absente : inconnue ; installées : acme-csv" in told.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('cassé')", "greffon « tiers » (tiers, tiers:PLUGIN) : RuntimeError"),
        ("PLUGIN = 3", "un drimbench.api.Plugin est attendu, trouvé int"),
        (
            "from pathlib import Path\nfrom drimbench.api import Plugin\n"
            "PLUGIN = Plugin(name='tiers', features=Path('nulle-part'))",
            "n'est pas un dossier de scénarios",
        ),
        (
            "from drimbench.api import KINDS_, Plugin",
            "ImportError",
        ),
        (
            "from drimbench.api import Kind, Plugin, ruleset\n"
            "PLUGIN = Plugin(name='tiers', kinds=(Kind('kos', 'x', ruleset('kos'), None),))",
            "sorte d'artefact défini deux fois : kos",
        ),
        (
            "from drimbench.api import Plugin\nPLUGIN = Plugin(name='tiers', steps=('x',))",
            "",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_stops_everything_and_is_named(
    tmp_path: Path, code: str, said: str
) -> None:
    site = install(tmp_path / "site", "tiers", "tiers:PLUGIN", code)
    told = drimbench(tmp_path, [site], "list")
    if said:
        assert (told.returncode, told.stdout) == (64, "")
        assert said in told.stderr
    else:
        assert told.returncode == 0, told.stderr


class _Lost(User):
    """A driver that finds nothing on the page."""

    async def call(self, *given: object, **named: object) -> object:  # type: ignore[override]
        raise UserError("le pilote ne trouve pas la page")


@pytest.mark.slow
def test_the_driver_that_a_profile_names_is_the_one_that_drives(tmp_path: Path) -> None:
    base = Profile()
    profile = base.model_copy(
        update={
            "claims": Claims(source=False),
            "consumer": base.consumer.model_copy(update={"driver": "perdu"}),
        }
    )
    options = Options(
        features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=profile,
        only=("SCN-COR-03",), browsers={"perdu": _Lost},
    )  # fmt: skip
    (scenario,) = play(options).scenarios
    assert scenario.verdict is Verdict.FAIL
    assert "le pilote ne trouve pas la page" in scenario.reason


def test_a_driver_that_nobody_brings_is_refused(tmp_path: Path) -> None:
    base = Profile()
    profile = base.model_copy(
        update={"consumer": base.consumer.model_copy(update={"driver": "acme"})}
    )
    said = "pilote « acme » inconnu ; installés : chromium, personne"
    with pytest.raises(CampaignError, match=said):
        play(Options(features=FEATURES, steps=STEP_MODULES, runs=tmp_path, profile=profile))
    assert not list(tmp_path.iterdir())
