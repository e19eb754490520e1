"""`drimbench run --resume`: which run is meant, and what is left of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.assemble import load
from bench.campaign import Options
from bench.results import Run
from bench.resuming import find_interrupted, resume

__all__ = ["Rest", "chosen", "rest"]

_RUN = re.compile(r"@[0-9]+|[0-9]{8}T[0-9]*Z?.*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rest:
    """A run to resume, and the words beside its name."""

    run: Path
    words: tuple[str, ...]


def chosen(words: Sequence[str], runs: Path) -> Rest:
    """The run that the first word names, by rank, name or folder; else the last interrupted one.

    Raises:
        BenchError: there is none.
    """
    first = next(iter(words), "")
    if _RUN.fullmatch(first) or (Path(first) / "journal").is_dir():
        return Rest(find_interrupted(first, runs), tuple(words[1:]))
    return Rest(find_interrupted("", runs), tuple(words))


def rest(left: Rest, asked: Options, playing: Callable[[Options], Run]) -> Run:
    """Play what is left, and read the whole.

    Raises:
        BenchError: see `bench.resuming.resume` and `bench.campaign.play`.
    """
    options = resume(left.run, asked)
    return load(left.run) if options is None else playing(options)
