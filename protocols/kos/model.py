"""What a Key Object Selection manifest writes, as values (PS3.3 A.35.4, C.17.6).

Every text attribute is `None` when the element is absent and `""` when it is present and empty:
DICOM type 2 makes the difference. Dates, times and numbers stay the strings that are written.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocols.errors import RemoteProtocolError
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE

__all__ = [
    "Code",
    "ContentItem",
    "InstanceRef",
    "Issuer",
    "KeyObjectRef",
    "KosSyntaxError",
    "Manifest",
    "OtherPatientId",
    "Request",
    "SeriesEvidence",
    "StudyEvidence",
    "Template",
]


class KosSyntaxError(RemoteProtocolError):
    """Bytes that are no readable Key Object Selection file."""


@dataclass(frozen=True, slots=True)
class Code:
    """An item of a code sequence (PS3.3 8.8)."""

    value: str | None = None
    scheme: str | None = None
    meaning: str | None = None


@dataclass(frozen=True, slots=True)
class Issuer:
    """A hierarchic designator: item of an issuer sequence (PS3.3 10.14, 10.15)."""

    universal_id: str | None = None
    universal_id_type: str | None = "ISO"
    local_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPatientId:
    """An item of OtherPatientIDsSequence (0010,1002)."""

    patient_id: str | None
    issuer: str | None = None
    type: str | None = None
    qualifiers: tuple[Issuer, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An item of ReferencedRequestSequence (0040,A370)."""

    study_uid: str | None = None
    accession_number: str | None = None
    accession_issuer: tuple[Issuer, ...] | None = None
    referenced_studies: tuple[tuple[str, str], ...] | None = None
    """`(SOP class, SOP instance)` pairs."""
    description: str | None = None
    procedure_codes: tuple[Code, ...] | None = None
    procedure_id: str | None = None
    placer_order_number: str | None = None
    placer_issuer: tuple[Issuer, ...] | None = None
    filler_order_number: str | None = None
    filler_issuer: tuple[Issuer, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyObjectRef:
    """A key image note of an instance, nested in its reference as ANS samples do."""

    sop_instance: str
    sop_class: str | None = None
    series_uid: str | None = None
    title: Code | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """An item of ReferencedSOPSequence (0008,1199) in the evidence."""

    sop_class: str
    sop_instance: str
    instance_number: str | None = None
    number_of_frames: str | None = None
    key_objects: tuple[KeyObjectRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEvidence:
    """An item of ReferencedSeriesSequence (0008,1115)."""

    series_uid: str
    instances: tuple[InstanceRef, ...]
    retrieve_url: str | None = None
    retrieve_location_uid: str | None = None
    retrieve_ae_title: str | None = None
    series_number: str | None = None
    modality: str | None = None


@dataclass(frozen=True, slots=True)
class StudyEvidence:
    """An item of CurrentRequestedProcedureEvidenceSequence (0040,A375)."""

    study_uid: str
    series: tuple[SeriesEvidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentItem:
    """An item of the root's ContentSequence (0040,A730)."""

    value_type: str | None
    relationship: str | None = "CONTAINS"
    concept: Code | None = None
    text: str | None = None
    references: tuple[tuple[str, str], ...] = ()
    """`(SOP class, SOP instance)` pairs, usually one."""


@dataclass(frozen=True, slots=True)
class Template:
    """The item of ContentTemplateSequence (0040,A504)."""

    mapping_resource: str | None
    identifier: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A Key Object Selection document. Sequences are `None` when absent, `()` when empty."""

    sop_instance: str | None
    study_uid: str | None
    series_uid: str | None
    studies: tuple[StudyEvidence, ...]
    content: tuple[ContentItem, ...]

    sop_class: str | None = KEY_OBJECT_SELECTION_STORAGE
    specific_character_set: str | None = "ISO_IR 100"
    instance_creation_date: str | None = None
    instance_creation_time: str | None = None
    study_date: str | None = ""
    series_date: str | None = None
    content_date: str | None = None
    study_time: str | None = ""
    series_time: str | None = None
    content_time: str | None = None
    accession_number: str | None = ""
    modality: str | None = "KO"
    manufacturer: str | None = ""
    institution_name: str | None = None
    referring_physician: str | None = ""
    timezone_offset: str | None = None
    study_description: str | None = None
    series_description: str | None = None
    manufacturer_model: str | None = None
    performed_procedure_steps: tuple[tuple[str, str], ...] | None = ()
    """ReferencedPerformedProcedureStepSequence (0008,1111), type 2: `(class, instance)`."""
    patient_name: str | None = ""
    patient_id: str | None = ""
    issuer_of_patient_id: str | None = None
    patient_id_qualifiers: tuple[Issuer, ...] | None = None
    birth_date: str | None = ""
    sex: str | None = ""
    other_patient_names: tuple[str, ...] | None = None
    other_patient_ids: tuple[OtherPatientId, ...] | None = None
    patient_comments: str | None = None
    software_versions: str | None = None
    study_id: str | None = ""
    series_number: str | None = None
    instance_number: str | None = None
    value_type: str | None = "CONTAINER"
    title: tuple[Code, ...] | None = None
    continuity: str | None = "SEPARATE"
    requests: tuple[Request, ...] | None = None
    template: tuple[Template, ...] | None = None
    identical_documents: tuple[StudyEvidence, ...] | None = None

    def series(self) -> tuple[SeriesEvidence, ...]:
        """All the series referenced, in the order written."""
        return tuple(series for study in self.studies for series in study.series)

    def instances(self) -> tuple[InstanceRef, ...]:
        """All the instances referenced by the evidence, in the order written."""
        return tuple(ref for series in self.series() for ref in series.instances)

    def description(self) -> str | None:
        """The text of the first TEXT item of the content, or None."""
        return next((item.text for item in self.content if item.value_type == "TEXT"), None)
