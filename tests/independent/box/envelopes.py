"""What is sent to the DMP, as string templates: VIHF, lots, queries, status changes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from report import Exam, Report

RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
ASSOCIATION = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"
HAS_MEMBER = "urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
SIGNS = "urn:ihe:iti:2007:AssociationType:signs"
REPLACES = "urn:ihe:iti:2007:AssociationType:RPLC"
UPDATES = "urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus"
APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DELETED = "urn:asip:ci-sis:2010:StatusType:Deleted"
ENTRY = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"

Coded = tuple[str, str, str]
"""Code, display name, coding scheme."""

NORMAL: Coded = ("N", "Normal", "2.16.840.1.113883.5.25")
KIND: Coded = ("31", "Imagerie médicale", "1.2.250.1.213.1.1.4.1")
TYPE: Coded = ("IMG-KOS", "Reference d'objets d'un examen d'imagerie", "1.2.250.1.213.1.1.4.12")
FORMAT: Coded = (
    "1.2.840.10008.5.1.4.1.1.88.59",
    "Document de Références d'objets d'imagerie selon profil IHE RAD XDS-I",
    "1.2.840.10008.2.6.1",
)
CONTENT: Coded = ("07", "Consultation Soins Externes", "1.2.250.1.213.2.2")
DEVICE: Coded = ("DISPOSITIF", "Dispositif", "1.2.250.1.213.1.1.4.6")
HIDDEN: tuple[Coded, ...] = (
    ("MASQUE_PS", "Masqué aux professionnels de santé", "1.2.250.1.213.1.1.4.13"),
    ("INVISIBLE_PATIENT", "Non visible par le patient", "1.2.250.1.213.1.1.4.13"),
)


def now() -> str:
    """The time, as XDS writes it."""
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}"


def envelope(action: str, to: str, assertion: str, body: str) -> str:
    """A SOAP 1.2 message with WS-Addressing and the VIHF."""
    return (
        '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
        '<soap:Header xmlns:wsa="http://www.w3.org/2005/08/addressing">'
        f'<wsa:Action soap:mustUnderstand="true">{action}</wsa:Action>'
        f"<wsa:MessageID>urn:uuid:{uuid.uuid4()}</wsa:MessageID><wsa:To>{to}</wsa:To>"
        '<wsa:ReplyTo soap:mustUnderstand="true">'
        "<wsa:Address>http://www.w3.org/2005/08/addressing/anonymous</wsa:Address></wsa:ReplyTo>"
        '<wsse:Security soap:mustUnderstand="true" xmlns:wsse="http://docs.oasis-open.org/wss/'
        f'2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">{assertion}</wsse:Security>'
        f"</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def vihf(report: Report, issuer: str, product: dict[str, str]) -> str:
    """An assertion to sign: indirect authentication, for the report's physician."""
    instant = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    identifier, family, given = report.physician
    profession, _, specialty = report.specialty[0].partition("/")
    attributes = [
        ("VIHF_Version", "3.0"),
        ("Secteur_Activite", f"{report.facility[0]}^1.2.250.1.71.4.2.4"),
        ("Ressource_URN", "urn:dmp"),
        ("urn:oasis:names:tc:xspa:1.0:subject:subject-id", f"{family} {given}"),
        ("Identifiant_Structure", report.structure[0]),
        ("LPS_ID", product["lps_id"]),
        ("LPS_Nom", product["lps_name"]),
        ("LPS_ID_HOMOLOGATION_DMP", product["lps_homologation"]),
        ("LPS_Version", product["lps_version"]),
        ("urn:oasis:names:tc:xacml:2.0:resource:resource-id", _ins(report)),
        ("Authentification_Mode", "INDIRECTE"),
    ]
    told = "".join(_attribute(name, escape(value)) for name, value in attributes)
    purpose = _ce("PurposeOfUse", "normal", "1.2.250.1.213.1.1.4.248", "Accès normal")
    roles = (
        _ce("Role", profession.removeprefix("G15_"), "1.2.250.1.71.1.2.7", "Médecin"),
        _ce("Role", specialty, "1.2.250.1.71.4.2.5", report.specialty[1]),
    )
    told += _attribute("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse", purpose)
    told += _attribute("urn:oasis:names:tc:xacml:2.0:subject:role", *roles)
    return (
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' ID="_{uuid.uuid4()}" IssueInstant="{instant}" Version="2.0">'
        '<saml:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">'
        f"{escape(issuer)}</saml:Issuer>"
        f"<saml:Subject><saml:NameID>{identifier}</saml:NameID></saml:Subject>"
        f'<saml:AuthnStatement AuthnInstant="{instant}"><saml:AuthnContext>'
        "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient"
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>"
        f"<saml:AttributeStatement>{told}</saml:AttributeStatement></saml:Assertion>"
    )


def submission(
    report: Report,
    exam: Exam,
    product: dict[str, str],
    lot_uid: str,
    documents: dict[str, tuple[str, bytes]],
    replaced: str,
) -> str:
    """The body of an ITI-41: `documents` maps `DocumentKOS`, `Signature01` to uid and bytes."""
    (kos_uid, kos), (sign_uid, sign) = documents["DocumentKOS"], documents["Signature01"]
    links = [
        _association(HAS_MEMBER, "SubmissionSet01", "DocumentKOS", SubmissionSetStatus="Original"),
        _association(HAS_MEMBER, "SubmissionSet01", "Signature01", SubmissionSetStatus="Original"),
        _association(SIGNS, "Signature01", "SubmissionSet01", SubmissionSetStatus="Original"),
    ]
    if replaced:
        links.append(_association(REPLACES, "DocumentKOS", replaced))
    objects = (
        _package(report, product, lot_uid)
        + _manifest_entry(report, exam, product, kos_uid, kos)
        + _signature_entry(report, sign_uid, sign)
        + "".join(links)
    )
    included = "".join(
        f'<xdsb:Document id="{name}"><xop:Include xmlns:xop='
        f'"http://www.w3.org/2004/08/xop/include" href="cid:{name}@independant"/></xdsb:Document>'
        for name in documents
    )
    return (
        '<xdsb:ProvideAndRegisterDocumentSetRequest xmlns:xdsb="urn:ihe:iti:xds-b:2007">'
        f"{_submit(objects)}{included}</xdsb:ProvideAndRegisterDocumentSetRequest>"
    )


def withdrawal(report: Report, product: dict[str, str], lot_uid: str, entry: str) -> str:
    """The body of an ITI-57 that deletes a document (TD3.3c)."""
    link = _association(
        UPDATES, "SubmissionSet01", entry, OriginalStatus=APPROVED, NewStatus=DELETED
    )
    return _submit(_package(report, product, lot_uid) + link)


def lookup(unique_id: str) -> str:
    """The body of an ITI-18 that asks for the entryUUID of a document (TD3.1b)."""
    return (
        '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"'
        f' xmlns:rim="{RIM}">'
        '<query:ResponseOption returnComposedObjects="true" returnType="ObjectRef"/>'
        '<rim:AdhocQuery id="urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4">'
        + _slot("$XDSDocumentEntryUniqueId", f"('{unique_id}')")
        + "</rim:AdhocQuery></query:AdhocQueryRequest>"
    )


def _submit(objects: str) -> str:
    return (
        '<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
        f' xmlns:rim="{RIM}"><rim:RegistryObjectList>{objects}</rim:RegistryObjectList>'
        "</lcm:SubmitObjectsRequest>"
    )


def _package(report: Report, product: dict[str, str], lot_uid: str) -> str:
    owner = "SubmissionSet01"
    return (
        f'<rim:RegistryPackage id="{owner}">'
        + _slot("submissionTime", now())
        + _name("Publication")
        + _author("urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d", owner, report)
        + _class("urn:uuid:aa543740-bdda-424e-8c96-df4873be8500", owner, CONTENT)
        + f'<rim:Classification id="{_symbol()}" classifiedObject="{owner}"'
        ' classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>'
        + "".join(
            _identifier(f"urn:uuid:{scheme}", owner, f"XDSSubmissionSet.{name}", value)
            for scheme, name, value in (
                ("6b5aea1a-874d-4603-a4bc-96a0a7b38446", "patientId", _ins(report)),
                ("554ac39e-e3fe-47fe-b233-965d2a147832", "sourceId", product["installation_oid"]),
                ("96fdda7c-d067-4183-912e-bf5ee74998a8", "uniqueId", lot_uid),
            )
        )
        + "</rim:RegistryPackage>"
    )


def _manifest_entry(
    report: Report, exam: Exam, product: dict[str, str], uid: str, data: bytes
) -> str:
    owner = "DocumentKOS"
    ipp, ipp_oid = report.ipp
    references = [
        f"{exam.accession[0]}^^^&{exam.accession[1]}&ISO^urn:ihe:iti:xds:2013:accession",
        f"{exam.study}^^^^urn:ihe:iti:xds:2016:studyInstanceUID",
        f"{exam.placer[0]}^^^&{exam.placer[1]}&ISO^urn:ihe:iti:xds:2013:order",
    ]
    info = [
        f"PID-5|{report.family}^{report.given}^{report.givens}^^^^L",
        f"PID-7|{report.birth_date}",
        f"PID-8|{report.sex}",
        f"PID-11|^^^^^^BDL^^{report.birthplace}",
    ]
    device = (
        f"6{report.structure[0][1:]}/{product['lps_id']}^{product['lps_name']}"
        f"^{product['lps_version']}^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^EI"
    )
    regions = [(code, name, "1.2.250.1.213.1.1.5.695") for code, name in exam.regions]
    classes = (
        ("41a5887f-8865-4c09-adf7-e362475b143a", KIND),
        ("f0306f51-975f-434e-a61c-c59651d33983", TYPE),
        ("f4f85eac-e6cb-4883-b524-f2705394840f", NORMAL),
        ("a09d5840-386c-46f2-b5ad-9c3699a4309d", FORMAT),
        *_places(report),
        *(
            ("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", code)
            for code in ((*exam.modality, "1.2.250.1.213.1.1.5.618"), *regions)
        ),
    )
    return (
        f'<rim:ExtrinsicObject id="{owner}" objectType="{ENTRY}" mimeType="application/dicom"'
        ' isOpaque="false">'
        + _common_slots(report, data, exam.begin, exam.end, "fr-FR")
        + _slot("sourcePatientId", f"{ipp}^^^&{ipp_oid}&ISO^PI")
        + _slot("sourcePatientInfo", *info)
        + _slot("urn:ihe:iti:xds:2013:referenceIdList", *references)
        + _name("Référence d'objets d'un examen d'imagerie")
        + _author("urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d", owner, report, device, DEVICE)
        + "".join(_class(f"urn:uuid:{scheme}", owner, code) for scheme, code in classes)
        + _entry_identifiers(owner, report, uid)
        + "</rim:ExtrinsicObject>"
    )


def _signature_entry(report: Report, uid: str, data: bytes) -> str:
    owner, instant = "Signature01", now()
    classes = (
        (
            "41a5887f-8865-4c09-adf7-e362475b143a",
            ("urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1", "Digital Signature", "URN"),
        ),
        ("f0306f51-975f-434e-a61c-c59651d33983", ("E1762", "Full Document", "ASTM")),
        *(("f4f85eac-e6cb-4883-b524-f2705394840f", code) for code in (NORMAL, *HIDDEN)),
        (
            "a09d5840-386c-46f2-b5ad-9c3699a4309d",
            ("http://www.w3.org/2000/09/xmldsig#", "Default Signature Style", "URN"),
        ),
        *_places(report),
        (
            "2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4",
            ("1.2.840.10065.1.12.1.14", "Source", "1.2.840.10065.1.12"),
        ),
    )
    return (
        f'<rim:ExtrinsicObject id="{owner}" objectType="{ENTRY}" mimeType="text/xml"'
        ' isOpaque="false">'
        + _common_slots(report, data, instant, instant, "art")
        + _slot("sourcePatientId", _ins(report))
        + _name("Source")
        + _author("urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d", owner, report)
        + "".join(_class(f"urn:uuid:{scheme}", owner, code) for scheme, code in classes)
        + _entry_identifiers(owner, report, uid)
        + "</rim:ExtrinsicObject>"
    )


def _places(report: Report) -> tuple[tuple[str, Coded], ...]:
    return (
        ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", (*report.facility, "1.2.250.1.71.4.2.4")),
        ("cccf5598-8b07-4b77-a05e-ae952c785ead", (*report.practice, "1.2.250.1.213.1.1.4.9")),
    )


def _common_slots(report: Report, data: bytes, begin: str, end: str, language: str) -> str:
    return (
        _slot("creationTime", now())
        + _slot("hash", hashlib.sha1(data).hexdigest())
        + _slot("languageCode", language)
        + _slot("legalAuthenticator", _person(report))
        + _slot("serviceStartTime", begin)
        + _slot("serviceStopTime", end)
        + _slot("size", str(len(data)))
    )


def _entry_identifiers(owner: str, report: Report, uid: str) -> str:
    return _identifier(
        "urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427",
        owner,
        "XDSDocumentEntry.patientId",
        _ins(report),
    ) + _identifier(
        "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab", owner, "XDSDocumentEntry.uniqueId", uid
    )


def _ins(report: Report) -> str:
    value, oid = report.ins
    return f"{value}^^^&{oid}&ISO^NH"


def _person(report: Report) -> str:
    identifier, family, given = report.physician
    return f"{identifier}^{family}^{given}^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"


def _author(
    scheme: str, owner: str, report: Report, person: str = "", specialty: Coded | None = None
) -> str:
    structure, name = report.structure
    code, label, system = specialty or (*report.specialty, "1.2.250.1.213.1.1.4.5")
    return (
        f'<rim:Classification id="{_symbol()}" classificationScheme="{scheme}"'
        f' classifiedObject="{owner}" nodeRepresentation="">'
        + _slot("authorPerson", person or _person(report))
        + _slot("authorInstitution", f"{name}^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^{structure}")
        + _slot("authorSpecialty", f"{code}^{label}^{system}")
        + "</rim:Classification>"
    )


def _class(scheme: str, owner: str, coded: Coded) -> str:
    code, label, system = coded
    return (
        f'<rim:Classification id="{_symbol()}" classificationScheme="{scheme}"'
        f' classifiedObject="{owner}" nodeRepresentation={quoteattr(code)}>'
        + _slot("codingScheme", system)
        + _name(label)
        + "</rim:Classification>"
    )


def _identifier(scheme: str, owner: str, name: str, value: str) -> str:
    return (
        f'<rim:ExternalIdentifier id="{_symbol()}" identificationScheme="{scheme}"'
        f' registryObject="{owner}" value={quoteattr(value)}>{_name(name)}'
        "</rim:ExternalIdentifier>"
    )


def _association(kind: str, source: str, target: str, **slots: str) -> str:
    return (
        f'<rim:Association id="{_symbol()}" objectType="{ASSOCIATION}" associationType="{kind}"'
        f' sourceObject="{source}" targetObject="{target}">'
        + "".join(_slot(name, value) for name, value in slots.items())
        + "</rim:Association>"
    )


def _slot(name: str, *values: str) -> str:
    listed = "".join(f"<rim:Value>{escape(value)}</rim:Value>" for value in values)
    return f'<rim:Slot name="{name}"><rim:ValueList>{listed}</rim:ValueList></rim:Slot>'


def _name(text: str) -> str:
    return (
        f'<rim:Name><rim:LocalizedString charset="UTF8" xml:lang="FR" value={quoteattr(text)}/>'
        "</rim:Name>"
    )


def _attribute(name: str, *values: str) -> str:
    told: Iterable[str] = (f"<saml:AttributeValue>{one}</saml:AttributeValue>" for one in values)
    return f'<saml:Attribute Name="{name}">{"".join(told)}</saml:Attribute>'


def _ce(element: str, code: str, system: str, label: str) -> str:
    return (
        f'<{element} xmlns="urn:hl7-org:v3" xsi:type="CE" code="{code}" codeSystem="{system}"'
        f" displayName={quoteattr(label)}/>"
    )


def _symbol() -> str:
    return f"id-{uuid.uuid4()}"
