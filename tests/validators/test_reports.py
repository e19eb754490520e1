"""The imaging report: what our own RIS writes passes, levels and PDF are told apart."""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.cda import Id
from simulators.ris.people import Coded, Identifier, Patient, Professional, Structure, ins_of
from simulators.ris.report import CIM10, DCM, LOINC, SNOMED_CT, Exam, Order, Report
from validators.api import Context, guess, validate
from validators.cda.pdf import read_pdf
from validators.examples import cda as example
from validators.finding import Severity

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=timezone(timedelta(hours=1)))
_REPORT = Report(
    id="2.25.1",
    set_id="2.25.2",
    created=NOW,
    patient=Patient(
        family="KIT-ALBAREDE",
        given="ADÈLE",
        givens="ADÈLE FLORE",
        used_family="KIT-VALMONT",
        birth_date="19790328",
        sex="F",
        birthplace_code="51215",
        ins=ins_of("2790351215189"),
        ipp=Identifier("IPP1", "1.2.3.4", "KIT-RIS"),
    ),
    author=Professional(id="899700367909", family="KIT-DOCTEUR", given="ANNE"),
    structure=Structure(id="1630013605", name="KIT CENTRE & IMAGERIE"),
    exams=(
        Exam(
            study_uid="2.25.101",
            order=Order(
                placer=Identifier("OPN1", "1.2.3.6"), accession=Identifier("ACN1", "1.2.3.5")
            ),
            act=Coded("24727-0", "CT Head W contrast IV", LOINC),
            modality=Coded("CT", "Tomodensitométrie", DCM),
            regions=(Coded("774007", "tête et cou", SNOMED_CT),),
            started=NOW - timedelta(hours=1),
            ended=NOW - timedelta(minutes=30),
        ),
        Exam(act=Coded("Z13.9", "Examen spécial de dépistage", CIM10)),
    ),
)


def fired(data: bytes, context: Context | None = None) -> set[str]:
    return {found.rule for found in validate(data, "cda", context=context).findings}


@pytest.fixture(scope="module")
def own_report() -> bytes:
    return _REPORT.document()


def test_the_report_of_our_ris_passes(own_report: bytes) -> None:
    assert guess(own_report) == "cda"
    report = validate(own_report, context=Context(strict=True, study_uid="2.25.101", ipp="IPP1"))
    assert report.findings == ()


def test_a_replacement_of_our_ris_passes() -> None:
    second = replace(_REPORT, id="2.25.3", version=2, replaces="2.25.1")
    assert validate(second.document()).verdict == "pass"


def test_level_3_passes_and_is_not_asked_for_a_pdf() -> None:
    report = validate(example.structured(), "cda", context=Context(strict=True))
    assert report.findings == ()


def test_level_1_that_claims_level_3_only_warns() -> None:
    report = validate(example.document(template_ids=example.LEVEL_3), "cda")
    assert report.verdict == "warn"
    assert {found.rule for found in report.findings} == {"CDA-004", "CDA-005"}
    assert (
        validate(
            example.document(template_ids=example.LEVEL_3), "cda", context=Context(strict=True)
        )
        .findings[0]
        .severity
        is Severity.ERROR
    )


def test_several_studies_need_several_links() -> None:
    other = example.act(ids=(example.other_study(),))
    data = example.document(service_events=(example.act(), other))
    (found,) = validate(data, "cda").findings
    assert found.rule == "CDA-087"
    assert example.other_study().root in found.expected


def test_a_screening_context_without_study_is_left_alone() -> None:
    context = example.act(ids=(), modality="", region="", performers=(), low=None)
    assert fired(example.document(service_events=(example.act(), context))) == set()


def test_identifiers_may_come_in_any_order() -> None:
    ids = tuple(reversed(example.patient().ids))
    assert fired(example.document(patients=(example.patient(ids=ids),))) == set()


def test_an_ins_without_extension_is_a_finding() -> None:
    ids = (Id("1.2.250.1.213.1.4.10"), example.patient().ids[1])
    assert "CDA-022" in fired(example.document(patients=(example.patient(ids=ids),)))


@pytest.mark.parametrize(
    ("part", "conformance", "expected"),
    [("1", "B", set()), ("1", "A", set()), ("3", "A", {"CDA-085"}), ("", "", {"CDA-084"})],
)
def test_the_claimed_level_of_pdfa(part: str, conformance: str, expected: set[str]) -> None:
    assert fired(example.pdf_document(part=part, conformance=conformance)) == expected


class TestPdf:
    def test_attributes_of_the_packet_count_as_well(self) -> None:
        packet = b"%PDF-1.7 <rdf pdfaid:part='2' pdfaid:conformance='u'> %%EOF"
        found = read_pdf(packet)
        assert found is not None
        assert (found.version, found.pdfa, found.ended) == ("1.7", "2U", True)

    def test_links_in_compressed_objects_are_seen(self) -> None:
        objects = zlib.compress(b"<</S/URI/URI(https://vi1.test/a\\(b\\))>>")
        data = b"%PDF-1.7 1 0 obj<</Type/ObjStm/N 1>>stream\n" + objects + b"\nendstream %%EOF"
        found = read_pdf(data)
        assert found is not None
        assert found.links == ("https://vi1.test/a(b)",)

    def test_a_bomb_is_inflated_within_bounds(self) -> None:
        bomb = zlib.compress(bytes(200_000_000), 9)
        piece = b"<</Type/ObjStm>>stream\n" + bomb + b"\nendstream "
        found = read_pdf(b"%PDF-1.7 " + piece * 20)
        assert found is not None
        assert found.links == ()

    def test_a_broken_stream_is_passed_over(self) -> None:
        found = read_pdf(b"%PDF-1.7 <</Type/ObjStm>>stream\nnot deflated")
        assert found is not None
        assert not found.ended

    @settings(max_examples=200)
    @given(st.binary(max_size=300))
    def test_any_bytes(self, data: bytes) -> None:
        read_pdf(b"%PDF-1.4" + data)
        read_pdf(data)
