"""The French words of the reports, and how they write dates, durations and sizes of lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from bench.verdicts import Verdict
from spec.grade import Grade
from spec.socle import Manner
from validators.finding import Severity
from wire.exchange import Outcome

__all__ = [
    "GRADES",
    "MANNERS",
    "OUTCOMES",
    "SENTENCES",
    "SEVERITIES",
    "SYMBOLS",
    "duration",
    "moment",
    "plural",
]

SYMBOLS: Final[dict[Verdict, str]] = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.SKIP: "–",
    Verdict.OMIT: "∅",
    Verdict.REVIEW: "◉",
    Verdict.UNKNOWN: "?",
    Verdict.ERROR: "⚠",
    Verdict.XFAIL: "≈",
    Verdict.XPASS: "↯",
}
"""One character each: a verdict is never told by its colour alone."""

SENTENCES: Final[dict[Verdict, str]] = {
    Verdict.PASS: "Toutes les exigences vérifiées sont respectées.",
    Verdict.FAIL: "Au moins une exigence vérifiée n'est pas respectée.",
    Verdict.WARN: "Aucun échec ; des écarts non bloquants sont signalés.",
    Verdict.SKIP: "Aucun échec, mais une partie de la campagne n'a pas pu être vérifiée.",
    Verdict.OMIT: "Rien de ce qui est revendiqué n'entrait dans cette campagne.",
    Verdict.REVIEW: "Aucun échec ; des éléments attendent la décision d'une personne.",
    Verdict.UNKNOWN: "Un contrôle du banc n'a pas pu conclure : le résultat reste ouvert.",
    Verdict.ERROR: "Le banc ou sa configuration est en cause, pas le produit.",
    Verdict.XFAIL: "Seuls des échecs annoncés se sont produits.",
    Verdict.XPASS: "Un échec annoncé ne s'est pas produit : la liste est à mettre à jour.",
}

GRADES: Final[dict[Grade, str]] = {
    Grade.FAQ: "réponse ANS en vigueur",
    Grade.STANDARD: "norme (DICOM, IHE, HL7, RFC)",
    Grade.SAMPLE: "données de test officielles",
    Grade.DRAFT: "exigence de projet 2023",
    Grade.DEMONSTRATOR: "démonstrateur ANS",
    Grade.INFERRED: "lecture du banc",
}

MANNERS: Final[dict[Manner, str]] = {
    Manner.SCENARIO: "scénario",
    Manner.VIDEO: "vidéo ou capture",
    Manner.ATTESTATION: "attestation",
    Manner.PROCEDURE: "procédure",
    Manner.NO_TEXT: "texte non public",
}

SEVERITIES: Final[dict[Severity, str]] = {
    Severity.ERROR: "erreur",
    Severity.WARNING: "avertissement",
    Severity.INFO: "information",
}

OUTCOMES: Final[dict[Outcome, str]] = {
    Outcome.ANSWERED: "répondu",
    Outcome.REFUSED: "refusé",
    Outcome.ABORTED: "interrompu",
    Outcome.TIMED_OUT: "sans réponse dans le délai",
}


def duration(seconds: float) -> str:
    """`4 ms`, `1,2 s`, `2 min 05 s`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s".replace(".", ",")
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes} min {left:02d} s"


def moment(when: datetime, *, milliseconds: bool = False) -> str:
    """Date and time in UTC, said so: a report is read in another time zone."""
    utc = when.astimezone(UTC)
    written = f"{utc:%d/%m/%Y %H:%M:%S}"
    return f"{written},{utc.microsecond // 1000:03d} UTC" if milliseconds else f"{written} UTC"


def plural(count: int, word: str) -> str:
    """`1 scénario`, `2 scénarios`."""
    return f"{count} {word}{'s' if count > 1 else ''}"
