"""The ten verdicts, how they merge, and the exit code of a campaign."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum

__all__ = ["ExitCode", "Verdict", "exit_code", "merge", "severity"]


class Verdict(StrEnum):
    """What is said of a step, a scenario, a requirement, a campaign."""

    PASS = "pass"
    """At least one assertion was evaluated, no error-level finding."""
    FAIL = "fail"
    """An error-level finding, or an awaited effect did not come."""
    WARN = "warn"
    """A PEUT is broken, or it worked but not as written."""
    SKIP = "skip"
    """Could not be verified in this run."""
    OMIT = "omit"
    """Not claimed, or officially inapplicable; reason and source are mandatory."""
    REVIEW = "review"
    """Evidence is captured, a person must decide."""
    UNKNOWN = "unknown"
    """The checker itself broke."""
    ERROR = "error"
    """Fault of the bench or of its configuration."""
    XFAIL = "xfail"
    """Listed as expected failure, and failed."""
    XPASS = "xpass"
    """Listed as expected failure, and passed."""

    @property
    def french(self) -> str:
        """The word that reports and the console print."""
        return _FRENCH[self]


_FRENCH = {
    Verdict.PASS: "conforme",
    Verdict.FAIL: "échec",
    Verdict.WARN: "avertissement",
    Verdict.SKIP: "non vérifié",
    Verdict.OMIT: "sans objet",
    Verdict.REVIEW: "à relire",
    Verdict.UNKNOWN: "indéterminé",
    Verdict.ERROR: "erreur du banc",
    Verdict.XFAIL: "échec attendu",
    Verdict.XPASS: "succès inattendu",
}

_MERGE_ORDER = (
    Verdict.FAIL,
    Verdict.XPASS,
    Verdict.ERROR,
    Verdict.UNKNOWN,
    Verdict.SKIP,
    Verdict.REVIEW,
    Verdict.WARN,
    Verdict.PASS,
    Verdict.XFAIL,
    Verdict.OMIT,
)


def severity(verdict: Verdict) -> int:
    """How bad a verdict is beside another, as `merge` weighs them: a higher number is worse."""
    return len(_MERGE_ORDER) - _MERGE_ORDER.index(verdict)


def merge(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a group. An empty group is an error: nothing was executed."""
    present = set(verdicts)
    return next((verdict for verdict in _MERGE_ORDER if verdict in present), Verdict.ERROR)


class ExitCode(IntEnum):
    """Exit codes of every command that judges."""

    CONFORM = 0
    FAIL = 1
    OPEN = 2
    XPASS = 3
    USAGE = 64
    INTERNAL = 70


def exit_code(verdict: Verdict, *, strict: bool = False) -> ExitCode:
    """The exit code of a campaign with that merged verdict."""
    match verdict:
        case Verdict.FAIL:
            return ExitCode.FAIL
        case Verdict.XPASS:
            return ExitCode.XPASS
        case Verdict.ERROR:
            return ExitCode.INTERNAL
        case Verdict.SKIP | Verdict.REVIEW | Verdict.UNKNOWN:
            return ExitCode.OPEN
        case Verdict.WARN if strict:
            return ExitCode.FAIL
        case _:
            return ExitCode.CONFORM
