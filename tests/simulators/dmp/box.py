"""A box that calls the DMP: its certificates, its VIHF, its lots."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from protocols import ebrim, hl7v3, mtom, saml, soap
from protocols.ebrim import Association, Author, Code, DocumentEntry, Slot, SubmissionSet
from protocols.hl7v3 import II, ExistenceTest
from protocols.saml import Assertion, Attribute, CodedValue
from protocols.soap import Envelope
from protocols.xmlsig import LotReference, sign_lot
from simulators.dmp.service import Reply, Service
from simulators.igc.credential import Credential
from simulators.igc.pki import Pki
from spec.dmp import EXISTENCE_ACTION, REPOSITORY_OID, ServicePath
from spec.oids import INS_NIR_TEST
from spec.vihf import ISSUER_FORMAT, AttributeName
from spec.xds import Action, AssociationType

NOW = datetime.now(UTC).replace(microsecond=0)
# The wall clock, because TLS reads no other.
STRUCTURE = "499700000001001"
MATRICULE = "279035121518989"


def ins(matricule: str = MATRICULE, oid: str = INS_NIR_TEST) -> str:
    return f"{matricule}^^^&{oid}&ISO^NH"


@dataclass(frozen=True)
class Certificates:
    pki: Pki
    auth: Credential
    sign: Credential
    other: Credential
    """A SIGN of another structure."""


def document(entry_id: str, unique_id: str, content: bytes, **changes: Any) -> DocumentEntry:
    base = DocumentEntry(
        id=entry_id,
        mime_type="application/dicom",
        creation_time="20261122095900",
        language_code="fr-FR",
        legal_authenticator="899700000001^KIT^JEAN^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
        service_start_time="20261121083000",
        service_stop_time="20261121090000",
        source_patient_id="42^^^&1.2.250.1.999.1&ISO^PI",
        source_patient_info=("PID-5|PAT-TROIS^DOMINIQUE^^^^^L",),
        hash=hashlib.sha1(content).hexdigest(),
        size=str(len(content)),
        reference_ids=("ACC1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession",),
        title="Reference d'Objets d'un Examen d'Imagerie",
        authors=(
            Author(
                person="899700000009^DRIMBOX^KIT",
                institutions=(f"KIT^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{STRUCTURE}",),
            ),
        ),
        class_code=Code("31", "1.2.250.1.213.1.1.4.1", "Imagerie médicale"),
        type_code=Code("IMG-KOS", "1.2.250.1.213.1.1.4.12", "KOS"),
        format_code=Code("1.2.840.10008.5.1.4.1.1.88.59", "1.2.840.10008.2.6.1", "KOS"),
        confidentiality_codes=(Code("N", "2.16.840.1.113883.5.25", "Normal"),),
        facility_type=Code("SA25", "1.2.250.1.71.4.2.4", "Cabinet"),
        practice_setting=Code("AMBULATOIRE", "1.2.250.1.213.1.1.4.9", "Ambulatoire"),
        event_codes=(
            Code("MR", "1.2.250.1.213.1.1.5.618", "IRM"),
            Code("774007", "1.2.250.1.213.1.1.5.695", "Tête et cou"),
        ),
        patient_id=ins(),
        unique_id=unique_id,
    )
    return replace(base, **changes)


def link(kind: str, source: str, target: str) -> Association:
    slots = (Slot("SubmissionSetStatus", ("Original",)),)
    return Association(type=kind, source=source, target=target, slots=slots)


@dataclass
class Lot:
    """A lot that a box sends; every part can be replaced before it is packed."""

    certificates: Certificates
    number: int = 1
    content: bytes = b"a KOS"
    patient: str = field(default_factory=ins)
    replaces: str = ""
    signer: Credential | None = None

    def __post_init__(self) -> None:
        root = "1.2.250.1.999.1.1.9"
        self.unique_id = f"{root}.1.{self.number}"
        self.set = SubmissionSet(
            id="SubmissionSet01",
            submission_time="20261122095900",
            authors=(Author(person="899700000001^KIT^JEAN"),),
            content_type=Code("04", "1.2.250.1.213.2.2", "Hospitalisation de jour"),
            patient_id=self.patient,
            source_id=root,
            unique_id=f"{root}.2.{self.number}",
        )
        self.entries = [
            document("DocumentKOS", self.unique_id, self.content, patient_id=self.patient)
        ]
        self.associations = [link(AssociationType.HAS_MEMBER, self.set.id, "DocumentKOS")]
        if self.replaces:
            self.associations.append(link(AssociationType.REPLACE, "DocumentKOS", self.replaces))
        self.documents: dict[str, bytes] = {"DocumentKOS": self.content}

    def sign(self) -> None:
        """Add the signature document, its entry and its links."""
        signer = self.signer or self.certificates.sign
        uid = f"2.25.{self.number}"
        data = sign_lot(
            [LotReference(e.unique_id, self.documents[e.id]) for e in self.entries],
            submission_set_uid=self.set.unique_id,
            signature_uid=f"S{uid}",
            key=signer.key,
            certificates=[signer.certificate, *signer.chain],
            signing_time=NOW,
        )
        entry = document(
            "Signature01",
            uid,
            data,
            mime_type="text/xml",
            patient_id=self.patient,
            class_code=Code("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "URN", "Digital Signature"),
            format_code=Code(
                "http://www.w3.org/2000/09/xmldsig#", "URN", "Default Signature Style"
            ),
            type_code=Code("E1762", "ASTM", "Full Document"),
            event_codes=(Code("1.2.840.10065.1.12.1.14", "1.2.840.10065.1.12", "Source"),),
            confidentiality_codes=(
                Code("MASQUE_PS", "1.2.250.1.213.1.1.4.13", "Masqué aux professionnels"),
            ),
        )
        self.entries.append(entry)
        self.documents[entry.id] = data
        self.associations += [
            link(AssociationType.HAS_MEMBER, self.set.id, entry.id),
            link(AssociationType.SIGNS, entry.id, self.set.id),
        ]

    def element(self) -> tuple[etree._Element, dict[str, tuple[bytes, str]]]:
        cids = {entry_id: f"0.{n}" for n, entry_id in enumerate(self.documents, 2)}
        parts = {
            cids[entry_id]: (data, "application/octet-stream")
            for entry_id, data in self.documents.items()
        }
        return ebrim.build_provide(self.set, self.entries, self.associations, cids), parts


@dataclass(kw_only=True)
class Vihf:
    """A VIHF that a box signs; indirect by default, AIR for a radiologist with `air()`."""

    credential: Credential
    mode: str = "INDIRECTE"
    access: str = "normal"
    structure: str = STRUCTURE
    patient: str = field(default_factory=ins)
    name_id: str = "899700000001"
    roles: tuple[tuple[str, str], ...] = (
        ("10", "1.2.250.1.71.1.2.7"),
        ("SM44", "1.2.250.1.71.4.2.5"),
    )
    issued: datetime = NOW
    issuer: str = ""
    drop: str = ""
    """Attribute left out."""
    version: str = "3.0"

    def element(self) -> etree._Element:
        texts = {
            AttributeName.VIHF_VERSION: self.version,
            AttributeName.AUTHENTIFICATION_MODE: self.mode,
            AttributeName.IDENTIFIANT_STRUCTURE: self.structure,
            AttributeName.SECTEUR_ACTIVITE: "SA25^1.2.250.1.71.4.2.4",
            AttributeName.RESSOURCE_URN: "urn:dmp",
            AttributeName.SUBJECT_ID: "KIT JEAN",
            AttributeName.LPS_NOM: "DRIMbox",
            AttributeName.LPS_VERSION: "1",
            AttributeName.LPS_ID_HOMOLOGATION_DMP: "KIT-1",
            AttributeName.RESOURCE_ID: self.patient,
        }
        attributes = [
            Attribute(name, (value,))
            for name, value in texts.items()
            if value and name != self.drop
        ]
        roles = tuple(CodedValue("Role", code, system, "", "r") for code, system in self.roles)
        attributes += [
            Attribute(AttributeName.ROLE, roles),
            Attribute(
                AttributeName.PURPOSE_OF_USE,
                (CodedValue("PurposeOfUse", self.access, "1.2.250.1.213.1.1.4.248", "", "x"),),
            ),
        ]
        assertion = Assertion(
            id=f"_{uuid.uuid4()}",
            issue_instant=self.issued,
            issuer=self.issuer or self.credential.dn,
            issuer_format=ISSUER_FORMAT,
            name_id=self.name_id,
            authn_instant=self.issued - timedelta(minutes=1),
            authn_context_class="urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
            attributes=tuple(attributes),
        )
        return saml.build(
            assertion, key=self.credential.key, certificate=self.credential.certificate
        )


@dataclass
class Box:
    """Calls a service without network, as a DRIMbox would over it."""

    service: Service
    certificates: Certificates

    def vihf(self, **changes: Any) -> Vihf:
        changes.setdefault("credential", self.certificates.sign)
        return Vihf(**changes)

    def air(self, **changes: Any) -> Vihf:
        return self.vihf(mode="INDIRECTE_RENFORCEE", **changes)

    def lot(self, number: int = 1, **changes: Any) -> Lot:
        lot = Lot(self.certificates, number, **changes)
        lot.sign()
        return lot

    def request(self, action: str, body: etree._Element, vihf: Vihf | None) -> bytes:
        return soap.build(
            Envelope(
                action=action,
                message_id=f"urn:uuid:{uuid.uuid4()}",
                to="",
                security=None if vihf is None else vihf.element(),
                body=body,
            )
        )

    def publish(self, lot: Lot, vihf: Vihf | None = None) -> Reply:
        element, parts = lot.element()
        vihf = vihf or self.vihf(patient=lot.patient)
        envelope = self.request(Action.PROVIDE_AND_REGISTER, element, vihf)
        content_type, body = mtom.pack(envelope, parts, "MIMEBoundary_Kit")
        return self.service.answer(ServicePath.REPOSITORY, content_type, body)

    def query(self, query: ebrim.AdhocQuery, vihf: Vihf) -> Reply:
        data = self.request(Action.STORED_QUERY, ebrim.build_query(query), vihf)
        return self.service.answer(ServicePath.REGISTRY, "application/soap+xml", data)

    def update(self, element: etree._Element, vihf: Vihf) -> Reply:
        data = self.request(Action.UPDATE, element, vihf)
        return self.service.answer(ServicePath.REGISTRY, "application/soap+xml", data)

    def retrieve(self, *unique_ids: str, vihf: Vihf, repository: str = REPOSITORY_OID) -> Reply:
        requests = [ebrim.DocumentRequest(repository, uid) for uid in unique_ids]
        data = self.request(Action.RETRIEVE, ebrim.build_retrieve(requests), vihf)
        return self.service.answer(ServicePath.REPOSITORY, "application/soap+xml", data)

    def exists(self, matricule: str = MATRICULE, vihf: Vihf | None = None, **changes: Any) -> Reply:
        oid = changes.pop("oid", INS_NIR_TEST)
        test = ExistenceTest(
            message_id=II("1.2.250.1.999", "m1"),
            creation_time="20261122100000",
            patient=II(oid, matricule),
            sender="1.2.250.1.999",
            query_id=II("1.2.250.1.999", "q1"),
        )
        body = hl7v3.build_existence_test(test)
        vihf = vihf or self.vihf(patient=ins(matricule, oid))
        data = self.request(EXISTENCE_ACTION, body, vihf)
        return self.service.answer(ServicePath.PATIENTS, "application/soap+xml", data)


def read(reply: Reply) -> tuple[Envelope, mtom.Package]:
    package = mtom.unpack(reply.content_type, reply.body)
    return soap.parse(package.envelope), package


def body_of(reply: Reply) -> etree._Element:
    body = read(reply)[0].body
    assert body is not None
    return body


def fault_of(reply: Reply) -> soap.Fault:
    assert reply.status == 500
    fault = soap.parse_fault(body_of(reply))
    assert fault is not None
    return fault


def outcome(reply: Reply) -> ebrim.RegistryResponse:
    assert reply.status == 200, reply.body
    return ebrim.parse_registry_response(body_of(reply))


def codes(reply: Reply) -> list[str]:
    return [error.code for error in outcome(reply).errors]


def found(reply: Reply) -> ebrim.QueryResponse:
    assert reply.status == 200, reply.body
    return ebrim.parse_query_response(body_of(reply))
