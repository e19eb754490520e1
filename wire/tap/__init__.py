"""A tap: a relay that a real neighbour is reached through, and that records what it says.

Bytes pass unchanged in both directions; what an ear makes of them is told to `observe`, and an ear
that no longer follows goes deaf without holding anything up. How bytes travel is a `Passage`: a
good wire by default, a bad network for whoever gives another one (`Link`).
"""

from __future__ import annotations

from wire.tap.dimse import DimseEar, Stored
from wire.tap.ear import Ear, Line, Side, Witness
from wire.tap.http import HttpEar
from wire.tap.mllp import MllpEar
from wire.tap.network import CLEAR, Breakage, Link, Network, Shape
from wire.tap.passage import Cut, HalfClosed, Passage, Reading, prompt, straight
from wire.tap.relay import Tap, TapTls, open_tap
from wire.tap.sealed import SealedEar

__all__ = [
    "CLEAR",
    "Breakage",
    "Cut",
    "DimseEar",
    "Ear",
    "HalfClosed",
    "HttpEar",
    "Line",
    "Link",
    "MllpEar",
    "Network",
    "Passage",
    "Reading",
    "SealedEar",
    "Shape",
    "Side",
    "Stored",
    "Tap",
    "TapTls",
    "Witness",
    "open_tap",
    "prompt",
    "straight",
]
