"""JSON objects as a judge reads them: one meaning per member, bounded, nothing but JSON.

Réf. RFC 8259; RFC 7493 (I-JSON) sections 2.1 and 2.3 for encoding and duplicate names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from protocols.errors import RemoteProtocolError

__all__ = ["MAX_SIZE", "JsonError", "JsonObject", "parse_object", "parse_objects", "shown"]

MAX_SIZE = 4 * 1024 * 1024
"""Bytes: a thousand times the longest answer of the field."""

_SHOWN = 160

JsonObject = dict[str, Any]


class JsonError(RemoteProtocolError):
    """Not a JSON object, or one that two readers could read in two ways."""


def parse_object(data: bytes) -> JsonObject:
    """Read a JSON object.

    Raises:
        JsonError: too long, not UTF-8, a byte order mark, not JSON (NaN included), nested too
            deep, a lone surrogate, a member named twice, or another value than an object.
    """
    value = _parse(data)
    if not isinstance(value, dict):
        raise JsonError("un objet JSON est attendu", span=(0, min(len(data), 1)))
    return value


def parse_objects(data: bytes) -> list[JsonObject]:
    """Read an array of JSON objects, one object, or one object a line.

    Raises:
        JsonError: as `parse_object`, of the whole or of a line.
    """
    if data.lstrip().startswith(b"["):
        value = _parse(data)
        if not all(isinstance(one, dict) for one in value):
            raise JsonError("un tableau d'objets JSON est attendu", span=(0, min(len(data), 1)))
        return list(value)
    try:
        return [parse_object(data)]
    except JsonError:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) < 2 or len(data) > MAX_SIZE:
            raise
    return [parse_object(line) for line in lines]


def _parse(data: bytes) -> Any:
    if len(data) > MAX_SIZE:
        raise JsonError(f"document de {len(data)} octets (limite {MAX_SIZE})")
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_constant
        )
        # A lone surrogate is a legal escape that no UTF-8 output can hold.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise JsonError(f"JSON mal formé : {error.msg}", span=(error.pos, error.pos + 1)) from None
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise JsonError(f"texte illisible : {error.reason}") from None
    except (ValueError, RecursionError) as error:
        raise JsonError(f"JSON refusé : {error}") from None
    return value


def shown(value: object) -> str:
    """A value as a finding shows it: JSON, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _unique(pairs: Iterable[tuple[str, Any]]) -> JsonObject:
    result: JsonObject = {}
    for name, value in pairs:
        if name in result:
            raise ValueError(f"membre {name!r} en double")
        result[name] = value
    return result


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} n'est pas du JSON")
