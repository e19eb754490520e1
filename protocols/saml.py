"""SAML 2.0 assertions as the VIHF writes them: element order, coded attribute values, signature.

Only the syntax: which attributes must be there and what they must say belongs to others.
Réf. SAML 2.0 core, sections 2.3 to 2.7, 5; ANS and GIE SESAM-Vitale VIHF samples (grade: sample).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.xml import NS
from protocols.xmlsig import Hash, sign_enveloped, verify_enveloped
from protocols.xmlsig.signature import ParsedSignature, read_signature
from protocols.xsdatetime import format_instant, parse_instant

__all__ = [
    "Assertion",
    "Attribute",
    "CodedValue",
    "SamlError",
    "VerifiedAssertion",
    "build",
    "parse",
    "unsigned",
    "verify",
    "verify_signature",
]

SAML = f"{{{NS['saml']}}}"
HL7 = f"{{{NS['cda']}}}"
XSI_TYPE = f"{{{NS['xsi']}}}type"
DS_SIGNATURE = f"{{{NS['ds']}}}Signature"

MAX_ATTRIBUTES = 100


class SamlError(RemoteProtocolError):
    """Not the structure of a VIHF assertion."""


@dataclass(frozen=True, slots=True)
class CodedValue:
    """A `Role` or `PurposeOfUse` element (HL7 v3 type CE); optional attributes are "" if absent."""

    element: Literal["Role", "PurposeOfUse"]
    code: str
    code_system: str
    code_system_name: str = ""
    display_name: str = ""


AttributeValue: TypeAlias = str | CodedValue


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute, its name as written, its values in order."""

    name: str
    values: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What an assertion writes. Instants keep their own offset, and are naive when they have none.

    `certificate` is read from KeyInfo and is not verified by reading; writing ignores it.
    """

    id: str
    issue_instant: datetime
    issuer: str
    name_id: str
    authn_instant: datetime
    authn_context_class: str
    attributes: tuple[Attribute, ...]
    issuer_format: str = ""
    authn_context_decl: str | None = None
    not_before: datetime | None = None
    not_on_or_after: datetime | None = None
    audience: tuple[str, ...] = ()
    version: str = "2.0"
    certificate: x509.Certificate | None = field(default=None, compare=False)

    def values(self, name: str) -> tuple[AttributeValue, ...]:
        """All the values of the attributes of that name, case-insensitively.

        Case is ignored because official samples write both `Authentification_Mode` and
        `Authentification_mode`.
        """
        wanted = name.lower()
        return tuple(
            value
            for attribute in self.attributes
            if attribute.name.lower() == wanted
            for value in attribute.values
        )

    def text(self, name: str) -> str:
        """The first textual value of an attribute, "" when it has none."""
        return next((value for value in self.values(name) if isinstance(value, str)), "")

    def codes(self, name: str) -> tuple[CodedValue, ...]:
        """The coded values of an attribute."""
        return tuple(value for value in self.values(name) if isinstance(value, CodedValue))


@dataclass(frozen=True, slots=True)
class VerifiedAssertion:
    """An assertion read from its signed octets, and the certificate whose key signed them."""

    assertion: Assertion
    certificate: x509.Certificate
    certificates: tuple[x509.Certificate, ...]
    method: str
    """SignatureMethod identifier."""


def build(
    assertion: Assertion,
    *,
    key: rsa.RSAPrivateKey,
    certificate: x509.Certificate | Sequence[x509.Certificate],
    algorithm: Hash = "sha256",
) -> etree._Element:
    """The signed assertion, in schema order, its signature after Issuer.

    Append it to an envelope that declares neither its namespaces under other prefixes: lxml would
    rename its elements after those, and break the signature.

    Raises:
        LocalProtocolError: an instant without time zone, or an empty id.
    """
    if not assertion.id:
        raise LocalProtocolError("an assertion needs an id")
    certificates = [certificate] if isinstance(certificate, x509.Certificate) else certificate
    return sign_enveloped(
        unsigned(assertion),
        reference_id=assertion.id,
        key=key,
        certificates=certificates,
        insert_after=etree.QName(NS["saml"], "Issuer"),
        algorithm=algorithm,
    )


def unsigned(assertion: Assertion) -> etree._Element:
    """The same assertion without signature: what a tester sends to be refused.

    Raises:
        LocalProtocolError: an instant without time zone.
    """
    root = etree.Element(
        SAML + "Assertion",
        {
            "ID": assertion.id,
            "IssueInstant": _instant(assertion.issue_instant),
            "Version": assertion.version,
        },
        nsmap={"saml": NS["saml"], "xsi": NS["xsi"]},
    )
    issuer = etree.SubElement(root, SAML + "Issuer")
    issuer.text = assertion.issuer
    if assertion.issuer_format:
        issuer.set("Format", assertion.issuer_format)
    subject = etree.SubElement(root, SAML + "Subject")
    etree.SubElement(subject, SAML + "NameID").text = assertion.name_id
    _write_conditions(root, assertion)
    statement = etree.SubElement(
        root, SAML + "AuthnStatement", AuthnInstant=_instant(assertion.authn_instant)
    )
    context = etree.SubElement(statement, SAML + "AuthnContext")
    class_ref = etree.SubElement(context, SAML + "AuthnContextClassRef")
    class_ref.text = assertion.authn_context_class
    if assertion.authn_context_decl is not None:
        decl = etree.SubElement(context, SAML + "AuthnContextDecl")
        decl.text = assertion.authn_context_decl
    listed = etree.SubElement(root, SAML + "AttributeStatement")
    for attribute in assertion.attributes:
        node = etree.SubElement(listed, SAML + "Attribute", Name=attribute.name)
        for value in attribute.values:
            _write_value(etree.SubElement(node, SAML + "AttributeValue"), value)
    return root


def parse(element: etree._Element) -> Assertion:
    """Read an assertion. Nothing is verified: `verify` does both.

    Child elements are found by name wherever they stand: their order is for a schema to judge.

    Raises:
        SamlError: not an assertion, or without what every VIHF has.
        DateTimeError: an instant is not an xs:dateTime.
        SignatureError: there is a signature and it cannot be read.
    """
    if element.tag != SAML + "Assertion":
        raise SamlError("Assertion SAML 2.0 attendue", where=str(element.tag))
    issuer = _one(element, "Issuer")
    name_id = _one(_one(element, "Subject"), "NameID")
    statement = _one(element, "AuthnStatement")
    context = _one(statement, "AuthnContext")
    decl = _at_most_one(context, "AuthnContextDecl")
    conditions = _at_most_one(element, "Conditions")
    signature = _signature(element)
    return Assertion(
        id=_attribute(element, "ID"),
        version=_attribute(element, "Version"),
        issue_instant=parse_instant(
            _attribute(element, "IssueInstant"), where="Assertion/@IssueInstant"
        ),
        issuer=_text(issuer),
        issuer_format=issuer.get("Format", ""),
        name_id=_text(name_id),
        not_before=_condition(conditions, "NotBefore"),
        not_on_or_after=_condition(conditions, "NotOnOrAfter"),
        audience=_audience(conditions),
        authn_instant=parse_instant(
            _attribute(statement, "AuthnInstant"), where="AuthnStatement/@AuthnInstant"
        ),
        authn_context_class=_text(_one(context, "AuthnContextClassRef")),
        authn_context_decl=None if decl is None else _text(decl),
        attributes=_attributes(element),
        certificate=None if signature is None else signature.certificates[0],
    )


def verify(element: etree._Element, *, legacy: bool = False) -> VerifiedAssertion:
    """Verify the signature and read the assertion from what it covers, and from nothing else.

    Args:
        legacy: let RSA-SHA1 in, as samples of 2019-2021 and the ANS demonstrator have it.

    Raises:
        SignatureError: the signature is missing or does not hold.
        SamlError: what is signed is not an assertion.
    """
    identifier = element.get("ID", "")
    if element.tag != SAML + "Assertion" or not identifier:
        raise SamlError("Assertion SAML 2.0 avec ID attendue", where=str(element.tag))
    verified = verify_enveloped(element, reference_id=identifier, legacy=legacy)
    return VerifiedAssertion(
        assertion=parse(verified.content()),
        certificate=verified.certificate,
        certificates=verified.certificates,
        method=verified.method,
    )


def verify_signature(element: etree._Element, *, legacy: bool = False) -> x509.Certificate:
    """The certificate whose key signed this assertion.

    Raises:
        SignatureError, SamlError: as `verify`.
    """
    return verify(element, legacy=legacy).certificate


def _instant(instant: datetime) -> str:
    return format_instant(instant, milliseconds=True)


def _write_conditions(root: etree._Element, assertion: Assertion) -> None:
    if not (assertion.not_before or assertion.not_on_or_after or assertion.audience):
        return
    conditions = etree.SubElement(root, SAML + "Conditions")
    if assertion.not_before is not None:
        conditions.set("NotBefore", _instant(assertion.not_before))
    if assertion.not_on_or_after is not None:
        conditions.set("NotOnOrAfter", _instant(assertion.not_on_or_after))
    if assertion.audience:
        restriction = etree.SubElement(conditions, SAML + "AudienceRestriction")
        for audience in assertion.audience:
            etree.SubElement(restriction, SAML + "Audience").text = audience


def _write_value(parent: etree._Element, value: AttributeValue) -> None:
    if isinstance(value, str):
        parent.text = value
        return
    # lxml-stubs forget that None is the default namespace's prefix.
    nsmap = cast("dict[str, str]", {None: NS["cda"]})
    node = etree.SubElement(parent, HL7 + value.element, nsmap=nsmap)
    node.set("code", value.code)
    node.set("codeSystem", value.code_system)
    if value.code_system_name:
        node.set("codeSystemName", value.code_system_name)
    if value.display_name:
        node.set("displayName", value.display_name)
    node.set(XSI_TYPE, "CE")


def _signature(element: etree._Element) -> ParsedSignature | None:
    found = element.findall(DS_SIGNATURE)
    if len(found) > 1:
        raise SamlError(f"{len(found)} signatures dans l'assertion", where="Assertion")
    return read_signature(found[0]) if found else None


def _attributes(element: etree._Element) -> tuple[Attribute, ...]:
    statement = _one(element, "AttributeStatement")
    nodes = statement.findall(SAML + "Attribute")
    if len(nodes) > MAX_ATTRIBUTES:
        raise SamlError(f"plus de {MAX_ATTRIBUTES} attributs", where="AttributeStatement")
    return tuple(
        Attribute(
            name=_attribute(node, "Name"),
            values=tuple(_value(item) for item in node.findall(SAML + "AttributeValue")),
        )
        for node in nodes
    )


def _value(node: etree._Element) -> AttributeValue:
    inner = [child for child in node if isinstance(child.tag, str)]
    if not inner:
        return _text(node)
    name = etree.QName(inner[0])
    if len(inner) > 1 or name.namespace != NS["cda"] or len(inner[0]):
        raise SamlError("un élément Role ou PurposeOfUse attendu", where="AttributeValue")
    if name.localname not in ("Role", "PurposeOfUse"):
        raise SamlError(f"élément {name.localname} inattendu", where="AttributeValue")
    return CodedValue(
        element=cast("Literal['Role', 'PurposeOfUse']", name.localname),
        code=inner[0].get("code", ""),
        code_system=inner[0].get("codeSystem", ""),
        code_system_name=inner[0].get("codeSystemName", ""),
        display_name=inner[0].get("displayName", ""),
    )


def _condition(conditions: etree._Element | None, name: str) -> datetime | None:
    value = None if conditions is None else conditions.get(name)
    return None if value is None else parse_instant(value, where=f"Conditions/@{name}")


def _audience(conditions: etree._Element | None) -> tuple[str, ...]:
    if conditions is None:
        return ()
    path = f"{SAML}AudienceRestriction/{SAML}Audience"
    return tuple(_text(node) for node in conditions.iterfind(path))


def _one(parent: etree._Element, name: str) -> etree._Element:
    found = _at_most_one(parent, name)
    if found is None:
        raise SamlError(f"{name} absent", where=etree.QName(parent).localname)
    return found


def _at_most_one(parent: etree._Element, name: str) -> etree._Element | None:
    found = parent.findall(SAML + name)
    if len(found) > 1:
        raise SamlError(f"{len(found)} éléments {name}", where=etree.QName(parent).localname)
    return found[0] if found else None


def _attribute(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if not value:
        local = etree.QName(element).localname
        raise SamlError(f"attribut {name} absent ou vide", where=f"{local}/@{name}")
    return value


def _text(element: etree._Element) -> str:
    """The whole text, comments skipped as canonicalization does: never only its beginning."""
    if any(isinstance(child.tag, str) for child in element):
        raise SamlError("texte seul attendu", where=etree.QName(element).localname)
    # A comment in the middle must not cut a NameID short.
    return "".join(str(part) for part in element.itertext()).strip()
