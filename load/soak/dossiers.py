"""The planned dossiers as a RIS and a modality know them: patients, exams, images, messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bench.archives import Simulated
from bench.bed import Bed
from bench.cases import Case, mint
from bench.imagery import files_of, held, load_exam
from bench.story import PlannedExam, PlannedSeries, people_of, plan_exam, report_of
from load.soak.plan import Dossier, Plan, PlannedReport, Step
from simulators.dmp import DmpState
from simulators.ris.messages import Header, Options, Steering, mdm, oru
from simulators.ris.people import Patient
from simulators.ris.report import Report
from simulators.ris.subject import Subject
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.hl7v2 import DOCUMENT_STATUSES

__all__ = ["Cabinet", "Known", "control_id"]

_MORNING = datetime(2026, 1, 5, 8, tzinfo=UTC)
"""When the first report of every soak is written: the same seed gives the same messages."""
_MODALITIES = ("CT", "MR")
_CONTROLS = {Step.ORDER: "RO", Step.MASK: "RO", Step.CANCEL: "CA"}
_EVENTS = {"NW": "T02", "RO": "T10", "CA": "T04"}


def control_id(seed: int, number: int) -> str:
    """MSH-10 of a planned report."""
    return f"KIT{seed & 0xFFFFFFFF:08X}{number:06d}"


@dataclass(frozen=True, slots=True)
class Known:
    """A dossier with its identifiers."""

    dossier: Dossier
    case: Case
    patient: Patient
    exams: tuple[PlannedExam, ...]
    """As they were planned, before any correction."""

    def placer(self, exam: int, orders: int) -> str:
        """The order number of an exam once it was corrected that many times."""
        if not orders:
            return self.exams[exam].placer.value
        return self.case.number(f"demande {exam + 1}, correction {orders}", "OPN")

    def added(self, exam: int, number: int) -> str:
        """SeriesInstanceUID of the n-th series added to an exam, from 1."""
        return self.case.uid(f"la série ajoutée {number} de l'examen {exam + 1}")

    def series(self, exam: int, added: int) -> tuple[str, ...]:
        """The series that an exam has once that many were added."""
        return (
            *(one.uid for one in self.exams[exam].series),
            *(self.added(exam, number) for number in range(1, added + 1)),
        )


class Cabinet:
    """Makes what a plan says: `prepare` puts a report's exam where it must be and writes its
    message. Safe from any thread, for one dossier at a time."""

    def __init__(self, bed: Bed, plan: Plan) -> None:
        self._bed = bed
        self._seed = plan.seed
        dossiers = {one.dossier.number: one.dossier for one in plan.reports}
        self.known = {one.dossier.number: one for one in self._admitted(dossiers.values())}
        self._loaded: dict[int, int] = {}
        """Dossier -> series added to each of its exams; absent: nothing is in the PACS."""

    def _admitted(self, dossiers: Iterable[Dossier]) -> Iterable[Known]:
        """Each dossier's patient is somebody else."""
        taken: set[str] = set()
        for dossier in sorted(dossiers, key=lambda one: one.number):
            turn = 0
            while True:
                name = f"soak-{dossier.number}" + (f"-{turn}" if turn else "")
                case = mint(name, self._seed, now=_MORNING)
                if case.patient.ins not in taken:
                    break
                turn += 1
            taken.add(case.patient.ins)
            yield Known(
                dossier,
                case,
                people_of(case, self._bed.site.ipp_oid),
                tuple(self._exam(case, number, dossier) for number in range(len(dossier.images))),
            )

    def _exam(self, case: Case, number: int, dossier: Dossier) -> PlannedExam:
        site = self._bed.site
        return plan_exam(
            case,
            number + 1,
            site.accession_oid,
            site.placer_oid,
            modality=_MODALITIES[(dossier.number + number) % len(_MODALITIES)],
            series=1,
            images=dossier.images[number],
            transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )

    def prepare(self, planned: PlannedReport) -> bytes:
        """The message, once the DMP knows the patient and the PACS has the images."""
        known = self.known[planned.dossier.number]
        archive = Simulated(self._bed.pacs)
        if planned.dossier.number not in self._loaded:
            self._bed.register.admit(known.case.patient, DmpState.OPEN)
            for exam in known.exams:
                load_exam(archive, exam, known.patient)
        for number in range(self._loaded.get(planned.dossier.number, 0), planned.added):
            for place, exam in enumerate(known.exams):
                archive.load(_one_more(known, exam, known.added(place, number + 1)))
        self._loaded[planned.dossier.number] = planned.added
        return self._message(known, planned)

    def images(self, known: Known, exam: int, added: int) -> frozenset[str]:
        """What the PACS holds of an exam once that many series were added: SOPInstanceUIDs."""
        study = known.exams[exam].study_uid
        pacs = self._bed.pacs
        return frozenset().union(
            *(held(pacs, study, series) for series in known.series(exam, added))
        )

    def _message(self, known: Known, planned: PlannedReport) -> bytes:
        control = _CONTROLS.get(planned.step, "NW")
        steering = Steering(masque_ps=True, modif_conf_code=True) if planned.masked else Steering()
        options = Options(
            order_control=control, result_status=DOCUMENT_STATUSES[control], steering=steering
        )
        header = Header(
            control_id=control_id(self._seed, planned.number),
            moment=_MORNING + timedelta(seconds=planned.number),
        )
        report = self._report(known, planned)
        document, about = report.document(), Subject.of(report)
        if not planned.mdm:
            return oru(document, about, header, options)
        return mdm(
            document, about, header, options,
            event=_EVENTS[control], id=report.id, replaces=report.replaces or "",
        )  # fmt: skip

    def _report(self, known: Known, planned: PlannedReport) -> Report:
        exams = [
            replace(
                exam,
                placer=replace(exam.placer, value=known.placer(place, planned.orders)),
            ).reported()
            for place, exam in enumerate(known.exams)
        ]
        site, case = self._bed.site, known.case
        made = report_of(case, known.patient, site.radiologist, site.structure, exams)
        if planned.report:
            made = replace(
                made,
                id=case.uid("le second compte rendu"),
                set_id=case.uid("le lot de versions du second compte rendu"),
            )
        for version in range(2, planned.version + 1):
            id = case.uid(f"le compte rendu {planned.report + 1}, version {version}")
            made = replace(made, id=id, version=version, replaces=made.id)
        return made


def _one_more(known: Known, exam: PlannedExam, uid: str) -> list[bytes]:
    """A series of one image: a Source that asks meanwhile sees it whole or not at all."""
    series = PlannedSeries(uid=uid, description="Série ajoutée", images=1)
    made = files_of(replace(exam, series=(series,)), known.patient)
    return [file for files in made.values() for file in files]
