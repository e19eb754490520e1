"""What a judge says: one finding per broken rule and place, with what was expected and found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from spec.grade import Grade

__all__ = ["Cause", "Finding", "Severity", "verdict_of"]


class Severity(StrEnum):
    """Follows the text: a broken DOIT is an error, a broken PEUT a warning."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Cause(StrEnum):
    """Who has to act."""

    BOX = "box"
    PROFILE = "profile"
    MACHINE = "machine"
    BENCH = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One observation of a rule on an artefact.

    `where` is a path in the artefact: an HL7 field (`PID-3[1].4.2`), an XPath, a DICOM tag path
    (`0040,A375[1]/0008,1115[2]`), a header name or a byte span (`octets 12-40`).
    """

    rule: str
    severity: Severity
    message: str
    """One French sentence."""
    expected: str = ""
    actual: str = ""
    where: str = ""
    spec: str = ""
    grade: Grade = Grade.INFERRED
    requirements: tuple[str, ...] = ()
    cause: Cause = Cause.BOX

    def weighed(self, floor: Grade) -> Finding:
        """The finding with the severity that its grade allows under `floor`.

        An error graded below the floor, or by `demonstrator` and `inferred`, is a warning.
        """
        weak = self.grade.only_warns or self.grade.weight < floor.weight
        if self.severity is Severity.ERROR and weak:
            return replace(self, severity=Severity.WARNING)
        return self

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: enums as strings, requirements as a list."""
        fields = asdict(self)
        fields["requirements"] = list(self.requirements)
        return {key: str(v) if isinstance(v, StrEnum) else v for key, v in fields.items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Finding:
        """The inverse of `as_dict`; unknown keys are left out."""
        known = {key: fields[key] for key in cls.__dataclass_fields__ if key in fields}
        known["severity"] = Severity(known["severity"])
        known["grade"] = Grade(known["grade"])
        known["cause"] = Cause(known.get("cause", Cause.BOX))
        known["requirements"] = tuple(known.get("requirements", ()))
        return cls(**known)


def verdict_of(findings: list[Finding]) -> str:
    """`fail` with an error, `warn` with a warning, else `pass`."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return "fail"
    return "warn" if Severity.WARNING in severities else "pass"
