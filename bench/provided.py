"""A report that we did not write, played through the whole chain (`drimbench run --report`).

The RIS sends its bytes as they are; studies without images are made with the identifiers that it
names; a certificate is issued for its structure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.consulting import Consulting
from bench.deadline import until
from bench.errors import BenchError
from bench.imagery import load_exam
from bench.outcomes import CannotVerify
from bench.publishing import Publishing, register
from bench.story import PlannedExam, PlannedSeries, Story
from protocols import cda
from protocols.cda import CdaSyntaxError, ImagingReport, ServiceEvent
from protocols.dicom import DicomSyntaxError
from simulators.dmp import DmpState
from simulators.ris.people import Identifier
from simulators.ris.subject import Subject

__all__ = ["Provided", "ProvidedError", "ProvidedReport", "read_report"]

_MODALITY = "121139"
"""DCM code of the translation that names the modality (IMG-CR-IMG header)."""
_GENERATED = 6
"""Images made for a study that comes without any."""


class ProvidedError(BenchError):
    """The file is not a report that can be played; names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class ProvidedReport:
    """The document and what the bench needs to know of it."""

    file: Path
    document: bytes
    header: ImagingReport
    subject: Subject

    @property
    def studies(self) -> tuple[ServiceEvent, ...]:
        """The documented acts that name a StudyInstanceUID."""
        return tuple(event for event in self.header.service_events if event.id is not None)


def read_report(file: Path) -> ProvidedReport:
    """Read a CDA document.

    Raises:
        ProvidedError: unreadable, not a CDA, or without patient, INS, IPP or study.
    """
    try:
        document = file.read_bytes()
        header = cda.parse(document)
        subject = Subject.read(document)
    except OSError as error:
        raise ProvidedError(f"{file} : illisible ({error.strerror})") from None
    except (CdaSyntaxError, ValueError) as error:
        raise ProvidedError(f"{file} : compte rendu CDA attendu : {error}") from None
    report = ProvidedReport(file, document, header, subject)
    for wanted, found in (
        ("un identifiant INS du patient", subject.patient.ins),
        ("un identifiant local du patient (IPP)", subject.patient.ipp),
        ("l'identifiant de la structure du valideur", subject.structure.id),
        ("au moins un documentationOf/serviceEvent/id", report.studies),
    ):
        if not found:
            raise ProvidedError(f"{file} : {wanted} est attendu dans l'en-tête, rien trouvé")
    return report


@dataclass(slots=True)
class Provided:
    """The scenario of a provided report."""

    story: Story
    publishing: Publishing
    consulting: Consulting
    report: ProvidedReport
    images: Path | None = None

    def prepare(self) -> None:
        """The DMP knows the patient, the PACS holds every study."""
        story, subject = self.story, self.report.subject
        story.patient = subject.patient
        story.author, story.structure = subject.professional, subject.structure
        story.exams.extend(self._exams())
        names = story.case.identifiers
        assert subject.patient.ins is not None
        names["le matricule INS"] = subject.patient.ins.value
        if subject.patient.ipp is not None:
            names["l'IPP"] = subject.patient.ipp.value
        for number, exam in enumerate(story.exams, 1):
            names[f"l'examen {number}"] = exam.study_uid
        story.stage.publish_case()
        register(story, story.patient, DmpState.OPEN)
        self._load()

    def send(self) -> None:
        """The RIS wraps the document and sends it."""
        self.publishing.sent = self.story.bed.ris.wrap(self.report.document)
        self.publishing.deliver()

    def expect_published(self) -> None:
        """One KOS per study of the report."""
        self.publishing.expect_published(len(self.story.exams))
        self.publishing.expect_contents()

    def expect_queries(self) -> None:
        """The PACS was asked about these studies and nothing else."""
        self.publishing.expect_queries(len(self.story.exams))

    def export_all(self) -> None:
        """Every exam that the page offers, one after the other."""
        self.consulting.export_all()

    def expect_all_exported(self) -> None:
        """Every instance of every study is in the local PACS."""
        bed, stage = self.story.bed, self.story.stage
        for exam in self.story.exams:
            wanted = bed.pacs.count(exam.study_uid)

            def arrived(uid: str = exam.study_uid, wanted: int = wanted) -> bool:
                return bed.local_pacs.count(uid) >= wanted

            until(arrived, deadline_s=stage.profile.timing.effect_s)
            count = bed.local_pacs.count(exam.study_uid)
            stage.expect(
                f"les images de l'examen {exam.study_uid} arrivent dans le PACS local",
                count == wanted > 0,
                expected=f"{wanted} images",
                actual=f"{count} images",
            )

    def _exams(self) -> Iterator[PlannedExam]:
        orders = self.report.header.orders
        for number, event in enumerate(self.report.studies):
            order = orders[min(number, len(orders) - 1)] if orders else cda.Order()
            modalities = event.code.translated(_MODALITY) if event.code else ()
            assert event.id is not None
            yield PlannedExam(
                study_uid=event.id.root or "",
                modality=next((code.code for code in modalities if code.code), "CT"),
                accession=_identifier(order.accession_numbers),
                placer=_identifier(order.ids),
                started=self.story.case.started,
                series=(
                    PlannedSeries(
                        uid=self.story.case.uid(f"la série de l'examen {number + 1}"),
                        description="Série produite par le banc",
                        images=_GENERATED,
                    ),
                ),
            )

    def _load(self) -> None:
        bed = self.story.bed
        if self.images is not None:
            for path in sorted(p for p in self.images.rglob("*") if p.is_file()):
                try:
                    self.story.archive.load([path.read_bytes()])
                except DicomSyntaxError as error:
                    raise CannotVerify(f"{path} : image DICOM attendue : {error}") from error
        for exam in self.story.exams:
            if not bed.pacs.count(exam.study_uid):
                load_exam(self.story.archive, exam, self.story.patient)


def _identifier(ids: tuple[cda.Id, ...]) -> Identifier:
    return Identifier(ids[0].extension or "", ids[0].root or "") if ids else Identifier("", "")
