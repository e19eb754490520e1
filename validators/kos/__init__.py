"""Judging a Key Object Selection manifest."""

from validators.kos import authorities, img_kos, iod, macros, retrieval
from validators.kos.reading import Kos, read
from validators.kos.rules import KOS

__all__ = ["KOS", "Kos", "authorities", "img_kos", "iod", "macros", "read", "retrieval"]
