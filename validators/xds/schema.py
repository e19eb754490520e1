"""ITI-41: what the schemas of ebRIM, SOAP and MIME demand of every element, whatever it says."""

from __future__ import annotations

from lxml import etree

from protocols.multipart import header
from protocols.xml import NS
from spec.xds import EntryScheme, SetScheme
from validators.examples import xds as example
from validators.finding import Severity
from validators.package import media_type
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.rules import TD21, XDS, Findings, iti, same, w3c

__all__: list[str] = []

_RIM = f"{{{NS['rim']}}}"
_SOAP = f"{{{NS['soap']}}}"
_IDENTIFIED = ("Association", "Classification", "ExternalIdentifier", "ExtrinsicObject")
_BOOLEANS = ("true", "false", "1", "0")
_ENCODINGS = ("7bit", "8bit", "binary", "quoted-printable", "base64")
_ENOUGH = 5
_EXTERNALS: dict[str, str] = {
    EntryScheme.PATIENT_ID: "XDSDocumentEntry.patientId",
    EntryScheme.UNIQUE_ID: "XDSDocumentEntry.uniqueId",
    SetScheme.PATIENT_ID: "XDSSubmissionSet.patientId",
    SetScheme.SOURCE_ID: "XDSSubmissionSet.sourceId",
    SetScheme.UNIQUE_ID: "XDSSubmissionSet.uniqueId",
}


@XDS.rule(
    "XDS-180",
    "Chaque objet du registre porte un id",
    reference=w3c("ebRIM 3.0", "2.4.1 IdentifiableType"),
    bad=lambda: example.iti41(_drop("//rim:Classification[1]", "id")),
)
def identified(xds: Submission) -> Findings:
    names = [f"{_RIM}{name}" for name in (*_IDENTIFIED, "RegistryPackage")]
    without = [element for element in xds.request.iter(*names) if not element.get("id")]
    for element in without[:_ENOUGH]:
        yield Broken(
            message="L'attribut id, que le schéma exige, manque.",
            expected="@id",
            where=f"//{etree.QName(element).localname}",
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
    "isOpaque et mustUnderstand sont des booléens",
    reference=w3c("XML Schema Part 2", "3.2.2 boolean"),
    bad=lambda: example.iti41(example.edit("//rim:ExtrinsicObject", "isOpaque", "non")),
)
def booleans(xds: Submission) -> Findings:
    written = [
        (f"//ExtrinsicObject[@id='{item.id}']/@isOpaque", item.element.get("isOpaque"))
        for item in xds.entries
    ]
    for element in () if xds.envelope is None else xds.envelope.iterfind(f"{_SOAP}Header/*"):
        where = f"//{etree.QName(element).localname}/@mustUnderstand"
        written.append((where, element.get(f"{_SOAP}mustUnderstand")))
    for where, value in written:
        if value is not None and value.strip() not in _BOOLEANS:
            yield Broken(
                message="Ce n'est pas un booléen.",
                expected=" | ".join(_BOOLEANS),
                actual=value,
                where=where,
            )


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
    "XDS-186",
    "Un Slot a un nom et une liste de valeurs, un libellé a une valeur",
    reference=w3c("ebRIM 3.0", "2.4.4 SlotType, 2.4.2 LocalizedStringType"),
    bad=lambda: example.iti41(example.remove("//rim:ExtrinsicObject/rim:Slot/rim:ValueList")),
)
def whole_slots(xds: Submission) -> Findings:
    wrong = [
        ("un nom et une ValueList", f"//Slot[@name='{slot.get('name', '')}']")
        for slot in xds.request.iter(f"{_RIM}Slot")
        if not slot.get("name") or slot.find(f"{_RIM}ValueList") is None
    ]
    wrong += [
        ("@value", "//LocalizedString")
        for text in xds.request.iter(f"{_RIM}LocalizedString")
        if text.get("value") is None
    ]
    for expected, where in wrong[:_ENOUGH]:
        yield Broken(message="Le schéma exige ce qui manque ici.", expected=expected, where=where)
