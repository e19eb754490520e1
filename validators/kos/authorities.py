"""KOS: identifiers of patients and orders, and the authorities that assign them, as DICOM writes
them. Which authority is the right one is the affair of IMG-KOS.
"""

from __future__ import annotations

from collections.abc import Iterator

from protocols.kos import Issuer, OtherPatientId
from validators.dicom_tree import DataSet
from validators.examples import kos as example
from validators.kos.reading import Kos
from validators.kos.rules import KOS, Findings, dicom, filled
from validators.rule import Broken

__all__: list[str] = []

_LOCAL, _UNIVERSAL, _KIND = 0x00400031, 0x00400032, 0x00400033
_OTHER_IDS = 0x00101002
_DESIGNATORS = {
    0x00100024: "IssuerOfPatientIDQualifiersSequence",
    0x00080051: "IssuerOfAccessionNumberSequence",
    0x00400026: "OrderPlacerIdentifierSequence",
    0x00400027: "OrderFillerIdentifierSequence",
}
"""Sequences of one authority each."""
_NOT_EMPTY = {
    **_DESIGNATORS,
    _OTHER_IDS: "OtherPatientIDsSequence",
    0x0040A370: "ReferencedRequestSequence",
}
"""Optional sequences that hold an item as soon as they are written."""


def _levels(kos: Kos) -> Iterator[DataSet]:
    """Where an identifier and its authority may be written."""
    yield kos.root
    yield from kos.root.items(_OTHER_IDS)
    yield from kos.requests


@KOS.rule(
    "KOS-023",
    "Une séquence optionnelle présente a au moins un item",
    reference=dicom("PS3.3 C.7.1.1, C.17.2, 10.15"),
    bad=lambda: example.kos(other_patient_ids=()),
)
def sequences_not_empty(kos: Kos) -> Findings:
    for level in _levels(kos):
        for tag, name in _NOT_EMPTY.items():
            if tag in level and not level.items(tag):
                yield Broken(
                    message=f"{name} est vide : sans item, elle est omise.",
                    expected="un item, ou pas de séquence",
                    where=level.where(tag),
                )


@KOS.rule(
    "KOS-024",
    "Une autorité a un nom local, ou un identifiant universel et sa sorte",
    reference=dicom("PS3.3 10.14, table 10-17"),
    bad=lambda: example.with_request(accession_issuer=(Issuer("", ""),)),
)
def designators(kos: Kos) -> Findings:
    for level in _levels(kos):
        for tag in _DESIGNATORS:
            for item in level.items(tag):
                yield from _designator(item)


def _designator(item: DataSet) -> Findings:
    universal = item.text(_UNIVERSAL)
    if universal:
        yield from filled(item, _KIND, "UniversalEntityIDType")
    elif not item.text(_LOCAL) or _UNIVERSAL in item:
        yield from filled(item, _UNIVERSAL, "UniversalEntityID")
    if not universal and item.text(_KIND):
        yield Broken(
            message="La sorte d'un identifiant universel est écrite sans lui.",
            actual=item.text(_KIND),
            where=item.where(_KIND),
        )


@KOS.rule(
    "KOS-025",
    "Un autre identifiant du patient a une valeur",
    reference=dicom("PS3.3 C.7.1.1, Other Patient IDs Sequence"),
    bad=lambda: example.kos(other_patient_ids=(OtherPatientId(patient_id="", type="TEXT"),)),
)
def other_ids_filled(kos: Kos) -> Findings:
    for item in kos.root.items(_OTHER_IDS):
        yield from filled(item, 0x00100020, "PatientID")
