"""The wrong Sources. Importing this package registers them all."""

from __future__ import annotations

from mutants.source import (
    access,
    archive,
    changes,
    companion,
    debug,
    delivery,
    demonstrator,
    departments,
    handshake,
    images,
    intake,
    life,
    publication,
    reports,
    requests,
    revoking,
    security,
    standing,
    tokens,
    traces,
)

__all__ = [
    "access",
    "archive",
    "changes",
    "companion",
    "debug",
    "delivery",
    "demonstrator",
    "departments",
    "handshake",
    "images",
    "intake",
    "life",
    "publication",
    "reports",
    "requests",
    "revoking",
    "security",
    "standing",
    "tokens",
    "traces",
]
