"""`python -m load.crowd`: 50 professionals for five minutes, each with a patient of his own.

Exit codes: 0 nothing crossed, 1 something did or somebody was not shown what is his, 64 usage, 70
the bench could not do it.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import shlex
import sys
from collections.abc import Sequence

from bench.errors import BenchError
from bench.process import BoxFailure
from bench.verdicts import ExitCode
from load.crowd.playing import Crowd, Outcome, play

__all__ = ["main"]

_MOST_PEOPLE = 500
_SHOWN = 20
_EXAMPLES = """exemples :
  python -m load.crowd
  python -m load.crowd --people 8 --seconds 10 --seed 7
  python -m load.crowd --consumer '{python} ma_consommatrice.py {config} {ready}' --json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a crowd and say what crossed; the exit code."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return ExitCode.CONFORM if end.code == 0 else ExitCode.USAGE
    crowd = Crowd(
        seed=secrets.randbelow(10**4) if options.seed is None else options.seed,
        people=options.people,
        seconds=options.seconds,
        command=tuple(shlex.split(options.consumer)),
    )
    if not 2 <= crowd.people <= _MOST_PEOPLE:
        print(f"--people : de 2 à {_MOST_PEOPLE}", file=sys.stderr)
        return ExitCode.USAGE
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    print(f"graine {crowd.seed}", file=sys.stderr)
    try:
        outcome = play(crowd)
    except (BenchError, BoxFailure, OSError) as error:
        print(f"drimbench : {error}", file=sys.stderr)
        return ExitCode.INTERNAL
    if options.json:
        print(json.dumps(_document(outcome), ensure_ascii=False, indent=2))
    else:
        _tell(outcome)
    return ExitCode.CONFORM if outcome.conform else ExitCode.FAIL


def _document(outcome: Outcome) -> dict[str, object]:
    return {
        "seed": outcome.crowd.seed,
        "people": outcome.crowd.people,
        "rounds": outcome.rounds,
        "refused": outcome.refused,
        "exchanges": outcome.exchanges,
        "crossings": list(outcome.crossings),
        "lacks": list(outcome.lacks),
        "seconds": round(outcome.seconds, 1),
        "conform": outcome.conform,
    }


def _tell(outcome: Outcome) -> None:
    read = outcome.exchanges.get("réponses lues", 0)
    print(
        f"{outcome.crowd.people} professionnels, {outcome.rounds} tours, {read} réponses lues, "
        f"{outcome.refused} intrusions refusées, {outcome.seconds:.0f} s"
    )
    for line in (*outcome.crossings, *outcome.lacks)[:_SHOWN]:
        print(f"✗ {line}")
    if outcome.crossings:
        print("✗ des données ont été croisées")
    elif outcome.conform:
        print("✓ rien n'a été croisé")
    else:
        print("✗ rien n'a été croisé, mais tous n'ont pas pu lire ce qui est à eux")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load.crowd",
        description="Des professionnels consultent ensemble, chacun son patient : rien de l'un ne "
        "doit parvenir à l'autre.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--people", type=int, default=50, help="combien (50)")
    parser.add_argument("--seconds", type=float, default=300.0, help="combien de temps (300)")
    parser.add_argument("--seed", type=int, help="graine, pour rejouer")
    parser.add_argument("--consumer", default="", help="commande d'une autre Consommatrice")
    parser.add_argument("--json", action="store_true", help="un document JSON")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
