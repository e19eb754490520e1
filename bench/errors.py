"""What stops the bench for a reason that the user can mend."""

from __future__ import annotations

__all__ = ["BenchError"]


class BenchError(Exception):
    """Something given to the bench cannot be used; the text, in French, is for the user."""
