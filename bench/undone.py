"""What a local PACS that refuses compressed images holds of an exam that its Source compresses."""

from __future__ import annotations

from bench.consulting import Consulting
from bench.imagery import files_of
from bench.outcomes import CannotVerify
from protocols.dicom.pixels import frames_of, pixel_layout
from protocols.errors import RemoteProtocolError
from simulators.pacs.archive import Archive, Instance
from simulators.pacs.decompression import decompressed
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED_LITTLE_ENDIAN

__all__ = ["expect_undone"]


def expect_undone(consulting: Consulting) -> None:
    """Every image of the exam, uncompressed, each value as it was before its Source compressed it.

    What is asked (DB.CO.60, DB.CO.74) is that the exam be exported, uncompressed too; that a
    Consumer decompresses by itself is nowhere said. One that says on its page that it does not,
    and has exported nothing, is left to a person.
    """
    story, exam = consulting.story, consulting.story.exams[0]
    profile = story.stage.profile
    held = {one.sop_instance: one for one in story.bed.local_pacs.instances(exam.study_uid)}
    ours = not profile.external_consumer() and not profile.consumer.command
    if not held and not ours and "échec" in consulting.export_told:
        story.stage.leave_to_a_person(
            "le produit n'exporte pas vers un PACS qui refuse les images compressées, et le dit : "
            "comment y exporte-t-on un examen sans compression (DB.CO.74) ?"
        )
        return
    sent = Archive()
    for files in files_of(exam, story.patient).values():
        for file in files:
            sent.add_file(file)
    faults = [
        f"{one.sop_instance} : {fault}"
        for one in sent.instances()
        if (fault := _fault(held.get(one.sop_instance), one))
    ]
    story.stage.expect(
        "les images compressées arrivent décompressées, sans qu'une valeur change",
        not faults,
        expected=f"{exam.images} images non compressées, de mêmes valeurs",
        actual=" ; ".join(faults[:3]) or "toutes",
    )


def _fault(stored: Instance | None, sent: Instance) -> str:
    if stored is None:
        return "absente"
    syntax = stored.transfer_syntax
    if syntax not in UNCOMPRESSED_LITTLE_ENDIAN:
        return f"en {syntax}"
    try:
        expected = _values(decompressed(sent), EXPLICIT_VR_LITTLE_ENDIAN)
    except RemoteProtocolError as error:
        raise CannotVerify(f"images du banc illisibles : {error}") from error
    try:
        same = _values(stored.dataset(), syntax) == expected
    except RemoteProtocolError as error:
        return f"pixels illisibles ({error})"
    return "" if same else "autres valeurs"


def _values(dataset: bytes, transfer_syntax: str) -> bytes:
    layout = pixel_layout(dataset, transfer_syntax=transfer_syntax)
    if layout is None:
        return b""
    frames = frames_of(dataset, transfer_syntax=transfer_syntax, layout=layout)
    return b"".join(map(bytes, frames))
