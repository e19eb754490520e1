"""C-FIND: our PACS against Orthanc, asked by `findscu`; and one exam among 100,000 beside 1,000.

The second is our PACS's own query, without a network: what it costs must not grow with the archive.
"""

from __future__ import annotations

import random
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from load.benchmarks.measure import Measure, Skipped, faster, timed
from load.benchmarks.peers import (
    AbsentError,
    PeerError,
    orthanc,
    our_process,
    program,
    run_timed,
)
from protocols.dicom import build_part10, encode_element
from simulators.pacs import Archive, query
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.dimse import DimseClient, DimsePeer
from wire.exchange import ignore

__all__ = ["FEW", "MANY", "NAME", "STUDIES", "exams", "run"]

NAME = "c_find"
STUDIES = 500
FEW, MANY = 1_000, 100_000
_ROUNDS, _LOOKUPS = 5, 50
_ORTHANC, _LOOKUP = 0.5, 0.5
"""How many times as fast as Orthanc, and as among a few, at least."""
_CT = "1.2.840.10008.5.1.4.1.1.2"


def run(
    *, rounds: int = _ROUNDS, studies: int = STUDIES, few: int = FEW, many: int = MANY
) -> list[Measure | Skipped]:
    """Measure what the programs on this machine allow.

    Raises:
        PeerError: one of them fails, or answers otherwise than it should.
    """
    lines: list[Measure | Skipped] = []
    try:
        lines += _beside_orthanc(rounds, studies)
    except AbsentError as absent:
        title = "C-FIND, face à Orthanc"
        lines.append(Skipped(benchmark=NAME, name=title, reason=str(absent)))
    lines.append(_among_many(rounds, few, many))
    return lines


def exams(count: int) -> Iterator[bytes]:
    """That many exams of one image of one pixel: their files."""
    for number in range(count):
        study = f"2.25.50001.{number + 1}"
        values = {
            0x00080016: ("UI", _CT), 0x00080018: ("UI", f"{study}.1.1"),
            0x00080020: ("DA", "20261122"), 0x00080030: ("TM", "101500"),
            0x00080050: ("SH", f"ACN{number}"), 0x00080060: ("CS", "CT"),
            0x00081030: ("LO", "TDM du thorax"), 0x00100010: ("PN", f"BENCH^N{number}"),
            0x00100020: ("LO", f"IPP{number}"), 0x00100030: ("DA", "19700101"),
            0x00100040: ("CS", "F"), 0x0020000D: ("UI", study), 0x0020000E: ("UI", f"{study}.1"),
            0x00200010: ("SH", "1"), 0x00200011: ("IS", "1"), 0x00200013: ("IS", "1"),
        }  # fmt: skip
        short = {0x00280002: 1, 0x00280010: 1, 0x00280011: 1, 0x00280100: 16, 0x00280101: 16,
                 0x00280102: 15, 0x00280103: 0}  # fmt: skip
        encoded = [
            encode_element(tag, vr, value.encode(), implicit=False)
            for tag, (vr, value) in values.items()
        ]
        encoded.append(encode_element(0x00280004, "CS", b"MONOCHROME2", implicit=False))
        encoded += [
            encode_element(tag, "US", struct.pack("<H", value), implicit=False)
            for tag, value in short.items()
        ]
        head, pixels = (
            encoded[: len(values)],
            sorted(encoded[len(values) :], key=lambda one: struct.unpack_from("<HH", one)),
        )
        yield build_part10(
            sop_class=_CT,
            sop_instance=f"{study}.1.1",
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
            dataset=b"".join(head)
            + b"".join(pixels)
            + encode_element(0x7FE00010, "OW", b"\0\0", implicit=False),
        )


def _beside_orthanc(rounds: int, studies: int) -> list[Measure | Skipped]:
    findscu = program("findscu", "dcmtk")
    made = list(exams(studies))
    with tempfile.TemporaryDirectory(prefix="drimbench-") as name:
        folder = Path(name)
        with (
            orthanc(folder) as (theirs, _),
            our_process("load.benchmarks.archive", {}, folder) as ours,
        ):
            own = int(ours["dicom"].rpartition(":")[2])
            for title, port in (("PACS", own), ("ORTHANC", theirs)):
                client = DimseClient("BENCH", actor="bench", observe=ignore)
                if set(client.store(DimsePeer("127.0.0.1", port, title), made)) != {0}:
                    raise PeerError(f"{title} n'a pas tout gardé")
            asked = [findscu, "-S", "-aet", "BENCH"]
            lines: list[Measure | Skipped] = []
            for what, keys, count in (
                ("de 1 examen", ["StudyInstanceUID=2.25.50001.7"], 1),
                (f"de {studies} examens", ["StudyInstanceUID"], studies),
            ):
                command = [*asked, "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID",
                           "-k", "AccessionNumber", "-k", "StudyDate"]  # fmt: skip
                command += [one for key in keys for one in ("-k", key)]
                lines.append(
                    faster(
                        NAME, f"C-FIND {what}", "Orthanc",
                        _asked(command, "PACS", own), _asked(command, "ORTHANC", theirs),
                        amount=count, unit="réponses/s", rounds=rounds, floor=_ORTHANC,
                    )
                )  # fmt: skip
            return lines


def _asked(command: list[str], title: str, port: int) -> Callable[[], float]:
    return lambda: run_timed([*command, "-aec", title, "127.0.0.1", str(port)])


def _among_many(rounds: int, few: int, many: int) -> Measure:
    return faster(
        NAME, f"C-FIND d'un examen parmi {many}", f"parmi {few}",
        _lookups(many), _lookups(few),
        amount=_LOOKUPS, unit="requêtes/s", rounds=rounds, floor=_LOOKUP,
    )  # fmt: skip


def _lookups(count: int) -> Callable[[], float]:
    """One round: that many exams, each found by its Study Instance UID, at random."""
    archive = Archive()
    for file in exams(count):
        archive.add_file(file)

    def look() -> None:
        # Chance that no result depends on: which exams are looked up.
        for number in random.sample(range(count), _LOOKUPS):
            identifier = Dataset()
            identifier.QueryRetrieveLevel = "STUDY"
            identifier.StudyInstanceUID = f"2.25.50001.{number + 1}"
            identifier.AccessionNumber = ""
            identifier.PatientID = ""
            found = list(
                query.find(archive, identifier, model="STUDY", relational=True, ae_title="PACS")
            )
            if [one.AccessionNumber for one in found] != [f"ACN{number}"]:
                raise PeerError(f"examen {number} parmi {count} : {len(found)} réponses")

    return timed(look)
