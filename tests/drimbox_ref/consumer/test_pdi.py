"""The ZIP of an exam: what media readers find in it, and when there is none."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet

from drimbox_ref.consumer.pdi import PortableMedia, write_media
from drimbox_ref.consumer.values import ExportFailed, Failure, Received, Use
from protocols.dicom import split_part10
from simulators.modality import exam as modality
from simulators.modality import images
from tests.drimbox_ref.consumer.world import PROFESSIONAL, STUDY, World, call, make_library

pytestmark = pytest.mark.anyio


def make_exam(world: World, tmp_path: Path) -> tuple[list[Received], list[bytes]]:
    """Images as a modality makes them, on disk."""
    made = modality.Exam(
        patient=modality.Patient(name="PAT-TROIS^DOMINIQUE", patient_id="LOCAL-77"),
        study_uid=STUDY,
        accession="ACC-1",
        date="20261120",
        series=tuple(modality.Series(count=3, description=f"S{n}") for n in range(2)),
        matrix=32,
    )
    files = list(images.make(made))
    received = []
    for number, file in enumerate(files):
        part = split_part10(file)
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(file)
        received.append(
            Received(
                path=path,
                sop_class=part.sop_class,
                sop_instance=part.sop_instance,
                transfer_syntax=part.transfer_syntax,
                size=len(file),
            )
        )
    return received, files


def test_a_reader_of_media_finds_every_image(world: World, tmp_path: Path) -> None:
    received, files = make_exam(world, tmp_path)
    media = tmp_path / "media"
    exam = replace(world.exam(), description="Scanner <thoracique>")
    write_media(received, media, call(), exam, now=world.clock.now())
    found = FileSet(media / "DICOMDIR")
    assert {one.SOPInstanceUID for one in found} == {one.sop_instance for one in received}
    assert found.find_values("PatientID") == ["LOCAL-77"]
    by_uid = {split_part10(one).sop_instance: dcmread(BytesIO(one)) for one in files}
    for one in found:
        parts = Path(one.path).relative_to(media).parts
        assert all(len(part) <= 8 and part.upper() == part for part in parts)
        written = dcmread(one.path)
        # StudyID is empty in these images, and must not be in a DICOMDIR.
        assert written.pop("StudyID").value == b"1 "
        made = by_uid[one.SOPInstanceUID]
        del made.StudyID
        assert written == made
    assert {one.name for one in media.iterdir()} >= {"DICOMDIR", "INDEX.HTM", "README.TXT"}
    page = (media / "INDEX.HTM").read_text(encoding="utf-8")
    assert "Scanner &lt;thoracique&gt;" in page
    assert "DICOMDIR" in (media / "README.TXT").read_text(encoding="ascii")


def test_an_image_that_no_dicomdir_can_name_is_said(world: World, tmp_path: Path) -> None:
    received, _ = make_exam(world, tmp_path)
    data = dcmread(received[0].path)
    del data.StudyDate
    data.save_as(received[0].path)
    with pytest.raises(ExportFailed, match="support DICOM"):
        write_media(received, tmp_path / "media", call(), world.exam(), now=world.clock.now())


async def test_a_zip_is_whole_and_written_down(world: World, tmp_path: Path) -> None:
    received, files = make_exam(world, tmp_path)
    exam = world.exam()
    for number, series in enumerate(exam.series):
        some = slice(3 * number, 3 * number + 3)
        world.images.files[series.uid] = [
            (one.sop_instance, file) for one, file in zip(received[some], files[some], strict=True)
        ]
    exam = replace(
        exam,
        series=tuple(
            replace(
                series,
                instances=frozenset(uid for uid, _ in world.images.files[series.uid]),
            )
            for series in exam.series
        ),
    )
    world.parts = replace(world.parts, identity=_Anybody())
    library = make_library(world)
    media = PortableMedia(world.parts, library, spool=tmp_path / "zip", limit=10**6)
    file = await media.make(call(), world.login(), exam)
    with file, zipfile.ZipFile(file) as packed:
        assert packed.testzip() is None
        names = packed.namelist()
    assert {"DICOMDIR", "INDEX.HTM", "README.TXT", "IHE_PDI/README.TXT"} <= set(names)
    assert len(names) == 4 + 6
    assert {use for _, use in world.images.asked} == {Use.EXPORT_UNCOMPRESSED}
    assert list((tmp_path / "zip").iterdir()) == []
    (event,) = world.trail.events
    assert (event.outcome, event.subject) == (0, PROFESSIONAL.id)
    await library.aclose()


async def test_half_an_exam_is_no_zip(world: World, tmp_path: Path) -> None:
    library = make_library(world)
    media = PortableMedia(world.parts, library, spool=tmp_path / "zip", limit=10**6)
    world.images.faults = [ExportFailed(Failure.RETRIEVAL, "404")]
    with pytest.raises(ExportFailed, match="404"):
        await media.make(call(), world.login(), world.exam())
    assert list((tmp_path / "zip").iterdir()) == []
    assert [one.outcome for one in world.trail.events] == [8]
    await library.aclose()


class _Anybody:
    def check(self, image: object, ins: object) -> str:
        return ""
