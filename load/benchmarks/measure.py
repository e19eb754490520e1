"""What a benchmark says: one figure of ours, one of the peer, their ratio and its limit."""

from __future__ import annotations

from dataclasses import asdict, dataclass

__all__ = ["Measure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One line of the table.

    `ratio` is the median of the ratios of each round, which is steadier on a busy machine than
    the ratio of the medians that `ours` and `peer` show. `quiet_ratio` compares the undisturbed
    costs: a neighbour that takes the processor or the disk only ever adds. `limit` is what that
    one must not exceed; None where a figure only informs.
    """

    benchmark: str
    name: str
    peer_name: str
    ours: float
    peer: float
    ratio: float
    quiet_ratio: float
    limit: float | None
    unit: str
    runs: int

    @property
    def kept(self) -> bool:
        """Whether the undisturbed ratio is within its limit."""
        return self.limit is None or self.quiet_ratio <= self.limit

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "kept": self.kept}
