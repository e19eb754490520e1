"""Judging a DRIM-M white list and its signature."""

from validators.whitelist import signature, trust
from validators.whitelist.reading import ListArtefact, read
from validators.whitelist.rules import WHITE_LIST

__all__ = ["WHITE_LIST", "ListArtefact", "read", "signature", "trust"]
