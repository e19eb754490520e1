"""Every element, attribute and text of an XML document, altered one at a time."""

from __future__ import annotations

import copy
from collections.abc import Iterator

from lxml import etree

from tests.alterations.model import ABSENT, EMPTY, OTHER, Alteration

__all__ = ["alterations"]

_OTHER = "KIT"
_NAMING = (
    "name",
    "Name",
    "classificationScheme",
    "identificationScheme",
    "associationType",
    "typeCode",
    "Type",
)
"""Attributes that tell elements of one name apart better than their rank."""


def alterations(good: bytes) -> Iterator[Alteration]:
    """Elements left out, attributes left out or replaced, texts emptied or replaced."""
    root = etree.fromstring(good)
    for path in _paths(root):
        element = _at(root, path)
        place = _place(root, path)
        if path:
            yield Alteration(place, ABSENT, _without(root, path))
        for key in element.attrib:
            name = f"{place}/@{etree.QName(key).localname}"
            yield Alteration(name, ABSENT, _attribute(root, path, key, None))
            yield Alteration(name, OTHER, _attribute(root, path, key, _OTHER))
        if len(element) == 0 and (element.text or "").strip():
            yield Alteration(place, EMPTY, _text(root, path, ""))
            yield Alteration(place, OTHER, _text(root, path, _OTHER))


def _paths(root: etree._Element) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []

    def visit(element: etree._Element, path: tuple[int, ...]) -> None:
        if not isinstance(element.tag, str):
            return
        found.append(path)
        for rank, child in enumerate(element):
            visit(child, (*path, rank))

    visit(root, ())
    return found


def _at(root: etree._Element, path: tuple[int, ...]) -> etree._Element:
    for rank in path:
        root = root[rank]
    return root


def _label(element: etree._Element) -> str:
    name = etree.QName(element).localname
    for key in _NAMING:
        if value := element.get(key):
            return f"{name}{{{value.rsplit(':', 1)[-1]}}}"
    return name


def _place(root: etree._Element, path: tuple[int, ...]) -> str:
    labels = [_label(root)]
    for rank in path:
        child = root[rank]
        label = _label(child)
        same = [other for other in root if isinstance(other.tag, str) and _label(other) == label]
        labels.append(f"{label}[{same.index(child) + 1}]" if len(same) > 1 else label)
        root = child
    return "/".join(labels)


def _serialized(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _without(root: etree._Element, path: tuple[int, ...]) -> bytes:
    edited = copy.deepcopy(root)
    element = _at(edited, path)
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)
    return _serialized(edited)


def _attribute(root: etree._Element, path: tuple[int, ...], key: str, value: str | None) -> bytes:
    edited = copy.deepcopy(root)
    element = _at(edited, path)
    if value is None:
        del element.attrib[key]
    else:
        element.set(key, value)
    return _serialized(edited)


def _text(root: etree._Element, path: tuple[int, ...], value: str) -> bytes:
    edited = copy.deepcopy(root)
    _at(edited, path).text = value
    return _serialized(edited)
