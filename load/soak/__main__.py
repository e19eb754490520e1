"""`python -m load.soak`: 2,000 reports from 8 senders, faults, 20 SIGKILL; what is left is judged.

Exit codes: 0 nothing is wrong, 1 something is, 64 usage, 70 the bench could not do it, 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.process import BoxFailure
from bench.verdicts import ExitCode
from load.soak.pages import MOST_ROWS
from load.soak.playing import Soak, play
from load.soak.telling import Teller, as_document, write

__all__ = ["main"]

_INTERRUPTED = 130

_EXAMPLES = """exemples :
  python -m load.soak
  python -m load.soak --seed 7 --reports 200 --kills 4 --keep /tmp/endurance
  python -m load.soak --source '{python} ma_source.py {config} {ready}' --json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play a soak and say what it found; the exit code."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        return ExitCode.CONFORM if end.code == 0 else ExitCode.USAGE
    soak = Soak(
        seed=secrets.randbelow(10**6) if options.seed is None else options.seed,
        reports=options.reports,
        senders=options.senders,
        kills=options.kills,
        command=tuple(shlex.split(options.source)),
        keep=options.keep,
    )
    if soak.reports < max(soak.senders, soak.kills):
        return _refused("--reports : au moins autant que de --senders et de --kills")
    if soak.keep is not None and soak.keep.exists() and any(soak.keep.iterdir()):
        return _refused(f"--keep : {soak.keep} existe et n'est pas vide")
    # A DMP that is killed complains of the answers that it leaves unfinished.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    try:
        with Teller() as tell:
            tell.say(f"graine {soak.seed}")
            outcome = play(soak, tell)
    except (BenchError, BoxFailure, OSError) as error:
        sys.stderr.write(f"endurance : {error}\n")
        return ExitCode.INTERNAL
    except Exception:
        # Of the bench: no verdict on the Source, and somebody must see where.
        traceback.print_exc()
        return ExitCode.INTERNAL
    except KeyboardInterrupt:
        sys.stderr.write(f"endurance : interrompue (graine {soak.seed})\n")
        return _INTERRUPTED
    if options.json:
        sys.stdout.write(json.dumps(as_document(outcome), ensure_ascii=False, indent=2) + "\n")
    else:
        write(outcome)
    return ExitCode.CONFORM if outcome.conform else ExitCode.FAIL


def _refused(why: str) -> int:
    sys.stderr.write(f"endurance : {why}\n")
    return ExitCode.USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load.soak",
        description="Endurance de la Source : des milliers de comptes rendus parmi des pannes et "
        "des arrêts brutaux ; à la fin le DMP doit détenir exactement ce qu'ils disent.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    many = _between(1, MOST_ROWS)
    parser.add_argument("--seed", type=_between(0, 2**32 - 1), help="au hasard, et dite, sinon")
    parser.add_argument("--reports", type=many, default=2000, help="messages (2000)")
    parser.add_argument("--senders", type=_between(1, 64), default=8, help="émetteurs (8)")
    parser.add_argument(
        "--kills", type=_between(0, MOST_ROWS), default=20, help="SIGKILL de la Source (20)"
    )
    parser.add_argument(
        "--source",
        default="",
        metavar="COMMANDE",
        help="une autre Source que la référence : {python}, {config} et {ready} sont remplacés",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DOSSIER", help="garder le journal et les bases"
    )
    parser.add_argument("--json", action="store_true", help="un seul document JSON en sortie")
    return parser


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() else -1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"de {low} à {high} attendu, « {text} » donné")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
