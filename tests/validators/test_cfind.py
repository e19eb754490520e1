"""Answers of a PACS: every form in which they are kept, and what they say beside the rest."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from protocols.dicom import json_line, split_part10
from validators.api import Context, guess, validate
from validators.cfind import read
from validators.cross import compare
from validators.examples import cfind, exam, hl7v2, kos
from validators.finding import Severity


def response(**changes: Any) -> Dataset:
    """The first instance of the exam, as another library holds it."""
    said = Dataset()
    said.SpecificCharacterSet = "ISO_IR 192"
    said.QueryRetrieveLevel = "IMAGE"
    said.AccessionNumber = kos.ACCESSION
    said.Modality = "CT"
    said.PatientName = "PAT-TROIS^DOMINIQUE"
    said.PatientID = hl7v2.IPP
    said.StudyInstanceUID = kos.STUDY
    said.SeriesInstanceUID = kos.SERIES
    said.SOPInstanceUID = kos.instances()[0].sop_instance
    said.SOPClassUID = kos.instances()[0].sop_class
    said.NumberOfSeriesRelatedInstances = 2
    for name, value in changes.items():
        setattr(said, name, value)
    return said


def file(said: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """In a file, as `findscu -X` keeps a response."""
    said.file_meta = FileMetaDataset()
    said.file_meta.TransferSyntaxUID = syntax
    said.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.2.2.1"
    said.file_meta.MediaStorageSOPInstanceUID = "1.2.250.1.999.1.1.8121.9.1"
    made = io.BytesIO()
    dcmwrite(made, said, enforce_file_format=True)
    return made.getvalue()


def journal(*said: Dataset) -> bytes:
    """As the journal of a run keeps what it saw: an object a line."""
    lines = []
    for one in said:
        part = split_part10(file(one))
        lines.append(json_line(part.dataset, transfer_syntax=part.transfer_syntax))
    return b"".join(lines)


def fired(data: bytes, context: Context | None = None) -> set[str]:
    found = validate(data, context=context).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


FORMS = {
    "tableau JSON": lambda: b"[" + response().to_json().encode() + b"]",
    "objet JSON": lambda: response().to_json().encode(),
    "journal": lambda: journal(response()),
    "fichier DICOM": lambda: file(response()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str) -> None:
    data = FORMS[form]()
    assert guess(data) == "c-find"
    assert fired(data) == set()
    (one,) = read(data, Context()).identifiers
    assert one.text(0x0020000D) == kos.STUDY
    assert one.text(0x00100010) == "PAT-TROIS^DOMINIQUE"
    assert one.text(0x00201209) == "2"


def test_several_answers_of_a_journal() -> None:
    other = response(SOPInstanceUID=kos.instances()[1].sop_instance)
    found = read(journal(response(), other), Context()).identifiers
    assert [one.where(0x00080018) for one in found] == ["[1]/0008,0018", "[2]/0008,0018"]
    assert fired(journal(response(), other)) == set()
    assert fired(journal(response(), response())) == {"CFIND-004"}


def test_nothing_found_is_an_answer() -> None:
    assert validate(b"[]", "c-find").verdict == "pass"


def test_our_own_file_is_read() -> None:
    assert guess(cfind.response_file()) == "c-find"
    assert fired(cfind.response_file()) == set()


def test_an_implicit_file_is_judged_when_its_kind_is_given() -> None:
    """Its level has no VR to be recognised by."""
    data = file(response(), ImplicitVRLittleEndian)
    assert validate(data, "c-find").verdict == "pass"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[",
        b"[1]",
        b'{"StudyInstanceUID": {"vr": "UI"}}',
        b'{"0020000D": {"Value": ["1.2"]}}',
        b'{"0020000D": {"vr": "UI", "Value": "1.2"}}',
        b'{"0020000D": {"vr": "UI", "Value": [[]]}}',
        b'{"0020000D": {"vr": "UI", "Value": [true]}}',
        b'{"00080051": {"vr": "SQ", "Value": ["x"]}}',
        b'{"00100010": {"vr": "PN", "Value": [{"Alphabetic": 1}]}}',
        b'{"0020000D": {"vr": "UI"}, "0020000D": {"vr": "UI"}}',
        b'{"0020000D": {"vr": "UI"}}\n{',
        b'{"00080051": {"vr": "SQ", "Value": [' * 40 + b"{}" + b"]}}" * 40,
    ],
)
def test_what_is_not_the_json_model_is_one_finding(text: bytes) -> None:
    assert [one.rule for one in validate(text, "c-find").findings] == ["CFIND-000"]


def test_answers_are_of_the_exam() -> None:
    case = Context(study_uid=kos.STUDY, accession=kos.ACCESSION)
    assert fired(cfind.answers(), case) == set()
    other = cfind.answers([cfind.study(study="1.2.3", accession="AUTRE")])
    assert fired(other, case) == {"CFIND-008", "CFIND-009"}
    assert fired(other) == set()


# Beside the other artefacts of the exam -------------------------------------------------------

EVERYTHING = [cfind.study(), cfind.series(), cfind.image(1), cfind.image(2)]


def crossed(answer: bytes) -> tuple[set[str], dict[tuple[str, str, str], bool]]:
    report = compare(exam.exam(answer=answer))
    told = {one.rule for one in report.findings if one.severity is not Severity.INFO}
    pairs = {(str(p.subject), str(p.left), str(p.right)): p.agrees for p in report.pairs}
    return told, pairs


def test_an_exam_agrees_with_its_archive() -> None:
    by_level = [cfind.answers([one]) for one in EVERYTHING]
    for answer in (cfind.answers(), cfind.response_file(), *by_level[:2]):
        told, pairs = crossed(answer)
        assert told == set()
        assert all(pairs.values())


def test_every_subject_is_compared() -> None:
    _, relational = crossed(cfind.answers())
    _, by_study = crossed(cfind.answers([cfind.study()]))
    voices = {
        subject: {left if right == "réponses C-FIND" else right for _, left, right in found}
        for subject in ("StudyInstanceUID", "Accession Number", "IPP", "instances", "modalités")
        if (
            found := [
                one for one in relational if one[0] == subject and "réponses C-FIND" in one[1:]
            ]
        )
    }
    assert {"compte rendu CDA", "KOS", "images"} <= voices["Accession Number"]
    assert {"KOS", "entrée XDS du KOS", "images"} <= voices["StudyInstanceUID"]
    assert {"message HL7v2", "images"} <= voices["IPP"]
    assert {"KOS", "contenu du KOS", "images", "réponse WADO-RS"} <= voices["instances"]
    assert {"KOS", "entrée XDS du KOS"} <= voices["modalités"]
    for pairs in (relational, by_study):
        assert pairs["nombre d'instances", "réponses C-FIND", "KOS"]
        assert pairs["nombre de séries", "réponses C-FIND", "KOS"]


@pytest.mark.parametrize(
    ("answer", "rules"),
    [
        ([cfind.study(study="1.2.3")], {"CROSS-034"}),
        ([cfind.study(accession="AUTRE")], {"CROSS-030"}),
        ([cfind.study(patient="IPP901")], {"CROSS-020"}),
        ([cfind.study(name={"Alphabetic": "PAT-SIX^CAMILLE"})], {"CROSS-022"}),
        ([cfind.study(modalities="MR")], {"CROSS-050", "CROSS-051"}),
        ([cfind.study(series_count=2)], {"CROSS-048"}),
        ([cfind.study(instance_count=1)], {"CROSS-048"}),
        ([cfind.series(series_instance_count=1)], {"CROSS-048"}),
        ([cfind.series(series="1.2.3")], {"CROSS-049"}),
        ([cfind.image(1)], {"CROSS-046"}),
        ([cfind.image(1, sop_class="1.2.840.10008.5.1.4.1.1.4"), cfind.image(2)], {"CROSS-043"}),
        ([cfind.image(1), cfind.image(2), cfind.image(2, instance="1.2.3")], {"CROSS-047"}),
    ],
)
def test_a_disagreement_is_told(answer: list[dict[str, Any]], rules: set[str]) -> None:
    told, _ = crossed(cfind.answers(answer))
    assert rules <= told


def test_another_issuer_of_the_accession_is_told() -> None:
    issuer = {"00400032": {"vr": "UT", "Value": ["1.2.3"]}}
    told, pairs = crossed(cfind.answers([cfind.study(issuer=issuer)]))
    assert told
    assert not pairs["émetteur de l'Accession Number", "KOS", "réponses C-FIND"]


def test_an_unreadable_answer_hides_nothing() -> None:
    told, _ = crossed(b'[{"00080052": "IMAGE"}]')
    assert told == {"CROSS-001"}
