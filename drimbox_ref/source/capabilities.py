"""What the service says it can do (DICOM PS3.18 8.9): a WADL document, or the same in JSON."""

from __future__ import annotations

import json

from lxml import etree

from protocols.xml import serialize
from spec.wado import KOS_HEADER, TRANSFER_SYNTAXES

__all__ = ["Capabilities"]

_WADL = "http://wadl.dev.java.net/2009/02"
_OBJECTS = 'multipart/related; type="application/dicom"'
_METADATA = "application/dicom+json"
_STUDY = "studies/{StudyInstanceUID}"
_SERIES = f"{_STUDY}/series/{{SeriesInstanceUID}}"
_INSTANCE = f"{_SERIES}/instances/{{SOPInstanceUID}}"
_RESOURCES = (
    ("RetrieveStudy", _STUDY, _OBJECTS),
    ("RetrieveSeries", _SERIES, _OBJECTS),
    ("RetrieveInstance", _INSTANCE, _OBJECTS),
    ("RetrieveStudyMetadata", f"{_STUDY}/metadata", _METADATA),
    ("RetrieveSeriesMetadata", f"{_SERIES}/metadata", _METADATA),
    ("RetrieveInstanceMetadata", f"{_INSTANCE}/metadata", _METADATA),
    (
        "RetrieveFrames",
        f"{_INSTANCE}/frames/{{FrameList}}",
        'multipart/related; type="application/octet-stream"',
    ),
)
"""Name, path under the service root, media type by default."""


class Capabilities:
    """A `Showcase`: what can be retrieved, under the public address."""

    def __init__(self, base: str) -> None:
        self._base = base

    def describe(self, *, as_json: bool) -> tuple[str, bytes]:
        """Media type and body."""
        if as_json:
            return "application/json", _json(self._base)
        return "application/vnd.sun.wadl+xml", _wadl(self._base)


def _json(base: str) -> bytes:
    document = {
        "base": base,
        "resources": [
            {"id": name, "path": path, "method": "GET", "representation": media_type}
            for name, path, media_type in _RESOURCES
        ],
        "headers": ["Authorization", KOS_HEADER, "Accept"],
        "transferSyntaxes": [syntax.uid for syntax in TRANSFER_SYNTAXES],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _wadl(base: str) -> bytes:
    tag = f"{{{_WADL}}}"
    root = etree.Element(f"{tag}application", nsmap={"wadl": _WADL})
    resources = etree.SubElement(root, f"{tag}resources", base=f"{base}/")
    for name, path, media_type in _RESOURCES:
        resource = etree.SubElement(resources, f"{tag}resource", path=path)
        method = etree.SubElement(resource, f"{tag}method", name="GET", id=name)
        request = etree.SubElement(method, f"{tag}request")
        for header in ("Accept", "Authorization", KOS_HEADER):
            etree.SubElement(request, f"{tag}param", name=header, style="header", required="true")
        response = etree.SubElement(method, f"{tag}response", status="200")
        etree.SubElement(response, f"{tag}representation", mediaType=media_type)
    return serialize(root)
