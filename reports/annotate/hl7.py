"""HL7 v2 messages: every segment, field and component named, and the document that they carry."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from protocols import hl7v2
from protocols.errors import RemoteProtocolError
from reports.annotate import text, xml
from reports.annotate.model import Field, Fields, Section
from spec.hl7v2_names import component_name, field_name, segment_name

__all__ = ["answer", "sections"]

MAX_ROWS = 600
MAX_VALUE = 300


def sections(body: bytes, title: str) -> tuple[Section, ...]:
    """The message field by field, then each XML document that an OBX-5 carries in Base64."""
    try:
        message = hl7v2.parse(body)
    except RemoteProtocolError as error:
        blocks, note = text.text_or_hex(body)
        said = "; ".join(filter(None, (str(error), note)))
        return (Section(f"{title} (HL7 illisible)", blocks, said),)
    rows: list[Field] = []
    note = ""
    for row in _rows(message):
        if len(rows) == MAX_ROWS:
            note = f"affichage coupé à {MAX_ROWS} lignes"
            break
        rows.append(row)
    facts = f"HL7 v2, {text.size(len(body))}, codage {message.declared_encoding or 'non déclaré'}"
    main = Section(f"{title} · {facts}", (Fields(tuple(rows)),), note)
    return (main, *_documents(message))


def answer(body: bytes) -> str:
    """What an acknowledgment says: `AA`, `AE 207`... "" when the bytes are no acknowledgment."""
    try:
        message = hl7v2.parse(body)
    except RemoteProtocolError:
        return ""
    return " ".join(filter(None, (message.value("MSA-1"), message.value("ERR-3.1"))))


def _rows(message: hl7v2.Message) -> Iterator[Field]:
    seen: dict[str, int] = {}
    for segment in message.segments:
        seen[segment.name] = rank = seen.get(segment.name, 0) + 1
        repeated = len(message.all(segment.name)) > 1 if rank == 1 else True
        path = f"{segment.name}[{rank}]" if repeated else segment.name
        yield Field(path, segment_name(segment.name), "", 0)
        value_type = segment.field(2).value if segment.name == "OBX" else ""
        for number, field in enumerate(segment.fields, 1):
            repetitions = field.repetitions
            for turn, repetition in enumerate(repetitions, 1):
                place = f"{path}-{number}" + (f"[{turn}]" if len(repetitions) > 1 else "")
                components = repetition.components
                lone = len(components) == 1
                whole = repetition.value if lone else repetition.text
                yield Field(
                    place, field_name(segment.name, number), text.shown(whole, MAX_VALUE), 1
                )
                if lone:
                    continue
                for index, component in enumerate(components, 1):
                    if component:
                        name = component_name(segment.name, number, index, value_type=value_type)
                        yield Field(
                            f"{place}.{index}", name, text.shown(component.value, MAX_VALUE), 2
                        )


def _documents(message: hl7v2.Message) -> Iterator[Section]:
    for rank, segment in enumerate(message.all("OBX"), 1):
        value = segment.field(5).component(5)
        if segment.field(2).value != "ED" or not value:
            continue
        try:
            document = base64.b64decode(value.raw)
        except (binascii.Error, ValueError):
            continue
        title = f"Document porté par OBX[{rank}]-5.5 · {text.size(len(document))}"
        if document.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            yield from xml.sections(document, title, folded=True)
        else:
            blocks, note = text.text_or_hex(document)
            yield Section(title, blocks, note, folded=True)
