"""A rule of one kind that holds in another: same id, same text, examples made over.

The VIHF of a query obeys the rules of the VIHF of a publication, a METADATA.XML those of the
message that it repeats: one text, one rule, one id, whatever carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from validators.rule import Broken, Check, Example, Rule, RuleSet

__all__ = ["inherit"]

Parts = Callable[[Any], Iterable[tuple[str, Any]]]
"""The artefacts of the source kind in one of the target kind, each after its place."""


def inherit(
    target: RuleSet,
    source: RuleSet,
    ids: Iterable[str],
    *,
    example: Callable[[bytes], bytes],
    parts: Parts | None = None,
    requirements: tuple[str, ...] | None = None,
) -> None:
    """Register rules of `source` in `target`.

    Args:
        example: makes an artefact of the target kind out of one of the source kind, faults kept.
        parts: what the checks judge; the artefact itself when left out.
        requirements: those that the rules serve in the target kind, when they are others.

    Raises:
        KeyError: no such rule.
        ValueError: the id is taken.
    """
    for id in ids:
        rule = source.rules[id]
        if id in target.rules:
            raise ValueError(f"duplicate rule {id}")
        target.rules[id] = replace(
            rule,
            check=rule.check if parts is None else _lifted(rule, parts),
            good=target.good if rule.good is source.good else _over(rule.good, example),
            bad=_over(rule.bad, example),
            requirements=rule.requirements if requirements is None else requirements,
        )


def _lifted(rule: Rule, parts: Parts) -> Check:
    def check(artefact: Any) -> Iterable[Broken]:
        for place, part in parts(artefact):
            for broken in rule.check(part):
                yield replace(broken, where=f"{place} {broken.where}".strip())

    return check


def _over(make: Example, example: Callable[[bytes], bytes]) -> Example:
    return lambda: example(make())
