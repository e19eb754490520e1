"""Times as peers write them: HL7 timestamps with offsets, XDS times in UTC, DICOM dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["dicom_date", "dicom_time", "offset_of", "offset_zone", "utc_time", "xds_time"]

_TS = re.compile(
    r"(?P<digits>\d{4}(?:\d{2}){0,5})(?:\.\d{1,4})?(?P<offset>[+-]\d{4})?",
)
_FORMATS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def utc_time(written: str) -> str:
    """An HL7 TS as XDS wants it (UTC, digits only, same precision), "" when it cannot be read.

    A time without offset is kept as it is written: inventing one would move the exam. Dates
    without hour have no offset to apply.

    Réf.: IHE ITI TF Vol. 3 4.2.3.1 (DTM), EX_3.1-1070 (XDS times are UTC), grade: standard.
    """
    match = _TS.fullmatch(written.strip())
    if match is None:
        return ""
    digits = match["digits"]
    if not match["offset"] or len(digits) < 10:
        return digits
    try:
        local = datetime.strptime(digits, _FORMATS[len(digits)])
        zone = offset_zone(match["offset"])
        return local.replace(tzinfo=zone).astimezone(UTC).strftime(_FORMATS[len(digits)])
    except (ValueError, OverflowError):
        return ""


def offset_of(written: str) -> str:
    """The `+hhmm` of an HL7 TS, "" when it has none."""
    match = _TS.fullmatch(written.strip())
    return (match["offset"] or "") if match else ""


def offset_zone(offset: str) -> timezone:
    """The time zone of `+hhmm`.

    Raises:
        ValueError: beyond a day.
    """
    sign = -1 if offset.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))


def xds_time(moment: datetime) -> str:
    """`YYYYMMDDHHMMSS` in UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def dicom_date(moment: datetime) -> str:
    """DA of an aware time, in its own zone."""
    return moment.strftime("%Y%m%d")


def dicom_time(moment: datetime) -> str:
    """TM of an aware time, in its own zone, to the second."""
    return moment.strftime("%H%M%S")
