"""`python -m load.benchmarks [NAME] [--json | --markdown]`: as `drimbench bench`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console

from load.benchmarks import playing

__all__ = ["main"]

_WIDTH = 120


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the named benchmark, or all of them: measure, print, judge nothing."""
    parser = argparse.ArgumentParser(
        prog="python -m load.benchmarks",
        description="Mesures relatives : nous et un pair dans la même exécution.",
    )
    names = sorted(playing.BENCHMARKS)
    parser.add_argument("name", nargs="?", choices=names, help="toutes par défaut")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--json", action="store_true", help="un seul document JSON sur la sortie standard"
    )
    form.add_argument(
        "--markdown", action="store_true", help="les rapports seuls, pour docs/performance.md"
    )
    chosen = parser.parse_args(arguments)
    lines = playing.play([chosen.name] if chosen.name else list(playing.BENCHMARKS))
    if chosen.json:
        document = playing.document(lines)
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    elif chosen.markdown:
        sys.stdout.write(playing.markdown(lines))
    else:
        # Wide enough for whole lines, also into a file.
        Console(width=_WIDTH).print(playing.table(lines))


if __name__ == "__main__":
    main()
