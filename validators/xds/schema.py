"""ITI-41: what ebRIM, SOAP and MIME demand of every element, whatever it says."""

from __future__ import annotations

from lxml import etree

from protocols.multipart import header
from protocols.xml import NS
from spec.xds import EntryScheme, SetScheme
from validators.ebrim_structure import disorder, faults
from validators.examples import xds as example
from validators.finding import Severity
from validators.package import media_type
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.rules import TD21, XDS, Findings, iti, same, w3c

__all__: list[str] = []

_RIM = f"{{{NS['rim']}}}"
_SOAP = f"{{{NS['soap']}}}"
_BOOLEANS = ("true", "false", "1", "0")
_ENCODINGS = ("7bit", "8bit", "binary", "quoted-printable", "base64")
_EXTERNALS: dict[str, str] = {
    EntryScheme.PATIENT_ID: "XDSDocumentEntry.patientId",
    EntryScheme.UNIQUE_ID: "XDSDocumentEntry.uniqueId",
    SetScheme.PATIENT_ID: "XDSSubmissionSet.patientId",
    SetScheme.SOURCE_ID: "XDSSubmissionSet.sourceId",
    SetScheme.UNIQUE_ID: "XDSSubmissionSet.uniqueId",
}


@XDS.rule(
    "XDS-027",
    "Les éléments d'un objet suivent l'ordre du schéma ebRIM",
    reference=w3c("OASIS ebRIM 3.0", "RegistryObjectType"),
    tolerated=True,
    bad=lambda: example.iti41(_slot_last),
)
def element_order(xds: Submission) -> Findings:
    # The ANS validator's own sample has referenceIdList behind the classifications.
    yield from disorder(xds.message, first_line=xds.first_line)


def _slot_last(root: etree._Element) -> None:
    entry = next(root.iter(f"{_RIM}ExtrinsicObject"))
    entry.append(entry[0])


@XDS.rule(
    "XDS-181",
    "Chaque identifiant externe porte le nom de l'attribut qu'il écrit",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(example.remove("//rim:ExternalIdentifier/rim:Name")),
)
def named_externals(xds: Submission) -> Findings:
    for element in xds.request.iter(f"{_RIM}ExternalIdentifier"):
        expected = _EXTERNALS.get(element.get("identificationScheme", ""))
        if expected is None:
            continue
        found = element.find(f"{_RIM}Name/{_RIM}LocalizedString")
        written = "" if found is None else found.get("value", "")
        where = f"//ExternalIdentifier[@value='{element.get('value', '')}']/Name"
        yield from same(written, expected, where, "Le nom de l'identifiant")


@XDS.rule(
    "XDS-182",
    "mustUnderstand est un booléen",
    reference=w3c("SOAP 1.2 Part 1", "5.2.3"),
    bad=lambda: example.iti41(example.edit("//wsa:Action", f"{_SOAP}mustUnderstand", "oui")),
)
def booleans(xds: Submission) -> Findings:
    for element in () if xds.envelope is None else xds.envelope.iterfind(f"{_SOAP}Header/*"):
        value = element.get(f"{_SOAP}mustUnderstand")
        if value is not None and value.strip() not in _BOOLEANS:
            yield Broken(
                message="Ce n'est pas un booléen.",
                expected=" | ".join(_BOOLEANS),
                actual=value,
                where=f"//{etree.QName(element).localname}/@mustUnderstand",
            )


def _drop(path: str, attribute: str) -> example.Tamper:
    """Remove an attribute of the first element at an XPath."""

    def apply(root: etree._Element) -> None:
        found = root.xpath(path, namespaces=NS)
        assert isinstance(found, list)
        target = found[0]
        assert isinstance(target, etree._Element)
        del target.attrib[attribute]

    return apply


@XDS.rule(
    "XDS-183",
    "Action, ReplyTo et Security portent mustUnderstand",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(_drop("//wsa:Action", f"{_SOAP}mustUnderstand")),
)
def understood(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    for element in xds.envelope.iterfind(f"{_SOAP}Header/*"):
        name = etree.QName(element).localname
        if name not in ("Action", "ReplyTo", "Security"):
            continue
        if element.get(f"{_SOAP}mustUnderstand", "").strip() not in ("true", "1"):
            yield Broken(
                message="L'en-tête n'est pas marqué mustUnderstand.",
                expected="soap:mustUnderstand='true'",
                actual=element.get(f"{_SOAP}mustUnderstand", ""),
                where=f"//{name}",
            )


@XDS.rule(
    "XDS-184",
    "Content-Type dit le type de l'enveloppe et répète son Action",
    reference=iti("Vol. 2x, annexe V.3.6"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(content_type=lambda kind: kind.replace("action=", "action=x")),
)
def root_types(xds: Submission) -> Findings:
    if xds.envelope is None or xds.root_part is None:
        return
    action = xds.envelope.findtext(f"{_SOAP}Header/{{{NS['wsa']}}}Action", "").strip()
    _, inner = media_type(header(xds.root_part.headers, "Content-Type"))
    where = "Content-Type de la partie racine"
    yield from same(inner.get("type", ""), "application/soap+xml", where, "Le paramètre type")
    charset = inner.get("charset", "UTF-8")
    yield from same(charset.upper(), "UTF-8", where, "Le jeu de caractères")
    _, outer = media_type(xds.content_type)
    for parameters, place in ((inner, where), (outer, "Content-Type")):
        if written := parameters.get("action"):
            yield from same(written, action, place, "Le paramètre action")


@XDS.rule(
    "XDS-185",
    "Content-Transfer-Encoding est l'un de ceux de MIME",
    reference=w3c("RFC 2045", "6.1"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        body=lambda data: data.replace(b"Encoding: binary", b"Encoding: brut", 1)
    ),
)
def transfer_encodings(xds: Submission) -> Findings:
    for part in xds.parts:
        names = [name.lower() for name, _ in part.headers]
        if "content-transfer-encoding" in names and part.encoding not in _ENCODINGS:
            yield Broken(
                message="Ce n'est pas un encodage de transfert de MIME.",
                expected=" | ".join(_ENCODINGS),
                actual=part.encoding,
                where=f"Content-Transfer-Encoding de {part.content_id}",
            )


@XDS.rule(
    "XDS-190",
    "Le message a la structure des schémas ebRIM, ebRS et XDS.b",
    reference=w3c("OASIS ebRIM et ebRS 3.0, IHE ITI TF", "schémas ; Vol. 2, 3.41.5 et 3.43.5"),
    bad=lambda: example.iti41(example.remove("//rim:ExtrinsicObject/rim:Slot/rim:ValueList")),
)
def structure(xds: Submission) -> Findings:
    yield from faults(xds.message, first_line=xds.first_line)
