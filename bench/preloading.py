"""A Source that starts from KOS preloaded as XDM, as if it had published them before the run.

The DMP holds the KOS, the archive says what the Source would have kept of it, and the vendor's
program or a person imports it: what is then tested is what comes after a publication. Réf.: ANS
FAQ, integration of KOS for tests (grade: faq); archive of DRIM-M_DATA (grade: sample).
"""

from __future__ import annotations

from pathlib import Path

from bench.attending import instruct
from bench.changes import ByHand
from bench.dataset import archive, lot
from bench.dataset.manifest import Subject, expected_kos
from bench.dataset.writing import reference_to
from bench.elsewhere import entry_about
from bench.imagery import files_of
from bench.publishing import Publishing
from bench.story import PlannedExam
from protocols import kos
from simulators.igc import Credential

__all__ = ["preload"]


def preload(publishing: Publishing, exam: PlannedExam) -> None:
    """The exam's KOS is in the DMP and in the Source's own archive; its images are in the PACS.

    The XDM archive stays in the run's folder `xdm`.

    Raises:
        CannotVerify: nobody imports it, or the import failed.
    """
    story = publishing.story
    path = _written(publishing, exam)
    try:
        story.bed.changes("import-xdm", (str(path),))
    except ByHand as asked:
        instruct(story.stage, str(asked))


def _written(publishing: Publishing, exam: PlannedExam) -> Path:
    story = publishing.story
    bed, case, patient, site = story.bed, story.case, story.patient, story.bed.site
    assert patient.ins is not None
    assert patient.ipp is not None
    now, uid = bed.clock(), case.uid("le KOS préchargé")
    document = expected_kos(
        Subject(
            patient=patient,
            structure=story.structure,
            exam=exam,
            uid=uid,
            series_uid=case.uid("la série du KOS préchargé"),
            written=now,
        ),
        {
            series: tuple(map(reference_to, files))
            for series, files in files_of(exam, patient).items()
        },
        base_url=f"https://{site.names.source}/drimbox/rs",
    )
    entry = entry_about(exam, patient, uid, published=now)
    entry_uuid = bed.dmp.deposit(entry, document, patient.ins.value, patient.ins.oid)
    case.identifiers["l'entryUUID"] = entry_uuid
    described = lot.describe(
        kos_uid=uid,
        kos=document,
        exam=exam,
        patient=patient,
        author=story.author,
        structure=story.structure,
        installation=site.installation_oid,
        set_uid=case.uid("le lot préchargé"),
        signature_uid=case.uid("la signature du lot préchargé"),
        folder=archive.folder_of(1),
        signer=Credential.read(bed.papers.directory, f"sign-{story.structure.id}"),
        moment=now,
        entry_uuid=entry_uuid,
    )
    packed = archive.pack(
        [(described, story.report().id)],
        patient=patient,
        structure=story.structure.name,
        moment=now,
    )
    story.stage.publish_case()
    publishing.preloaded.append(kos.decode(document))
    folder = bed.directory / "xdm"
    folder.mkdir(exist_ok=True)
    path = folder / f"{story.stage.info.id}.zip"
    path.write_bytes(packed)
    return path
