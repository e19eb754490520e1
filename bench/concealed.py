"""Values that a profile takes by reference (`env:NAME`): used, never told.

Known to the whole process once a profile was read, because whatever is written to a person passes
here last (`reports.redact`, refusals, JSON). A run's journal keeps their names alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

__all__ = ["conceal", "in_bytes", "in_text", "in_values", "names", "recall"]

SHORTEST = 6
"""A shorter value would be found by chance in what is not the secret."""

_known: dict[str, str] = {}
"""Value -> name of its variable; longest first, so that none hides a part of another."""


def conceal(name: str, value: str) -> None:
    """Mask this value from now on, also as URLs and JSON write it."""
    if len(value) < SHORTEST:
        return
    forms = {value, value.strip(), quote(value, safe=""), json.dumps(value)[1:-1]}
    _known.update({form: name for form in forms if len(form) >= SHORTEST})
    for form in sorted(_known, key=len, reverse=True):
        _known[form] = _known.pop(form)


def recall(names: Iterable[str]) -> list[str]:
    """Mask again what an earlier process took from these variables; those that are not set."""
    lost = []
    for name in names:
        if name in os.environ:
            conceal(name, os.environ[name])
        elif name not in _known.values():
            lost.append(name)
    return lost


def names() -> tuple[str, ...]:
    """The variables whose values are masked."""
    return tuple(sorted(set(_known.values())))


def in_text(content: str) -> str:
    """`content` without any of the values."""
    for value, name in _known.items():
        if value in content:
            content = content.replace(value, f"‹env:{name} masqué›")
    return content


def in_values(value: Any) -> Any:
    """A document for JSON, each of its texts without any of the values."""
    match value:
        case str():
            return in_text(value)
        case dict():
            return {in_values(key): in_values(inner) for key, inner in value.items()}
        case list() | tuple():
            return [in_values(inner) for inner in value]
        case _:
            return value


def in_bytes(content: bytes) -> bytes:
    """`content`, of the same length, each value starred."""
    for value in _known:
        data = value.encode()
        content = re.sub(re.escape(data), b"*" * len(data), content)
    return content
