"""The PACS around the box: C-ECHO, C-FIND, C-MOVE and C-STORE on what it was given."""

from __future__ import annotations

from simulators.pacs.archive import Archive, Instance
from simulators.pacs.service import (
    STORED_TRANSFER_SYNTAXES,
    Faults,
    Pacs,
    PacsConfig,
    Received,
    build,
)

__all__ = [
    "STORED_TRANSFER_SYNTAXES",
    "Archive",
    "Faults",
    "Instance",
    "Pacs",
    "PacsConfig",
    "Received",
    "build",
]
