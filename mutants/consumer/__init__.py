"""The wrong Consumers. Importing this package registers them all."""

from __future__ import annotations

from mutants.consumer import calls, dmp, exports, sources

__all__ = ["calls", "dmp", "exports", "sources"]
