"""A Consumer that starts anew reads the options that it is told then, and the others as before."""

from __future__ import annotations

import tomllib
from pathlib import Path

from bench.box_config import set_options


def test_what_a_scenario_wants_otherwise_is_changed_and_put_back(tmp_path: Path) -> None:
    file = tmp_path / "consumer.toml"
    text = """[options]
max_exam_mib = 32
acces_dmp = "lps_mtls"
[web]
port = 0
"""
    file.write_text(text, encoding="utf-8")
    set_options(file, {"login_mode": "ciba", "author": "x"})
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    assert told["options"] == {
        "max_exam_mib": 32, "acces_dmp": "lps_mtls", "login_mode": "ciba"
    }  # fmt: skip
    set_options(file, {})
    assert tomllib.loads(file.read_text(encoding="utf-8")) == tomllib.loads(text)
