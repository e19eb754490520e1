"""What a document of the DMP is, and how it is shown without a style sheet of its producer's.

Réf.: N1 (nonXMLBody) and N3 (structuredBody) of CDA R2, hl7-cda-pacs 3.1, grade: sample; "CDA
auto-présentable", a style sheet around its ClinicalDocument (application/xslt+xml), PDSM guides of
the ANS, grade: text.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from html import escape

from lxml import etree

from drimbox_ref.consumer.reports.narrative import sections
from drimbox_ref.consumer.values import Ins
from protocols import cda, xml
from protocols.cda import ImagingReport, PersonName
from protocols.errors import RemoteProtocolError
from spec.oids import INS_AUTHORITIES

__all__ = ["MAX_BYTES", "Rendering", "Written", "noted", "present", "read", "whose"]

MAX_BYTES = 32 * 1024 * 1024
"""Of a document: ten times the largest official example."""
_DOCUMENT = f"{{{xml.NS['cda']}}}ClinicalDocument"
_STYLE_SHEETS = frozenset(
    f"{{http://www.w3.org/1999/XSL/Transform}}{name}" for name in ("stylesheet", "transform")
)
_PDF = b"%PDF-"
_IMAGES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
_CSS = (
    "body{font:1rem/1.45 system-ui,sans-serif;margin:1rem;color:#16222e}"
    "table{border-collapse:collapse;margin:.5rem 0}"
    "th,td{border:1px solid #c3cdd8;padding:.2rem .5rem}"
    "header{border-bottom:2px solid #c3cdd8;margin-bottom:1rem}"
    "h1{font-size:1.3rem}h2{font-size:1.1rem}img{max-width:100%}"
    "pre{white-space:pre-wrap;font:inherit}.note{background:#fff6dd;padding:.4rem}"
)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What the frame shows: `application/pdf` or `text/html`, UTF-8."""

    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A document, read: its CDA, and whether it brings its style sheet."""

    root: etree._Element
    report: ImagingReport
    styled: bool


def read(data: bytes) -> Written:
    """The CDA of a document, bare, signed, or in its own style sheet.

    Raises:
        protocols.errors.RemoteProtocolError: no CDA.
    """
    root = xml.parse(data)
    document = root if root.tag == _DOCUMENT else root.find(f".//{_DOCUMENT}")
    if document is None:
        raise RemoteProtocolError("aucun ClinicalDocument")
    return Written(document, cda.parse(xml.serialize(document)), root.tag in _STYLE_SHEETS)


def whose(report: ImagingReport, ins: Ins) -> bool | None:
    """Whether the document is this patient's; None when it does not bear an INS."""
    written = [
        id.extension
        for patient in report.patients
        for id in patient.ids
        if id.root in INS_AUTHORITIES and id.extension
    ]
    return ins.value in written if written else None


def present(written: Written, *, note: str = "") -> Rendering:
    """Our own presentation: the file of an N1, the sections of an N3, under the document's header.

    Raises:
        protocols.errors.RemoteProtocolError: neither a file that can be shown nor sections.
    """
    body = written.report.body
    if body is None or body.error is not None:
        raise RemoteProtocolError((body and body.error) or "document sans corps")
    if body.structured:
        content = "".join(
            etree.tostring(one, encoding="unicode", method="html") for one in sections(written.root)
        )
        return _page(written.report, content or "<p>Aucune section.</p>", note)
    data, kind = body.data or b"", (body.media_type or "").lower()
    if data.startswith(_PDF):
        return Rendering("application/pdf", data)
    if kind in ("text/plain", ""):
        return _page(written.report, f"<pre>{escape(_text(data))}</pre>", note)
    if kind in _IMAGES and data.startswith(_IMAGES[kind]):
        address = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
        return _page(written.report, f'<img src="{address}" alt="Document numérisé">', note)
    raise RemoteProtocolError(f"type de contenu non affichable : {kind[:80]}")


def _page(report: ImagingReport, content: str, note: str) -> Rendering:
    title = escape(report.title or (report.code and report.code.display) or "Compte rendu")
    names = report.patient.names if report.patient else ()
    lines = [
        ("Patient", next((_person(one) for one in names), "")),
        ("Date", _date(report.effective_time or "")),
        ("Auteur", _person(report.author.name) if report.author and report.author.name else ""),
        ("Structure", _organization(report)),
    ]
    header = "".join(f"<div>{name} : {escape(said)}</div>" for name, said in lines if said)
    said = f'<p class="note" role="note">{escape(note)}</p>' if note else ""
    html = (
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_CSS}</style></head><body>{said}<header><h1>{title}</h1>{header}</header>"
        f"<main>{content}</main></body></html>"
    )
    return Rendering("text/html", html.encode())


def noted(rendering: Rendering, note: str) -> Rendering:
    """The same with a word before, where the kind of rendering has room for one."""
    if not note or rendering.media_type != "text/html":
        return rendering
    said = f'<p role="note"><strong>{escape(note)}</strong></p>'.encode()
    start = rendering.body.lower().find(b"<body")
    at = rendering.body.find(b">", start) + 1 if start >= 0 else 0
    return replace(rendering, body=rendering.body[:at] + said + rendering.body[at:])


def _person(name: PersonName) -> str:
    parts = (name.given, name.family)
    return " ".join(part for part in parts if part) or name.text


def _organization(report: ImagingReport) -> str:
    organization = report.author.organization if report.author else None
    return (organization.name or "") if organization else ""


def _date(written: str) -> str:
    """`20260131…` as 31/01/2026."""
    day = written[:8]
    return f"{day[6:]}/{day[4:6]}/{day[:4]}" if len(day) == 8 and day.isdigit() else ""


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
