"""A tap: a relay that a real neighbour is reached through, and that records what it says.

Bytes pass unchanged in both directions; what an ear makes of them is told to `observe`, and an ear
that no longer follows goes deaf without holding anything up. How bytes travel is a `Passage`: a
good wire by default, a bad network for whoever gives another one.
"""

from __future__ import annotations

from wire.tap.dimse import DimseEar, Stored
from wire.tap.ear import Ear, Line, Side, Witness
from wire.tap.http import HttpEar
from wire.tap.mllp import MllpEar
from wire.tap.passage import Cut, HalfClosed, Passage, straight
from wire.tap.relay import Tap, TapTls, open_tap
from wire.tap.sealed import SealedEar

__all__ = [
    "Cut",
    "DimseEar",
    "Ear",
    "HalfClosed",
    "HttpEar",
    "Line",
    "MllpEar",
    "Passage",
    "SealedEar",
    "Side",
    "Stored",
    "Tap",
    "TapTls",
    "Witness",
    "open_tap",
    "straight",
]
