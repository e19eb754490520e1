"""From a journal to a Run: a pure function of what was recorded.

Findings are taken as recorded, or computed again when a `judge` is given; expectations are never
recomputed. The same journal always gives the same Run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bench import concealed
from bench.agreements import agreed, challenges, expected_failures
from bench.attribution import Attributor
from bench.decisions import ATTACHMENT, DECISION, Decision, attachments, decisions
from bench.journal import Event, Journal, JournalError
from bench.outcomes import Failure, StepKind, step_verdict
from bench.profile import ExpectedFailure
from bench.results import Expectation, RecordedExchange, Run, ScenarioResult, StepResult
from bench.verdicts import Verdict, merge
from spec.grade import Grade
from validators.finding import Cause, Finding, Severity
from wire.exchange import Direction, Exchange, Payload

__all__ = ["Judge", "load", "scenario_verdict"]

Judge = Callable[
    [Sequence[tuple[str, Exchange]], frozenset[str], dict[str, str]], list[tuple[str, Finding]]
]
"""Exchanges of a scenario by id, roles under test in it, public Case -> findings by exchange."""


def load(run: Path, *, judge: Judge | None = None, bodies: int | None = None) -> Run:
    """Read, attribute and judge a run.

    Args:
        judge: judges again; without it the findings are those of the journal.
        bodies: how many bytes of bodies are kept, first come first served; beyond, an exchange
            says that its own are cut. None: all.

    Raises:
        JournalError: not a run, or a journal that does not begin with `run.start`.
    """
    journal = Journal(run)
    start = next(journal.of("run.start"), None)
    if start is None:
        raise JournalError(f"{run} : le journal ne contient pas d'événement run.start")
    floor = Grade(start.fields.get("floor", Grade.DRAFT))
    exchanges = _attribute(journal, bodies)
    by_scenario: dict[str, list[RecordedExchange]] = defaultdict(list)
    ambient: list[RecordedExchange] = []
    for recorded in exchanges:
        (by_scenario[recorded.scenario] if recorded.scenario else ambient).append(recorded)

    opened = {event.fields["scenario"]: event for event in journal.of("scenario.start")}
    events: dict[str, list[Event]] = defaultdict(list)
    for event in journal.of("step", "expectation", "finding", "scenario.end", "case"):
        if event.mono >= opened[event.fields["scenario"]].mono:  # else: of a try that was cut
            events[event.fields["scenario"]].append(event)
    begun_again = {id for id, count in Counter(_begun(journal)).items() if count > 1}
    decided = decisions(
        event
        for event in journal.of(DECISION)
        if (id := event.fields["scenario"]) not in begun_again or event.mono >= opened[id].mono
    )
    expected = expected_failures(start.fields.get("expected_failures", ()))

    resumed = max((event.mono for event in journal.of("run.resume")), default=start.mono)
    end = next((event for event in journal.of("run.end") if event.mono >= resumed), None)
    # A scenario without end: the campaign was cut there, or the bench itself broke.
    unfinished = Verdict.SKIP if end is None else Verdict.ERROR
    planned = list(
        dict.fromkeys(id for event in journal.of("plan") for id in event.fields["scenarios"])
    )
    rank = {id: number for number, id in enumerate(planned)}
    scenarios = tuple(
        _agree(
            _scenario(one, events, by_scenario, floor, judge, unfinished, decided),
            expected.get(id),
            start.utc.date(),
        )
        for id, one in sorted(opened.items(), key=lambda item: rank.get(item[0], len(rank)))
    )
    begun = {scenario.id for scenario in scenarios}
    unplayed = tuple(id for id in planned if id not in begun)
    notes = list(journal.notes)
    notes += [
        f"env:{name} n'est plus définie : sa valeur n'a pas pu être masquée si un échange la porte"
        for name in concealed.recall(start.fields.get("secrets", ()))
    ]
    if end is None:
        left = f", {len(unplayed)} scénario(s) non joué(s)" if unplayed else ""
        notes.append(f"la campagne a été interrompue avant sa fin{left}")
    notes += [event.fields["reason"] for event in journal.of("box.lost") if event.mono >= resumed]
    if goes := sum(1 for _ in journal.of("run.resume")):
        notes.append(f"campagne jouée en {goes + 1} fois : reprise après interruption")
    notes += [
        f"échec attendu de {one.scenario} périmé depuis le {one.until:%d/%m/%Y} : {one.reason}"
        for one in expected.values()
        if start.utc.date() > one.until
    ]
    last = [event for event in journal.events if event.type not in (DECISION, ATTACHMENT)][-1]
    return Run(
        directory=run,
        id=start.fields["run"],
        seed=start.fields["seed"],
        started=start.utc,
        duration_s=round((end or last).mono - start.mono - _paused(journal), 3),
        verdict=_run_verdict(scenarios, unplayed),
        unplayed=unplayed,
        meta=start.fields,
        scenarios=scenarios,
        ambient=tuple(ambient),
        interrupted=end is None,
        notes=tuple(notes),
        attachments=attachments(journal.of(ATTACHMENT)),
        challenges=challenges(start.fields.get("challenges", ())),
    )


def _begun(journal: Journal) -> Iterator[str]:
    return (event.fields["scenario"] for event in journal.of("scenario.start"))


def _paused(journal: Journal) -> float:
    """Seconds between an interruption and the next go."""
    paused, before = 0.0, 0.0
    for event in journal.events:
        if event.type == "run.resume":
            paused += event.mono - before
        if event.type not in (DECISION, ATTACHMENT):
            before = event.mono
    return paused


def scenario_verdict(
    steps: list[Verdict],
    asserted: int,
    findings: list[Finding],
    floor: Grade,
    requirements: Collection[str],
    *,
    claimed: bool = True,
) -> Verdict:
    """The verdict of a scenario: nothing asserted and nothing broken is a fault of the bench.

    When the product turned out on the way not to have `claimed` its subject, what went well before
    proves nothing.

    An error fails the scenarios of the requirements that it names. In any other, which it did not
    keep from working, it warns; the run's own verdict forgets none.
    """
    parts = list(steps)
    weighed = [finding.weighed(floor) for finding in findings]
    if any(f.severity is Severity.ERROR and _concerns(f, requirements) for f in weighed):
        parts.append(Verdict.FAIL)
    elif any(f.severity in (Severity.ERROR, Severity.WARNING) for f in weighed):
        parts.append(Verdict.WARN)
    if any(finding.cause is Cause.BENCH for finding in findings):
        parts.append(Verdict.UNKNOWN)
    if not claimed:
        parts = [part for part in parts if part is not Verdict.PASS]
    merged = merge(parts)
    return Verdict.ERROR if merged is Verdict.PASS and not asserted else merged


def _concerns(finding: Finding, requirements: Collection[str]) -> bool:
    """Whether it breaks one of these requirements; one that names none breaks any."""
    return not finding.requirements or not set(finding.requirements).isdisjoint(requirements)


def _run_verdict(scenarios: Sequence[ScenarioResult], unplayed: Sequence[str]) -> Verdict:
    """Of all scenarios, of every error wherever it was found, and of what was never played."""
    parts = [scenario.verdict for scenario in scenarios]
    parts += [Verdict.SKIP for _ in unplayed]
    return merge([*parts, *(Verdict.FAIL for one in scenarios if one.counts_errors())])


def _agree(scenario: ScenarioResult, expected: ExpectedFailure | None, day: date) -> ScenarioResult:
    verdict = agreed(scenario.verdict, expected, day)
    if verdict is scenario.verdict or expected is None:
        return scenario
    told = f"échec attendu jusqu'au {expected.until:%d/%m/%Y} : {expected.reason}"
    if scenario.reason:
        told = f"{told} ({scenario.reason})"
    return replace(scenario, verdict=verdict, reason=told)


def _attribute(journal: Journal, bodies: int | None) -> list[RecordedExchange]:
    attributor, kept = Attributor(), 0
    recorded: list[RecordedExchange] = []
    step_of: list[tuple[float, float, str, int]] = [
        (e.fields["mono_start"], e.mono, e.fields["scenario"], e.fields["index"])
        for e in journal.of("step")
    ]
    opened = {event.fields["scenario"]: event.mono for event in journal.of("scenario.start")}
    cut: set[str] = set()
    for event in journal.of("run.resume", "case", "exchange"):
        if event.type == "run.resume":
            attributor.forget_connections()
            continue
        if event.type == "case":
            owner = event.fields["scenario"]
            if event.mono < opened[owner]:
                owner = f"un essai interrompu de {owner}"
                cut.add(owner)
            attributor.open(owner, event.fields["identifiers"])
            continue
        exchange = journal.exchange(event)
        scenario, why = attributor.attribute(exchange)
        if scenario in cut:
            scenario, why = None, str(scenario)
        if bodies is not None:
            kept += (weight := _weight(exchange))
            if kept > bodies:
                exchange, kept = _without_bodies(exchange), kept - weight
        step = next(
            (
                index
                for begin, end, owner, index in step_of
                if owner == scenario and begin <= exchange.mono_start <= end
            ),
            None,
        )
        recorded.append(
            RecordedExchange(id=event.id, exchange=exchange, scenario=scenario, step=step, why=why)
        )
    once = without_twins(recorded)
    return sorted(once, key=lambda item: item.exchange.mono_start)


def _weight(exchange: Exchange) -> int:
    return sum(
        len(payload.body) + sum(len(part.head) for part in payload.parts)
        for payload in (exchange.request, exchange.response)
        if payload is not None
    )


def _without_bodies(exchange: Exchange) -> Exchange:
    return replace(
        exchange, request=_emptied(exchange.request), response=_emptied(exchange.response)
    )


def _emptied(payload: Payload | None) -> Payload | None:
    if payload is None or not (payload.body or payload.parts):
        return payload
    parts = tuple(replace(part, head=b"") for part in payload.parts)
    return replace(payload, body=b"", parts=parts, truncated=True)


def without_twins(recorded: list[RecordedExchange]) -> list[RecordedExchange]:
    """Each HTTP exchange once: when both ends recorded it, the client's record stays.

    The reference keeps a journal when it plays the missing half, so a request that the bench
    itself sends to it is seen from both ends.
    """
    asked: dict[tuple[str, str], list[Exchange]] = defaultdict(list)
    for item in recorded:
        if item.exchange.direction is Direction.OUT and item.exchange.protocol == "HTTP":
            asked[_request_key(item.exchange)].append(item.exchange)
    return [
        item
        for item in recorded
        if item.exchange.direction is Direction.OUT
        or item.exchange.protocol != "HTTP"
        or not any(
            other.mono_start <= item.exchange.mono_end
            and item.exchange.mono_start <= other.mono_end
            for other in asked[_request_key(item.exchange)]
        )
    ]


def _request_key(exchange: Exchange) -> tuple[str, str]:
    request = exchange.request
    if request is None:
        return "", ""
    return request.start_line, request.header("authorization") or ""


def _scenario(
    opened: Event,
    every: Mapping[str, list[Event]],
    by_scenario: dict[str, list[RecordedExchange]],
    floor: Grade,
    judge: Judge | None,
    unfinished: Verdict,
    decided: Mapping[tuple[str, int], Decision],
) -> ScenarioResult:
    fields = opened.fields
    scenario = fields["scenario"]
    events = every.get(scenario, [])
    exchanges = by_scenario.get(scenario, [])
    case: dict[str, str] = {}
    for event in events:
        if event.type == "case":
            case.update(event.fields["public"])
    steps = tuple(_step(event, decided) for event in events if event.type == "step")
    expectations = tuple(_expectation(event) for event in events if event.type == "expectation")
    if judge is None:
        findings = [
            (event.fields["exchange"], Finding.from_dict(event.fields))
            for event in events
            if event.type == "finding"
        ]
    else:
        roles = frozenset(fields["roles"])
        findings = judge([(item.id, item.exchange) for item in exchanges], roles, case)
    end = next((event for event in events if event.type == "scenario.end"), None)
    verdict = scenario_verdict(
        [*(step.verdict for step in steps), *([unfinished] if end is None else [])],
        len(expectations) + sum(step.decision is not None for step in steps),
        [f for _, f in findings],
        floor,
        fields["requirements"],
        claimed=not any(
            event.type == "step" and event.fields["failure"] == Failure.NOT_CLAIMED
            for event in events
        ),
    )
    omitted = end.fields.get("omit", "") if end else ""
    lost = end.fields.get("skip", "") if end else ""
    if omitted:
        verdict = Verdict.OMIT
    return ScenarioResult(
        id=scenario,
        title=fields["title"],
        feature=fields["feature"],
        domain=fields["domain"],
        requirements=tuple(fields["requirements"]),
        verdict=verdict,
        reason=omitted
        or lost
        or _reason(steps, [f for _, f in findings], floor, ended=end is not None),
        duration_s=round((end or events[-1] if events else opened).mono - opened.mono, 3),
        case=case,
        steps=steps,
        expectations=expectations,
        findings=tuple((exchange, finding.weighed(floor)) for exchange, finding in findings),
        exchanges=tuple(exchanges),
    )


def _reason(
    steps: tuple[StepResult, ...], findings: list[Finding], floor: Grade, *, ended: bool
) -> str:
    broken = next((s for s in steps if s.verdict not in (Verdict.PASS, Verdict.SKIP)), None)
    broken = broken or next((s for s in steps if s.verdict is Verdict.SKIP), None)
    if broken is not None:
        return f"{broken.keyword} {broken.text} : {broken.message}"
    weighed = [finding.weighed(floor) for finding in findings]
    for severity in (Severity.ERROR, Severity.WARNING):
        first = next((f for f in weighed if f.severity is severity), None)
        if first is not None:
            return f"{first.rule} : {first.message}"
    return "" if ended else "scénario interrompu"


def _step(event: Event, decided: Mapping[tuple[str, int], Decision]) -> StepResult:
    fields: dict[str, Any] = event.fields
    failure = Failure(fields["failure"]) if fields["failure"] else None
    verdict, message = step_verdict(StepKind(fields["kind"]), failure), fields["message"]
    decision = None
    if verdict is Verdict.REVIEW:
        # A person decides on what was left to one, and on nothing else.
        decision = decided.get((fields["scenario"], fields["index"]))
    if decision is not None:
        verdict = Verdict.PASS if decision.conform else Verdict.FAIL
        message = f"{message} : {decision.told}"
    return StepResult(
        index=fields["index"],
        keyword=fields["keyword"],
        text=fields["text"],
        verdict=verdict,
        message=message,
        decision=decision,
        started=datetime.fromisoformat(fields["started"]) if fields["started"] else None,
        ended=event.utc if fields["started"] else None,
    )


def _expectation(event: Event) -> Expectation:
    fields: dict[str, Any] = event.fields
    return Expectation(
        scenario=fields["scenario"],
        step=fields["step"],
        what=fields["what"],
        met=fields["met"],
        requirements=tuple(fields["requirements"]),
        exchanges=tuple(fields["exchanges"]),
        expected=fields["expected"],
        actual=fields["actual"],
        deadline_s=fields["deadline_s"],
    )
