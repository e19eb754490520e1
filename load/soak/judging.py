"""What is left in the DMP and in the Source after a soak, beside what must be.

The DMP is the truth; the Source's pages are read when it has them, to know that it holds for done
what is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from load.soak.dossiers import Cabinet, Known, control_id
from load.soak.driving import Played
from load.soak.expected import Content, Difference, Expected, Found, Kind, State, compare, expect
from load.soak.pages import Row
from load.soak.plan import Plan
from protocols import kos
from protocols.errors import RemoteProtocolError
from simulators.dmp import Dmp, Stored
from spec.dmp import KOS_TYPE_CODE, Masking
from spec.xds import AssociationType, Status

__all__ = ["Judgement", "SourcePages", "judge"]

_STATES = {
    Status.APPROVED: State.IN_FORCE,
    Status.DEPRECATED: State.REPLACED,
    Status.DELETED: State.WITHDRAWN,
}
_ARCHIVED = {
    "published": State.IN_FORCE,
    "replaced": State.REPLACED,
    "depublished": State.WITHDRAWN,
}
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class SourcePages:
    """What the Source said in the end; None: it has no such page."""

    inbox: Sequence[Row] | None = None
    archive: Sequence[Row] | None = None
    alerts: Sequence[Row] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is there, what must be, and what is wrong."""

    found: Mapping[State, int]
    """KOS in the DMP, by state."""
    expected: int
    """KOS that must be in force."""
    differences: Sequence[Difference]


def judge(plan: Plan, cabinet: Cabinet, dmp: Dmp, played: Played, pages: SourcePages) -> Judgement:
    """Everything that is wrong after a soak."""
    lives = plan.lives()
    expected = {number: expect(life) for number, life in lives.items()}
    held = _held(dmp)
    registry = _Registry(cabinet, expected, held, _replaced(dmp, held))
    differences = [
        *_unanswered(plan, played),
        *registry.differences(),
        *_accounted(plan, played, pages),
        *_archived(pages.archive, registry.states),
    ]
    in_force = sum(
        len(cabinet.known[number].exams) for number, one in expected.items() if one.finals
    )
    return Judgement(Counter(registry.states.values()), in_force, differences)


def _held(dmp: Dmp) -> list[Stored]:
    """The KOS of everybody, oldest first."""
    return [
        stored
        for stored in dmp.documents()
        if stored.entry.type_code and stored.entry.type_code.code == KOS_TYPE_CODE[0]
    ]


def _replaced(dmp: Dmp, held: Sequence[Stored]) -> dict[str, str]:
    """uniqueId of a KOS -> that of the one that it replaced."""
    uids = {stored.entry.id: stored.entry.unique_id for stored in held}
    ids = list(uids)
    found = {}
    for start in range(0, len(ids), _AT_ONCE):
        for link in dmp.associations(ids[start : start + _AT_ONCE]):
            if link.type == AssociationType.REPLACE and link.source in uids:
                found[uids[link.source]] = uids.get(link.target, "")
    return found


class _Registry:
    """The DMP's KOS, each read as one of the stages of its exam."""

    def __init__(
        self,
        cabinet: Cabinet,
        expected: Mapping[int, Expected],
        held: Sequence[Stored],
        replaced: Mapping[str, str],
    ) -> None:
        self._cabinet, self._expected, self._held = cabinet, expected, held
        self._replaced = replaced
        self.states = {
            stored.entry.unique_id: _STATES.get(Status(stored.entry.status), State.OTHER)
            for stored in held
        }

    def differences(self) -> Iterator[Difference]:
        exams = {
            exam.study_uid: (known, place)
            for known in self._cabinet.known.values()
            for place, exam in enumerate(known.exams)
        }
        by_exam: dict[str, list[Found]] = {study: [] for study in exams}
        for stored in self._held:
            uid = stored.entry.unique_id
            try:
                manifest = kos.decode(stored.content)
            except RemoteProtocolError as error:
                yield Difference(Kind.ORPHAN, uid, f"KOS illisible : {error}")
                continue
            study = manifest.study_uid or ""
            if study not in exams:
                yield Difference(Kind.ORPHAN, uid, f"KOS d'un examen inconnu, {study}")
                continue
            known, place = exams[study]
            if known.case.patient.ins not in stored.entry.patient_id:
                told = f"KOS {uid} dans le DMP d'un autre patient, {stored.entry.patient_id}"
                yield Difference(Kind.ORPHAN, _named(known, place), told)
                continue
            by_exam[study].append(self._read(stored, manifest, known, place))
        for study, found in by_exam.items():
            known, place = exams[study]
            expected = self._expected[known.dossier.number]
            yield from compare(expected, found, _named(known, place))

    def _read(self, stored: Stored, manifest: kos.Manifest, known: Known, place: int) -> Found:
        entry = stored.entry
        written = {one.placer_order_number or "" for one in manifest.requests or ()}
        images = frozenset(one.sop_instance or "" for one in manifest.instances())
        masked = Masking.PROFESSIONALS in {code.code for code in entry.confidentiality_codes}
        expected = self._expected[known.dossier.number]
        most = max((point.content.orders for point in expected.points), default=0)
        orders = next((n for n in range(most + 1) if written == {known.placer(place, n)}), None)
        added = next(
            (
                number
                for number in range(expected.added + 1)
                if images == self._cabinet.images(known, place, number)
            ),
            None,
        )
        content = None
        if orders is not None and added is not None:
            content = Content(orders, masked, added)
        return Found(
            uid=entry.unique_id,
            state=self.states[entry.unique_id],
            content=content,
            told=f"demande {', '.join(sorted(written)) or 'absente'}, {len(images)} image(s), "
            f"{entry.status.rpartition(':')[2]}",
            replaces=self._replaced.get(entry.unique_id, ""),
        )


def _named(known: Known, place: int) -> str:
    return f"dossier {known.dossier.number}, examen {known.exams[place].study_uid}"


def _unanswered(plan: Plan, played: Played) -> Iterator[Difference]:
    for one in plan.reports:
        about = f"message {control_id(plan.seed, one.number)} ({one.step})"
        if one.number in played.missing:
            yield Difference(Kind.UNACKNOWLEDGED, about, played.missing[one.number])
        elif (code := played.acknowledged.get(one.number)) not in ("AA", None):
            yield Difference(Kind.REFUSED, about, f"acquitté par {code}")


def _accounted(plan: Plan, played: Played, pages: SourcePages) -> Iterator[Difference]:
    """Every message that was acknowledged is one that the Source knows, once, and is done with."""
    if pages.inbox is None:
        return
    rows: dict[str, list[Row]] = {}
    for row in pages.inbox:
        rows.setdefault(str(row.get("control_id")), []).append(row)
    for one in plan.reports:
        id = control_id(plan.seed, one.number)
        mine = rows.pop(id, [])
        about = f"message {id} ({one.step})"
        if not mine and played.acknowledged.get(one.number) == "AA":
            yield Difference(Kind.FORGOTTEN, about, "acquitté, inconnu de la Source")
        if len(mine) > 1:
            yield Difference(Kind.DUPLICATE, about, f"tenu {len(mine)} fois par la Source")
        for row in mine:
            if row.get("state") == "stopped":
                why = _alert(id, pages.alerts) or row.get("detail") or "sans alerte"
                yield Difference(Kind.STOPPED, about, f"la Source y renonce : {why}")
            elif row.get("state") != "done":
                why = row.get("detail") or row.get("state")
                yield Difference(Kind.UNDONE, about, f"encore à faire par la Source : {why}")
    for id in rows:
        yield Difference(Kind.ORPHAN, f"message {id}", "connu de la Source, jamais envoyé")


def _alert(id: str, alerts: Iterable[Row] | None) -> str:
    return next((str(row.get("message")) for row in alerts or () if id in str(row)), "")


def _archived(archive: Sequence[Row] | None, states: Mapping[str, State]) -> Iterator[Difference]:
    """The Source's archive says of each KOS what the DMP says."""
    if archive is None:
        return
    said = {str(row.get("kos_uid")): _ARCHIVED.get(str(row.get("state"))) for row in archive}
    for uid in sorted(said.keys() | states.keys()):
        ours, theirs = said.get(uid), states.get(uid)
        if ours is not theirs:
            yield Difference(
                Kind.ARCHIVE,
                f"KOS {uid}",
                f"archive locale : {ours or 'absent'} ; DMP : {theirs or 'absent'}",
            )
