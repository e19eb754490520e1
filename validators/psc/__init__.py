"""Judging what Pro Santé Connect emits: tokens, introspection, userinfo, discovery."""

from validators.psc.discovery import DISCOVERY
from validators.psc.introspection import INTROSPECTION
from validators.psc.reading import (
    Answer,
    PscToken,
    read_answer,
    read_token,
    read_userinfo,
)
from validators.psc.token import TOKEN
from validators.psc.userinfo import USERINFO

__all__ = [
    "DISCOVERY",
    "INTROSPECTION",
    "TOKEN",
    "USERINFO",
    "Answer",
    "PscToken",
    "read_answer",
    "read_token",
    "read_userinfo",
]
