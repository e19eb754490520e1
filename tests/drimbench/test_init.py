"""`drimbench init`: what it writes is read back, explained whole, and known to editors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bench.patients import TestPatient
from bench.profile import (
    EMBEDDED,
    Challenge,
    ExpectedFailure,
    Load,
    NeighbourPapers,
    Profile,
    ProfileError,
    read,
)
from drimbench.profile_words import SECTIONS, WORDS
from drimbench.profile_writing import as_toml, json_schema

ROOT = Path(__file__).parents[2]


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", "init", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_every_key_is_explained_and_no_word_is_stale() -> None:
    keys = set()
    for name, value in EMBEDDED:
        rows: dict[str, type[BaseModel]] = {
            "papers": NeighbourPapers,
            "patients": TestPatient,
            "expected_failures": ExpectedFailure,
            "challenges": Challenge,
        }
        table = rows.get(name) or (type(value) if isinstance(value, BaseModel) else None)
        if table is not None:
            keys |= {f"{name}.{key}" for key in table.model_fields}
        elif name not in SECTIONS:
            keys.add(name)
    assert keys == set(WORDS)
    assert set(SECTIONS) - {""} <= set(Profile.model_fields)


text = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(
    name=text,
    vendor=text,
    command=st.lists(text.filter(lambda one: not one.startswith("env:")), max_size=3),
    ports=st.dictionaries(st.sampled_from(["mllp", "wado"]), st.integers(0, 65535)),
    suites=st.dictionaries(text, st.lists(text.filter(bool), max_size=2)),
    effect_s=st.floats(0.1, 1e6),
    source=st.booleans(),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, **drawn: Any
) -> None:
    profile = Profile.model_validate(
        {
            "name": drawn["name"],
            "product": {"vendor": drawn["vendor"]},
            "claims": {"source": drawn["source"]},
            "source": {"command": drawn["command"], "ports": drawn["ports"]},
            "timing": {"effect_s": drawn["effect_s"]},
            "suites": drawn["suites"],
        }
    )
    file = tmp_path_factory.mktemp("p") / "p.toml"
    file.write_text(as_toml(profile), encoding="utf-8")
    assert tomllib.loads(file.read_text(encoding="utf-8"))["claims"] is not None
    if not any(value.startswith("env:") for value in (drawn["name"], drawn["vendor"])):
        assert read(file) == profile


def test_the_example_is_what_init_would_write_of_it(tmp_path: Path) -> None:
    example = read(ROOT / "examples" / "reference.toml")
    (tmp_path / "p.toml").write_text(as_toml(example), encoding="utf-8")
    assert read(tmp_path / "p.toml") == example


def test_the_schema_says_what_the_model_says() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    example = tomllib.loads((ROOT / "examples" / "reference.toml").read_text(encoding="utf-8"))
    jsonschema.validate(example, schema)
    for wrong in (
        {"souce": {}},
        {"source": {"mllp": "ici"}},
        {"source": {"ae_title": "DIX-SEPT-LETTRES-"}},
        {"timing": {"ack_s": 0}},
        {"world": {"dmp": 70000}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    described = schema["properties"]["source"]["description"]
    assert described == SECTIONS["source"]


@pytest.mark.parametrize(
    ("given", "claims"),
    [
        ((), (True, True, "proxy")),
        (("--role", "source", "--mode", "native"), (True, False, "native")),
        (("--role", "consumer"), (False, True, "proxy")),
    ],
)
def test_without_a_question(
    tmp_path: Path, given: tuple[str, ...], claims: tuple[bool, bool, str]
) -> None:
    done = init(tmp_path, "p.toml", *given, "--yes")
    assert done.returncode == 0, done.stderr
    profile = read(tmp_path / "p.toml")
    found = profile.claims
    assert (found.source, found.consumer, found.mode) == claims
    assert profile.external_source() is claims[0]
    schema = json.loads((tmp_path / "drimbench-profil.schema.json").read_text())
    jsonschema.validate(tomllib.loads((tmp_path / "p.toml").read_text()), schema)
    assert (tmp_path / "p.toml").read_text().startswith("#:schema ./drimbench-profil.schema.json")


@pytest.mark.parametrize(
    ("preset", "at", "title", "receives"),
    [
        ("orthanc", "127.0.0.1:4242", "ORTHANC", "127.0.0.1:11112"),
        ("dcm4chee", "127.0.0.1:11112", "DCM4CHEE", "127.0.0.1:11113"),
    ],
)
def test_a_site_whose_pacs_is_known(
    tmp_path: Path, preset: str, at: str, title: str, receives: str
) -> None:
    done = init(tmp_path, "p.toml", "--preset", preset, "--yes")
    assert done.returncode == 0, done.stderr
    assert "déclarer" in done.stdout
    behind = read(tmp_path / "p.toml")
    pacs = behind.neighbours.of("pacs")
    assert (f"{pacs.host}:{pacs.port}", pacs.ae_title) == (at, title)
    assert behind.source.dicom == receives  # not the archive's own door
    assert behind.world.dmp
    done = init(tmp_path, "n.toml", "--preset", preset, "--mode", "native", "--yes")
    assert done.returncode == 0, done.stderr
    within = read(tmp_path / "n.toml").source
    assert (within.store, within.store_ae_title) == (at, title)
    assert within.stow.startswith("http://127.0.0.1:80")
    consumer = init(tmp_path, "c.toml", "--preset", preset, "--role", "consumer", "--yes")
    assert consumer.returncode == 0, consumer.stderr


def test_how_many_series_at_once() -> None:
    for exams, series in ((0, 5), (500, 5), (501, 6), (2000, 20)):
        assert Load(daily_exams=exams).series_at_once == series


def test_a_profile_is_never_replaced_unasked(tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text("name = 'le mien'\n")
    done = init(tmp_path, "p.toml", "--yes")
    assert done.returncode == 64
    assert "existe déjà" in done.stderr
    assert file.read_text() == "name = 'le mien'\n"
    assert init(tmp_path, "p.toml", "--yes", "--force").returncode == 0
    nowhere = init(tmp_path, "p.toml/x.toml", "--yes")
    assert nowhere.returncode == 64
    assert "Traceback" not in nowhere.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[source]\nmllp = "10.0.0.1"', "source.mllp"),
        ('[source]\nae_title = "A\\\\B"', "source.ae_title"),
        ('[consumer]\nweb = "https://box:8443"', "consumer.web"),
    ],
)
def test_a_wrong_address_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(ProfileError, match=told):
        read(file)
