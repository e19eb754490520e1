"""What a load test found: transfers, their percentiles, and the published thresholds beside them.

The conditions of DB.SO.100 and of DB.VI-SO.37 are not public (faq.md 17.3 and 26): a measure is
told with its own, and its grade is that of the 2023 texts, `draft`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from hdrh.histogram import HdrHistogram

from bench.pace import Grading, grade_first, grade_rate
from bench.profile import Load
from spec.grade import Grade

__all__ = ["PERCENTILES", "FirstImage", "Outcome", "Threshold", "Transfer", "judge", "percentiles"]

PERCENTILES = (50.0, 90.0, 95.0, 99.0, 100.0)
_LONGEST_US = 24 * 3600 * 10**6
_DIGITS = 3
_BUSY = 0.9
"""Share of a core above which a process of ours may be what limits the figure."""


class FirstImage(StrEnum):
    """Which of the two published limits of the first image fails a box."""

    REQUIREMENT = "exigence"
    SCENARIO = "scenario"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One series asked for. `begun` is monotonic; `first` is None when no image came."""

    user: int
    begun: float
    seconds: float
    first: float | None
    size: int
    images: int
    outcome: str

    @property
    def ended(self) -> float:
        """When, on the same clock."""
        return self.begun + self.seconds

    @property
    def failed(self) -> bool:
        """It ended, and wrongly."""
        return self.outcome not in ("ok", "unfinished")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A published limit beside what was measured; `grading` None: could not be measured."""

    requirements: tuple[str, ...]
    name: str
    measured: float | None
    expected: float
    unit: str
    grade: Grade
    grading: Grading | None
    fails: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A whole measure."""

    transfers: tuple[Transfer, ...]
    thresholds: tuple[Threshold, ...]
    errors: dict[str, int]
    conditions: dict[str, object]
    resources: dict[str, float]
    limited_by: tuple[str, ...] = ()
    interrupted: bool = False
    samples: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def whole(self) -> int:
        """Series that came whole."""
        return sum(one.outcome == "ok" for one in self.transfers)

    @property
    def span_s(self) -> float:
        """From the first request to the last byte."""
        begun = min((one.begun for one in self.transfers), default=0.0)
        return max((one.ended for one in self.transfers), default=0.0) - begun

    @property
    def megabits_s(self) -> float:
        """Throughput of all users together; series that were cut count for what came of them."""
        return sum(one.size for one in self.transfers) * 8 / 1e6 / max(self.span_s, 1e-6)

    @property
    def images_s(self) -> float:
        """Images a second."""
        return sum(one.images for one in self.transfers) / max(self.span_s, 1e-6)

    @property
    def conform(self) -> bool:
        """No limit passed, no error, and something came."""
        return self.whole > 0 and not self.errors and not any(one.fails for one in self.thresholds)

    def as_dict(self) -> dict[str, Any]:
        """One JSON document, transfers last."""
        begun = min((one.begun for one in self.transfers), default=0.0)
        return {
            "workload": "wado-series",
            "conform": self.conform,
            "interrupted": self.interrupted,
            "seconds": round(self.span_s, 3),
            "series": self.whole,
            "unfinished": sum(one.outcome == "unfinished" for one in self.transfers),
            "megabits_s": round(self.megabits_s, 3),
            "images_s": round(self.images_s, 3),
            "latency_s": self.samples,
            "errors": self.errors,
            "thresholds": [asdict(one) for one in self.thresholds],
            "resources": self.resources,
            "limited_by": list(self.limited_by),
            "conditions": self.conditions,
            "transfers": [
                {**asdict(one), "begun": round(one.begun - begun, 6)} for one in self.transfers
            ],
        }


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """By percentile, in seconds, from an HDR histogram of three digits; empty without a sample."""
    if not seconds:
        return {}
    histogram = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for one in seconds:
        histogram.record_value(max(1, round(one * 1e6)))
    return {f"{rank:g}": histogram.get_value_at_percentile(rank) / 1e6 for rank in PERCENTILES}


def judge(
    transfers: Sequence[Transfer],
    load: Load,
    *,
    first_image: FirstImage = FirstImage.SCENARIO,
    conditions: dict[str, object] | None = None,
    resources: dict[str, float] | None = None,
    interrupted: bool = False,
) -> Outcome:
    """Everything beside its limit. A first image that never came waited as long as its transfer:
    a box does not get faster by sending nothing."""
    kept = tuple(sorted(transfers, key=lambda one: one.begun))
    waits = [one.seconds if one.first is None else one.first for one in kept if not one.failed]
    samples = {
        "first_image": percentiles(waits),
        "series": percentiles([one.seconds for one in kept if one.outcome == "ok"]),
    }
    used = resources or {}
    outcome = Outcome(
        transfers=kept,
        thresholds=(),
        errors=dict(Counter(one.outcome for one in kept if one.failed)),
        conditions=conditions or {},
        resources=used,
        limited_by=tuple(
            name for name in ("generator", "bench") if used.get(f"{name}_cores", 0.0) > _BUSY
        ),
        interrupted=interrupted,
        samples=samples,
    )
    thresholds = (
        _rate(outcome, load),
        _first(samples["first_image"].get("95"), load, first_image),
        _together(kept, load),
    )
    return Outcome(
        **{
            name: getattr(outcome, name)
            for name in ("transfers", "errors", "conditions", "resources", "limited_by")
        },
        interrupted=interrupted,
        samples=samples,
        thresholds=thresholds,
    )


def _rate(outcome: Outcome, load: Load) -> Threshold:
    grading = grade_rate(outcome.megabits_s, load)
    return Threshold(
        requirements=("DB.SO.100", "DB.VI-SO.38"),
        name="throughput",
        measured=outcome.megabits_s,
        expected=load.throughput_mbps,
        unit="Mbit/s",
        grade=Grade.DRAFT,
        grading=grading,
        fails=grading is Grading.BEYOND,
    )


def _first(measured: float | None, load: Load, limit: FirstImage) -> Threshold:
    """On the wire: the screen comes later, so a box may fail here and cannot be acquitted."""
    strict = limit is FirstImage.REQUIREMENT
    grading = None if measured is None else grade_first(measured, load)
    bad = (None, Grading.BEYOND, *([Grading.TOLERATED] if strict else []))
    return Threshold(
        requirements=("DB.VI-SO.37", "DB.VI-CO.39"),
        name="first_image",
        measured=measured,
        expected=load.first_image_s if strict else load.first_image_at_most_s,
        unit="s",
        grade=Grade.DRAFT,
        grading=grading,
        fails=grading in bad,
    )


def _together(transfers: Sequence[Transfer], load: Load) -> Threshold:
    """The most series that were under way at once, each with an image already or in the end."""
    served = [one for one in transfers if not one.failed and one.first is not None]
    steps = sorted(
        [(one.begun, 1) for one in served] + [(one.ended, -1) for one in served],
        key=lambda step: (step[0], step[1]),
    )
    now = most = 0
    for _, change in steps:
        now += change
        most = max(most, now)
    asked = len({one.user for one in transfers})
    measured = asked >= load.series_at_once
    met = most >= load.series_at_once
    return Threshold(
        requirements=("DB.SO.35",),
        name="together",
        measured=float(most),
        expected=float(load.series_at_once),
        unit="series",
        grade=Grade.DRAFT,
        grading=(Grading.MET if met else Grading.BEYOND) if measured else None,
        fails=measured and not met,
    )
