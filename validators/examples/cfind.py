"""Example answers of a PACS to a C-FIND, about the example exam."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from protocols.dicom import build_part10, encode_element
from validators.examples import hl7v2, kos

__all__ = ["answers", "image", "response_file", "series", "study"]

Identifier = dict[str, Any]

_QUERY_MODEL = "1.2.840.10008.5.1.4.1.2.2.1"


def _identifier(**changes: Any) -> Identifier:
    """What every level says, some keywords changed, or left out when None."""
    issuer = {"00400032": {"vr": "UT", "Value": [kos.ACCESSION_OID]}}
    said: dict[str, tuple[str, str, Any]] = {
        "level": ("00080052", "CS", "STUDY"),
        "accession": ("00080050", "SH", kos.ACCESSION),
        "issuer": ("00080051", "SQ", issuer),
        "modality": ("00080060", "CS", None),
        "modalities": ("00080061", "CS", None),
        "name": ("00100010", "PN", {"Alphabetic": "PAT-TROIS^DOMINIQUE"}),
        "patient": ("00100020", "LO", hl7v2.IPP),
        "birth_date": ("00100030", "DA", "19790328"),
        "sex": ("00100040", "CS", "F"),
        "study": ("0020000D", "UI", kos.STUDY),
        "series": ("0020000E", "UI", None),
        "instance": ("00080018", "UI", None),
        "sop_class": ("00080016", "UI", None),
        "series_count": ("00201206", "IS", None),
        "instance_count": ("00201208", "IS", None),
        "series_instance_count": ("00201209", "IS", None),
    }
    made: Identifier = {}
    for name, (tag, vr, value) in said.items():
        written = changes.get(name, value)
        if written is not None:
            made[tag] = {"vr": vr, "Value": [written]}
    return made


def study(**changes: Any) -> Identifier:
    """The exam, as a STUDY-level query finds it."""
    counts = {"series_count": 1, "instance_count": len(kos.instances())}
    return _identifier(**({"modalities": "CT"} | counts | changes))


def series(**changes: Any) -> Identifier:
    """Its series."""
    said = {"level": "SERIES", "series": kos.SERIES, "modality": "CT"}
    return _identifier(**(said | {"series_instance_count": len(kos.instances())} | changes))


def image(number: int = 1, **changes: Any) -> Identifier:
    """One of its instances, by rank, as a relational IMAGE-level query finds it."""
    one = kos.instances()[number - 1]
    said = {
        "level": "IMAGE",
        "series": kos.SERIES,
        "modality": "CT",
        "instance": one.sop_instance,
        "sop_class": one.sop_class,
    }
    return _identifier(**(said | changes))


def answers(found: Iterable[Identifier] | None = None) -> bytes:
    """Identifiers in DICOM JSON: the instances of the exam unless told otherwise."""
    listed = [image(1), image(2)] if found is None else list(found)
    return json.dumps(listed, ensure_ascii=False).encode()


def response_file() -> bytes:
    """The exam in a DICOM file, as `findscu -X` writes a response."""
    texts = (
        (0x00080050, "SH", kos.ACCESSION),
        (0x00080052, "CS", "STUDY"),
        (0x00080061, "CS", "CT"),
        (0x00100020, "LO", hl7v2.IPP),
        (0x0020000D, "UI", kos.STUDY),
        (0x00201208, "IS", str(len(kos.instances()))),
    )
    data = b"".join(
        encode_element(tag, vr, value.encode(), implicit=False) for tag, vr, value in texts
    )
    return build_part10(
        sop_class=_QUERY_MODEL,
        sop_instance=f"{kos.STUDY}.1",
        transfer_syntax="1.2.840.10008.1.2.1",
        dataset=data,
    )
