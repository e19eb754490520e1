"""A requirement and an open point, as JSON and on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drimbench.coverage import Coverage
from drimbench.requirements_import import Imported
from spec.options import Option
from spec.requirements import Requirement, Verification

__all__ = [
    "coverage_as_json",
    "describe",
    "import_as_json",
    "option_as_json",
    "requirement_as_json",
    "show_coverage",
    "show_import",
    "show_list",
    "show_options",
]

_VERIFICATIONS = {
    Verification.AUTOMATIC: "automatique",
    Verification.REVIEW: "revue",
    Verification.ATTESTATION: "attestation",
    Verification.NONE: "non vérifiable",
}
_ACTORS = {"source": "Source", "consumer": "Consommateur", "both": "Source et Consommateur"}


def requirement_as_json(one: Requirement, coverage: Coverage) -> dict[str, Any]:
    """The documented shape: `scenarios` and `rules` are ours, `steps` and `proofs` the REM's."""
    return {
        "id": one.id,
        "family": one.family,
        "actor": one.actor,
        "profile": one.profile,
        "level": one.level,
        "text": one.text,
        "condition": one.condition,
        "status": one.status.value,
        "verification": one.verification.value,
        "reason": one.reason,
        "grade": one.grade.value,
        "source": one.source,
        "official": one.official,
        "override": one.override,
        "override_source": one.override_source,
        "note": one.note,
        "formerly": list(one.formerly),
        "scenarios": list(coverage.scenarios_of(one.id)),
        "rules": list(coverage.rules_of(one.id)),
        "steps": list(one.steps),
        "proofs": [{"id": proof.id, "kind": proof.kind} for proof in one.proofs],
    }


def option_as_json(one: Option) -> dict[str, Any]:
    """The documented shape of an open point."""
    return {
        "name": one.name,
        "title": one.title,
        "default": one.default,
        "values": list(one.values),
        "setting": one.setting,
        "source": one.source,
        "grade": one.grade.value,
        "read_by": list(one.read_by),
    }


def coverage_as_json(
    official: Sequence[Requirement], measured: Coverage, broken: Sequence[str]
) -> dict[str, Any]:
    """The documented shape: totals, faults of the gate, then one row per requirement."""
    verified = measured.verified()
    return {
        "requirements": len(official),
        "verification": {
            way.value: sum(one.verification is way for one in official) for way in Verification
        },
        "verified": sum(one.id in verified for one in official),
        "official": sum(one.official for one in official),
        "scenarios": len(measured.scenarios),
        "rules": len(measured.rules),
        "faults": list(broken),
        "rows": [requirement_as_json(one, measured) for one in official],
    }


def import_as_json(imported: Imported, output: Path) -> dict[str, Any]:
    """The documented shape of an import."""
    return {
        "file": str(output),
        "imported": [text.id for text in imported.texts],
        "unmapped": [
            {"id": one.id, "where": one.where, "text": one.text} for one in imported.unmapped
        ],
        "absent": list(imported.absent),
    }


def show_list(chosen: Sequence[Requirement], coverage: Coverage, console: Console) -> None:
    """One line per requirement."""
    table = Table(box=None, pad_edge=False)
    for title in ("exigence", "niveau", "vérification", "par", "texte"):
        table.add_column(title, no_wrap=title != "texte")
    for one in chosen:
        by = len(coverage.scenarios_of(one.id)), len(coverage.rules_of(one.id))
        table.add_row(
            one.id,
            one.level,
            _VERIFICATIONS[one.verification],
            f"{by[0]} sc. {by[1]} r." if any(by) else "–",
            one.text,
        )
    console.print(table)
    console.print(f"{len(chosen)} exigences")


def describe(one: Requirement, coverage: Coverage, console: Console) -> None:
    """Print everything that is known of a requirement."""
    origin = "" if one.official else f" [{one.grade.value}]"
    rows = [
        ("acteur", _ACTORS.get(one.actor, one.actor)),
        ("niveau", one.level),
        ("profil", one.profile if one.profile != "general" else ""),
        ("condition", one.condition),
        ("statut", one.status.value),
        ("source", f"{one.source}{origin}"),
        ("réponse ANS", f"{one.override} ({one.override_source})" if one.override else ""),
        ("remarque", one.note),
        ("autrefois", ", ".join(one.formerly)),
        ("vérifiée", _VERIFICATIONS[one.verification]),
        ("pourquoi", one.reason),
        ("étapes", ", ".join(one.steps)),
        ("preuves", ", ".join(f"{proof.id} ({proof.kind})" for proof in one.proofs)),
        ("scénarios", ", ".join(coverage.scenarios_of(one.id))),
        ("règles", ", ".join(coverage.rules_of(one.id))),
    ]
    console.print(f"[bold]{one.id}[/bold]  ", end="")
    console.print(one.text, highlight=False, markup=False)
    for name, value in rows:
        if value:
            console.print(f"{name:<11} {value}", highlight=False, markup=False)


def show_coverage(
    official: Sequence[Requirement], measured: Coverage, broken: Sequence[str], console: Console
) -> None:
    """One line per family, the totals, then what breaks the gate."""
    verified = measured.verified()
    table = Table(box=None, pad_edge=False)
    table.add_column("famille")
    for title in ("exigences", "scénario ou règle", *_VERIFICATIONS.values()):
        table.add_column(title, justify="right")
    for family in dict.fromkeys(one.family for one in official):
        of = [one for one in official if one.family == family]
        ways = [sum(one.verification is way for one in of) for way in _VERIFICATIONS]
        seen = sum(one.id in verified for one in of)
        table.add_row(family, *(str(n or "–") for n in (len(of), seen, *ways)))
    console.print(table)
    console.print(
        f"{len(official)} exigences, {sum(one.id in verified for one in official)} vérifiées par "
        f"{len(measured.scenarios)} scénarios et {len(measured.rules)} règles",
        highlight=False,
    )
    for fault in broken:
        console.print(f"✗ {fault}", style="red", highlight=False, markup=False)


def show_import(imported: Imported, output: Path, console: Console) -> None:
    """What was imported, what could not be mapped, what the workbook does not speak of."""
    console.print(f"{len(imported.texts)} exigences importées dans {output}", highlight=False)
    if imported.unmapped:
        console.print(f"{len(imported.unmapped)} inconnues du catalogue, gardées à part :")
        for one in imported.unmapped:
            console.print(f"  {one.id} ({one.where})", highlight=False, markup=False)
    if imported.absent:
        console.print(
            f"{len(imported.absent)} du catalogue absentes du classeur, laissées telles quelles : "
            + ", ".join(imported.absent),
            highlight=False,
        )


def show_options(shown: Sequence[Option], console: Console) -> None:
    """One block per open point."""
    for one in shown:
        console.print(f"[bold]{one.name}[/bold] = ", end="")
        console.print(one.default, highlight=False, markup=False)
        for name, value in (
            ("", one.title),
            ("valeurs ", ", ".join(one.values)),
            ("se règle ", one.setting),
            ("source  ", f"{one.source} [{one.grade.value}]"),
            ("lu par  ", ", ".join(one.read_by)),
        ):
            if value:
                console.print(f"    {name}{value}", highlight=False, markup=False)
    console.print(f"{len(shown)} options")
