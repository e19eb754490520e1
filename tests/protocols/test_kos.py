"""Key Object Selection manifests: bytes against values, with foreign readers as judges."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.kos import (
    Code,
    ContentItem,
    Description,
    InstanceRef,
    Issuer,
    KeyObjectRef,
    KosSyntaxError,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    SeriesLine,
    StudyEvidence,
    Template,
    character_set_for,
    decode,
    encode,
    format_description,
    parse_description,
)
from spec.dicom import KEY_OBJECT_DESCRIPTION, MANIFEST
from tests.cost import costs

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SAMPLE = Path(__file__).parents[3] / "shared/reference/ans-demonstrator-samples/KOS/ko.dcm"
INS = Issuer("1.2.250.1.213.1.4.10")


def manifest(count: int = 3) -> Manifest:
    """Everything that the French manifests carry, and more."""
    ct = tuple(InstanceRef(CT, f"2.25.1{index}", str(index), None) for index in range(1, count + 1))
    note = KeyObjectRef(
        sop_instance="2.25.900", series_uid="2.25.901",
        title=Code("113000", "DCM", "Of Interest"), text="lésion"
    )  # fmt: skip
    mr = (InstanceRef(MR, "2.25.31", "1", "12", (note,)), InstanceRef(MR, "2.25.32"))
    lines = Description(
        "TDM thorax", ("Scanner",),
        (SeriesLine("2.25.2", "CT", "Thorax", "Fin"), SeriesLine("2.25.3", "MR", "", "T2 é")),
    )  # fmt: skip
    return Manifest(
        sop_instance="2.25.100",
        study_uid="2.25.1",
        series_uid="2.25.101",
        instance_creation_date="20261122",
        instance_creation_time="101500",
        study_date="20261120",
        series_date="20261122",
        content_date="20261122",
        study_time="0930",
        series_time="101500",
        content_time="101500",
        manufacturer="drimbench",
        manufacturer_model="référence",
        institution_name="Centre d'imagerie^^^^^^^^^101235555",
        timezone_offset="+0100",
        study_description="TDM thoraco-abdominal",
        patient_name="PAT-TROIS^DOMINIQUE",
        patient_id="279035121518989",
        issuer_of_patient_id="ASIP-SANTE-INS-NIR",
        patient_id_qualifiers=(INS,),
        birth_date="19790328",
        sex="F",
        other_patient_names=("^DOMINIQUE", "PAT-TROIS^DOMINIQUE"),
        other_patient_ids=(
            OtherPatientId(
                patient_id="279035121518989", issuer="ASIP-SANTE-INS-NIR",
                type="TEXT", qualifiers=(INS,),
            ),
        ),
        patient_comments="63220",
        software_versions="1.0",
        series_number="59",
        instance_number="1",
        title=(Code(*MANIFEST),),
        requests=(
            Request(
                study_uid="2.25.1", accession_number="ACN101", accession_issuer=(Issuer("1.2.5"),),
                referenced_studies=(), description="", procedure_codes=(Code("1", "99K", "Acte"),),
                procedure_id="", placer_order_number="OPN101", placer_issuer=(Issuer("1.2.6"),),
                filler_order_number="",
            ),
        ),
        studies=(
            StudyEvidence(
                "2.25.1",
                (
                    SeriesEvidence(
                        series_uid="2.25.2", instances=ct, series_number="1",
                        retrieve_url="https://db1.test/rs/studies/2.25.1/series/2.25.2",
                    ),
                    SeriesEvidence(
                        series_uid="2.25.3", instances=mr, retrieve_location_uid="2.25.77",
                        retrieve_url="https://db1.test/rs/studies/2.25.1/series/2.25.3",
                    ),
                ),
            ),
        ),
        template=(Template("DCMR", "2010"),),
        content=(
            *(ContentItem(value_type="IMAGE", references=((r.sop_class, r.sop_instance),))
              for r in (*ct, *mr)),
            ContentItem(
                value_type="TEXT", concept=Code(*KEY_OBJECT_DESCRIPTION),
                text=format_description(lines),
            ),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_round_trip(syntax: str) -> None:
    assert decode(encode(manifest(), transfer_syntax=syntax)) == manifest()


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_the_same_manifest_gives_the_same_bytes(syntax: str) -> None:
    first = encode(manifest(), transfer_syntax=syntax)
    assert encode(manifest(), transfer_syntax=syntax) == first
    # pydicom writes the very same data set: order, padding and lengths are the standard's.
    dataset = pydicom.dcmread(io.BytesIO(first))
    again = io.BytesIO()
    dataset.save_as(again, enforce_file_format=True)
    assert again.getvalue() == first


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_pydicom_reads_the_same_values(syntax: str) -> None:
    kos = pydicom.dcmread(io.BytesIO(encode(manifest(), transfer_syntax=syntax)))
    assert kos.file_meta.TransferSyntaxUID == syntax
    assert kos.file_meta.MediaStorageSOPInstanceUID == kos.SOPInstanceUID == "2.25.100"
    assert kos.Modality == "KO"
    assert kos.PatientID == "279035121518989"
    assert kos.ManufacturerModelName == "référence"
    assert kos.IssuerOfPatientIDQualifiersSequence[0].UniversalEntityID == INS.universal_id
    assert kos.OtherPatientIDsSequence[0].TypeOfPatientID == "TEXT"
    assert list(kos.OtherPatientNames) == ["^DOMINIQUE", "PAT-TROIS^DOMINIQUE"]
    assert kos.AccessionNumber == ""
    assert len(kos.ReferencedPerformedProcedureStepSequence) == 0
    request = kos.ReferencedRequestSequence[0]
    assert request.AccessionNumber == "ACN101"
    assert request.PlacerOrderNumberImagingServiceRequest == "OPN101"
    assert request.OrderPlacerIdentifierSequence[0].UniversalEntityIDType == "ISO"
    series = kos.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert series[0].RetrieveURL == "https://db1.test/rs/studies/2.25.1/series/2.25.2"
    assert series[1].RetrieveLocationUID == "2.25.77"
    assert [item.ReferencedSOPInstanceUID for item in series[0].ReferencedSOPSequence] == [
        "2.25.11",
        "2.25.12",
        "2.25.13",
    ]
    image = series[1].ReferencedSOPSequence[0]
    assert (image.InstanceNumber, image.NumberOfFrames) == (1, 12)
    assert image.ReferencedSOPSequence[0].ConceptNameCodeSequence[0].CodeValue == "113000"
    assert kos.ConceptNameCodeSequence[0].CodeValue == "113030"
    assert kos.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert kos.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "2.25.11"
    assert kos.ContentSequence[-1].TextValue.splitlines()[0] == "Examen : TDM thorax"


def test_absent_and_empty_are_not_the_same() -> None:
    sparse = dataclasses.replace(
        manifest(), sex=None, referring_physician="", requests=(), other_patient_ids=None
    )
    read = decode(encode(sparse))
    assert read == sparse
    assert (read.sex, read.referring_physician) == (None, "")
    assert (read.requests, read.other_patient_ids) == ((), None)


def test_shortcuts() -> None:
    read = manifest()
    assert [series.series_uid for series in read.series()] == ["2.25.2", "2.25.3"]
    assert len(read.instances()) == 5
    assert (read.description() or "").startswith("Examen : TDM thorax\nActe = Scanner\n")


def test_a_text_out_of_the_character_set_is_our_mistake() -> None:
    greek = dataclasses.replace(manifest(), study_description="β-scan")
    with pytest.raises(LocalProtocolError, match=r"0008,1030"):
        encode(greek)
    assert character_set_for(["œil"]) == "ISO_IR 192"
    assert character_set_for(["été"]) == "ISO_IR 100"
    unicode = dataclasses.replace(greek, specific_character_set="ISO_IR 192")
    assert decode(encode(unicode)).study_description == "β-scan"


def test_other_transfer_syntaxes_and_uids_are_refused() -> None:
    with pytest.raises(LocalProtocolError):
        encode(manifest(), transfer_syntax="1.2.840.10008.1.2.2")
    with pytest.raises(LocalProtocolError):
        encode(dataclasses.replace(manifest(), sop_instance="1.02"))


def test_a_large_manifest_costs_less_than_a_toolkit_that_builds_objects() -> None:
    large = manifest(10_000)
    data = encode(large)
    assert decode(data) == large

    def elements(dataset: pydicom.Dataset) -> int:
        """Every element made, as whoever reads them all makes it."""
        return sum(1 for _ in dataset.iterall())

    encoded, decoded, toolkit = costs(
        lambda: encode(large),
        lambda: decode(data),
        lambda: elements(pydicom.dcmread(io.BytesIO(data))),
    )
    assert encoded < toolkit
    assert decoded < toolkit


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/reference absent")
def test_the_ans_sample_is_read() -> None:
    kos = decode(SAMPLE.read_bytes())
    assert kos.patient_id == "162018885045327"
    assert kos.patient_id_qualifiers == (INS,)
    assert kos.requests is not None
    assert kos.requests[0].accession_number == "7252295367250016"
    assert [len(series.instances) for series in kos.series()] == [10, 10]
    assert kos.series()[0].retrieve_url is not None
    lines = parse_description(kos.description() or "")
    assert lines.exam == "Exam A"
    assert [(line.modality, line.region, line.description) for line in lines.series] == [
        ("MR", "", "T2 Ax Space Iso RT"),
    ] * 2
    assert {line.series_uid for line in lines.series} == {s.series_uid for s in kos.series()}
    # What circulates can be written back as it is read.
    assert decode(encode(kos, transfer_syntax=IMPLICIT)) == kos


@pytest.mark.interop
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_dciodvfy_finds_no_error(tmp_path: Path, syntax: str) -> None:
    program = shutil.which("dciodvfy")
    if program is None:
        pytest.skip("dciodvfy absent (extra interop)")
    path = tmp_path / "kos.dcm"
    # URLs, instance numbers and notes in the evidence are extensions: warnings, no errors.
    path.write_bytes(encode(manifest(), transfer_syntax=syntax))
    done = subprocess.run([program, str(path)], capture_output=True, timeout=30, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert "KeyObjectSelectionDocument" in output
    assert [line for line in output.splitlines() if line.startswith("Error")] == []


def test_descriptions_as_they_circulate() -> None:
    text = (
        "Examen : Tête^Dental (Adulte)\r\nActe = TDM\n"
        "Serie-1.2.3 : CT : Dentascan  0.75  H60s\n"
        "Série-1.2.4 : MR @  : T2 : fin\n"
        "Série-1.2.5 : CT @ Abdomen : \nautre chose"
    )
    read = parse_description(text)
    assert read.exam == "Tête^Dental (Adulte)"
    assert read.acts == ("TDM",)
    assert read.series == (
        SeriesLine("1.2.3", "CT", "", "Dentascan  0.75  H60s"),
        SeriesLine("1.2.4", "MR", "", "T2 : fin"),
        SeriesLine("1.2.5", "CT", "Abdomen", ""),
    )
    assert read.other == ("autre chose",)


words = st.text("ABC éè012", max_size=12).map(str.strip)


@given(
    st.builds(
        Description,
        st.none() | words,
        st.lists(words, max_size=3).map(tuple),
        st.lists(
            st.builds(SeriesLine, st.just("1.2.3"), st.just("CT"), words, words), max_size=4
        ).map(tuple),
    )
)
def test_description_round_trip(description: Description) -> None:
    assert parse_description(format_description(description)) == description


@given(st.text(max_size=200))
def test_any_text_is_a_description(text: str) -> None:
    parse_description(text)


@settings(max_examples=200)
@given(st.data())
def test_damaged_files_only_raise_syntax_errors(data: st.DataObject) -> None:
    good = bytearray(
        encode(manifest(), transfer_syntax=data.draw(st.sampled_from([EXPLICIT, IMPLICIT])))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(132, len(good) - 1))
        good[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    with contextlib.suppress(KosSyntaxError):
        decode(bytes(good[:cut] if data.draw(st.booleans()) else good))


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_every_byte_damaged_in_turn_only_raises_syntax_errors(syntax: str) -> None:
    """Whatever is read late, like the items that are alike, is read under the same promise."""
    good = encode(manifest(), transfer_syntax=syntax)
    refused = 0
    for position in range(132, len(good)):
        for wrong in (0, 0xFF):
            damaged = bytearray(good)
            damaged[position] = wrong
            try:
                decode(bytes(damaged))
            except KosSyntaxError:
                refused += 1
    assert refused


@given(st.binary(max_size=400))
def test_hostile_bytes_only_raise_syntax_errors(data: bytes) -> None:
    for prefix in (b"", bytes(128) + b"DICM"):
        with contextlib.suppress(KosSyntaxError):
            decode(prefix + data)


def test_a_file_that_is_no_dicom_says_so() -> None:
    with pytest.raises(KosSyntaxError, match="DICM"):
        decode(b"<html/>")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
@pytest.mark.parametrize("undefined", [False, True])
def test_what_is_alike_and_what_is_not_are_read_the_same(syntax: str, undefined: bool) -> None:
    """Items written by a stranger, of defined length or not: the quick way and the general one."""
    from io import BytesIO

    from pydicom.dataset import Dataset, FileMetaDataset

    from protocols.kos import decode

    def item(kind: str, *uids: str, text: str = "") -> Dataset:
        made = Dataset()
        made.RelationshipType, made.ValueType = "CONTAINS", kind
        if text:
            made.TextValue = text
        made.ReferencedSOPSequence = []
        for uid in uids:
            reference = Dataset()
            reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.3", uid
            reference.is_undefined_length_sequence_item = undefined
            made.ReferencedSOPSequence.append(reference)
        made.is_undefined_length_sequence_item = undefined
        return made

    written = [
        item("IMAGE", "1.1"), item("IMAGE", "1.22"), item("COMPOSITE", "1.3"),
        item("IMAGE", "1.4", "1.55"), item("IMAGE"), item("IMAGE", "1.6", text="note"),
    ]  # fmt: skip
    whole = Dataset()
    whole.SOPClassUID, whole.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.59", "1.9"
    whole.ContentSequence = written
    whole["ContentSequence"].is_undefined_length = undefined
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    whole.save_as(buffer, enforce_file_format=True)
    read = decode(buffer.getvalue())
    assert [(one.value_type, one.text, one.references) for one in read.content] == [
        (
            str(one.ValueType),
            one.get("TextValue"),
            tuple(("1.2.3", str(each.ReferencedSOPInstanceUID))
                  for each in one.ReferencedSOPSequence),
        )
        for one in written
    ]  # fmt: skip
