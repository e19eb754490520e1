"""The lot signature by itself: its form, and what it proves without the documents of the lot."""

from __future__ import annotations

import re

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from protocols.xmlsig import SignatureError, SignatureFault, verify_lot
from protocols.xsdatetime import parse_instant
from spec.imaging_metadata import SIGNATURE_EVENT
from validators.certificates import certificate_of
from validators.examples import lot as example
from validators.examples.xds import edit, remove
from validators.finding import Severity
from validators.identifiers import is_oid
from validators.inherit import inherit
from validators.lot.reading import Lot, Root
from validators.rule import Broken, RuleSet
from validators.xds.rules import TD21, XDS, Findings, same, w3c

__all__ = ["LOT"]

_DS = f"{{{NS['ds']}}}"
_XADES = f"{{{NS['xades111']}}}"
_MANIFEST = f".//{_DS}Manifest/{_DS}Reference"
_URN = "urn:oid:"
_HERE = Root()

LOT = RuleSet(
    "lot",
    good=example.lot,
    syntax="LOT-000",
    unreadable=lambda: b"<ds:Signature",
    reference=w3c("XML Signature 1.1", "4.2"),
    requirements=("DB.SO.19", "DB.SO.89"),
)

inherit(
    LOT,
    XDS,
    ("XDS-113", "XDS-115", "XDS-116", "XDS-161", "XDS-162"),
    example=example.lot_of,
    requirements=LOT.requirements,
)


@LOT.rule(
    "LOT-001",
    "La signature tient, sur son manifeste et sur ses propriétés",
    reference=w3c("XML Signature 1.1", "3.2"),
    bad=lambda: example.lot(edit("//xades111:SigningTime", value="2020-01-01T00:00:00Z")),
)
def holds(lot: Lot) -> Findings:
    # The documents are not here: only what the manifest says of them stays unproved.
    if certificate_of(lot.root) is None:
        return
    try:
        verify_lot(xml.serialize(lot.root, declaration=False), {})
    except SignatureError as error:
        if error.kind is not SignatureFault.REFERENCE:
            yield _refused(error, error.kind.value)
    except RemoteProtocolError as error:
        yield _refused(error, "illisible")


def _refused(error: RemoteProtocolError, kind: str) -> Broken:
    return Broken(
        message=f"La signature du lot n'est pas valide : {error}.",
        expected="une signature valide",
        actual=kind,
        where=error.where or _HERE.where(),
    )


_TYPES = (f"{NS['ds']}Manifest", f"{NS['xades111']}SignedProperties")


@LOT.rule(
    "LOT-002",
    "SignedInfo couvre le manifeste et les propriétés XAdES 1.1.1, et rien d'autre",
    reference=TD21,
    bad=lambda: example.lot(remove("//ds:SignedInfo/ds:Reference")),
)
def references(lot: Lot) -> Findings:
    found = [one.get("Type", "") for one in lot.root.iterfind(f"{_DS}SignedInfo/{_DS}Reference")]
    if sorted(found) != sorted(_TYPES):
        yield Broken(
            message="SignedInfo ne couvre pas ce qu'il faut.",
            expected=" ".join(_TYPES),
            actual=" ".join(found),
            where=_HERE.where("SignedInfo"),
        )


def _listed(lot: Lot) -> list[tuple[str, str]]:
    """URI and digest of each reference of the manifest."""
    return [
        (one.get("URI", ""), (one.findtext(f"{_DS}DigestValue") or "").strip())
        for one in lot.root.iterfind(_MANIFEST)
    ]


@LOT.rule(
    "LOT-003",
    "Le manifeste nomme d'abord le lot, sans empreinte (AA==)",
    reference=TD21,
    bad=lambda: example.lot(remove("//ds:Manifest/ds:Reference")),
)
def names_lot(lot: Lot) -> Findings:
    for _, digest in _listed(lot)[:1]:
        yield from same(digest, "AA==", _HERE.where("Manifest/Reference[1]"), "L'empreinte du lot")


@LOT.rule(
    "LOT-004",
    "Le manifeste nomme le lot et ses documents par urn:oid:, une fois chacun",
    reference=TD21,
    bad=lambda: example.lot(edit("//ds:Manifest/ds:Reference[2]", "URI", "kos.dcm")),
)
def uris(lot: Lot) -> Findings:
    found = [uri for uri, _ in _listed(lot)]
    if len(found) < 2:
        yield Broken(
            message="Le manifeste ne couvre aucun document.",
            expected="au moins 2",
            actual=str(len(found)),
            where=_HERE.where("Manifest"),
        )
    for uri in sorted(set(found)):
        if not uri.startswith(_URN) or not is_oid(uri.removeprefix(_URN)) or found.count(uri) > 1:
            yield Broken(
                message="Cette référence n'est pas un urn:oid:, ou est répétée.",
                expected="urn:oid:…, une fois",
                actual=f"{uri}, {found.count(uri)}",
                where=_HERE.where("Manifest/Reference"),
            )


@LOT.rule(
    "LOT-005",
    "Le but de la signature est « Source »",
    reference=TD21,
    bad=lambda: example.lot(edit("//ds:SignatureProperty", value="1.2.840.10065.1.12.1.1")),
)
def purpose(lot: Lot) -> Findings:
    found = ["".join(map(str, one.itertext())) for one in lot.root.iter(f"{_DS}SignatureProperty")]
    written = " ".join(value.strip() for value in found)
    yield from same(written, SIGNATURE_EVENT[0], _HERE.where("SignatureProperty"), "Le but")


@LOT.rule(
    "LOT-006",
    "SigningTime est une date avec son fuseau",
    reference=w3c("ETSI TS 101 903 1.1.1", "7.2.1"),
    bad=lambda: example.lot(edit("//xades111:SigningTime", value="22/11/2026")),
)
def signing_time(lot: Lot) -> Findings:
    found = [(one.text or "").strip() for one in lot.root.iter(f"{_XADES}SigningTime")]
    if len(found) != 1 or not _is_zoned(found[0]):
        yield Broken(
            message="SigningTime manque ou est illisible.",
            expected="AAAA-MM-JJThh:mm:ssZ",
            actual=" ".join(found),
            where=_HERE.where("SigningTime"),
        )


def _is_zoned(text: str) -> bool:
    try:
        return parse_instant(text).tzinfo is not None
    except RemoteProtocolError:
        return False


@LOT.rule(
    "LOT-007",
    "Les propriétés signées nomment le certificat du signataire",
    reference=w3c("ETSI TS 101 903 1.1.1", "7.2.2"),
    bad=lambda: example.lot(remove("//xades111:SigningCertificate")),
)
def signing_certificate(lot: Lot) -> Findings:
    if not list(lot.root.iterfind(f".//{_XADES}SigningCertificate/{_XADES}Cert")):
        yield Broken(
            message="SigningCertificate manque.", where=_HERE.where("SigningCertificate/Cert")
        )


@LOT.rule(
    "LOT-008",
    "La politique de signature est implicite",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.lot(remove("//xades111:SignaturePolicyImplied")),
)
def policy(lot: Lot) -> Findings:
    if next(lot.root.iter(f"{_XADES}SignaturePolicyImplied"), None) is None:
        yield Broken(
            message="SignaturePolicyImplied manque.", where=_HERE.where("SignaturePolicyIdentifier")
        )


@LOT.rule(
    "LOT-009",
    "Les identifiants de la signature sont des NCName",
    reference=w3c("XML Schema 1.1 Part 2", "3.4.8 (xs:ID)"),
    tolerated=True,
    bad=lambda: example.lot(edit("/ds:Signature", "Id", "2.25.1")),
)
def identifiers(lot: Lot) -> Findings:
    # Samples write the document's OID there: a schema refuses it, the DMP does not.
    for element in lot.root.iter(f"{_DS}*", f"{_XADES}*"):
        value = element.get("Id")
        if value is not None and re.fullmatch(r"[A-Za-z_][\w.-]*", value) is None:
            yield Broken(
                message="Cet identifiant n'est pas un NCName.",
                actual=value,
                where=_HERE.where(f"{etree.QName(element).localname}/@Id"),
            )
