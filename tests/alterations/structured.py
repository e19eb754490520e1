"""Every member of a JSON document, altered one at a time."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.alterations.model import ABSENT, EMPTY, OTHER, Alteration

__all__ = ["alterations"]


def alterations(good: bytes) -> Iterator[Alteration]:
    """Members left out, emptied (of their own type) or replaced."""
    document = json.loads(good)
    for path in _paths(document):
        *before, last = path
        place = "/".join(map(str, path))
        for change, value in _changes(_at(document, path)):
            edited = copy.deepcopy(document)
            parent = _at(edited, tuple(before))
            if change == ABSENT:
                del parent[last]
            else:
                parent[last] = value
            yield Alteration(place, change, json.dumps(edited, ensure_ascii=False).encode())


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        items = enumerate(value)
    for key, child in items:
        yield (*path, key)
        yield from _paths(child, (*path, key))


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    yield ABSENT, None
    if isinstance(value, bool):
        yield OTHER, not value
    elif isinstance(value, int | float):
        yield OTHER, -1
    elif isinstance(value, str):
        yield EMPTY, ""
        yield OTHER, "KIT"
    else:
        yield EMPTY, type(value)()
