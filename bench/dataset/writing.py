"""A situation on disk: messages, reports, images, notes, expected KOS, archive, and a LISEZMOI.

Images stream: whatever their number, one at a time is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bench.dataset import archive, lot, notice
from bench.dataset.manifest import Instances, Subject, expected_kos, rejection_note
from bench.dataset.prepared import Prepared
from bench.dataset.situations import Act, Step
from bench.errors import BenchError
from bench.imagery import acquisition
from bench.story import PlannedExam
from protocols.dicom import read_texts, split_part10
from protocols.kos import InstanceRef
from simulators import modality
from simulators.igc import Credential, seeded_signer
from simulators.modality import derived_uid

__all__ = ["Progress", "write"]

Progress = Callable[[int, int], None]
"""Told how many images are done, of how many."""

_INSTANCE_NUMBER = 0x00200013
_KINDS = {
    Act.CREATE: "creation",
    Act.REPLACE: "remplacement",
    Act.HIDE: "visibilite",
    Act.DELETE: "depublication",
    Act.REJECT: "rejet",
}


def write(
    prepared: Prepared, folder: Path, *, host: str, progress: Progress = lambda done, of: None
) -> tuple[Path, ...]:
    """Write the files of a situation under `folder`; returns them, in the order written.

    `host` is the Source's `db` name, in the RetrieveURLs of the expected KOS.

    Raises:
        BenchError: the folder holds something already, or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BenchError(f"{folder} : un dossier vide ou nouveau est attendu")
    writer = _Writer(prepared, folder, f"https://{host}/drimbox/rs")
    try:
        return tuple(writer.run(progress))
    except OSError as error:
        raise BenchError(f"{error.filename} : ne peut pas être écrit ({error.strerror})") from None


def reference_to(file: bytes) -> InstanceRef:
    """How a KOS refers to that DICOM file."""
    part10 = split_part10(file)
    texts = read_texts(
        part10.dataset, transfer_syntax=part10.transfer_syntax, tags=(_INSTANCE_NUMBER,)
    )
    return InstanceRef(part10.sop_class, part10.sop_instance, texts.get(_INSTANCE_NUMBER) or None)


class _Writer:
    """Writes one situation; knows what the PACS holds once the images are made."""

    def __init__(self, prepared: Prepared, folder: Path, base_url: str) -> None:
        self._prepared = prepared
        self._folder = folder
        self._base_url = base_url
        self._held: dict[int, dict[str, tuple[InstanceRef, ...]]] = {}
        self._published: list[tuple[int, Step, int, PlannedExam, str, bytes]] = []

    def run(self, progress: Progress) -> Iterator[Path]:
        """Every file, as it is written."""
        yield from self._images(progress)
        for number, step in self._prepared.steps:
            yield from self._messages(number, step)
            yield from self._documents(number, step)
        yield self._file("xdm/IHE_XDM.zip", self._archive())
        yield self._file("situation.json", notice.as_json(self._prepared))
        yield self._file("LISEZMOI.md", notice.as_text(self._prepared).encode())

    def _images(self, progress: Progress) -> Iterator[Path]:
        done, total = 0, self._prepared.situation.images
        for number, (exam, plan) in enumerate(
            zip(self._prepared.exams, self._prepared.situation.exams, strict=True), 1
        ):
            made = modality.make(acquisition(exam, self._prepared.patient, matrix=plan.matrix))
            held = self._held.setdefault(number, {})
            for rank, series in enumerate(exam.series, 1):
                references: list[InstanceRef] = []
                for index in range(1, series.images + 1):
                    file = next(made)
                    references.append(reference_to(file))
                    name = f"images/examen-{number}/serie-{rank}/IMG{index:05}.dcm"
                    yield self._file(name, file)
                    done += 1
                    progress(done, total)
                held[series.uid] = tuple(references)

    def _messages(self, number: int, step: Step) -> Iterator[Path]:
        prepared, name = self._prepared, f"{number}-{_KINDS[step.act]}"
        # The PACS carries no document: what it says is about the exam.
        document = b"" if step.act is Act.REJECT else prepared.report(number).document()
        for form in step.forms:
            if form != "IOCM":
                message = prepared.message(number, form, document)
                yield self._file(f"hl7v2/{form}/{name}.hl7", message)
        if document:
            yield self._file(f"cda/{name}.xml", document)

    def _documents(self, number: int, step: Step) -> Iterator[Path]:
        """The note of the PACS, then the KOS that is in force after the step."""
        name = f"{number}-{_KINDS[step.act]}"
        for place, exam in self._prepared.exams_of(step):
            held = self._held[place]
            if step.act is Act.REJECT:
                gone = _rejected(exam, held, step)
                note = rejection_note(self._subject(number, place, exam, "la note"), gone)
                yield self._file(f"iocm/{name}-examen-{place}.dcm", note)
                held = {uid: found for uid, found in held.items() if uid not in gone}
                self._held[place] = held
            if step.act is Act.DELETE or not held:
                continue
            about = self._subject(number, place, exam, "le KOS")
            kos = expected_kos(about, held, base_url=self._base_url, version=number)
            self._published.append((number, step, place, exam, about.uid, kos))
            yield self._file(f"kos/{name}-examen-{place}.dcm", kos)

    def _subject(self, number: int, place: int, exam: PlannedExam, what: str) -> Subject:
        prepared, case = self._prepared, self._prepared.case
        return Subject(
            patient=prepared.patient,
            structure=prepared.site.structure,
            exam=exam,
            uid=case.uid(f"{what} {number} de l'examen {place}"),
            # One series for all the versions of a study's document.
            series_uid=derived_uid(exam.study_uid, what),
            written=prepared.moment(number),
        )

    def _archive(self) -> bytes:
        """The lots of the first publications: what a preloaded Source starts from."""
        prepared, signer = self._prepared, _signer(self._prepared)
        first = [one for one in self._published if one[1].act is Act.CREATE]
        lots = []
        for rank, (number, _, place, exam, uid, kos) in enumerate(first, 1):
            described = lot.describe(
                kos_uid=uid,
                kos=kos,
                exam=exam,
                patient=prepared.patient,
                author=prepared.site.radiologist,
                structure=prepared.site.structure,
                installation=prepared.site.installation_oid,
                set_uid=prepared.case.uid(f"le lot {place}"),
                signature_uid=prepared.case.uid(f"la signature du lot {place}"),
                folder=archive.folder_of(rank),
                signer=signer,
                moment=prepared.moment(number),
            )
            lots.append((described, prepared.report(number).id))
        return archive.pack(
            lots,
            patient=prepared.patient,
            structure=prepared.site.structure.name,
            moment=prepared.moment(1),
        )

    def _file(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path


def _rejected(exam: PlannedExam, held: Instances, step: Step) -> Instances:
    ranks = step.rejected or range(1, len(exam.series) + 1)
    return {exam.series[rank - 1].uid: held[exam.series[rank - 1].uid] for rank in ranks}


def _signer(prepared: Prepared) -> Credential:
    structure = prepared.site.structure
    return seeded_signer(
        f"donnees|{prepared.seed}",
        cn=prepared.site.source_cn,
        ou=structure.id,
        o=structure.name,
        begin=prepared.case.started,
    )
