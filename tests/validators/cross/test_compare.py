"""The cross-validator: what it compares, what it lets pass, what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.cda import Id, NamePart, Order, PersonName
from protocols.ebrim import Code
from spec.grade import Grade
from validators.api import validate
from validators.context import Context
from validators.cross import CrossReport, ExamError, compare
from validators.cross.fact import Subject, Voice
from validators.examples import exam as example
from validators.examples import hl7v2, kos, xds
from validators.finding import Severity

SAMPLES = Path(__file__).parents[3].parent / "shared/reference/ans-demonstrator-samples"


def fired(report: CrossReport) -> set[str]:
    return {found.rule for found in report.findings if found.severity is not Severity.INFO}


def pair(report: CrossReport, subject: Subject, left: Voice, right: Voice) -> bool:
    (found,) = [
        one for one in report.pairs if (one.subject, one.left, one.right) == (subject, left, right)
    ]
    return found.agrees


def report_of(family: str = "", given: str = "") -> bytes:
    """The report of a patient with a used name."""
    (name,) = example.patient().names
    parts = [
        NamePart(kind, value, "CL")
        for kind, value in (("family", family), ("given", given))
        if value
    ]
    names = (PersonName((*name.parts, *parts)),)
    return example.report(patients=(example.patient(names=names),))


def test_a_coherent_exam_agrees_on_everything() -> None:
    report = compare(example.exam())
    assert report.verdict == "pass"
    assert all(one.agrees for one in report.pairs)
    assert {one.subject for one in report.pairs} >= {
        Subject.INS, Subject.IPP, Subject.ACCESSION, Subject.ORDER, Subject.STUDY,
        Subject.INSTANCE, Subject.VISIBILITY, Subject.START, Subject.STRUCTURE, Subject.HASH,
        Subject.SIGNED, Subject.USED_NAME,
    }  # fmt: skip


@pytest.mark.parametrize("name", example.exam())
def test_each_artefact_of_the_example_is_right_by_itself(name: str) -> None:
    data = example.exam()[name]
    if name != example.IMAGE:  # images have no kind of their own
        assert validate(data).verdict == "pass"


@pytest.mark.parametrize("left_out", example.exam())
def test_any_part_of_a_coherent_exam_is_coherent(left_out: str) -> None:
    files = {name: data for name, data in example.exam().items() if name != left_out}
    assert compare(files).verdict == "pass"
    alone = {left_out: example.exam()[left_out]}
    assert compare(alone).verdict == "pass"


def test_the_order_of_the_files_changes_nothing() -> None:
    files = example.exam(image=example.image(ipp="IPP901"))
    backwards = dict(reversed(files.items()))
    assert fired(compare(files)) == fired(compare(backwards)) == {"CROSS-020"}


@pytest.mark.parametrize(
    ("names", "family", "given"),
    [
        (("^DOMINIQUE",), "", ""),
        (("^DOMINIQUE", "PAT-SIX"), "PAT-SIX", ""),
        (("^DOMINIQUE", "PAT-SIX^"), "PAT-SIX", ""),
        (("^DOMINIQUE", "^CAMILLE"), "", "CAMILLE"),
        (("^DOMINIQUE", "PAT-SIX^CAMILLE"), "PAT-SIX", "CAMILLE"),
    ],
)
def test_the_four_variants_of_other_patient_names(
    names: tuple[str, ...], family: str, given: str
) -> None:
    manifest = example.manifest(other_patient_names=names)
    right = compare({"cr.xml": report_of(family, given), "kos.dcm": manifest})
    assert fired(right) == set()
    assert pair(right, Subject.USED_NAME, Voice.REPORT, Voice.MANIFEST)
    other = compare({"cr.xml": report_of("PAT-NEUF", given), "kos.dcm": manifest})
    assert fired(other) == {"CROSS-018"}


def test_accents_and_case_do_not_part_a_name() -> None:
    message = example.message(
        example.report(),
        {"PID": {5: ("Pat-Trois", "Dominiqué", "DOMINIQUE", "", "", "", "L")}},
    )
    assert fired(compare({"m.hl7": message, "kos.dcm": example.manifest()})) == set()


def test_visibility_is_translated() -> None:
    """HL7 INVISIBLE_REP_LEGAUX is INVISIBLE_REPRESENTANTS_LEGAUX at the DMP."""
    masking = "1.2.250.1.213.1.1.4.13"
    codes = [Code("N", "2.16.840.1.113883.5.25", "Normal")]
    codes.append(Code("INVISIBLE_REPRESENTANTS_LEGAUX", masking, "?"))
    publication = xds.iti41(
        entry=example.entry(confidentiality_codes=tuple(codes)), kos=example.manifest()
    )
    meta = b"INVISIBLE_REP_LEGAUX^Non visible"
    message = example.message(example.report())
    assert meta in message
    start = message.index(meta)
    flagged = message[:start] + message[start:].replace(b"||N^", b"||Y^", 1)
    assert fired(compare({"m.hl7": flagged, "p.http": publication})) == set()
    assert fired(compare({"m.hl7": message, "p.http": publication})) == {"CROSS-060"}


def test_a_report_of_two_exams_covers_each_publication() -> None:
    other = "1.2.250.1.999.1.1.8121.5.2"
    report = example.report(
        orders=(
            Order(
                ids=(Id(kos.ORDER_OID, kos.ORDER),),
                accession_numbers=(Id(kos.ACCESSION_OID, kos.ACCESSION),),
            ),
            Order(
                ids=(Id(kos.ORDER_OID, "OPN901"),),
                accession_numbers=(Id(kos.ACCESSION_OID, "ACN901"),),
            ),
        ),
        service_events=(
            example.event(),
            example.event(ids=(Id(other),), low="20261121110000+0100", high=None),
        ),
    )
    files = example.exam(report)
    assert compare(files).verdict == "pass"


def test_times_without_offset_are_not_compared() -> None:
    report = compare(example.exam(example.with_event(low="202611210930", high="20261121")))
    assert report.verdict == "pass"
    assert not [one for one in report.pairs if one.subject in (Subject.START, Subject.STOP)]


def test_one_odd_voice_is_one_finding() -> None:
    report = compare(example.exam(hl7={"PID": {8: "M"}}))
    (found,) = [one for one in report.findings if one.rule == "CROSS-015"]
    assert "message HL7v2 d'une part" in found.message
    assert (found.expected, found.actual) == ("M", "F")
    assert "message.hl7 : PID-8" in found.where
    assert not pair(report, Subject.SEX, Voice.MESSAGE, Voice.REPORT)
    assert pair(report, Subject.SEX, Voice.REPORT, Voice.MANIFEST)


def test_two_images_of_two_patients_disagree() -> None:
    files = {"a.dcm": example.image(), "b.dcm": example.image(ipp="IPP901", uid="1.2.3")}
    assert "CROSS-020" in fired(compare(files))


def test_a_second_manifest_does_not_lend_its_content() -> None:
    bare = example.manifest(content=())
    report = compare(example.exam(manifest=bare))
    assert "CROSS-041" not in fired(report)  # a manifest that shows nothing says nothing
    half = kos.manifest().content[:1]
    assert "CROSS-041" in fired(compare(example.exam(manifest=example.manifest(content=half))))


def test_a_registry_answer_is_heard_for_the_documents_given() -> None:
    publication = example.exam()[example.PUBLICATION]
    start = publication.index(b"<lcm:SubmitObjectsRequest")
    end = publication.index(b"</lcm:SubmitObjectsRequest>")
    inside = publication[start:end].partition(b">")[2]
    answer = (
        b'<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"'
        b' xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"'
        b' xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">'
        + inside
        + b"</query:AdhocQueryResponse>"
    )
    files = {"td31.xml": answer, "kos.dcm": example.manifest()}
    right = compare(files)
    assert fired(right) == set()
    assert pair(right, Subject.HASH, Voice.ENTRY, Voice.MANIFEST)
    other = files | {"kos.dcm": example.manifest(patient_comments="75056")}
    assert "CROSS-080" in fired(compare(other))
    stranger = files | {"kos.dcm": example.manifest(sop_instance="1.2.3")}
    assert not [p for p in compare(stranger).pairs if p.left is Voice.ENTRY]


def test_a_lot_signature_alone_is_compared() -> None:
    lot = xds.lot({kos.UID: example.manifest()})
    assert fired(compare({"sign.xml": lot, "kos.dcm": example.manifest()})) == set()
    spoilt = example.manifest(study_id="X")
    assert fired(compare({"sign.xml": lot, "kos.dcm": spoilt})) == {"CROSS-083"}


def test_an_omi_names_the_exam() -> None:
    omi = (
        b"MSH|^~\\&|PACS|A|BOX|A|20261122101500||OMI^O23^OMI_O23|1|T|2.5.1|||||FRA|UNICODE UTF-8\r"
        b"PID|1||" + hl7v2.INS.encode() + b"^^^ASIP&1.2.250.1.213.1.4.10&ISO^INS\r"
        b"ORC|NW|OPN900\rOBR|1|OPN900\rIPC|ACN901||" + kos.STUDY.encode() + b"\r"
    )
    assert fired(compare({"omi.hl7": omi, "cr.xml": example.report()})) == {"CROSS-030"}


def test_weak_grades_only_warn_and_the_floor_applies() -> None:
    files = example.exam(publication=example.acting_for("3101235550009"))
    severities = {one.rule: one.severity for one in compare(files).findings}
    assert severities["CROSS-073"] is Severity.WARNING
    bad = example.exam(image=example.image(ipp="IPP901"))
    assert compare(bad).verdict == "fail"
    assert compare(bad, context=Context(floor=Grade.FAQ)).verdict == "warn"


def test_unreadable_and_unknown_files_hide_nothing() -> None:
    files = example.exam(hl7={"PID": {8: "M"}}) | {"x.dcm": bytes(128) + b"DICM", "n.txt": b"n"}
    assert {"CROSS-001", "CROSS-002", "CROSS-015"} <= fired(compare(files))


def test_a_thousand_images_are_compared_quickly() -> None:
    """The pairs are between kinds: their number does not grow with that of files."""
    images = tuple(
        replace(kos.instances()[0], sop_instance=f"{kos.SERIES}.{n}") for n in range(1, 1001)
    )
    study = kos.manifest().studies[0]
    series = replace(study.series[0], instances=images)
    manifest = example.manifest(studies=(replace(study, series=(series,)),))
    files = {f"{n}.dcm": example.image(uid=one.sop_instance) for n, one in enumerate(images)}
    report = compare(files | {"kos.dcm": manifest})
    assert pair(report, Subject.INSTANCE, Voice.MANIFEST, Voice.IMAGE)
    assert len(report.pairs) < 40
    moved = files | {"7.dcm": example.image(uid=f"{kos.SERIES}.8", series="1.2.3")}
    assert "CROSS-042" in fired(compare(moved | {"kos.dcm": manifest}))


def test_too_many_files_are_refused() -> None:
    with pytest.raises(ExamError):
        compare({f"{n}": b"" for n in range(5001)})


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/reference n'est pas là")
def test_the_official_publication_agrees_with_the_official_manifest() -> None:
    names = ("KOS/ko.dcm", "XDS/publication.xml")
    report = compare({name: (SAMPLES / name).read_bytes() for name in names})
    # creationTime is in local time there: the demonstrator writes no UTC.
    assert (report.verdict, fired(report)) == ("warn", {"CROSS-055"})
    assert pair(report, Subject.HASH, Voice.ENTRY, Voice.MANIFEST)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(sorted(example.exam())),
    at=st.integers(0, 30_000),
    size=st.integers(0, 80),
    piece=st.binary(max_size=80),
)
def test_damaged_files_never_raise(name: str, at: int, size: int, piece: bytes) -> None:
    files = dict(GOOD)
    data = files[name]
    at %= len(data)
    files[name] = data[:at] + piece + data[at + size :]
    assert compare(files).verdict in ("pass", "warn", "fail")


GOOD = example.exam()
