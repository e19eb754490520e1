"""ITI-41: the VIHF itself, the assertion that says who feeds the DMP: form and signature."""

from __future__ import annotations

import re
from datetime import timedelta

from lxml import etree

from protocols import saml
from protocols.dn import same_dn
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from spec import vihf
from spec.vihf import AttributeName
from validators.certificates import certificate_of
from validators.examples import xds as example
from validators.examples.credential import NOW
from validators.finding import Severity
from validators.rule import Broken
from validators.xds.assertion import (
    HERE,
    REQUIREMENTS,
    Carrier,
    elements,
    parsed,
    read_once,
    with_changes,
)
from validators.xds.rules import XDS, Findings, same, w3c
from validators.xds.rules import vihf as mapping

__all__: list[str] = []

_SAML = f"{{{NS['saml']}}}"
_DS = f"{{{NS['ds']}}}"


@XDS.rule(
    "VIHF-001",
    "L'assertion porte tout ce qu'un VIHF écrit",
    reference=mapping("structure"),
    requirements=REQUIREMENTS,
    bad=lambda: example.iti41(example.remove("//saml:NameID")),
)
def readable(xds: Carrier) -> Findings:
    for element in elements(xds):
        said = read_once(element)
        if isinstance(said, RemoteProtocolError):
            yield Broken(message=f"Le VIHF est illisible : {said}.", where=said.where or HERE)


@XDS.rule(
    "VIHF-002",
    "L'assertion est en version 2.0 et son ID est un NCName",
    reference=w3c("SAML 2.0 Core", "1.3.4, 2.3.3"),
    requirements=REQUIREMENTS,
    tolerated=True,
    bad=with_changes(id="6056f97a-4d36"),
)
def identifier(xds: Carrier) -> Findings:
    # The demonstrator writes a bare UUID, which starts with a digit ten times out of sixteen.
    for said in parsed(xds):
        if said.version != "2.0" or re.fullmatch(r"[A-Za-z_][\w.-]*", said.id) is None:
            yield Broken(
                message="La version n'est pas 2.0 ou l'ID n'est pas un NCName.",
                expected="2.0, _UUID",
                actual=f"{said.version}, {said.id}",
                where=f"{HERE}/@ID",
            )


@XDS.rule(
    "VIHF-003",
    "Les enfants de l'assertion suivent l'ordre du schéma SAML",
    reference=w3c("SAML 2.0 Core", "2.3.3"),
    requirements=REQUIREMENTS,
    bad=lambda: example.iti41(_signature_last, unsigned=False),
)
def order(xds: Carrier) -> Findings:
    expected = [
        "Issuer",
        "Signature",
        "Subject",
        "Conditions",
        "Advice",
        "AuthnStatement",
        "AttributeStatement",
    ]
    for element in elements(xds):
        names = [etree.QName(child).localname for child in element if isinstance(child.tag, str)]
        known = [name for name in names if name in expected]
        if known != sorted(known, key=expected.index):
            yield Broken(
                message="Les éléments de l'assertion ne sont pas dans l'ordre.",
                expected=", ".join(expected),
                actual=", ".join(names),
                where=HERE,
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
    requirements=REQUIREMENTS,
    bad=with_changes(authn_instant=NOW + timedelta(hours=1)),
)
def instants(xds: Carrier) -> Findings:
    for said in parsed(xds):
        if said.issue_instant.utcoffset() != timedelta(0):
            yield Broken(
                message="IssueInstant n'est pas en UTC.",
                expected="…Z",
                actual=said.issue_instant.isoformat(),
                where=f"{HERE}/@IssueInstant",
            )
        elif said.authn_instant.tzinfo is not None and said.authn_instant > said.issue_instant:
            yield Broken(
                message="L'utilisateur s'authentifie après l'émission du VIHF.",
                expected=f"<= {said.issue_instant.isoformat()}",
                actual=said.authn_instant.isoformat(),
                where=f"{HERE}/AuthnStatement/@AuthnInstant",
            )


@XDS.rule(
    "VIHF-005",
    "Issuer est au format X509SubjectName",
    reference=mapping("Issuer"),
    requirements=REQUIREMENTS,
    bad=with_changes(issuer_format=""),
)
def issuer_format(xds: Carrier) -> Findings:
    for said in parsed(xds):
        yield from same(said.issuer_format, vihf.ISSUER_FORMAT, f"{HERE}/Issuer", "Le format")


@XDS.rule(
    "VIHF-006",
    "Issuer est le sujet du certificat de signature",
    reference=mapping("Issuer"),
    requirements=REQUIREMENTS,
    bad=with_changes(issuer="CN=Autre,OU=3101235550001,O=CENTRE EXEMPLE,ST=Paris (75),C=FR"),
)
def issuer(xds: Carrier) -> Findings:
    for element in elements(xds):
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
                where=f"{HERE}/Issuer",
            )


@XDS.rule(
    "VIHF-007",
    "Le VIHF est signé",
    reference=mapping("Signature"),
    requirements=REQUIREMENTS,
    bad=lambda: example.iti41(unsigned=True),
)
def signed(xds: Carrier) -> Findings:
    for element in elements(xds):
        count = len(element.findall(f"{_DS}Signature"))
        if count != 1:
            yield Broken(
                message="Le VIHF doit porter une signature.",
                expected="1",
                actual=str(count),
                where=f"{HERE}/Signature",
            )


@XDS.rule(
    "VIHF-008",
    "La signature du VIHF est valide",
    reference=w3c("XML Signature 1.1", "3.2"),
    requirements=REQUIREMENTS,
    bad=lambda: example.iti41(example.edit("//saml:NameID", value="899700367909")),
)
def valid_signature(xds: Carrier) -> Findings:
    for element in elements(xds):
        if element.find(f"{_DS}Signature") is None or certificate_of(element) is None:
            continue
        try:
            saml.verify_signature(element, legacy=True)
        except RemoteProtocolError as error:
            yield Broken(
                message=f"La signature du VIHF n'est pas valide : {error}.",
                expected="une signature valide",
                where=error.where or f"{HERE}/Signature",
            )


@XDS.rule(
    "VIHF-009",
    "Le VIHF porte le certificat du signataire",
    reference=mapping("Signature"),
    requirements=REQUIREMENTS,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(example.edit("//ds:X509Certificate", value="XXXXXXX")),
)
def certificate(xds: Carrier) -> Findings:
    for element in elements(xds):
        if element.find(f"{_DS}Signature") is not None and certificate_of(element) is None:
            yield Broken(
                message="Le certificat manque ou est masqué : la signature n'est pas vérifiable.",
                expected="X509Certificate",
                where=f"{HERE}/Signature/KeyInfo",
            )


@XDS.rule(
    "VIHF-010",
    "La signature du VIHF n'emploie pas SHA-1, ou emploie l'algorithme que le profil nomme",
    reference=mapping("Signature"),
    requirements=REQUIREMENTS,
    severity=Severity.WARNING,
    named_by="signature_algorithm",
    bad=lambda: example.iti41(legacy=True),
)
def algorithms(xds: Carrier) -> Findings:
    named = xds.context.demands.signature_algorithm
    for element in elements(xds):
        for method in element.iter(f"{_DS}SignatureMethod"):
            algorithm = method.get("Algorithm", "")
            if algorithm.rpartition("#")[2] != named if named else algorithm.endswith("sha1"):
                yield Broken(
                    message="Cet algorithme n'est pas celui attendu.",
                    expected=named or "rsa-sha256",
                    actual=algorithm,
                    where=f"{HERE}/Signature/SignedInfo/SignatureMethod",
                )


@XDS.rule(
    "VIHF-011",
    "AudienceRestriction n'est pas renseigné",
    reference=mapping("Conditions"),
    requirements=REQUIREMENTS,
    bad=with_changes(audience=("urn:dmp",)),
)
def audience(xds: Carrier) -> Findings:
    for said in parsed(xds):
        if said.audience:
            yield Broken(
                message="AudienceRestriction ne doit pas être renseigné.",
                actual=" ".join(said.audience),
                where=f"{HERE}/Conditions",
            )


@XDS.rule(
    "VIHF-012",
    "AuthnContextClassRef est un contexte SAML",
    reference=mapping("AuthnContextClassRef"),
    requirements=REQUIREMENTS,
    bad=with_changes(authn_context_class="TLSClient"),
)
def authn_context(xds: Carrier) -> Findings:
    prefix = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
    for said in parsed(xds):
        if not said.authn_context_class.startswith(prefix):
            yield Broken(
                message="Ce n'est pas l'URI d'un contexte d'authentification.",
                expected=f"{prefix}…",
                actual=said.authn_context_class,
                where=f"{HERE}//AuthnContextClassRef",
            )


@XDS.rule(
    "VIHF-013",
    "AuthnContextDecl ne figure qu'en mode AIR",
    reference=mapping("AuthnContextDecl"),
    requirements=REQUIREMENTS,
    bad=with_changes(authn_context_decl="APP_BROWSER_AUTH"),
)
def authn_declaration(xds: Carrier) -> Findings:
    for said in parsed(xds):
        mode = said.text(AttributeName.AUTHENTIFICATION_MODE)
        declared = said.authn_context_decl
        if declared is not None and mode != vihf.AuthenticationMode.INDIRECTE_RENFORCEE:
            yield Broken(
                message="AuthnContextDecl n'a de sens qu'en mode AIR.",
                actual=declared,
                where=f"{HERE}//AuthnContextDecl",
            )
