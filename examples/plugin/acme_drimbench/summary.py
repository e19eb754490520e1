"""A projection: what our quality department reads, one line per scenario."""

from __future__ import annotations

import csv
from pathlib import Path

from drimbench.api import Run, without_secrets

__all__ = ["write_summary"]


def write_summary(run: Run, folder: Path) -> Path:
    """`acme.csv`: scenario, verdict, requirements, reason."""
    target = folder / "acme.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        for one in run.scenarios:
            reason = without_secrets(one.reason)
            rows.writerow([one.id, one.verdict.value, " ".join(one.requirements), reason])
    return target
