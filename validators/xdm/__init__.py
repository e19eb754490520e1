"""Judging what a DRIMbox exports: METADATA.XML, and the XDM archive that holds it."""

from validators.xdm.metadata import METADATA, Metadata
from validators.xdm.metadata import read as read_metadata
from validators.xdm.reading import Archive, read
from validators.xdm.rules import XDM

__all__ = ["METADATA", "XDM", "Archive", "Metadata", "read", "read_metadata"]
