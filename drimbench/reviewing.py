"""What is left to a person in a run: shown with its evidence, asked for, written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.decisions import decide
from bench.errors import BenchError
from bench.results import Run, ScenarioResult, StepResult
from bench.verdicts import Verdict
from drimbench.attendant import verdict_of_a_person
from reports import redact
from reports.words import plural
from spec.requirements import CATALOGUE, resolve

__all__ = ["Left", "as_json", "ask", "decide_one", "left", "proof_of", "show"]


@dataclass(frozen=True, slots=True)
class Left:
    """One step that a program could not judge."""

    scenario: ScenarioResult
    step: StepResult

    @property
    def name(self) -> str:
        """How it is called on the command line: `SCN-PUB-01:3`, steps counted from 1."""
        return f"{self.scenario.id}:{self.step.index + 1}"


def left(run: Run, *, decided: bool = False) -> list[Left]:
    """The steps left to a person that wait for a decision, or those that have one."""
    return [
        Left(scenario, step)
        for scenario in run.scenarios
        for step in scenario.steps
        if (step.decision is not None if decided else step.verdict is Verdict.REVIEW)
    ]


def as_json(run: Run) -> list[dict[str, Any]]:
    """The documented shape: open steps first, then decided ones."""
    return [
        {
            "step": one.name,
            "scenario": one.scenario.id,
            "title": one.scenario.title,
            "text": f"{one.step.keyword} {one.step.text}",
            "requirements": list(one.scenario.requirements),
            "message": redact.text(one.step.message),
            "exchanges": [recorded.id for recorded in one.scenario.exchanges],
            "decision": None
            if one.step.decision is None
            else {
                "conform": one.step.decision.conform,
                "by": one.step.decision.by,
                "at": one.step.decision.utc.isoformat(),
                "comment": one.step.decision.comment,
            },
        }
        for one in (*left(run), *left(run, decided=True))
    ]


def show(run: Run, console: Console) -> None:
    """Every step left to a person, open or decided."""
    for one in (*left(run), *left(run, decided=True)):
        _show(one, run, console)
    waiting = len(left(run))
    told = f"{plural(waiting, 'étape')} à relire" if waiting else "rien à relire"
    _line(console, told, "bold")


def ask(run: Run, by: str, console: Console) -> int:
    """Ask for each open decision in turn; how many were taken. Each is written at once.

    Raises:
        BenchError: a decision that cannot be written.
    """
    taken = 0
    for one in left(run):
        _show(one, run, console)
        answer, by, comment = verdict_of_a_person(console, by, quit_=True)
        if answer == "q":
            break
        if answer == "p":
            continue
        decide(
            run.directory, one.scenario.id, one.step.index,
            conform=answer == "o", by=by, comment=comment,
        )  # fmt: skip
        taken += 1
    return taken


def decide_one(run: Run, name: str, *, conform: bool, by: str, comment: str) -> None:
    """Decide on the step of that name.

    Raises:
        BenchError: no such step, one that a program judged, or a decision without name or reason.
    """
    known = {one.name: one for one in (*left(run), *left(run, decided=True))}
    if name not in known:
        names = ", ".join(sorted(known)) or "aucune"
        raise BenchError(f"{name} : étape qui n'est pas à relire ; à relire : {names}")
    one = known[name]
    decide(run.directory, one.scenario.id, one.step.index, conform=conform, by=by, comment=comment)


def proof_of(run: Run, text: str) -> str:
    """What a file may prove: a requirement, a proof of the catalogue, or a scenario of the run.

    Raises:
        BenchError: none of these.
    """
    if any(text.removeprefix("@") == scenario.id for scenario in run.scenarios):
        return text.removeprefix("@")
    if requirement := resolve(text):
        return requirement.id
    if any(proof.id == text for one in CATALOGUE.values() for proof in one.proofs):
        return text
    raise BenchError(
        f"« {text} » n'est ni un scénario de la campagne, ni une exigence, ni une preuve connue"
    )


def _show(one: Left, run: Run, console: Console) -> None:
    _line(console, f"{one.name}  {one.scenario.title}", "bold")
    _line(console, f"    exigences  {', '.join(one.scenario.requirements)}")
    _line(console, f"    étape      {one.step.keyword} {one.step.text}")
    _line(console, f"    à juger    {redact.text(one.step.message)}")
    for name, value in _evidence(one, run):
        _line(console, f"    {name:<10} {value}", "dim")


def _evidence(one: Left, run: Run) -> Iterator[tuple[str, str]]:
    names = [recorded.exchange.transaction for recorded in one.scenario.exchanges]
    yield "échanges", ", ".join(dict.fromkeys(filter(None, names))) or "aucun"
    proofs = {one.scenario.id, *one.scenario.requirements}
    for given in run.attachments:
        if given.proof in proofs:
            yield "pièce", f"{given.name} ({given.size} octets, {given.proof})"
    yield "rapport", f"{Path(run.directory) / 'rapport.html'}"


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)
