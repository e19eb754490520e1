"""Measures that a run keeps as proofs: written by a step, read by reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bench.pace import Grading, Series
from bench.results import Run
from wire.shard import BlobStore

__all__ = ["Measure", "measures"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How soon images came and how fast, beside published thresholds that never fail a product."""

    proof: str
    """The proof's id in the drafts: `SCN_DB/CO.01.06.01`."""
    wire: Series
    screen_first_image_s: float | None
    """When the first image was drawn in a browser; None: nobody looked at a screen."""
    limits: str
    """The thresholds, in French, with the requirements that want them."""
    grading: Grading
    graded: bool
    """Whether it counts: the reference shares its machine with the bench, and is not graded."""

    @property
    def told(self) -> str:
        """One French line, without the conditions."""
        if self.screen_first_image_s is None:
            return self.wire.told
        return f"à l'écran en {self.screen_first_image_s:.3f} s ; fil : {self.wire.told}"

    def as_dict(self) -> dict[str, object]:
        """For the proof."""
        return {
            "wire": self.wire.as_dict(),
            "screen_first_image_s": self.screen_first_image_s,
            "limits": self.limits,
            "grading": self.grading.value,
            "graded": self.graded,
        }


def measures(run: Run) -> Iterator[Measure]:
    """Those of the run, in the order kept; a proof whose bytes are gone or not ours is left out."""
    blobs = BlobStore(run.directory / "blobs")
    for proof in run.attachments:
        if proof.name.endswith(".json"):
            try:
                yield _measure(proof.proof, json.loads(blobs.get(proof.sha256)))
            except (OSError, ValueError, KeyError, TypeError):
                continue


def _measure(proof: str, figures: dict[str, Any]) -> Measure:
    wire = figures["wire"]
    return Measure(
        proof=proof,
        wire=Series(
            images=wire["images"],
            size=wire["size"],
            first_s=wire["first_s"],
            whole_s=wire["whole_s"],
            transfer_syntaxes=tuple(wire["transfer_syntaxes"]),
        ),
        screen_first_image_s=figures["screen_first_image_s"],
        limits=figures["limits"],
        grading=Grading(figures["grading"]),
        graded=figures["graded"],
    )
