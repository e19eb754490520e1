"""Example manifests of the KOS rules: one that is right, and changes that spoil it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from spec import oids
from spec.dicom import KEY_OBJECT_DESCRIPTION, KEY_OBJECT_TEMPLATE, MANIFEST

__all__ = [
    "ACCESSION",
    "ACCESSION_OID",
    "INS",
    "ORDER",
    "ORDER_OID",
    "SERIES",
    "STUDY",
    "UID",
    "instances",
    "kos",
    "manifest",
    "with_request",
    "with_series",
]

_ROOT = "1.2.250.1.999.1.1.8121"
UID = f"{_ROOT}.7.1"
STUDY = f"{_ROOT}.5.1"
SERIES = f"{_ROOT}.6.1"
INS = "279035121518989"
ACCESSION, ACCESSION_OID = "ACN900", f"{_ROOT}.4"
ORDER, ORDER_OID = "OPN900", f"{_ROOT}.3"
_CT = "1.2.840.10008.5.1.4.1.1.2"


def instances(count: int = 2) -> tuple[InstanceRef, ...]:
    """References to CT images of the example series."""
    return tuple(InstanceRef(_CT, f"{SERIES}.{number}") for number in range(1, count + 1))


def manifest() -> Manifest:
    """A manifest that every rule accepts."""
    issuer = (Issuer(oids.INS_NIR_TEST),)
    description = f"Examen : TDM du thorax\nSérie-{SERIES} : CT @ 67734004 : Thorax sans injection"
    content = [
        ContentItem(value_type="IMAGE", references=((item.sop_class, item.sop_instance),))
        for item in instances()
    ]
    content.append(
        ContentItem(value_type="TEXT", concept=Code(*KEY_OBJECT_DESCRIPTION), text=description)
    )
    return Manifest(
        sop_instance=UID,
        study_uid=STUDY,
        series_uid=f"{UID}.1",
        studies=(
            StudyEvidence(
                STUDY,
                (
                    SeriesEvidence(
                        series_uid=SERIES,
                        instances=instances(),
                        retrieve_url=f"https://db900.test.mesimagesmedicales.fr"
                        f"/dicom-web/studies/{STUDY}/series/{SERIES}",
                        series_number="1",
                    ),
                ),
            ),
        ),
        content=tuple(content),
        instance_creation_date="20261122",
        instance_creation_time="101500",
        study_date="20261121",
        study_time="093000",
        series_date="20261122",
        series_time="101500",
        content_date="20261122",
        content_time="101500",
        manufacturer="DRIMBENCH",
        institution_name="CENTRE EXEMPLE^^^^^^^^^101235555",
        timezone_offset="+0100",
        study_description="TDM du thorax",
        patient_name="PAT-TROIS^DOMINIQUE",
        patient_id=INS,
        issuer_of_patient_id="ASIP-SANTE-INS-NIR",
        patient_id_qualifiers=issuer,
        birth_date="19790328",
        sex="F",
        other_patient_names=("^DOMINIQUE",),
        other_patient_ids=(
            OtherPatientId(
                patient_id=INS, issuer="ASIP-SANTE-INS-NIR", type="TEXT", qualifiers=issuer
            ),
        ),
        patient_comments="51215",
        series_number="59",
        instance_number="1",
        title=(Code(*MANIFEST),),
        requests=(
            Request(
                study_uid=STUDY,
                accession_number=ACCESSION,
                accession_issuer=(Issuer(ACCESSION_OID),),
                referenced_studies=(),
                description="",
                procedure_codes=(),
                procedure_id="",
                placer_order_number=ORDER,
                placer_issuer=(Issuer(ORDER_OID),),
                filler_order_number="",
            ),
        ),
        template=(Template(*KEY_OBJECT_TEMPLATE),),
    )


def kos(*, transfer_syntax: str = "1.2.840.10008.1.2.1", **changes: Any) -> bytes:
    """The file of the example manifest with some fields changed."""
    return encode(replace(manifest(), **changes), transfer_syntax=transfer_syntax)


def with_series(**changes: Any) -> bytes:
    """The example with its only series changed."""
    study = manifest().studies[0]
    series = replace(study.series[0], **changes)
    return kos(studies=(replace(study, series=(series,)),))


def with_request(**changes: Any) -> bytes:
    """The example with its only request changed."""
    requests = manifest().requests or ()
    return kos(requests=(replace(requests[0], **changes),))
