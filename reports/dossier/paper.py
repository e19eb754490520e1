"""The dossier on paper: PDF/A-3a and PDF/UA-1, the results embedded as JSON.

Réf. ISO 19005-3 (PDF/A-3, level A), ISO 14289-1. The same run gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import typst

from bench.results import Run
from reports import redact
from reports.dossier.proofs import Row, Told
from reports.views import product_name
from reports.words import SENTENCES, moment

__all__ = ["render"]

_TEMPLATE = Path(__file__).with_name("report.typ")


def render(run: Run, told: Told, evidence: bytes) -> bytes:
    """The PDF; `evidence` is the JSON document that it carries."""
    document = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        font_paths=typst.Fonts(include_system_fonts=False),
        pdf_standards=["a-3a", "ua-1"],
        sys_inputs={
            "values": redact.text(json.dumps(_values(run, told), ensure_ascii=False)),
            "evidence": evidence.decode(),
        },
        timestamp=int(run.started.timestamp()),
    )
    assert isinstance(document, bytes)
    return document


def _values(run: Run, told: Told) -> dict[str, Any]:
    rows = [row for _, chapter in told.chapters for row in chapter]
    sources = Counter(row.text_source for row in rows)
    return {
        "title": f"Dossier de preuves de {product_name(run.meta)}",
        "date": [run.started.year, run.started.month, run.started.day],
        "verdict": f"{run.verdict.french} : {SENTENCES[run.verdict]}",
        "texts": " ; ".join(f"{name} : {count}" for name, count in sorted(sources.items())),
        "facts": [
            ("Campagne", run.id),
            ("Début", moment(run.started)),
            ("Graine", str(run.seed)),
            ("drimbench", str(run.meta.get("version", ""))),
            ("Scénarios", str(len(run.scenarios))),
            ("Exigences", str(len(rows))),
            ("Preuves", f"{len(told.proofs)}, et {len(told.missing)} sans rien encore"),
        ],
        "counts": [(name, str(len(chapter)), _counted(chapter)) for name, chapter in told.chapters],
        "chapters": [
            {
                "name": name,
                "rows": [
                    {
                        "id": row.requirement,
                        "text": row.title,
                        "source": row.text_source,
                        "verdict": row.verdict.french,
                        "proofs": [link.name for link in row.links] or ["aucune"],
                    }
                    for row in chapter
                ],
            }
            for name, chapter in told.chapters
        ],
        "missing": list(told.missing),
    }


def _counted(rows: tuple[Row, ...]) -> str:
    counts = Counter(row.verdict for row in rows)
    return ", ".join(f"{count} {verdict.french}" for verdict, count in sorted(counts.items()))
