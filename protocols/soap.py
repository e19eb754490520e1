"""SOAP 1.2 envelopes with WS-Addressing 1.0 and one SAML assertion in `wsse:Security`.

Syntax only: which headers a service demands, and what the assertion must say, is for the services
and the judges. A header that is absent is None here, a header that is empty is "".

Réf. SOAP 1.2 Part 1 (W3C 2007) sections 5 and 5.4; WS-Addressing 1.0 Core section 3.4 and SOAP
Binding section 5 (W3C 2006); WSS SOAP Message Security 1.1 section 5 (OASIS).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from lxml import etree

from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.xml import NS, serialize
from protocols.xml import parse as parse_xml

__all__ = [
    "ANONYMOUS",
    "FAULT_ACTION",
    "Envelope",
    "Fault",
    "SoapError",
    "build",
    "build_fault",
    "from_element",
    "parse",
    "parse_fault",
]

ANONYMOUS = "http://www.w3.org/2005/08/addressing/anonymous"
"""WS-Addressing 1.0 Core section 3.2.1: the answer goes back on the same connection."""
FAULT_ACTION = "http://www.w3.org/2005/08/addressing/soap/fault"
"""WS-Addressing 1.0 SOAP Binding section 6: the Action of a SOAP fault."""

_SOAP = f"{{{NS['soap']}}}"
_WSA = f"{{{NS['wsa']}}}"
_WSSE = f"{{{NS['wsse']}}}"
_SAML = f"{{{NS['saml']}}}"
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_MUST_UNDERSTAND = {f"{_SOAP}mustUnderstand": "true"}


class SoapError(RemoteProtocolError):
    """Well-formed XML that is not a SOAP 1.2 envelope, or an ambiguous one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message: addressing headers, the assertion, the body's only child.

    `security` is the `saml:Assertion` that `wsse:Security` holds, a live element of the parsed
    tree: its signature is checked on it, unmoved.
    """

    action: str | None = None
    message_id: str | None = None
    to: str | None = None
    relates_to: str | None = None
    reply_to: str | None = None
    security: etree._Element | None = None
    body: etree._Element | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A SOAP 1.2 fault. `code` is a local name (`Sender`, `Receiver`...), `subcode` too.

    `subcode_namespace` is the one that the subcode's prefix stands for: the field writes its own
    subcodes with the SOAP prefix.
    """

    code: str
    reason: str
    subcode: str = ""
    subcode_namespace: str = NS["soap"]
    lang: str = "fr"
    detail: str = ""


def build(envelope: Envelope) -> bytes:
    """UTF-8 bytes of an envelope. The elements given are copied, not moved.

    Raises:
        LocalProtocolError: no Action.
    """
    if envelope.action is None:
        raise LocalProtocolError("a WS-Addressing message has an Action")
    root = etree.Element(f"{_SOAP}Envelope", nsmap={"soap": NS["soap"]})
    head = etree.SubElement(root, f"{_SOAP}Header", nsmap={"wsa": NS["wsa"]})
    _text(head, "Action", envelope.action, must_understand=True)
    for name, value in (
        ("MessageID", envelope.message_id),
        ("To", envelope.to),
        ("RelatesTo", envelope.relates_to),
    ):
        if value is not None:
            _text(head, name, value)
    if envelope.reply_to is not None:
        reply_to = etree.SubElement(head, f"{_WSA}ReplyTo", _MUST_UNDERSTAND)
        _text(reply_to, "Address", envelope.reply_to)
    if envelope.security is not None:
        security = etree.SubElement(
            head, f"{_WSSE}Security", _MUST_UNDERSTAND, nsmap={"wsse": NS["wsse"]}
        )
        security.append(_detached(envelope.security))
    body = etree.SubElement(root, f"{_SOAP}Body")
    if envelope.body is not None:
        body.append(_detached(envelope.body))
    return serialize(root)


def _text(
    parent: etree._Element, name: str, value: str, *, must_understand: bool = False
) -> etree._Element:
    child = etree.SubElement(parent, _WSA + name, _MUST_UNDERSTAND if must_understand else None)
    child.text = value
    return child


def _detached(element: etree._Element) -> etree._Element:
    detached = copy.deepcopy(element)
    detached.tail = None
    return detached


def parse(data: bytes) -> Envelope:
    """The envelope in these bytes.

    Raises:
        XmlError: not well-formed.
        SoapError: see `from_element`.
    """
    return from_element(parse_xml(data.lstrip(b" \t\r\n")))


def from_element(root: etree._Element) -> Envelope:
    """The envelope of a parsed tree; its elements stay in that tree.

    Raises:
        SoapError: another root or SOAP version, no Body, a header or an assertion twice.
    """
    if root.tag != f"{_SOAP}Envelope":
        name = etree.QName(root)
        if name.namespace == _SOAP_11:
            raise SoapError("enveloppe SOAP 1.1 : SOAP 1.2 attendu", where="/Envelope")
        raise SoapError(f"enveloppe SOAP 1.2 attendue, reçu {root.tag}", where="/")
    body = _only(root, f"{_SOAP}Body")
    if body is None:
        raise SoapError("enveloppe sans Body", where="/soap:Envelope")
    head = _only(root, f"{_SOAP}Header")
    children = _elements(body)
    if len(children) > 1:
        raise SoapError("Body à plusieurs enfants", where="/soap:Envelope/soap:Body")
    fields = {
        field: _header_text(head, name)
        for field, name in (
            ("action", "Action"),
            ("message_id", "MessageID"),
            ("to", "To"),
            ("relates_to", "RelatesTo"),
        )
    }
    return Envelope(
        **fields,
        reply_to=_reply_to(head),
        security=_security(head),
        body=children[0] if children else None,
    )


def _elements(parent: etree._Element) -> list[etree._Element]:
    return [child for child in parent if isinstance(child.tag, str)]


def _only(parent: etree._Element | None, tag: str) -> etree._Element | None:
    """The child of that name; two of them would let one be signed and the other be read."""
    found = parent.findall(tag) if parent is not None else []
    if len(found) > 1:
        raise SoapError(f"{etree.QName(tag).localname} présent {len(found)} fois")
    return found[0] if found else None


def _header_text(head: etree._Element | None, name: str) -> str | None:
    element = _only(head, _WSA + name)
    return None if element is None else (element.text or "").strip()


def _reply_to(head: etree._Element | None) -> str | None:
    reply_to = _only(head, f"{_WSA}ReplyTo")
    return None if reply_to is None else _header_text(reply_to, "Address") or ""


def _security(head: etree._Element | None) -> etree._Element | None:
    security = _only(head, f"{_WSSE}Security")
    return _only(security, f"{_SAML}Assertion")


def build_fault(
    fault: Fault,
    *,
    message_id: str | None = None,
    relates_to: str | None = None,
    action: str = FAULT_ACTION,
) -> bytes:
    """UTF-8 bytes of an envelope whose body is a fault."""
    element = etree.Element(f"{_SOAP}Fault", nsmap={"soap": NS["soap"]})
    code = etree.SubElement(element, f"{_SOAP}Code")
    etree.SubElement(code, f"{_SOAP}Value").text = f"soap:{fault.code}"
    if fault.subcode:
        subcode = etree.SubElement(code, f"{_SOAP}Subcode")
        prefix = "soap" if fault.subcode_namespace == NS["soap"] else "code"
        value = etree.SubElement(subcode, f"{_SOAP}Value", nsmap={prefix: fault.subcode_namespace})
        value.text = f"{prefix}:{fault.subcode}"
    reason = etree.SubElement(element, f"{_SOAP}Reason")
    text = etree.SubElement(reason, f"{_SOAP}Text", {_XML_LANG: fault.lang})
    text.text = fault.reason
    if fault.detail:
        etree.SubElement(element, f"{_SOAP}Detail").text = fault.detail
    return build(
        Envelope(
            action=action,
            message_id=message_id,
            to=ANONYMOUS,
            relates_to=relates_to,
            body=element,
        )
    )


def parse_fault(body: etree._Element | None) -> Fault | None:
    """The fault that a body holds, or None when it holds something else.

    Raises:
        SoapError: a fault without Code, or whose code has a prefix that stands for nothing.
    """
    if body is None or body.tag != f"{_SOAP}Fault":
        return None
    value = body.find(f"{_SOAP}Code/{_SOAP}Value")
    if value is None:
        raise SoapError("Fault sans Code", where="/soap:Envelope/soap:Body/soap:Fault")
    _, code = _qname(value)
    subcode_value = body.find(f"{_SOAP}Code/{_SOAP}Subcode/{_SOAP}Value")
    namespace, subcode = (NS["soap"], "") if subcode_value is None else _qname(subcode_value)
    text = body.find(f"{_SOAP}Reason/{_SOAP}Text")
    detail = body.find(f"{_SOAP}Detail")
    return Fault(
        code=code,
        reason="" if text is None else (text.text or ""),
        subcode=subcode,
        subcode_namespace=namespace,
        lang="" if text is None else text.get(_XML_LANG, ""),
        detail="" if detail is None else "".join(str(t) for t in detail.itertext()),
    )


def _qname(element: etree._Element) -> tuple[str, str]:
    prefix, colon, local = (element.text or "").strip().rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    if namespace is None:
        if colon:
            raise SoapError(f"préfixe {prefix!r} non déclaré dans un code de Fault")
        namespace = ""
    return namespace, local
