"""The runs of a folder in the order of time, or one scenario through all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.assemble import load
from bench.errors import BenchError
from bench.results import Run
from bench.runs import all_runs
from bench.verdicts import Verdict
from reports.words import SYMBOLS, moment
from spec.requirements import resolve

__all__ = ["Entry", "as_json", "read", "show"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run in a line."""

    id: str
    directory: Path
    started: datetime
    product: str
    profile: str
    verdict: Verdict
    """Of the run, or of what was asked for in it."""
    counts: dict[str, int]
    """Scenarios by verdict; empty when one thing was asked for."""
    interrupted: bool


def read(runs: Path, last: int, asked: str, console: Console) -> list[Entry]:
    """The last runs of a folder, the oldest first; without those where `asked` was not played.

    Raises:
        BenchError: no run there, or one whose journal cannot be read.
    """
    folders = all_runs(runs)[-last:]
    if not folders:
        raise BenchError(f"{runs} : aucune campagne")
    requirement = resolve(asked) if asked else None
    name = requirement.id if requirement else asked.removeprefix("@")
    entries = []
    with console.status("Lecture des journaux…"):
        for folder in folders:
            run = load(folder)
            verdict = _verdict(run, name) if name else run.verdict
            if verdict is not None:
                entries.append(_entry(run, verdict, whole=not name))
    if not entries:
        raise BenchError(f"« {asked} » n'a été joué dans aucune des {len(folders)} campagnes")
    return entries


def as_json(entry: Entry) -> dict[str, Any]:
    """The documented shape of one entry."""
    return {
        "id": entry.id,
        "directory": str(entry.directory),
        "started": entry.started.isoformat(),
        "product": entry.product,
        "profile": entry.profile,
        "verdict": entry.verdict.value,
        "scenarios": entry.counts,
        "interrupted": entry.interrupted,
    }


def show(entries: list[Entry], asked: str, console: Console) -> None:
    """One line for each run, and the whole story in one word of symbols."""
    for entry in entries:
        counts = ", ".join(
            f"{count} {Verdict(name).french}" for name, count in entry.counts.items()
        )
        cut = " (interrompue)" if entry.interrupted else ""
        told = f" : {counts}" if counts else ""
        console.print(
            f"{SYMBOLS[entry.verdict]} {entry.verdict.french:<16} {entry.id}  "
            f"{moment(entry.started)}  {entry.product}{told}{cut}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if asked:
        console.print(
            f"{asked} : {''.join(SYMBOLS[entry.verdict] for entry in entries)}",
            highlight=False,
            markup=False,
        )


def _verdict(run: Run, name: str) -> Verdict | None:
    for scenario in run.scenarios:
        if scenario.id == name:
            return scenario.verdict
    return run.requirement_verdict(name) if name in run.requirements() else None


def _entry(run: Run, verdict: Verdict, *, whole: bool) -> Entry:
    product = run.meta.get("product", {})
    counts = Counter(one.verdict for one in run.scenarios) if whole else {}
    return Entry(
        id=run.id,
        directory=run.directory,
        started=run.started,
        product=" ".join(filter(None, (product.get("name", ""), product.get("version", "")))),
        profile=run.meta.get("profile", {}).get("name", ""),
        verdict=verdict,
        counts={one.value: counts[one] for one in Verdict if one in counts},
        interrupted=run.interrupted,
    )
