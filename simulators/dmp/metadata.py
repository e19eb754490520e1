"""What the DMP demands of a lot's metadata, before it looks at its registry.

Cardinalities of the IG-FHIR-PDSM4DMP-EEDS models (ANS); codes of ITI Vol. 3 table 4.2.4.1-2.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from protocols.ebrim import Code, DocumentEntry, RegistryError, Submission
from protocols.hl7types import CX, DataTypeError
from spec.xds import AssociationType, ErrorCode, SlotName

__all__ = ["metadata_errors", "same_patient", "sha1", "structure_errors"]

_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+", re.ASCII)
_DTM = re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2})?)?)?)?)?", re.ASCII)
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")


def metadata_errors(
    submission: Submission, contents: Mapping[str, bytes]
) -> Iterator[RegistryError]:
    """Every defect of a lot whose structure is right; `contents` by entry id."""
    yield from _patient_errors(submission)
    for entry in submission.entries:
        yield from _entry_errors(entry)
    yield from _set_errors(submission)
    yield from _content_errors(submission, contents)
    yield from _association_errors(submission)


def _error(code: ErrorCode, context: str, location: str = "") -> RegistryError:
    return RegistryError(code=code, context=context, location=location)


def structure_errors(submission: Submission) -> Iterator[RegistryError]:
    """One lot, ids told apart, a document for each entry and the other way round."""
    if len(submission.sets) != 1:
        yield _error(
            ErrorCode.REPOSITORY_METADATA_ERROR,
            f"{len(submission.sets)} SubmissionSet : un seul attendu",
        )
        return
    if not submission.entries:
        yield _error(ErrorCode.REPOSITORY_METADATA_ERROR, "Aucun DocumentEntry")
    ids = Counter((submission.submission_set.id, *(entry.id for entry in submission.entries)))
    for object_id, times in ids.items():
        if times > 1:
            yield _error(
                ErrorCode.REPOSITORY_METADATA_ERROR, f"id {object_id} utilisé {times} fois"
            )
    described = {entry.id for entry in submission.entries}
    sent = {entry_id for entry_id, _ in submission.documents}
    for entry_id in sorted(described - sent):
        yield _error(
            ErrorCode.MISSING_DOCUMENT, f"Pas de document pour {entry_id}", location=entry_id
        )
    for entry_id in sorted(sent - described):
        yield _error(
            ErrorCode.MISSING_DOCUMENT_METADATA,
            f"Pas de métadonnées pour le document {entry_id}",
            location=entry_id,
        )
    unique_ids = Counter(entry.unique_id for entry in submission.entries if entry.unique_id)
    for unique_id, times in unique_ids.items():
        if times > 1:
            yield _error(ErrorCode.REPOSITORY_DUPLICATE_IN_MESSAGE, f"uniqueId {unique_id} répété")


def _patient_errors(submission: Submission) -> Iterator[RegistryError]:
    wanted = submission.submission_set.patient_id
    try:
        patient = CX.parse(wanted)
    except DataTypeError as error:
        yield _error(ErrorCode.REGISTRY_METADATA_ERROR, f"patientId du lot : {error}")
        return
    for entry in submission.entries:
        try:
            same = same_patient(CX.parse(entry.patient_id), patient)
        except DataTypeError:
            same = False
        if not same:
            yield _error(
                ErrorCode.PATIENT_DOES_NOT_MATCH,
                f"patientId {entry.patient_id!r} différent de celui du lot",
                location=entry.id,
            )


def same_patient(one: CX, other: CX) -> bool:
    """Whether two identifiers are the same, whatever their type code says."""
    return (one.id, one.authority) == (other.id, other.authority)


def _entry_errors(entry: DocumentEntry) -> Iterator[RegistryError]:
    def defect(context: str) -> RegistryError:
        return _error(ErrorCode.REGISTRY_METADATA_ERROR, context, location=entry.id)

    for name, value in (
        ("mimeType", entry.mime_type),
        ("creationTime", entry.creation_time),
        ("languageCode", entry.language_code),
        ("legalAuthenticator", entry.legal_authenticator),
        ("serviceStartTime", entry.service_start_time),
        ("sourcePatientId", entry.source_patient_id),
        ("title", entry.title),
        ("author", entry.authors),
        ("classCode", entry.class_code),
        ("typeCode", entry.type_code),
        ("formatCode", entry.format_code),
        ("confidentialityCode", entry.confidentiality_codes),
        ("healthcareFacilityTypeCode", entry.facility_type),
        ("practiceSettingCode", entry.practice_setting),
        ("uniqueId", entry.unique_id),
    ):
        if not value:
            yield defect(f"{name} absent")
    for name, value in (
        ("creationTime", entry.creation_time),
        ("serviceStartTime", entry.service_start_time),
        ("serviceStopTime", entry.service_stop_time),
    ):
        if value and not _DTM.fullmatch(value):
            yield defect(f"{name} n'est pas une date HL7 : {value[:40]}")
    if entry.unique_id and not (_OID.fullmatch(entry.unique_id) and len(entry.unique_id) <= 128):
        yield defect(f"uniqueId n'est pas un OID : {entry.unique_id[:80]}")
    for code in _codes(entry):
        if not (code.code and code.scheme and code.display):
            yield defect(f"Code incomplet : {code.code!r} de {code.scheme!r}")


def _codes(entry: DocumentEntry) -> Iterator[Code]:
    for code in (
        entry.class_code,
        entry.type_code,
        entry.format_code,
        entry.facility_type,
        entry.practice_setting,
        *entry.confidentiality_codes,
        *entry.event_codes,
    ):
        if code is not None:
            yield code


def _set_errors(submission: Submission) -> Iterator[RegistryError]:
    lot = submission.submission_set

    def defect(context: str) -> RegistryError:
        return _error(ErrorCode.REGISTRY_METADATA_ERROR, context, location=lot.id)

    for name, value in (
        ("submissionTime", lot.submission_time),
        ("author", lot.authors),
        ("contentTypeCode", lot.content_type),
        ("sourceId", lot.source_id),
        ("uniqueId", lot.unique_id),
    ):
        if not value:
            yield defect(f"{name} du lot absent")
    for name, value in (("sourceId", lot.source_id), ("uniqueId", lot.unique_id)):
        if value and not _OID.fullmatch(value):
            yield defect(f"{name} du lot n'est pas un OID : {value[:80]}")


def _content_errors(
    submission: Submission, contents: Mapping[str, bytes]
) -> Iterator[RegistryError]:
    for entry in submission.entries:
        content = contents[entry.id]
        if entry.hash and not _SHA1.fullmatch(entry.hash):
            yield _error(
                ErrorCode.REGISTRY_METADATA_ERROR, "hash n'est pas un SHA-1", location=entry.id
            )
        elif entry.hash and entry.hash.lower() != sha1(content):
            yield _error(
                ErrorCode.NON_IDENTICAL_HASH,
                f"hash annoncé {entry.hash}, calculé {sha1(content)}",
                location=entry.id,
            )
        if entry.size and entry.size != str(len(content)):
            yield _error(
                ErrorCode.NON_IDENTICAL_SIZE,
                f"size annoncée {entry.size}, calculée {len(content)}",
                location=entry.id,
            )


def sha1(content: bytes) -> str:
    """The hash attribute of a document."""
    # XDS fixes SHA-1 for the hash attribute (ITI Vol. 3 4.2.3.2.10).
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _association_errors(submission: Submission) -> Iterator[RegistryError]:
    lot = submission.submission_set
    members = {
        link.target: link
        for link in submission.associated(AssociationType.HAS_MEMBER)
        if link.source == lot.id
    }
    for entry in submission.entries:
        link = members.get(entry.id)
        if link is None:
            yield _error(
                ErrorCode.REGISTRY_METADATA_ERROR,
                f"Pas d'association HasMember du lot vers {entry.id}",
                location=entry.id,
            )
        elif link.value(SlotName.SUBMISSION_SET_STATUS) != "Original":
            yield _error(
                ErrorCode.REGISTRY_METADATA_ERROR,
                "SubmissionSetStatus=Original attendu sur HasMember",
                location=entry.id,
            )
    ids = {entry.id for entry in submission.entries}
    for link in submission.associated(AssociationType.REPLACE):
        if link.source not in ids:
            yield _error(
                ErrorCode.REGISTRY_METADATA_ERROR,
                "L'association RPLC ne part pas d'un document du lot",
                location=link.source,
            )
