"""No scenario vanishes silently."""

from pathlib import Path

import pytest

from bench.gate import FeatureError, check_features
from features import FEATURES
from spec.requirements import is_requirement

HEADER = "# language: fr\nFonctionnalité: F\n"


def write(directory: Path, text: str) -> Path:
    (directory / "f.feature").write_text(HEADER + text, encoding="utf-8")
    return directory


def test_every_tag_is_an_id_a_role_or_a_known_requirement() -> None:
    unknown = {
        tag
        for pickle in check_features(FEATURES)
        for tag in pickle.tags
        if not (tag.startswith("SCN-") or tag in {"source", "consumer"} or is_requirement(tag))
    }
    assert not unknown


def test_title_used_twice(tmp_path: Path) -> None:
    text = "@SCN-1\nScénario: A\n  Quand x\n@SCN-2\nScénario: A\n  Quand x\n"
    with pytest.raises(FeatureError, match="titre utilisé deux fois"):
        check_features(write(tmp_path, text))


def test_id_missing(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="absente"):
        check_features(write(tmp_path, "Scénario: A\n  Quand x\n"))


def test_id_used_twice(tmp_path: Path) -> None:
    text = "@SCN-1\nScénario: A\n  Quand x\n@SCN-1\nScénario: B\n  Quand x\n"
    with pytest.raises(FeatureError, match="identité utilisée deux fois"):
        check_features(write(tmp_path, text))


def test_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="aucun scénario"):
        check_features(tmp_path)


def test_broken_gherkin_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "f.feature").write_text("# language: fr\nn'importe quoi\n", encoding="utf-8")
    with pytest.raises(FeatureError, match=r"f\.feature"):
        check_features(tmp_path)
