"""The identifiers that a PACS answered to a C-FIND, in the forms in which they are kept.

One response in a DICOM file (`findscu -X` of DCMTK writes `rsp0001.dcm`...), or any number of them
in the DICOM JSON model (PS3.18 annex F): an array, as QIDO-RS answers and `dcm2json` makes, or one
object a line, as the journal of a run keeps what it saw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from protocols.errors import RemoteProtocolError
from validators.context import Context
from validators.dicom_tree import DataSet, Element, read_file, tag_path
from validators.json_document import JsonObject, parse_objects, shown

__all__ = ["Answers", "FindSyntaxError", "read"]

_MAX_DEPTH = 16
_LEVEL = 0x00080052


class FindSyntaxError(RemoteProtocolError):
    """Not the DICOM JSON model."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The identifiers, in the order received; none when nothing matches."""

    context: Context
    identifiers: tuple[DataSet, ...]

    @property
    def levels(self) -> set[str]:
        """Every QueryRetrieveLevel that is written."""
        return {one.text(_LEVEL) for one in self.identifiers}


def read(data: bytes, context: Context) -> Answers:
    """Read a DICOM file, or DICOM JSON.

    Raises:
        RemoteProtocolError: neither.
    """
    if data[128:132] == b"DICM":
        return Answers(context, (read_file(data).data,))
    found = parse_objects(data)
    # A file of one response has its tags bare: a place needs no rank then.
    return Answers(
        context,
        tuple(
            _data_set(one, f"[{rank}]" if len(found) > 1 else "", 0)
            for rank, one in enumerate(found, start=1)
        ),
    )


def _data_set(model: JsonObject, path: str, depth: int) -> DataSet:
    if depth > _MAX_DEPTH:
        raise FindSyntaxError("séquences trop imbriquées", where=path)
    elements: dict[int, Element] = {}
    for name, attribute in model.items():
        tag = _tag(name, path)
        where = f"{path}/{tag_path(tag)}" if path else tag_path(tag)
        if not isinstance(attribute, dict) or not isinstance(attribute.get("vr"), str):
            raise FindSyntaxError("un attribut est un objet qui a un membre vr", where=where)
        elements[tag] = _element(tag, attribute, where, depth)
    return DataSet(elements, path)


def _tag(name: str, path: str) -> int:
    if len(name) != 8 or not all(digit in "0123456789ABCDEFabcdef" for digit in name):
        raise FindSyntaxError(f"{shown(name)} n'est pas un tag de huit chiffres", where=path)
    return int(name, 16)


def _element(tag: int, attribute: JsonObject, where: str, depth: int) -> Element:
    values, vr = attribute.get("Value", []), attribute["vr"]
    if not isinstance(values, list):
        raise FindSyntaxError("Value est un tableau", where=where)
    if vr == "SQ":
        if not all(isinstance(one, dict) for one in values):
            raise FindSyntaxError("un item de séquence est un objet", where=where)
        return Element(
            tag,
            vr,
            items=tuple(
                _data_set(one, f"{where}[{rank}]", depth + 1)
                for rank, one in enumerate(values, start=1)
            ),
        )
    return Element(tag, vr, _joined(values, where))


def _joined(values: Sequence[Any], where: str) -> str:
    return "\\".join(_text(one, where) for one in values)


def _text(value: Any, where: str) -> str:
    """One value as a file writes it: a name by its groups, a number by its digits."""
    if value is None:
        return ""
    if isinstance(value, dict):
        groups = [value.get(name, "") for name in ("Alphabetic", "Ideographic", "Phonetic")]
        if not all(isinstance(group, str) for group in groups):
            raise FindSyntaxError("un nom est fait de textes", where=where)
        return "=".join(groups).rstrip("=")
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    raise FindSyntaxError("une valeur est un texte, un nombre ou un nom", where=where)
