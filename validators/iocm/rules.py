"""IOCM rejection notes: a Key Object Selection that says which instances are withdrawn, and why."""

from __future__ import annotations

from protocols.dicom.elements import encode_element, encode_sequence
from spec.dicom import DCM, MANIFEST, OF_INTEREST, REJECTION_TITLES, CodedTerm
from spec.grade import Grade, Reference
from validators.context import Context
from validators.examples import kos as example
from validators.finding import Severity
from validators.inherit import inherit
from validators.kos.reading import Kos
from validators.kos.rules import KOS, Findings, dicom
from validators.rule import Broken, RuleSet
from validators.wado.reading import expected_kos
from validators.xds.rules import same

__all__ = ["IOCM"]

_RAD_66 = Reference("IHE RAD TF", "Vol. 2, 4.66", Grade.STANDARD)
_ENOUGH = 5


_QUALITY = REJECTION_TITLES["113001"]


def _note(manifest: bytes, title: CodedTerm = _QUALITY) -> bytes:
    """A rejection note made of a manifest: its title changed, a spoilt one by its value alone."""
    written = manifest.replace(_title(MANIFEST), _title(title))
    return written.replace(MANIFEST.value.encode(), title.value.encode())


def _title(term: CodedTerm) -> bytes:
    """The title's sequence as the example encodes it."""
    tags = (0x00080100, 0x00080102, 0x00080104)
    item = b"".join(
        encode_element(tag, vr, text.encode(), implicit=False)
        for tag, vr, text in zip(tags, ("SH", "SH", "LO"), term, strict=True)
    )
    return encode_sequence(0x0040A043, [item], implicit=False)


IOCM = RuleSet(
    "iocm",
    good=lambda: _note(example.kos()),
    syntax="IOCM-000",
    unreadable=lambda: bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00",
    reference=dicom("PS3.10 7.1"),
    requirements=("DB.SO.25", "DB.SO.26"),
)

_OF_ANY_KEY_OBJECT = (
    *(f"KOS-{number:03}" for number in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
    *(f"KOS-{number:03}" for number in (17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 41, 42)),
)

inherit(IOCM, KOS, _OF_ANY_KEY_OBJECT, example=_note, requirements=IOCM.requirements)


@IOCM.rule(
    "IOCM-001",
    "Le titre est l'un des quatre motifs de rejet",
    reference=dicom("PS3.16 CID 7031"),
    bad=lambda: _note(example.kos(), OF_INTEREST),
)
def title(note: Kos) -> Findings:
    found = [(item.text(0x00080100), item.text(0x00080102)) for item in note.root.items(0x0040A043)]
    if len(found) != 1 or found[0][0] not in REJECTION_TITLES or found[0][1] != DCM:
        yield Broken(
            message="Ce titre n'est pas un motif de rejet.",
            expected=" | ".join(f"{one.value}, {one.scheme}" for one in REJECTION_TITLES.values()),
            actual=" | ".join(", ".join(pair) for pair in found),
            where="0040,A043",
        )


@IOCM.rule(
    "IOCM-002",
    "La note est dans l'examen des instances qu'elle rejette",
    reference=_RAD_66,
    bad=lambda: _note(example.kos(study_uid=f"{example.STUDY}.9")),
)
def same_study(note: Kos) -> Findings:
    for study in note.studies:
        where = study.where(0x0020000D)
        yield from same(study.text(0x0020000D), note.study, where, "L'examen des instances")


@IOCM.rule(
    "IOCM-003",
    "La note nomme le patient et l'examen",
    reference=_RAD_66,
    severity=Severity.WARNING,
    bad=lambda: _note(example.kos(patient_id="")),
)
def patient(note: Kos) -> Findings:
    if not note.root.text(0x00100020):
        yield Broken(message="PatientID est vide.", expected="l'IPP", where="0010,0020")


@IOCM.rule(
    "IOCM-004",
    "L'examen de la note est celui du cas",
    reference=_RAD_66,
    given=Context(study_uid=example.STUDY),
    bad=lambda: _note(example.kos(study_uid=f"{example.STUDY}.9")),
)
def study_of_case(note: Kos) -> Findings:
    if note.context.study_uid:
        yield from same(note.study, note.context.study_uid, "0020,000D", "L'examen")


@IOCM.rule(
    "IOCM-005",
    "Les instances rejetées sont de l'examen publié",
    reference=_RAD_66,
    severity=Severity.WARNING,
    given=Context(kos=example.kos()),
    bad=lambda: _note(example.with_series(instances=example.instances(3))),
)
def known_instances(note: Kos) -> Findings:
    published = expected_kos(note.context)
    if published is None:
        return
    known = {one.instance for one in published.references()}
    strangers = [one for one in note.references() if one.instance not in known]
    for one in strangers[:_ENOUGH]:
        yield Broken(
            message="Cette instance n'est pas du KOS en vigueur.",
            actual=one.instance,
            where=one.where,
        )
