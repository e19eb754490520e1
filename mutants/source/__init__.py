"""The wrong Sources. Importing this package registers them all."""

from __future__ import annotations

from mutants.source import access, demonstrator, images, life, publication, reports, traces

__all__ = ["access", "demonstrator", "images", "life", "publication", "reports", "traces"]
