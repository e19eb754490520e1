"""The reference page of a Source's suite: what verifies each requirement and each edge case."""

from __future__ import annotations

from drimbench.coverage import Coverage
from drimbench.markdown import listed, row
from spec.edge_cases import EDGE_CASES, EdgeCase
from spec.requirements import CATALOGUE, Requirement, Status, Verification

__all__ = ["DEFAULT_PATH", "requirements_of_a_source", "source_page"]

DEFAULT_PATH = "docs/reference/source.md"
_HEAD = """# Ce qui juge une Source

Page produite par `drimbench docs source` : ne pas la modifier à la main.

`drimbench run --suite source` joue les {scenarios} scénarios d'une Source ; des boîtes fautives
prouvent qu'ils savent en refuser une (`drimbench mutants`). Les règles jugent ce que la Source
émet, à chaque campagne ([toutes](regles.md)).

## Exigences DB.SO, DB.CS et DB.VI-SO

{automatic} des {total} exigences se vérifient automatiquement, chacune par un scénario au moins.
Les autres disent pourquoi elles ne le sont pas.

| exigence | demande | scénarios | règles | sinon |
|---|---|---|---|---|"""


def requirements_of_a_source() -> tuple[Requirement, ...]:
    """DB.SO.*, DB.CS.* and DB.VI-SO.*, in the order of the catalogue; not those that drafts gave
    up."""
    return tuple(
        one
        for one in CATALOGUE.values()
        if one.family in ("DB/SO", "DB/CS", "DB/VI-SO") and one.status is not Status.OBSOLETE
    )


def source_page(coverage: Coverage) -> str:
    """The page, in Markdown."""
    own = requirements_of_a_source()
    head = _HEAD.format(
        scenarios=len(coverage.suite("source")),
        automatic=sum(one.verification is Verification.AUTOMATIC for one in own),
        total=len(own),
    )
    lines = [head, *(_requirement(one, coverage) for one in own)]
    for origin in EDGE_CASES:
        lines += [
            "",
            f"## {origin.title}",
            "",
            f"{len(origin.cases)} cas. Source : {origin.source} [{origin.grade}].",
            "",
            "| cas | scénarios | règles | ce qui n'est pas joué |",
            "|---|---|---|---|",
            *(_case(one) for one in origin.cases),
        ]
    return "\n".join([*lines, ""])


def _requirement(one: Requirement, coverage: Coverage) -> str:
    rules = coverage.rules_of(one.id)
    return row(
        one.id,
        one.text,
        listed(coverage.scenarios_of(one.id, role="source")),
        f"{len(rules)}" if rules else "",
        one.reason,
    )


def _case(one: EdgeCase) -> str:
    return row(one.text, listed(one.scenarios), listed(one.rules), one.reason)
