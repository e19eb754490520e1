"""A canary among the references of a profile: nothing that is shown sings it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import tomli_w

from bench import concealed
from bench.profile import ProfileError, read
from reports import redact

CANARY = 'canari "été"/+7f3a'
COMMAND = ["{python}", "-m", "drimbox_ref", "source", "--config", "{config}", "--ready", "{ready}"]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concealed, "_known", {})
    monkeypatch.setenv("KIT_CANARI", CANARY)


def written(folder: Path, **tables: object) -> Path:
    file = folder / "p.toml"
    file.write_text(tomli_w.dumps({"name": "essai", **tables}))
    return file


def test_what_is_masked_and_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_ADRESSE", "10.20.30.40:2575")
    monkeypatch.setenv("KIT_VERSION", "version-2.1")
    file = written(
        tmp_path,
        source={"command": ["lance", "env:KIT_CANARI"], "mllp": "env:KIT_ADRESSE"},
        product={"version": "env:KIT_VERSION"},
    )
    assert read(file).source.command == ("lance", CANARY)
    assert concealed.names() == ("KIT_CANARI",)
    told = f"lance {CANARY} à 10.20.30.40:2575, version-2.1"
    assert redact.text(told) == "lance ‹env:KIT_CANARI masqué› à 10.20.30.40:2575, version-2.1"
    assert redact.text(redact.text(told)) == redact.text(told)


def test_every_way_of_writing_it() -> None:
    concealed.conceal("KIT_CANARI", CANARY)
    for written in (
        f"a {CANARY} b",
        "https://box/?k=canari%20%22%C3%A9t%C3%A9%22%2F%2B7f3a",
        json.dumps({"k": CANARY}),
    ):
        assert "‹env:KIT_CANARI masqué›" in redact.text(written)
        assert "7f3a" not in redact.header("X-Cle", written)
        assert "7f3a" not in redact.value("cle", written)
    data = f"a{CANARY}b".encode()
    starred = redact.data(data)
    assert len(starred) == len(data)
    assert b"7f3a" not in starred
    assert concealed.in_values({CANARY: [CANARY, 1, None]}) == {
        "‹env:KIT_CANARI masqué›": ["‹env:KIT_CANARI masqué›", 1, None]
    }


def test_a_short_value_masks_nothing() -> None:
    concealed.conceal("KIT_COURT", "a1")
    assert redact.text("a1 a1") == "a1 a1"


def test_a_refused_profile_does_not_quote_it(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as refused:
        read(written(tmp_path, demands={"schemes": ["env:KIT_CANARI"]}))
    assert "7f3a" not in str(refused.value)
    assert "demands.schemes.0" in str(refused.value)


def test_a_later_reader_says_what_it_cannot_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert concealed.recall(["KIT_CANARI"]) == []
    assert CANARY not in redact.text(CANARY)
    monkeypatch.delenv("KIT_CANARI")
    assert concealed.recall(["KIT_CANARI", "KIT_AUTRE"]) == ["KIT_AUTRE"]


@pytest.mark.slow
def test_a_run_that_went_wrong_with_it(tmp_path: Path) -> None:
    """A box that does not start prints its command line: the worst that can be shown."""
    file = written(
        tmp_path,
        source={"command": [*COMMAND, "env:KIT_CANARI"]},
        options={"author": "env:KIT_CANARI"},
        challenges=[
            {
                "requirement": "DB.SO.15",
                "argument": "env:KIT_CANARI",
                "by": "A. Martin",
                "on": date(2026, 11, 22),
            }
        ],
    )
    done = subprocess.run(
        [sys.executable, "-m", "drimbench", "run", "SCN-PUB-02", "--json", "--profile", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_COLOR": "1"},
    )
    (run,) = (tmp_path / "runs").iterdir()
    assert "7f3a" in (run / "boxes" / "source.log").read_text()  # it was used
    rendered = {name: (run / name).read_text() for name in ("rapport.html", "junit.xml")}
    journal = "".join(one.read_text() for one in (run / "journal").iterdir())
    for text in (done.stdout, done.stderr, journal, *rendered.values()):
        assert "7f3a" not in text
        assert "canari" not in text.lower().replace("kit_canari", "")
    assert "env:KIT_CANARI" in rendered["rapport.html"]
    assert "(code 64)" in rendered["rapport.html"]
