"""What a soak does, all of it from a seed: who sends what in which order, what fails, when the
Source is killed.

Nothing is planned in seconds: faults and kills come after so many acknowledgements, whatever the
speed of the machine. How the senders interleave is the machine's affair; what each of them sends,
in which order, is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

__all__ = ["Dossier", "Fault", "Kill", "Moment", "Plan", "PlannedReport", "Step", "make"]

_OPEN_AT_ONCE = 6
"""Dossiers that one sender has under way."""
_REPEATED = 0.06
_BY_MDM = 0.25
_TWO_REPORTS = 0.12
_REPORTS_PER_FAULT = 25
_REPORTS_PER_FIRST_FAULT = 5
"""A short soak has its share of the menu all the same."""
_LONGEST_OUTAGE = 12


class Step(StrEnum):
    """Why a report is sent."""

    CREATE = "création"
    ORDER = "numéro de demande corrigé"
    MASK = "visibilité changée"
    IMAGES = "images ajoutées"
    SAME = "renvoi sans changement"
    SECOND = "second compte rendu du même examen"
    CANCEL = "annulation"
    AGAIN = "nouvelle version après annulation"

    @property
    def makes_version(self) -> bool:
        """Whether the report has a new version."""
        return self in (Step.ORDER, Step.MASK, Step.AGAIN)


class Moment(StrEnum):
    """What the Source has just done when it is killed."""

    ACKNOWLEDGED = "à l'acquittement"
    UNANSWERED = "après un dépôt enregistré sans réponse"
    QUERIED = "après un C-FIND"
    DEPOSITED = "après un dépôt répondu"
    LOOKED_UP = "après une recherche dans le DMP"


@dataclass(frozen=True, slots=True)
class Dossier:
    """A patient and the exams of one visit; a sender has it for itself."""

    number: int
    images: tuple[int, ...]
    """For each exam, the images of its first series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReport:
    """One message, which says of its dossier what is so when it is sent."""

    number: int
    """Its own in the plan, from 1; ascending in each sender's order."""
    dossier: Dossier
    step: Step
    report: int = 0
    """Which one of the dossier's reports: 0, or 1 for the second."""
    version: int = 1
    orders: int = 0
    """How many times the order numbers were corrected."""
    masked: bool = False
    """Whether professionals must not see it."""
    added: int = 0
    """Series that each exam has had added in the PACS."""
    mdm: bool = False
    repeats: int = 0
    """How many times more the same bytes are sent."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A SIGKILL at that moment, the first one once so many messages are acknowledged."""

    after: int
    moment: Moment


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the menu (`load.soak.faults`), from so many acknowledgements on.

    `times` is how many requests it meets; of an outage, after how many more acknowledgements it
    ends.
    """

    after: int
    name: str
    times: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a seed decides."""

    seed: int
    senders: tuple[tuple[PlannedReport, ...], ...]
    kills: tuple[Kill, ...]
    """In order of `after`."""
    faults: tuple[Fault, ...]
    """In order of `after`."""

    @property
    def reports(self) -> Iterator[PlannedReport]:
        """Every message, one sender after the other."""
        return (one for sender in self.senders for one in sender)

    def lives(self) -> dict[int, list[PlannedReport]]:
        """Dossier number -> its messages in order."""
        found: dict[int, list[PlannedReport]] = {}
        for one in self.reports:
            found.setdefault(one.dossier.number, []).append(one)
        return found


def make(seed: int, *, reports: int, senders: int, kills: int, menu: Sequence[str]) -> Plan:
    """The plan of a seed. `menu` names the faults to choose from; each comes at least once when
    there are enough reports.

    Raises:
        ValueError: fewer reports than senders, or than kills.
    """
    if senders < 1 or reports < senders or kills < 0 or reports < kills:
        raise ValueError(f"{reports} reports, {senders} senders, {kills} kills")
    lists = []
    for sender in range(senders):
        share = reports // senders + (sender < reports % senders)
        random = Random(f"soak|{seed}|sender|{sender}")
        lists.append(tuple(_Sender(random, sender, senders).messages(share)))
    random = Random(f"soak|{seed}|events")
    return Plan(
        seed=seed,
        senders=tuple(lists),
        kills=_kills(random, reports, kills),
        faults=_faults(random, reports, menu),
    )


def _kills(random: Random, reports: int, count: int) -> tuple[Kill, ...]:
    """As many of each moment, in a random order, at distinct numbers of acknowledgements."""
    moments = [list(Moment)[number % len(Moment)] for number in range(count)]
    random.shuffle(moments)
    after = sorted(random.sample(range(1, reports + 1), count))
    return tuple(map(Kill, after, moments))


def _faults(random: Random, reports: int, menu: Sequence[str]) -> tuple[Fault, ...]:
    count = max(min(len(menu), reports // _REPORTS_PER_FIRST_FAULT), reports // _REPORTS_PER_FAULT)
    shuffled = random.sample(menu, len(menu))
    names = [shuffled[number % len(menu)] for number in range(count if menu else 0)]
    random.shuffle(names)
    count = len(names)
    after = sorted(random.sample(range(1, reports + 1), count))
    return tuple(
        Fault(place, name, random.randint(1, _LONGEST_OUTAGE))
        for place, name in zip(after, names, strict=True)
    )


@dataclass(slots=True)
class _Life:
    """A dossier as its RIS sees it."""

    dossier: Dossier
    two: bool
    orders: int = 0
    added: int = 0
    versions: dict[int, int] = field(default_factory=dict)
    """Report -> its version."""
    masked: dict[int, bool] = field(default_factory=dict)
    standing: set[int] = field(default_factory=set)
    """Reports that are not withdrawn."""


class _Sender:
    """Chooses what one RIS sends."""

    def __init__(self, random: Random, number: int, of: int) -> None:
        self._random = random
        self._number, self._of = number, of
        self._open: list[_Life] = []
        self._made = 0
        self._sent = 0

    def messages(self, count: int) -> Iterator[PlannedReport]:
        """That many."""
        for _ in range(count):
            yield self._next()

    def _next(self) -> PlannedReport:
        begin = len(self._open) < _OPEN_AT_ONCE and self._random.random() < 0.4
        if begin or not self._open:
            return self._begin()
        life = self._random.choice(self._open)
        if not life.standing:
            self._open.remove(life)  # its last step, or none
            return self._again(life) if self._random.random() < 0.6 else self._next()
        return self._go_on(life)

    def _begin(self) -> PlannedReport:
        random = self._random
        dossier = Dossier(
            number=self._made * self._of + self._number + 1,
            images=tuple(random.randint(1, 3) for _ in range(random.choice((1, 1, 1, 2, 3)))),
        )
        self._made += 1
        life = _Life(dossier, two=random.random() < _TWO_REPORTS)
        self._open.append(life)
        return self._say(life, Step.CREATE, 0)

    def _go_on(self, life: _Life) -> PlannedReport:
        random = self._random
        if life.two and len(life.versions) == 1:
            return self._say(life, Step.SECOND, 1)
        report = random.choice(sorted(life.standing))
        (step,) = random.choices(
            (Step.ORDER, Step.MASK, Step.IMAGES, Step.SAME, Step.CANCEL), (30, 12, 15, 13, 30)
        )
        return self._say(life, step, report)

    def _again(self, life: _Life) -> PlannedReport:
        return self._say(life, Step.AGAIN, self._random.choice(sorted(life.versions)))

    def _say(self, life: _Life, step: Step, report: int) -> PlannedReport:
        if step is Step.ORDER:
            life.orders += 1
        elif step is Step.IMAGES:
            life.added += 1
        elif step is Step.MASK:
            life.masked[report] = not life.masked[report]
        life.masked.setdefault(report, False)
        life.versions.setdefault(report, 1)
        if step.makes_version:
            life.versions[report] += 1
        if step is Step.CANCEL:
            life.standing.discard(report)
        else:
            life.standing.add(report)
        self._sent += 1
        return PlannedReport(
            number=(self._sent - 1) * self._of + self._number + 1,
            dossier=life.dossier,
            step=step,
            report=report,
            version=life.versions[report],
            orders=life.orders,
            masked=life.masked[report],
            added=life.added,
            mdm=self._random.random() < _BY_MDM,
            repeats=int(self._random.random() < _REPEATED),
        )
