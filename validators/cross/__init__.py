"""Judging the artefacts of one exam together: what each says, compared two by two."""

from validators.cross import examination, identity, publication, reading, responsibility
from validators.cross.comparison import Pair
from validators.cross.exam import Exam, ExamError
from validators.cross.report import CrossReport, compare
from validators.cross.rules import CROSS, read

__all__ = [
    "CROSS",
    "CrossReport",
    "Exam",
    "ExamError",
    "Pair",
    "compare",
    "examination",
    "identity",
    "publication",
    "read",
    "reading",
    "responsibility",
]
