"""What a judgement costs: a manifest of 1,000 instances, a report of 500 kB, a submission, an exam.

A manifest is compared with `dciodvfy` where it is installed (the `interop` extra), which reads a
file and judges it in a process of its own, as it is used; and with pydicom reading every element.
The others are compared with the mere reading that any judge begins by.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pydicom

from load.benchmarks.measure import Measure
from protocols import xml
from protocols.kos import ContentItem, InstanceRef
from validators.api import KINDS, guess, validate
from validators.examples import hl7v2, kos, xds

__all__ = ["INSTANCES", "KOS_LIMIT", "NAME", "REPORT_SIZE", "long_manifest", "long_report", "run"]

NAME = "validation"
INSTANCES = 1_000
REPORT_SIZE = 500_000
KOS_LIMIT = 1.0
"""A manifest is judged no slower than dciodvfy does."""

_ROUNDS = 9
_CT = "1.2.840.10008.5.1.4.1.1.2"
_EXAM = "examen"
_Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Ours against a peer's, on the same bytes."""

    name: str
    peer_name: str
    ours: _Call
    peer: _Call
    limit: float | None = None
    turns: int = 1
    """How many times in each round: what lasts a millisecond is disturbed by less."""


def run(*, rounds: int = _ROUNDS, instances: int = INSTANCES) -> list[Measure]:
    """Measure each pair in interleaved rounds; a first, uncounted, round warms them."""
    with _pairs(instances) as pairs:
        return [_measure(pair, rounds) for pair in pairs]


def _measure(pair: _Pair, rounds: int) -> Measure:
    runs = rounds * pair.turns
    times = [(_seconds(pair.ours), _seconds(pair.peer)) for _ in range(runs + 1)][1:]
    return Measure(
        benchmark=NAME,
        name=pair.name,
        peer_name=pair.peer_name,
        ours=statistics.median(ours for ours, _ in times) * 1e3,
        peer=statistics.median(peer for _, peer in times) * 1e3,
        ratio=statistics.median(ours / peer for ours, peer in times),
        quiet_ratio=min(ours for ours, _ in times) / min(peer for _, peer in times),
        limit=pair.limit,
        unit="ms",
        runs=runs,
    )


def _seconds(call: _Call) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


@contextmanager
def _pairs(instances: int) -> Iterator[list[_Pair]]:
    manifest, report, lot = long_manifest(instances), long_report(), xds.iti41()
    exam = KINDS[_EXAM].rules.good()
    with tempfile.TemporaryDirectory(prefix="drimbench-") as folder:
        path = Path(folder) / "kos.dcm"
        path.write_bytes(manifest)
        pairs = [
            _Pair(
                f"KOS de {instances} instances",
                "pydicom, lecture de tous les éléments",
                lambda: validate(manifest, "kos"),
                lambda: _read_whole(manifest),
            ),
            _Pair(
                f"ORU, CDA de {REPORT_SIZE // 1000} ko",
                "base64 et lxml, lecture seule",
                lambda: validate(report, "oru"),
                lambda: _read_report(report),
                turns=5,
            ),
            _Pair(
                "ITI-41 signé",
                "lxml, lecture de l'enveloppe",
                lambda: validate(lot, "iti-41"),
                lambda: _read_envelope(lot),
                turns=10,
            ),
            _Pair(
                "croisement d'un examen",
                "ses pièces jugées une à une",
                lambda: validate(exam, _EXAM),
                lambda: _judge_members(exam),
            ),
        ]
        program = shutil.which("dciodvfy") or shutil.which(
            "dciodvfy", path=str(Path(sys.executable).parent)
        )
        if program is not None:
            pairs.insert(
                0,
                _Pair(
                    f"KOS de {instances} instances",
                    "dciodvfy, processus compris",
                    lambda: validate(manifest, "kos"),
                    lambda: subprocess.run([program, path], capture_output=True, check=False),
                    KOS_LIMIT,
                ),
            )
        yield pairs


def long_manifest(instances: int) -> bytes:
    """The example manifest with that many images in its series."""
    listed = tuple(InstanceRef(_CT, f"{kos.SERIES}.{rank}") for rank in range(1, instances + 1))
    good = kos.manifest()
    study = good.studies[0]
    series = replace(study.series[0], instances=listed)
    content = tuple(
        ContentItem(value_type="IMAGE", references=((one.sop_class, one.sop_instance),))
        for one in listed
    )
    described = (good.content or ())[-1:]
    return kos.kos(studies=(replace(study, series=(series,)),), content=(*content, *described))


def long_report() -> bytes:
    """The example report with a long body."""
    head, _, end = hl7v2.cda().rpartition(b"</ClinicalDocument>")
    body = b"<component><text>" + b"A" * REPORT_SIZE + b"</text></component></ClinicalDocument>"
    return hl7v2.oru(document=head + body + end)


def _read_whole(data: bytes) -> int:
    return sum(1 for _ in pydicom.dcmread(io.BytesIO(data)).iterall())


def _read_report(data: bytes) -> object:
    encoded = data.partition(b"^TEXT^XML^Base64^")[2].partition(b"|")[0]
    return xml.parse(base64.b64decode(encoded))


def _read_envelope(data: bytes) -> object:
    found = re.search(rb"<soap:Envelope.*</soap:Envelope>", data, re.DOTALL)
    assert found is not None
    return xml.parse(found[0])


def _judge_members(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            if guess(member) is not None:
                validate(member)
