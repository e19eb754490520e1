"""The images of planned exams: made, loaded in a PACS, and compared with what a Source serves."""

from __future__ import annotations

from collections.abc import Sequence

from bench.archives import Archive
from bench.ports import Pacs
from bench.story import PlannedExam, PlannedSeries
from protocols.dicom import (
    explicit_from_implicit,
    is_implicit,
    read_texts,
    replace_elements,
    split_part10,
    tag_name,
    walk,
)
from protocols.errors import RemoteProtocolError
from simulators import modality
from simulators.ris.people import Patient
from spec.dicom import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    KEY_OBJECT_SELECTION_STORAGE,
    REJECTION_TITLES,
)

__all__ = [
    "acquisition",
    "add_series",
    "alterations",
    "export_alterations",
    "export_differences",
    "files_of",
    "held",
    "load_exam",
    "notes_of",
    "patient_ids",
]

_OTHER_PATIENT_IDS = 0x00101002
_LOCAL_IDENTITY = (
    0x00100020,  # PatientID
    0x00100021,  # IssuerOfPatientID
    0x00100024,  # IssuerOfPatientIDQualifiersSequence
    _OTHER_PATIENT_IDS,
    0x00080015,  # InstanceCoercionDateTime
    0x04000561,  # OriginalAttributesSequence
)
"""What an importer may coerce, and what it says of it (DICOM PS3.3 C.12.1.1.9)."""
_SERIES_UID = 0x0020000E
_MATRIX = 64


def load_exam(archive: Archive, exam: PlannedExam, patient: Patient) -> None:
    """Put the exam in the site's PACS, under the IPP and accession that it was planned with.

    Raises:
        CannotVerify: the PACS of a native product does not take it.
    """
    archive.load([file for files in files_of(exam, patient).values() for file in files])


def add_series(archive: Archive, exam: PlannedExam, patient: Patient, uid: str) -> None:
    """One more series of the same exam, in the site's PACS only; raises as `load_exam`."""
    series = PlannedSeries(uid=uid, description="Série ajoutée", images=2)
    archive.load(_files(exam, patient, (series,))[uid])


def files_of(exam: PlannedExam, patient: Patient) -> dict[str, tuple[bytes, ...]]:
    """SeriesInstanceUID -> DICOM files of the exam."""
    return _files(exam, patient, exam.series)


def held(pacs: Pacs, study: str, series: str | None = None) -> set[str]:
    """The SOPInstanceUIDs that a PACS holds."""
    return {instance.sop_instance for instance in pacs.instances(study, series)}


def notes_of(pacs: Pacs, study: str) -> set[str]:
    """Those of the IOCM notes that a PACS shows among them."""
    return {
        instance.sop_instance
        for instance in pacs.instances(study)
        if instance.sop_class == KEY_OBJECT_SELECTION_STORAGE
        and any(
            title.get("CodeValue") in REJECTION_TITLES
            for title in instance.attributes.get("ConceptNameCodeSequence", ())
        )
    }


def patient_ids(pacs: Pacs, study: str) -> set[str]:
    """The PatientIDs under which a PACS holds a study."""
    return {str(one.attributes.get("PatientID", "")) for one in pacs.instances(study)}


def alterations(received: bytes, pacs: Pacs, sop_instance: str) -> str:
    """What differs between a file that a Source served and its PACS's, the INS added apart.

    Implicit VR made explicit is no difference. Returns "" when nothing differs.
    """
    return _differences(received, pacs, sop_instance, beside=(_OTHER_PATIENT_IDS,))


def export_alterations(exported: bytes, pacs: Pacs, sop_instance: str) -> str:
    """What differs between a file exported and the PACS's of its origin, identifiers apart.

    As `alterations`.
    """
    return _differences(exported, pacs, sop_instance, beside=_LOCAL_IDENTITY)


def export_differences(exported: bytes, origin: bytes) -> str:
    """What differs between a file exported and the one that a Source gave; as `alterations`."""
    given = split_part10(origin)
    return _compare(
        exported, given.dataset, given.transfer_syntax, given.sop_instance, beside=_LOCAL_IDENTITY
    )


def _differences(received: bytes, pacs: Pacs, sop_instance: str, *, beside: Sequence[int]) -> str:
    stored = pacs.stored(sop_instance)
    if stored is None:
        return f"{sop_instance} n'est pas dans le PACS"
    return _compare(received, stored.dataset(), stored.transfer_syntax, sop_instance, beside=beside)


def _compare(
    received: bytes, dataset: bytes, transfer_syntax: str, sop_instance: str, *,
    beside: Sequence[int],
) -> str:  # fmt: skip
    try:
        file = split_part10(received)
        ours = _without(beside, file.dataset, file.transfer_syntax)
        theirs = _without(beside, dataset, transfer_syntax)
    except RemoteProtocolError as error:
        return f"{sop_instance} : {error}"
    if ours == theirs:
        return ""
    syntax = _spoken(file.transfer_syntax)
    mine = {e.tag: ours[e.start : e.end] for e in walk(ours, implicit=is_implicit(syntax))}
    other = {e.tag: theirs[e.start : e.end] for e in walk(theirs, implicit=is_implicit(syntax))}
    tags = sorted(tag for tag in mine.keys() | other.keys() if mine.get(tag) != other.get(tag))
    return f"{sop_instance} : {', '.join(map(tag_name, tags[:5]))}"


def _without(tags: Sequence[int], dataset: bytes, transfer_syntax: str) -> bytes:
    if is_implicit(transfer_syntax):
        dataset = explicit_from_implicit(dataset)
    return replace_elements(
        dataset,
        transfer_syntax=_spoken(transfer_syntax),
        elements=dict.fromkeys(tags),
    )


def _spoken(transfer_syntax: str) -> str:
    return EXPLICIT_VR_LITTLE_ENDIAN if is_implicit(transfer_syntax) else transfer_syntax


def acquisition(
    exam: PlannedExam,
    patient: Patient,
    *,
    series: tuple[PlannedSeries, ...] | None = None,
    matrix: int = _MATRIX,
) -> modality.Exam:
    """What the modality is asked to make of an exam, or of some series of it."""
    assert patient.ipp is not None
    return modality.Exam(
        patient=modality.Patient(
            name=f"{patient.family}^{patient.given}",
            patient_id=exam.pacs_ipp or patient.ipp.value,
            issuer=patient.ipp.authority,
            issuer_oid=patient.ipp.oid,
            birth_date=patient.birth_date,
            sex=patient.sex,
        ),
        study_uid=exam.study_uid,
        accession=exam.pacs_accession or exam.accession.value,
        accession_issuer_oid=exam.accession.oid,
        series=tuple(
            modality.Series(
                modality=exam.modality,
                description=one.description,
                body_part=exam.body_part,
                count=one.images,
                transfer_syntax=one.transfer_syntax,
                uid=one.uid,
                number=number,
            )
            for number, one in enumerate(series or exam.series, 1)
        ),
        date=f"{exam.started:%Y%m%d}",
        time=f"{exam.started:%H%M%S}",
        description=f"{exam.modality} de test",
        matrix=matrix,
    )


def _files(
    exam: PlannedExam, patient: Patient, series: tuple[PlannedSeries, ...]
) -> dict[str, tuple[bytes, ...]]:
    make = modality.from_pydicom_files if exam.real else modality.make
    made = make(acquisition(exam, patient, series=series))
    by_series: dict[str, list[bytes]] = {one.uid: [] for one in series}
    for file in made:
        part10 = split_part10(file)
        uid = read_texts(
            part10.dataset, transfer_syntax=part10.transfer_syntax, tags=(_SERIES_UID,)
        )[_SERIES_UID]
        by_series[uid].append(file)
    return {uid: tuple(files) for uid, files in by_series.items()}
