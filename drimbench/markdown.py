"""Cells and rows of the tables in Markdown that reference pages hold."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["listed", "row"]


def listed(ids: Sequence[str]) -> str:
    """Identifiers, each in code, in one cell."""
    return ", ".join(f"`{id}`" for id in ids)


def row(*cells: str) -> str:
    """One line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
