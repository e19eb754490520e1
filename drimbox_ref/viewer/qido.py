"""QIDO-RS about a handful of studies: what is told of each level, what a query keeps of it.

Known from manifests alone, before any image is here: what only images say is left out.

Réf.: DICOM PS3.18 10.6 (search transaction), annex F (JSON); matching, PS3.4 C.2.2.2; grade:
standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BadQuery", "KnownSeries", "KnownStudy", "instances", "kept", "series", "studies"]

Model = dict[str, Any]
"""One match, in the DICOM JSON model."""

_KEYWORDS = {
    "StudyDate": "00080020",
    "StudyTime": "00080030",
    "AccessionNumber": "00080050",
    "Modality": "00080060",
    "ModalitiesInStudy": "00080061",
    "StudyDescription": "00081030",
    "SeriesDescription": "0008103E",
    "PatientName": "00100010",
    "PatientID": "00100020",
    "PatientBirthDate": "00100030",
    "PatientSex": "00100040",
    "BodyPartExamined": "00180015",
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "SOPInstanceUID": "00080018",
}
_MAX_LIMIT = 10_000


class BadQuery(Exception):
    """A query that cannot be read. French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSeries:
    """A series as its manifest references it."""

    uid: str
    modality: str
    description: str
    body_part: str
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStudy:
    """A study as its manifests reference it. Dates are `YYYYMMDD`, "" when unknown."""

    uid: str
    date: str
    time: str
    description: str
    accession: str
    modalities: tuple[str, ...]
    patient_name: str
    patient_id: str
    birth_date: str
    sex: str
    series: tuple[KnownSeries, ...]


def studies(known: Iterable[KnownStudy], *, root: str) -> list[Model]:
    """All studies; `root` is the address of the service, for RetrieveURL."""
    return [_study(one, root) for one in known]


def series(study: KnownStudy, *, root: str) -> list[Model]:
    """The series of a study."""
    return [
        {
            **_named(study),
            "0020000E": _entry("UI", one.uid),
            "00080060": _entry("CS", one.modality),
            "0008103E": _entry("LO", one.description),
            "00180015": _entry("CS", one.body_part),
            "00200011": _entry("IS", number),
            "00201209": _entry("IS", len(one.instances)),
            "00081190": _entry("UR", f"{root}/studies/{study.uid}/series/{one.uid}"),
        }
        for number, one in enumerate(study.series, 1)
    ]


def instances(study: KnownStudy, one: KnownSeries, *, root: str) -> list[Model]:
    """The instances of a series; the manifest does not order them."""
    address = f"{root}/studies/{study.uid}/series/{one.uid}/instances"
    return [
        {
            "0020000D": _entry("UI", study.uid),
            "0020000E": _entry("UI", one.uid),
            "00080060": _entry("CS", one.modality),
            "00080018": _entry("UI", uid),
            "00081190": _entry("UR", f"{address}/{uid}"),
        }
        for uid in sorted(one.instances)
    ]


def kept(models: Sequence[Model], query: Sequence[tuple[str, str]]) -> list[Model]:
    """What a query keeps of these, from `offset` and `limit` at most.

    Keys that no match could answer are ignored (PS3.18 8.3.4.1); `includefield` too: everything
    that is known is told.

    Raises:
        BadQuery: a limit or an offset that is no number.
    """
    bounds = {"offset": 0, "limit": _MAX_LIMIT}
    found = list(models)
    for name, value in query:
        tag = _KEYWORDS.get(name, name.upper())
        if name in bounds:
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                raise BadQuery(f"{name} : un nombre attendu, {value!r} trouvé")
            bounds[name] = int(value)
        elif tag in _KEYWORDS.values() and value:
            found = [one for one in found if tag not in one or _matches(one[tag], value)]
    return found[bounds["offset"] :][: bounds["limit"]]


def _study(study: KnownStudy, root: str) -> Model:
    return {
        **_named(study),
        "00080061": _entry("CS", *study.modalities),
        "00201206": _entry("IS", len(study.series)),
        "00201208": _entry("IS", sum(len(one.instances) for one in study.series)),
        "00081190": _entry("UR", f"{root}/studies/{study.uid}"),
    }


def _named(study: KnownStudy) -> Model:
    """Whose study it is, and which."""
    return {
        "00080020": _entry("DA", study.date),
        "00080030": _entry("TM", study.time),
        "00080050": _entry("SH", study.accession),
        "00081030": _entry("LO", study.description),
        "00100010": _entry("PN", study.patient_name),
        "00100020": _entry("LO", study.patient_id),
        "00100030": _entry("DA", study.birth_date),
        "00100040": _entry("CS", study.sex),
        "0020000D": _entry("UI", study.uid),
    }


def _entry(vr: str, *values: str | int) -> Model:
    """An attribute; one without value has its VR alone (PS3.18 F.2.5)."""
    known: list[Any] = [value for value in values if value != ""]
    if vr == "PN":
        known = [{"Alphabetic": value} for value in known]
    return {"vr": vr, "Value": known} if known else {"vr": vr}


def _matches(entry: Mapping[str, Any], wanted: str) -> bool:
    """Whether one value of an attribute is what a key asks for."""
    vr = entry["vr"]
    values = [
        value["Alphabetic"] if isinstance(value, dict) else str(value)
        for value in entry.get("Value", ())
    ]
    if vr == "UI":
        return bool(set(values) & set(re.split(r"[,\\]", wanted)))
    if vr == "DA" and "-" in wanted:
        first, _, last = wanted.partition("-")
        return any(first <= value <= (last or "99999999") for value in values)
    pattern = "".join(
        ".*" if character == "*" else "." if character == "?" else re.escape(character)
        for character in re.sub(r"\*+", "*", wanted)
    )
    flags = re.IGNORECASE if vr == "PN" else re.NOFLAG
    return any(re.fullmatch(pattern, value, flags | re.DOTALL) for value in values or [""])
