"""A Schematron schema as values: what it checks in one phase.

Réf. ISO/IEC 19757-3:2016, 5.4 (elements), 6.2 (phases), annexes C, H, J (query bindings).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from validators.finding import Severity
from validators.supplied.expansion import SCH, children, expand, place
from validators.supplied.schema import Load, SchemaError

__all__ = ["Check", "Let", "Pattern", "Rule", "Schematron", "read"]

_BINDINGS = {
    "": "1.0",
    "xslt": "1.0",
    "xslt1": "1.0",
    "xpath": "1.0",
    "xslt2": "2.0",
    "xpath2": "2.0",
    "xslt3": "3.0",
    "xpath3": "3.0",
    "xpath31": "3.0",
}
"""queryBinding -> version of XSLT under which its expressions are evaluated."""
_XSL = "{http://www.w3.org/1999/XSL/Transform}"
_FOREIGN = frozenset(f"{_XSL}{name}" for name in ("function", "key"))
_SEVERITIES = {
    Severity.ERROR: ("fatal", "error", "erreur", "critical", "bloquant"),
    Severity.WARNING: ("warn", "warning", "avertissement", "alerte"),
    Severity.INFO: ("info", "information", "note", "notice", "hint", "debug", "trace"),
}
_PREFIX = re.compile(r"[^\W\d][\w.-]*")
_ALL = "#ALL"
_DEFAULT = "#DEFAULT"


@dataclass(frozen=True, slots=True)
class Let:
    """A variable: an expression, or the element that holds its content when `value` is None."""

    name: str
    value: str | None
    element: etree._Element


@dataclass(frozen=True, slots=True)
class Check:
    """An `assert` or a `report`. `message` and `diagnostics` hold text and its expressions."""

    id: str
    is_report: bool
    test: str
    severity: Severity
    subject: str
    message: etree._Element
    diagnostics: tuple[etree._Element, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds of each node of a context that no earlier rule of its pattern took."""

    context: str
    lets: tuple[Let, ...]
    checks: tuple[Check, ...]
    place: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rules that are tried in order on each node."""

    id: str
    lets: tuple[Let, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Schematron:
    """A schema in one phase. `version` is that of XSLT; `foreign` its own functions and keys."""

    version: str
    namespaces: dict[str, str]
    lets: tuple[Let, ...]
    patterns: tuple[Pattern, ...]
    foreign: tuple[etree._Element, ...]


def read(name: str, load: Load, phase: str = "") -> Schematron:
    """Read a schema; without a phase, its default one, and every pattern when it has none.

    Raises:
        SchemaError: it cannot be read, names what is not there, or asks for what we do not play.
    """
    root = expand(name, load)
    binding = root.get("queryBinding", "").lower()
    if binding not in _BINDINGS:
        known = ", ".join(sorted(one for one in _BINDINGS if one))
        raise SchemaError(f"{name} : queryBinding « {binding} » inconnu ; attendu : {known}")
    chosen = phase or root.get("defaultPhase", "") or _ALL
    if chosen == _DEFAULT:
        chosen = root.get("defaultPhase", _ALL)
    active, phase_lets = _phase(root, chosen, name)
    patterns = [
        one
        for one in root.iter(f"{SCH}pattern", f"{SCH}group")
        if active is None or one.get("id") in active
    ]
    if not patterns:
        raise SchemaError(f"{name} : aucun motif dans la phase « {chosen} »")
    return Schematron(
        version=_BINDINGS[binding],
        namespaces=_namespaces(root),
        lets=(*_lets(root), *phase_lets),
        patterns=tuple(_pattern(one, rank, root) for rank, one in enumerate(patterns, start=1)),
        foreign=tuple(_foreign(root)),
    )


def _phase(
    root: etree._Element, chosen: str, name: str
) -> tuple[frozenset[str | None] | None, tuple[Let, ...]]:
    """Ids of the active patterns, None for all of them, and the variables of the phase."""
    if chosen == _ALL:
        return None, ()
    phases = {one.get("id"): one for one in children(root, "phase")}
    if chosen not in phases:
        known = ", ".join(sorted(id for id in phases if id)) or "aucune"
        raise SchemaError(f"{name} : phase « {chosen} » absente ; phases du schéma : {known}")
    phase = phases[chosen]
    active = frozenset(one.get("pattern") for one in children(phase, "active"))
    return active, _lets(phase)


def _namespaces(root: etree._Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in children(root, "ns"):
        prefix, uri = one.get("prefix", ""), one.get("uri")
        if _PREFIX.fullmatch(prefix) is None or not uri:
            raise SchemaError(f"{place(one)} : sch:ns demande un préfixe et un URI")
        if prefix in ("xml", "xmlns") or prefix.startswith("kit-"):
            raise SchemaError(f"{place(one)} : préfixe « {prefix} » réservé")
        found[prefix] = uri
    return found


def _lets(element: etree._Element) -> tuple[Let, ...]:
    found = []
    for one in children(element, "let"):
        if not one.get("name"):
            raise SchemaError(f"{place(one)} : sch:let sans nom")
        found.append(Let(one.get("name", ""), one.get("value"), one))
    return tuple(found)


def _foreign(root: etree._Element) -> list[etree._Element]:
    """XSLT functions and keys of the schema; any other instruction is refused."""
    found = []
    for one in root:
        if not isinstance(one.tag, str) or not one.tag.startswith(_XSL):
            continue
        if one.tag not in _FOREIGN:
            name = etree.QName(one).localname
            raise SchemaError(f"{place(one)} : xsl:{name} refusé ; admis : xsl:function, xsl:key")
        found.append(one)
    return found


def _pattern(element: etree._Element, rank: int, root: etree._Element) -> Pattern:
    if element.get("documents") is not None:
        raise SchemaError(f"{place(element)} : sch:pattern/@documents n'est pas joué")
    id = element.get("id") or f"motif-{rank}"
    rules = tuple(_rule(one, element, id, root) for one in children(element, "rule"))
    return Pattern(id, _lets(element), rules)


def _rule(element: etree._Element, pattern: etree._Element, id: str, root: etree._Element) -> Rule:
    context = element.get("context", "")
    if not context.strip():
        raise SchemaError(f"{place(element)} : sch:rule sans contexte")
    checks = tuple(
        _check(one, (one, element, pattern), id, root)
        for one in children(element, "assert", "report")
    )
    return Rule(context, _lets(element), checks, place(element))


def _check(
    element: etree._Element,
    holders: tuple[etree._Element, ...],
    pattern_id: str,
    root: etree._Element,
) -> Check:
    test = element.get("test", "")
    if not test.strip():
        raise SchemaError(f"{place(element)} : {etree.QName(element).localname} sans test")
    return Check(
        id=element.get("id") or pattern_id,
        is_report=element.tag == f"{SCH}report",
        test=test,
        severity=_severity(holders),
        subject=next((one.get("subject", "") for one in holders[:2] if one.get("subject")), ""),
        message=element,
        diagnostics=_diagnostics(element, root),
    )


def _severity(holders: tuple[etree._Element, ...]) -> Severity:
    """What role or flag say, of the check, of its rule, of its pattern; an error when neither."""
    for holder in holders:
        for name in ("role", "flag"):
            written = holder.get(name, "").strip().lower()
            for severity, words in _SEVERITIES.items():
                if written in words:
                    return severity
    return Severity.ERROR


def _diagnostics(element: etree._Element, root: etree._Element) -> tuple[etree._Element, ...]:
    wanted = element.get("diagnostics", "").split()
    if not wanted:
        return ()
    known = {one.get("id"): one for one in root.iter(f"{SCH}diagnostic")}
    missing = [id for id in wanted if id not in known]
    if missing:
        raise SchemaError(f"{place(element)} : diagnostic « {missing[0]} » absent")
    return tuple(known[id] for id in wanted)
