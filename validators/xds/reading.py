"""What the ITI-41 rules judge: the package, its envelope, its registry objects, its documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.multipart import Headers
from spec.dmp import SIGNATURE_CLASS_CODE
from spec.xds import SUBMISSION_SET_NODE, EntryScheme
from validators import package
from validators.context import Context
from validators.kos.reading import Kos
from validators.kos.reading import read as read_kos
from validators.package import Part, decode_base64, part_of
from validators.xds.registry import RegistryObject

__all__ = ["Part", "Submission", "XdsSyntaxError", "read", "submit_request"]

RIM = f"{{{xml.NS['rim']}}}"
XDSB = f"{{{xml.NS['xdsb']}}}"
_REQUEST = f"{{{xml.NS['lcm']}}}SubmitObjectsRequest"
_PROVIDE = f"{XDSB}ProvideAndRegisterDocumentSetRequest"
_INCLUDE = f"{{{xml.NS['xop']}}}Include"


class XdsSyntaxError(RemoteProtocolError):
    """No submission can be found in these bytes."""


@dataclass(frozen=True)
class Submission:
    """A submission. What a form of input lacks (headers, parts, envelope) is empty or None.

    `request` is the `lcm:SubmitObjectsRequest`. `files` are the documents by entry id when they
    came otherwise than in the message (an archive). `indented` and `bare_line_feeds` say what had
    to be tolerated to read the package. `first_line` is the line where the XML document begins.
    What is looked for in the request is found once: a hundred rules ask for it.
    """

    context: Context
    request: etree._Element
    content_type: str = ""
    parts: tuple[Part, ...] = ()
    root_part: Part | None = None
    envelope: etree._Element | None = None
    start_line: str = ""
    headers: Headers = ()
    indented: bool = False
    bare_line_feeds: bool = False
    files: Mapping[str, bytes] | None = None
    first_line: int = 1
    _objects: list[RegistryObject] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = self.request.iter(f"{RIM}RegistryPackage", f"{RIM}ExtrinsicObject")
        object.__setattr__(self, "_objects", [RegistryObject(element) for element in found])

    @property
    def is_http(self) -> bool:
        """Whether it came with its HTTP headers."""
        return bool(self.start_line)

    @cached_property
    def sets(self) -> list[RegistryObject]:
        """The registry packages that are classified as submission sets."""
        nodes = f"{RIM}Classification[@classificationNode='{SUBMISSION_SET_NODE}']"
        classified = {
            element.get("classifiedObject", "") for element in self.request.iterfind(f".//{nodes}")
        }
        return [
            item
            for item in self._objects
            if item.kind == "RegistryPackage"
            and (item.id in classified or item.element.find(nodes) is not None)
        ]

    @cached_property
    def entries(self) -> list[RegistryObject]:
        """The document entries, the signature's included."""
        return [item for item in self._objects if item.kind == "ExtrinsicObject"]

    @cached_property
    def signatures(self) -> list[RegistryObject]:
        """The entries of lot signatures."""
        return [
            item
            for item in self.entries
            if SIGNATURE_CLASS_CODE in [code.value for code in item.codes(EntryScheme.CLASS_CODE)]
        ]

    @cached_property
    def contents(self) -> list[RegistryObject]:
        """The entries that are not signatures: the manifests, and whatever comes with them."""
        signatures = {id(item.element) for item in self.signatures}
        return [item for item in self.entries if id(item.element) not in signatures]

    @cached_property
    def manifests(self) -> list[RegistryObject]:
        """The entries whose mimeType is that of DICOM."""
        return [
            item
            for item in self.contents
            if item.element.get("mimeType", "").startswith("application/dicom")
        ]

    @cached_property
    def associations(self) -> list[etree._Element]:
        return list(self.request.iter(f"{RIM}Association"))

    @property
    def message(self) -> etree._Element:
        """What the schemas speak of: the request and its documents, or the request alone."""
        parent = self.request.getparent()
        return self.request if parent is None or parent.tag != _PROVIDE else parent

    @cached_property
    def document_elements(self) -> list[etree._Element]:
        """The `xdsb:Document` elements."""
        parent = self.request.getparent()
        return [] if parent is None else parent.findall(f"{XDSB}Document")

    def pointer(self, element: etree._Element) -> str | None:
        """The Content-ID that a Document element points at, None when it holds its bytes."""
        include = element.find(_INCLUDE)
        return None if include is None else include.get("href", "").removeprefix("cid:")

    def part(self, content_id: str) -> Part | None:
        """The part of that Content-ID, percent-encoded or not."""
        return part_of(self.parts, content_id)

    @cached_property
    def documents(self) -> dict[str, bytes]:
        """The bytes of each document that came with the submission, by its entry's id."""
        if self.files is not None:
            return dict(self.files)
        found: dict[str, bytes] = {}
        for element in self.document_elements:
            pointer = self.pointer(element)
            if pointer is not None:
                part = self.part(pointer)
                data = None if part is None else part.data
            else:
                data = decode_base64("".join(str(text) for text in element.itertext()).encode())
            if data is not None:
                found.setdefault(element.get("id", ""), data)
        return found

    @cached_property
    def seals(self) -> list[tuple[RegistryObject, etree._Element]]:
        """Each signature entry and its document, when it is XML."""
        found = []
        for item in self.signatures:
            try:
                root = xml.parse(self.documents.get(item.id, b"").strip())
            except RemoteProtocolError:
                continue
            found.append((item, root))
        return found

    @cached_property
    def kos(self) -> dict[str, Kos]:
        """The manifests that can be read, by entry id."""
        found: dict[str, Kos] = {}
        for item in self.manifests:
            try:
                found[item.id] = read_kos(self.documents.get(item.id, b""), self.context)
            except RemoteProtocolError:
                continue
        return found


def read(data: bytes, context: Context) -> Submission:
    """Read a submission: an HTTP request, its MIME body, its envelope or a METADATA.XML.

    Raises:
        RemoteProtocolError: unreadable, or without exactly one SubmitObjectsRequest.
    """
    message = package.read(data)
    return Submission(
        context,
        submit_request(message.root),
        message.content_type,
        message.parts,
        message.root_part,
        message.envelope,
        start_line=message.start_line,
        headers=message.headers,
        indented=message.indented,
        bare_line_feeds=message.bare_line_feeds,
        first_line=message.first_line,
    )


def submit_request(root: etree._Element) -> etree._Element:
    """The only `lcm:SubmitObjectsRequest` of a document.

    Raises:
        XdsSyntaxError: none, or several.
    """
    found = list(root.iter(_REQUEST))
    if len(found) != 1:
        raise XdsSyntaxError(
            f"un SubmitObjectsRequest attendu, {len(found)} trouvé(s)", where=str(root.tag)
        )
    return found[0]
