"""The wrong Sources. Importing this package registers them all."""

from __future__ import annotations

from mutants.source import access, images, publication, reports, traces

__all__ = ["access", "images", "publication", "reports", "traces"]
