"""Data sets as DICOM JSON (PS3.18 Annex F), straight from their bytes.

Identifiers and headers shown to people have their bulk values given by their size; who serves
metadata says where they can be had.
"""

from __future__ import annotations

import base64
import json
import math
import re
import struct
from dataclasses import dataclass
from typing import Any

from protocols.dicom.charset import codec_of
from protocols.dicom.convert import vr_of
from protocols.dicom.elements import UNDEFINED, Element, is_implicit, iter_items, walk

__all__ = ["bulk_value", "json_line", "to_json"]

_MAX_INLINE = 1024
_NUMERIC = re.compile(r"[0-9+.eE-]{1,16}")
"""What DS and IS are written with (PS3.5 6.2); Python's own numbers allow more."""
_MAX_DEPTH = 16
_BINARY = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
}  # fmt: skip
_BULK = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_SINGLE = frozenset(("LT", "ST", "UT", "UR"))
"""Text VRs in which a backslash is a character."""


@dataclass(frozen=True, slots=True)
class _Style:
    """How values are written."""

    bulk: str
    numbers: bool


def to_json(
    data: bytes, *, transfer_syntax: str, bulk: str = "", numbers: bool = False
) -> dict[str, Any]:
    """The DICOM JSON model of an encoded data set.

    Args:
        bulk: the address under which `bulk_value` is served: the BulkDataURI of a long value is
            that, then its path. "" tells its size instead.
        numbers: write DS and IS as numbers where they are (PS3.18 F.2.3 allows both); the digits
            of the data set are then lost.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    style = _Style(bulk, numbers)
    return _data_set(data, 0, len(data), is_implicit(transfer_syntax), "latin-1", "", style)


def bulk_value(data: bytes, path: str, *, transfer_syntax: str) -> bytes | None:
    """The value that a BulkDataURI of `to_json` names by its path, None when there is none.

    A path is a tag (`00281201`), preceded by the sequences and item numbers (from 1) that it is
    in: `52009229/2/00289145`.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    steps = path.split("/")
    if len(steps) % 2 == 0 or len(steps) > 2 * _MAX_DEPTH:
        return None
    implicit = is_implicit(transfer_syntax)
    start, end = 0, len(data)
    for tag, number in zip(steps[::2], (*steps[1::2], ""), strict=True):
        found = next(
            (
                element
                for element in walk(data, start, end, implicit=implicit)
                if f"{element.tag:08X}" == tag
            ),
            None,
        )
        if found is None or (not number and found.length == UNDEFINED):
            return None
        if not number:
            return data[found.value : found.end]
        items = list(iter_items(data, found.value, found.end, found.length, implicit=implicit))
        if not (number.isascii() and number.isdigit() and 1 <= int(number) <= len(items)):
            return None
        start, end = items[int(number) - 1]
    return None


def json_line(data: bytes, *, transfer_syntax: str) -> bytes:
    """The same on one line of UTF-8, newline included."""
    model = to_json(data, transfer_syntax=transfer_syntax)
    return json.dumps(model, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _data_set(
    data: bytes, start: int, end: int, implicit: bool, codec: str, where: str, style: _Style
) -> dict[str, Any]:
    model: dict[str, Any] = {}
    for element in walk(data, start, end, implicit=implicit):
        vr = vr_of(element.tag) if implicit else element.vr.decode("ascii")
        if element.tag == 0x00080005:
            codec = codec_of(data[element.value : element.end].decode("latin-1"))
        entry: dict[str, Any] = {"vr": vr}
        path = f"{where}/{element.tag:08X}"
        if vr == "SQ" and path.count("/") <= 2 * _MAX_DEPTH:
            items = iter_items(data, element.value, element.end, element.length, implicit=implicit)
            values: list[Any] = [
                _data_set(data, first, past, implicit, codec, f"{path}/{number}", style)
                for number, (first, past) in enumerate(items, 1)
            ]
            if values:
                entry["Value"] = values
        else:
            _add_value(entry, data, element, vr, codec, path, style)
        model[f"{element.tag:08X}"] = entry
    return model


def _add_value(
    entry: dict[str, Any],
    data: bytes,
    element: Element,
    vr: str,
    codec: str,
    path: str,
    style: _Style,
) -> None:
    raw = data[element.value : element.end]
    if not raw:
        return
    if vr in _BULK or vr == "SQ" or (vr == "AT" and len(raw) % 4):
        if len(raw) <= _MAX_INLINE:
            entry["InlineBinary"] = base64.b64encode(raw).decode("ascii")
        else:
            entry["BulkDataURI"] = style.bulk + path if style.bulk else f"about:size={len(raw)}"
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
        entry["Value"] = [_text_value(vr, part, style) for part in parts]


def _text_value(vr: str, text: str, style: _Style) -> Any:
    if vr == "PN":
        names = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
        return {kind: name for kind, name in names if name}
    if not text:
        return None
    if style.numbers and vr in ("DS", "IS"):
        return _number(vr, text)
    return text


def _number(vr: str, text: str) -> Any:
    """The number that is written; the text itself when it is none."""
    if not _NUMERIC.fullmatch(text):
        return text
    try:
        value = int(text) if vr == "IS" else float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text
