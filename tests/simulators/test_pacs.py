"""The PACS: what it finds, what it sends, how it fails, and what strangers get from it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from protocols import kos
from protocols.dicom import DicomSyntaxError, read_texts, split_part10
from simulators.modality import JPEG_LS_LOSSLESS, Exam, Patient, Series, make
from simulators.pacs import Pacs, PacsConfig, build
from simulators.pacs.matching import matches
from validators.api import validate
from validators.finding import Severity
from wire.dimse import Cancellation, DimseClient, DimseFailure, DimsePeer
from wire.exchange import Exchange, ignore

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
PATIENT = Patient(
    name="PAT-TROIS^Dominique", patient_id="IPP-1", issuer="HOP", issuer_oid="1.2.250.1.9",
    birth_date="19790328", sex="F",
)  # fmt: skip
THORAX = Exam(
    patient=PATIENT, study_uid="2.25.1001", accession="ACN-1", accession_issuer_oid="1.2.250.1.5",
    date="20261120", description="TDM thorax é", matrix=32, study_id="S1",
    series=(
        Series(modality="CT", description="Fin", count=4, transfer_syntax=JPEG_LS_LOSSLESS),
        Series(modality="CT", description="Os", count=2),
    ),
)  # fmt: skip
HEAD = Exam(
    patient=Patient(name="AUTRE^Paul", patient_id="IPP-2"), study_uid="2.25.1002",
    accession="ACN-2", date="20250101", matrix=32,
    series=(Series(modality="MR", body_part="HEAD", count=3, transfer_syntax=IMPLICIT),),
)  # fmt: skip


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return [file for exam in (THORAX, HEAD) for file in make(exam)]


@pytest.fixture
def pacs(files: list[bytes]) -> Iterator[Pacs]:
    with build(PacsConfig(timeout=5), ignore) as running:
        for file in files:
            running.load(file)
        yield running


@pytest.fixture
def station() -> Iterator[Pacs]:
    """Somewhere to move to."""
    with build(PacsConfig(ae_title="STATION", actor="station"), ignore) as running:
        yield running


def peer(pacs: Pacs) -> DimsePeer:
    return DimsePeer(pacs.host, pacs.port, pacs.ae_title, "pacs")


def client(title: str = "BOX") -> DimseClient:
    return DimseClient(title, actor="source", observe=ignore, timeout=5)


def keys(level: str, **values: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def test_study_level_attributes(pacs: Pacs) -> None:
    issuer = Dataset()
    issuer.UniversalEntityID = ""
    query = keys(
        "STUDY", StudyInstanceUID=THORAX.study_uid, PatientID="", PatientName="", StudyDate="",
        AccessionNumber="", IssuerOfAccessionNumberSequence=[issuer], ModalitiesInStudy="",
        StudyDescription="", NumberOfStudyRelatedSeries="", NumberOfStudyRelatedInstances="",
        ReferringPhysicianName="", InstanceAvailability="", OtherPatientNames="",
    )  # fmt: skip
    (found,) = client().find(peer(pacs), query)
    assert (found.PatientID, found.PatientName) == ("IPP-1", "PAT-TROIS^Dominique")
    assert (found.AccessionNumber, found.StudyDate) == ("ACN-1", "20261120")
    assert found.IssuerOfAccessionNumberSequence[0].UniversalEntityID == "1.2.250.1.5"
    assert found.ModalitiesInStudy == "CT"
    assert (found.NumberOfStudyRelatedSeries, found.NumberOfStudyRelatedInstances) == (2, 6)
    assert found.StudyDescription == "TDM thorax é"
    assert (found.RetrieveAETitle, found.InstanceAvailability) == ("PACS", "ONLINE")
    assert "OtherPatientNames" in found
    assert not found.OtherPatientNames


def test_relational_image_query_as_a_known_client_writes_it(pacs: Pacs) -> None:
    query = keys(
        "IMAGE", StudyInstanceUID=THORAX.study_uid, StudyDate="", AccessionNumber="", PatientID="",
        SOPClassUID="", InstanceNumber="", NumberOfFrames="", SeriesNumber="",
    )  # fmt: skip
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID", "Modality"):
        query.add_new(keyword, pydicom.datadict.dictionary_VR(keyword), "*")
    found = client().find(peer(pacs), query)
    assert len(found) == 6
    assert {one.PatientID for one in found} == {"IPP-1"}
    assert [one.InstanceNumber for one in found] == [1, 2, 3, 4, 1, 2]
    assert {one.SeriesInstanceUID for one in found} == {THORAX.series_uid(0), THORAX.series_uid(1)}


def test_hierarchical_only(files: list[bytes]) -> None:
    with build(PacsConfig(relational=False), ignore) as strict:
        for file in files:
            strict.load(file)
        with pytest.raises(DimseFailure) as caught:
            client().find(peer(strict), keys("IMAGE", StudyInstanceUID=THORAX.study_uid))
        assert caught.value.status == 0xA900
        series = THORAX.series_uid(0)
        found = client().find(
            peer(strict),
            keys("IMAGE", StudyInstanceUID=THORAX.study_uid, SeriesInstanceUID=series),
        )
        assert len(found) == 4
        with pytest.raises(DimseFailure):
            client().find(
                peer(strict), keys("STUDY", StudyInstanceUID=THORAX.study_uid), model="PATIENT"
            )


@pytest.mark.parametrize(
    ("query", "studies"),
    [
        ({"PatientName": "pat-*"}, [THORAX]),
        ({"PatientName": "*PAUL"}, [HEAD]),
        ({"PatientID": "IPP-?"}, [THORAX, HEAD]),
        ({"PatientID": "ipp-1"}, []),
        ({"StudyDate": "20260101-"}, [THORAX]),
        ({"StudyDate": "-20251231"}, [HEAD]),
        ({"StudyDate": "20250101"}, [HEAD]),
        ({"StudyInstanceUID": ["2.25.1001", "2.25.1002", "2.25.9"]}, [THORAX, HEAD]),
        ({"StudyInstanceUID": "2.25.404"}, []),
        ({"ModalitiesInStudy": "MR"}, [HEAD]),
        ({"AccessionNumber": "ACN-1", "PatientID": "IPP-2"}, []),
        ({}, [THORAX, HEAD]),
    ],
)
def test_matching(pacs: Pacs, query: dict[str, Any], studies: list[Exam]) -> None:
    found = client().find(peer(pacs), keys("STUDY", **{"StudyInstanceUID": "", **query}))
    assert [one.StudyInstanceUID for one in found] == [exam.study_uid for exam in studies]


def test_sequence_matching(pacs: Pacs) -> None:
    for oid, count in (("1.2.250.1.5", 1), ("1.2.250.1.6", 0)):
        issuer = Dataset()
        issuer.UniversalEntityID = oid
        query = keys("STUDY", StudyInstanceUID="", IssuerOfAccessionNumberSequence=[issuer])
        assert len(client().find(peer(pacs), query)) == count


def test_patient_level_and_unknown_level(pacs: Pacs) -> None:
    found = client().find(
        peer(pacs), keys("PATIENT", PatientID="", NumberOfPatientRelatedStudies=""), model="PATIENT"
    )
    assert [one.PatientID for one in found] == ["IPP-1", "IPP-2"]
    with pytest.raises(DimseFailure) as caught:
        client().find(peer(pacs), keys("PATIENT", PatientID=""))
    assert caught.value.status == 0xA900


def test_hostile_wildcards_are_quick() -> None:
    key, stored = Dataset(), Dataset()
    key.PatientComments = "*a" * 30 + "b"
    stored.PatientComments = "a" * 60
    assert not matches(key["PatientComments"], stored["PatientComments"])
    key.PatientComments = "[a]?"
    stored.PatientComments = "[a]b"
    assert matches(key["PatientComments"], stored["PatientComments"])


def test_move_sends_the_bytes_that_are_stored(pacs: Pacs, station: Pacs) -> None:
    pacs.add_destination("STATION", station.host, station.port)
    for exam in (THORAX, HEAD):
        result = client().move(
            peer(pacs),
            keys("STUDY", StudyInstanceUID=exam.study_uid),
            destination="STATION",
            message_id=77,
        )
        assert (result.status, result.completed) == (0, sum(one.count for one in exam.series))
        sent = pacs.instances(exam.study_uid)
        got = station.instances(exam.study_uid)
        assert [one.dataset() for one in got] == [one.dataset() for one in sent]
        assert [one.transfer_syntax for one in got] == [one.transfer_syntax for one in sent]
    received = station.wait_received(9, timeout=5)
    assert {(one.move_originator_ae, one.move_originator_message_id) for one in received} == {
        ("BOX", 77)
    }


def test_move_of_one_series_or_image(pacs: Pacs, station: Pacs) -> None:
    pacs.add_destination("STATION", station.host, station.port)
    one_series = keys(
        "SERIES", StudyInstanceUID=THORAX.study_uid, SeriesInstanceUID=THORAX.series_uid(1)
    )
    assert client().move(peer(pacs), one_series, destination="STATION").completed == 2
    two_images = keys(
        "IMAGE", StudyInstanceUID=THORAX.study_uid, SeriesInstanceUID=THORAX.series_uid(0),
        SOPInstanceUID=[THORAX.instance_uid(0, 0), THORAX.instance_uid(0, 3)],
    )  # fmt: skip
    assert client().move(peer(pacs), two_images, destination="STATION").completed == 2
    with pytest.raises(DimseFailure) as caught:
        client().move(peer(pacs), keys("SERIES"), destination="STATION")
    assert caught.value.status == 0xA900
    with pytest.raises(DimseFailure) as caught:
        client().move(peer(pacs), one_series, destination="UNKNOWN")
    assert caught.value.status == 0xA801


def test_a_destination_that_refuses_the_stored_syntax(pacs: Pacs) -> None:
    """JPEG-LS is undone for it, value for value; what this PACS cannot undo does not leave."""
    with build(PacsConfig(ae_title="OLD", transfer_syntaxes=(EXPLICIT,)), ignore) as old:
        pacs.add_destination("OLD", old.host, old.port)
        query = keys("STUDY", StudyInstanceUID=THORAX.study_uid)
        result = client().move(peer(pacs), query, destination="OLD")
        assert (result.status, result.completed, result.failed) == (0, 6, 0)
        for sent in old.instances(THORAX.study_uid):
            held = pacs.stored(sent.sop_instance)
            assert held is not None
            there, here = (pixels(one.file()) for one in (sent, held))
            assert sent.transfer_syntax == EXPLICIT
            assert np.array_equal(there, here)
        # Uncompressed is rewritten when it must.
        query = keys("STUDY", StudyInstanceUID=HEAD.study_uid)
        assert client().move(peer(pacs), query, destination="OLD").completed == 3
        assert {one.transfer_syntax for one in old.instances(HEAD.study_uid)} == {EXPLICIT}
        other = pacs.instances(HEAD.study_uid)[0]
        other.transfer_syntax, kept = "1.2.840.10008.1.2.4.102", other.transfer_syntax
        result = client().move(peer(pacs), query, destination="OLD")
        other.transfer_syntax = kept
        assert (result.status, result.completed, result.failed) == (0xB000, 2, 1)


def pixels(file: bytes) -> Any:
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(file)).pixel_array


def test_receiving(pacs: Pacs, files: list[bytes]) -> None:
    before = pacs.count()
    changed = pydicom.dcmread(pydicom.filebase.DicomBytesIO(files[0]))
    changed.PatientID = "IPP-9"
    buffer = pydicom.filebase.DicomBytesIO()
    changed.save_as(buffer, enforce_file_format=True)
    assert client("EXPORT").store(peer(pacs), [buffer.parent.getvalue()]) == [0]
    (received,) = pacs.wait_received(timeout=5, where=lambda one: one.calling_ae == "EXPORT")
    assert not received.new
    assert received.instance.attributes.PatientID == "IPP-9"
    assert pacs.count() == before
    held = pacs.archive.get(received.instance.sop_instance)
    assert held is received.instance


def test_unknown_callers_can_be_turned_away() -> None:
    config = PacsConfig(calling_ae_titles=frozenset({"BOX"}))
    with build(config, ignore) as guarded:
        client("BOX").echo(peer(guarded))
        with pytest.raises(DimseFailure) as caught:
            client("INTRUDER").echo(peer(guarded))
    assert caught.value.kind == "refused"


def test_the_archive_keeps_and_forgets(files: list[bytes], tmp_path: Path) -> None:
    pacs = build(PacsConfig(), ignore)
    assert pacs.load(files[0]).file()[132:] != b""
    path = tmp_path / "one.dcm"
    path.write_bytes(files[1])
    first, second = pacs.load(files[0]), pacs.load(path)
    third = pacs.load(pydicom.dcmread(pydicom.filebase.DicomBytesIO(files[2])))
    assert pacs.count() == pacs.count(THORAX.study_uid) == 3
    assert [one.sop_instance for one in (first, second, third)] == [
        THORAX.instance_uid(0, index) for index in range(3)
    ]
    assert first.file() == files[0]
    assert pacs.remove(instance=second.sop_instance) == 1
    assert pacs.remove(study=THORAX.study_uid) == 2
    assert pacs.count() == 0
    with pytest.raises(DicomSyntaxError):
        pacs.load(b"no dicom")


def test_shared_pixels_are_kept_once() -> None:
    exam = Exam(patient=PATIENT, study_uid="2.25.5", matrix=32, series=(Series(count=100),))
    pacs = build(PacsConfig(), ignore)
    tails = {id(pacs.load(file).tail) for file in make(exam)}
    assert len(tails) == 40


RELATIONAL = (
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality",
    "AccessionNumber", "IssuerOfAccessionNumberSequence", "PatientName", "PatientID",
    "PatientBirthDate", "PatientSex", "NumberOfStudyRelatedInstances",
)  # fmt: skip


def told(data: bytes) -> dict[str, Severity]:
    """What the judge of C-FIND answers says of some, recognised by what they look like."""
    report = validate(data)
    assert report.kind == "c-find"
    return {one.rule: one.severity for one in report.findings}


def test_what_it_answers_is_judged_as_the_wire_keeps_it(pacs: Pacs) -> None:
    seen: list[Exchange] = []
    asking = DimseClient("BOX", actor="source", observe=seen.append, timeout=5)
    for level in ("STUDY", "SERIES", "IMAGE"):
        asking.find(peer(pacs), keys(level, **dict.fromkeys(RELATIONAL, "")))
        response = seen[-1].response
        assert response is not None
        assert told(response.body) == {}


# Strangers.

NODELAY = {**os.environ, "TCP_NODELAY": "1"}


def run(name: str, *arguments: str) -> str:
    program = next(
        (path for path in (f"/usr/bin/{name}", shutil.which(name) or "") if Path(path).is_file()),
        None,
    )
    if program is None or "DCMTK" not in (
        subprocess.run([program, "--version"], capture_output=True, check=False)
        .stdout.decode()
        .upper()
    ):
        pytest.skip(f"{name} (DCMTK) absent")
    done = subprocess.run(
        [program, *arguments], capture_output=True, timeout=60, check=False, env=NODELAY
    )
    output = (done.stdout + done.stderr).decode("latin-1")
    assert done.returncode == 0, output
    return output


@pytest.mark.interop
def test_dcmtk_echoes_and_finds(pacs: Pacs) -> None:
    where = ("-aec", "PACS", pacs.host, str(pacs.port))
    run("echoscu", *where)
    output = run(
        "findscu", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID",
        "-k", "PatientID=IPP-1", "-k", "AccessionNumber", "-k", "NumberOfStudyRelatedInstances",
        *where,
    )  # fmt: skip
    assert THORAX.study_uid in output
    assert "ACN-1" in output
    assert HEAD.study_uid not in output


@pytest.mark.interop
@pytest.mark.parametrize("level", ["STUDY", "IMAGE"])
def test_what_dcmtk_extracts_is_judged(pacs: Pacs, tmp_path: Path, level: str) -> None:
    """Response files of `findscu -X`, and what `dcm2json` makes of one."""
    asked = [word for key in RELATIONAL for word in ("-k", key)]
    run(
        "findscu", "-S", "-X", "-od", str(tmp_path), "-k", f"QueryRetrieveLevel={level}", *asked,
        "-k", f"StudyInstanceUID={THORAX.study_uid}", "-aec", "PACS", pacs.host, str(pacs.port),
    )  # fmt: skip
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == (1 if level == "STUDY" else 6)
    for path in kept:
        assert told(path.read_bytes()) == {}
    assert told(run("dcm2json", str(kept[0])).encode("latin-1")) == {}


@pytest.mark.interop
def test_dcmtk_moves_to_itself(pacs: Pacs, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    pacs.add_destination("MOVESCU", "127.0.0.1", port)
    run(
        "movescu", "-S", "-aec", "PACS", "-aet", "MOVESCU", "-aem", "MOVESCU", "+P", str(port),
        "+xi", "-od", str(tmp_path), "-k", "QueryRetrieveLevel=STUDY",
        "-k", f"StudyInstanceUID={HEAD.study_uid}", pacs.host, str(pacs.port),
    )  # fmt: skip
    moved = sorted(tmp_path.iterdir())
    assert len(moved) == 3
    by_uid = {one.sop_instance: one for one in pacs.instances(HEAD.study_uid)}
    for path in moved:
        read = pydicom.dcmread(path)
        assert read.PixelData in by_uid[read.SOPInstanceUID].dataset()


@pytest.mark.interop
def test_dcmtk_stores(pacs: Pacs, tmp_path: Path, files: list[bytes]) -> None:
    pacs.remove()
    for index, file in enumerate(files):
        (tmp_path / f"{index}.dcm").write_bytes(file)
    run(
        "storescu", "-xt", "-aec", "PACS", pacs.host, str(pacs.port),
        *(str(tmp_path / f"{index}.dcm") for index in range(4)),
    )  # fmt: skip
    assert [one.file()[-200:] for one in pacs.instances()] == [one[-200:] for one in files[:4]]
    assert {one.transfer_syntax for one in pacs.instances()} == {JPEG_LS_LOSSLESS}


@pytest.mark.interop
def test_dcmtk_receives_our_moves(pacs: Pacs, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path("/usr/bin/storescp")
    if not program.is_file():
        pytest.skip("storescp (DCMTK) absent")
    process = subprocess.Popen(
        [program, "-v", "-aet", "DCMTK", "+xa", "-od", str(tmp_path), str(port)],
        env=NODELAY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        listening = threading.Event()
        for _ in range(200):
            try:
                client().echo(DimsePeer("127.0.0.1", port, "DCMTK"))
            except DimseFailure:
                listening.wait(0.05)
            else:
                break
        pacs.add_destination("DCMTK", "127.0.0.1", port)
        result = client().move(
            peer(pacs), keys("STUDY", StudyInstanceUID=THORAX.study_uid), destination="DCMTK"
        )
        assert (result.status, result.completed) == (0, 6)
    finally:
        process.terminate()
        process.wait(timeout=10)
    assert len(list(tmp_path.iterdir())) == 6


# -- what an archive does with an IOCM note --------------------------------------------------


def rejection(files: list[bytes], *, title: str, instances: int) -> bytes:
    """A note that rejects the first instances of the thorax."""
    parts = [split_part10(file) for file in files[:instances]]
    by_series: dict[str, list[kos.InstanceRef]] = {}
    for part in parts:
        texts = read_texts(part.dataset, transfer_syntax=part.transfer_syntax, tags=(0x0020000E,))
        reference = kos.InstanceRef(part.sop_class, part.sop_instance)
        by_series.setdefault(texts[0x0020000E], []).append(reference)
    evidence = tuple(
        kos.SeriesEvidence(series_uid=uid, instances=tuple(held)) for uid, held in by_series.items()
    )
    return kos.encode(
        kos.Manifest(
            sop_instance="2.25.77", series_uid="2.25.78", study_uid=THORAX.study_uid,
            studies=(kos.StudyEvidence(THORAX.study_uid, evidence),), content=(),
            title=(kos.Code(title, "DCM", "motif"),),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    ("title", "regular_use", "shown"),
    [
        ("113001", False, 4 + 1),
        ("113001", True, 6 + 1),
        ("113037", True, 4 + 1),
        ("113038", False, 4 + 1),
        ("113039", False, 4),
    ],
)
def test_a_note_hides_what_it_rejects_as_its_title_says(
    pacs: Pacs, files: list[bytes], title: str, regular_use: bool, shown: int
) -> None:
    note = rejection(files, title=title, instances=2)
    assert pacs.reject(note, regular_use=regular_use) == (0 if shown == 7 else 2)
    assert pacs.count(THORAX.study_uid) == shown, "the note is in the exam, but for 113039"
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "IMAGE", THORAX.study_uid
    asked.SOPInstanceUID = ""
    client = DimseClient("KIT", actor="box", observe=ignore)
    found = client.find(DimsePeer(pacs.host, pacs.port, pacs.ae_title), asked)
    assert len(found) == shown


def test_what_was_rejected_does_not_come_back(pacs: Pacs, files: list[bytes]) -> None:
    pacs.reject(rejection(files, title="113037", instances=1))
    pacs.load(files[0])
    assert pacs.stored(split_part10(files[0]).sop_instance) is None


def test_another_title_rejects_nothing(pacs: Pacs, files: list[bytes]) -> None:
    with pytest.raises(ValueError, match="113000"):
        pacs.reject(rejection(files, title="113000", instances=1))
    assert pacs.count(THORAX.study_uid) == 6


def test_a_note_is_forwarded_in_its_own_name(pacs: Pacs, files: list[bytes]) -> None:
    note = rejection(files, title="113037", instances=1)
    with build(PacsConfig(ae_title="BOX", timeout=5), ignore) as box:
        assert pacs.forward(note, DimsePeer(box.host, box.port, "BOX")) == 0
        (received,) = box.received
    assert (received.calling_ae, received.instance.sop_instance) == (pacs.ae_title, "2.25.77")
    assert received.move_originator_message_id is None


def got(pacs: Pacs, syntaxes: tuple[str, ...], **options: Any) -> tuple[Any, list[Any]]:
    """What a C-GET of the first study gives: its result, and the requests stored."""
    kept: list[Any] = []
    classes = {one.sop_class for one in pacs.instances(THORAX.study_uid)}
    result = client().get(
        peer(pacs),
        keys("STUDY", StudyInstanceUID=THORAX.study_uid),
        storage=dict.fromkeys(classes, syntaxes),
        store=lambda request: kept.append(request) or options.get("status", 0),
        cancellation=options.get("cancellation"),
    )
    return result, kept


def test_get_brings_the_images_back_on_the_same_association(pacs: Pacs) -> None:
    """Byte for byte where the syntax is asked for, JPEG-LS undone where it is not."""
    result, kept = got(pacs, (JPEG_LS_LOSSLESS, EXPLICIT))
    assert (result.status, result.completed, result.failed) == (0, 6, 0)
    for request in kept:
        held = pacs.stored(request.sop_instance)
        assert held is not None
        assert request.transfer_syntax == held.transfer_syntax
        assert request.dataset == held.dataset()
    result, kept = got(pacs, (EXPLICIT,))
    assert (result.completed, {one.transfer_syntax for one in kept}) == (6, {EXPLICIT})


def test_get_counts_what_is_refused_and_ends_when_cancelled(pacs: Pacs) -> None:
    with pytest.raises(DimseFailure) as caught:
        got(pacs, (JPEG_LS_LOSSLESS, EXPLICIT), status=0xA700)
    assert caught.value.result is not None
    assert (caught.value.status, caught.value.result.failed) == (0xA702, 6)
    cancellation = Cancellation()
    cancellation.request()
    with pytest.raises(DimseFailure) as caught:
        got(pacs, (JPEG_LS_LOSSLESS, EXPLICIT), cancellation=cancellation)
    assert caught.value.status == 0xFE00
