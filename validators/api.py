"""The judges' only door: bytes in, a report out.

`validate` never raises on what a peer may send: bytes that cannot be read give one finding of the
kind's syntax rule (`KOS-000`, `XDS-000`...). It raises `CheckerError` when one of our own rules
breaks, which a caller turns into the verdict `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.errors import RemoteProtocolError
from validators.context import Context
from validators.finding import Finding, verdict_of
from validators.guess import guess
from validators.hl7v2 import kind as hl7v2_kind
from validators.rule import CheckerError, Rule, RuleSet

__all__ = [
    "KINDS",
    "CheckerError",
    "Context",
    "Kind",
    "Report",
    "guess",
    "rule",
    "rules",
    "validate",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of artefact: its reader and its rules. `title` is French."""

    name: str
    title: str
    rules: RuleSet
    read: Callable[[bytes, Context], Any]


@dataclass(frozen=True, slots=True)
class Report:
    """What the judge says of one artefact: `pass`, `warn` or `fail`."""

    kind: str
    verdict: str
    findings: tuple[Finding, ...]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
    )
}


def rules() -> dict[str, Rule]:
    """Every rule of every kind, by id."""
    return {rule.id: rule for kind in KINDS.values() for rule in kind.rules.rules.values()}


def rule(id: str) -> Rule:
    """One rule, for `drimbench explain`.

    Raises:
        KeyError: no such rule.
    """
    return rules()[id]


def validate(data: bytes, kind: str | None = None, *, context: Context | None = None) -> Report:
    """Judge an artefact; its kind is guessed when none is given.

    Raises:
        LookupError: unknown kind, or none given and none recognised.
        CheckerError: a rule broke (never the fault of the artefact).
    """
    name = kind or guess(data)
    if name is None or name not in KINDS:
        raise LookupError(f"unknown kind of artefact: {kind or 'not recognised'}")
    given = context or Context()
    chosen = KINDS[name]
    try:
        artefact = chosen.read(data, given)
    except RemoteProtocolError as error:
        found = [_unreadable(chosen.rules.syntax, error)]
    else:
        found = chosen.rules.judge(artefact, strict=given.strict)
    weighed = [finding.weighed(given.floor) for finding in found]
    return Report(name, verdict_of(weighed), tuple(weighed))


def _unreadable(syntax: Rule, error: RemoteProtocolError) -> Finding:
    span = f"octets {error.span[0]}-{error.span[1]}" if error.span else ""
    return Finding(
        rule=syntax.id,
        severity=syntax.severity,
        message=str(error),
        where=error.where or span,
        spec=str(syntax.reference),
        grade=syntax.reference.grade,
        requirements=syntax.requirements,
    )
