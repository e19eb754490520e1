"""What the administrator orders about one exam, as the inbox keeps it beside messages and notices.

Written by the administrator's commands alone: no door of the Source takes such bytes, since they
are neither HL7 nor DICOM.
"""

from __future__ import annotations

import json

from drimbox_ref.source.values import Notice
from protocols import kos

__all__ = ["READDRESS", "RESYNC", "addressed", "read_order", "write_order"]

RESYNC, READDRESS = "resync", "readdress"
_MARK = b'{"drimbox":'


def write_order(kind: str, study: str, *, address: str = "") -> bytes:
    """An order about a study; `address` is where its images are from now on (`readdress`)."""
    return json.dumps(
        {"drimbox": kind, "study": study, "address": address}, separators=(",", ":")
    ).encode()


def read_order(raw: bytes) -> Notice | None:
    """What `write_order` wrote; None for whatever else the inbox holds."""
    if not raw.startswith(_MARK):
        return None
    value = json.loads(raw)
    return Notice(transaction=value["drimbox"], studies=(value["study"],), address=value["address"])


def addressed(data: bytes, address: str) -> bool:
    """Whether a KOS says that all its images are at that address.

    Raises:
        RemoteProtocolError: it cannot be read.
    """
    root = f"{address.rstrip('/')}/"
    return all((one.retrieve_url or "").startswith(root) for one in kos.decode(data).series())
