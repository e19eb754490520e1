"""The reference page of a Consumer's suite: what verifies each requirement, step by step too."""

from __future__ import annotations

from drimbench.coverage import Coverage
from drimbench.markdown import listed, row
from spec.draft_scenarios import CONSUMER_STEPS, DraftStep
from spec.requirements import CATALOGUE, Requirement, Status, Verification

__all__ = ["DEFAULT_PATH", "consumer_page", "requirements_of_a_consumer"]

DEFAULT_PATH = "docs/reference/consommatrice.md"
_FAMILIES = {
    "DB/CO": "Consommatrice",
    "DB/VI-CO": "Visionneuse de la Consommatrice",
    "DB/VI-CS": "Visionneuse, Consommatrice et Source",
    "DB/CS": "Consommatrice et Source",
}
_HEAD = """# Ce qui juge une Consommatrice

Page produite par `drimbench docs consumer` : ne pas la modifier à la main.

`drimbench run --suite consumer` joue les {scenarios} scénarios d'une Consommatrice ; des boîtes
fautives prouvent qu'ils savent en refuser une (`drimbench mutants`). Les règles jugent ce qu'elle
émet, à chaque campagne ([toutes](regles.md)).

{automatic} des {total} exigences se vérifient automatiquement, chacune par un scénario au moins.
Les autres disent pourquoi elles ne le sont pas."""
_COLUMNS = """
| exigence | demande | scénarios | règles | preuves du projet | sinon |
|---|---|---|---|---|---|"""
_DRAFT = """## Les scénarios du projet, pas à pas

SCN_DB/CO.01 et SCN_DB/CO.02 (exports publics de 2022 et 2023, grade : `draft`). `SCN-PRJ-01` et
`SCN-PRJ-02` les jouent geste après geste (`--driver chromium` : captures sous chaque preuve) ;
d'autres scénarios du banc jouent les exigences de chaque pas. Les preuves que le projet demande se
tirent du rapport (journal, résultat de validateur, contrôle sur le PACS) ou se joignent par
`drimbench attach @1 PREUVE FICHIER` : captures et vidéos montrent tout le navigateur, son adresse
et la date du système.

| pas | ce qui est fait | exigences | scénarios | preuves |
|---|---|---|---|---|"""


def requirements_of_a_consumer() -> tuple[Requirement, ...]:
    """DB.CO.*, DB.VI-CO.*, DB.VI-CS.* and DB.CS.*, in the order of the catalogue; not those that
    drafts gave up."""
    return tuple(
        one
        for one in CATALOGUE.values()
        if one.family in _FAMILIES and one.status is not Status.OBSOLETE
    )


def consumer_page(coverage: Coverage) -> str:
    """The page, in Markdown."""
    own = requirements_of_a_consumer()
    lines = [
        _HEAD.format(
            scenarios=len(coverage.suite("consumer")),
            automatic=sum(one.verification is Verification.AUTOMATIC for one in own),
            total=len(own),
        )
    ]
    for family, title in _FAMILIES.items():
        lines += ["", f"## {title} ({family.replace('/', '.')})", _COLUMNS]
        lines += [_requirement(one, coverage) for one in own if one.family == family]
    lines += ["", _DRAFT, *(_step(one, coverage) for one in CONSUMER_STEPS)]
    return "\n".join([*lines, ""])


def _step(one: DraftStep, coverage: Coverage) -> str:
    """What a draft step asks for, and the scenarios that play its requirements."""
    cited = [required for required in CATALOGUE.values() if one.id in required.steps]
    played = {
        scenario
        for required in cited
        for scenario in coverage.scenarios_of(required.id, role="consumer")
    }
    proofs = {
        proof.id: proof.kind
        for required in cited
        for proof in required.proofs
        if proof.id.startswith(f"{one.id}.")
    }
    return row(
        f"`{one.id}`",
        one.action,
        ", ".join(required.id for required in cited),
        listed(sorted(played)),
        "<br>".join(f"`{id}` : {kind}" for id, kind in sorted(proofs.items())),
    )


def _requirement(one: Requirement, coverage: Coverage) -> str:
    rules = coverage.rules_of(one.id)
    return row(
        one.id,
        one.text,
        listed(coverage.scenarios_of(one.id, role="consumer")),
        f"{len(rules)}" if rules else "",
        listed([proof.id for proof in one.proofs]),
        one.reason,
    )
