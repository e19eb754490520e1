"""ITI-41: the lot signature, its entry and its content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cryptography import x509
from lxml import etree

from protocols import xml
from protocols.ebrim import Code
from protocols.errors import RemoteProtocolError
from protocols.xmlsig import SignatureError, SignatureFault, verify_lot
from spec.dmp import SIGNATURE_FORMAT_CODES, Masking
from spec.imaging_metadata import NORMAL, SIGNATURE_EVENT, SIGNATURE_TYPE
from spec.xds import EntryScheme, SetScheme, SlotName
from validators.certificates import certificate_of
from validators.context import Context
from validators.examples import kos as manifest
from validators.examples import xds as example
from validators.finding import Severity
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject
from validators.xds.rules import TD21, XDS, Findings, same, w3c
from validators.xds.values import one_code, patient_id

__all__ = ["Sealed"]

_DS = f"{{{xml.NS['ds']}}}"
_DSIG = w3c("XML Signature 1.1", "4.3")


@XDS.rule(
    "XDS-100",
    "Le lot porte une signature et une seule",
    reference=TD21,
    bad=lambda: example.iti41(signature={"class_code": Code("31", "1.2.250.1.213.1.1.4.1", "?")}),
)
def one_signature(xds: Submission) -> Findings:
    if len(xds.signatures) != 1:
        yield Broken(
            message="Une entrée de signature est attendue.",
            expected="1",
            actual=str(len(xds.signatures)),
            where="//ExtrinsicObject",
        )


@XDS.rule(
    "XDS-101",
    "L'entrée de signature est text/xml, de langue art, de titre Source",
    reference=TD21,
    bad=lambda: example.iti41(signature={"language_code": "fr-FR"}),
)
def signature_kind(xds: Submission) -> Findings:
    for item in xds.signatures:
        mime = item.element.get("mimeType", "")
        yield from same(mime, "text/xml", item.where("@mimeType"), "mimeType")
        language = item.value(SlotName.LANGUAGE_CODE)
        yield from same(language, "art", item.slot_path(SlotName.LANGUAGE_CODE), "languageCode")
        yield from same(item.title, "Source", item.where("Name"), "title")


@XDS.rule(
    "XDS-102",
    "typeCode, formatCode et eventCode de la signature sont les siens",
    reference=TD21,
    bad=lambda: example.iti41(signature={"type_code": Code("IMG-KOS", "ASTM", "?")}),
)
def signature_codes(xds: Submission) -> Findings:
    for item in xds.signatures:
        for scheme, name, expected in (
            (EntryScheme.TYPE_CODE, "typeCode", SIGNATURE_TYPE),
            (EntryScheme.EVENT_CODE, "eventCode", SIGNATURE_EVENT),
        ):
            code, faults = one_code(item, scheme, name)
            yield from faults
            if code is not None:
                wanted = f"{expected[0]} ({expected[1]})"
                yield from same(str(code), wanted, item.where(), name)
        code, faults = one_code(item, EntryScheme.FORMAT_CODE, "formatCode")
        yield from faults
        if code is not None and code.value not in SIGNATURE_FORMAT_CODES:
            yield Broken(
                message="Ce formatCode n'est pas celui d'une signature.",
                expected=" | ".join(sorted(SIGNATURE_FORMAT_CODES)),
                actual=code.value,
                where=item.where(),
            )


@XDS.rule(
    "XDS-106",
    "classCode et formatCode de la signature sont du système URN",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        signature={"format_code": Code("http://www.w3.org/2000/09/xmldsig#", "1.2.3", "?")}
    ),
)
def signature_systems(xds: Submission) -> Findings:
    for item in xds.signatures:
        for scheme in (EntryScheme.CLASS_CODE, EntryScheme.FORMAT_CODE):
            for code in item.codes(scheme):
                yield from same(code.scheme, "URN", item.where(), "codingScheme")


@XDS.rule(
    "XDS-103",
    "La signature est masquée aux professionnels et au patient",
    reference=TD21,
    bad=lambda: example.iti41(
        signature={"confidentiality_codes": (Code("N", "2.16.840.1.113883.5.25", "Normal"),)}
    ),
)
def signature_masking(xds: Submission) -> Findings:
    expected = {NORMAL, Masking.PROFESSIONALS, Masking.PATIENT}
    for item in xds.signatures:
        written = {code.value for code in item.codes(EntryScheme.CONFIDENTIALITY_CODE)}
        if not expected <= written:
            yield Broken(
                message="Il manque un code de masquage.",
                expected=" ".join(sorted(expected)),
                actual=" ".join(sorted(written)),
                where=item.where(),
            )


@XDS.rule(
    "XDS-104",
    "sourcePatientId de la signature est l'INS",
    reference=TD21,
    bad=lambda: example.iti41(signature={"source_patient_id": "IPP900^^^&1.2.3&ISO^PI"}),
)
def signature_patient(xds: Submission) -> Findings:
    for item in xds.signatures:
        where = item.slot_path(SlotName.SOURCE_PATIENT_ID)
        yield from patient_id(item.value(SlotName.SOURCE_PATIENT_ID), where)


@XDS.rule(
    "XDS-105",
    "creationTime, serviceStartTime et serviceStopTime de la signature sont égaux",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(signature={"service_start_time": "20260101000000"}),
)
def signature_times(xds: Submission) -> Findings:
    for item in xds.signatures:
        slots = (SlotName.SERVICE_START_TIME, SlotName.SERVICE_STOP_TIME)
        for slot in slots:
            expected = item.value(SlotName.CREATION_TIME)
            yield from same(item.value(slot), expected, item.slot_path(slot), str(slot))


class _Placed(Protocol):
    def where(self, path: str = "") -> str:
        """An XPath to something in it."""


class Sealed(Protocol):
    """What holds lot signatures: a publication, or nothing but one."""

    @property
    def context(self) -> Context:
        """What the judge knows beyond it."""

    @property
    def seals(self) -> Sequence[tuple[_Placed, etree._Element]]:
        """Where each stands, and its XML."""


@XDS.rule(
    "XDS-110",
    "Le document de signature est une signature XML",
    reference=_DSIG,
    bad=lambda: example.iti41(lot_document=b"<rien/>"),
)
def is_signature(xds: Submission) -> Findings:
    roots = {item.id: root for item, root in xds.seals}
    for item in xds.signatures:
        if item.id not in xds.documents:
            continue
        root = roots.get(item.id)
        written = "illisible" if root is None else str(root.tag)
        yield from same(written, f"{_DS}Signature", item.where(), "Le document de signature")


def _expected_references(xds: Submission) -> list[str]:
    uids = [item.external(SetScheme.UNIQUE_ID) for item in xds.sets]
    uids += [item.external(EntryScheme.UNIQUE_ID) for item in xds.contents]
    return [f"urn:oid:{uid}" for uid in uids]


def _manifest_references(root: etree._Element) -> list[str]:
    return [one.get("URI", "") for one in root.iterfind(f".//{_DS}Manifest/{_DS}Reference")]


def _covers_lot(xds: Submission, root: etree._Element) -> bool:
    return sorted(_manifest_references(root)) == sorted(_expected_references(xds))


@XDS.rule(
    "XDS-111",
    "Le manifeste de la signature nomme le lot et chacun de ses documents",
    reference=TD21,
    bad=lambda: example.iti41(signed_documents={"1.2.250.1.999.7": manifest.kos()}),
)
def manifest_references(xds: Submission) -> Findings:
    for item, root in xds.seals:
        if not _covers_lot(xds, root):
            yield Broken(
                message="Le manifeste ne couvre pas exactement le lot.",
                expected=" ".join(_expected_references(xds)),
                actual=" ".join(_manifest_references(root)),
                where=item.where("Manifest"),
            )


@XDS.rule(
    "XDS-112",
    "La signature du lot est valide",
    reference=_DSIG,
    requirements=("DB.SO.19", "DB.SO.89"),
    bad=lambda: example.iti41(kos=manifest.kos(study_id="X"), signed_documents=_signed()),
)
def lot_is_valid(xds: Submission) -> Findings:
    # A sample that went through an editor is not the octets that were signed: see XDS-114.
    if xds.indented:
        return
    for item, where, error in _refusals(xds):
        yield Broken(
            message=f"La signature du lot n'est pas valide : {error}.",
            expected="une signature valide",
            actual=error.kind.value if isinstance(error, SignatureError) else "illisible",
            where=error.where or where or item.where(),
        )


def _signed() -> dict[str, bytes]:
    return {manifest.UID: manifest.kos()}


def _refusals(xds: Submission) -> list[tuple[RegistryObject, str, RemoteProtocolError]]:
    """Why each lot signature that has a readable certificate does not verify."""
    refused: list[tuple[RegistryObject, str, RemoteProtocolError]] = []
    documents = {
        item.external(EntryScheme.UNIQUE_ID): xds.documents[item.id]
        for item in xds.contents
        if item.id in xds.documents
    }
    for item, root in xds.seals:
        # XDS-111 says what a manifest forgets, XDS-115 what a masked certificate prevents.
        if certificate_of(root) is None or len(documents) != len(xds.contents):
            continue
        try:
            verified = verify_lot(xml.serialize(root, declaration=False), documents)
        except SignatureError as error:
            # A document that the manifest forgets breaks XDS-111; any other reference is ours.
            if error.kind is not SignatureFault.REFERENCE or _covers_lot(xds, root):
                refused.append((item, "", error))
        except RemoteProtocolError as error:
            refused.append((item, "", error))
        else:
            uids = [one.external(SetScheme.UNIQUE_ID) for one in xds.sets]
            if verified.submission_set_uid not in uids:
                fault = SignatureError(SignatureFault.REFERENCE, "elle signe un autre lot")
                refused.append((item, "", fault))
    return refused


@XDS.rule(
    "XDS-113",
    "La signature du lot n'emploie pas SHA-1, ou emploie l'algorithme que le profil nomme",
    reference=w3c("RFC 8017", "9.2"),
    severity=Severity.WARNING,
    named_by="lot_algorithm",
    bad=lambda: example.iti41(lot_document=_sha1_lot()),
)
def lot_algorithms(xds: Sealed) -> Findings:
    # Every known sample has SHA-1: the DMP accepts it, cryptography no longer does.
    named = xds.context.demands.lot_algorithm or ""
    wanted = named.rpartition("-")[2]
    for item, root in xds.seals:
        for element in root.iter(f"{_DS}SignatureMethod", f"{_DS}DigestMethod"):
            algorithm = element.get("Algorithm", "")
            if not algorithm.endswith(wanted) if wanted else algorithm.endswith("sha1"):
                yield Broken(
                    message="Cet algorithme n'est pas celui attendu.",
                    expected=wanted or "sha256",
                    actual=algorithm,
                    where=item.where(etree.QName(element).localname),
                )
                break


def _sha1_lot() -> bytes:
    return example.lot({manifest.UID: manifest.kos()}, algorithm="sha1")


@XDS.rule(
    "XDS-114",
    "La signature du lot a pu être vérifiée octet par octet",
    reference=_DSIG,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(body=lambda data: data.replace(b"\r\n--exemple", b"\r\n  --exemple")),
)
def lot_is_intact(xds: Submission) -> Findings:
    if xds.indented:
        for item, _ in xds.seals:
            yield Broken(
                message="Le paquet a été remis en forme : la signature n'est plus vérifiable.",
                where=item.where(),
            )


@XDS.rule(
    "XDS-115",
    "La signature du lot porte le certificat du signataire",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(lot_document=_masked()),
)
def lot_certificate(xds: Sealed) -> Findings:
    for item, root in xds.seals:
        if certificate_of(root) is None:
            yield Broken(
                message="Le certificat du signataire manque ou est masqué.",
                expected="X509Certificate",
                where=item.where("X509Certificate"),
            )


def _masked() -> bytes:
    root = xml.parse(example.lot(_signed()))
    for element in root.iter(f"{_DS}X509Certificate"):
        element.text = "XXXXXXX"
    return xml.serialize(root)


@XDS.rule(
    "XDS-116",
    "Le certificat de signature est d'usage signature",
    reference=w3c("RFC 5280", "4.2.1.3"),
    requirements=("DB.SO.89",),
    bad=lambda: example.iti41(lot_document=_sealed_with("encipherment")),
)
def lot_certificate_usage(xds: Sealed) -> Findings:
    for item, root in xds.seals:
        certificate = certificate_of(root)
        if certificate is None:
            continue
        try:
            usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        except (x509.ExtensionNotFound, ValueError):
            continue
        if not (usage.digital_signature or usage.content_commitment):
            yield Broken(
                message="Le certificat n'est pas un certificat de signature.",
                expected="digitalSignature ou nonRepudiation",
                where=item.where("X509Certificate"),
            )


def _sealed_with(usage: str) -> bytes:
    return example.lot(_signed(), usage=usage)
