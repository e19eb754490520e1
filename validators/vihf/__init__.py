"""Judging a VIHF alone: the assertion that says who speaks to the DMP."""

from validators.vihf.reading import Vihf, VihfError, read
from validators.vihf.rules import EVERYWHERE, VIHF

__all__ = ["EVERYWHERE", "VIHF", "Vihf", "VihfError", "read"]
