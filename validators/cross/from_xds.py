"""What a publication says of an exam: metadata, VIHF, certificates, lot signature."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from cryptography import x509
from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.saml import Assertion
from spec.dmp import MASKING_SCHEME
from spec.imaging_metadata import MODALITIES, MODALITY_SYSTEMS, REGIONS
from spec.oids import INS_AUTHORITIES
from spec.vihf import AttributeName
from spec.xds import EntryScheme, ReferenceType, SetScheme, SlotName
from validators.certificates import certificate_of
from validators.cross.fact import Fact, Facts, Speaker, Subject, Voice
from validators.cross.forms import day, fold, gender, institution_id, structure
from validators.cross.from_hl7v2 import NOTHING_MASKED
from validators.xds.assertion import read_assertion
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject, parts
from validators.xds.values import authority

__all__ = ["assertion", "certificate", "metadata", "registered", "seal"]

_DS = f"{{{xml.NS['ds']}}}"
_RIM = f"{{{xml.NS['rim']}}}"
_SAML = f"{{{xml.NS['saml']}}}"
_OID = "urn:oid:"


def metadata(submission: Submission, name: str) -> Facts:
    """Submission set, entries and envelope; the documents inside are voices of their own."""
    lot = Speaker(Voice.SUBMISSION, name)
    for item in submission.sets:
        uid = item.external(SetScheme.UNIQUE_ID)
        yield lot.says(Subject.SIGNED, uid, item.where("ExternalIdentifier[uniqueId]"))
        yield from _patient(lot, item, item.external(SetScheme.PATIENT_ID))
        yield from _institutions(lot, item, SetScheme.AUTHOR)
    manifests = {item.id for item in submission.manifests}
    for item in submission.contents:
        uid = item.external(EntryScheme.UNIQUE_ID)
        yield lot.says(Subject.SIGNED, uid, item.where("ExternalIdentifier[uniqueId]"))
        voice = Voice.ENTRY if item.id in manifests else Voice.REPORT_ENTRY
        yield from _entry(Speaker(voice, name), item)
    for item in submission.signatures:
        yield from _file(lot, item)
    if submission.envelope is not None:
        for element in submission.envelope.iter(f"{_SAML}Assertion"):
            yield from assertion(element, name)


def registered(root: etree._Element, name: str) -> Iterator[tuple[str, list[Fact]]]:
    """The uniqueId of each entry that a registry answers, and what the entry says."""
    for element in root.iter(f"{_RIM}ExtrinsicObject"):
        item = RegistryObject(element)
        dicom = element.get("mimeType", "").startswith("application/dicom")
        speaker = Speaker(Voice.ENTRY if dicom else Voice.REPORT_ENTRY, name)
        yield item.external(EntryScheme.UNIQUE_ID), list(_entry(speaker, item))


def assertion(element: etree._Element, name: str) -> Facts:
    """A VIHF, and the certificate that signs it."""
    yield from _shown(element, name)
    try:
        said = read_assertion(element)
    except RemoteProtocolError:
        return
    yield from _vihf(Speaker(Voice.VIHF, name), said)


def seal(root: etree._Element, name: str) -> Facts:
    """What a lot signature names and digests, and the certificate that signs it."""
    lot = Speaker(Voice.SEAL, name)
    for reference in root.iterfind(f".//{_DS}Manifest/{_DS}Reference"):
        uri = reference.get("URI", "")
        uid = uri.removeprefix(_OID)
        where = f"//Manifest/Reference[@URI='{uri}']"
        yield lot.says(Subject.SIGNED, uid, where)
        digest = _hexadecimal(reference.findtext(f"{_DS}DigestValue") or "")
        yield lot.says(Subject.DIGEST, digest, where, uid)
    yield from _shown(root, name)


def certificate(shown: x509.Certificate, name: str) -> Facts:
    """The structure that a certificate is issued to: its OU."""
    said = Speaker(Voice.CERTIFICATE, name)
    try:
        units = shown.subject.get_attributes_for_oid(x509.oid.NameOID.ORGANIZATIONAL_UNIT_NAME)
    except ValueError:
        return
    for unit in units:
        yield said.says(Subject.STRUCTURE, structure(str(unit.value)), "subject OU")


def _shown(element: etree._Element, name: str) -> Facts:
    found = certificate_of(element)
    if found is not None:
        yield from certificate(found, f"{name} : X509Certificate")


def _hexadecimal(digest: str) -> str:
    try:
        return base64.b64decode("".join(digest.split()), validate=True).hex()
    except (binascii.Error, ValueError):
        return ""


def _vihf(vihf: Speaker, said: Assertion) -> Facts:
    where = "//Attribute[@Name='Identifiant_Structure']"
    written = said.text(AttributeName.IDENTIFIANT_STRUCTURE)
    yield vihf.says(Subject.STRUCTURE, structure(written), where)
    cx = parts(said.text(AttributeName.RESOURCE_ID))
    oid = authority(cx[3])[0]
    where = "//Attribute[resource-id]"
    yield vihf.says(Subject.INS, cx[0], where)
    yield vihf.says(Subject.INS_AUTHORITY, oid, where, cx[0])


def _patient(said: Speaker, item: RegistryObject, value: str) -> Facts:
    cx, where = parts(value), item.where("ExternalIdentifier[patientId]")
    yield said.says(Subject.INS, cx[0], where)
    yield said.says(Subject.INS_AUTHORITY, authority(cx[3])[0], where, cx[0])


def _institutions(said: Speaker, item: RegistryObject, scheme: str) -> Facts:
    for author in item.authors(scheme):
        for value in author.institutions:
            where = item.where("Classification/Slot[@name='authorInstitution']")
            yield said.says(Subject.STRUCTURE, institution_id(value), where)


def _entry(said: Speaker, item: RegistryObject) -> Facts:
    uid = item.external(EntryScheme.UNIQUE_ID)
    subject = Subject.MANIFEST_UID if said.voice is Voice.ENTRY else Subject.REPORT_ID
    yield said.says(subject, uid, item.where("ExternalIdentifier[uniqueId]"))
    yield from _patient(said, item, item.external(EntryScheme.PATIENT_ID))
    yield from _local(said, item)
    yield from _traits(said, item)
    yield from _institutions(said, item, EntryScheme.AUTHOR)
    validator = parts(item.value(SlotName.LEGAL_AUTHENTICATOR))[0]
    where = item.slot_path(SlotName.LEGAL_AUTHENTICATOR)
    yield said.says(Subject.VALIDATOR, validator, where)
    study = _study(item)
    yield from _references(said, item)
    for name, slot in (
        (Subject.START, SlotName.SERVICE_START_TIME),
        (Subject.STOP, SlotName.SERVICE_STOP_TIME),
    ):
        yield said.says(name, item.value(slot), item.slot_path(slot), study)
    created = item.value(SlotName.CREATION_TIME)
    yield said.says(Subject.CREATION, created, item.slot_path(SlotName.CREATION_TIME), uid)
    yield from _codes(said, item, study)
    yield from _file(said, item)


def _file(said: Speaker, item: RegistryObject) -> Facts:
    uid = item.external(EntryScheme.UNIQUE_ID)
    for subject, slot in ((Subject.HASH, SlotName.HASH), (Subject.SIZE, SlotName.SIZE)):
        yield said.says(subject, item.value(slot).lower(), item.slot_path(slot), uid)


def _local(said: Speaker, item: RegistryObject) -> Facts:
    """sourcePatientId: an IPP, or the INS again in official samples."""
    cx = parts(item.value(SlotName.SOURCE_PATIENT_ID))
    where = item.slot_path(SlotName.SOURCE_PATIENT_ID)
    oid = authority(cx[3])[0]
    if oid in INS_AUTHORITIES:
        yield said.says(Subject.INS, cx[0], where)
        yield said.says(Subject.INS_AUTHORITY, oid, where, cx[0])
    else:
        yield said.says(Subject.IPP, cx[0], where)
        yield said.says(Subject.IPP_AUTHORITY, oid, where, cx[0])


def _traits(said: Speaker, item: RegistryObject) -> Facts:
    where = item.slot_path(SlotName.SOURCE_PATIENT_INFO)
    for line in item.slot(SlotName.SOURCE_PATIENT_INFO):
        field, _, value = line.partition("|")
        written = parts(value)
        if field == "PID-5" and written[6] == "L":
            yield said.says(Subject.BIRTH_FAMILY, fold(written[0]), where)
            yield said.says(Subject.BIRTH_GIVEN, fold(written[1]), where)
        elif field == "PID-7":
            yield said.says(Subject.BIRTH_DATE, day(value), where)
        elif field == "PID-8":
            yield said.says(Subject.SEX, gender(value), where)
        elif field == "PID-11" and written[6] == "BDL":
            yield said.says(Subject.BIRTH_PLACE, written[8].strip(), where)


_REFERENCES = {
    ReferenceType.ACCESSION: (Subject.ACCESSION, Subject.ACCESSION_ISSUER),
    ReferenceType.ORDER: (Subject.ORDER, Subject.ORDER_ISSUER),
}


def _study(item: RegistryObject) -> str:
    """The study of an entry, "" when it names several."""
    references = [parts(value) for value in item.slot(SlotName.REFERENCE_ID_LIST)]
    studies = [cx[0] for cx in references if cx[4] == ReferenceType.STUDY_INSTANCE_UID]
    return studies[0] if len(studies) == 1 else ""


def _references(said: Speaker, item: RegistryObject) -> Facts:
    where = item.slot_path(SlotName.REFERENCE_ID_LIST)
    for value in item.slot(SlotName.REFERENCE_ID_LIST):
        cx = parts(value)
        if cx[4] == ReferenceType.STUDY_INSTANCE_UID:
            yield said.says(Subject.STUDY, cx[0], where)
        elif cx[4] in _REFERENCES:
            subject, issuer = _REFERENCES[ReferenceType(cx[4])]
            yield said.says(subject, cx[0], where)
            yield said.says(issuer, authority(cx[3])[0], where, cx[0])


def _codes(said: Speaker, item: RegistryObject, study: str) -> Facts:
    where = item.where("Classification[eventCodeList]")
    for code in item.codes(EntryScheme.EVENT_CODE):
        if code.value in MODALITIES and code.scheme in MODALITY_SYSTEMS:
            yield said.says(Subject.MODALITY, code.value, where, study)
        elif code.value in REGIONS:
            # Three systems compete for the same codes: the code itself is what compares.
            yield said.says(Subject.REGION, code.value, where, study)
    codes = item.codes(EntryScheme.CONFIDENTIALITY_CODE)
    masked = [code.value for code in codes if code.scheme == MASKING_SCHEME]
    where = item.where("Classification[confidentialityCode]")
    for value in masked or [NOTHING_MASKED]:
        yield said.says(Subject.VISIBILITY, value, where)
