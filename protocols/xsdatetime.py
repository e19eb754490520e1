"""xs:dateTime: the instants of XML, read strictly and written in UTC.

Réf. XML Schema Part 2: Datatypes, section 3.2.7.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["DateTimeError", "format_instant", "parse_instant"]

_SHAPE = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


class DateTimeError(RemoteProtocolError):
    """Not an xs:dateTime, or one that the calendar does not have."""


def parse_instant(text: str, *, where: str = "") -> datetime:
    """The instant as written: naive when it bears no zone, else with its own offset.

    Digits beyond the microsecond are dropped; white space around is allowed (xs:dateTime collapses
    it). Years outside 0001-9999 and 24:00:00 are refused.

    Raises:
        DateTimeError: at `where`.
    """
    stripped = text.strip(" \t\r\n")
    if _SHAPE.fullmatch(stripped) is None:
        raise DateTimeError(f"date et heure attendues : {stripped[:40]!r}", where=where)
    try:
        return datetime.fromisoformat(stripped)
    except ValueError:
        raise DateTimeError(f"date impossible : {stripped[:40]!r}", where=where) from None


def format_instant(instant: datetime, *, milliseconds: bool = False) -> str:
    """The instant in UTC, with `Z`: `2026-06-19T18:06:52Z`.

    Raises:
        LocalProtocolError: a naive instant, which would name no moment.
    """
    if instant.tzinfo is None:
        raise LocalProtocolError("an instant without time zone cannot be written")
    precision = "milliseconds" if milliseconds else "seconds"
    return instant.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
