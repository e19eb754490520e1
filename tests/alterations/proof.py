"""The proof of one kind: its good examples altered one field at a time, and what was said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from spec.certificates import PROFILES
from tests.alterations.dispatch import alterations
from tests.alterations.survivors import FREE, STRONG, Survivors, load
from validators.api import KINDS, Context, validate
from validators.examples import dmp, hl7v2, kos, pki, wado
from validators.finding import Severity

__all__ = ["ELSEWHERE", "LIST", "Tally", "tally", "tally_of"]

LIST = load(Path(__file__).parents[1] / "validators/survivors.toml")
ELSEWHERE = {
    "examen": "un fait à la fois, des deux côtés de chaque paire : cross/test_every_pair.py",
}
"""Kinds that are not altered field by field, and why."""

_CASE = Context(
    ins=kos.INS,
    ins_oid="1.2.250.1.213.1.4.10",
    ipp=wado.IPP,
    accession=kos.ACCESSION,
    study_uid=kos.STUDY,
    control_id="EX000001",
)
"""What a campaign knows of the case that every example belongs to."""
_CONTEXTS = {
    "ack": replace(_CASE, request=hl7v2.oru()),
    "crl": pki.TRUST,
    "iti-18-response": replace(_CASE, request=dmp.asked_query()),
    "iti-43-response": replace(_CASE, request=dmp.asked_document()),
    "registry-response": replace(_CASE, request=dmp.asked_query()),
    "soap-fault": replace(_CASE, request=dmp.asked_query()),
    "td0.2-response": replace(_CASE, request=dmp.asked_existence()),
    "wado-request": replace(_CASE, kos=kos.kos(), purpose="export"),
    "wado-response": replace(_CASE, kos=kos.kos(), target=wado.PATH),
}


@dataclass(slots=True)
class Tally:
    """What became of the alterations of one kind."""

    caught: int = 0
    weakly: int = 0
    """Caught by nothing but rules of a draft or of our own reading: the bar leaves them out."""
    missed: int = 0
    free: int = 0
    unlisted: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Caught among those that break a text of a strong grade."""
        return self.caught / ((self.caught + self.missed) or 1)


@dataclass(frozen=True, slots=True)
class _Good:
    """A good example, the case that it is of, and what its places are told apart by."""

    data: bytes
    context: Context
    prefix: str = ""


@cache
def tally(kind: str) -> Tally:
    """The tally of a kind, made once per process."""
    return tally_of(kind, LIST[kind])


def tally_of(kind: str, listed: Survivors) -> Tally:
    """The tally of a kind with a list of survivors.

    Raises:
        LookupError: no way is known to alter that kind.
    """
    done, used = Tally(), Counter[str]()
    for good in _goods(kind):
        _count(done, used, kind, listed, good)
    done.unused = [row.text for row in listed.rows if row.text not in used]
    return done


def _goods(kind: str) -> Iterator[_Good]:
    if kind == "certificat":
        for profile in PROFILES:
            context = replace(pki.TRUST, certificate_profile=profile)
            yield _Good(pki.leaf(profile), context, f"{profile}/")
    else:
        yield _Good(KINDS[kind].rules.good(), _CONTEXTS.get(kind, _CASE))


def _count(done: Tally, used: Counter[str], kind: str, listed: Survivors, good: _Good) -> None:
    def said(data: bytes) -> dict[str, bool]:
        return {
            found.rule: found.grade in STRONG
            for found in validate(data, kind, context=good.context).findings
            if found.severity is not Severity.INFO
        }

    before = said(good.data)
    for one in alterations(good.data):
        place = good.prefix + one.place
        nothing = listed.proves_nothing(place)
        strong = [
            grade
            for rule, grade in said(one.data).items()
            if rule not in before and rule not in nothing
        ]
        if any(strong):
            done.caught += 1
        elif strong:
            done.weakly += 1
        elif (row := listed.row(place, one.change)) is None:
            done.unlisted.append(f"{place} {one.change}")
        else:
            used[row.text] += 1
            if row.verdict == FREE:
                done.free += 1
            elif row.grade in STRONG:
                done.missed += 1
