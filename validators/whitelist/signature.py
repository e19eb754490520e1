"""White list: its signature, whichever of the two published formats it has."""

from __future__ import annotations

from cryptography import x509

from protocols import dn, whitelist
from protocols.errors import RemoteProtocolError
from protocols.xmlsig import SignatureError
from spec import whitelist as table
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
_EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ALLOWED = {
    "CanonicalizationMethod": (_EXC,),
    "SignatureMethod": ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",),
    "DigestMethod": (
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    ),
    "Transform": (
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
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
    if not listed.signatures or _is_format_a(listed):
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


def _is_format_a(listed: ListArtefact) -> bool:
    """Made by the DSS tools: an xmldsig-filter2 transform, which `protocols` does not run."""
    transforms = (one for item in listed.signatures for one in item.iter(f"{DS}Transform"))
    return any(one.get("Algorithm") == _FILTER2 for one in transforms)


@WHITE_LIST.rule(
    "LB-024",
    "La signature est d'un format que ce juge vérifie",
    reference=LISTS,
    severity=Severity.WARNING,
    bad=lambda: example.tampered(
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature", _FILTER2.encode()
    ),
)
def supported(listed: ListArtefact) -> Findings:
    if _is_format_a(listed):
        yield Broken(
            message="Format A (xmldsig-filter2) : la valeur n'est pas vérifiée ici.",
            expected="format B",
            where="//Signature",
        )


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
            yield Broken(message="Le certificat du signataire manque.", where="//X509Certificate")
            continue
        try:
            usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        except (x509.ExtensionNotFound, ValueError):
            continue
        if not (usage.digital_signature or usage.content_commitment):
            yield Broken(
                message="Le certificat n'est pas un certificat de signature.",
                expected="digitalSignature ou nonRepudiation",
                where="//X509Certificate",
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
