"""Attribute matching of a query (PS3.4 C.2.2.2): one key of the identifier against one value."""

from __future__ import annotations

import fnmatch
import re
from functools import lru_cache
from typing import Any

__all__ = ["is_universal", "matches", "values_of"]

_WILD_VRS = frozenset(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_RANGE_VRS = frozenset(("DA", "DT", "TM"))


def values_of(element: Any) -> list[str]:
    """The values of a data element as texts, an empty list when it has none."""
    if element is None or element.value is None or element.VR == "SQ":
        return []
    value = element.value
    values = value if element.VM > 1 and not isinstance(value, str) else [value]
    return [str(one).strip() for one in values if str(one).strip()]


def is_universal(key: Any) -> bool:
    """Whether a key matches anything: empty, or nothing but `*`, as some clients write in UIDs."""
    if key.VR == "SQ":
        return all(is_universal(inner) for item in key.value or () for inner in item)
    return all(set(value) == {"*"} for value in values_of(key))


def matches(key: Any, element: Any) -> bool:
    """Whether the value of a stored element satisfies a key of the identifier.

    Single value, list (UIDs, and other VRs tolerantly), wildcard, date and time range, universal
    and sequence matching. Names compare without case.
    """
    if is_universal(key):
        return True
    if key.VR == "SQ":
        stored_items = element.value if element is not None and element.VR == "SQ" else ()
        return any(
            all(matches(inner, item.get(inner.tag)) for inner in wanted)
            for wanted in key.value
            for item in stored_items or ()
        )
    stored = values_of(element)
    return any(_one(key.VR, wanted, value) for wanted in values_of(key) for value in stored)


def _one(vr: str, wanted: str, value: str) -> bool:
    if vr in _RANGE_VRS:
        return _in_range(wanted, value)
    if vr in _WILD_VRS:
        return _pattern(wanted, vr == "PN").fullmatch(value) is not None
    return wanted == value


def _in_range(wanted: str, value: str) -> bool:
    first, dash, last = wanted.partition("-")
    if not dash:
        return value.startswith(wanted) if len(wanted) < len(value) else value == wanted
    return (not first or value >= first) and (not last or value[: len(last)] <= last)


@lru_cache(maxsize=1024)
def _pattern(wanted: str, ignore_case: bool) -> re.Pattern[str]:
    # fnmatch's expressions do not backtrack over several stars; brackets are ordinary here.
    expression = fnmatch.translate(wanted.replace("[", "[[]"))
    return re.compile(expression, re.IGNORECASE if ignore_case else 0)
