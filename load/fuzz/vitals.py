"""What a process uses while it is fuzzed: resident memory, descriptors, threads (Linux /proc)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

__all__ = ["Vitals", "growing", "vitals_of"]

_MIB = 1024
_LEAST = 12
"""Samples below which nothing is said of a trend."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """One reading, after so many cases."""

    cases: int
    resident_kib: int
    descriptors: int
    threads: int

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return asdict(self)


def vitals_of(pid: int, cases: int) -> Vitals | None:
    """A reading; None where the process is elsewhere or the platform does not tell."""
    base = Path(f"/proc/{pid}")
    try:
        status = dict(
            line.split(":", 1) for line in (base / "status").read_text().splitlines() if ":" in line
        )
        descriptors = len(os.listdir(base / "fd"))
        return Vitals(cases, int(status["VmRSS"].split()[0]), descriptors, int(status["Threads"]))
    except (OSError, KeyError, ValueError):
        return None


def growing(readings: list[Vitals], *, memory_mib: int = 64, handles: int = 64) -> str:
    """What keeps growing, in French; "" when nothing does.

    A trend, not a peak: the medians of four successive quarters, the first left to warming up,
    must each be above the one before, and the last far above the second.
    """
    if len(readings) < _LEAST:
        return ""
    size = len(readings) // 4
    quarters = [readings[len(readings) - size * left :][:size] for left in (3, 2, 1)]
    told = []
    for name, unit, limit in (
        ("resident_kib", "Kio de mémoire résidente", memory_mib * _MIB),
        ("descriptors", "descripteurs ouverts", handles),
        ("threads", "fils d'exécution", handles),
    ):
        second, third, last = (median(getattr(one, name) for one in part) for part in quarters)
        if second < third < last and last - second > limit:
            told.append(f"{second:.0f} puis {third:.0f} puis {last:.0f} {unit}")
    return " ; ".join(told)
