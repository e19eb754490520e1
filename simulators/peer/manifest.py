"""The KOS that another Source publishes for an exam, whatever it says of where the images are."""

from __future__ import annotations

from collections.abc import Callable

from protocols.kos import (
    Code,
    ContentItem,
    InstanceRef,
    Issuer,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    StudyEvidence,
    Template,
    encode,
)

__all__ = ["RetrieveUrl", "manifest_of", "right_url"]

RetrieveUrl = Callable[[str, str, str], str]
"""Host, study and series -> the RetrieveURL that the KOS gives for that series."""

_INS_ISSUER = "ASIP-SANTE-INS-NIR"


def right_url(host: str, study: str, series: str) -> str:
    """As it should be: https, the host that the white list names, the series itself."""
    return f"https://{host}/drimbox/rs/studies/{study}/series/{series}"


def manifest_of(
    *,
    kos_uid: str,
    series_uid: str,
    study_uid: str,
    ins: str,
    ins_oid: str,
    patient_name: str,
    birth_date: str,
    sex: str,
    accession: str,
    accession_oid: str,
    placer: str,
    placer_oid: str,
    study_date: str,
    description: str,
    host: str,
    series: dict[str, tuple[str, tuple[tuple[str, str], ...]]],
    retrieve_url: RetrieveUrl = right_url,
) -> bytes:
    """The KOS of an offered exam.

    `series` maps a SeriesInstanceUID to its modality and `(SOP class, SOP instance)` pairs; the
    images are at `host`, or wherever `retrieve_url` says.
    """
    issuer = (Issuer(ins_oid),)
    evidence = tuple(
        SeriesEvidence(
            series_uid=uid,
            modality=modality,
            retrieve_url=retrieve_url(host, study_uid, uid),
            series_number=str(number),
            instances=tuple(InstanceRef(sop_class, instance) for sop_class, instance in refs),
        )
        for number, (uid, (modality, refs)) in enumerate(series.items(), 1)
    )
    lines = [f"Examen : {description}"] + [
        f"Série-{uid} : {modality} @  : {description}" for uid, (modality, _) in series.items()
    ]
    return encode(
        Manifest(
            sop_instance=kos_uid,
            study_uid=study_uid,
            series_uid=series_uid,
            specific_character_set="ISO_IR 100",
            study_date=study_date,
            content_date=study_date,
            content_time="120000",
            instance_creation_date=study_date,
            instance_creation_time="120000",
            timezone_offset="+0000",
            manufacturer="DRIMBENCH",
            patient_name=patient_name,
            patient_id=ins,
            issuer_of_patient_id=_INS_ISSUER,
            patient_id_qualifiers=issuer,
            birth_date=birth_date,
            sex=sex,
            other_patient_ids=(
                OtherPatientId(patient_id=ins, issuer=_INS_ISSUER, type="TEXT", qualifiers=issuer),
            ),
            study_description=description,
            series_number="59",
            instance_number="1",
            title=(Code("113030", "DCM", "Manifest"),),
            template=(Template("DCMR", "2010"),),
            requests=(
                Request(
                    study_uid=study_uid,
                    accession_number=accession,
                    accession_issuer=(Issuer(accession_oid),),
                    referenced_studies=(),
                    description="",
                    procedure_codes=(),
                    procedure_id="",
                    placer_order_number=placer,
                    placer_issuer=(Issuer(placer_oid),),
                    filler_order_number="",
                ),
            ),
            studies=(StudyEvidence(study_uid, evidence),),
            content=(
                *(
                    ContentItem(value_type="IMAGE", references=((ref.sop_class, ref.sop_instance),))
                    for one in evidence
                    for ref in one.instances
                ),
                ContentItem(
                    value_type="TEXT",
                    concept=Code("113012", "DCM", "Key Object Description"),
                    text="\n".join(lines),
                ),
            ),
        )
    )
