"""Example submissions of the ITI-41 rules: one that is right, and edits that spoil it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

from lxml import etree

from protocols import mtom, saml, soap, xml
from protocols.ebrim import (
    Association,
    Author,
    Code,
    DocumentEntry,
    Slot,
    SubmissionSet,
    build_provide,
)
from protocols.saml import Assertion, Attribute, AttributeValue, CodedValue
from protocols.xmlsig import LotReference, sign_lot
from spec import dmp, vihf
from spec.oids import INS_NIR_TEST, PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from spec.vihf import AttributeName
from spec.xds import Action, AssociationType, ReferenceType, SlotName
from validators.examples import kos as manifest
from validators.examples.credential import NOW, STRUCTURE, certificate, key
from validators.http_message import HttpMessage

__all__ = [
    "BOUNDARY",
    "KOS_ID",
    "PATIENT",
    "SET_ID",
    "SIGNATURE_ID",
    "Tamper",
    "attributes",
    "edit",
    "iti41",
    "lot",
    "remove",
    "submission_set",
]

BOUNDARY = "exemple-iti41"
SET_ID, KOS_ID, SIGNATURE_ID = "SubmissionSet01", "DocumentKOS", "Signature01"
PATIENT = f"{manifest.INS}^^^&{INS_NIR_TEST}&ISO^NH"
_ROOT = "1.2.250.1.999.1.1.8121"
_SET_UID, _SIGNATURE_UID = f"{_ROOT}.8.1", f"{_ROOT}.9.1"
_PERSON = f"801234560801^EXEMPLE^CLAIRE^^^^^^&{PROFESSIONAL_AUTHORITY}&ISO^D^^^IDNPS"
_INSTITUTION = f"CENTRE EXEMPLE^^^^^&{STRUCTURE_AUTHORITY}&ISO^IDNST^^^{STRUCTURE}"
_AUTHOR = Author(person=_PERSON, institutions=(_INSTITUTION,))
_TIME = "20261122101500"

Tamper = Callable[[etree._Element], None]
"""Spoils the envelope in place, after everything in it was signed."""


def edit(path: str, attribute: str | None = None, value: str = "") -> Tamper:
    """Set the text, or an attribute, of the first element at an XPath."""

    def apply(root: etree._Element) -> None:
        target = _first(root, path)
        if attribute is None:
            target.text = value
        else:
            target.set(attribute, value)

    return apply


def remove(path: str) -> Tamper:
    """Remove the first element at an XPath."""

    def apply(root: etree._Element) -> None:
        target = _first(root, path)
        parent = target.getparent()
        assert parent is not None
        parent.remove(target)

    return apply


def _first(root: etree._Element, path: str) -> etree._Element:
    found = root.xpath(path, namespaces=xml.NS)
    assert isinstance(found, list)
    target = found[0]
    assert isinstance(target, etree._Element)
    return target


def submission_set(**changes: Any) -> SubmissionSet:
    """The submission set of the examples, some fields changed."""
    return replace(
        SubmissionSet(
            id=SET_ID,
            submission_time=_TIME,
            title="Publication d'un KOS",
            authors=(_AUTHOR,),
            content_type=Code("07", "1.2.250.1.213.2.2", "Consultation"),
            patient_id=PATIENT,
            source_id=_ROOT,
            unique_id=_SET_UID,
        ),
        **changes,
    )


def _lot(changes: Mapping[str, Any] | None) -> SubmissionSet:
    return submission_set(**(changes or {}))


def _entry(kos: bytes) -> DocumentEntry:
    return DocumentEntry(
        id=KOS_ID,
        mime_type="application/dicom",
        creation_time=_TIME,
        language_code="fr-FR",
        legal_authenticator=_PERSON,
        service_start_time="20261121083000",
        service_stop_time="20261121084500",
        source_patient_id=f"IPP900^^^&{_ROOT}.1&ISO^PI",
        source_patient_info=(
            "PID-5|PAT-TROIS^DOMINIQUE^^^^^L",
            "PID-7|19790328",
            "PID-8|F",
            "PID-11|^^^^^^BDL^^51215",
        ),
        hash=hashlib.sha1(kos, usedforsecurity=False).hexdigest(),
        size=str(len(kos)),
        reference_ids=(
            f"{manifest.ACCESSION}^^^&{manifest.ACCESSION_OID}&ISO^{ReferenceType.ACCESSION}",
            f"{manifest.ORDER}^^^&{manifest.ORDER_OID}&ISO^{ReferenceType.ORDER}",
            f"{manifest.STUDY}^^^^{ReferenceType.STUDY_INSTANCE_UID}",
        ),
        title="Références d'objets d'un examen d'imagerie",
        authors=(_AUTHOR,),
        class_code=Code(*dmp.KOS_CLASS_CODE),
        type_code=Code(*dmp.KOS_TYPE_CODE),
        format_code=Code(*dmp.KOS_FORMAT_CODE),
        facility_type=Code("SA08", "1.2.250.1.71.4.2.4", "Cabinet de groupe"),
        practice_setting=Code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"),
        confidentiality_codes=(Code("N", "2.16.840.1.113883.5.25", "Normal"),),
        event_codes=(
            Code("CT", "1.2.250.1.213.1.1.5.618", "Tomodensitométrie"),
            Code("67734004", "1.2.250.1.213.1.1.5.695", "Thorax"),
        ),
        patient_id=PATIENT,
        unique_id=manifest.UID,
    )


def _signature_entry(document: bytes) -> DocumentEntry:
    masking = dmp.MASKING_SCHEME
    return replace(
        _entry(document),
        id=SIGNATURE_ID,
        mime_type="text/xml",
        language_code="art",
        service_start_time=_TIME,
        service_stop_time=_TIME,
        source_patient_id=PATIENT,
        source_patient_info=(),
        reference_ids=(),
        title="Source",
        class_code=Code(dmp.SIGNATURE_CLASS_CODE, "URN", "Digital Signature"),
        type_code=Code("E1762", "ASTM", "Full Document"),
        format_code=Code("http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"),
        confidentiality_codes=(
            Code("N", "2.16.840.1.113883.5.25", "Normal"),
            Code("MASQUE_PS", masking, "Masqué aux professionnels de santé"),
            Code("INVISIBLE_PATIENT", masking, "Non visible par le patient"),
        ),
        event_codes=(Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
        unique_id=_SIGNATURE_UID,
    )


def attributes(
    changes: Mapping[str, tuple[AttributeValue, ...] | None] | None = None,
) -> tuple[Attribute, ...]:
    """The attributes of the example VIHF, some replaced, or left out when None."""
    values: dict[str, tuple[AttributeValue, ...] | None] = {
        AttributeName.VIHF_VERSION: ("3.0",),
        AttributeName.SECTEUR_ACTIVITE: ("SA08^1.2.250.1.71.4.2.4",),
        AttributeName.RESSOURCE_URN: (vihf.RESSOURCE_URN,),
        AttributeName.SUBJECT_ID: ("CLAIRE EXEMPLE",),
        AttributeName.IDENTIFIANT_STRUCTURE: (STRUCTURE,),
        AttributeName.LPS_ID: (_ROOT,),
        AttributeName.LPS_NOM: ("DRIMbox d'exemple",),
        AttributeName.LPS_ID_HOMOLOGATION_DMP: ("KIT-0001",),
        AttributeName.LPS_VERSION: ("1.0",),
        AttributeName.RESOURCE_ID: (PATIENT,),
        AttributeName.AUTHENTIFICATION_MODE: ("INDIRECTE",),
        AttributeName.PURPOSE_OF_USE: (
            CodedValue(
                "PurposeOfUse",
                vihf.ModeAcces.NORMAL,
                vihf.MODE_ACCES_SYSTEM,
                vihf.MODE_ACCES_SYSTEM_NAME,
                "Accès normal",
            ),
        ),
        AttributeName.ROLE: (
            CodedValue("Role", "10", "1.2.250.1.71.1.2.7", "professions", "Médecin"),
            CodedValue("Role", "SM44", "1.2.250.1.71.4.2.5", "specialites RPPS", "Radiologue"),
        ),
    }
    values |= changes or {}
    return tuple(Attribute(str(name), value) for name, value in values.items() if value is not None)


def _assertion(**changes: Any) -> Assertion:
    return replace(
        Assertion(
            id="_exemple-vihf",
            issue_instant=NOW,
            issuer=certificate().subject.rfc4514_string(),
            issuer_format=vihf.ISSUER_FORMAT,
            name_id="801234560801",
            authn_instant=NOW - timedelta(minutes=10),
            authn_context_class=vihf.AUTHN_CONTEXTS["TLSClient"],
            attributes=attributes(),
        ),
        **changes,
    )


def lot(
    documents: Mapping[str, bytes],
    *,
    algorithm: Literal["sha1", "sha256"] = "sha256",
    usage: str = "sign",
) -> bytes:
    """The signature document of a lot, by uniqueId."""
    return sign_lot(
        [LotReference(uid, data) for uid, data in documents.items()],
        submission_set_uid=_SET_UID,
        signature_uid=f"_{_SIGNATURE_UID}",
        key=key(),
        certificates=[certificate(usage=usage)],
        signing_time=NOW,
        algorithm=algorithm,
    )


def _link(type: str, source: str, target: str, serial: int) -> Association:
    status = (Slot(SlotName.SUBMISSION_SET_STATUS, ("Original",)),)
    return Association(type=type, source=source, target=target, id=f"a{serial}", slots=status)


def iti41(
    tamper: Tamper | None = None,
    *,
    submission_set: Mapping[str, Any] | None = None,
    entry: Mapping[str, Any] | None = None,
    signature: Mapping[str, Any] | None = None,
    assertion: Mapping[str, Any] | None = None,
    unsigned: bool = False,
    legacy: bool = False,
    lot_document: bytes | None = None,
    kos: bytes | None = None,
    signed_documents: Mapping[str, bytes] | None = None,
    links: Callable[[list[Association]], list[Association]] | None = None,
    content_type: Callable[[str], str] | None = None,
    body: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """An HTTP request that publishes the example manifest.

    The mappings change fields of the submission set, the two entries and the assertion;
    `signed_documents` is what the lot signature covers; `tamper` spoils the envelope, then
    `content_type` and `body` the package.
    """
    document = manifest.kos() if kos is None else kos
    proof = lot_document or lot(signed_documents or {manifest.UID: document})
    entries = [
        replace(_entry(document), **(entry or {})),
        replace(_signature_entry(proof), **(signature or {})),
    ]
    associations = [
        _link(AssociationType.HAS_MEMBER, SET_ID, KOS_ID, 1),
        _link(AssociationType.HAS_MEMBER, SET_ID, SIGNATURE_ID, 2),
        _link(AssociationType.SIGNS, SIGNATURE_ID, SET_ID, 3),
    ]
    request = build_provide(
        _lot(submission_set),
        entries,
        associations if links is None else links(associations),
        {KOS_ID: "kos@exemple", SIGNATURE_ID: "signature@exemple"},
    )
    said = _assertion(**(assertion or {}))
    if unsigned:
        token = saml.unsigned(said)
    else:
        token = saml.build(
            said,
            key=key(),
            certificate=certificate(),
            algorithm="sha1" if legacy else "sha256",
        )
    envelope = soap.build(
        soap.Envelope(
            action=Action.PROVIDE_AND_REGISTER,
            message_id="urn:uuid:6f8d6d0e-8f1d-4d53-9d0b-3f7d1d9a0001",
            to="https://dmp.exemple.invalid/si-dmp-server/v2/services/repository",
            reply_to=soap.ANONYMOUS,
            security=token,
            body=request,
        )
    )
    if tamper is not None:
        root = xml.parse(envelope)
        tamper(root)
        envelope = xml.serialize(root)
    kind, packed = mtom.pack(
        envelope,
        {
            "kos@exemple": (document, "application/octet-stream"),
            "signature@exemple": (proof, "text/xml"),
        },
        BOUNDARY,
        action=Action.PROVIDE_AND_REGISTER,
    )
    return HttpMessage(
        f"POST {dmp.ServicePath.REPOSITORY} HTTP/1.1",
        (
            ("Host", "dmp.exemple.invalid"),
            ("Content-Type", kind if content_type is None else content_type(kind)),
        ),
        packed if body is None else body(packed),
    ).encode()
