"""Measures kept as proofs are read again, and only they."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.decisions import Attachment
from bench.measured import Measure, measures
from bench.pace import Grading, Series
from bench.results import Run
from bench.verdicts import Verdict
from wire.shard import BlobStore

_WHEN = datetime(2026, 11, 22, tzinfo=UTC)


def _run(directory: Path, *kept: tuple[str, bytes]) -> Run:
    blobs = BlobStore(directory / "blobs")
    return Run(
        directory=directory, id="run", seed=1, started=_WHEN, duration_s=1.0,
        verdict=Verdict.PASS, meta={}, scenarios=(), ambient=(),
        attachments=tuple(
            Attachment(
                proof="SCN_DB/CO.01.06.01", name=name, size=len(data), sha256=blobs.put(data),
                by="drimbench", utc=_WHEN,
            )
            for name, data in kept
        ),
    )  # fmt: skip


def _measure(screen: float | None) -> Measure:
    return Measure(
        proof="SCN_DB/CO.01.06.01",
        wire=Series(images=6, size=1_250_000, first_s=0.25, whole_s=1.0, transfer_syntaxes=("1",)),
        screen_first_image_s=screen,
        limits="1 s (DB.VI-CO.39)",
        grading=Grading.MET,
        graded=True,
    )


def test_a_measure_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = [_measure(0.5), _measure(None)]
    run = _run(tmp_path, *(("a.json", json.dumps(one.as_dict()).encode()) for one in kept))
    assert list(measures(run)) == kept
    assert kept[0].told.startswith("à l'écran en 0.500 s ; fil : première image en 0.250 s, 6")
    assert kept[1].told.endswith("10.0 Mbit/s")


def test_what_a_person_attaches_is_no_measure(tmp_path: Path) -> None:
    """Another file of that kind, one that is not of its kind, one that is gone, a picture."""
    run = _run(
        tmp_path, ("a.json", b'{"wire": 3}'), ("b.json", b"\xff{"), ("c.json", b"[1]"),
        ("d.json", b"gone"), ("e.png", json.dumps(_measure(None).as_dict()).encode()),
    )  # fmt: skip
    BlobStore(tmp_path / "blobs").path(run.attachments[3].sha256).unlink()
    assert list(measures(run)) == []
