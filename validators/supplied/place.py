"""Where a finding of a supplied schema stands: a short XPath and its line."""

from __future__ import annotations

import re

from lxml import etree

__all__ = ["at_path", "place_of"]

_STEP = re.compile(r"/(?:(?:Q\{([^}]*)\})?([\w.-]+)\[(\d+)\]|([^/]+))")


def place_of(element: etree._Element) -> str:
    """`/ClinicalDocument/author[2] (ligne 40)`: ranks only where a name is repeated."""
    steps = [_step(one) for one in (element, *element.iterancestors())]
    return f"/{'/'.join(reversed(steps))} (ligne {element.sourceline})"


def at_path(root: etree._Element, path: str) -> str:
    """The same, of a path as XPath's fn:path() writes it; what follows the element is kept."""
    here: etree._Element | None = None
    rest: list[str] = []
    for match in _STEP.finditer(path):
        namespace, name, rank, other = match.groups()
        if other is not None:
            rest.append(re.sub(r"Q\{[^}]*\}", "", other))
            break
        wanted = f"{{{namespace}}}{name}" if namespace else name
        found = [root] if here is None else here.findall(wanted)
        if len(found) < int(rank) or found[int(rank) - 1].tag != wanted:
            return path
        here = found[int(rank) - 1]
    if here is None:
        return f"/{rest[0]}" if rest else "/"
    written = place_of(here)
    return written.replace(" (", f"/{rest[0]} (", 1) if rest else written


def _step(element: etree._Element) -> str:
    name = etree.QName(element).localname
    parent = element.getparent()
    twins = [] if parent is None else parent.findall(str(element.tag))
    return f"{name}[{twins.index(element) + 1}]" if len(twins) > 1 else name
