"""How another Source describes in the DMP the KOS that it published.

Codes of the DRIM-M_DATA publication samples (grade `sample`); the author is the DRIMbox, as in the
later ones.
"""

from __future__ import annotations

from datetime import datetime

from protocols.ebrim import Author, Code, DocumentEntry
from spec.dmp import KOS_CLASS_CODE, KOS_FORMAT_CODE, KOS_TYPE_CODE
from spec.xds import ReferenceType

__all__ = ["entry_of"]


def entry_of(
    *,
    kos_uid: str,
    study_uid: str,
    ins: str,
    ins_oid: str,
    ipp: str,
    ipp_oid: str,
    accession: str,
    accession_oid: str,
    modality: str,
    started: datetime,
    published: datetime,
) -> DocumentEntry:
    """The DocumentEntry of a KOS. Times are aware, written in UTC."""
    return DocumentEntry(
        id="DocumentKOS",
        mime_type="application/dicom",
        creation_time=f"{published:%Y%m%d%H%M%S}",
        language_code="fr-FR",
        legal_authenticator=("899700367909^DOC0036790^KIT^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"),
        service_start_time=f"{started:%Y%m%d%H%M%S}",
        service_stop_time=f"{started:%Y%m%d%H%M%S}",
        source_patient_id=f"{ipp}^^^&{ipp_oid}&ISO^PI",
        title="Reference d'Objets d'un Examen d'Imagerie",
        authors=(
            Author(
                person="899711256811^DRIMBox^KIT^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^EI",
                institutions=(
                    "CABINET M DOC0036790^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^499700367909006",
                ),
            ),
        ),
        class_code=Code(*KOS_CLASS_CODE),
        type_code=Code(*KOS_TYPE_CODE),
        format_code=Code(*KOS_FORMAT_CODE),
        facility_type=Code("SA08", "1.2.250.1.71.4.2.4", "Cabinet de groupe"),
        practice_setting=Code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"),
        confidentiality_codes=(Code("N", "2.16.840.1.113883.5.25", "Normal"),),
        event_codes=(
            Code(modality, "1.2.250.1.213.1.1.5.618", modality),
            Code("774007", "1.2.250.1.213.1.1.5.695", "Tête et cou"),
        ),
        reference_ids=(
            f"{accession}^^^&{accession_oid}&ISO^{ReferenceType.ACCESSION}",
            f"{study_uid}^^^^{ReferenceType.STUDY_INSTANCE_UID}",
        ),
        patient_id=f"{ins}^^^&{ins_oid}&ISO^NH",
        unique_id=kos_uid,
    )
