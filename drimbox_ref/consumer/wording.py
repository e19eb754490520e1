"""French words for what the DMP writes in codes."""

from __future__ import annotations

from spec.imaging_metadata import MODALITIES, REGIONS

__all__ = ["COMMON_MODALITIES", "OTHER_MODALITIES", "REGION_WORDS", "modality_words"]

_MODALITIES = {
    "CT": "Scanner",
    "MR": "IRM",
    "US": "Échographie",
    "CR": "Radiographie (CR)",
    "DX": "Radiographie (DX)",
    "MG": "Mammographie",
    "PT": "TEP",
    "NM": "Médecine nucléaire",
    "XA": "Angiographie",
    "RF": "Radioscopie",
    "IO": "Radiographie intra-orale",
    "PX": "Panoramique dentaire",
}
COMMON_MODALITIES = tuple(_MODALITIES.items())
"""Code and words, those met every day first."""
OTHER_MODALITIES = tuple(sorted(MODALITIES.difference(_MODALITIES)))
"""The other codes of JDV_ModaliteAcquisition_CISIS."""
REGION_WORDS = tuple(
    sorted(
        ((code, words[:1].upper() + words[1:]) for code, words in REGIONS.items()),
        key=lambda one: one[1],
    )
)
"""Code and words."""


def modality_words(code: str) -> str:
    """`Scanner (CT)`; a code that has no word here as it is."""
    words = _MODALITIES.get(code, "")
    return f"{words} ({code})" if words and code not in words else words or code
