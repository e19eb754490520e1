"""The structure of a message of XDS: what its schema says, and what the order of ebRIM says.

Order is apart: the field disturbs it, the official samples first, and every reader copes. What is
in disorder is put in order before the schema judges the rest.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import cast

from lxml import etree

from protocols.xml import NS
from spec.schemas import registry_object_order, xds_messages
from validators.rule import Broken

__all__ = ["disorder", "faults"]

_RIM = f"{{{NS['rim']}}}"
_OWNERS = {
    f"{_RIM}Classification": "classifiedObject",
    f"{_RIM}ExternalIdentifier": "registryObject",
}
_MOST = 20
"""Faults told of one message: past that they are one fault told many times."""

_UNEXPECTED = "Cet élément n'est pas attendu ici."
_MISSING = "Il manque un élément."
_MESSAGES = {
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "Cet élément doit être vide.",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "Cet élément ne porte que du texte.",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "Cet élément ne porte pas de texte.",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "Cet attribut n'est pas du schéma.",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": "Cet attribut n'est pas du schéma.",
    "SCHEMAV_CVC_COMPLEX_TYPE_4": "Un attribut que le schéma exige manque.",
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": "La valeur n'est pas du type que le schéma donne.",
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": "La valeur n'est pas du type que le schéma donne.",
    "SCHEMAV_CVC_ELT_1": "Ce message n'est pas du schéma.",
    "SCHEMAV_CVC_ENUMERATION_VALID": "La valeur n'est pas de celles que le schéma donne.",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "La valeur est trop longue.",
    "SCHEMAV_CVC_TYPE_3_1_1": "Cet attribut n'est pas du schéma.",
    "SCHEMAV_CVC_TYPE_3_1_2": "Cet élément ne porte que du texte.",
    "SCHEMAV_CVC_MINLENGTH_VALID": "La valeur est vide.",
}
"""What libxml2 calls a fault, in French; its own words are the last resort."""
_OTHER = "La structure n'est pas celle du schéma."

_ATTRIBUTE = re.compile(r"(?:, |The )attribute '([^']*)'")
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*?) \)")
_QUALIFIED = re.compile(r"\{[^}]*\}")
_LENGTH = re.compile(r"exceeds the allowed maximum length of '(\d+)'")


def faults(message: etree._Element, *, first_line: int = 1) -> Iterator[Broken]:
    """What the schema refuses in a message, once its registry objects are in order.

    An attribute that repeats the id of the parent, and that rules of their own judge
    (classifiedObject, registryObject), may be missing.

    Args:
        message: the body of an envelope, or the root of a file.
        first_line: the line of the file where its document begins.
    """
    if _compiled().validate(message):
        return
    ordered = _put_in_order(message)
    schema = xds_messages()
    if schema.validate(ordered):
        return
    told: set[tuple[str, str]] = set()
    for error in cast("Iterable[etree._LogEntry]", schema.error_log):
        attribute = _found(_ATTRIBUTE, error.message)
        # A wrong value is told twice: by its facet, then by its type.
        if (error.path or "", attribute) in told:
            continue
        told.add((error.path or "", attribute))
        if len(told) > _MOST:
            return
        yield _broken(error, attribute, ordered, first_line)


@cache
def _compiled() -> etree.XMLSchema:
    """Shared by all messages: its verdict alone is read, never its log."""
    return xds_messages()


def disorder(message: etree._Element, *, first_line: int = 1) -> Iterator[Broken]:
    """Each element of a registry object that comes after one that it should precede."""
    order = registry_object_order()
    for parent in message.iter(f"{_RIM}*"):
        children = [child for child in parent if isinstance(child.tag, str)]
        for before, after in pairwise(children):
            if _rank(before) > _rank(after):
                named = f"{_name(after)} {after.get('name', '')}".strip()
                yield Broken(
                    message="Cet élément vient trop tard.",
                    expected=", ".join(order),
                    actual=f"{named} après {_name(before)}",
                    where=_place(after, first_line),
                )


_RANKS = {f"{_RIM}{name}": rank for rank, name in enumerate(registry_object_order())}


def _rank(element: etree._Element) -> int:
    """Of an element in a registry object; what is particular to one kind comes last."""
    return _RANKS.get(element.tag, len(_RANKS))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _put_in_order(message: etree._Element) -> etree._Element:
    """A copy whose registry objects are in order, and whose parts name their owner."""
    ordered = copy.deepcopy(message)
    for parent in ordered.iter(f"{_RIM}*"):
        if owned := _OWNERS.get(parent.tag):
            owner = parent.getparent()
            if owner is not None and parent.get(owned) is None:
                parent.set(owned, owner.get("id", ""))
        children = [child for child in parent if isinstance(child.tag, str)]
        ranks = [_rank(child) for child in children]
        if ranks != sorted(ranks):
            parent[:] = sorted(children, key=_rank)
    return ordered


def _broken(
    error: etree._LogEntry, attribute: str, message: etree._Element, first_line: int
) -> Broken:
    text = _QUALIFIED.sub("", error.message)
    expected = _found(_EXPECTED, text)
    said = _MESSAGES.get(error.type_name, _OTHER)
    actual = ""
    if error.type_name == "SCHEMAV_ELEMENT_CONTENT":
        said = _MISSING if "Missing child" in text else _UNEXPECTED
    elif error.type_name == "SCHEMAV_CVC_COMPLEX_TYPE_4":
        expected = f"@{attribute}"
    elif error.type_name == "SCHEMAV_CVC_MAXLENGTH_VALID":
        expected = f"{_found(_LENGTH, text)} caractères au plus"
    elif said == _OTHER:
        actual = text[:200]
    element = _element(message, error.path or "")
    if element is None:
        return Broken(message=said, expected=expected, actual=actual, where=error.path or "")
    if attribute and not actual:
        actual = (element.get(attribute) or "")[:200]
    elif said == _UNEXPECTED:
        actual = _name(element)
    suffix = f"/@{attribute}" if attribute else ""
    return Broken(
        message=said, expected=expected, actual=actual, where=_place(element, first_line, suffix)
    )


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _element(message: etree._Element, path: str) -> etree._Element | None:
    """The element at libxml2's path, None when a prefix means two things in the document."""
    spaces: dict[str, str] = {}
    for element in message.iter():
        if isinstance(element.tag, str):
            spaces |= {prefix: uri for prefix, uri in element.nsmap.items() if prefix}
    try:
        found = message.getroottree().xpath(path, namespaces=spaces)
    except etree.XPathError:
        return None
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], etree._Element):
        return found[0]
    return None


def _place(element: etree._Element, first_line: int, suffix: str = "") -> str:
    """From the nearest element with an id down to this one, and the line."""
    line = cast("int | None", element.sourceline) or 1
    steps: list[str] = []
    node: etree._Element | None = element
    while node is not None:
        name = _name(node)
        if node.get("id"):
            steps.append(f"{name}[@id='{node.get('id')}']")
            break
        steps.append(f"{name}[@name='{node.get('name')}']" if node.get("name") else name)
        node = node.getparent()
    return f"//{'/'.join(reversed(steps))}{suffix} (ligne {first_line + line - 1})"
