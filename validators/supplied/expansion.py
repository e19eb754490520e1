"""A Schematron schema made flat: inclusions read, abstract patterns and rules put in their place.

Réf. ISO/IEC 19757-3:2016, 5.4.4 (extends), 5.4.5 (include), 5.4.9 (pattern), 6.3 (abstract
patterns): a parameter of an abstract pattern is replaced, as text, in every attribute.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from validators.supplied.schema import Load, SchemaError, beside

__all__ = ["SCH", "children", "expand", "place"]

SCH = "{http://purl.oclc.org/dsdl/schematron}"
_OLD = "http://www.ascc.net/xml/schematron"
_FILE = "{urn:drimbench:schematron}file"
_MAX_DEPTH = 20
_MAX_PIECES = 5000


def expand(name: str, load: Load) -> etree._Element:
    """The `sch:schema` of a file, without `include`, `extends`, abstract rule or pattern.

    Raises:
        SchemaError: not a Schematron schema, a reference that is refused or leads nowhere, or
            inclusions that never end.
    """
    root = _parse(name, load)
    if root.tag != f"{SCH}schema":
        old = " (Schematron 1.5 : à convertir en ISO)" if _OLD in str(root.tag) else ""
        raise SchemaError(f"{name} : sch:schema attendu, {str(root.tag)[:120]} trouvé{old}")
    _Inclusions(load).resolve(root, name, 0)
    _instantiate(root)
    _extend(root)
    return root


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Its child elements of these Schematron names."""
    wanted = {f"{SCH}{name}" for name in names}
    return (child for child in element if child.tag in wanted)


def place(element: etree._Element) -> str:
    """`file:line` of an element, wherever it came from."""
    holders = (element, *element.iterancestors())
    name = next((found for one in holders if (found := one.get(_FILE))), "")
    return f"{name}:{element.sourceline}"


def _parse(name: str, load: Load) -> etree._Element:
    try:
        root = xml.parse(load(name))
    except RemoteProtocolError as error:
        where = f" ({error.where})" if error.where else ""
        raise SchemaError(f"{name} : {error}{where}") from None
    root.set(_FILE, name)
    return root


class _Inclusions:
    """Reads what `include` and `extends` with href name, wherever they stand."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._count = 0

    def resolve(self, root: etree._Element, name: str, depth: int) -> None:
        """Put in place what an element of the file `name` refers to."""
        for element in list(root.iter(f"{SCH}include", f"{SCH}extends")):
            if element.get("href") is None:
                continue
            here = f"{name}:{element.sourceline}"
            self._count += 1
            if depth == _MAX_DEPTH or self._count > _MAX_PIECES:
                raise SchemaError(f"{here} : inclusions sans fin")
            found = self._named(name, element, depth)
            inherits = element.tag == f"{SCH}extends"
            _replace(element, [*found] if inherits else [found])

    def _named(self, name: str, element: etree._Element, depth: int) -> etree._Element:
        file, _, id = (element.get("href") or "").partition("#")
        try:
            target = beside(name, file)
            root = _parse(target, self._load)
        except SchemaError as error:
            raise SchemaError(f"{error} (demandé par {name}:{element.sourceline})") from None
        if id:
            named = [one for one in root.iter() if id in (one.get("id"), one.get(_XML_ID))]
            if not named:
                raise SchemaError(f"{name}:{element.sourceline} : « {id} » n'est pas dans {target}")
            named[0].set(_FILE, target)
            root = named[0]
        self.resolve(root, target, depth + 1)
        return root


_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


def _replace(element: etree._Element, others: list[etree._Element]) -> None:
    parent = element.getparent()
    if parent is None:
        return
    file = next((one.get(_FILE) for one in others[:1]), None) or _file_of(others)
    at = parent.index(element)
    for offset, other in enumerate(others):
        if file and isinstance(other.tag, str):
            other.set(_FILE, file)
        parent.insert(at + offset, other)
    parent.remove(element)


def _file_of(elements: list[etree._Element]) -> str:
    return place(elements[0]).rpartition(":")[0] if elements else ""


def _instantiate(root: etree._Element) -> None:
    """Replace each `is-a` pattern by its abstract pattern, and drop the abstract ones."""
    patterns = list(root.iter(f"{SCH}pattern", f"{SCH}group"))
    abstract = {one.get("id"): one for one in patterns if one.get("abstract") == "true"}
    for pattern in patterns:
        wanted = pattern.get("is-a")
        if wanted is None:
            continue
        if wanted not in abstract:
            raise SchemaError(f"{place(pattern)} : motif abstrait « {wanted} » absent du schéma")
        model = abstract[wanted]
        given = {
            one.get("name", ""): one.get("value", "")
            for holder in (model, pattern)
            for one in children(holder, "param")
        }
        for child in list(children(pattern, "param")):
            pattern.remove(child)
        for child in model:
            if child.tag != f"{SCH}param":
                made = copy.deepcopy(child)
                if isinstance(made.tag, str):
                    made.set(_FILE, place(child).rpartition(":")[0])
                    _substitute(made, given)
                pattern.append(made)
    for one in abstract.values():
        _remove(one)


def _substitute(element: etree._Element, given: Mapping[str, str]) -> None:
    names = sorted((name for name in given if name), key=len, reverse=True)
    if not names:
        return
    pattern = re.compile(r"\$(" + "|".join(map(re.escape, names)) + r")(?![\w.-])")
    for one in element.iter():
        for name, value in one.attrib.items():
            one.set(name, pattern.sub(lambda match: given[match[1]], str(value)))


def _extend(root: etree._Element) -> None:
    """Replace `extends` by the content of its abstract rule, and drop the abstract ones."""
    extensions = _Extensions(root)
    for rule in list(root.iter(f"{SCH}rule")):
        extensions.fill(rule, ())
    for one in extensions.abstract:
        _remove(one)


class _Extensions:
    """Fills rules with the abstract ones that they extend, the deepest first."""

    def __init__(self, root: etree._Element) -> None:
        self.abstract = [one for one in root.iter(f"{SCH}rule") if one.get("abstract") == "true"]
        self._copied = 0

    def fill(self, rule: etree._Element, above: tuple[etree._Element, ...]) -> None:
        """Fill one rule; `above` are those that wait for it."""
        for element in list(children(rule, "extends")):
            found = self._named(element, rule)
            if found is rule or found in above:
                raise SchemaError(f"{place(element)} : extensions sans fin")
            self.fill(found, (*above, rule))
            self._copied += len(found)
            if self._copied > _MAX_PIECES * 10:
                raise SchemaError(f"{place(element)} : trop d'extensions")
            _replace(element, [copy.deepcopy(child) for child in found])

    def _named(self, element: etree._Element, rule: etree._Element) -> etree._Element:
        wanted = element.get("rule", "")
        known = [one for one in self.abstract if one.get("id") == wanted]
        if not known:
            raise SchemaError(f"{place(element)} : règle abstraite « {wanted} » absente")
        # The rule of the same pattern first: an instance of an abstract pattern has its own.
        return next((one for one in known if one.getparent() is rule.getparent()), known[0])


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
