"""HTTP messages: start line, headers, and a body shown as what its type or its bytes say it is."""

from __future__ import annotations

from protocols.errors import RemoteProtocolError
from protocols.multipart import parse_content_type
from reports import redact
from reports.annotate import dicom, multipart, text, xml
from reports.annotate.model import Fact, Facts, Section
from wire.exchange import Payload

__all__ = ["body_sections", "sections"]

MAX_PARTS = 6


def sections(payload: Payload) -> tuple[Section, ...]:
    """Start line and headers, then the body."""
    rows = [Fact(name, redact.header(name, value)) for name, value in payload.head]
    head = Section(redact.text(payload.start_line) or "En-têtes", (Facts(tuple(rows)),))
    content_type = payload.header("Content-Type") or ""
    if payload.parts:
        return (head, *_kept_parts(payload))
    if not payload.body:
        return (head,)
    note = ""
    if payload.truncated:
        note = f"conservé : {text.size(len(payload.body))} sur {text.size(payload.size)}"
    title = f"Corps · {text.size(payload.size)}, sha256 {payload.sha256}"
    return (head, *_noted(body_sections(payload.body, content_type, title), note))


def body_sections(
    body: bytes, content_type: str, title: str, *, folded: bool = False
) -> tuple[Section, ...]:
    """A body by its declared type, or by its first bytes when the type says nothing."""
    kind, parameters = _type(content_type)
    charset = parameters.get("charset", "utf-8")
    start = body[:200].lstrip(b"\xef\xbb\xbf \r\n\t")
    if kind.startswith("multipart/"):
        return _whole_parts(body, content_type)
    if dicom.is_part10(body):
        return dicom.sections(body, title, folded=folded)
    if kind == "application/x-www-form-urlencoded":
        return (Section(title, text.form(body.decode("utf-8", "replace")), folded=folded),)
    if kind.endswith("json") or start[:1] in (b"{", b"["):
        blocks, note = text.json_lines(body.decode("utf-8", "replace"))
        return (Section(title, blocks, note, folded),)
    if kind != "text/html" and (kind.endswith("xml") or start.startswith(b"<")):
        return xml.sections(body, title, folded=folded)
    blocks, note = text.text_or_hex(body, charset)
    return (Section(title, blocks, note, folded),)


def _kept_parts(payload: Payload) -> tuple[Section, ...]:
    """Parts of which only the heads were kept: images."""
    made = [multipart.summary(payload.parts)]
    for rank, part in enumerate(payload.parts[: multipart.MAX_DETAILED], 1):
        made.append(multipart.detailed(part, rank))
        if part.head:
            title = f"Partie {rank} · en-tête DICOM sans les pixels"
            made += dicom.sections(part.head, title, total=part.size, folded=True)
    return tuple(made)


def _whole_parts(body: bytes, content_type: str) -> tuple[Section, ...]:
    parts, note = multipart.split(body, content_type)
    if not parts:
        blocks, more = text.text_or_hex(body)
        return (
            Section("Corps multipart illisible", blocks, "; ".join(filter(None, (note, more)))),
        )
    made = [multipart.summary(tuple(part for part, _ in parts), note)]
    for rank, (part, data) in enumerate(parts[:MAX_PARTS], 1):
        made.append(multipart.detailed(part, rank))
        named = {name.lower(): value for name, value in part.headers}
        declared = named.get("content-type", "")
        if not _type(declared)[0].startswith("multipart/"):
            made += body_sections(data, declared, f"Partie {rank}", folded=rank > 1)
    return tuple(made)


def _noted(made: tuple[Section, ...], note: str) -> tuple[Section, ...]:
    if not note:
        return made
    return (*made, Section(f"Corps incomplet : {note}", ()))


def _type(content_type: str) -> tuple[str, dict[str, str]]:
    try:
        return parse_content_type(content_type)
    except RemoteProtocolError:
        return content_type.partition(";")[0].strip().lower(), {}
