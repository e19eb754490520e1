"""One scenario being played: its Case, its place in the journal, what it awaits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bench.cases import Case, mint, mint_other
from bench.feed import Feed, Seen
from bench.operator import Nobody, Operator
from bench.outcomes import CannotVerify, Failure, NotMet, StepKind, step_verdict
from bench.profile import Profile
from bench.verdicts import Verdict
from spec.grade import Grade
from validators.finding import Finding
from wire.exchange import stamp
from wire.shard import Shard

__all__ = ["ScenarioInfo", "Stage", "StepRecord"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioInfo:
    """What the feature file says of a scenario."""

    id: str
    title: str
    feature: str
    domain: str
    requirements: tuple[str, ...]
    roles: frozenset[str]
    steps: tuple[tuple[str, StepKind, str], ...]
    """(keyword, kind, text) of every step, in order."""


@dataclass(slots=True)
class StepRecord:
    """A step that runs or has run."""

    index: int
    keyword: str
    kind: StepKind
    text: str
    failure: Failure | None = None
    message: str = ""
    decided: Verdict | None = None
    """What a person said of it while the campaign played."""

    @property
    def verdict(self) -> Verdict:
        """A person's when there is one: what was left to a person is nobody else's."""
        return self.decided or step_verdict(self.kind, self.failure)


@dataclass(slots=True)
class Stage:
    """Everything that a scenario's steps share. One at a time per bed."""

    info: ScenarioInfo
    feed: Feed
    shard: Shard
    profile: Profile
    seed: int
    case: Case = field(init=False)
    origin: int = field(init=False)
    """Position in the feed when the scenario began."""
    steps: list[StepRecord] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    asserted: int = 0
    operator: Operator = field(default_factory=Nobody)
    _step_started: tuple[str, float] | None = None

    _unseen: Mapping[str, str] = field(init=False)
    """Transaction -> why nothing is seen of it."""
    _sentinel: Case | None = None

    def __post_init__(self) -> None:
        self.origin = self.feed.mark()
        self.case = mint(self.info.id, self.seed)
        self._unseen = self.profile.unseen()

    @property
    def inapplicable(self) -> Mapping[str, str]:
        """The requirements that the product's claims leave out, and why."""
        return self.profile.inapplicable()

    @property
    def floor(self) -> Grade:
        """The grade below which errors only warn."""
        return self.profile.floor

    def open(self) -> None:
        """Write the scenario's beginning and its Case."""
        self.shard.write(
            "scenario.start",
            scenario=self.info.id,
            title=self.info.title,
            feature=self.info.feature,
            domain=self.info.domain,
            requirements=list(self.info.requirements),
            roles=sorted(self.info.roles),
        )
        self.publish_case()

    def publish_case(self) -> None:
        """Tell journal and attribution which identifiers are this scenario's, as known now."""
        identifiers = dict(self.case.identifiers)
        self.feed.attributor.open(self.info.id, identifiers)
        self.shard.write(
            "case", scenario=self.info.id, identifiers=identifiers, public=self.case.public()
        )

    def sentinel(self) -> Case:
        """Another Case of the same scenario, for a message that must succeed."""
        if self._sentinel is None:
            self._sentinel = mint_other(self.case)
        return self._sentinel

    def adopt(self, case: Case, name: str) -> None:
        """Attribute another Case's identifiers to this scenario."""
        identifiers = {f"{key} ({name})": value for key, value in case.identifiers.items()}
        self.feed.attributor.open(self.info.id, identifiers)
        self.shard.write("case", scenario=self.info.id, identifiers=identifiers, public={})

    # -- steps -------------------------------------------------------------------------------

    def begin_step(self, keyword: str, kind: StepKind, text: str) -> None:
        """A step starts."""
        utc, mono = stamp()
        self._step_started = (utc.isoformat(), mono)
        self.steps.append(StepRecord(len(self.steps), keyword, kind, text))

    def end_step(self, failure: Failure | None = None, message: str = "") -> None:
        """The running step is over."""
        step = self.steps[-1]
        if failure is not None or step.failure is None:
            step.failure, step.message = failure, message
        self._write_step(step)
        self._step_started = None

    def leave_to_a_person(self, what: str) -> None:
        """The running step cannot be judged by a program; the scenario goes on.

        Its evidence is what the scenario exchanged, and what a person attaches.
        """
        step = self.steps[-1]
        step.failure, step.message = Failure.NEEDS_REVIEW, what

    def tolerate(self, what: str) -> None:
        """The running step went well by the looser of two texts alone: it warns."""
        step = self.steps[-1]
        step.failure, step.message = Failure.TOLERATED, what

    def omits(self, requirement: str) -> bool:
        """Whether that requirement does not bind the product; the running step is then `omit`.

        The step must not look for its effect: the scenario goes on without it.
        """
        reason = self.inapplicable.get(requirement)
        if reason is None:
            return False
        step = self.steps[-1]
        step.failure, step.message = Failure.NOT_APPLICABLE, f"{requirement} : {reason}"
        return True

    def abandon(self, why: str = "une étape précédente a échoué") -> None:
        """Note the steps that were never reached: left out with what the product does not claim,
        or not verified."""
        last = self.steps[-1].failure if self.steps else None
        omitted = last is Failure.NOT_CLAIMED
        failure = Failure.NOT_CLAIMED if omitted else Failure.NOT_REACHED
        for keyword, kind, text in self.info.steps[len(self.steps) :]:
            step = StepRecord(len(self.steps), keyword, kind, text, failure)
            step.message = self.steps[-1].message if omitted else f"non atteinte : {why}"
            self.steps.append(step)
            self._write_step(step)

    def _write_step(self, step: StepRecord) -> None:
        started, mono = self._step_started or ("", stamp()[1])
        self.shard.write(
            "step",
            scenario=self.info.id,
            index=step.index,
            keyword=step.keyword,
            kind=step.kind.value,
            text=step.text,
            failure=step.failure.value if step.failure else None,
            message=step.message,
            started=started,
            mono_start=mono,
        )

    # -- expectations ------------------------------------------------------------------------

    def await_exchanges(
        self,
        transaction: str,
        what: str,
        *,
        count: int = 1,
        where: Callable[[Seen], bool] = lambda seen: True,
        deadline_s: float | None = None,
        since: int | None = None,
    ) -> list[Seen]:
        """Wait for `count` exchanges of this scenario, record whether they came.

        Raises:
            NotMet: they did not come before the deadline.
            CannotVerify: the bench sees none of that transaction.
        """
        self._must_see(transaction)
        deadline = self.profile.timing.effect_s if deadline_s is None else deadline_s
        found = self.feed.wait(
            lambda seen: (
                seen.scenario == self.info.id
                and seen.exchange.transaction == transaction
                and where(seen)
            ),
            count=count,
            since=self.origin if since is None else since,
            deadline_s=deadline,
        )
        self.expect(
            what,
            len(found) >= count,
            expected=f"{count} échange(s) {transaction} en {deadline:g} s au plus",
            actual=f"{len(found)} échange(s)",
            exchanges=(seen.id for seen in found),
            deadline_s=deadline,
        )
        return found

    def seen(self, *transactions: str) -> list[Seen]:
        """This scenario's exchanges so far, of those transactions (all when none is named).

        Raises:
            CannotVerify: the bench sees none of one of them: that nothing came would mean nothing.
        """
        self._must_see(*transactions)
        return [
            seen
            for seen in self.feed.since(self.origin, scenario=self.info.id)
            if not transactions or seen.exchange.transaction in transactions
        ]

    def _must_see(self, *transactions: str) -> None:
        for transaction in transactions:
            if transaction in self._unseen:
                raise CannotVerify(self._unseen[transaction])

    def expect(
        self,
        what: str,
        met: bool,
        *,
        expected: str = "",
        actual: str = "",
        exchanges: Iterable[str] = (),
        deadline_s: float | None = None,
    ) -> None:
        """Record an assertion.

        Raises:
            NotMet: it does not hold.
        """
        self.asserted += 1
        self.shard.write(
            "expectation",
            scenario=self.info.id,
            step=self.steps[-1].index if self.steps else 0,
            what=what,
            met=met,
            requirements=list(self.info.requirements),
            exchanges=list(exchanges),
            expected=expected,
            actual=actual,
            deadline_s=deadline_s,
        )
        if not met:
            detail = f" (attendu : {expected} ; observé : {actual})" if expected or actual else ""
            raise NotMet(f"{what}{detail}")

    def judged(self, findings: Iterable[tuple[str, Finding]]) -> None:
        """Record what the validators said: pairs (exchange id, finding)."""
        for exchange_id, finding in findings:
            self.findings.append(finding)
            self.shard.write(
                "finding", scenario=self.info.id, exchange=exchange_id, **finding.as_dict()
            )
