"""What the DMP must hold in the end, said by the plan alone; and whether what it holds is that.

A KOS says three things that a soak changes: the order number, whether professionals may see it,
and the images. A report that changes none of them publishes nothing. Of two reports about an exam
the last one sent says how it is, and the KOS stays until both are withdrawn.

What is in force in the end is exact. What was in force on the way is not: a report whose work was
put off by a fault may be overtaken by its next version, or see images that came after it. So each
former KOS must be one that some report explains, in the order of the reports, each report at most
once, and say something else than the one that it replaces.

One end is left open. A report that was withdrawn before it could be worked on is not published, and
withdrawing one of two publishes nothing: what the withdrawn one last said of the exam may be in
force or not. No public text says which (grade: inferred); both are taken.

Réf.: DB.SO.12, .13, .97 and the life of a KOS, grade: draft and faq; that a late version undoes
nothing is `KIT-ORDRE`, ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from load.soak.plan import PlannedReport, Step

__all__ = ["Content", "Difference", "Expected", "Found", "Kind", "State", "compare", "expect"]


@dataclass(frozen=True, slots=True, order=True)
class Content:
    """What a KOS says: how many times the order number was corrected, masked, series added."""

    orders: int
    masked: bool
    added: int

    def __str__(self) -> str:
        seen = "masqué" if self.masked else "visible"
        return f"demande corrigée {self.orders} fois, {seen}, {self.added} série(s) ajoutée(s)"


@dataclass(frozen=True, slots=True)
class _Point:
    """A report that may publish: what it says, and its place in the dossier's life."""

    content: Content
    place: int


@dataclass(frozen=True, slots=True)
class Expected:
    """Of each exam of a dossier."""

    finals: tuple[Content, ...]
    """What may be in force in the end, the likeliest last; empty: nothing must be. Several when
    a report that spoke last is withdrawn, and another one about the exam is not."""
    points: tuple[_Point, ...]
    withdrawals: tuple[int, ...]
    """Places in the life after which nothing was in force."""
    added: int
    """Series that the PACS has in the end beside the first one."""


def expect(life: Sequence[PlannedReport]) -> Expected:
    """What the messages of one dossier, taken in order, leave of each of its exams."""
    standing: set[int] = set()
    points: list[_Point] = []
    withdrawals: list[int] = []
    added = 0
    for place, one in enumerate(life):
        added = max(added, one.added)
        if one.step is Step.CANCEL:
            standing.discard(one.report)
            if not standing:
                withdrawals.append(place)
            continue
        standing.add(one.report)
        points.append(_Point(Content(one.orders, one.masked, one.added), place))
    return Expected(_finals(life, points, standing), tuple(points), tuple(withdrawals), added)


def _finals(
    life: Sequence[PlannedReport], points: Sequence[_Point], standing: set[int]
) -> tuple[Content, ...]:
    """What the last report that stands said, and what withdrawn ones said after it."""
    spoken = [point for point in points if life[point.place].report in standing]
    if not spoken:
        return ()
    return tuple(point.content for point in points if point.place >= spoken[-1].place)


class State(StrEnum):
    """What the registry says of an entry now."""

    IN_FORCE = "en vigueur"
    REPLACED = "remplacé"
    WITHDRAWN = "dépublié"
    OTHER = "autre statut"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One KOS that the DMP holds of an exam; `content` is None when no stage of the exam has its
    order number or its images."""

    uid: str
    state: State
    content: Content | None
    told: str = ""
    """What it says, when no stage explains it."""
    replaces: str = ""
    """The uid of the KOS that its lot replaced, "" for none."""


class Kind(StrEnum):
    """In a word, what is wrong."""

    LOST = "perdu"
    STALE = "périmé"
    DUPLICATE = "doublon"
    LEFT = "resté"
    ORPHAN = "orphelin"
    BROKEN = "chaîne rompue"
    UNACKNOWLEDGED = "sans acquittement"
    REFUSED = "refusé"
    FORGOTTEN = "oublié"
    UNDONE = "inachevé"
    ARCHIVE = "archive"
    STOPPED = "arrêté"


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that must not be, in a sentence that names it."""

    kind: Kind
    about: str
    text: str


@dataclass(slots=True)
class _Reader:
    """Places each KOS of one exam in the life of its dossier, oldest first."""

    expected: Expected
    about: str
    differences: list[Difference] = field(default_factory=list)
    _next: int = 0
    """Points before it are explained already."""

    def tell(self, kind: Kind, text: str) -> None:
        self.differences.append(Difference(kind, self.about, text))

    def place(self, one: Found) -> _Point | None:
        """The first report not yet used that explains a KOS."""
        if one.content is None:
            self.tell(Kind.ORPHAN, f"KOS {one.uid} qu'aucun compte rendu n'explique : {one.told}")
            return None
        points = self.expected.points
        for number in range(self._next, len(points)):
            if _explains(points[number].content, one.content):
                self._next = number + 1
                return points[number]
        if any(_explains(point.content, one.content) for point in points):
            self.tell(
                Kind.DUPLICATE,
                f"KOS {one.uid} ({one.state}) publié une fois de plus : {one.content}",
            )
        else:
            self.tell(
                Kind.ORPHAN, f"KOS {one.uid} qu'aucun compte rendu n'explique : {one.content}"
            )
        return None


def _same(former: Found, one: Found) -> bool:
    return one.replaces == former.uid and one.content == former.content is not None


def _explains(said: Content, found: Content) -> bool:
    """Images may have come between the report and the work on it."""
    same = (said.orders, said.masked) == (found.orders, found.masked)
    return same and said.added <= found.added


def compare(expected: Expected, found: Sequence[Found], about: str) -> list[Difference]:
    """What is wrong with the KOS of one exam, given oldest first; `about` names it."""
    reader = _Reader(expected, about)
    successors = {one.replaces for one in found if one.replaces}
    former: Found | None = None
    for one in found:
        point = reader.place(one)
        if former is not None and _same(former, one):
            reader.tell(Kind.DUPLICATE, f"KOS {one.uid} remplace un KOS qui disait la même chose")
        former = one
        if one.state is State.REPLACED and one.uid not in successors:
            reader.tell(Kind.BROKEN, f"KOS {one.uid} remplacé, sans successeur (RPLC)")
        if one.state is State.OTHER:
            reader.tell(Kind.BROKEN, f"KOS {one.uid} : {one.told}")
        if (
            one.state is State.WITHDRAWN
            and point is not None
            and not any(place > point.place for place in expected.withdrawals)
        ):
            reader.tell(Kind.LOST, f"KOS {one.uid} dépublié, sans annulation")
    in_force = [one for one in found if one.state is State.IN_FORCE]
    _judge_in_force(reader, in_force)
    return reader.differences


def _judge_in_force(reader: _Reader, in_force: Sequence[Found]) -> None:
    finals = reader.expected.finals
    uids = ", ".join(one.uid for one in in_force)
    if len(in_force) > 1:
        reader.tell(Kind.DUPLICATE, f"{len(in_force)} KOS en vigueur : {uids}")
    elif not finals:
        if in_force:
            reader.tell(Kind.LEFT, f"KOS {uids} en vigueur, alors que tout est annulé")
    elif not in_force:
        reader.tell(Kind.LOST, f"aucun KOS en vigueur ; attendu : {finals[-1]}")
    else:
        (one,) = in_force
        if one.content is None or not any(_explains(said, one.content) for said in finals):
            told = one.content or one.told
            reader.tell(Kind.STALE, f"KOS {uids} en vigueur : {told} ; attendu : {finals[-1]}")
