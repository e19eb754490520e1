"""What every message to or from the DMP has around its body: one rule set, many kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from protocols.xml import NS
from spec.grade import Grade, Reference
from validators.carriage import charset_rule, fault_status_rule, host_rule, success_status_rule
from validators.context import Context
from validators.dmp.bearer import bearer_rules
from validators.dmp.reading import Message, earlier
from validators.examples import dmp as example
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.package import Package, media_type
from validators.rule import Broken, Example, RuleSet
from validators.soap import ANONYMOUS, addressing, assertions, header_texts, text_of
from validators.xds.reading import Submission
from validators.xds.rules import XDS, Findings, same, w3c

__all__ = ["GIE", "GIE_RIGHTS", "answer_rules", "fault_rules", "package_rules", "request_rules"]

GIE = Reference("GIE SESAM-Vitale, exemples de messages DMP", grade=Grade.SAMPLE)
GIE_RIGHTS = Reference(
    "GIE SESAM-Vitale, PDT-INF-526 et PDT-INF-606", "matrices de droits", Grade.SAMPLE
)

_SOAP = f"{{{NS['soap']}}}"
_WSA = f"{{{NS['wsa']}}}"
_ADDRESSING = w3c("WS-Addressing 1.0 SOAP Binding", "2")
_CORE = w3c("WS-Addressing 1.0 Core", "3.4")
_SOAP_11 = b"http://schemas.xmlsoap.org/soap/envelope/"

Make = Callable[[Tamper | None], bytes]
"""Makes an example of the kind, its envelope spoiled."""


def _old_soap(make: Make) -> bytes:
    return make(None).replace(NS["soap"].encode(), _SOAP_11)


def _version(rules: RuleSet, id: str, make: Make) -> None:
    @rules.rule(
        id,
        "L'enveloppe est en SOAP 1.2",
        reference=w3c("SOAP 1.2 Part 1", "5.1"),
        bad=lambda: _old_soap(make),
    )
    def soap_version(message: Message) -> Findings:
        if message.envelope is not None:
            written = str(message.envelope.tag)
            yield from same(written, f"{_SOAP}Envelope", "/Envelope", "L'enveloppe")


def _action(
    rules: RuleSet,
    id: str,
    make: Make,
    *,
    expected: tuple[str, ...],
    severity: Severity = Severity.ERROR,
) -> None:
    @rules.rule(
        id,
        "L'Action WS-Addressing est celle de la transaction",
        reference=_ADDRESSING,
        severity=severity,
        bad=lambda: make(edit("//wsa:Action", value="urn:kit:autre")),
    )
    def action(message: Message) -> Findings:
        found = " ".join(header_texts(message.envelope, "Action"))
        if message.envelope is not None and found not in expected:
            yield Broken(
                message="L'action n'est pas celle attendue.",
                expected=" | ".join(expected),
                actual=found,
                where="//wsa:Action",
            )


def request_rules(rules: RuleSet, prefix: str, action: str, make: Make) -> None:
    """Register the rules 001 to 008, 090 and 091 of a request, and those shared with ITI-41.

    Args:
        prefix: of the ids (`ITI18` gives `ITI18-001`).
        action: the WS-Addressing Action demanded.
    """
    _version(rules, f"{prefix}-001", make)
    _action(rules, f"{prefix}-002", make, expected=(action,))

    @rules.rule(
        f"{prefix}-003",
        "MessageID est un URI urn:uuid",
        reference=_ADDRESSING,
        bad=lambda: make(edit("//wsa:MessageID", value="1")),
    )
    def message_id(message: Message) -> Findings:
        found = header_texts(message.envelope, "MessageID")
        if message.envelope is not None and (
            len(found) != 1 or not found[0].startswith("urn:uuid:")
        ):
            yield Broken(
                message="MessageID manque ou n'est pas un URI.",
                expected="urn:uuid:…",
                actual=" ".join(found),
                where="//wsa:MessageID",
            )

    @rules.rule(
        f"{prefix}-004",
        "L'en-tête To est présent",
        reference=GIE,
        bad=lambda: make(remove("//wsa:To")),
    )
    def destination(message: Message) -> Findings:
        if message.envelope is not None and not addressing(message.envelope, "To"):
            yield Broken(
                message="To manque : le DMP répond qu'un en-tête requis est absent.",
                where="//wsa:To",
            )

    @rules.rule(
        f"{prefix}-005",
        "ReplyTo est l'adresse anonyme",
        reference=GIE,
        severity=Severity.WARNING,
        bad=lambda: make(remove("//wsa:ReplyTo")),
    )
    def reply_to(message: Message) -> Findings:
        if message.envelope is not None:
            found = [
                text_of(one.find(f"{_WSA}Address"))
                for one in addressing(message.envelope, "ReplyTo")
            ]
            yield from same(" ".join(found), ANONYMOUS, "//wsa:ReplyTo", "L'adresse de réponse")

    @rules.rule(
        f"{prefix}-006",
        "mustUnderstand est l'attribut de SOAP",
        reference=w3c("SOAP 1.2 Part 1", "5.2.3"),
        severity=Severity.WARNING,
        bad=lambda: make(edit("//wsa:Action", "mustUnderstand", "true")),
    )
    def must_understand(message: Message) -> Findings:
        headers = [] if message.envelope is None else message.envelope.iterfind("{*}Header/*")
        for element in headers:
            if element.get("mustUnderstand") is not None:
                yield Broken(
                    message="Sans le préfixe de SOAP, mustUnderstand ne demande rien.",
                    expected="soap:mustUnderstand",
                    actual="mustUnderstand",
                    where=f"//{etree.QName(element).localname}",
                )

    @rules.rule(
        f"{prefix}-007",
        "L'en-tête Security porte une assertion VIHF et une seule",
        reference=GIE,
        bad=lambda: make(remove("//saml:Assertion")),
    )
    def one_assertion(message: Message) -> Findings:
        if message.envelope is None:
            return
        placed, everywhere = assertions(message.envelope)
        if placed != 1 or everywhere != 1:
            yield Broken(
                message="Une seule assertion est attendue, dans Security.",
                expected="1",
                actual=f"{placed} dans Security, {everywhere} en tout",
                where="//wsse:Security",
            )

    _media(rules, f"{prefix}-008", make)
    bearer_rules(rules, prefix, lambda: make(None), lambda message: message.package.headers)
    inherit(rules, XDS, ("XDS-183",), example=lambda _: make(_unmarked))
    host_rule(rules, lambda message: (message.package.start_line, message.package.headers))
    charset_rule(rules, _package, lambda: make(None))


def _package(message: Message) -> Package:
    return message.package


def _media(rules: RuleSet, id: str, make: Make) -> None:
    @rules.rule(
        id,
        "Le type de média est celui de SOAP 1.2",
        reference=w3c("SOAP 1.2 Part 2", "7.1.4"),
        good=lambda: _plain(make(None)),
        bad=lambda: _plain(make(None)).replace(b"application/soap+xml", b"application/json"),
    )
    def soap_media(message: Message) -> Findings:
        # Of a package, XDS-001 and XDS-184 say it.
        if message.package.is_http and not message.package.parts:
            kind, _ = media_type(message.package.content_type)
            yield from same(kind, "application/soap+xml", "Content-Type", "Le type de média")


def _plain(message: bytes) -> bytes:
    """The same message without its MIME package, when it has one."""
    head, _, body = message.partition(b"\r\n\r\n")
    if not body.startswith(b"--"):
        return message
    start, end = body.index(b"<soap:Envelope"), body.index(b"</soap:Envelope>")
    first = head.partition(b"\r\n")[0]
    envelope = body[start : end + len(b"</soap:Envelope>")]
    kind = b"Content-Type: application/soap+xml; charset=UTF-8"
    return first + b"\r\n" + kind + b"\r\n\r\n" + envelope


def _unmarked(root: etree._Element) -> None:
    del next(root.iter(f"{_WSA}Action")).attrib[f"{_SOAP}mustUnderstand"]


def answer_rules(
    rules: RuleSet, prefix: str, actions: tuple[str, ...], make: Make, *, plain: bool = True
) -> None:
    """Register the rules 101 to 108 of an answer, and those that it shares with ITI-41.

    `plain` is false where the answer always comes in a package: `package_rules` judges its types.
    """
    _version(rules, f"{prefix}-101", make)
    _addressed(rules, prefix, actions, make, severity=Severity.ERROR)
    if plain:
        _media(rules, f"{prefix}-107", make)
        charset_rule(rules, _package, lambda: _plain(make(None)))
    success_status_rule(rules, _package)


def fault_rules(rules: RuleSet, prefix: str, actions: tuple[str, ...], make: Make) -> None:
    """Register the rules 102 to 108 of a fault: who could not read a request cannot name it."""
    _addressed(rules, prefix, actions, make, severity=Severity.WARNING)
    _media(rules, f"{prefix}-107", make)
    charset_rule(rules, _package, lambda: make(None))
    fault_status_rule(rules, _package)


def _addressed(
    rules: RuleSet, prefix: str, actions: tuple[str, ...], make: Make, *, severity: Severity
) -> None:
    _action(rules, f"{prefix}-102", make, expected=actions, severity=severity)

    @rules.rule(
        f"{prefix}-103",
        "RelatesTo nomme la demande",
        reference=_CORE,
        severity=severity,
        bad=lambda: make(remove("//wsa:RelatesTo")),
    )
    def relates_to(message: Message) -> Findings:
        if message.envelope is None:
            return
        found = header_texts(message.envelope, "RelatesTo")
        if len(found) != 1 or not found[0]:
            yield Broken(
                message="RelatesTo doit figurer une fois.",
                expected="1",
                actual=str(len(found)),
                where="//wsa:RelatesTo",
            )

    @rules.rule(
        f"{prefix}-104",
        "RelatesTo est le MessageID de la demande",
        reference=_CORE,
        given=Context(request=example.asked_query()),
        bad=lambda: make(edit("//wsa:RelatesTo", value="urn:uuid:0")),
    )
    def relates_to_request(message: Message) -> Findings:
        asked = earlier(message.context)
        found = " ".join(header_texts(message.envelope, "RelatesTo"))
        if asked is not None and asked[1] and found:
            yield from same(found, asked[1], "//wsa:RelatesTo", "La demande nommée")

    @rules.rule(
        f"{prefix}-105",
        "Le paquet MIME de la réponse est lisible",
        reference=w3c("RFC 2046", "5.1"),
        tolerated=True,
        bad=lambda: _without_lines(make(None)),
    )
    def readable_package(message: Message) -> Findings:
        # The public sample has lost the line ends of its part headers: judged all the same.
        if message.damaged:
            yield Broken(message="Le paquet MIME est abîmé : seule l'enveloppe a pu être lue.")

    @rules.rule(
        f"{prefix}-106",
        "La réponse a un MessageID, un URI urn:uuid",
        reference=GIE,
        severity=Severity.WARNING,
        bad=lambda: make(edit("//wsa:MessageID", value="1")),
    )
    def identified(message: Message) -> Findings:
        found = header_texts(message.envelope, "MessageID")
        if message.envelope is not None and (
            len(found) != 1 or not found[0].startswith("urn:uuid:")
        ):
            yield Broken(
                message="MessageID manque ou n'est pas un URI.",
                expected="urn:uuid:…",
                actual=" ".join(found),
                where="//wsa:MessageID",
            )

    @rules.rule(
        f"{prefix}-108",
        "To, s'il est écrit, est l'adresse de réponse de la demande : l'adresse anonyme",
        reference=_CORE,
        severity=Severity.WARNING,
        bad=lambda: make(edit("//wsa:To", value="urn:kit:ailleurs")),
    )
    def back(message: Message) -> Findings:
        for written in header_texts(message.envelope, "To"):
            yield from same(written, ANONYMOUS, "//wsa:To", "Le destinataire")

    for id, spoil in (
        ("XDS-015", edit("//wsa:Action", "mustUnderstand", "true")),
        ("XDS-182", edit("//wsa:Action", f"{_SOAP}mustUnderstand", "oui")),
    ):
        inherit(
            rules,
            XDS,
            (id,),
            example=_made(make, spoil),
            parts=_lot,
            requirements=rules.requirements,
        )


def _made(make: Make, spoil: Tamper) -> Callable[[bytes], bytes]:
    return lambda _: make(spoil)


def _replaced(make: Example, right: bytes, wrong: bytes) -> Callable[[bytes], bytes]:
    return lambda _: make().replace(right, wrong)


def _lot(message: Message) -> Iterator[tuple[str, Submission]]:
    yield "", message.lot


_PACKAGE_FAULTS = (
    ("XDS-001", b"start-info=", b"debut="),
    ("XDS-002", b'start="<', b'start="<autre.'),
    ("XDS-005", b"Transfer-Encoding: binary", b"Transfer-Encoding: quoted-printable"),
    ("XDS-006", b"\r\n", b"\n"),
    ("XDS-007", b"\r\n--exemple", b"\r\n  --exemple"),
    ("XDS-184", b'type="application/soap+xml"', b'type="text/xml"'),
    ("XDS-185", b"Transfer-Encoding: binary", b"Transfer-Encoding: brut"),
)
"""Rules of a publication's package, and what spoils a good one."""


def package_rules(rules: RuleSet, *, demanded: bool) -> None:
    """Register what ITI-41 says of MTOM packages for an answer that is one.

    `demanded` is false where the transaction also has plain answers: those are left alone.
    """

    def packages(message: Message) -> Iterator[tuple[str, Package]]:
        if demanded or message.package.parts:
            yield "", message.package

    for id, right, wrong in _PACKAGE_FAULTS:
        inherit(
            rules,
            XDS,
            (id,),
            example=_replaced(rules.good, right, wrong),
            parts=packages,
            requirements=rules.requirements,
        )


def _without_lines(answer: bytes) -> bytes:
    """A package whose part headers have no line ends, as the public sample."""
    start = answer.index(b"<soap:Envelope")
    return b"--exempleContent-Type: application/xop+xml" + answer[start:] + b"--exemple--"
