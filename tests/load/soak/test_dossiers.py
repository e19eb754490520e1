"""The messages of a seed are the same to the byte, each of a patient and exams of its dossier."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, cast

from bench.bed import Bed
from bench.profile import EMBEDDED
from bench.site import site_of
from load.soak.dossiers import Cabinet, control_id
from load.soak.plan import Plan, Step, make
from protocols import hl7v2
from simulators.pacs import PacsConfig, build
from wire.exchange import ignore


def cabinet(plan: Plan) -> tuple[Cabinet, Any]:
    admitted: list[str] = []
    bed = SimpleNamespace(
        site=site_of(EMBEDDED),
        pacs=build(PacsConfig(), ignore),
        register=SimpleNamespace(admit=lambda patient, _state: admitted.append(patient.ins)),
        admitted=admitted,
    )
    return Cabinet(cast(Bed, bed), plan), bed


def played(seed: int) -> tuple[Plan, Cabinet, Any, dict[int, bytes]]:
    plan = make(seed, reports=40, senders=4, kills=0, menu=())
    made, bed = cabinet(plan)
    return plan, made, bed, {one.number: made.prepare(one) for one in plan.reports}


def test_a_seed_gives_the_same_bytes() -> None:
    assert played(11)[3] == played(11)[3]
    assert played(12)[3] != played(11)[3]


def test_messages_say_what_was_planned() -> None:
    plan, made, bed, messages = played(11)
    for one in plan.reports:
        message = hl7v2.parse(messages[one.number])
        assert message.value("MSH-10") == control_id(11, one.number)
        assert message.value("MSH-9.1") == ("MDM" if one.mdm else "ORU")
        assert (message.value("ORC-1") == "CA") == (one.step is Step.CANCEL)
    assert len(set(bed.admitted)) == len(bed.admitted) == len(plan.lives())
    known = made.known[1]
    assert len({known.placer(0, n) for n in range(4)}) == 4


def test_the_pacs_has_each_stage_of_an_exam() -> None:
    plan, made, bed, _ = played(11)
    added = {number: max(one.added for one in life) for number, life in plan.lives().items()}
    assert max(added.values())
    for number, most in added.items():
        known = made.known[number]
        for place, exam in enumerate(known.exams):
            stages = [made.images(known, place, n) for n in range(most + 1)]
            assert len(stages[0]) == known.dossier.images[place]
            for before, after in itertools.pairwise(stages):
                assert before < after
                # A Source that asks between two stages sees one or the other.
                assert len(after - before) == 1
            assert len(stages[-1]) == bed.pacs.count(exam.study_uid)
