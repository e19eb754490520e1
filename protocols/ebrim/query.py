"""Stored queries (ITI-18): AdhocQueryRequest and AdhocQueryResponse.

Parameter values have a syntax of their own (ITI Vol. 2 3.18.4.1.2.3.5): a string is quoted with
apostrophes doubled inside, a list is parenthesised, a number stands bare. Two slots of one name
mean AND, the values of one list mean OR.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from protocols.ebrim.model import Association, Defect, DocumentEntry, EbrimError, SubmissionSet
from protocols.ebrim.read import ObjectReader
from protocols.ebrim.response import RegistryError, error_list, parse_errors, status_of
from protocols.ebrim.write import Mint, ObjectWriter, slot_element
from protocols.xml import NS
from spec.xds import ResponseStatus

__all__ = [
    "AdhocQuery",
    "Parameter",
    "QueryResponse",
    "build_query",
    "build_query_response",
    "listed",
    "parse_query",
    "parse_query_response",
    "quoted",
]

_RIM = f"{{{NS['rim']}}}"
_QUERY = f"{{{NS['query']}}}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One slot of a query, values unquoted; `is_list` when they were in parentheses."""

    name: str
    values: tuple[str, ...]
    is_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdhocQuery:
    """A stored query: its id (`spec.xds.Query`) and its parameters in order."""

    id: str
    parameters: tuple[Parameter, ...] = ()
    return_type: str = "LeafClass"
    composed: bool = True

    def all(self, name: str) -> tuple[Parameter, ...]:
        """The parameters of that name: each must hold (AND)."""
        return tuple(parameter for parameter in self.parameters if parameter.name == name)

    def value(self, name: str) -> str:
        """The first value of the first parameter of that name, "" when absent."""
        for parameter in self.all(name):
            if parameter.values:
                return parameter.values[0]
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResponse:
    """What a registry answers. `total` is @totalResultCount, None when absent."""

    status: str = ResponseStatus.SUCCESS
    entries: tuple[DocumentEntry, ...] = ()
    sets: tuple[SubmissionSet, ...] = ()
    associations: tuple[Association, ...] = ()
    refs: tuple[str, ...] = ()
    """ids of ObjectRef, when the query asked for them"""
    errors: tuple[RegistryError, ...] = ()
    total: int | None = None
    defects: tuple[Defect, ...] = ()


def quoted(value: str) -> str:
    """`'value'`, apostrophes doubled."""
    return "'" + value.replace("'", "''") + "'"


def listed(values: Iterable[str]) -> str:
    """`('a','b')`."""
    return "(" + ",".join(quoted(value) for value in values) + ")"


def build_query(query: AdhocQuery) -> etree._Element:
    """`query:AdhocQueryRequest`, valid against the ebRS schema. Every value is quoted."""
    request = etree.Element(
        f"{_QUERY}AdhocQueryRequest", nsmap={"query": NS["query"], "rim": NS["rim"]}
    )
    etree.SubElement(
        request,
        f"{_QUERY}ResponseOption",
        {"returnComposedObjects": str(query.composed).lower(), "returnType": query.return_type},
    )
    adhoc = etree.SubElement(request, f"{_RIM}AdhocQuery", {"id": query.id})
    for parameter in query.parameters:
        values = parameter.values
        texts = [listed(values)] if parameter.is_list else [quoted(v) for v in values]
        slot_element(adhoc, parameter.name, texts)
    return request


def parse_query(element: etree._Element) -> AdhocQuery:
    """The query in a `query:AdhocQueryRequest`.

    Raises:
        EbrimError: another element, no AdhocQuery, or a value whose quoting is broken.
    """
    if element.tag != f"{_QUERY}AdhocQueryRequest":
        raise EbrimError(f"AdhocQueryRequest attendu, reçu {element.tag}")
    adhoc = element.find(f"{_RIM}AdhocQuery")
    if adhoc is None:
        raise EbrimError("AdhocQueryRequest sans AdhocQuery")
    option = element.find(f"{_QUERY}ResponseOption")
    return AdhocQuery(
        id=adhoc.get("id", ""),
        parameters=tuple(_parameter(slot) for slot in adhoc.findall(f"{_RIM}Slot")),
        # Default of query.xsd; the DMP's clients always write LeafClass or ObjectRef.
        return_type="RegistryObject"
        if option is None
        else option.get("returnType", "RegistryObject"),
        composed=option is not None and option.get("returnComposedObjects") in ("true", "1"),
    )


def _parameter(slot: etree._Element) -> Parameter:
    name = slot.get("name", "")
    values: list[str] = []
    is_list = False
    for element in slot.findall(f"{_RIM}ValueList/{_RIM}Value"):
        found, parenthesised = _values((element.text or "").strip(), name)
        values += found
        is_list = is_list or parenthesised
    return Parameter(name, tuple(values), is_list)


_VALUE = re.compile(r"\s*+(?:'((?:[^']|'')*+)'|([^',()]++))\s*+")


def _values(text: str, name: str) -> tuple[list[str], bool]:
    """The values in one `Value`, and whether they were a list."""
    is_list = text.startswith("(")
    if is_list and not text.endswith(")"):
        raise EbrimError(f"parenthèse non fermée : {text[:120]!r}", where=name)
    inside = text[1:-1] if is_list else text
    values: list[str] = []
    at = 0
    while at < len(inside) or not values:
        match = _VALUE.match(inside, at)
        if match is None:
            if not inside.strip():
                break
            raise EbrimError(f"valeur mal citée : {text[:120]!r}", where=name)
        quoted_value, bare = match[1], match[2]
        values.append(bare.strip() if bare is not None else quoted_value.replace("''", "'"))
        at = match.end()
        if at == len(inside):
            break
        if not is_list or inside[at] != "," or at + 1 == len(inside):
            raise EbrimError(f"valeur mal citée : {text[:120]!r}", where=name)
        at += 1
    return values, is_list


def build_query_response(response: QueryResponse, *, mint: Mint | None = None) -> etree._Element:
    """`query:AdhocQueryResponse`, valid against the ebRS schema."""
    attributes = {"status": response.status, "startIndex": "0"}
    if response.total is not None:
        attributes["totalResultCount"] = str(response.total)
    element = etree.Element(
        f"{_QUERY}AdhocQueryResponse",
        attributes,
        nsmap={"query": NS["query"], "rim": NS["rim"], "rs": NS["rs"]},
    )
    error_list(element, response.errors)
    objects = etree.SubElement(element, f"{_RIM}RegistryObjectList")
    for ref in response.refs:
        etree.SubElement(objects, f"{_RIM}ObjectRef", {"id": ref})
    writer = ObjectWriter(objects, mint)
    for submission_set in response.sets:
        writer.submission_set(submission_set)
    for entry in response.entries:
        writer.entry(entry)
    for association in response.associations:
        writer.association(association)
    return element


def parse_query_response(element: etree._Element) -> QueryResponse:
    """The answer in a `query:AdhocQueryResponse`.

    Raises:
        EbrimError: another element, no status, a count that is no number, an object without id.
    """
    if element.tag != f"{_QUERY}AdhocQueryResponse":
        raise EbrimError(f"AdhocQueryResponse attendu, reçu {element.tag}")
    objects = element.find(f"{_RIM}RegistryObjectList")
    reader = ObjectReader(objects if objects is not None else etree.Element("none"))
    total = element.get("totalResultCount")
    if total is not None and not (total.isascii() and total.isdigit() and len(total) < 10):
        raise EbrimError(f"totalResultCount illisible : {total[:40]!r}")
    return QueryResponse(
        status=status_of(element),
        entries=tuple(reader.entries),
        sets=tuple(reader.sets),
        associations=tuple(reader.associations),
        refs=tuple(reader.refs),
        errors=parse_errors(element),
        total=None if total is None else int(total),
        defects=tuple(reader.defects),
    )
