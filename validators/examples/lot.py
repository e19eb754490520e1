"""Example lot signatures, alone: that of the ITI-41 example, or one spoiled after it was made."""

from __future__ import annotations

from typing import Any

from protocols import xml
from validators import package
from validators.examples import kos as manifest
from validators.examples import xds
from validators.examples.xds import Tamper

__all__ = ["lot", "lot_of"]


def lot(tamper: Tamper | None = None, **options: Any) -> bytes:
    """The signature of a lot of one manifest."""
    data = xds.lot({manifest.UID: manifest.kos()}, **options)
    if tamper is None:
        return data
    root = xml.parse(data)
    tamper(root)
    return xml.serialize(root)


def lot_of(message: bytes) -> bytes:
    """The signature that a publication carries."""
    found = package.read(message).part("signature@exemple")
    assert found is not None
    return found.data
