"""pytest hooks: only a translation between pytest-bdd and a Campaign.

Loaded by name in a campaign, and by the root conftest for `pytest features`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.scenario import scenario_wrapper_template_registry

from bench.agreements import agreed
from bench.assemble import scenario_verdict
from bench.campaign import PROVIDED, Campaign, Options
from bench.gate import ROLES, SECURITY, pickles, place
from bench.judge import judge_scenario
from bench.outcomes import Failure, StepKind, classify
from bench.stage import ScenarioInfo, Stage
from bench.verdicts import Verdict
from spec.requirements import CATALOGUE, is_requirement
from wire.exchange import stamp

__all__ = ["CAMPAIGN", "STAGE"]

CAMPAIGN = pytest.StashKey[Campaign]()
STAGE = pytest.StashKey[Stage]()
_BEGUN = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks: requirement ids verbatim, roles, scenario ids."""
    for requirement in CATALOGUE:
        config.addinivalue_line("markers", f"{requirement}: exigence")
    for role in sorted(ROLES):
        config.addinivalue_line("markers", f"{role}: rôle sous test")
    campaign = config.stash.get(CAMPAIGN, None)
    features = campaign.options.folders if campaign else (config.rootpath / "features",)
    # The tags of an outline's examples become marks whatever `pytest_bdd_apply_tag` says.
    for pickle in pickles(*features):
        config.addinivalue_line("markers", f"{pickle.scenario}: scénario")


def pytest_bdd_apply_tag(tag: str, function: Callable[..., Any]) -> bool | None:
    """A scenario id is not a mark; anything else must be registered."""
    return True if tag.startswith("SCN-") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what was selected, in the order of the files."""
    scenarios = [item for item in items if _scenario_of(item) is not None]
    if not scenarios:
        return
    campaign = _campaign(config, Path(str(scenarios[0].path)).parent)
    kept, dropped = [], []
    for item in items:
        info = scenario_info(item)
        if info is None or _is_selected(info, campaign.selected):
            kept.append(item)
        else:
            dropped.append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    items.sort(key=_place)
    infos = [info for item in items if (info := scenario_info(item)) is not None]
    campaign.plan([info.id for info in infos])
    campaign.roles = frozenset(role for info in infos for role in info.roles)


def pytest_bdd_before_scenario(request: pytest.FixtureRequest, feature: Any, scenario: Any) -> None:
    """Begin a scenario, or omit it."""
    campaign = request.config.stash[CAMPAIGN]
    info = scenario_info(request.node)
    assert info is not None
    request.node.stash[_BEGUN] = stamp()[1]
    stage = campaign.stage(info)
    request.node.stash[STAGE] = stage
    reason, lost = campaign.omitted(info), campaign.lost(info)
    if reason is not None:
        campaign.shard.write("scenario.end", scenario=info.id, omit=reason)
        campaign.progress.finished(info, Verdict.OMIT, reason, 0.0)
        del request.node.stash[STAGE]
        pytest.skip(reason)
    if lost:
        stage.abandon("la campagne ne conduit plus cette DRIMbox")
        campaign.shard.write("scenario.end", scenario=info.id, skip=lost)
        campaign.progress.finished(info, Verdict.SKIP, lost, 0.0)
        del request.node.stash[STAGE]
        pytest.skip(lost)


def pytest_bdd_before_step(
    request: pytest.FixtureRequest, feature: Any, scenario: Any, step: Any, step_func: Any
) -> None:
    """A step starts."""
    request.node.stash[STAGE].begin_step(_keyword(step), StepKind(step.type), step.name)


def pytest_bdd_after_step(
    request: pytest.FixtureRequest,
    feature: Any,
    scenario: Any,
    step: Any,
    step_func: Any,
    step_func_args: Any,
) -> None:
    """A step went well."""
    request.node.stash[STAGE].end_step()


def pytest_bdd_step_error(
    request: pytest.FixtureRequest,
    feature: Any,
    scenario: Any,
    step: Any,
    step_func: Any,
    step_func_args: Any,
    exception: BaseException,
) -> None:
    """A step did not go well."""
    failure = classify(exception)
    text = str(exception) or type(exception).__name__
    if failure is Failure.EXCEPTION:
        text = f"{type(exception).__name__} : {text}"
    request.node.stash[STAGE].end_step(failure, text)


def pytest_bdd_step_func_lookup_error(
    request: pytest.FixtureRequest, feature: Any, scenario: Any, step: Any, exception: BaseException
) -> None:
    """No step definition: the bench's fault."""
    stage = request.node.stash[STAGE]
    stage.begin_step(_keyword(step), StepKind(step.type), step.name)
    stage.end_step(Failure.UNDEFINED, "aucune définition pour cette étape")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Judge the scenario once its steps are over; pytest's outcome follows the verdict."""
    trouble: BaseException | None = None
    try:
        yield
    except Exception as error:
        trouble = error
    stage = item.stash.get(STAGE, None)
    if stage is None:
        if trouble is not None:
            raise trouble
        return
    verdict, reason = _conclude(item, stage)
    if verdict in (Verdict.PASS, Verdict.WARN, Verdict.XFAIL):
        return
    if verdict in (Verdict.SKIP, Verdict.REVIEW, Verdict.OMIT):
        pytest.skip(f"{verdict.french} : {reason}")
    if trouble is not None and item.config.pluginmanager.has_plugin("terminalreporter"):
        raise trouble
    # In a campaign the journal has said it: nobody reads a traceback, and it takes 0.1 s.
    pytest.fail(f"{verdict.french} : {reason}", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A campaign that the plug-in made itself (`pytest features`) is closed here."""
    campaign = session.config.stash.get(CAMPAIGN, None)
    if campaign is not None and session.config.stash.get(_OWN, False):
        campaign.close()


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """The scenario being played."""
    playing: Stage = request.node.stash[STAGE]
    return playing


@pytest.fixture
def bed(request: pytest.FixtureRequest) -> Any:
    """The world and the boxes."""
    return request.config.stash[CAMPAIGN].bed()


_OWN = pytest.StashKey[bool]()


def scenario_info(item: pytest.Item) -> ScenarioInfo | None:
    """What the feature file says of a collected test, or None when it is no scenario."""
    scenario = _scenario_of(item)
    if scenario is None:
        return None
    tags = {mark.name for mark in item.iter_markers()} | set(scenario.tags)
    tags |= set(scenario.feature.tags)
    own = sorted(tag for tag in tags if tag.startswith("SCN-"))
    return ScenarioInfo(
        id=own[0] if own else item.nodeid,
        title=scenario.name,
        feature=scenario.feature.name,
        domain=Path(scenario.feature.filename).parent.name,
        requirements=tuple(sorted(tag for tag in tags if is_requirement(tag))),
        roles=frozenset(tags & ROLES),
        steps=tuple((_keyword(s), StepKind(s.type), s.name) for s in scenario.steps),
    )


def _conclude(item: pytest.Item, stage: Stage) -> tuple[Verdict, str]:
    campaign = item.config.stash[CAMPAIGN]
    stage.abandon()
    exchanges = [(seen.id, seen.exchange) for seen in stage.seen()]
    stage.judged(judge_scenario(exchanges, stage.info.roles, stage.case.public()))
    verdict = scenario_verdict(
        [step.verdict for step in stage.steps],
        stage.asserted,
        stage.findings,
        stage.floor,
        stage.info.requirements,
        claimed=not any(step.failure is Failure.NOT_CLAIMED for step in stage.steps),
    )
    expected = campaign.expected.get(stage.info.id)
    verdict = agreed(verdict, expected, campaign.started.date())
    broken = next((step for step in stage.steps if step.verdict is not Verdict.PASS), None)
    reason = f"{broken.keyword} {broken.text} : {broken.message}" if broken else ""
    if not reason and stage.findings:
        reason = f"{stage.findings[0].rule} : {stage.findings[0].message}"
    if expected is not None and verdict in (Verdict.XFAIL, Verdict.XPASS):
        reason = f"échec attendu : {expected.reason}"
    campaign.shard.write("scenario.end", scenario=stage.info.id, verdict=verdict.value)
    campaign.shard.flush()  # what is shown as over survives whatever ends the campaign
    seconds = stamp()[1] - item.stash[_BEGUN]
    campaign.progress.finished(stage.info, verdict, reason, seconds)
    campaign.concluded(stage)
    return verdict, reason


def _keyword(step: Any) -> str:
    """pytest-bdd title-cases keywords; French does not."""
    return str(step.keyword).strip().capitalize()


def _scenario_of(item: pytest.Item) -> Any:
    """The scenario that pytest-bdd bound to a test, None for any other test."""
    function = getattr(item, "obj", None)
    template = scenario_wrapper_template_registry.get(function) if callable(function) else None
    if template is None:
        return None
    callspec = getattr(item, "callspec", None)
    return template.render(callspec.params.get("_pytest_bdd_example", {}) if callspec else {})


def _place(item: pytest.Item) -> tuple[int, str, int]:
    """In the order of a campaign; what is no scenario comes last."""
    scenario = _scenario_of(item)
    if scenario is None:
        return sys.maxsize, "", 0
    return place(Path(scenario.feature.filename), scenario.line_number)


def _is_selected(info: ScenarioInfo, selected: frozenset[str] | None) -> bool:
    if selected is None:
        return info.domain not in (PROVIDED, SECURITY)
    return info.id in selected


def _campaign(config: pytest.Config, features: Path) -> Campaign:
    campaign = config.stash.get(CAMPAIGN, None)
    if campaign is None:
        campaign = Campaign(Options(features=features, steps=()))
        config.stash[CAMPAIGN] = campaign
        config.stash[_OWN] = True
    return campaign
