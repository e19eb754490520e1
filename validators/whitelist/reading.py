"""What the white list rules judge: the list as an element tree."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from validators.context import Context

__all__ = ["Entry", "ListArtefact", "read"]

DS = f"{{{xml.NS['ds']}}}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One `Domaine` and its rank, from 1."""

    element: etree._Element
    rank: int

    def texts(self, name: str) -> list[str]:
        """The texts of the children of a local name."""
        return [_text(child) for child in self.element.findall(f"{{*}}{name}")]

    def text(self, name: str) -> str:
        """The first of them, "" when there is none."""
        return next(iter(self.texts(name)), "")

    def where(self, name: str = "") -> str:
        """An XPath to the entry or to one of its children."""
        here = f"//Domaine[{self.rank}]"
        return f"{here}/{name}" if name else here


@dataclass(frozen=True, slots=True)
class ListArtefact:
    """A list, its bytes and its context."""

    data: bytes
    root: etree._Element
    context: Context

    @property
    def entries(self) -> list[Entry]:
        found = self.root.findall("{*}ListeDomaines/{*}Domaine")
        return [Entry(element, rank) for rank, element in enumerate(found, start=1)]

    @property
    def signatures(self) -> list[etree._Element]:
        """Every ds:Signature, wherever it stands."""
        return list(self.root.iter(f"{DS}Signature"))

    def text(self, name: str) -> str:
        """The text of the root's child of that local name."""
        found = self.root.find(f"{{*}}{name}")
        return "" if found is None else _text(found)


def read(data: bytes, context: Context) -> ListArtefact:
    """Read a list.

    Raises:
        RemoteProtocolError: not XML, or something else than a list.
    """
    root = xml.parse(data)
    name = etree.QName(root).localname
    if name != "ListeBlancheDRIM-M":
        raise RemoteProtocolError(f"ListeBlancheDRIM-M attendue, reçu {name}", where="/")
    return ListArtefact(data, root, context)


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext()).strip()
