"""What the rules of DMP messages judge: the package, its envelope, its body, its lot."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from validators import package
from validators.context import Context
from validators.package import Package
from validators.soap import header_texts
from validators.xds.reading import Submission

__all__ = ["Message", "MessageError", "answer", "earlier", "request"]

_RS = f"{{{NS['rs']}}}"
_SALVAGE = 1024 * 1024
_ENVELOPE = re.compile(rb"<((?:[\w.-]+:)?)Envelope[\s>]")


class MessageError(RemoteProtocolError):
    """Not the message expected."""


@dataclass(frozen=True)
class Message:
    """A message to or from the DMP. `damaged` says that its MIME package could not be read."""

    context: Context
    package: Package
    body: etree._Element
    damaged: bool = False

    @property
    def envelope(self) -> etree._Element | None:
        return self.package.envelope

    @cached_property
    def lot(self) -> Submission:
        """The registry objects of the body, as the rules of a publication judge them."""
        return Submission(
            self.context, self.body, envelope=self.envelope, first_line=self.package.first_line
        )

    @property
    def status(self) -> str:
        """The status of a registry's answer."""
        return self.body.get("status", "")

    @property
    def errors(self) -> list[etree._Element]:
        """The errors of a registry's answer."""
        return self.body.findall(f"{_RS}RegistryErrorList/{_RS}RegistryError")


Reader = Callable[[bytes, Context], Message]


def request(tag: str) -> Reader:
    """A reader of messages whose body, or root, is an element of that name."""

    def read(data: bytes, context: Context) -> Message:
        """Read a request.

        Raises:
            RemoteProtocolError: unreadable, or another message.
        """
        return _message(package.read(data), tag, context)

    return read


def answer(tag: str) -> Reader:
    """The same, for an answer: what a damaged package can still give is read.

    The public sample of an answer has lost the line ends of its part headers.
    """

    def read(data: bytes, context: Context) -> Message:
        """Read an answer.

        Raises:
            RemoteProtocolError: unreadable, or another message.
        """
        try:
            return _message(package.read(data), tag, context)
        except RemoteProtocolError:
            found = _envelope(data[:_SALVAGE])
            if found is None or data.lstrip(b" \t\r\n").startswith(b"<"):
                raise
        salvaged = Package(root=xml.parse(found))
        return replace(_message(salvaged, tag, context), damaged=True)

    return read


def _envelope(data: bytes) -> bytes | None:
    """From the first opening tag of an envelope to its last closing tag."""
    opening = _ENVELOPE.search(data)
    if opening is None:
        return None
    closing = b"</" + opening[1] + b"Envelope>"
    end = data.rfind(closing)
    return data[opening.start() : end + len(closing)] if end > opening.start() else None


def _message(found: Package, tag: str, context: Context) -> Message:
    body = found.body
    if body is None or body.tag != tag:
        name = "rien" if body is None else str(body.tag)
        wanted = etree.QName(tag).localname
        raise MessageError(f"{wanted} attendu, {name[:120]} trouvé", where="/Envelope/Body")
    return Message(context, found, body)


def earlier(context: Context) -> tuple[etree._Element, str] | None:
    """Body and MessageID of the request that an answer is judged with, None when unknown."""
    if not context.request:
        return None
    try:
        found = package.read(context.request)
    except RemoteProtocolError:
        return None
    if found.body is None:
        return None
    return found.body, " ".join(header_texts(found.envelope, "MessageID"))
