"""The dossier of a new version says what changed since the run that was referenced."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.assemble import load
from bench.errors import BenchError
from bench.outcomes import Failure
from bench.packed import MARK
from drimbench.comparing import as_json
from reports.dossier.differences import _rank, since
from reports.dossier.manifest import MANIFEST, Manifest
from reports.dossier.packing import Sealing, pack
from reports.dossier.verifying import verify
from tests.bench.written import write_run
from wire.shard import Shard

OLD, NEW = "20260101T000000Z-aaaa", "20260301T000000Z-bbbb"


def product(version: str, name: str = "KIT") -> dict[str, str]:
    return {"name": name, "version": version, "vendor": ""}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return write_run(
        tmp_path / "runs",
        OLD,
        {"SCN-1": None, "SCN-2": Failure.NOT_MET, "SCN-3": None, "SCN-5": None},
        finding="KOS-002",
        product=product("2.9"),
    )


def new(old: Path, version: str = "2.10", name: str = "KIT") -> Path:
    return write_run(
        old.parent,
        NEW,
        {"SCN-1": Failure.NOT_MET, "SCN-2": None, "SCN-4": None, "SCN-5": None},
        finding="KOS-001",
        product=product(version, name),
    )


def read(dossier: Path, name: str) -> str:
    with zipfile.ZipFile(dossier) as archive:
        return archive.read(name).decode()


def test_what_moved_is_told_and_sealed_with_the_rest(old: Path, tmp_path: Path) -> None:
    deposited = pack(old, tmp_path / "premier.zip", Sealing())
    packed = pack(new(old), tmp_path / "d.zip", Sealing(), referenced=old)
    assert packed.manifest.shape == "version"
    assert Manifest.read(read(packed.path, MANIFEST).encode()) == packed.manifest
    told = json.loads(read(packed.path, "differences.json"))
    assert {one["id"]: one["change"] for one in told["scenarios"]} == {
        "SCN-1": "worse",
        "SCN-2": "better",
        "SCN-3": "removed",
        "SCN-4": "added",
    }
    assert told["regressions"] == 1
    assert told["same"] == 1
    assert told["versions"] == ["2.9", "2.10"]
    assert told["remarks"] == []
    assert told["referenced"] == {
        "dossier": "premier.zip",
        "manifest_sha256": deposited.sha256,
    }
    page = read(packed.path, "differences.html")
    for word in (
        "1 régression",
        "raté",
        "premier.zip",
        deposited.sha256,
        OLD,
        "KOS-001 dans SCN-1 : nouveau",
    ):
        assert word in page
    assert "À expliquer" not in page
    order = [page.index(f'"row">{id}<') for id in ("SCN-1", "SCN-2", "SCN-4", "SCN-3")]
    assert order == sorted(order), "the worst first"
    assert 'href="differences.html"' in read(packed.path, "sommaire.html")
    assert "differences.html" in read(packed.path, "LISEZMOI.txt")
    everything = page + json.dumps(told)
    assert str(tmp_path) not in everything
    checked = verify(packed.path, roots=[], at=datetime.now(UTC))
    assert not checked.faults
    assert checked.as_dict()["shape"] == "version"


def test_a_first_dossier_has_no_differences(old: Path, tmp_path: Path) -> None:
    packed = pack(old, tmp_path / "d.zip", Sealing())
    assert packed.manifest.shape == "referencement"
    assert not [one for one in packed.manifest.files if "differences" in one.name]
    assert "differences" not in read(packed.path, "sommaire.html")
    assert "differences" not in read(packed.path, "LISEZMOI.txt")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.10", ""),
        ("2.9", "même version technique, 2.9"),
        ("2.8.7", "2.8.7 antérieure à 2.9"),
        ("", "non déclarée"),
    ],
)
def test_versions_that_a_verifier_would_ask_about(old: Path, version: str, said: str) -> None:
    found = since(old, load(new(old, version)))
    assert found.remarks[-1] == "la campagne référencée n'est scellée dans aucun dossier"
    assert len(found.remarks) == (2 if said else 1)
    assert said in found.remarks[0]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.sampled_from(".-_ v"))
def test_versions_are_ordered_by_their_numbers(numbers: list[int], mark: str) -> None:
    below = mark.join(map(str, numbers))
    above = mark.join(map(str, [*numbers[:-1], numbers[-1] + 1]))
    assert _rank(below) < _rank(above)
    assert _rank(f"{below}.0") == _rank(below)


def test_a_run_that_cannot_be_the_referenced_one(old: Path, tmp_path: Path) -> None:
    later = new(old)
    cut = write_run(old.parent, "20251201T000000Z-cccc", {"SCN-1": None}, ended=False)
    for run, referenced, why in (
        (later, later, "une autre campagne"),
        (later, cut, "interrompue"),
        (old, later, "jouée après"),
    ):
        with pytest.raises(BenchError, match=why):
            pack(run, tmp_path / "d.zip", Sealing(), referenced=referenced)
    assert not (tmp_path / "d.zip").exists()
    assert not (later / MARK).exists()


def test_another_product_is_no_reference(old: Path) -> None:
    with pytest.raises(BenchError, match="autre produit"):
        since(old, load(new(old, name="AUTRE")))


def test_a_referenced_run_is_what_was_sealed(old: Path, tmp_path: Path) -> None:
    pack(old, tmp_path / "premier.zip", Sealing())
    run = load(new(old))
    assert since(old, run).sealed is not None
    shard = Shard(old, "tard")
    shard.write("note", text="ajoutée")
    shard.close()
    with pytest.raises(BenchError, match=r"scellé dans premier\.zip"):
        since(old, run)
    (old / MARK).write_text("{}")
    with pytest.raises(BenchError, match="marque"):
        since(old, run)


def test_drimbench_diff_says_where_the_runs_are(old: Path) -> None:
    told = as_json(since(old, load(new(old))).found)
    assert told["before"]["directory"] == str(old)
    assert told["after"]["id"] == NEW
