"""The registry of wrong boxes: what each one breaks, and the change of parts that makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, TypeVar

from spec.requirements import is_requirement

__all__ = ["Mutant", "Role", "UnknownMutant", "catalogue", "find", "mutant"]

P = TypeVar("P")

Role = Literal["source", "consumer"]

_MODULES = ("mutants.source", "mutants.consumer")
"""Each registers its wrong boxes when it is imported."""


class UnknownMutant(Exception):
    """No wrong box has that name; the text lists those that exist, in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One wrong box: the right one but for one defect."""

    name: str
    breaks: str
    """What it does wrong, one line of French."""
    requirements: tuple[str, ...]
    """What it breaks: at least one scenario that carries one of these must fail."""
    consequences: tuple[str, ...]
    """What cannot but fail with it; a failure there is neither a proof nor a false alarm."""
    role: Role
    transform: Callable[[Any], Any]
    """The right parts to the wrong ones, of the `Parts` of that role."""

    def declares(self, requirements: Sequence[str]) -> bool:
        """Whether one of these requirements is broken, or declared as a consequence."""
        return not {*self.requirements, *self.consequences}.isdisjoint(requirements)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "mutant": self.name,
            "breaks": self.breaks,
            "role": self.role,
            "requirements": list(self.requirements),
        }


_registered: dict[str, Mutant] = {}


def mutant(
    name: str,
    *,
    breaks: str,
    requirements: tuple[str, ...],
    consequences: tuple[str, ...] = (),
    role: Role = "source",
) -> Callable[[Callable[[P], P]], Callable[[P], P]]:
    """Register a change of parts as a wrong box; the function itself is left as it is.

    Raises:
        ValueError: the name is taken, or a requirement is not in the catalogue.
    """
    if name in _registered:
        raise ValueError(f"two wrong boxes are named {name}")
    unknown = [one for one in (*requirements, *consequences) if not is_requirement(one)]
    if unknown or not requirements:
        raise ValueError(f"{name}: requirements {unknown or 'missing'}")

    def register(transform: Callable[[P], P]) -> Callable[[P], P]:
        _registered[name] = Mutant(
            name=name,
            breaks=breaks,
            requirements=requirements,
            consequences=consequences,
            role=role,
            transform=transform,
        )
        return transform

    return register


def catalogue() -> tuple[Mutant, ...]:
    """Every wrong box, in the order of the code."""
    for module in _MODULES:
        import_module(module)
    return tuple(_registered.values())


def find(name: str) -> Mutant:
    """The wrong box of that name.

    Raises:
        UnknownMutant: there is none.
    """
    known = {one.name: one for one in catalogue()}
    if name not in known:
        raise UnknownMutant(f"boîte fausse inconnue : {name} ; connues : {', '.join(known)}")
    return known[name]
