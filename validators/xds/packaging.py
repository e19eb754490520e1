"""ITI-41: the MIME package and the SOAP envelope."""

from __future__ import annotations

from lxml import etree

from protocols.multipart import header
from protocols.xml import NS
from spec.xds import Action
from validators.examples import xds as example
from validators.finding import Severity
from validators.package import media_type
from validators.rule import Broken
from validators.soap import ANONYMOUS, addressing, assertions, header_texts, text_of
from validators.xds.reading import Submission
from validators.xds.rules import TD21, XDS, Findings, iti, same, w3c

__all__: list[str] = []

_SOAP = f"{{{NS['soap']}}}"
_WSA = f"{{{NS['wsa']}}}"
_MTOM = iti("Vol. 2x, annexe V.3.6")
_ADDRESSING = w3c("WS-Addressing 1.0 SOAP Binding", "2")


@XDS.rule(
    "XDS-001",
    "Le message est un paquet MTOM : multipart/related de type application/xop+xml",
    reference=_MTOM,
    bad=lambda: example.iti41(content_type=lambda kind: kind.replace("application/xop", "text/")),
)
def mtom_package(xds: Submission) -> Findings:
    if not xds.is_http:
        return
    kind, parameters = media_type(xds.content_type)
    yield from same(kind, "multipart/related", "Content-Type", "Le type de média")
    yield from same(
        parameters.get("type", "").lower(), "application/xop+xml", "Content-Type", "type"
    )
    yield from same(
        parameters.get("start-info", "").lower(),
        "application/soap+xml",
        "Content-Type",
        "start-info",
    )


@XDS.rule(
    "XDS-002",
    "La partie racine est l'enveloppe, désignée par start",
    reference=w3c("XOP", "4"),
    bad=lambda: example.iti41(
        content_type=lambda kind: kind.replace("<root@drimbench>", "<autre@drimbench>")
    ),
)
def root_part(xds: Submission) -> Findings:
    if xds.root_part is None:
        return
    kind, _ = media_type(header(xds.root_part.headers, "Content-Type"))
    yield from same(kind, "application/xop+xml", "Content-Type", "Le type de la partie racine")
    start = media_type(xds.content_type)[1].get("start", "") if xds.content_type else ""
    if start:
        yield from same(f"<{xds.root_part.content_id}>", start, "Content-ID", "La partie racine")


@XDS.rule(
    "XDS-003",
    "Chaque Document mène à une partie du paquet",
    reference=w3c("XOP", "3.2"),
    bad=lambda: example.iti41(
        example.edit(f"//xdsb:Document[@id='{example.KOS_ID}']/xop:Include", "href", "cid:rien")
    ),
)
def includes_lead_somewhere(xds: Submission) -> Findings:
    if not xds.parts:
        return
    for element in xds.document_elements:
        pointer = xds.pointer(element)
        if pointer is not None and xds.part(pointer) is None:
            yield Broken(
                message="Aucune partie n'a ce Content-ID.",
                expected=" ".join(part.content_id for part in xds.parts),
                actual=pointer,
                where=f"//Document[@id='{element.get('id', '')}']",
            )


@XDS.rule(
    "XDS-004",
    "Le paquet ne porte pas de partie inutile",
    reference=w3c("XOP", "3.2"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        example.edit(f"//xdsb:Document[@id='{example.KOS_ID}']/xop:Include", "href", "cid:rien")
    ),
)
def parts_are_used(xds: Submission) -> Findings:
    used = {id(xds.root_part)}
    for element in xds.document_elements:
        pointer = xds.pointer(element)
        used.add(id(None if pointer is None else xds.part(pointer)))
    for part in xds.parts:
        if id(part) not in used:
            yield Broken(message="Aucun Document n'emploie cette partie.", actual=part.content_id)


@XDS.rule(
    "XDS-005",
    "Les parties sont en binaire, sans base64",
    reference=_MTOM,
    tolerated=True,
    bad=lambda: example.iti41(
        body=lambda data: data.replace(
            b"Content-Transfer-Encoding: binary\r\nContent-ID: <signature@exemple>\r\n\r\n",
            b"Content-Transfer-Encoding: base64\r\nContent-ID: <signature@exemple>\r\n\r\n"
            b"PGE+PC9hPg==\r\n--exemple-iti41\r\nContent-ID: <reste>\r\n\r\n",
        )
    ),
)
def binary_parts(xds: Submission) -> Findings:
    for part in xds.parts:
        if part.encoding in ("base64", "quoted-printable"):
            yield Broken(
                message="MTOM transporte les octets tels quels.",
                expected="binary",
                actual=part.encoding,
                where=f"Content-ID: <{part.content_id}>",
            )


@XDS.rule(
    "XDS-006",
    "Les lignes MIME se terminent par CRLF",
    reference=w3c("RFC 2046", "5.1"),
    tolerated=True,
    bad=lambda: example.iti41(body=lambda data: data.replace(b"\r\n", b"\n")),
)
def mime_lines(xds: Submission) -> Findings:
    if xds.bare_line_feeds:
        yield Broken(message="Les lignes MIME se terminent par LF.", expected="CRLF", actual="LF")


@XDS.rule(
    "XDS-007",
    "Les délimiteurs MIME commencent leur ligne",
    reference=w3c("RFC 2046", "5.1.1"),
    tolerated=True,
    bad=lambda: example.iti41(body=lambda data: data.replace(b"\r\n--exemple", b"\r\n  --exemple")),
)
def mime_delimiters(xds: Submission) -> Findings:
    if xds.indented:
        yield Broken(message="Des délimiteurs MIME sont en retrait : ils ne délimitent rien.")


@XDS.rule(
    "XDS-010",
    "L'enveloppe est en SOAP 1.2",
    reference=w3c("SOAP 1.2 Part 1", "5.1"),
    bad=lambda: example.iti41(
        body=lambda data: data.replace(
            b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"
        )
    ),
)
def soap_version(xds: Submission) -> Findings:
    if xds.envelope is not None:
        yield from same(str(xds.envelope.tag), f"{_SOAP}Envelope", "/Envelope", "L'enveloppe")


@XDS.rule(
    "XDS-011",
    "L'Action WS-Addressing est ProvideAndRegisterDocumentSet-b",
    reference=iti("Vol. 2, 3.41.4.1"),
    bad=lambda: example.iti41(
        example.edit("//wsa:Action", value="urn:ihe:iti:2007:RegistryStoredQuery")
    ),
)
def action(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    found = header_texts(xds.envelope, "Action")
    yield from same(" ".join(found), Action.PROVIDE_AND_REGISTER, "//wsa:Action", "L'action")


@XDS.rule(
    "XDS-012",
    "MessageID est un URI urn:uuid",
    reference=_ADDRESSING,
    bad=lambda: example.iti41(example.edit("//wsa:MessageID", value="1")),
)
def message_id(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    found = header_texts(xds.envelope, "MessageID")
    if len(found) != 1 or not found[0].startswith("urn:uuid:"):
        yield Broken(
            message="MessageID manque ou n'est pas un URI.",
            expected="urn:uuid:…",
            actual=" ".join(found),
            where="//wsa:MessageID",
        )


@XDS.rule(
    "XDS-013",
    "L'en-tête To est présent",
    reference=TD21,
    bad=lambda: example.iti41(example.remove("//wsa:To")),
)
def destination(xds: Submission) -> Findings:
    if xds.envelope is not None and not addressing(xds.envelope, "To"):
        yield Broken(
            message="To manque : le DMP répond qu'un en-tête requis est absent.", where="//wsa:To"
        )


@XDS.rule(
    "XDS-014",
    "ReplyTo est l'adresse anonyme",
    reference=TD21,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(example.remove("//wsa:ReplyTo")),
)
def reply_to(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    found = [text_of(one.find(f"{_WSA}Address")) for one in addressing(xds.envelope, "ReplyTo")]
    yield from same(" ".join(found), ANONYMOUS, "//wsa:ReplyTo", "L'adresse de réponse")


@XDS.rule(
    "XDS-015",
    "mustUnderstand est l'attribut de SOAP",
    reference=w3c("SOAP 1.2 Part 1", "5.2.3"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(example.edit("//wsa:Action", "mustUnderstand", "true")),
)
def must_understand(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    for element in xds.envelope.iterfind("{*}Header/*"):
        if element.get("mustUnderstand") is not None:
            yield Broken(
                message="Sans le préfixe de SOAP, mustUnderstand ne demande rien.",
                expected="soap:mustUnderstand",
                actual="mustUnderstand",
                where=f"//{etree.QName(element).localname}",
            )


@XDS.rule(
    "XDS-016",
    "L'en-tête Security porte une assertion VIHF et une seule",
    reference=TD21,
    bad=lambda: example.iti41(example.remove("//saml:Assertion")),
)
def one_assertion(xds: Submission) -> Findings:
    if xds.envelope is None:
        return
    placed, everywhere = assertions(xds.envelope)
    if placed != 1 or everywhere != 1:
        yield Broken(
            message="Une seule assertion est attendue, dans Security.",
            expected="1",
            actual=f"{placed} dans Security, {everywhere} en tout",
            where="//wsse:Security",
        )
