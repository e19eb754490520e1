"""Small data sets as DICOM JSON (PS3.18 Annex F), straight from their bytes.

Meant for identifiers and headers shown to people: bulk values are given by their size.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

from protocols.dicom.charset import codec_of
from protocols.dicom.convert import vr_of
from protocols.dicom.elements import Element, is_implicit, iter_items, walk

__all__ = ["json_line", "to_json"]

_MAX_INLINE = 1024
_MAX_DEPTH = 16
_BINARY = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
}  # fmt: skip
_BULK = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_SINGLE = frozenset(("LT", "ST", "UT", "UR"))
"""Text VRs in which a backslash is a character."""


def to_json(data: bytes, *, transfer_syntax: str) -> dict[str, Any]:
    """The DICOM JSON model of an encoded data set.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    return _data_set(data, 0, len(data), is_implicit(transfer_syntax), "latin-1", 0)


def json_line(data: bytes, *, transfer_syntax: str) -> bytes:
    """The same on one line of UTF-8, newline included."""
    model = to_json(data, transfer_syntax=transfer_syntax)
    return json.dumps(model, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _data_set(
    data: bytes, start: int, end: int, implicit: bool, codec: str, depth: int
) -> dict[str, Any]:
    model: dict[str, Any] = {}
    for element in walk(data, start, end, implicit=implicit):
        vr = vr_of(element.tag) if implicit else element.vr.decode("ascii")
        if element.tag == 0x00080005:
            codec = codec_of(data[element.value : element.end].decode("latin-1"))
        entry: dict[str, Any] = {"vr": vr}
        if vr == "SQ" and depth < _MAX_DEPTH:
            values: list[Any] = [
                _data_set(data, first, past, implicit, codec, depth + 1)
                for first, past in iter_items(
                    data, element.value, element.end, element.length, implicit=implicit
                )
            ]
            if values:
                entry["Value"] = values
        else:
            _add_value(entry, data, element, vr, codec)
        model[f"{element.tag:08X}"] = entry
    return model


def _add_value(entry: dict[str, Any], data: bytes, element: Element, vr: str, codec: str) -> None:
    raw = data[element.value : element.end]
    if not raw:
        return
    if vr in _BULK or vr == "SQ" or (vr == "AT" and len(raw) % 4):
        if len(raw) <= _MAX_INLINE:
            entry["InlineBinary"] = base64.b64encode(raw).decode("ascii")
        else:
            entry["BulkDataURI"] = f"about:size={len(raw)}"
    elif vr == "AT":
        pairs = struct.unpack(f"<{len(raw) // 2}H", raw)
        entry["Value"] = [
            f"{group:04X}{number:04X}"
            for group, number in zip(pairs[::2], pairs[1::2], strict=True)
        ]
    elif vr in _BINARY:
        size = struct.calcsize("<" + _BINARY[vr])
        count = len(raw) // size
        numbers = struct.unpack(f"<{count}{_BINARY[vr]}", raw[: count * size])
        # JSON has no NaN and no infinity: they are written as strings (PS3.18 F.2.2).
        entry["Value"] = [one if math.isfinite(one) else str(one) for one in numbers]
    else:
        text = raw.decode(codec, "replace").strip(" \0")
        parts = [text] if vr in _SINGLE else [part.strip(" ") for part in text.split("\\")]
        if parts == [""]:
            return
        entry["Value"] = [_text_value(vr, part) for part in parts]


def _text_value(vr: str, text: str) -> Any:
    if vr == "PN":
        names = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
        return {kind: name for kind, name in names if name}
    if not text:
        return None
    return text
