"""What the HL7 v2 rules judge: a parsed message, its document, and the case that it belongs to."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from lxml import etree

from protocols import hl7v2, xml
from protocols.errors import RemoteProtocolError
from spec import hl7v2 as volet
from validators.context import Context
from validators.hl7v2.bounds import require_bounded
from validators.hl7v2.framing import Capture, capture, is_framed

__all__ = ["Hl7Artefact", "profile_of", "read"]


@dataclass(frozen=True, slots=True)
class Hl7Artefact:
    """A message and what the rules ask of it more than once.

    `document` is the OBX that carries the report, `payload` its decoded bytes (None when they
    are not base64), `cda` the root of the report (None when it is not XML). `capture` is the MLLP
    stream that the message came in, None when the bytes were the message alone.
    """

    message: hl7v2.Message
    context: Context
    document: hl7v2.Segment | None = None
    payload: bytes | None = None
    cda: etree._Element | None = None
    capture: Capture | None = None

    @property
    def former(self) -> bool:
        """The message announces version 2.0 of the volet."""
        return profile_of(self.message) == volet.FORMER_PROFILE

    def value(self, path: str) -> str:
        """The unescaped characters at a path, "" when absent."""
        return self.message.value(path)

    def at(self, part: hl7v2.Segment, path: str) -> str:
        """The HL7 path of a field of one segment, ranked among those of its name."""
        same = [other.index for other in self.message.all(part.name)]
        return f"{part.name}[{same.index(part.index) + 1}]-{path}"

    def cda_values(self, path: str) -> list[str]:
        """Attribute values of the report's header, by XPath; none without a readable report."""
        if self.cda is None:
            return []
        found = self.cda.xpath(path, namespaces=xml.NS)
        return [str(value) for value in found] if isinstance(found, list) else []


def read(data: bytes, context: Context) -> Hl7Artefact:
    """Read a message, with or without its MLLP frame.

    Raises:
        RemoteProtocolError: there is no message here.
    """
    stream = capture(data) if is_framed(data) else None
    message = hl7v2.parse(data if stream is None else stream.first)
    require_bounded(message)
    document = _document(message)
    payload = None if document is None else _payload(document)
    return Hl7Artefact(message, context, document, payload, _root(payload), stream)


def profile_of(message: hl7v2.Message) -> str:
    """MSH-21, without the blank that the volet's own samples put behind the circumflex."""
    return "^".join(part.strip() for part in message.value("MSH-21").split("^"))


def _document(message: hl7v2.Message) -> hl7v2.Segment | None:
    """The first ED observation that is not a mail body."""
    for obx in message.all("OBX"):
        coded = obx.field(3).component(3).value == volet.META_SYSTEM
        if obx.field(2).value == "ED" and not coded:
            return obx
    return None


def _payload(document: hl7v2.Segment) -> bytes | None:
    encoded = document.field(5).component(5).raw
    try:
        return base64.b64decode(encoded, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _root(payload: bytes | None) -> etree._Element | None:
    if payload is None:
        return None
    try:
        return xml.parse(payload)
    except RemoteProtocolError:
        return None
