"""The matrix: each wrong box plays its campaign; who caught it, and who cried wolf.

A requirement is blamed by a failed step of a scenario that carries it, or, when all steps went
well, by an error-level finding that names it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from bench.campaign import CampaignError, Options, play
from bench.gate import ROLES, Pickle, check_features
from bench.profile import EMBEDDED, Claims, Profile, Timing
from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from mutants.registry import Mutant
from validators.finding import Severity

__all__ = ["QUICK", "Ground", "Red", "Trial", "judge", "play_matrix", "play_one", "selection"]


QUICK = EMBEDDED.model_copy(update={"timing": Timing(ack_s=2.0, effect_s=6.0, retry_window_s=0.5)})
"""The embedded reference with short deadlines: a wrong box is mostly waited for in vain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where wrong boxes are tried: the features are the caller's, this room knows none."""

    features: Path
    steps: tuple[str, ...]
    runs: Path
    profile: Profile = QUICK
    full: bool = False
    """Every scenario of the role, not only those of the domains that the defect touches."""
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Red:
    """A scenario that did not pass, and why."""

    scenario: str
    verdict: Verdict
    requirements: tuple[str, ...]
    """Those that the scenario carries."""
    blamed: tuple[str, ...]
    """Those that failed in it."""
    reason: str

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "scenario": self.scenario,
            "verdict": self.verdict.value,
            "requirements": list(self.requirements),
            "blamed": list(self.blamed),
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one wrong box."""

    mutant: Mutant
    ran: tuple[str, ...]
    killed_by: tuple[Red, ...]
    """Failures on a requirement that it breaks."""
    consequences: tuple[Red, ...]
    """Failures on a requirement that it declares as a consequence."""
    false_alarms: tuple[Red, ...]
    """Failures on requirements neither broken nor declared."""
    skipped: tuple[Red, ...]
    """Scenarios that the defect starves: not verified, with the step that says so."""
    untold: tuple[Red, ...]
    """`error`, `unknown`, `review`: the bench could not tell."""
    directory: Path

    @property
    def killed(self) -> bool:
        """Caught, for the right reason."""
        return bool(self.killed_by)

    @property
    def red(self) -> frozenset[str]:
        """Every scenario that failed."""
        groups = (self.killed_by, self.consequences, self.false_alarms)
        return frozenset(one.scenario for group in groups for one in group)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            **self.mutant.as_dict(),
            "ran": list(self.ran),
            "killed": self.killed,
            "killed_by": [one.as_dict() for one in self.killed_by],
            "consequences": [one.as_dict() for one in self.consequences],
            "false_alarms": [one.as_dict() for one in self.false_alarms],
            "skipped": [one.as_dict() for one in self.skipped],
            "untold": [one.as_dict() for one in self.untold],
            "run": str(self.directory),
        }


def selection(mutant: Mutant, features: Path, *, full: bool) -> tuple[str, ...]:
    """The scenarios to play, in the order of the files.

    Those of the domains where its requirements are tested: they use the part that is wrong, or
    stand next to those that do. `full` takes all those of its role, which need no other box.

    Raises:
        CampaignError: no scenario carries any of its requirements.
    """
    found = [one for one in check_features(features) if ROLES & set(one.tags) == {mutant.role}]
    domains = {_domain(one) for one in found if not set(one.tags).isdisjoint(mutant.requirements)}
    if not domains:
        raise CampaignError(
            f"{mutant.name} : aucun scénario ne porte {', '.join(mutant.requirements)}"
        )
    return tuple(one.scenario for one in found if full or _domain(one) in domains)


def play_one(mutant: Mutant, ground: Ground) -> Trial:
    """Play one wrong box's campaign in this process.

    Raises:
        CampaignError: see `bench.campaign.play` and `selection`.
    """
    chosen = selection(mutant, ground.features, full=ground.full)
    command = (
        sys.executable, "-m", "mutants", mutant.name, "--config", "{config}", "--ready", "{ready}",
    )  # fmt: skip
    claims = Claims(source=mutant.role == "source", consumer=mutant.role == "consumer")
    run = play(
        Options(
            features=ground.features,
            steps=ground.steps,
            runs=ground.runs / mutant.name,
            profile=ground.profile.model_copy(update={"claims": claims, "name": mutant.name}),
            seed=ground.seed,
            only=chosen,
            source_command=command if mutant.role == "source" else (),
            consumer_command=command if mutant.role == "consumer" else (),
        )
    )
    return judge(mutant, run)


def play_matrix(
    mutants: Iterable[Mutant],
    ground: Ground,
    *,
    workers: int = 2,
    tell: Callable[[Trial], None] = lambda trial: None,
) -> tuple[Trial, ...]:
    """Play wrong boxes, so many at a time, each campaign in a process of its own.

    `tell` hears of each as it ends; the answer is in the order asked.

    Raises:
        CampaignError: a campaign could not be played at all.
    """
    asked = tuple(mutants)
    # pytest keeps state in its process: one campaign each, and never a plain fork of threads.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        waiting = {pool.submit(play_one, one, ground): one.name for one in asked}
        done = {}
        for future in as_completed(waiting):
            trial = future.result()
            done[waiting[future]] = trial
            tell(trial)
    return tuple(done[one.name] for one in asked)


def judge(mutant: Mutant, run: Run) -> Trial:
    """Sort a run's scenarios: proofs, consequences, false alarms, starved, untold."""
    killed, consequences, alarms, skipped, untold = [], [], [], [], []
    for scenario in run.scenarios:
        one = _red(scenario)
        match scenario.verdict:
            case Verdict.PASS | Verdict.WARN | Verdict.OMIT:
                continue
            case Verdict.SKIP:
                skipped.append(one)
            case Verdict.FAIL if not set(one.blamed).isdisjoint(mutant.requirements):
                killed.append(one)
            case Verdict.FAIL if mutant.declares(one.blamed):
                consequences.append(one)
            case Verdict.FAIL:
                alarms.append(one)
            case _:
                untold.append(one)
    return Trial(
        mutant=mutant,
        ran=tuple(scenario.id for scenario in run.scenarios),
        killed_by=tuple(killed),
        consequences=tuple(consequences),
        false_alarms=tuple(alarms),
        skipped=tuple(skipped),
        untold=tuple(untold),
        directory=run.directory,
    )


def _red(scenario: ScenarioResult) -> Red:
    return Red(
        scenario=scenario.id,
        verdict=scenario.verdict,
        requirements=scenario.requirements,
        blamed=tuple(sorted(set(_blamed(scenario)))),
        reason=scenario.reason,
    )


def _blamed(scenario: ScenarioResult) -> Iterator[str]:
    """A failed step comes first: what a finding names beside it must not excuse it."""
    if any(step.verdict is Verdict.FAIL for step in scenario.steps):
        yield from scenario.requirements
        return
    for _, finding in scenario.findings:
        if finding.severity is Severity.ERROR:
            yield from finding.requirements


def _domain(pickle: Pickle) -> str:
    return pickle.file.parent.name
