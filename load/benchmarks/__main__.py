"""`python -m load.benchmarks [NAME] [--json | --markdown]`: measure, print, judge nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from load.benchmarks import (
    archive_lookup,
    large_exam,
    small_requests,
    streaming_memory,
    validation,
)
from load.benchmarks.measure import Measure

__all__ = ["BENCHMARKS", "main"]

_WIDTH = 120

BENCHMARKS: dict[str, Callable[[], list[Measure]]] = {
    small_requests.NAME: small_requests.run,
    streaming_memory.NAME: streaming_memory.run,
    validation.NAME: validation.run,
    archive_lookup.NAME: archive_lookup.run,
    large_exam.NAME: large_exam.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the named benchmark, or all of them."""
    parser = argparse.ArgumentParser(
        prog="python -m load.benchmarks",
        description="Mesures relatives : nous et un pair nu dans la même exécution.",
    )
    parser.add_argument("name", nargs="?", choices=sorted(BENCHMARKS), help="toutes par défaut")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="un seul document JSON sur la sortie standard"
    )
    form.add_argument(
        "--markdown", action="store_true", help="les rapports seuls, pour docs/performance.md"
    )
    chosen = parser.parse_args(arguments)
    names = [chosen.name] if chosen.name else list(BENCHMARKS)
    measures = [measure for name in names for measure in BENCHMARKS[name]()]
    if chosen.json:
        document = [measure.as_dict() for measure in measures]
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    elif chosen.markdown:
        sys.stdout.write(_markdown(measures))
    else:
        # Wide enough for whole lines, also into a file.
        Console(width=_WIDTH).print(_table(measures))


def _table(measures: Sequence[Measure]) -> Table:
    table = Table(title="Mesures relatives (seul le rapport se compare d'une machine à l'autre)")
    for title in ("Mesure", "Le pair", "Nous", "Pair", "Rapport", "Au calme", "Limite", "Unité"):
        left = title in ("Mesure", "Le pair", "Unité")
        table.add_column(title, justify="left" if left else "right", no_wrap=True)
    for one in measures:
        colour = "green" if one.kept else "red"
        table.add_row(
            one.name,
            one.peer_name,
            f"{one.ours:.0f}",
            f"{one.peer:.0f}",
            f"{one.ratio:.2f}",
            f"[{colour}]{one.quiet_ratio:.2f}[/{colour}]",
            "" if one.limit is None else f"{one.limit:g}",
            one.unit,
        )
    return table


def _markdown(measures: Sequence[Measure]) -> str:
    """Ratios only: what a machine takes in seconds says nothing about another one."""
    lines = [
        "| Mesure | Le pair | Rapport | Au calme | Limite | Passages |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for one in measures:
        limit = "" if one.limit is None else f"{one.limit:g}"
        cells = (f"{one.ratio:.2f}", f"{one.quiet_ratio:.2f}", limit, str(one.runs))
        lines.append(" | ".join(("| " + one.name, one.peer_name, *cells)) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
