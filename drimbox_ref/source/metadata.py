"""What the DMP is told about a KOS: submission set, entries, associations, lot signature.

Réf.: KOS and signature metadata of DRIM-M_DATA publication samples, grade: sample; cardinalities
of IG-FHIR-PDSM4DMP-EEDS (DocumentEntry, SubmissionSet), grade: standard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from drimbox_ref.config import Identity
from drimbox_ref.credentials import Credentials
from drimbox_ref.source import xds_values as values
from drimbox_ref.source.ports import Uids
from drimbox_ref.source.times import utc_time, xds_time
from drimbox_ref.source.values import (
    ArchiveEntry,
    Exam,
    FoundStudy,
    Kos,
    Operation,
    Order,
    ReportOrder,
    Submission,
)
from protocols.ebrim import (
    Association,
    Author,
    DocumentEntry,
    Slot,
    SubmissionSet,
    build_provide,
    build_submit,
    parse_submit,
)
from protocols.errors import RemoteProtocolError
from protocols.xml import parse as parse_xml
from protocols.xml import serialize
from protocols.xmlsig import LotReference, sign_lot
from spec.xds import AssociationType, SlotName, Status

__all__ = ["XdsMetadata"]

_SET = "SubmissionSet01"
_KOS = "DocumentKOS"
_SIGNATURE = "Signature01"
_ORIGINAL = (Slot(SlotName.SUBMISSION_SET_STATUS, ("Original",)),)
_KOS_TITLE = "Référence d'objets d'un examen d'imagerie"


class XdsMetadata:
    """Describes and signs submissions; knows nothing of SOAP."""

    def __init__(
        self,
        identity: Identity,
        *,
        uids: Uids,
        author: str,
        study_uid_authority: str,
        event_code_scheme: str,
        lot_algorithm: str,
    ) -> None:
        self._identity = identity
        self._uids = uids
        self._author = author
        self._study_uid_authority = study_uid_authority
        self._event_code_scheme = event_code_scheme
        self._hash: Literal["sha1", "sha256"] = "sha1" if lot_algorithm == "rsa-sha1" else "sha256"

    def feed(
        self,
        report: ReportOrder,
        exam: Exam,
        kos: Kos,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        replaces: str | None,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD2.1a, or TD2.1b when `replaces` is the entryUUID of the KOS to replace."""
        return self._lot(
            self._submission_set(report, now),
            self._kos_entry(report, exam, kos, study, orders),
            kos,
            replaces=replaces,
            credentials=credentials,
            now=now,
        )

    def renew(
        self,
        former: ArchiveEntry,
        kos: Kos,
        study: FoundStudy,
        *,
        replaces: str,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD2.1b of the next KOS, described as the archived lot describes the former one.

        Raises:
            RemoteProtocolError: the archived lot cannot be read.
        """
        submission_set, described = _archived(former)
        entry = replace(
            described,
            id=_KOS,
            creation_time=xds_time(kos.created),
            hash=hashlib.sha1(kos.data, usedforsecurity=False).hexdigest(),
            size=str(len(kos.data)),
            uri=(),
            unique_id=kos.uid,
            event_codes=values.with_modalities(
                described.event_codes, study, scheme=self._event_code_scheme
            ),
        )
        return self._lot(
            self._again(submission_set, now),
            entry,
            kos,
            replaces=replaces,
            credentials=credentials,
            now=now,
        )

    def _lot(
        self,
        submission_set: SubmissionSet,
        entry: DocumentEntry,
        kos: Kos,
        *,
        replaces: str | None,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """One KOS, its signature, and what links them."""
        signature_uid = self._uids.oid()
        signature = sign_lot(
            [LotReference(kos.uid, kos.data)],
            submission_set_uid=submission_set.unique_id,
            signature_uid=f"ID-{signature_uid}",
            key=credentials.sign_key,
            certificates=credentials.sign_chain,
            signing_time=now,
            algorithm=self._hash,
        )
        entries = (entry, _signature_entry(submission_set, signature_uid, signature, entry, now))
        associations = [
            Association(type=AssociationType.HAS_MEMBER, source=_SET, target=_KOS, slots=_ORIGINAL),
            Association(
                type=AssociationType.HAS_MEMBER, source=_SET, target=_SIGNATURE, slots=_ORIGINAL
            ),
            Association(
                type=AssociationType.SIGNS, source=_SIGNATURE, target=_SET, slots=_ORIGINAL
            ),
        ]
        if replaces:
            associations.append(
                Association(type=AssociationType.REPLACE, source=_KOS, target=replaces)
            )
        cids = {_KOS: f"kos.{kos.uid}@drimbox", _SIGNATURE: f"sign.{signature_uid}@drimbox"}
        request = build_provide(submission_set, entries, associations, cids)
        return Submission(
            operation=Operation.REPLACE if replaces else Operation.CREATE,
            set_uid=submission_set.unique_id,
            request=serialize(request, declaration=False),
            attachments=(
                (cids[_KOS], "application/dicom", kos.data),
                (cids[_SIGNATURE], "text/xml", signature),
            ),
            metadata=serialize(build_submit(submission_set, entries, associations)),
            fingerprint=_fingerprint(submission_set, entry),
        )

    def delete(
        self,
        report: ReportOrder,
        entry_uuid: str,
        *,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """TD3.3c: ITI-57 UpdateAvailabilityStatus of the entry to Deleted.

        The submission set is all there is to sign, and no sample signs it.
        """
        return _deletion(self._submission_set(report, now), entry_uuid)

    def withdraw(self, former: ArchiveEntry, entry_uuid: str, *, now: datetime) -> Submission:
        """TD3.3c of the entry, on behalf of whom the archived lot names. Raises as `renew`."""
        submission_set, _ = _archived(former)
        return _deletion(self._again(submission_set, now), entry_uuid)

    def _again(self, submission_set: SubmissionSet, now: datetime) -> SubmissionSet:
        """A lot of the same people about the same patient."""
        return replace(
            submission_set,
            id=_SET,
            submission_time=xds_time(now),
            unique_id=self._uids.oid(),
            source_id=self._identity.installation_oid,
        )

    def _submission_set(self, report: ReportOrder, now: datetime) -> SubmissionSet:
        return SubmissionSet(
            id=_SET,
            submission_time=xds_time(now),
            title="Alimentation DRIMbox",
            authors=(values.sender(report),),
            content_type=values.content_type(report),
            patient_id=values.patient_id(report),
            source_id=self._identity.installation_oid,
            unique_id=self._uids.oid(),
        )

    def _kos_entry(
        self,
        report: ReportOrder,
        exam: Exam,
        kos: Kos,
        study: FoundStudy,
        orders: Sequence[Order],
    ) -> DocumentEntry:
        return DocumentEntry(
            id=_KOS,
            mime_type="application/dicom",
            creation_time=xds_time(kos.created),
            language_code="fr-FR",
            legal_authenticator=values.validator(report),
            service_start_time=utc_time(exam.start) or f"{study.date}{study.time[:6]}",
            service_stop_time=utc_time(exam.stop),
            source_patient_id=values.source_patient_id(report),
            source_patient_info=values.source_patient_info(report.patient),
            hash=hashlib.sha1(kos.data, usedforsecurity=False).hexdigest(),
            size=str(len(kos.data)),
            reference_ids=values.reference_ids(
                exam.study_uid, orders, authority=self._study_uid_authority
            ),
            title=_KOS_TITLE,
            comments="KOS",
            authors=(self._kos_author(report),),
            class_code=values.CLASS,
            type_code=values.TYPE,
            format_code=values.FORMAT,
            facility_type=values.facility(report),
            practice_setting=values.setting(report),
            confidentiality_codes=values.coded(report.confidentiality),
            event_codes=values.event_codes(exam, study, scheme=self._event_code_scheme),
            patient_id=values.patient_id(report),
            unique_id=kos.uid,
        )

    def _kos_author(self, report: ReportOrder) -> Author:
        if self._author == "professional":
            return values.sender(report)
        return values.box_author(report, self._identity)


def _deletion(submission_set: SubmissionSet, entry_uuid: str) -> Submission:
    """ITI-57 UpdateAvailabilityStatus of the entry to Deleted."""
    association = Association(
        type=AssociationType.UPDATE_AVAILABILITY_STATUS,
        source=_SET,
        target=entry_uuid,
        slots=(
            Slot(SlotName.ORIGINAL_STATUS, (Status.APPROVED.value,)),
            Slot(SlotName.NEW_STATUS, (Status.DELETED.value,)),
        ),
    )
    request = build_submit(submission_set, (), (association,))
    return Submission(
        operation=Operation.DELETE,
        set_uid=submission_set.unique_id,
        request=serialize(request, declaration=False),
        attachments=(),
        metadata=serialize(request),
        fingerprint="",
    )


def _archived(former: ArchiveEntry) -> tuple[SubmissionSet, DocumentEntry]:
    """The submission set and the KOS's entry as the local archive keeps them.

    Raises:
        RemoteProtocolError: they cannot be read, or another KOS is described.
    """
    kept = parse_submit(parse_xml(former.metadata))
    for entry in kept.entries:
        if entry.unique_id == former.kos_uid:
            return kept.submission_set, entry
    raise RemoteProtocolError(f"le lot archivé ne décrit pas le KOS {former.kos_uid}")


def _signature_entry(
    submission_set: SubmissionSet,
    uid: str,
    data: bytes,
    kos_entry: DocumentEntry,
    now: datetime,
) -> DocumentEntry:
    moment = xds_time(now)
    return DocumentEntry(
        id=_SIGNATURE,
        mime_type="text/xml",
        creation_time=moment,
        language_code="art",
        legal_authenticator=kos_entry.legal_authenticator,
        service_start_time=moment,
        service_stop_time=moment,
        source_patient_id=kos_entry.patient_id,
        hash=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        size=str(len(data)),
        title="Source",
        authors=submission_set.authors,
        class_code=values.SIGNATURE_CLASS,
        type_code=values.SIGNATURE_TYPE,
        format_code=values.SIGNATURE_FORMAT,
        facility_type=kos_entry.facility_type,
        practice_setting=kos_entry.practice_setting,
        confidentiality_codes=values.SIGNATURE_CONFIDENTIALITY,
        event_codes=(values.SIGNATURE_PURPOSE,),
        patient_id=kos_entry.patient_id,
        unique_id=uid,
    )


def _fingerprint(submission_set: SubmissionSet, entry: DocumentEntry) -> str:
    """Digest of what the metadata say, apart from what every submission changes."""
    stable = (
        replace(submission_set, submission_time="", unique_id=""),
        replace(entry, creation_time="", hash="", size="", unique_id=""),
    )
    return hashlib.sha256(repr(stable).encode()).hexdigest()
