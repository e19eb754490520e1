"""One plug-in with one of each thing that a plug-in may bring. It imports `drimbench.api` only."""

from __future__ import annotations

from pathlib import Path

from acme_drimbench import rules, steps
from acme_drimbench.driver import AcmeBrowser
from acme_drimbench.kinds import STICKER
from acme_drimbench.summary import write_summary
from drimbench.api import Plugin

__all__ = ["PLUGIN"]

PLUGIN = Plugin(
    name="acme",
    features=Path(__file__).parent / "features" / "acme",
    steps=(steps.__name__,),
    kinds=(STICKER,),
    drivers={"acme": AcmeBrowser},
    projections={"acme-csv": write_summary},
)

RULES = rules.KOS
"""Importing the module is what registers its rules."""
