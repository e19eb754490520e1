"""ITI-41 (TD2.1a feed, TD2.1b replace): what the DMP demands of a lot, and how it registers it.

The order is that of the real server as far as it is known: metadata, author rule, lot signature,
registry. Réf. IHE ITI Vol. 2 3.41.4.1.3, Vol. 3 4.2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from protocols.ebrim import Association, DocumentEntry, Slot, Submission
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX, XCN, XON, DataTypeError
from protocols.mtom import MtomError, Package
from protocols.xmlsig import SignatureError, verify_lot
from simulators.dmp.config import DmpOptions, Trust
from simulators.dmp.metadata import metadata_errors, same_patient, sha1, structure_errors
from simulators.dmp.patients import DmpState, Patient
from simulators.dmp.refusal import BusinessError, Refusal
from simulators.dmp.rights import Profile
from simulators.dmp.store import Session
from simulators.dmp.vihf import Caller, check_signer
from spec.dmp import REPOSITORY_OID, SIGNATURE_CLASS_CODE, SIGNATURE_FORMAT_CODES, Text
from spec.xds import AssociationType, ErrorCode, Status

__all__ = ["Lot", "Registered", "check_lot", "is_author", "open_patient", "register"]


@dataclass(frozen=True, slots=True)
class Lot:
    """A submission whose own content holds together; the registry was not asked yet."""

    submission: Submission
    contents: Mapping[str, bytes]
    """entry id to bytes"""
    patient: CX

    @property
    def replacements(self) -> tuple[Association, ...]:
        """RPLC associations: new entry to the entryUUID of the old one."""
        return self.submission.associated(AssociationType.REPLACE)


@dataclass(frozen=True, slots=True)
class Registered:
    """What a lot became: the entryUUIDs by submitted id."""

    entry_ids: Mapping[str, str]
    unique_ids: tuple[str, ...]


def check_lot(
    submission: Submission,
    package: Package,
    caller: Caller,
    *,
    options: DmpOptions,
    trust: Trust,
    now: datetime,
) -> Lot:
    """Everything that needs no registry.

    Raises:
        BusinessError: with every metadata defect found.
    """
    errors = list(structure_errors(submission))
    if errors:
        raise BusinessError(errors)
    contents = _contents(submission, package)
    errors = list(metadata_errors(submission, contents))
    if errors:
        raise BusinessError(errors)
    if options.check_author:
        for entry in submission.entries:
            if not _is_signature(entry) and not is_author(entry, caller):
                raise BusinessError.of(
                    ErrorCode.REGISTRY_METADATA_ERROR, Text.AUTHOR, location=entry.id
                )
    _check_signature(submission, contents, options=options, trust=trust, now=now)
    return Lot(submission, contents, CX.parse(submission.submission_set.patient_id))


def is_author(entry: DocumentEntry, caller: Caller) -> bool:
    """Rule EX_2.1-1140: the structure in indirect mode and CPE, else the person."""
    if caller.profile in (Profile.INDIRECT, Profile.DIRECT_CPE, Profile.AIR_STAFF):
        institutions = (text for author in entry.authors for text in author.institutions)
        return caller.structure in {_xon_id(text) for text in institutions}
    persons = (*(author.person for author in entry.authors), entry.legal_authenticator)
    return caller.name_id in {_xcn_id(text) for text in persons}


def _xon_id(text: str) -> str:
    try:
        return XON.parse(text).id
    except DataTypeError:
        return ""


def _xcn_id(text: str) -> str:
    try:
        return XCN.parse(text).id
    except DataTypeError:
        return ""


def _is_signature(entry: DocumentEntry) -> bool:
    return (entry.class_code is not None and entry.class_code.code == SIGNATURE_CLASS_CODE) or (
        entry.format_code is not None and entry.format_code.code in SIGNATURE_FORMAT_CODES
    )


def _contents(submission: Submission, package: Package) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    for entry_id, element in submission.documents:
        try:
            contents[entry_id] = package.resolve(element)
        except MtomError as error:
            raise BusinessError.of(
                ErrorCode.MISSING_DOCUMENT, str(error), location=entry_id
            ) from None
    return contents


def _check_signature(
    submission: Submission,
    contents: Mapping[str, bytes],
    *,
    options: DmpOptions,
    trust: Trust,
    now: datetime,
) -> None:
    signatures = [entry for entry in submission.entries if _is_signature(entry)]
    if not signatures and not options.require_lot_signature:
        return
    if len(signatures) != 1:
        raise BusinessError.of(
            ErrorCode.INVALID_CONTENT,
            f"{len(signatures)} signature de lot : une seule attendue",
        )
    (signature,) = signatures
    lot = submission.submission_set
    links = submission.associated(AssociationType.SIGNS)
    if not any(link.source == signature.id and link.target == lot.id for link in links):
        raise BusinessError.of(
            ErrorCode.REGISTRY_METADATA_ERROR,
            "Pas d'association signs de la signature vers le lot",
            location=signature.id,
        )
    signed = {
        entry.unique_id: contents[entry.id]
        for entry in submission.entries
        if entry is not signature
    }
    try:
        verified = verify_lot(contents[signature.id], signed)
        check_signer(verified.certificate, verified.certificates, trust=trust, now=now)
    except (SignatureError, RemoteProtocolError, Refusal) as error:
        raise BusinessError.of(
            ErrorCode.INVALID_CONTENT,
            f"Signature du lot invalide : {error}",
            location=signature.id,
        ) from None
    if verified.submission_set_uid != lot.unique_id:
        raise BusinessError.of(
            ErrorCode.INVALID_CONTENT,
            f"La signature porte sur le lot {verified.submission_set_uid}",
            location=signature.id,
        )


def open_patient(session: Session, identity: CX) -> Patient:
    """The patient, whose DMP is in use.

    Raises:
        BusinessError: unknown or without DMP (XDSUnknownPatientId); closed (the code that the DMP
            gives then is not public: XDSRegistryError with `DMPClosed`, grade `inferred`).
    """
    patient = session.patient(identity)
    if patient is None or patient.state is DmpState.NONE:
        raise BusinessError.of(
            ErrorCode.UNKNOWN_PATIENT, f"Aucun DMP pour le patient {identity.id}"
        )
    if patient.state is DmpState.CLOSED:
        raise BusinessError.of(ErrorCode.REGISTRY_ERROR, "DMPClosed : le DMP est fermé")
    return patient


def register(lot: Lot, session: Session, caller: Caller, uuid: Callable[[], UUID]) -> Registered:
    """Register a checked lot.

    Raises:
        BusinessError: no open DMP, a uniqueId already there, a target that cannot be replaced.
    """
    open_patient(session, lot.patient)
    submission = lot.submission
    _check_new(lot, session)
    for link in lot.replacements:
        _check_replaced(link, lot, session, caller)
    ids = {submission.submission_set.id: uuid().urn}
    ids |= {entry.id: uuid().urn for entry in submission.entries}
    session.add_set(
        replace(
            submission.submission_set,
            id=ids[submission.submission_set.id],
            status=Status.APPROVED,
        )
    )
    for entry in submission.entries:
        session.add_entry(
            _registered_entry(entry, ids[entry.id], lot.contents[entry.id]),
            lot.patient,
            lot.contents[entry.id],
        )
    for association in submission.associations:
        session.add_association(
            replace(
                association,
                id=uuid().urn,
                source=ids.get(association.source, association.source),
                target=ids.get(association.target, association.target),
            )
        )
    for link in lot.replacements:
        session.set_status(link.target, Status.DEPRECATED)
    del ids[submission.submission_set.id]
    return Registered(ids, tuple(entry.unique_id for entry in submission.entries))


def _registered_entry(entry: DocumentEntry, entry_id: str, content: bytes) -> DocumentEntry:
    extra = tuple(slot for slot in entry.extra_slots if _is_kept(slot))
    return replace(
        entry,
        id=entry_id,
        logical_id=entry_id,
        version="1",
        status=Status.APPROVED,
        hash=sha1(content),
        size=str(len(content)),
        repository_unique_id=REPOSITORY_OID,
        extra_slots=extra,
    )


def _is_kept(slot: Slot) -> bool:
    """Slots that are no attribute of an entry are tolerated and dropped.

    ANS samples put submissionTime on DocumentEntry; IHE names the case XDSExtraMetadataNotSaved.
    """
    return slot.name.startswith("urn:")


def _check_new(lot: Lot, session: Session) -> None:
    for entry in lot.submission.entries:
        known = session.entry_of_document(entry.unique_id)
        if known is None:
            continue
        if known.hash != sha1(lot.contents[entry.id]):
            raise BusinessError.of(
                ErrorCode.NON_IDENTICAL_HASH,
                f"uniqueId {entry.unique_id} déjà enregistré avec un autre contenu",
                location=entry.id,
            )
        raise BusinessError.of(
            ErrorCode.DUPLICATE_UNIQUE_ID,
            f"uniqueId {entry.unique_id} déjà enregistré",
            location=entry.id,
        )
    if session.set_known(lot.submission.submission_set.unique_id):
        raise BusinessError.of(
            ErrorCode.DUPLICATE_UNIQUE_ID,
            f"uniqueId de lot {lot.submission.submission_set.unique_id} déjà enregistré",
        )


def _check_replaced(link: Association, lot: Lot, session: Session, caller: Caller) -> None:
    target = session.entry(link.target)
    if target is None:
        raise BusinessError.of(
            ErrorCode.UNRESOLVED_REFERENCE,
            f"Document à remplacer inconnu : {link.target}",
            location=link.source,
        )
    if target.status != Status.APPROVED:
        raise BusinessError.of(
            ErrorCode.DEPRECATED_DOCUMENT,
            f"Le document à remplacer n'est plus actif : {link.target}",
            location=link.source,
        )
    if not same_patient(CX.parse(target.patient_id), lot.patient):
        raise BusinessError.of(
            ErrorCode.PATIENT_DOES_NOT_MATCH,
            "Le document à remplacer est celui d'un autre patient",
            location=link.source,
        )
    if not is_author(target, caller):
        raise BusinessError.of(ErrorCode.REGISTRY_METADATA_ERROR, Text.AUTHOR, location=link.target)
