"""Judging a lot signature alone: what it proves before its documents are at hand."""

from validators.lot import targets
from validators.lot.reading import Lot, LotError, read
from validators.lot.rules import LOT

__all__ = ["LOT", "Lot", "LotError", "read", "targets"]
