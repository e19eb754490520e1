"""The wrong Consumers. Importing this package registers them all."""

from __future__ import annotations

from mutants.consumer import (
    calls,
    ciba,
    credulous,
    dmp,
    exports,
    identity,
    keeping,
    login,
    pages,
    sources,
    viewing,
)

__all__ = [
    "calls",
    "ciba",
    "credulous",
    "dmp",
    "exports",
    "identity",
    "keeping",
    "login",
    "pages",
    "sources",
    "viewing",
]
