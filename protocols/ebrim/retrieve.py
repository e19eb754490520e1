"""RetrieveDocumentSet (ITI-43): which documents are asked for, and how they come back."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lxml import etree

from protocols.ebrim.model import EbrimError
from protocols.ebrim.response import (
    RegistryResponse,
    build_registry_response,
    parse_registry_response,
)
from protocols.mtom import include
from protocols.xml import NS

__all__ = [
    "DocumentRequest",
    "DocumentResponse",
    "RetrieveResponse",
    "build_retrieve",
    "build_retrieve_response",
    "parse_retrieve",
    "parse_retrieve_response",
]

_XDSB = f"{{{NS['xdsb']}}}"
_RS = f"{{{NS['rs']}}}"


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """One document, by its repository and its uniqueId (never the entryUUID)."""

    repository_unique_id: str
    document_unique_id: str
    home: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentResponse:
    """One document that came back.

    `content` is what to write (a Content-ID, or bytes inline); `element` is the `Document` that
    was read: `mtom.Package.resolve` gives its bytes.
    """

    repository_unique_id: str
    document_unique_id: str
    mime_type: str
    home: str = ""
    content: str | bytes = b""
    element: etree._Element | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrieveResponse:
    """The outcome and the documents."""

    registry: RegistryResponse
    documents: tuple[DocumentResponse, ...] = ()


def build_retrieve(requests: Iterable[DocumentRequest]) -> etree._Element:
    """`xdsb:RetrieveDocumentSetRequest`."""
    element = etree.Element(f"{_XDSB}RetrieveDocumentSetRequest", nsmap={"xdsb": NS["xdsb"]})
    for request in requests:
        child = etree.SubElement(element, f"{_XDSB}DocumentRequest")
        _texts(
            child,
            HomeCommunityId=request.home,
            RepositoryUniqueId=request.repository_unique_id,
            DocumentUniqueId=request.document_unique_id,
        )
    return element


def _texts(parent: etree._Element, **values: str) -> None:
    for name, value in values.items():
        if value:
            etree.SubElement(parent, _XDSB + name).text = value


def _text(parent: etree._Element, name: str) -> str:
    return (parent.findtext(_XDSB + name) or "").strip()


def parse_retrieve(element: etree._Element) -> tuple[DocumentRequest, ...]:
    """The documents that a `xdsb:RetrieveDocumentSetRequest` asks for.

    Raises:
        EbrimError: another element, or no DocumentRequest.
    """
    if element.tag != f"{_XDSB}RetrieveDocumentSetRequest":
        raise EbrimError(f"RetrieveDocumentSetRequest attendu, reçu {element.tag}")
    requests = tuple(
        DocumentRequest(
            _text(child, "RepositoryUniqueId"),
            _text(child, "DocumentUniqueId"),
            _text(child, "HomeCommunityId"),
        )
        for child in element.findall(f"{_XDSB}DocumentRequest")
    )
    if not requests:
        raise EbrimError("RetrieveDocumentSetRequest sans DocumentRequest")
    return requests


def build_retrieve_response(
    registry: RegistryResponse, documents: Sequence[DocumentResponse]
) -> etree._Element:
    """`xdsb:RetrieveDocumentSetResponse`."""
    element = etree.Element(
        f"{_XDSB}RetrieveDocumentSetResponse", nsmap={"xdsb": NS["xdsb"], "rs": NS["rs"]}
    )
    element.append(build_registry_response(registry))
    for document in documents:
        child = etree.SubElement(element, f"{_XDSB}DocumentResponse")
        _texts(
            child,
            HomeCommunityId=document.home,
            RepositoryUniqueId=document.repository_unique_id,
            DocumentUniqueId=document.document_unique_id,
            mimeType=document.mime_type,
        )
        body = etree.SubElement(child, f"{_XDSB}Document")
        if isinstance(document.content, bytes):
            body.text = base64.b64encode(document.content).decode("ascii")
        else:
            body.append(include(document.content))
    return element


def parse_retrieve_response(element: etree._Element) -> RetrieveResponse:
    """The answer in a `xdsb:RetrieveDocumentSetResponse`.

    Raises:
        EbrimError: another element, or no RegistryResponse.
    """
    if element.tag != f"{_XDSB}RetrieveDocumentSetResponse":
        raise EbrimError(f"RetrieveDocumentSetResponse attendu, reçu {element.tag}")
    registry = element.find(f"{_RS}RegistryResponse")
    if registry is None:
        raise EbrimError("RetrieveDocumentSetResponse sans RegistryResponse")
    return RetrieveResponse(
        registry=parse_registry_response(registry),
        documents=tuple(
            DocumentResponse(
                repository_unique_id=_text(child, "RepositoryUniqueId"),
                document_unique_id=_text(child, "DocumentUniqueId"),
                mime_type=_text(child, "mimeType"),
                home=_text(child, "HomeCommunityId"),
                element=child.find(f"{_XDSB}Document"),
            )
            for child in element.findall(f"{_XDSB}DocumentResponse")
        ),
    )
