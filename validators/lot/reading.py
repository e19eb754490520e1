"""What the rules of a lot signature judge when it comes without its lot."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from validators.context import Context

__all__ = ["Lot", "LotError", "Root", "read"]

_DS = f"{{{NS['ds']}}}"


class LotError(RemoteProtocolError):
    """XML that is not a signature."""


@dataclass(frozen=True, slots=True)
class Root:
    """The signature as a place."""

    def where(self, path: str = "") -> str:
        """An XPath to something in it."""
        return f"/Signature//{path}" if path else "/Signature"


@dataclass(frozen=True, slots=True)
class Lot:
    """A signature document."""

    context: Context
    root: etree._Element

    @property
    def seals(self) -> list[tuple[Root, etree._Element]]:
        """Itself, as the rules of a publication expect it."""
        return [(Root(), self.root)]


def read(data: bytes, context: Context) -> Lot:
    """Read a signature document.

    Raises:
        RemoteProtocolError: not XML, or another document.
    """
    root = xml.parse(data.strip())
    if root.tag != f"{_DS}Signature":
        raise LotError(f"Signature attendue, {str(root.tag)[:120]} trouvé", where="/")
    return Lot(context, root)
