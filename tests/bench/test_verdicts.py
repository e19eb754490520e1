"""Verdicts, their merge and exit codes are those of the architecture."""

from dataclasses import replace

import pytest

from bench.assemble import scenario_verdict
from bench.outcomes import (
    CannotVerify,
    Failure,
    NotMet,
    NotSendable,
    Refused,
    StepKind,
    classify,
    step_verdict,
)
from bench.verdicts import ExitCode, Verdict, exit_code, merge
from spec.grade import Grade
from validators.finding import Finding, Severity


def finding(severity: Severity, grade: Grade) -> Finding:
    return Finding(rule="KIT-1", severity=severity, message="m", grade=grade)


@pytest.mark.parametrize(
    ("kind", "exception", "verdict"),
    [
        (StepKind.GIVEN, NotMet("x"), Verdict.SKIP),
        (StepKind.GIVEN, NotSendable("x"), Verdict.ERROR),
        (StepKind.WHEN, Refused("x"), Verdict.FAIL),
        (StepKind.WHEN, NotSendable("x"), Verdict.ERROR),
        (StepKind.WHEN, RuntimeError("x"), Verdict.ERROR),
        (StepKind.THEN, NotMet("x"), Verdict.FAIL),
        (StepKind.THEN, AssertionError("x"), Verdict.FAIL),
        (StepKind.THEN, RuntimeError("x"), Verdict.UNKNOWN),
        (StepKind.THEN, CannotVerify("x"), Verdict.SKIP),
    ],
)
def test_kind_of_step_decides(kind: StepKind, exception: Exception, verdict: Verdict) -> None:
    assert step_verdict(kind, classify(exception)) is verdict


def test_what_is_left_to_a_person_is_open() -> None:
    assert step_verdict(StepKind.THEN, Failure.NEEDS_REVIEW) is Verdict.REVIEW
    assert step_verdict(StepKind.GIVEN, Failure.NEEDS_REVIEW) is Verdict.REVIEW


def test_undefined_step_is_the_bench_s_fault() -> None:
    assert step_verdict(StepKind.THEN, Failure.UNDEFINED) is Verdict.ERROR


def test_merge_follows_the_order_of_the_architecture() -> None:
    order = [
        Verdict.FAIL,
        Verdict.ERROR,
        Verdict.UNKNOWN,
        Verdict.SKIP,
        Verdict.REVIEW,
        Verdict.WARN,
        Verdict.PASS,
        Verdict.OMIT,
    ]
    for index, strongest in enumerate(order):
        assert merge(reversed(order[index:])) is strongest


def test_nothing_executed_is_an_error() -> None:
    assert merge([]) is Verdict.ERROR


@pytest.mark.parametrize(
    ("verdict", "strict", "code"),
    [
        (Verdict.PASS, False, ExitCode.CONFORM),
        (Verdict.WARN, False, ExitCode.CONFORM),
        (Verdict.WARN, True, ExitCode.FAIL),
        (Verdict.FAIL, False, ExitCode.FAIL),
        (Verdict.SKIP, False, ExitCode.OPEN),
        (Verdict.REVIEW, False, ExitCode.OPEN),
        (Verdict.UNKNOWN, False, ExitCode.OPEN),
        (Verdict.XPASS, False, ExitCode.XPASS),
        (Verdict.ERROR, False, ExitCode.INTERNAL),
    ],
)
def test_exit_codes(verdict: Verdict, strict: bool, code: ExitCode) -> None:
    assert exit_code(verdict, strict=strict) is code


def test_scenario_without_assertion_is_an_error() -> None:
    assert scenario_verdict([Verdict.PASS], 0, [], Grade.DRAFT, ()) is Verdict.ERROR


@pytest.mark.parametrize(
    ("grade", "floor", "verdict"),
    [
        (Grade.STANDARD, Grade.DRAFT, Verdict.FAIL),
        (Grade.DRAFT, Grade.DRAFT, Verdict.FAIL),
        (Grade.DRAFT, Grade.SAMPLE, Verdict.WARN),
        (Grade.SAMPLE, Grade.FAQ, Verdict.WARN),
        (Grade.STANDARD, Grade.FAQ, Verdict.FAIL),
        (Grade.DEMONSTRATOR, Grade.DRAFT, Verdict.WARN),
        (Grade.INFERRED, Grade.DRAFT, Verdict.WARN),
    ],
)
def test_grade_says_what_weighs(grade: Grade, floor: Grade, verdict: Verdict) -> None:
    findings = [finding(Severity.ERROR, grade)]
    assert scenario_verdict([Verdict.PASS], 1, findings, floor, ()) is verdict


@pytest.mark.parametrize(
    ("carried", "verdict"),
    [(("DB.SO.39",), Verdict.FAIL), (("DB.SO.33",), Verdict.WARN), ((), Verdict.WARN)],
)
def test_an_error_fails_the_scenarios_of_its_requirements(
    carried: tuple[str, ...], verdict: Verdict
) -> None:
    found = replace(finding(Severity.ERROR, Grade.DRAFT), requirements=("DB.SO.39",))
    assert scenario_verdict([Verdict.PASS], 1, [found], Grade.DRAFT, carried) is verdict


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ([Verdict.PASS, Verdict.OMIT], Verdict.OMIT),
        ([Verdict.PASS, Verdict.OMIT, Verdict.SKIP], Verdict.SKIP),
        ([Verdict.FAIL, Verdict.OMIT], Verdict.FAIL),
    ],
)
def test_what_is_not_claimed_on_the_way_conforms_to_nothing(
    steps: list[Verdict], verdict: Verdict
) -> None:
    assert scenario_verdict(steps, 3, [], Grade.DRAFT, (), claimed=False) is verdict


def test_a_step_that_does_not_bind_the_product_leaves_the_others_their_verdict() -> None:
    steps = [Verdict.PASS, Verdict.OMIT]
    assert scenario_verdict(steps, 3, [], Grade.DRAFT, ()) is Verdict.PASS
