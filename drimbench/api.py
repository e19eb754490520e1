"""Everything that a plug-in may import: the bench's words, and `Plugin`, by which it is known.

The only promised import: rooms are private and move. A plug-in is a distribution with an entry
point of the group `drimbench.plugins` that leads to a `Plugin`; docs/how-to/write-a-plugin.md has
one of each kind.

- Steps and features: `given`, `when`, `then`, `parsers` of pytest-bdd, and the fixtures `stage`,
  `bed`, `story`, `publishing`, `imaging`, `consulting`, `consulted`, `imported` of the bench. A
  step raises `CannotVerify`, `NotMet`, `NotSendable` or `Refused`; `stage.expect` records what it
  asserts.
- Judges: `ruleset("kos").rule(...)` adds a rule to a kind of artefact, a `Kind` makes a new one.
- Drivers: a `Browser` for a product whose pages are not plain HTML forms; `HtmlBrowser` is ours.
- Projections: a function of a `Run` that writes a file beside its reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_bdd import given, parsers, then, when

from bench.bed import Bed
from bench.browser import Browser, BrowserFactory
from bench.cases import Case
from bench.consulted import Consulted
from bench.consulting import Consulting
from bench.imaging import Imaging
from bench.imported import Imported
from bench.outcomes import CannotVerify, NotMet, NotSendable, Refused
from bench.publishing import Publishing
from bench.results import Expectation, RecordedExchange, Run, ScenarioResult, StepResult
from bench.stage import Stage
from bench.story import Story
from bench.verdicts import Verdict
from protocols.errors import RemoteProtocolError
from reports.redact import text as without_secrets
from simulators.user import Page, UserConfig, UserError
from simulators.user import User as HtmlBrowser
from simulators.user.page import read_page
from spec.grade import Grade, Reference
from validators.api import KINDS, Kind
from validators.context import Context
from validators.finding import Finding, Severity
from validators.rule import Broken, RuleSet
from wire.exchange import Direction, Exchange, Observe, Outcome, Payload

__all__ = [
    "Bed", "Broken", "Browser", "BrowserFactory", "CannotVerify", "Case", "Consulted",
    "Consulting", "Context", "Direction", "Exchange", "Expectation", "Finding", "Grade",
    "HtmlBrowser", "Imaging", "Imported", "Kind", "NotMet", "NotSendable", "Observe", "Outcome",
    "Page", "Payload", "Plugin", "Projection", "Publishing", "RecordedExchange", "Reference",
    "Refused", "RemoteProtocolError", "RuleSet", "Run", "ScenarioResult", "Severity", "Stage",
    "StepResult", "Story", "UserConfig", "UserError", "Verdict", "given", "parsers",
    "read_page", "ruleset", "then", "when", "without_secrets",
]  # fmt: skip

Projection = Callable[[Run, Path], Path]
"""Writes something of a run in a folder, and returns the file. May raise OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What a plug-in brings; everything but the name may be left out."""

    name: str
    """Short, as `drimbench plugins` and messages say it."""
    features: Path | None = None
    """A folder of feature files; each scenario has an id of its own, `@SCN-…`."""
    steps: tuple[str, ...] = ()
    """Modules that hold step definitions."""
    kinds: tuple[Kind, ...] = ()
    """New kinds of artefacts, which `drimbench validate` then knows by name."""
    drivers: Mapping[str, BrowserFactory] = field(default_factory=dict)
    """Browsers by the name that `[consumer] driver` of a profile gives; module-level callables."""
    projections: Mapping[str, Projection] = field(default_factory=dict)
    """By the name that `drimbench report --projection` gives."""


def ruleset(kind: str) -> RuleSet:
    """The rules of a kind of artefact, to add to. A rule's id must not begin as one of ours does.

    Raises:
        KeyError: no such kind.
    """
    return KINDS[kind].rules
