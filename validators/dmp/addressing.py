"""What every message to or from the DMP has around its body: one rule set, many kinds."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from protocols.xml import NS
from spec.grade import Grade, Reference
from validators.context import Context
from validators.dmp.reading import Message, earlier
from validators.examples import dmp as example
from validators.examples.xds import Tamper, edit, remove
from validators.finding import Severity
from validators.inherit import inherit
from validators.package import media_type
from validators.rule import Broken, RuleSet
from validators.soap import ANONYMOUS, addressing, assertions, header_texts, text_of
from validators.xds.rules import XDS, Findings, same, w3c

__all__ = ["GIE", "GIE_RIGHTS", "answer_rules", "request_rules"]

GIE = Reference("GIE SESAM-Vitale, exemples de messages DMP", grade=Grade.SAMPLE)
GIE_RIGHTS = Reference(
    "GIE SESAM-Vitale, PDT-INF-526 et PDT-INF-606", "matrices de droits", Grade.SAMPLE
)

_SOAP = f"{{{NS['soap']}}}"
_WSA = f"{{{NS['wsa']}}}"
_ADDRESSING = w3c("WS-Addressing 1.0 SOAP Binding", "2")
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


def _action(rules: RuleSet, id: str, make: Make, *, expected: tuple[str, ...]) -> None:
    @rules.rule(
        id,
        "L'Action WS-Addressing est celle de la transaction",
        reference=_ADDRESSING,
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
    """Register the rules 001 to 008 of a request, and those that it shares with ITI-41.

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

    @rules.rule(
        f"{prefix}-008",
        "Le type de média est celui de SOAP 1.2",
        reference=w3c("SOAP 1.2 Part 2", "7.1.4"),
        bad=lambda: make(None).replace(b"application/soap+xml", b"application/json"),
    )
    def soap_media(message: Message) -> Findings:
        if message.package.is_http and not message.package.parts:
            kind, _ = media_type(message.package.content_type)
            yield from same(kind, "application/soap+xml", "Content-Type", "Le type de média")

    inherit(rules, XDS, ("XDS-183",), example=lambda _: make(_unmarked))


def _unmarked(root: etree._Element) -> None:
    del next(root.iter(f"{_WSA}Action")).attrib[f"{_SOAP}mustUnderstand"]


def answer_rules(rules: RuleSet, prefix: str, actions: tuple[str, ...], make: Make) -> None:
    """Register the rules 101 to 106 of an answer."""
    _version(rules, f"{prefix}-101", make)
    _action(rules, f"{prefix}-102", make, expected=actions)

    @rules.rule(
        f"{prefix}-103",
        "RelatesTo nomme la demande",
        reference=w3c("WS-Addressing 1.0 Core", "3.4"),
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
        reference=w3c("WS-Addressing 1.0 Core", "3.4"),
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


def _without_lines(answer: bytes) -> bytes:
    """A package whose part headers have no line ends, as the public sample."""
    start = answer.index(b"<soap:Envelope")
    return b"--exempleContent-Type: application/xop+xml" + answer[start:] + b"--exemple--"
