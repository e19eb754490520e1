"""A rule is one small function with an id, a severity, a reference and two examples.

A rule receives the artefact already read by its kind's reader and yields one `Broken` per place
where it does not hold. Registering it makes it known to `explain`, to the generated catalogue and
to the meta-test that runs both of its examples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from spec.grade import Reference
from validators.context import Context
from validators.finding import Finding, Severity

__all__ = ["Broken", "CheckerError", "Rule", "RuleSet"]


class CheckerError(Exception):
    """A rule broke on an artefact: the bench's fault, never the box's (verdict `unknown`).

    Attributes:
        rule: the id of the rule.
    """

    def __init__(self, rule: str, cause: Exception) -> None:
        super().__init__(f"rule {rule} broke: {type(cause).__name__}: {cause}")
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One place where a rule does not hold."""

    message: str
    expected: str = ""
    actual: str = ""
    where: str = ""


Check = Callable[[Any], Iterable[Broken]]
Example = Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of one kind of artefact. `good` and `bad` make the bytes of its examples.

    `given` is the context in which both examples are judged; `tolerated` marks what the field
    does in spite of the text: a warning, but an error under `Context.strict`. `named_by` is the
    attribute of `Demands` that makes it an error as well, when the profile gives it a value.
    """

    id: str
    title: str
    """One French line that says what is demanded."""
    severity: Severity
    reference: Reference
    requirements: tuple[str, ...]
    check: Check
    good: Example
    bad: Example
    given: Context = field(default_factory=Context)
    tolerated: bool = False
    named_by: str = ""

    def findings(self, artefact: Any, context: Context) -> Iterator[Finding]:
        """Apply the rule and dress what it found."""
        demanded = (self.tolerated and context.strict) or context.demands.names(self.named_by)
        severity = Severity.ERROR if demanded else self.severity
        for broken in self.check(artefact):
            yield Finding(
                rule=self.id,
                severity=severity,
                message=broken.message,
                expected=broken.expected,
                actual=broken.actual,
                where=broken.where,
                spec=str(self.reference),
                grade=self.reference.grade,
                requirements=self.requirements,
            )


class RuleSet:
    """The rules of one kind of artefact (`kos`, `iti-41`, `oru`...), judged in the order of ids.

    `good` is the example that passes every rule; `requirements` are those of every rule that
    names none. The first rule is the syntax: what is reported of bytes that cannot be read.
    """

    def __init__(
        self,
        kind: str,
        *,
        good: Example,
        syntax: str,
        unreadable: Example,
        reference: Reference,
        requirements: tuple[str, ...] = (),
    ) -> None:
        self.kind = kind
        self.good = good
        self.requirements = requirements
        self.syntax = Rule(
            id=syntax,
            title="Le document est lisible",
            severity=Severity.ERROR,
            reference=reference,
            requirements=requirements,
            check=_abstain,
            good=good,
            bad=unreadable,
        )
        self.rules: dict[str, Rule] = {syntax: self.syntax}

    def rule(
        self,
        id: str,
        title: str,
        *,
        reference: Reference,
        bad: Example,
        good: Example | None = None,
        severity: Severity = Severity.ERROR,
        requirements: tuple[str, ...] | None = None,
        given: Context | None = None,
        tolerated: bool = False,
        named_by: str = "",
    ) -> Callable[[Check], Check]:
        """Register the decorated function.

        Raises:
            ValueError: the id is taken.
        """

        def register(check: Check) -> Check:
            if id in self.rules:
                raise ValueError(f"duplicate rule {id}")
            self.rules[id] = Rule(
                id=id,
                title=title,
                severity=Severity.WARNING if tolerated else severity,
                reference=reference,
                requirements=self.requirements if requirements is None else requirements,
                check=check,
                good=good or self.good,
                bad=bad,
                given=given or Context(),
                tolerated=tolerated,
                named_by=named_by,
            )
            return check

        return register

    def judge(self, artefact: Any, context: Context) -> list[Finding]:
        """Every finding of every rule on one artefact.

        Raises:
            CheckerError: a rule broke.
        """
        found: list[Finding] = []
        for _, rule in sorted(self.rules.items()):
            try:
                found.extend(rule.findings(artefact, context))
            except Exception as error:
                raise CheckerError(rule.id, error) from error
        return found


def _abstain(artefact: Any) -> Iterable[Broken]:
    """The syntax rule speaks only when there is no artefact."""
    return ()
