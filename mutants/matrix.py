"""The matrix: each wrong box plays its campaign; who caught it, and who cried wolf.

A requirement is blamed by a failed step of a scenario that carries it, or, when all steps went
well, by an error-level finding that names it.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread

from bench.campaign import PROVIDED, CampaignError, Options, play
from bench.gate import ROLES, Pickle, check_features
from bench.launching import ForkServer, Launch, Running, forking
from bench.profile import EMBEDDED, Claims, Profile, Timing
from bench.results import Run, ScenarioResult
from bench.verdicts import Verdict
from mutants import green
from mutants.chain import REPORT, write_report
from mutants.green import Green
from mutants.registry import Mutant
from spec.security import ROWS
from validators.finding import Severity

__all__ = [
    "BOXES",
    "QUICK",
    "Ground",
    "Red",
    "Trial",
    "attacks",
    "judge",
    "play_green",
    "play_matrix",
    "play_one",
    "processes",
    "selection",
]


QUICK = EMBEDDED.model_copy(update={"timing": Timing(ack_s=2.0, effect_s=6.0, retry_window_s=0.5)})
"""The embedded reference with short deadlines: a wrong box is mostly waited for in vain."""


BOXES = (
    "mutants.__main__",
    "mutants.source",
    "mutants.consumer",
    "drimbox_ref.__main__",
    "drimbox_ref.process",
    "drimbox_ref.source.compose",
    "drimbox_ref.consumer.compose",
    "drimbox_ref.holding",
    # what these load when they start only
    "anyio._backends._asyncio",
    "filelock",
    "sqlite3",
    "uvicorn.lifespan.off",
)
"""What a box loads: once for all of them."""


_ATTACKS = frozenset(row.requirement_id for row in ROWS.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where wrong boxes are tried: the features are the caller's, this room knows none."""

    features: Path
    steps: tuple[str, ...]
    runs: Path
    profile: Profile = QUICK
    preload: tuple[str, ...] = ()
    """Modules that a box needs besides the boxes themselves, loaded once for all of them."""
    seed: int | None = None

    def named(self, name: str, pki: Path, **changes: object) -> Profile:
        """The profile of one box, which keeps its certificates in that folder."""
        world = self.profile.world.model_copy(update={"pki": str(pki.absolute())})
        return self.profile.model_copy(update={"name": name, "world": world, **changes})

    def launch(self) -> ForkServer:
        """How this process starts the boxes."""
        return ForkServer((*BOXES, *self.preload))


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
    parts: tuple[str, ...]
    """Those that it replaces; none when nobody asked."""
    ran: tuple[str, ...]
    """Those that apply to it."""
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
            "parts": list(self.parts),
            "ran": list(self.ran),
            "killed": self.killed,
            "killed_by": [one.as_dict() for one in self.killed_by],
            "consequences": [one.as_dict() for one in self.consequences],
            "false_alarms": [one.as_dict() for one in self.false_alarms],
            "skipped": [one.as_dict() for one in self.skipped],
            "untold": [one.as_dict() for one in self.untold],
            "run": str(self.directory),
        }


def processes(ground: Ground, number: int = 0, *, full: bool = False) -> ProcessPoolExecutor:
    """Those that play campaigns of this ground, each many, one after the other: what a campaign
    loads in a second is loaded once for all of them. Four for each core unless told: a wrong box is
    mostly waited for, in vain and for seconds at a time. Half of that when each box plays
    everything: attacks that fill a machine are then met by all of them at about the same time, and
    a box that is starved is answered late, which is nobody's defect. Threads are never forked
    plainly.
    """
    context = forking((__name__, *ground.steps))
    each = 2 if full else 4
    return ProcessPoolExecutor(
        number or each * (os.cpu_count() or 1), context, _begin, (ground.steps,)
    )


def play_green(ground: Ground, *, full: bool = False, pool: Executor | None = None) -> Green:
    """Play the right box, both roles, recording which parts it uses: on several beds, each with its
    part of the scenarios, in the processes of `pool` or in some of its own. Attacks are played
    apart, and tell nothing of parts.

    They are those of a campaign; with `full`, also the chain that a report of the user's goes
    through, which is the others' once more.

    Raises:
        CampaignError: it could not be played, or the right box does not conform.
    """
    every = [one for one in check_features(ground.features) if full or not _chain(one)]
    # A bed waits half of its time: two for each core. What an attack uses chooses nothing: the box
    # that is attacked is not watched.
    half = os.cpu_count() or 1
    watched = [one.scenario for one in every if not attacks(one)]
    attacked = [one.scenario for one in every if attacks(one)]
    shares = [
        (share, watch)
        for them, watch in ((watched, True), (attacked, False))
        for share in (them[rank::half] for rank in range(half))
        if share
    ]
    with nullcontext(pool) if pool else processes(ground, len(shares)) as workers:
        tasks = [
            workers.submit(_play_right, ground, rank, share, watch)
            for rank, (share, watch) in enumerate(shares, 1)
        ]
        played = green.merged([one.result() for one in tasks])
    if played.red:
        told = "".join(f"\n{one.id} : {one.reason}" for one in played.red)
        raise CampaignError(
            f"la boîte juste n'est pas conforme : aucune boîte fausse ne prouverait rien{told}"
        )
    return played


def _play_right(ground: Ground, rank: int, share: Sequence[str], watch: bool) -> Green:
    runs = ground.runs / f"juste-{rank}"
    run = play(
        Options(
            features=ground.features,
            steps=ground.steps,
            runs=runs,
            profile=ground.named("reference", runs / "pki"),
            seed=ground.seed,
            only=tuple(share),
            report=_report_of(ground, runs, share),
            launch=_watched(ground.launch()) if watch else ground.launch(),
            record_parts=watch,
        )
    )
    return green.read(run, runs / "pki") if watch else Green.unwatched(run, runs / "pki")


def _report_of(ground: Ground, runs: Path, chosen: Collection[str]) -> Path | None:
    """The report that the whole chain wants, if these scenarios play it."""
    whole = {one.scenario for one in check_features(ground.features) if set(one.tags) >= ROLES}
    return (
        None
        if whole.isdisjoint(chosen)
        else write_report(runs / REPORT, ground.profile, ground.seed)
    )


def selection(
    mutant: Mutant, features: Path, telling: frozenset[str] | None = None
) -> tuple[str, ...]:
    """The scenarios to play, in the order of the files, of those that its role takes part in.

    Those that carry its requirements; and of `telling`, those that used its parts when the box was
    right and would have been answered otherwise, as many as it takes to ask for each requirement
    that they carry. The chain that a report of the user's goes through is the others' once more: it
    is played when no other carries its requirements. So is an attack, which carries a row of the
    security catalogue: what it goes through on its way, the others do. With `telling` None, all of
    them are.

    Raises:
        CampaignError: no scenario carries any of its requirements.
    """
    found = [one for one in check_features(features) if mutant.role in one.tags]
    if telling is None:
        chosen = found
    else:
        carrying = [one for one in found if not set(one.tags).isdisjoint(mutant.requirements)]
        aimed = [one for one in carrying if not _chain(one)] or carrying
        others = [
            one
            for one in found
            if one.scenario in telling and one not in aimed and not attacks(one)
        ]
        enough = [*aimed, *_enough(others, {tag for one in aimed for tag in one.tags})]
        chosen = [one for one in found if one in enough]
    if set(mutant.requirements).isdisjoint(tag for one in chosen for tag in one.tags):
        raise CampaignError(
            f"{mutant.name} : aucun scénario ne porte {', '.join(mutant.requirements)}"
        )
    return tuple(one.scenario for one in chosen)


def _enough(telling: Sequence[Pickle], asked: Collection[str]) -> list[Pickle]:
    """Some of these that carry each requirement that any of them does, but those asked already: the
    one that asks for most comes first, the first of the files where several do."""
    known = {*asked, *ROLES}
    left = {one.scenario: (one, {*one.tags} - known - {one.scenario}) for one in telling}
    chosen = []
    while left:
        best, new = max(left.values(), key=lambda pair: len(pair[1]))
        if not new:
            break
        chosen.append(best)
        left = {id: (one, tags - new) for id, (one, tags) in left.items() if one is not best}
    return chosen


def attacks(pickle: Pickle) -> bool:
    """Whether it carries a row of the security catalogue."""
    return any(tag in _ATTACKS for tag in pickle.tags)


def _chain(pickle: Pickle) -> bool:
    return pickle.file.parent.name == PROVIDED


def play_one(
    mutant: Mutant, ground: Ground, chosen: Sequence[str], pki: Path | None = None
) -> Trial:
    """Play one wrong box's campaign, of those scenarios, in this process.

    `pki` holds certificates that were made already: keys take a second, and are the same for all.

    Raises:
        CampaignError: see `bench.campaign.play`.
    """
    command = (
        sys.executable, "-m", "mutants", mutant.name, "--config", "{config}", "--ready", "{ready}",
    )  # fmt: skip
    runs = ground.runs / mutant.name
    if pki is not None:
        shutil.copytree(pki, runs / "pki", dirs_exist_ok=True)
    report = _report_of(ground, runs, chosen)
    # The right box plays the other half of the whole chain, and nothing else.
    chain = report is not None
    claims = Claims(
        source=chain or mutant.role == "source", consumer=chain or mutant.role == "consumer"
    )
    run = play(
        Options(
            features=ground.features,
            steps=ground.steps,
            runs=runs,
            profile=ground.named(mutant.name, runs / "pki", claims=claims),
            seed=ground.seed,
            only=tuple(chosen),
            report=report,
            source_command=command if mutant.role == "source" else (),
            consumer_command=command if mutant.role == "consumer" else (),
            launch=ground.launch(),
        )
    )
    return judge(mutant, run)


def play_matrix(
    mutants: Iterable[Mutant],
    ground: Ground,
    *,
    played: Green | None = None,
    full: bool = False,
    pool: Executor | None = None,
    tell: Callable[[Trial], None] = lambda trial: None,
) -> tuple[Trial, ...]:
    """Play wrong boxes, several at a time, in the processes of `pool` or in some of their own.

    Each plays the scenarios of its requirements and those that can tell it from the right box by
    what the green run used of its parts (`Green.telling`); with `full`, or without a green run,
    all those of its role. `tell` hears of each as it ends; the answer is in the order asked.

    Raises:
        CampaignError: a campaign could not be played at all; see `selection` too.
    """
    asked = tuple(mutants)
    parts = green.replaced(asked, played) if played else {}
    chosen = {
        one.name: selection(
            one,
            ground.features,
            played.telling(one, parts[one.name]) if played and not full else None,
        )
        for one in asked
    }
    pki = played.pki if played else None
    took = {one.id: one.duration_s for one in played.scenarios} if played else {}
    with nullcontext(pool) if pool else processes(ground, full=full) as workers:
        # The longest first: none that takes minutes is left to play alone at the end.
        longest = sorted(
            asked, key=lambda one: sum(took.get(id, 1.0) for id in chosen[one.name]), reverse=True
        )
        waiting = {
            workers.submit(play_one, one, ground, chosen[one.name], pki): one.name
            for one in longest
        }
        done = {}
        for future in as_completed(waiting):
            trial = replace(future.result(), parts=parts.get(waiting[future], ()))
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
        parts=(),
        ran=tuple(one.id for one in run.scenarios if one.verdict is not Verdict.OMIT),
        killed_by=tuple(killed),
        consequences=tuple(consequences),
        false_alarms=tuple(alarms),
        skipped=tuple(skipped),
        untold=tuple(untold),
        directory=run.directory,
    )


def _watched(launch: Launch) -> Launch:
    """The reference's boxes started with the wrong ones as their shadows; others as they are."""

    def launched(command: Sequence[str], log: Path) -> Running:
        if list(command[:3]) == [sys.executable, "-m", "drimbox_ref"]:
            command = [*command[:2], "mutants", "--right", *command[3:]]
        return launch(command, log)

    return launched


def _begin(steps: Sequence[str]) -> None:
    """In each worker: load what every campaign wants, and look for garbage elsewhere from then on:
    a fifteenth of what a campaign computes was to find none in there."""
    _end_with_parent()
    for module in steps:
        import_module(module)
    gc.freeze()


def _end_with_parent() -> None:
    """A worker whose parent was killed ends, and its boxes with it: nobody would stop them."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, name="parent", daemon=True).start()


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
