"""What a new version of a product changes: its run beside the run that was referenced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.assemble import load
from bench.comparison import Comparison, compare
from bench.errors import BenchError
from bench.packed import Sealed, digest_of, sealed_in
from bench.results import Run
from reports import redact
from reports.views import product_name

__all__ = ["Since", "as_dict", "since"]

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """A run beside the referenced one."""

    found: Comparison
    sealed: Sealed | None
    """The dossier that the referenced run was deposited in, when it was."""
    versions: tuple[str, str]
    """Technical versions declared by the profiles, before and after; empty when not declared."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a verifier would ask about, in French.

        A technical version number changes with any change of the source, a patch included, and is
        chronological. Réf. FAQ des industriels (ANS), « version technique ».
        """
        before, after = self.versions
        told = []
        if not before or not after:
            told.append("version technique non déclarée au profil ([product] version)")
        elif before == after:
            told.append(
                f"même version technique, {after}, des deux côtés : elle change avec toute "
                "modification du code, correctif compris"
            )
        elif _rank(before) > _rank(after):
            told.append(f"version technique {after} antérieure à {before} : elle est chronologique")
        if self.sealed is None:
            told.append("la campagne référencée n'est scellée dans aucun dossier")
        return tuple(told)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the comparison, the dossier of the referenced run, the remarks."""
        return {
            **as_dict(self.found),
            "referenced": (
                {"dossier": self.sealed.dossier, "manifest_sha256": self.sealed.manifest}
                if self.sealed
                else None
            ),
            "versions": list(self.versions),
            "remarks": list(self.remarks),
        }


def since(folder: Path, run: Run) -> Since:
    """Compare a run with the referenced one, in `folder`.

    Raises:
        BenchError: not a whole run, the same one, one of another product, one played afterwards,
            or one whose journal is not what was sealed.
    """
    before = load(folder, bodies=0)
    if before.id == run.id:
        raise BenchError(f"{run.id} : la campagne référencée est une autre campagne")
    if before.interrupted:
        raise BenchError(f"{before.id} : campagne référencée interrompue")
    if before.started > run.started:
        raise BenchError(f"{before.id} : campagne référencée jouée après {run.id}")
    names = product_name(before.meta), product_name(run.meta)
    if names[0] != names[1]:
        raise BenchError(f"{before.id} : campagne référencée d'un autre produit ({names[0]})")
    sealed = sealed_in(folder)
    if sealed is not None and sealed.journal != digest_of(folder):
        raise BenchError(
            f"{before.id} : le journal n'est plus celui qui fut scellé dans {sealed.dossier}"
        )
    return Since(
        found=compare(before, run),
        sealed=sealed,
        versions=(_version(before.meta), _version(run.meta)),
    )


def as_dict(found: Comparison) -> dict[str, Any]:
    """The documented shape of a comparison; no path of a machine is in it."""
    return {
        "before": _run(found.before),
        "after": _run(found.after),
        "regressions": len(found.regressions),
        "same": found.same,
        "context": [
            {"name": name, "before": left, "after": right} for name, left, right in found.context
        ],
        "scenarios": [
            {**one.as_dict(), "reason": redact.text(one.reason)} for one in found.scenarios
        ],
        "requirements": [one.as_dict() for one in found.requirements],
        "findings": [
            {"scenario": scenario, "rule": rule, "change": change.value}
            for scenario, rule, change in found.findings
        ],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "started": run.started.isoformat(),
        "verdict": run.verdict.value,
        "scenarios": len(run.scenarios),
    }


def _version(meta: Mapping[str, Any]) -> str:
    product = meta.get("product")
    return str(product.get("version") or "") if isinstance(product, Mapping) else ""


def _rank(version: str) -> tuple[int, ...]:
    """The numbers of a version, without the zeros that end it: 2.10 comes after 2.9, 2 is 2.0."""
    numbers = [int(one) for one in _NUMBERS.findall(version[:200])]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
