"""133 ways to break into a DRIMbox as data (`security.toml` beside this file).

One row is one thing that is tried, with what must come of it and how the bench judges it. Each row
is a requirement of our own as well (`requirement_id`), so that scenarios, wrong boxes and reports
know it as they know any other.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from spec.grade import Grade

__all__ = ["FAMILIES", "ROWS", "Judged", "Outcome", "Row", "Severity", "Target"]

_PREFIX = "KIT-SEC-"


class Target(StrEnum):
    """Who is attacked."""

    SOURCE = "source"
    CONSUMER = "consumer"
    PROXY = "proxy"
    DMP = "dmp"
    RIS = "ris"


class Outcome(StrEnum):
    """The class of what must come of it."""

    REFUSED = "refus"
    """In the handshake or by HTTP 4xx, one class, between two good requests that are served."""
    KEPT = "maintien"
    """What comes is rejected, what was in force stays, an alert says so."""
    ABANDONED = "abandon"
    """The box under test gives up, and its token has not left."""
    DOCUMENTED = "politique"
    """No text decides: whatever the vendor documents, as long as it does it; recorded."""
    BOUNDED = "borne"
    """The box still answers who has a right to, in bounded time and memory."""
    INERT = "sans-effet"
    """Nothing comes of it, and nothing leaves."""
    ANSWERED = "reponse"
    """The answer that `expected` tells."""


class Severity(StrEnum):
    """What is lost when it succeeds."""

    HIGH = "H"
    """Access, a token or images that leak, code that runs."""
    MEDIUM = "M"
    """A service that stops, weak cryptography, a missing trace."""
    LOW = "L"
    """Information, or a wrong code."""


class Judged(StrEnum):
    """Who judges it."""

    AUTOMATIC = "automatic"
    REVIEW = "review"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One of them; texts are French, our own paraphrase."""

    id: str
    """`TLS-01`: family and number."""
    target: Target
    stimulus: str
    expected: str
    outcome: Outcome
    severity: Severity
    grade: Grade
    """Of the text that asks for it; `inferred` when none public does."""
    judged: Judged
    manual: str = ""
    """What a person does of it, all of it or the rest; why nothing is done when it is a skip."""

    @property
    def family(self) -> str:
        """`TLS`, `TOK`..."""
        return self.id.partition("-")[0]

    @property
    def requirement_id(self) -> str:
        """How scenarios are tagged with it: `KIT-SEC-TLS-01`."""
        return _PREFIX + self.id


FAMILIES = {
    "TLS": "TLS et TLS mutuel",
    "TOK": "Jeton d'accès et introspection",
    "OIC": "Client OpenID Connect",
    "CIB": "CIBA",
    "PRX": "Proxy e-santé",
    "WL": "Liste blanche et signature XML",
    "SML": "SAML et VIHF",
    "DIC": "DICOM et DICOMweb",
    "HL7": "HL7v2",
    "ARC": "Archives",
    "TRC": "Traces",
    "HLT": "Signe de vie",
}
"""In the order of the page."""


def _row(id: str, row: dict[str, Any]) -> Row:
    return Row(
        id=id,
        target=Target(row["target"]),
        stimulus=row["stimulus"],
        expected=row["expected"],
        outcome=Outcome(row["outcome"]),
        severity=Severity(row["severity"]),
        grade=Grade(row["grade"]),
        judged=Judged(row["judged"]),
        manual=row.get("manual", ""),
    )


def _load() -> dict[str, Row]:
    data = resources.files("spec").joinpath("security.toml").read_text(encoding="utf-8")
    return {id: _row(id, row) for id, row in tomllib.loads(data).items()}


ROWS = _load()
"""By id, in the order of the page."""
