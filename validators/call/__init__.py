"""Judging the contextual call by which a RIS or DPI opens a Consumer on a patient."""

from validators.call import identity, parameters, search
from validators.call.reading import CallArtefact, read
from validators.call.rules import CALL

__all__ = ["CALL", "CallArtefact", "identity", "parameters", "read", "search"]
