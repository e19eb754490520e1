"""A line that was forged is found among lines and among records; a value that is kept is none."""

from __future__ import annotations

import json

import pytest

from bench.trail_attacks import ENDS, forged_in

LINE = "KIT-FORGE ITI-43 0"
BEGUN = "2026-11-22T09:30:05Z ITI-43 4 /studies/1/series/2"


@pytest.mark.parametrize("end", [end for end in ENDS.values() if end != "\t" and end != "\0"])
def test_a_page_of_lines_that_escapes_nothing(end: str) -> None:
    (found,) = forged_in("text/plain", f"{BEGUN}{end}{LINE} 1.2.3\n{BEGUN}\n", LINE)
    assert LINE in found


@pytest.mark.parametrize("end", ENDS.values())
def test_a_page_of_lines_that_escapes(end: str) -> None:
    told = f"{BEGUN}{end}{LINE}".encode("unicode_escape").decode()
    assert not list(forged_in("text/plain", f"{told}\n{BEGUN}\n", LINE))


@pytest.mark.parametrize("end", ENDS.values())
def test_a_value_of_a_record_says_what_it_likes(end: str) -> None:
    rows = [{"event": "ITI-43", "objects": {"path": f"/studies/1{end}{LINE} 1"}}]
    for text in (json.dumps(rows), json.dumps(rows, ensure_ascii=False)):
        assert not list(forged_in("application/json", text, LINE))


@pytest.mark.parametrize("row", [{"event": f"{LINE} 1"}, {"objects": {"paths": [f"{LINE} 1"]}}])
def test_a_record_of_its_own(row: dict[str, object]) -> None:
    (found,) = forged_in("application/json; charset=utf-8", json.dumps([{"event": "x"}, row]), LINE)
    assert found.startswith("$[1].")


def test_a_page_that_is_not_what_it_says() -> None:
    assert not list(forged_in("application/json", "[{", LINE))
    assert list(forged_in("application/json", f"[{{\n{LINE} 1", LINE))
