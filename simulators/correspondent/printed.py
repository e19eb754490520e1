"""What a person sees of a report: the page that its CDA carries, and the links of that page."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from protocols import cda
from protocols.errors import RemoteProtocolError

__all__ = ["links_of", "page_of"]


def page_of(document: bytes) -> bytes:
    """The PDF of a report of level 1.

    Raises:
        RemoteProtocolError: it is no CDA, or has no PDF for body.
    """
    body = cda.parse(document).body
    if body is None or body.media_type != "application/pdf" or body.data is None:
        raise RemoteProtocolError("le compte rendu n'a pas de PDF pour corps")
    return body.data


def links_of(document: bytes) -> tuple[str, ...]:
    """The addresses that a click on the page of a CDA follows, each once, in their order.

    Raises:
        RemoteProtocolError: it is no CDA, or its page cannot be read.
    """
    try:
        pages = PdfReader(BytesIO(page_of(document))).pages
        found = [
            str(target["/URI"])
            for page in pages
            for mark in page.annotations or ()
            if (target := mark.get_object().get("/A")) is not None and "/URI" in target
        ]
    except (PyPdfError, KeyError, ValueError) as error:
        raise RemoteProtocolError(f"la page du compte rendu est illisible : {error}") from error
    return tuple(dict.fromkeys(found))
