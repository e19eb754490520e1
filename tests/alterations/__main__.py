"""`python -m tests.alterations [KIND...]`: the figures of the single-change proof, as Markdown.

Of the alterations of one field that break a text graded `standard`, `faq` or `sample`, how many
each judge notices. Survivors that no row of the list explains go to the standard error.
"""

from __future__ import annotations

import argparse
import sys
import warnings

from tests.alterations.proof import ELSEWHERE, LIST, tally
from validators.api import KINDS

_HEAD = """| sorte | vues | manquées | part | vues par un texte faible | libres |
|---|---:|---:|---:|---:|---:|
"""


def main() -> int:
    """Exit 1 when a survivor is in no list."""
    arguments = _arguments()
    # Altered files make pydicom warn: that is their point.
    warnings.simplefilter("ignore")
    sys.stdout.write(_HEAD)
    unlisted: list[str] = []
    for kind in arguments.kinds or KINDS:
        if kind not in LIST:
            sys.stdout.write(f"| `{kind}` | {ELSEWHERE.get(kind, 'pas encore')} | | | | |\n")
            continue
        done = tally(kind)
        unlisted += [f"{kind} : {name}" for name in done.unlisted]
        figures = (done.caught, done.missed, f"{done.ratio:.1%}", done.weakly, done.free)
        sys.stdout.write(f"| `{kind}` | {' | '.join(map(str, figures))} |\n")
        sys.stdout.flush()
    for name in unlisted:
        sys.stderr.write(f"{name}\n")
    return 1 if unlisted else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.alterations", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="toutes par défaut")
    arguments = parser.parse_args()
    if unknown := set(arguments.kinds) - set(KINDS):
        parser.error(f"sorte inconnue : {', '.join(sorted(unknown))} ({', '.join(KINDS)})")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
