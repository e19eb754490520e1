"""Networks by name (`networks.toml` beside this file): round trip, bandwidth, where values come
from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

from spec.grade import Grade

__all__ = ["NETWORKS", "NamedNetwork"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNetwork:
    """One of them. Texts are French."""

    name: str
    title: str
    rtt_ms: float
    """There and back."""
    down_mbps: float
    """Towards who opened the connection, in millions of bits a second; 0: no limit."""
    up_mbps: float
    source: str
    grade: Grade
    """`inferred` when the values are a convention; no network is a requirement."""


def _load() -> dict[str, NamedNetwork]:
    data = resources.files("spec").joinpath("networks.toml").read_text(encoding="utf-8")
    return {
        name: NamedNetwork(name=name, **{**row, "grade": Grade(row["grade"])})
        for name, row in tomllib.loads(data).items()
    }


NETWORKS = _load()
"""By name, the fastest first."""
