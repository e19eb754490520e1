"""Example capabilities answers: a WADL description, its JSON form, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lxml import etree

from protocols import xml
from spec.wado import KOS_HEADER

__all__ = ["health", "http", "json_form", "wadl"]

_BASE = "https://db900.test.mesimagesmedicales.fr/dicomweb/"
_PATHS = (
    "studies/{StudyInstanceUID}",
    "studies/{StudyInstanceUID}/series/{SeriesInstanceUID}",
)
_IDS = dict(zip(_PATHS, ("RetrieveStudy", "RetrieveSeries"), strict=True))
_DICOM = 'multipart/related; type="application/dicom"'
_HEADERS = ("Accept", "Authorization", KOS_HEADER)


def wadl(
    *,
    namespace: str = "http://wadl.dev.java.net/2009/02",
    base: str = _BASE,
    paths: Sequence[str] = _PATHS,
    media_type: str = _DICOM,
    headers: Sequence[str] = _HEADERS,
    verb: str = "GET",
) -> bytes:
    """A description in WADL, one method for each path."""
    tag = f"{{{namespace}}}"
    root = etree.Element(f"{tag}application", nsmap={"wadl": namespace})
    resources = etree.SubElement(root, f"{tag}resources", base=base)
    for rank, path in enumerate(paths, start=1):
        resource = etree.SubElement(resources, f"{tag}resource", path=path)
        id = _IDS.get(path, f"Method{rank}")
        method = etree.SubElement(resource, f"{tag}method", name=verb, id=id)
        request = etree.SubElement(method, f"{tag}request")
        for name in headers:
            etree.SubElement(request, f"{tag}param", name=name, style="header", required="true")
        response = etree.SubElement(method, f"{tag}response", status="200")
        etree.SubElement(response, f"{tag}representation", mediaType=media_type)
    return xml.serialize(root)


def json_form(*, paths: Sequence[str] = _PATHS) -> bytes:
    """The same in JSON, in the form of the reference DRIMbox: no text fixes one."""
    document = {
        "base": _BASE,
        "resources": [{"path": path, "method": "GET", "representation": _DICOM} for path in paths],
        "headers": list(_HEADERS),
    }
    return json.dumps(document).encode()


def health(status: str = "UP", **more: str) -> bytes:
    """A sign of life in JSON, in the form of MicroProfile Health."""
    return json.dumps({"status": status, "checks": [], **more}).encode()


def http(
    body: bytes,
    *,
    status: str = "200 OK",
    media_type: str = "application/vnd.sun.wadl+xml",
    more: Sequence[tuple[str, str]] = (),
) -> bytes:
    """The HTTP answer that carries a body."""
    headers = (("Content-Type", media_type), *more)
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
