"""How a step says that it did not go as it should, and the verdict that follows.

The kind of step decides: an *Étant donné* that breaks leaves the rest unverified; a *Quand* that
the box refuses is its failure, one that we cannot send is ours; an *Alors* that is false is its
failure, and an exception in a checker says nothing about the box.
"""

from __future__ import annotations

from enum import StrEnum

from bench.verdicts import Verdict

__all__ = [
    "CannotVerify",
    "Failure",
    "NotClaimed",
    "NotMet",
    "NotSendable",
    "Refused",
    "StepKind",
    "StepTrouble",
    "classify",
    "step_verdict",
]


class StepKind(StrEnum):
    """Given, When, Then."""

    GIVEN = "given"
    WHEN = "when"
    THEN = "then"


class Failure(StrEnum):
    """What went wrong in a step, as recorded in the journal."""

    NOT_MET = "not-met"
    REFUSED = "refused"
    NOT_SENDABLE = "not-sendable"
    CANNOT_VERIFY = "cannot-verify"
    NEEDS_REVIEW = "needs-review"
    TOLERATED = "tolerated"
    NOT_APPLICABLE = "not-applicable"
    NOT_CLAIMED = "not-claimed"
    EXCEPTION = "exception"
    UNDEFINED = "undefined"
    NOT_REACHED = "not-reached"


class StepTrouble(Exception):
    """A step's way out; the text is French and is shown as it is."""

    failure: Failure = Failure.EXCEPTION


class NotMet(StepTrouble):
    """An awaited effect did not come, or came wrong."""

    failure = Failure.NOT_MET


class Refused(StepTrouble):
    """The box refused what we sent."""

    failure = Failure.REFUSED


class NotSendable(StepTrouble):
    """We could not send: a fault of the bench or of its configuration."""

    failure = Failure.NOT_SENDABLE


class CannotVerify(StepTrouble):
    """Something that the check needs is missing in this run."""

    failure = Failure.CANNOT_VERIFY


class NotClaimed(StepTrouble):
    """The product does not claim what the scenario is about: all of it is left out."""

    failure = Failure.NOT_CLAIMED


def classify(exception: BaseException) -> Failure:
    """The failure that an exception stands for."""
    if isinstance(exception, StepTrouble):
        return exception.failure
    return Failure.NOT_MET if isinstance(exception, AssertionError) else Failure.EXCEPTION


def step_verdict(kind: StepKind, failure: Failure | None) -> Verdict:
    """The verdict of one step."""
    match failure:
        case None:
            return Verdict.PASS
        case Failure.UNDEFINED | Failure.NOT_SENDABLE:
            return Verdict.ERROR
        case Failure.NOT_REACHED | Failure.CANNOT_VERIFY:
            return Verdict.SKIP
        case Failure.NEEDS_REVIEW:
            return Verdict.REVIEW
        case Failure.TOLERATED:
            return Verdict.WARN
        case Failure.NOT_APPLICABLE | Failure.NOT_CLAIMED:
            return Verdict.OMIT
    if kind is StepKind.GIVEN:
        return Verdict.SKIP
    if failure is Failure.EXCEPTION:
        return Verdict.UNKNOWN if kind is StepKind.THEN else Verdict.ERROR
    return Verdict.FAIL
