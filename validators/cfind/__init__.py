"""Judging what a PACS answered to a C-FIND."""

from validators.cfind.reading import Answers, read
from validators.cfind.rules import CFIND

__all__ = ["CFIND", "Answers", "read"]
