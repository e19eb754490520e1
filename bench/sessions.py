"""One campaign in several goes and by several workers: what each of them may not share.

Whoever plays a part of a run writes shards of its own in the same directory. A go that resumes an
interrupted one mints other identifiers: what the first has left in the box is not met again. A
worker has a bed of its own.
"""

from __future__ import annotations

import hashlib
import secrets
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bench import concealed
from bench.profile import Profile
from bench.site import actors, site_of
from wire.shard import Shard

__all__ = ["Session", "begin", "report_digest", "versions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A part of a run.

    Args:
        directory: the run's.
        seed: the run's.
        go: 1 for the first, then one more each time the run is resumed.
        worker: 0 for a campaign that plays in the process that was asked.
    """

    directory: Path
    seed: int
    go: int = 1
    worker: int = 0

    @property
    def case_seed(self) -> int:
        """What Cases are minted from: the run's own seed in the first go, whoever plays."""
        return self.seed if self.go == 1 else self._derived(f"{self.go}")

    @property
    def bed_seed(self) -> int:
        """What simulators and boxes are given."""
        if self.worker == 0:
            return self.case_seed
        return self._derived(f"{self.go}.{self.worker}")

    @property
    def workplace(self) -> Path:
        """Where the bed keeps its state: databases, keys, configurations."""
        if self.go == 1 and self.worker == 0:
            return self.directory
        return self.directory / "parties" / f"{self.go}.{self.worker}"

    def _derived(self, name: str) -> int:
        digest = hashlib.sha256(f"{self.seed}|{name}".encode()).digest()
        return int.from_bytes(digest[:4]) >> 1


def begin(profile: Profile, runs: Path, *, seed: int | None, report: Path | None) -> Session:
    """A new run: its directory below `runs`, and the first line of its journal.

    Raises:
        OSError: nothing can be written there, or the report cannot be read.
    """
    seed = secrets.randbits(31) if seed is None else seed
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    directory = (runs / name).absolute()
    directory.mkdir(parents=True)
    with closing(Shard(directory, "bench")) as shard:
        shard.write(
            "run.start",
            run=name,
            seed=seed,
            floor=profile.floor.value,
            strict=profile.strict,
            **versions(),
            profile={"name": profile.name, "sha256": profile.digest()},
            report=report_digest(report),
            product=profile.product.model_dump(),
            claims=profile.claims.model_dump(),
            inapplicable=profile.inapplicable(),
            load={**profile.load.model_dump(), "series_at_once": profile.load.series_at_once},
            secrets=concealed.names(),
            options=concealed.in_values(dict(profile.options)),
            actors=actors(site_of(profile), profile),
            neighbours={
                one.name: getattr(profile.neighbours, one.name) for one in profile.neighbours.real
            },
            expected_failures=_rows(profile.expected_failures),
            challenges=_rows(profile.challenges),
        )
    return Session(directory=directory, seed=seed)


def versions() -> dict[str, str]:
    """What plays, as `run.start` and `run.resume` say it."""
    try:
        version = metadata.version("drimbench")
    except metadata.PackageNotFoundError:
        version = "non installé"
    return {
        "version": version,
        "python": sys.version.split()[0],
        "platform": sys.platform,
    }


def report_digest(report: Path | None) -> str:
    """SHA-256 of the report given to play, "" without one.

    Raises:
        OSError: it cannot be read.
    """
    return hashlib.sha256(report.read_bytes()).hexdigest() if report is not None else ""


def _rows(declared: Iterable[BaseModel]) -> list[dict[str, Any]]:
    return [concealed.in_values(one.model_dump(mode="json")) for one in declared]
