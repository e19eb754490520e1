"""ITI-41: the VIHF, the assertion that says who feeds the DMP and for whom."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from lxml import etree

from protocols import saml
from protocols.dn import same_dn
from protocols.errors import RemoteProtocolError
from protocols.saml import Assertion, CodedValue
from protocols.xml import NS
from spec import vihf
from spec.grade import Grade, Reference
from spec.imaging_metadata import FACILITY_SYSTEM
from spec.vihf import AttributeName
from spec.xds import EntryScheme, SetScheme
from validators.certificates import certificate_of
from validators.examples import xds as example
from validators.examples.credential import NOW
from validators.finding import Severity
from validators.identifiers import structure_id
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import parts
from validators.xds.rules import TD21, XDS, Findings, same, w3c
from validators.xds.rules import vihf as mapping

__all__: list[str] = []

_SAML = f"{{{NS['saml']}}}"
_DS = f"{{{NS['ds']}}}"
_HERE = "//saml:Assertion"
_ATTRIBUTES = mapping("attributs")
_VIHF = ("DB.SO.19", "DB.SO.89")
_EX_1140 = Reference("GI DMP, EX_2.1-1140, cité par des éditeurs", grade=Grade.DEMONSTRATOR)


def _elements(xds: Submission) -> Iterator[etree._Element]:
    if xds.envelope is not None:
        yield from xds.envelope.iter(f"{_SAML}Assertion")


def _parsed(xds: Submission) -> Iterator[Assertion]:
    """Each assertion that can be read, whatever its signature is worth."""
    for element in _elements(xds):
        try:
            yield _read(element)
        except RemoteProtocolError:
            continue


def _read(element: etree._Element) -> Assertion:
    unsigned = copy.deepcopy(element)
    for signature in unsigned.findall(f"{_DS}Signature"):
        unsigned.remove(signature)
    return saml.parse(unsigned)


def _with(**changes: Any) -> Callable[[], bytes]:
    return lambda: example.iti41(assertion=changes)


def _attribute(name: str, *values: saml.AttributeValue) -> Callable[[], bytes]:
    """The example with one attribute replaced, or left out when there is no value."""
    return lambda: example.iti41(
        assertion={"attributes": example.attributes({name: values or None})}
    )


def _path(name: str) -> str:
    return f"{_HERE}//Attribute[@Name='{name}']"


@XDS.rule(
    "VIHF-001",
    "L'assertion porte tout ce qu'un VIHF écrit",
    reference=mapping("structure"),
    requirements=_VIHF,
    bad=lambda: example.iti41(example.remove("//saml:NameID")),
)
def readable(xds: Submission) -> Findings:
    for element in _elements(xds):
        try:
            _read(element)
        except RemoteProtocolError as error:
            yield Broken(message=f"Le VIHF est illisible : {error}.", where=error.where or _HERE)


@XDS.rule(
    "VIHF-002",
    "L'assertion est en version 2.0 et son ID est un NCName",
    reference=w3c("SAML 2.0 Core", "1.3.4, 2.3.3"),
    requirements=_VIHF,
    tolerated=True,
    bad=_with(id="6056f97a-4d36"),
)
def identifier(xds: Submission) -> Findings:
    # The demonstrator writes a bare UUID, which starts with a digit ten times out of sixteen.
    for said in _parsed(xds):
        if said.version != "2.0" or re.fullmatch(r"[A-Za-z_][\w.-]*", said.id) is None:
            yield Broken(
                message="La version n'est pas 2.0 ou l'ID n'est pas un NCName.",
                expected="2.0, _UUID",
                actual=f"{said.version}, {said.id}",
                where=f"{_HERE}/@ID",
            )


@XDS.rule(
    "VIHF-003",
    "Les enfants de l'assertion suivent l'ordre du schéma SAML",
    reference=w3c("SAML 2.0 Core", "2.3.3"),
    requirements=_VIHF,
    bad=lambda: example.iti41(_signature_last, unsigned=False),
)
def order(xds: Submission) -> Findings:
    expected = [
        "Issuer",
        "Signature",
        "Subject",
        "Conditions",
        "Advice",
        "AuthnStatement",
        "AttributeStatement",
    ]
    for element in _elements(xds):
        names = [etree.QName(child).localname for child in element if isinstance(child.tag, str)]
        known = [name for name in names if name in expected]
        if known != sorted(known, key=expected.index):
            yield Broken(
                message="Les éléments de l'assertion ne sont pas dans l'ordre.",
                expected=", ".join(expected),
                actual=", ".join(names),
                where=_HERE,
            )


def _signature_last(root: etree._Element) -> None:
    element = next(root.iter(f"{_SAML}Assertion"))
    signature = element.find(f"{_DS}Signature")
    assert signature is not None
    element.append(signature)


@XDS.rule(
    "VIHF-004",
    "IssueInstant et AuthnInstant sont en UTC, et l'authentification précède l'émission",
    reference=mapping("AuthnStatement"),
    requirements=_VIHF,
    bad=_with(authn_instant=NOW + timedelta(hours=1)),
)
def instants(xds: Submission) -> Findings:
    for said in _parsed(xds):
        if said.issue_instant.utcoffset() != timedelta(0):
            yield Broken(
                message="IssueInstant n'est pas en UTC.",
                expected="…Z",
                actual=said.issue_instant.isoformat(),
                where=f"{_HERE}/@IssueInstant",
            )
        elif said.authn_instant.tzinfo is not None and said.authn_instant > said.issue_instant:
            yield Broken(
                message="L'utilisateur s'authentifie après l'émission du VIHF.",
                expected=f"<= {said.issue_instant.isoformat()}",
                actual=said.authn_instant.isoformat(),
                where=f"{_HERE}/AuthnStatement/@AuthnInstant",
            )


@XDS.rule(
    "VIHF-005",
    "Issuer est au format X509SubjectName",
    reference=mapping("Issuer"),
    requirements=_VIHF,
    bad=_with(issuer_format=""),
)
def issuer_format(xds: Submission) -> Findings:
    for said in _parsed(xds):
        yield from same(said.issuer_format, vihf.ISSUER_FORMAT, f"{_HERE}/Issuer", "Le format")


@XDS.rule(
    "VIHF-006",
    "Issuer est le sujet du certificat de signature",
    reference=mapping("Issuer"),
    requirements=_VIHF,
    bad=_with(issuer="CN=Autre,OU=3101235550001,O=CENTRE EXEMPLE,ST=Paris (75),C=FR"),
)
def issuer(xds: Submission) -> Findings:
    for element in _elements(xds):
        certificate = certificate_of(element)
        written = (element.findtext(f"{_SAML}Issuer") or "").strip()
        if certificate is None:
            continue
        try:
            # Both orders circulate: a name is the set of its parts.
            equal = same_dn(written, certificate)
        except RemoteProtocolError:
            equal = False
        if not equal:
            yield Broken(
                message="Issuer n'est pas le sujet du certificat.",
                expected=certificate.subject.rfc4514_string(),
                actual=written,
                where=f"{_HERE}/Issuer",
            )


@XDS.rule(
    "VIHF-007",
    "Le VIHF est signé",
    reference=mapping("Signature"),
    requirements=_VIHF,
    bad=lambda: example.iti41(unsigned=True),
)
def signed(xds: Submission) -> Findings:
    for element in _elements(xds):
        count = len(element.findall(f"{_DS}Signature"))
        if count != 1:
            yield Broken(
                message="Le VIHF doit porter une signature.",
                expected="1",
                actual=str(count),
                where=f"{_HERE}/Signature",
            )


@XDS.rule(
    "VIHF-008",
    "La signature du VIHF est valide",
    reference=w3c("XML Signature 1.1", "3.2"),
    requirements=_VIHF,
    bad=lambda: example.iti41(example.edit("//saml:NameID", value="899700367909")),
)
def valid_signature(xds: Submission) -> Findings:
    for element in _elements(xds):
        if element.find(f"{_DS}Signature") is None or certificate_of(element) is None:
            continue
        try:
            saml.verify_signature(element, legacy=True)
        except RemoteProtocolError as error:
            yield Broken(
                message=f"La signature du VIHF n'est pas valide : {error}.",
                expected="une signature valide",
                where=error.where or f"{_HERE}/Signature",
            )


@XDS.rule(
    "VIHF-009",
    "Le VIHF porte le certificat du signataire",
    reference=mapping("Signature"),
    requirements=_VIHF,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(example.edit("//ds:X509Certificate", value="XXXXXXX")),
)
def certificate(xds: Submission) -> Findings:
    for element in _elements(xds):
        if element.find(f"{_DS}Signature") is not None and certificate_of(element) is None:
            yield Broken(
                message="Le certificat manque ou est masqué : la signature n'est pas vérifiable.",
                expected="X509Certificate",
                where=f"{_HERE}/Signature/KeyInfo",
            )


@XDS.rule(
    "VIHF-010",
    "La signature du VIHF n'emploie pas SHA-1",
    reference=mapping("Signature"),
    requirements=_VIHF,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(legacy=True),
)
def algorithms(xds: Submission) -> Findings:
    for element in _elements(xds):
        for method in element.iter(f"{_DS}SignatureMethod"):
            algorithm = method.get("Algorithm", "")
            if algorithm.endswith("sha1"):
                yield Broken(
                    message="SHA-1 ne prouve plus rien.",
                    expected="rsa-sha256",
                    actual=algorithm,
                    where=f"{_HERE}/Signature/SignedInfo/SignatureMethod",
                )


@XDS.rule(
    "VIHF-011",
    "AudienceRestriction n'est pas renseigné",
    reference=mapping("Conditions"),
    requirements=_VIHF,
    bad=_with(audience=("urn:dmp",)),
)
def audience(xds: Submission) -> Findings:
    for said in _parsed(xds):
        if said.audience:
            yield Broken(
                message="AudienceRestriction ne doit pas être renseigné.",
                actual=" ".join(said.audience),
                where=f"{_HERE}/Conditions",
            )


@XDS.rule(
    "VIHF-012",
    "AuthnContextClassRef est un contexte SAML",
    reference=mapping("AuthnContextClassRef"),
    requirements=_VIHF,
    bad=_with(authn_context_class="TLSClient"),
)
def authn_context(xds: Submission) -> Findings:
    prefix = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
    for said in _parsed(xds):
        if not said.authn_context_class.startswith(prefix):
            yield Broken(
                message="Ce n'est pas l'URI d'un contexte d'authentification.",
                expected=f"{prefix}…",
                actual=said.authn_context_class,
                where=f"{_HERE}//AuthnContextClassRef",
            )


@XDS.rule(
    "VIHF-013",
    "AuthnContextDecl ne figure qu'en mode AIR",
    reference=mapping("AuthnContextDecl"),
    requirements=_VIHF,
    bad=_with(authn_context_decl="APP_BROWSER_AUTH"),
)
def authn_declaration(xds: Submission) -> Findings:
    for said in _parsed(xds):
        mode = said.text(AttributeName.AUTHENTIFICATION_MODE)
        declared = said.authn_context_decl
        if declared is not None and mode != vihf.AuthenticationMode.INDIRECTE_RENFORCEE:
            yield Broken(
                message="AuthnContextDecl n'a de sens qu'en mode AIR.",
                actual=declared,
                where=f"{_HERE}//AuthnContextDecl",
            )


_REQUIRED = tuple(
    name
    for name in AttributeName
    if name not in (AttributeName.LPS_ID, AttributeName.CONFIDENTIALITY_CODE)
)


@XDS.rule(
    "VIHF-014",
    "Les attributs requis figurent une fois chacun",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.LPS_NOM),
)
def required(xds: Submission) -> Findings:
    for said in _parsed(xds):
        names = [attribute.name.lower() for attribute in said.attributes]
        for name in _REQUIRED:
            count = names.count(name.lower())
            if count != 1 or not said.values(name) or not all(said.values(name)):
                yield Broken(
                    message=f"L'attribut {name} doit figurer une fois, avec une valeur.",
                    expected="1",
                    actual=str(count),
                    where=_path(name),
                )


@XDS.rule(
    "VIHF-015",
    "Le mode d'authentification d'une alimentation est INDIRECTE",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.19", Grade.DRAFT),
    requirements=_VIHF,
    bad=_attribute(AttributeName.AUTHENTIFICATION_MODE, "INDIRECTE_RENFORCEE"),
)
def mode(xds: Submission) -> Findings:
    for said in _parsed(xds):
        name = AttributeName.AUTHENTIFICATION_MODE
        written = said.text(name)
        yield from same(written, vihf.AuthenticationMode.INDIRECTE, _path(name), "Le mode")


@XDS.rule(
    "VIHF-016",
    "VIHF_Version est 3.0 ou 4.0",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.VIHF_VERSION, "2.0"),
)
def version(xds: Submission) -> Findings:
    for said in _parsed(xds):
        written = said.text(AttributeName.VIHF_VERSION)
        if written and written not in vihf.VERSIONS:
            yield Broken(
                message="Cette version du VIHF est inconnue.",
                expected=" | ".join(vihf.VERSIONS),
                actual=written,
                where=_path(AttributeName.VIHF_VERSION),
            )


@XDS.rule(
    "VIHF-017",
    "Ressource_URN est urn:dmp",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.RESSOURCE_URN, "urn:autre"),
)
def resource(xds: Submission) -> Findings:
    for said in _parsed(xds):
        written = said.text(AttributeName.RESSOURCE_URN)
        where = _path(AttributeName.RESSOURCE_URN)
        yield from same(written, vihf.RESSOURCE_URN, where, "La ressource")


@XDS.rule(
    "VIHF-018",
    "Identifiant_Structure est un Struct_IdNat",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    severity=Severity.WARNING,
    bad=_attribute(AttributeName.IDENTIFIANT_STRUCTURE, "CENTRE"),
)
def structure(xds: Submission) -> Findings:
    for said in _parsed(xds):
        written = said.text(AttributeName.IDENTIFIANT_STRUCTURE)
        if not structure_id(written):
            yield Broken(
                message="Ce n'est pas un identifiant national de structure.",
                expected="préfixe 0 à 4 et identifiant",
                actual=written,
                where=_path(AttributeName.IDENTIFIANT_STRUCTURE),
            )


@XDS.rule(
    "VIHF-019",
    "Secteur_Activite est un code SAnn de TRE_R02",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.SECTEUR_ACTIVITE, "SA08"),
)
def sector(xds: Submission) -> Findings:
    for said in _parsed(xds):
        written = said.text(AttributeName.SECTEUR_ACTIVITE)
        if re.fullmatch(rf"SA\d\d\^{re.escape(FACILITY_SYSTEM)}", written) is None:
            yield Broken(
                message="Ce n'est pas un secteur d'activité.",
                expected=f"SAnn^{FACILITY_SYSTEM}",
                actual=written,
                where=_path(AttributeName.SECTEUR_ACTIVITE),
            )


_ROLE_SYSTEMS = ("1.2.250.1.71.1.2.7", "1.2.250.1.71.1.2.8", "1.2.250.1.213.1.1.4.6")
_SPECIALTY_SYSTEMS = {"10": "1.2.250.1.71.4.2.5", "21": "1.2.250.1.71.4.2.6"}
"""Second role of physicians (R01) and pharmacists (G05)."""


def _physician(*systems: str) -> tuple[CodedValue, ...]:
    return tuple(CodedValue("Role", "10", system) for system in systems)


@XDS.rule(
    "VIHF-020",
    "Le rôle est une profession ou une catégorie, et une spécialité la suit pour un médecin",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.ROLE, *_physician("1.2.250.1.71.1.2.7")),
)
def role(xds: Submission) -> Findings:
    for said in _parsed(xds):
        roles = said.codes(AttributeName.ROLE)
        where = _path(AttributeName.ROLE)
        if not 1 <= len(roles) <= 2 or not all(one.code and one.code_system for one in roles):
            yield Broken(
                message="Un ou deux rôles codés sont attendus.",
                expected="1 | 2",
                actual=str(len(roles)),
                where=where,
            )
            continue
        wanted = _SPECIALTY_SYSTEMS.get(roles[0].code)
        professional = roles[0].code_system in _ROLE_SYSTEMS[:2]
        if professional and wanted and [one.code_system for one in roles[1:]] != [wanted]:
            yield Broken(
                message="La spécialité est obligatoire pour cette profession.",
                expected=wanted,
                actual=" ".join(one.code_system for one in roles[1:]),
                where=where,
            )


@XDS.rule(
    "VIHF-021",
    "PurposeOfUse est un mode d'accès de TRE_R248",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(
        AttributeName.PURPOSE_OF_USE,
        CodedValue("PurposeOfUse", "urgence", vihf.MODE_ACCES_SYSTEM),
    ),
)
def purpose(xds: Submission) -> Findings:
    for said in _parsed(xds):
        for one in said.codes(AttributeName.PURPOSE_OF_USE):
            if one.code not in list(vihf.ModeAcces) or one.code_system != vihf.MODE_ACCES_SYSTEM:
                yield Broken(
                    message="Ce mode d'accès est inconnu.",
                    expected=" | ".join(vihf.ModeAcces),
                    actual=f"{one.code} ({one.code_system})",
                    where=_path(AttributeName.PURPOSE_OF_USE),
                )


@XDS.rule(
    "VIHF-022",
    "resource-id est le patient du lot",
    reference=_ATTRIBUTES,
    requirements=_VIHF,
    bad=_attribute(AttributeName.RESOURCE_ID, "162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH"),
)
def patient(xds: Submission) -> Findings:
    for said in _parsed(xds):
        for item in xds.sets:
            yield from same(
                said.text(AttributeName.RESOURCE_ID),
                item.external(SetScheme.PATIENT_ID),
                _path(AttributeName.RESOURCE_ID),
                "Le patient du VIHF",
            )


@XDS.rule(
    "VIHF-023",
    "Identifiant_Structure est la structure d'un auteur du lot",
    reference=_EX_1140,
    requirements=_VIHF,
    bad=_attribute(AttributeName.IDENTIFIANT_STRUCTURE, "3999999990001"),
)
def structure_is_author(xds: Submission) -> Findings:
    for said in _parsed(xds):
        written = structure_id(said.text(AttributeName.IDENTIFIANT_STRUCTURE))
        authors = [one for item in xds.sets for one in item.authors(SetScheme.AUTHOR)]
        authors += [one for item in xds.entries for one in item.authors(EntryScheme.AUTHOR)]
        known = {parts(value)[9] for one in authors for value in one.institutions}
        if written and known and written not in known:
            yield Broken(
                message="Aucun authorInstitution n'est la structure du VIHF.",
                expected=" | ".join(sorted(known)),
                actual=written,
                where=_path(AttributeName.IDENTIFIANT_STRUCTURE),
            )


@XDS.rule(
    "VIHF-024",
    "Le nom de l'attribut de mode s'écrit Authentification_Mode",
    reference=TD21,
    requirements=_VIHF,
    severity=Severity.INFO,
    bad=lambda: example.iti41(
        assertion={
            "attributes": tuple(
                saml.Attribute(attribute.name.replace("_Mode", "_mode"), attribute.values)
                for attribute in example.attributes()
            )
        }
    ),
)
def mode_spelling(xds: Submission) -> Findings:
    # Two spellings circulate in official material: told, never refused.
    name = AttributeName.AUTHENTIFICATION_MODE
    for said in _parsed(xds):
        for attribute in said.attributes:
            if attribute.name != name and attribute.name.lower() == name.lower():
                yield from same(attribute.name, name, _path(attribute.name), "Le nom")
