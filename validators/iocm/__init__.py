"""Judging an IOCM rejection note."""

from validators.iocm.rules import IOCM
from validators.kos.reading import read

__all__ = ["IOCM", "read"]
