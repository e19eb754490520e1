"""The measure of the viewer runs, and what it says holds together. No bar on seconds."""

from __future__ import annotations

import json
import shutil

import pytest

from load import viewer_speed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def test_bad_options_are_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert viewer_speed.main(["--images", "0"]) == 64
    assert capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="chromium n'est pas installé")
def test_a_series_is_opened_from_the_source_then_from_the_local_copy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("playwright", reason="playwright n'est pas installé")
    assert viewer_speed.main(["--images", "3", "--json"]) == 0
    source, again = json.loads(capsys.readouterr().out)
    for one in (source, again):
        assert one["images"] == 3
        assert one["mebibytes"] == 1.5
        assert 0 < one["page"] <= one["first_received"] <= min(one["first_shown"], one["whole"])
    assert source["source"] > 0
    assert again["source"] == 0
