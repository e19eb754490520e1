"""Which scenario and which rule verify which requirement, and the gate that keeps it true.

`spec/coverage.toml` is the ratchet: the scenarios and the verified requirements that this tree once
had. It only grows: `python -m drimbench.coverage` adds to it what is new.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import spec
from bench.campaign import PROVIDED
from bench.gate import ROLES, SECURITY, check_features
from features import FEATURES
from spec.requirements import CATALOGUE, Requirement, Status, Verification, resolve
from validators.api import rules

__all__ = ["RATCHET", "Coverage", "Ratchet", "faults", "measure", "read_ratchet", "record"]

RATCHET = Path(next(iter(spec.__path__))) / "coverage.toml"
_WITHOUT_DEMAND = (Status.OBSOLETE, Status.NOT_PUBLIC, Status.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Ratchet:
    """What was verified once, and must still be."""

    scenarios: frozenset[str]
    requirements: frozenset[str]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The tags of every scenario and the requirements of every rule."""

    scenarios: Mapping[str, frozenset[str]]
    """Scenario id to its tags, role and own id left out."""
    rules: Mapping[str, frozenset[str]]
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Scenario id to the roles that it tests; not those that are played on demand."""

    def scenarios_of(self, requirement: str, *, role: str = "") -> tuple[str, ...]:
        """The scenarios tagged with a requirement, those of one role when it is given."""
        kept = self.suite(role) if role else self.scenarios.keys()
        return tuple(sorted(id for id in kept if requirement in self.scenarios[id]))

    def suite(self, role: str) -> frozenset[str]:
        """The scenarios that `drimbench run --suite ROLE` plays, without a report of the user's."""
        return frozenset(id for id, roles in self.roles.items() if role in roles)

    def rules_of(self, requirement: str) -> tuple[str, ...]:
        """The rules that cite a requirement."""
        return tuple(sorted(id for id, cited in self.rules.items() if requirement in cited))

    def verified(self) -> frozenset[str]:
        """The requirements that some scenario or rule names."""
        return frozenset().union(*self.scenarios.values(), *self.rules.values())


def measure() -> Coverage:
    """The coverage of this tree.

    Raises:
        FeatureError: a feature file is broken.
    """
    found = check_features(FEATURES)
    return Coverage(
        {pickle.scenario: frozenset(pickle.tags) - ROLES - {pickle.scenario} for pickle in found},
        {id: frozenset(rule.requirements) for id, rule in rules().items()},
        {
            pickle.scenario: frozenset(pickle.tags) & ROLES
            for pickle in found
            if pickle.domain not in (PROVIDED, SECURITY)
        },
    )


def read_ratchet(file: Path = RATCHET) -> Ratchet:
    """The ratchet as recorded."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Ratchet(frozenset(table["scenarios"]), frozenset(table["requirements"]))


def record(coverage: Coverage, ratchet: Ratchet) -> str:
    """The text of the ratchet with what is new; nothing is ever taken away."""
    lines = [
        "# What was verified once, and must still be. Written by `python -m drimbench.coverage`."
    ]
    for name, values in (
        ("scenarios", ratchet.scenarios | coverage.scenarios.keys()),
        ("requirements", ratchet.requirements | (coverage.verified() & CATALOGUE.keys())),
    ):
        lines += ["", f"{name} = [", *(f'    "{value}",' for value in sorted(values)), "]"]
    return "\n".join(lines) + "\n"


def faults(
    coverage: Coverage,
    ratchet: Ratchet,
    catalogue: Mapping[str, Requirement] = CATALOGUE,
) -> tuple[str, ...]:
    """What breaks the gate, in French, one sentence each; empty when it holds."""
    cited: dict[str, list[str]] = defaultdict(list)
    for id, requirements in (*coverage.scenarios.items(), *coverage.rules.items()):
        for requirement in requirements:
            cited[requirement].append(id)
    return (
        *_orphans(cited, catalogue),
        *(
            f"{one.id} : vérification automatique annoncée, mais ni scénario ni règle"
            for one in catalogue.values()
            if one.verification is Verification.AUTOMATIC and one.id not in cited
        ),
        *(
            f"{id} : scénario disparu"
            for id in sorted(ratchet.scenarios - coverage.scenarios.keys())
        ),
        *(
            f"{id} : exigence qui n'est plus vérifiée"
            for id in sorted(ratchet.requirements - cited.keys())
        ),
    )


def _orphans(
    cited: Mapping[str, Iterable[str]], catalogue: Mapping[str, Requirement]
) -> Iterable[str]:
    for tag, users in sorted(cited.items()):
        where = ", ".join(sorted(users)[:3])
        known = catalogue.get(tag)
        if known is None:
            meant = resolve(tag)
            hint = f" : écrire {meant.id}" if meant else ""
            yield f"{tag} ({where}) : étiquette sans exigence{hint}"
        elif known.status in _WITHOUT_DEMAND:
            yield f"{tag} ({where}) : exigence sans demande en vigueur ({known.status}), mais citée"


def main() -> None:
    """Add to the ratchet what this tree verifies today."""
    RATCHET.write_text(record(measure(), read_ratchet()), encoding="utf-8")


if __name__ == "__main__":
    main()
