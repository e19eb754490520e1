"""How long `drimbench --help` takes, against the mere import of what any such command needs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from load.benchmarks.measure import Measure

__all__ = ["LIMIT", "NAME", "run"]

NAME = "start_up"
LIMIT = 2.0
"""Times the import of typer and rich."""
_ROUNDS = 15


def run(*, rounds: int = _ROUNDS) -> list[Measure]:
    """Measure, in interleaved rounds of processes of their own.

    Raises:
        subprocess.CalledProcessError: one of them failed.
    """
    ours = [sys.executable, "-m", "drimbench", "--help"]
    peer = [sys.executable, "-c", "import typer, rich"]
    taken = [(_seconds(ours), _seconds(peer)) for _ in range(rounds + 1)][1:]
    return [
        Measure(
            benchmark=NAME,
            name="drimbench --help",
            peer_name='python -c "import typer, rich"',
            ours=statistics.median(mine for mine, _ in taken) * 1e3,
            peer=statistics.median(theirs for _, theirs in taken) * 1e3,
            ratio=statistics.median(mine / theirs for mine, theirs in taken),
            quiet_ratio=min(mine for mine, _ in taken) / min(theirs for _, theirs in taken),
            limit=LIMIT,
            unit="ms",
            runs=rounds,
        )
    ]


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - begun
