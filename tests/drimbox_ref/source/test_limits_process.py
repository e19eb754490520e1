"""A Source in its own process counts who asks too often, at each of its doors apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.drimbox_ref.source.bed import running
from tests.drimbox_ref.source.test_viewer_process import WithViewer, follow

pytestmark = pytest.mark.slow


class Slow(WithViewer):
    """One request at a time, another a minute later."""

    def configuration(self) -> dict[str, Any]:
        return {**super().configuration(), "limits": {"per_minute": 1}}


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    with running(tmp_path, Slow) as bed:
        # A link that asks for a series is refused, and said to be, before anybody logs in.
        first, second = follow(bed, requestType="SERIES"), follow(bed, requestType="SERIES")
        assert first.status != 429
        assert second.status == 429
        assert 1 <= int(second.headers.get("retry-after")) <= 60
        assert [row["event"] for row in bed.admin("audit")].count("IID") == 1
