"""`python -m tests.fuzz [TARGET...]`: 20,000 hostile inputs per target, each target a process.

Prints the seed; `--seed` plays the same inputs again, `--only` one of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from random import SystemRandom

from tests.fuzz.driver import fuzz
from tests.fuzz.targets import TARGETS

_COUNT = 20_000


def main() -> int:
    """Exit 1 when a target broke its contract."""
    arguments = _arguments()
    if arguments.child:
        outcome = fuzz(
            TARGETS[arguments.targets[0]], arguments.count, arguments.seed, arguments.only
        )
        _say(json.dumps(outcome.as_dict()))
        return 0
    names = arguments.targets or list(TARGETS)
    _say(f"graine {arguments.seed}, {arguments.count} entrées par cible, {len(names)} cibles")
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda name: _run(name, arguments), names))
    return 0 if all(results) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="toutes par défaut")
    parser.add_argument("--count", type=int, default=_COUNT)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    parser.add_argument("--only", type=int, help="numéro d'une seule entrée")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"cible inconnue : {', '.join(sorted(unknown))} ({', '.join(TARGETS)})")
    return arguments


def _run(name: str, arguments: argparse.Namespace) -> bool:
    command = [sys.executable, "-m", "tests.fuzz", name, "--child"]
    command += ["--count", str(arguments.count), "--seed", str(arguments.seed)]
    if arguments.only is not None:
        command += ["--only", str(arguments.only)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        _say(f"{name:24} ARRÊT code {done.returncode} : {done.stderr[-400:]}")
        return False
    outcome = json.loads(done.stdout)
    word = "ok" if outcome["passed"] else "ÉCHEC"
    _say(
        f"{name:24} {word:6} {outcome['seconds']:7.1f} s  "
        f"la plus lente {outcome['slowest_s'] * 1000:6.0f} ms (n° {outcome['slowest']})  "
        f"mémoire +{outcome['grown_mib']:.0f} Mio",
    )
    for failure in outcome["failures"]:
        _say(f"    n° {failure['number']} ({failure['size']} octets) {failure['what']}")
        _say(f"       {failure['head']}")
    return bool(outcome["passed"])


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
