"""How the Source reads report messages."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drimbox_ref.source.reports import CisisReports
from drimbox_ref.source.values import Action, Ban, Refusal, ReportOrder
from tests.drimbox_ref.source.world import INS, INS_OID, IPP, STRUCTURE, STUDIES, cda_report, oru

REPORTS = CisisReports(without_dmp="stop")
SAMPLES = Path(__file__).parents[4] / "shared/reference/ans-demonstrator-samples/CDA"


def read(message: bytes) -> ReportOrder:
    order = REPORTS.read(message)
    assert isinstance(order, ReportOrder), order
    return order


def test_reads_a_creation() -> None:
    order = read(oru(cda_report(STUDIES)))
    assert order.action is Action.CREATE
    assert [exam.study_uid for exam in order.exams] == list(STUDIES)
    assert (order.patient.ins.value, order.patient.ins.oid) == (INS, INS_OID)
    assert order.patient.ipp == IPP, "by type, wherever it stands in PID-3"
    assert order.patient.birth_givens == "DOMINIQUE MARIE"
    assert (order.patient.used_family, order.patient.birthplace) == ("DURAND", "51215")
    assert order.structure.id == STRUCTURE
    assert (order.professional.id, order.professional.profession) == ("899700000001", "10")
    assert order.professional.specialty == "SM44"
    assert [(one.accession, one.placer) for one in order.orders] == [("ACC-1", "OPN-1")]
    exam = order.exams[0]
    assert [one.code for one in exam.modalities] == ["CT"]
    assert [one.code for one in exam.regions] == ["774007"]


def test_two_acts_on_one_study_are_one_exam() -> None:
    order = read(oru(cda_report((STUDIES[0], STUDIES[0], STUDIES[1]))))
    assert [exam.study_uid for exam in order.exams] == list(STUDIES[:2])


def test_masks_follow_the_message() -> None:
    order = read(oru(masks=("INVISIBLE_PATIENT", "INVISIBLE_REP_LEGAUX")))
    assert [one.code for one in order.confidentiality] == [
        "N",
        "INVISIBLE_PATIENT",
        "INVISIBLE_REPRESENTANTS_LEGAUX",
    ]


@pytest.mark.parametrize(
    ("message", "ban"),
    [
        (oru(identity="PROV"), Ban.INS),
        (oru(identity=None), Ban.INS),
        (oru(ins=None), Ban.INS),
        (oru(ins="12345"), Ban.INS),
        (oru(cda_report(ins="162018885045327")), Ban.IDENTITY),
        (oru(cda_report(())), Ban.NO_EXAM),
        (oru(to_dmp="N"), Ban.NO_DMP),
    ],
)
def test_what_cannot_be_published_is_taken_and_refused_later(message: bytes, ban: Ban) -> None:
    assert REPORTS.examine(message) == ()
    refusal = REPORTS.read(message)
    assert isinstance(refusal, Refusal)
    assert refusal.ban is ban
    assert refusal.advice


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (oru(version="2.3.1"), "203"),
        (oru(profile=("1.2", "CISIS_CDA_HL7_V1")), "203"),
        (oru(kind=("ADT", "A01", "ADT_A01")), "200"),
        (oru(kind=("ORU", "R03", "ORU_R03")), "201"),
        (oru(control_id=""), "101"),
        (oru(control="RO", status="F"), "207"),
        (oru(control="XX"), "103"),
        (oru(b""), "101"),
        (oru(b"<notcda/>"), "102"),
        (oru().replace(b"PID|", b"ZZZ|"), "100"),
        (b"nothing at all", "100"),
    ],
)
def test_faults_of_form(message: bytes, code: str) -> None:
    faults = REPORTS.examine(message)
    assert [fault.code for fault in faults] == [code]


@settings(max_examples=150)
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_hostile_bytes_are_faults_or_refusals(noise: bytes, at: int) -> None:
    good = oru()
    for message in (noise, good[:at] + noise + good[at + len(noise) :]):
        if not REPORTS.examine(message):
            REPORTS.read(message)


def test_sample_report() -> None:
    files = sorted(SAMPLES.glob("*.xml"))
    if not files:
        pytest.skip("échantillons ANS absents (../shared/reference)")
    order = read(oru(files[0].read_bytes()))
    assert len(order.exams) == 3, "the screening act without UID is no exam"
    assert order.structure.id == "101235555"
    assert order.orders[0].accession == "105234751"
