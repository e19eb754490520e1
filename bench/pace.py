"""How soon the first image came, and how fast the rest: read on captures, held against options.

DB.VI-CO.39 wants the first image in 1 s, the draft scenarios in 4 s with a margin of 20 %, and
DB.VI-CO.40 100 Mbit/s, "in the conditions of the viewer's specification", which are not public
(faq.md 17.3 and 26, grade: draft, contradictory). So a measure is always told with its conditions,
it never fails a product by itself, and that of the embedded reference, which shares its machine
with the bench, is not graded at all.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bench.profile import Load
from wire.exchange import Exchange

__all__ = [
    "Grading",
    "Series",
    "grade_first",
    "grade_rate",
    "load_of_machine",
    "series_of",
    "sum_of",
]


class Grading(StrEnum):
    """A measure beside the thresholds."""

    MET = "tenu"
    TOLERATED = "toléré"
    """Under the looser of the two published thresholds alone."""
    BEYOND = "dépassé"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Images that passed on one wire. Seconds since the request's first byte, or the first image's
    association."""

    images: int
    size: int
    """Bytes, framing included."""
    first_s: float | None
    """When the last byte of the first image had passed, as the Source saw it; None: not known."""
    whole_s: float
    transfer_syntaxes: tuple[str, ...] = ()

    @property
    def megabits_s(self) -> float:
        """Throughput."""
        return self.size * 8 / 1e6 / max(self.whole_s, 1e-6)

    def as_dict(self) -> dict[str, object]:
        """For a proof."""
        return {**asdict(self), "megabits_s": round(self.megabits_s, 3)}

    @property
    def told(self) -> str:
        """One French line."""
        first = "" if self.first_s is None else f"première image en {self.first_s:.3f} s, "
        return (
            f"{first}{self.images} image(s) et {self.size} octets en {self.whole_s:.3f} s, "
            f"{self.megabits_s:.1f} Mbit/s"
        )


def series_of(exchange: Exchange) -> Series:
    """A WADO-RS answer, as whoever recorded it saw it pass."""
    answer = exchange.response
    parts = answer.parts if answer else ()
    first = parts[0].mono - exchange.mono_start if parts and parts[0].mono else None
    syntaxes = dict.fromkeys(_syntax(part.headers) for part in parts)
    return Series(
        images=len(parts),
        size=answer.size if answer else 0,
        first_s=first,
        whole_s=exchange.mono_end - exchange.mono_start,
        transfer_syntaxes=tuple(uid for uid in syntaxes if uid),
    )


def sum_of(stores: Sequence[Exchange]) -> Series:
    """C-STORE after C-STORE, associations side by side counted once: as the PACS saw them come."""
    begun = min((one.mono_start for one in stores), default=0.0)
    ended = max((one.mono_end for one in stores), default=0.0)
    first = min(stores, key=lambda one: one.mono_end, default=None)
    return Series(
        images=len(stores),
        size=sum(one.request.size for one in stores if one.request),
        first_s=first.mono_end - begun if first else None,
        whole_s=ended - begun,
    )


def grade_first(seconds: float, load: Load) -> Grading:
    """The first image beside both thresholds."""
    if seconds <= load.first_image_s:
        return Grading.MET
    return Grading.TOLERATED if seconds <= load.first_image_at_most_s else Grading.BEYOND


def grade_rate(megabits_s: float, load: Load) -> Grading:
    """A throughput beside the only threshold that is published."""
    return Grading.MET if megabits_s >= load.throughput_mbps else Grading.BEYOND


def load_of_machine() -> dict[str, object]:
    """What else the machine was doing, where the system says so."""
    cores = os.cpu_count() or 1
    if not hasattr(os, "getloadavg"):
        return {"cores": cores}
    return {"cores": cores, "load_1_min": round(os.getloadavg()[0], 2)}


def _syntax(headers: Sequence[tuple[str, str]]) -> str:
    """The transfer syntax that a part announces, "" when it announces none."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    for parameter in kind.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "transfer-syntax":
            return value.strip('"')
    return ""
