"""A campaign: a run directory, a bed, and pytest playing the features in between."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pytest

from bench import concealed
from bench.assemble import load
from bench.bed import Bed
from bench.box_config import PROVIDED_MIB
from bench.breaker import Breaker
from bench.browser import BrowserFactory
from bench.drivers import DRIVERS
from bench.errors import BenchError
from bench.feed import Feed
from bench.gate import ROLES, Pickle, check_features
from bench.launching import Launch, start_program
from bench.operator import Nobody, Operator
from bench.outcomes import NotSendable
from bench.profile import EMBEDDED, ExpectedFailure, Profile
from bench.provided import ProvidedError, ProvidedReport, read_report
from bench.results import Run
from bench.selection import SelectionError, select
from bench.sessions import Session, begin
from bench.stage import ScenarioInfo, Stage
from bench.verdicts import Verdict
from simulators.user import User
from spec.requirements import is_requirement
from wire.shard import Shard
from wire.tls import log_keys

__all__ = [
    "PROVIDED",
    "TLS_KEYS",
    "Campaign",
    "CampaignError",
    "Options",
    "Planned",
    "Progress",
    "Quiet",
    "plan",
    "play",
    "play_part",
    "selected_by",
]

TLS_KEYS = "tls-keys.log"
"""File of a run, in the format of NSS; the name of nothing that is ever rendered or packed."""

PROVIDED = "fourni"
"""The domain of the scenarios that need a report of the user's."""

_INI = "[pytest]\naddopts =\nfilterwarnings =\n    ignore\n"
"""The campaign's own pytest settings: the caller's set-up cannot touch it."""


class CampaignError(BenchError):
    """The campaign could not be played; the text is for the user."""


class Progress(Protocol):
    """Who is told how the campaign goes (console, nothing...)."""

    def preparing(self, what: str) -> None:
        """The bed is being made."""

    def started(self, info: ScenarioInfo, number: int, total: int) -> None:
        """A scenario begins."""

    def finished(self, info: ScenarioInfo, verdict: Verdict, reason: str, seconds: float) -> None:
        """A scenario is over."""


class Quiet:
    """Tells nobody."""

    def preparing(self, what: str) -> None:
        """Nothing."""

    def started(self, info: ScenarioInfo, number: int, total: int) -> None:
        """Nothing."""

    def finished(self, info: ScenarioInfo, verdict: Verdict, reason: str, seconds: float) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to play, against what, where to write."""

    features: Path
    steps: tuple[str, ...]
    """Modules that hold the step definitions, loaded as pytest plug-ins."""
    runs: Path = Path("runs")
    profile: Profile = EMBEDDED
    seed: int | None = None
    only: tuple[str, ...] = ()
    """Words of `bench.selection`; empty: everything."""
    suite: str = ""
    """One of the profile's suites."""
    source_command: tuple[str, ...] = ()
    """Plays the Source's part instead of the profile's (a mutant)."""
    consumer_command: tuple[str, ...] = ()
    launch: Launch = start_program
    """How the boxes become processes."""
    record_parts: bool = False
    """Whether the journal keeps which of its parts the reference uses."""
    report: Path | None = None
    """A CDA that we did not write, to publish and consult."""
    images: Path | None = None
    also: tuple[Path, ...] = ()
    """More folders of features: those of plug-ins."""
    browsers: Mapping[str, BrowserFactory] = field(default_factory=dict)
    """Drivers of a product's pages that plug-ins bring, by name."""
    session: Session | None = None
    """The part of a run that is played; None: a run of its own."""
    tls_keys: bool = False
    """Keep the secrets of the bench's TLS sessions, for who captures the network beside it."""

    @property
    def drivers(self) -> Mapping[str, BrowserFactory]:
        """What `[consumer] driver` of a profile may say: the bench's own, and those of plug-ins."""
        return {**DRIVERS, **self.browsers}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder of features."""
        return (self.features, *self.also)


@dataclass(slots=True)
class Campaign:
    """One campaign being played. `bed` is made at the first scenario that needs it."""

    options: Options
    progress: Progress = field(default_factory=Quiet)
    operator: Operator = field(default_factory=Nobody)
    started: datetime = field(init=False)
    expected: dict[str, ExpectedFailure] = field(init=False)
    """Declared by the profile, by scenario."""
    session: Session = field(init=False)
    shard: Shard = field(init=False)
    feed: Feed = field(init=False)
    collected: list[str] = field(default_factory=list)
    structures: dict[str, str] = field(default_factory=dict)
    """Struct_IdNat -> name of structures to certify besides the site's own."""
    selected: frozenset[str] | None = None
    """Ids of the scenarios to play; None: all that need no report of the user's."""
    roles: frozenset[str] = frozenset()
    """Every role that a collected scenario needs."""
    breaker: Breaker = field(init=False)
    _bed: Bed | None = None
    _broken: str = ""
    _played: int = 0

    def __post_init__(self) -> None:
        self.started = datetime.now(UTC)
        profile, options = self.options.profile, self.options
        self.expected = {one.scenario: one for one in profile.expected_failures}
        self.breaker = Breaker(profile.timing.give_up_after, profile.timing.ack_s)
        self.session = options.session or begin(
            profile, options.runs, seed=options.seed, report=options.report
        )
        log_keys(self.directory / TLS_KEYS if options.tls_keys else None)
        self.shard = Shard(self.directory, "bench")
        self.feed = Feed(self.shard)

    @property
    def directory(self) -> Path:
        """Of the run."""
        return self.session.directory

    def plan(self, scenarios: list[str]) -> None:
        """These were collected, in that order; what a worker plays is in its run's plan."""
        self.collected = scenarios
        if self.session.worker == 0:
            self.shard.write("plan", scenarios=scenarios)

    def bed(self) -> Bed:
        """The bed, made when first asked for.

        Raises:
            NotSendable: it could not be made, now or at the first attempt.
        """
        if self._broken:
            raise NotSendable(self._broken)
        if self._bed is None:
            self.progress.preparing("autorités, PSC, DMP, PACS et DRIMbox")
            self._bed = Bed(
                self._of_any_size(),
                self.feed,
                self.directory,
                self.session.bed_seed,
                source_command=self.options.source_command,
                consumer_command=self.options.consumer_command,
                roles=self.roles,
                structures=self.structures,
                workplace=self.session.workplace,
                launch=self.options.launch,
                record_parts=self.options.record_parts,
                browser=self.options.drivers.get(self.options.profile.consumer.driver, User),
            )
            try:
                self._bed.start()
            except Exception as error:
                self._broken = concealed.in_text(f"le banc n'a pas démarré : {error}")
                raise NotSendable(self._broken) from error
        return self._bed

    def _of_any_size(self) -> Profile:
        """The profile, whose Consumer takes whatever images the user gave."""
        profile = self.options.profile
        if self.options.images is None or profile.consumer.exam_mib:
            return profile
        consumer = profile.consumer.model_copy(update={"exam_mib": PROVIDED_MIB})
        return profile.model_copy(update={"consumer": consumer})

    def omitted(self, info: ScenarioInfo) -> str | None:
        """Why a scenario does not apply to this product, or None."""
        return not_claimed(self.options.profile, info.roles, info.requirements) or None

    def stage(self, info: ScenarioInfo) -> Stage:
        """Begin a scenario."""
        self._played += 1
        self.progress.started(info, self._played, len(self.collected))
        seed = self.session.case_seed
        stage = Stage(
            info, self.feed, self.shard, self.options.profile, seed, operator=self.operator
        )
        stage.open()
        return stage

    def lost(self, info: ScenarioInfo) -> str:
        """Why a scenario is not played any more: a box that it needs is gone. "" when it is."""
        return self.breaker.stops(info.roles, self._bed) if self._bed is not None else ""

    def concluded(self, stage: Stage) -> None:
        """A scenario is over: does its box still answer?"""
        if self._bed is None:
            return
        # Ambient ones too: a refused connection names no scenario, and one plays at a time.
        meanwhile = [seen.exchange for seen in self.feed.since(stage.origin)]
        for role in self.breaker.concluded(stage.info.id, stage.info.roles, meanwhile, self._bed):
            reason = self.breaker.lost[role]
            self.shard.write("box.lost", role=role, scenario=stage.info.id, reason=reason)

    def close(self, *, interrupted: bool = False) -> None:
        """Stop the bed and close the journal, which tells a whole run from an interrupted one."""
        try:
            if self._bed is not None:
                bed, self._bed = self._bed, None
                bed.stop()
        finally:
            if not interrupted and self.session.worker == 0:
                self.shard.write("run.end")
            self.shard.close()


def play(
    options: Options, progress: Progress | None = None, operator: Operator | None = None
) -> Run:
    """Play a campaign and read its run. `operator` is asked what a program cannot judge.

    Raises:
        SelectionError: a word of the selection names nothing.
        CampaignError: features are broken, or pytest itself failed.
    """
    return load(play_part(options, progress, operator).directory)


def play_part(
    options: Options, progress: Progress | None = None, operator: Operator | None = None
) -> Session:
    """Play a campaign, or the part of one that `options.session` is, without reading the run.

    Raises:
        BenchError: as `play`.
    """
    selected = selected_by(options)
    provided = _check(options, selected)
    campaign = Campaign(options, progress or Quiet(), operator or Nobody(), selected=selected)
    if provided is not None:
        structure = provided.subject.structure
        campaign.structures[structure.id] = structure.name
    ini = campaign.session.workplace / "pytest.ini"
    ini.parent.mkdir(parents=True, exist_ok=True)
    ini.write_text(_INI)
    arguments = [
        str(options.features),
        *_bound(options.also, campaign.session.workplace / "greffons"),
        f"-c={ini}",
        f"--rootdir={options.features.parent}",
        "--noconftest",
        "--import-mode=importlib",
        "--strict-markers",
        "--capture=no",
        "-pno:terminal",
        "-pno:cacheprovider",
        # It collects garbage five times over at the end: a second, for warnings that nobody reads.
        "-pno:unraisableexception",
    ]
    # As objects: pytest would look for each name among all that is installed.
    plugins = [
        import_module(module) for module in ("pytest_bdd.plugin", "bench.plugin", *options.steps)
    ]
    setter = _Setter(campaign)
    code = pytest.ExitCode.INTERRUPTED  # until told otherwise: by Ctrl-C outside of any scenario
    try:
        with _own_environment():
            code = pytest.ExitCode(pytest.main(arguments, plugins=[setter, *plugins]))
    finally:
        campaign.close(interrupted=code == pytest.ExitCode.INTERRUPTED)
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        raise CampaignError(f"pytest n'a pas pu jouer la campagne (code {int(code)})")
    if code == pytest.ExitCode.INTERRUPTED and not campaign.collected and not setter.ctrl_c:
        raise CampaignError("les scénarios n'ont pas pu être chargés")
    if not campaign.collected and not setter.ctrl_c:
        raise CampaignError("aucun des scénarios choisis n'a été chargé")
    return campaign.session


def _bound(folders: Iterable[Path], directory: Path) -> list[str]:
    """A test module for each folder of features, which pytest-bdd wants in order to play them."""
    modules = []
    for rank, folder in enumerate(folders, 1):
        directory.mkdir(parents=True, exist_ok=True)
        module = directory / f"test_greffon_{rank}.py"
        module.write_text(
            f"from pytest_bdd import scenarios\n\nscenarios({str(folder.absolute())!r})\n",
            encoding="utf-8",
        )
        modules.append(str(module))
    return modules


@dataclass(frozen=True, slots=True)
class Planned:
    """A scenario that would be played, or why it would not."""

    pickle: Pickle
    omitted: str
    """The reason, "" when it would be played."""


def plan(options: Options) -> list[Planned]:
    """What `play` would do with these options, without doing it.

    Raises:
        BenchError: as `play` would, before it makes its bed.
    """
    selected = selected_by(options)
    _check(options, selected)
    return [
        Planned(
            pickle,
            not_claimed(
                options.profile, frozenset(pickle.tags) & ROLES, filter(is_requirement, pickle.tags)
            ),
        )
        for pickle in check_features(*options.folders)
        if pickle.scenario in selected
    ]


def not_claimed(profile: Profile, roles: frozenset[str], requirements: Iterable[str]) -> str:
    """Why a scenario of these roles and requirements does not apply to the product, "" when it
    does: a role is not claimed, or none of its requirements binds what is."""
    missing = sorted(role for role in roles if not getattr(profile.claims, role))
    if missing:
        return f"rôle non revendiqué par le profil : {', '.join(missing)}"
    left_out = profile.inapplicable()
    named = list(requirements)
    if named and all(one in left_out for one in named):
        return " ; ".join(f"{one} : {left_out[one]}" for one in named)
    return ""


def _check(options: Options, selected: frozenset[str]) -> ProvidedReport | None:
    """What must be right before anything starts; the report to play, when there is one."""
    if options.images is not None and not options.images.is_dir():
        raise CampaignError(f"{options.images} : un dossier d'images est attendu")
    every = {pickle.scenario for pickle in check_features(*options.folders)}
    driver = options.profile.consumer.driver
    if driver and driver not in options.drivers:
        known = ", ".join(sorted(options.drivers))
        raise CampaignError(
            f"profil, consumer.driver : pilote « {driver} » inconnu ; installés : {known}"
        )
    for expected in options.profile.expected_failures:
        if expected.scenario not in every:
            raise CampaignError(f"profil, expected_failures : {expected.scenario} n'existe pas")
    return _provided(options.report)


def selected_by(options: Options) -> frozenset[str]:
    """The ids of the scenarios that these options choose.

    Raises:
        SelectionError: a word names nothing, or names what needs a report that was not given.
    """
    every = check_features(*options.folders)
    suites, suite = options.profile.suites, options.suite
    given = options.report is not None
    usual = every if given else [one for one in every if one.file.parent.name != PROVIDED]
    words = options.only or ((PROVIDED,) if given else ())
    try:
        return select(usual, words, suites=suites, suite=suite)
    except SelectionError:
        if not given and select(every, words, suites=suites, suite=suite):
            raise SelectionError(
                f"{', '.join(words)} : ces scénarios demandent --report CR.xml"
            ) from None
        raise


def _provided(report: Path | None) -> ProvidedReport | None:
    if report is None:
        return None
    try:
        return read_report(report)
    except ProvidedError as error:
        raise CampaignError(str(error)) from None


class _Setter:
    """Gives the campaign to `bench.plugin`, and tells Ctrl-C from what pytest stops for itself."""

    def __init__(self, campaign: Campaign) -> None:
        self.campaign = campaign
        self.ctrl_c = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Stash it before `bench.plugin` looks for it."""
        from bench.plugin import CAMPAIGN

        config.stash[CAMPAIGN] = self.campaign

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Scenarios that cannot be loaded end as an interruption too, of a class of its own."""
        self.ctrl_c = self.ctrl_c or excinfo.type is KeyboardInterrupt


@contextmanager
def _own_environment() -> Iterator[None]:
    changed: dict[str, str | None] = {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": None,
        "PYTEST_PLUGINS": None,
    }
    before = {name: os.environ.get(name) for name in changed}
    try:
        _set_environment(changed.items())
        yield
    finally:
        _set_environment(before.items())


def _set_environment(values: Iterable[tuple[str, str | None]]) -> None:
    for name, value in values:
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
