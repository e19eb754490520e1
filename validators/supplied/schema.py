"""What every supplied schema is, and how it names the files that it needs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Protocol
from urllib.parse import unquote, urlsplit

from lxml import etree

from validators.finding import Finding

__all__ = ["SOURCE", "Load", "Schema", "SchemaError", "beside", "rule_id"]

SOURCE = "fourni par l'utilisateur"
"""Of every finding of a supplied schema."""

Load = Callable[[str], bytes]
"""Reads a file of the permitted folder, by its path from that folder, with slashes.

Raises:
    SchemaError: absent, unreadable or outside the folder.
"""

_DRIVE = re.compile(r"[A-Za-z]:|[/\\]")


class SchemaError(Exception):
    """A supplied schema that cannot be used. The French message names file, place and reason."""


class Schema(Protocol):
    """A schema ready to judge; `name` is the path of its file, for who reads the findings."""

    name: str

    def judge(self, document: etree._Element) -> Iterator[Finding]:
        """What it says of a document, or of the part of a message that it is meant for.

        Raises:
            SchemaError: it stopped on this document: nothing is known of it.
        """


def beside(name: str, reference: str) -> str:
    """The path, from the permitted folder, of what a file of that folder refers to.

    Raises:
        SchemaError: an address, an absolute path, or one that leaves the folder.
    """
    try:
        parts = urlsplit(reference)
    except ValueError:
        raise SchemaError(f"{name} : référence illisible « {reference} »") from None
    path = unquote(parts.path)
    if parts.scheme or parts.netloc or _DRIVE.match(path) or "\0" in path:
        raise SchemaError(f"{name} : « {reference} » n'est pas un chemin relatif : refusé")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if found == ".." or found.startswith("../"):
        raise SchemaError(
            f"{name} : « {reference} » sort du dossier permis ; "
            "donnez un dossier qui les contient tous par --schemas"
        )
    return found


def rule_id(engine: str, check: str) -> str:
    """The id of what a supplied schema demands: `USER-SCH/S_Addr`, `USER-XSD/ELEMENT_CONTENT`."""
    return f"USER-{engine}/" + re.sub(r"[^\w.:-]+", "-", check)[:80]
