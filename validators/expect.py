"""The two comparisons that most rules on coded values are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from validators.rule import Broken

__all__ = ["one_of", "same"]


def same(actual: str, expected: str, where: str, what: str) -> Iterator[Broken]:
    """Broken when two values differ."""
    if actual != expected:
        yield Broken(
            message=f"{what} devrait être « {expected} ».",
            expected=expected,
            actual=actual,
            where=where,
        )


def one_of(actual: str, allowed: Sequence[str], where: str, what: str) -> Iterator[Broken]:
    """Broken when a value is none of those allowed."""
    if actual not in allowed:
        yield Broken(
            message=f"{what} n'est pas une valeur permise.",
            expected=" | ".join(allowed),
            actual=actual,
            where=where,
        )
