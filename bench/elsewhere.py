"""What another DRIMbox of the network has published: a KOS in the DMP, images at its address."""

from __future__ import annotations

from datetime import datetime

from bench.cases import Case
from bench.imagery import files_of
from bench.publishing import register
from bench.story import PlannedExam, Story
from protocols.dicom import split_part10
from protocols.ebrim import DocumentEntry
from simulators.dmp import DmpState
from simulators.peer import Offer, PeerSource, RetrieveUrl, entry_of, manifest_of, right_url
from simulators.ris.people import Patient

__all__ = ["entry_about", "publish_at"]


def publish_at(
    story: Story,
    case: Case,
    patient: Patient,
    exam: PlannedExam,
    *,
    host: str,
    source: PeerSource,
    stamped: str = "",
    retrieve_url: RetrieveUrl = right_url,
) -> bytes:
    """The patient's open DMP holds the exam's KOS, whose images `source` serves at `host`.

    `stamped` is the matricule that the images bear; by default the patient's, as it should be.
    `retrieve_url` is what the KOS says of where they are. What is minted is kept in `case`.
    Returns the KOS.
    """
    assert patient.ins is not None
    assert patient.ipp is not None
    story.rely_on_white_list()
    register(story, patient, DmpState.OPEN)
    files = files_of(exam, patient)
    kos_uid = case.uid(f"le KOS de {exam.study_uid}")
    source.offer(
        Offer(
            study_uid=exam.study_uid,
            kos_uid=kos_uid,
            ins=stamped or patient.ins.value,
            ins_oid=patient.ins.oid,
            series=files,
        )
    )
    manifest = manifest_of(
        kos_uid=kos_uid,
        series_uid=case.uid(f"la série du KOS de {exam.study_uid}"),
        study_uid=exam.study_uid,
        ins=patient.ins.value,
        ins_oid=patient.ins.oid,
        patient_name=f"{patient.family}^{patient.given}",
        birth_date=patient.birth_date,
        sex=patient.sex,
        accession=exam.accession.value,
        accession_oid=exam.accession.oid,
        placer=exam.placer.value,
        placer_oid=exam.placer.oid,
        study_date=f"{exam.started:%Y%m%d}",
        description="Examen de test",
        host=host,
        retrieve_url=retrieve_url,
        series={
            uid: (exam.modality, tuple(_reference(file) for file in one))
            for uid, one in files.items()
        },
    )
    entry = entry_about(exam, patient, kos_uid, published=story.bed.clock())
    case.identifiers[f"l'entryUUID de {exam.study_uid}"] = story.bed.dmp.deposit(
        entry, manifest, patient.ins.value, patient.ins.oid
    )
    return manifest


def entry_about(
    exam: PlannedExam, patient: Patient, uid: str, *, published: datetime
) -> DocumentEntry:
    """What the DMP says of the KOS `uid` of that exam. The patient has an INS and an IPP."""
    assert patient.ins is not None
    assert patient.ipp is not None
    return entry_of(
        kos_uid=uid,
        study_uid=exam.study_uid,
        ins=patient.ins.value,
        ins_oid=patient.ins.oid,
        ipp=patient.ipp.value,
        ipp_oid=patient.ipp.oid,
        accession=exam.accession.value,
        accession_oid=exam.accession.oid,
        modality=exam.modality,
        started=exam.started,
        published=published,
    )


def _reference(file: bytes) -> tuple[str, str]:
    part10 = split_part10(file)
    return part10.sop_class, part10.sop_instance
