"""White list: its signature, whichever of the two published formats it has."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from cryptography import x509
from lxml import etree

from protocols import dn, whitelist
from protocols.errors import RemoteProtocolError
from protocols.xmlsig import SignatureError
from protocols.xsdatetime import parse_instant
from spec import whitelist as table
from spec.certificates import EMAIL_PROTECTION
from spec.grade import Grade, Reference
from validators.certificates import certificate_of
from validators.examples import whitelist as example
from validators.finding import Severity
from validators.rule import Broken
from validators.whitelist.reading import DS, ListArtefact
from validators.whitelist.rules import LISTS, WHITE_LIST, Findings

__all__: list[str] = []

_DSIG = Reference("XML Signature 1.1", "4.3, 6", Grade.STANDARD)
_FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_SUBTRACTED = "/descendant::ds:Signature"
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ALLOWED = {
    "CanonicalizationMethod": (_EXC,),
    "SignatureMethod": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",),
    "DigestMethod": (
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    ),
    "Transform": (
        _ENVELOPED,
        _FILTER2,
        _EXC,
    ),
}
_SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"
_XADES = "{http://uri.etsi.org/01903/v1.3.2#}"


@WHITE_LIST.rule(
    "LB-021",
    "Les algorithmes de la signature sont ceux des listes publiées",
    reference=LISTS,
    bad=lambda: example.tampered(b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-md5"),
)
def algorithms(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        for name, allowed in _ALLOWED.items():
            for element in signature.iter(f"{DS}{name}"):
                algorithm = element.get("Algorithm", "")
                if algorithm not in allowed:
                    yield Broken(
                        message="Cet algorithme n'est pas admis.",
                        expected=" | ".join(allowed),
                        actual=algorithm,
                        where=f"//Signature//{name}",
                    )


@WHITE_LIST.rule(
    "LB-022",
    "La signature couvre toute la liste et ses propriétés signées",
    reference=LISTS,
    bad=lambda: example.tampered(b'URI=""', b'URI="#autre"'),
)
def references(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        found = [
            (one.get("URI"), one.get("Type", ""))
            for one in signature.findall(f"{DS}SignedInfo/{DS}Reference")
        ]
        whole = [uri for uri, _ in found if uri == ""]
        signed = [uri for uri, kind in found if kind == _SIGNED_PROPERTIES]
        if len(found) != 2 or len(whole) != 1 or len(signed) != 1:
            yield Broken(
                message="La signature ne couvre pas ce qu'elle doit.",
                expected='URI="" et SignedProperties',
                actual=" ".join(repr(uri) for uri, _ in found),
                where="//Signature/SignedInfo",
            )


@WHITE_LIST.rule(
    "LB-023",
    "La signature de la liste est valide",
    reference=_DSIG,
    bad=lambda: example.tampered(b"<Denomination>CENTRE", b"<Denomination>CENTRF"),
)
def valid(listed: ListArtefact) -> Findings:
    if not listed.signatures:
        return
    try:
        whitelist.verify(listed.data)
    except RemoteProtocolError as error:
        yield Broken(
            message=f"La signature n'est pas valide : {error}.",
            expected="une signature valide",
            actual=error.kind.value if isinstance(error, SignatureError) else "illisible",
            where=error.where or "//Signature",
        )


@WHITE_LIST.rule(
    "LB-024",
    "Les transformations sont celles d'un des deux formats publiés, A (xmldsig-filter2) ou B",
    reference=LISTS,
    good=lambda: example.white_list(format="A"),
    bad=lambda: example.tampered(b"descendant::ds:Signature", b"descendant::db", format="A"),
)
def transforms(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        for reference in signature.findall(f"{DS}SignedInfo/{DS}Reference"):
            if reference.get("URI") != "":
                continue
            found = reference.findall(f"{DS}Transforms/{DS}Transform")
            names = [one.get("Algorithm", "") for one in found]
            if names == [_ENVELOPED, _EXC] or (names == [_FILTER2, _EXC] and _subtracts(found[0])):
                continue
            yield Broken(
                message="Ces transformations ne sont d'aucun des deux formats publiés.",
                expected=f"A : filter2 subtract {_SUBTRACTED}, {_EXC} | B : {_ENVELOPED}, {_EXC}",
                actual=", ".join([*names, *(_filters(one) for one in found if len(one))]),
                where="//Signature/SignedInfo/Reference/Transforms",
            )


def _filters(transform: etree._Element) -> str:
    return " ".join(
        f"{one.get('Filter', '')} {one.text or ''}".strip()
        for one in transform.findall(f"{{{_FILTER2}}}XPath")
    )


def _subtracts(transform: etree._Element) -> bool:
    # The prefix is the writer's affair; `protocols` checks what it stands for.
    return re.fullmatch(r"subtract /descendant::[\w.-]+:Signature", _filters(transform)) is not None


@WHITE_LIST.rule(
    "LB-025",
    "La signature porte le certificat du signataire, d'usage signature",
    reference=LISTS,
    bad=lambda: example.white_list(usage="encipherment"),
)
def certificate(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        found = certificate_of(signature)
        if found is None:
            yield Broken(
                message="Le certificat du signataire manque ou est illisible.",
                where="//X509Certificate",
            )
            continue
        # An ORG AUTH_CLI has digitalSignature too: these two tell an ORG SIGN from it.
        usages, purposes = _usages(found)
        if usages is not None and not usages.content_commitment:
            yield Broken(
                message="Le certificat n'est pas un certificat de signature.",
                expected="nonRepudiation",
                where="//X509Certificate",
            )
        if purposes is not None and EMAIL_PROTECTION not in {one.dotted_string for one in purposes}:
            yield Broken(
                message="Le certificat sert à autre chose qu'à signer.",
                expected=f"emailProtection ({EMAIL_PROTECTION})",
                actual=" ".join(one.dotted_string for one in purposes),
                where="//X509Certificate",
            )


def _usages(
    found: x509.Certificate,
) -> tuple[x509.KeyUsage | None, x509.ExtendedKeyUsage | None]:
    """What its key is for, where it says so."""
    values = {one.oid: one.value for one in found.extensions}  # read whole by `certificate_of`
    usage, purposes = values.get(x509.KeyUsage.oid), values.get(x509.ExtendedKeyUsage.oid)
    return (
        usage if isinstance(usage, x509.KeyUsage) else None,
        purposes if isinstance(purposes, x509.ExtendedKeyUsage) else None,
    )


@WHITE_LIST.rule(
    "LB-026",
    "Les propriétés signées donnent l'heure et le certificat de signature",
    reference=LISTS,
    bad=lambda: example.tampered(b"SigningTime", b"SigningTimf"),
)
def properties(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        for names in (("SigningTime",), ("SigningCertificate", "SigningCertificateV2")):
            if not any(next(signature.iter(_XADES + name), None) is not None for name in names):
                yield Broken(
                    message="Une propriété signée manque.",
                    expected=" | ".join(names),
                    where="//SignedSignatureProperties",
                )


@WHITE_LIST.rule(
    "LB-027",
    "Le signataire est celui que l'ANS annonce",
    reference=LISTS,
    severity=Severity.INFO,
    good=lambda: example.white_list(signer=table.SIGNER.cn, unit=table.SIGNER.ou),
    bad=example.white_list,
)
def signer(listed: ListArtefact) -> Findings:
    # A bench signs with its own key: information, and an affair of the profile.
    for signature in listed.signatures:
        found = certificate_of(signature)
        if found is None:
            continue
        try:
            written = (dn.attribute(found, "CN"), dn.attribute(found, "OU"))
        except RemoteProtocolError:
            written = ((), ())
        if table.SIGNER.cn not in written[0] or table.SIGNER.ou not in written[1]:
            yield Broken(
                message="Le signataire n'est pas celui de la liste nationale.",
                expected=f"CN={table.SIGNER.cn}, OU={table.SIGNER.ou}",
                actual=found.subject.rfc4514_string(),
                where="//X509Certificate",
            )


@WHITE_LIST.rule(
    "LB-028",
    "Le certificat du signataire était en cours de validité à l'heure de signature",
    reference=Reference("RFC 5280", "4.1.2.5", Grade.STANDARD),
    bad=lambda: example.white_list(signing_time=datetime(2025, 1, 1, tzinfo=UTC)),
)
def signed_in_time(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        found = certificate_of(signature)
        time = next(signature.iter(_XADES + "SigningTime"), None)
        written = "" if time is None else (time.text or "").strip()
        try:
            moment = parse_instant(written, where="")
        except RemoteProtocolError:
            continue
        if found is None or moment.tzinfo is None:
            continue
        begin, end = found.not_valid_before_utc, found.not_valid_after_utc
        if not begin <= moment <= end:
            yield Broken(
                message="Le certificat n'était pas valable à l'heure de signature.",
                expected=f"{begin:%Y-%m-%d} à {end:%Y-%m-%d}",
                actual=written,
                where="//SigningTime",
            )


@WHITE_LIST.rule(
    "LB-029",
    "QualifyingProperties désigne la signature (Target)",
    reference=Reference("ETSI TS 101 903 1.3.2", "6.2", Grade.STANDARD),
    bad=lambda: example.tampered(b'Target="#', b'Target="#autre'),
)
def target(listed: ListArtefact) -> Findings:
    for signature in listed.signatures:
        id = signature.get("Id", "")
        for element in signature.iter(f"{_XADES}QualifyingProperties"):
            written = element.get("Target", "")
            if not id or written != f"#{id}":
                yield Broken(
                    message="Target ne désigne pas cette signature.",
                    expected=f"#{id}",
                    actual=written,
                    where="//QualifyingProperties/@Target",
                )
