"""Judging the link by which a report leads to the viewer of a Source."""

from validators.link import rules
from validators.link.reading import LinkArtefact, read
from validators.link.rules import LINK

__all__ = ["LINK", "LinkArtefact", "read", "rules"]
