"""Which requirements a claim leaves out: the profile of the REM that each is bound to, as data.

`profile` and `condition` of the catalogue say it (draft REM, columns "Profil" and "Condition"): a
*proxy* stands before a PACS that it asks by DICOM; a *native* box has the PACS within, so nobody
sees it ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from spec.requirements import CATALOGUE, Requirement

__all__ = ["Mode", "inapplicable"]

Mode = Literal["proxy", "native"]


def inapplicable(mode: Mode, catalogue: Mapping[str, Requirement] = CATALOGUE) -> Mapping[str, str]:
    """Requirement id -> why it does not bind a product of that mode, in French, with its source."""
    return {
        one.id: f"produit {mode} : {_sentence(one)} ({one.source})"
        for one in catalogue.values()
        if one.profile in get_args(Mode) and one.profile != mode
    }


def _sentence(one: Requirement) -> str:
    said = one.condition or f"Profil DRIMbox {one.profile} seulement."
    return said[0].lower() + said[1:].rstrip(".")
