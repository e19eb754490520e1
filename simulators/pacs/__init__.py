"""The PACS around the box: C-ECHO, C-FIND, C-MOVE and C-STORE on what it was given."""

from __future__ import annotations

from simulators.pacs.archive import Archive, Instance
from simulators.pacs.faults import MENU
from simulators.pacs.service import (
    STORED_TRANSFER_SYNTAXES,
    Pacs,
    PacsConfig,
    Received,
    build,
)

__all__ = [
    "MENU",
    "STORED_TRANSFER_SYNTAXES",
    "Archive",
    "Instance",
    "Pacs",
    "PacsConfig",
    "Received",
    "build",
]
