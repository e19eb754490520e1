"""Unique identifiers: what a legal UID looks like (PS3.5 section 9.1)."""

from __future__ import annotations

import re

__all__ = ["is_uid"]

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+", re.ASCII)


def is_uid(text: str) -> bool:
    """Whether `text` is dotted decimal, at most 64 characters, without leading zeros."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None
