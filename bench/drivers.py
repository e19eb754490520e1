"""The bench's own drivers of a Consumer's pages, by the name that a profile gives."""

from __future__ import annotations

from collections.abc import Mapping

from bench.browser import BrowserFactory
from bench.by_hand import ByHand
from bench.chromium import Chromium

__all__ = ["DRIVERS", "PERSON"]

PERSON = "personne"
"""A person is in front of the product's pages."""

DRIVERS: Mapping[str, BrowserFactory] = {"chromium": Chromium, PERSON: ByHand}
