"""What a scenario has set up so far: patient, exams, report, and what came of them.

Steps add to it through the facades (`bench.publishing`, `bench.imaging`, `bench.consulting`);
nothing here talks to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bench.archives import Archive, Simulated
from bench.cases import Case
from bench.outcomes import CannotVerify
from bench.stage import Stage
from simulators.dmp import DmpState
from simulators.ris.people import Coded, Identifier, Patient, Professional, Structure
from simulators.ris.report import DCM, LOINC, SNOMED_CT, Exam, Order, Report
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

if TYPE_CHECKING:
    from bench.bed import Bed, BoxAddresses
    from bench.ports import Pacs

__all__ = ["PlannedExam", "PlannedSeries", "Story", "people_of", "plan_exam", "report_of"]

_ACTS = {
    ("CT", "HEAD"): Coded("24727-0", "CT Head W contrast IV", LOINC),
    ("MR", "HEAD"): Coded("24590-2", "MR Brain", LOINC),
    ("CT", "CHEST"): Coded("24627-2", "CT Chest", LOINC),
}
_MODALITIES = {
    "CT": Coded("CT", "Tomodensitométrie", DCM),
    "MR": Coded("MR", "Imagerie par résonance magnétique", DCM),
}
_REGIONS = {
    "HEAD": Coded("774007", "Tête et cou", SNOMED_CT),
    "CHEST": Coded("67734004", "Thorax", SNOMED_CT),
}
"""JDV_RegionAnatomique_CISIS, by Body Part Examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSeries:
    """One series that the PACS is to hold."""

    uid: str
    description: str
    images: int
    transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExam:
    """One exam: what the report says of it, and what the PACS holds."""

    study_uid: str
    modality: str
    accession: Identifier
    placer: Identifier
    started: datetime
    series: tuple[PlannedSeries, ...]
    body_part: str = "HEAD"
    """Body Part Examined: `HEAD`, or `CHEST` for a CT."""
    real: bool = False
    """Made of the real files that ship with pydicom, rather than phantoms."""
    pacs_ipp: str = ""
    """The PatientID in the PACS when it is not the report's IPP."""
    pacs_accession: str = ""
    """The AccessionNumber in the PACS when it is not the report's."""
    second: bool = False
    """Its accession number is of the second authority, and it is in the second PACS."""

    @property
    def images(self) -> int:
        """How many instances in all."""
        return sum(series.images for series in self.series)

    def reported(self) -> Exam:
        """What the report says."""
        return Exam(
            act=_ACTS[self.modality, self.body_part],
            study_uid=self.study_uid,
            order=Order(placer=self.placer, accession=self.accession),
            modality=_MODALITIES[self.modality],
            regions=(_REGIONS[self.body_part],),
            started=self.started,
            ended=self.started + timedelta(minutes=20),
        )


@dataclass(slots=True)
class Story:
    """Everything that the steps of one scenario share."""

    stage: Stage
    bed: Bed
    case: Case = field(init=False)
    patient: Patient = field(init=False)
    author: Professional = field(init=False)
    structure: Structure = field(init=False)
    exams: list[PlannedExam] = field(default_factory=list)
    other_acts: list[Exam] = field(default_factory=list)
    identity_status: str = "VALI"
    version: int = 1
    """Of the report: each one after the first replaces the one before."""

    def __post_init__(self) -> None:
        self.case = self.stage.case
        self.patient = people_of(self.case, self.bed.site.ipp_oid)
        self.author = self.bed.site.radiologist
        self.structure = self.bed.site.structure

    @property
    def publisher(self) -> BoxAddresses:
        """The Source that publishes: the box under test, or the one that plays its half."""
        return self.bed.source if "source" in self.stage.info.roles else self.bed.counterpart

    @property
    def archive(self) -> Archive:
        """Where the images are put that this scenario's publisher finds."""
        bed = self.bed
        return bed.images if "source" in self.stage.info.roles else Simulated(bed.pacs)

    def pacs_of(self, exam: PlannedExam) -> Pacs:
        """The PACS that holds an exam.

        Raises:
            CannotVerify: it is the second one, and there is none.
        """
        if not exam.second:
            return self.bed.pacs
        if self.bed.second_pacs is None:
            raise CannotVerify(
                "aucun second PACS : le profil n'en donne pas le port (world.second_pacs)"
            )
        return self.bed.second_pacs

    @property
    def native(self) -> bool:
        """Whether the publisher has its PACS within."""
        return self.bed.native and "source" in self.stage.info.roles

    def admit(self, state: DmpState) -> None:
        """The scenario's patient has a DMP in that state, and may be somebody whom a real DMP
        lends.

        Raises:
            CannotVerify: nobody can play that part.
        """
        self.case.patient = self.bed.register.admit(self.case.patient, state)
        self.patient = self._named(self.case)
        self.stage.publish_case()

    def admit_another(self, case: Case, state: DmpState) -> Patient:
        """As `admit`, for the patient of another Case of the same scenario.

        Raises:
            CannotVerify: nobody can play that part.
        """
        ours = self.case.patient.ins
        case.patient = self.bed.register.admit(case.patient, state, apart_from=ours)
        return self._named(case)

    def _named(self, case: Case) -> Patient:
        case.identifiers["le matricule INS"] = case.patient.ins
        return people_of(case, self.bed.site.ipp_oid)

    def rely_on_white_list(self, role: str = "peer") -> None:
        """A DRIMbox of the bench's is on the white list in force.

        Raises:
            CannotVerify: it is not, or nobody here can say so.
        """
        if not self.bed.ans.lists(self.bed.papers.dns[role]):
            raise CannotVerify("la liste blanche en vigueur ne nomme pas la DRIMbox du banc")

    def plan(
        self,
        modality: str,
        series: int = 1,
        images: int = 4,
        *,
        transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN,
        **where: object,
    ) -> PlannedExam:
        """Mint one more exam for the patient; what is minted is attributed from now on."""
        exam = plan_exam(
            self.case,
            len(self.exams) + 1,
            self.bed.site.second_accession_oid
            if where.get("second")
            else self.bed.site.accession_oid,
            self.bed.site.placer_oid,
            modality=modality,
            series=series,
            images=images,
            transfer_syntax=transfer_syntax,
            **where,
        )
        self.exams.append(exam)
        self.stage.publish_case()
        return exam

    def report(self) -> Report:
        """The report of the exams planned so far, in its version in force."""
        made = report_of(
            self.case,
            self.patient,
            self.author,
            self.structure,
            [*(exam.reported() for exam in self.exams), *self.other_acts],
        )
        made = replace(made, viewer=f"https://{self.bed.site.names.source_viewer}")
        for version in range(2, self.version + 1):
            id = self.case.uid(f"le compte rendu, version {version}")
            made = replace(made, id=id, version=version, replaces=made.id)
        return made

    def correct_order(self) -> None:
        """The exam's order number was wrong; from now on the report gives the right one."""
        exam = self.exams[0]
        number = self.case.number("le numéro de demande corrigé", "OPN")
        self.exams[0] = replace(exam, placer=replace(exam.placer, value=number))


def people_of(case: Case, ipp_oid: str) -> Patient:
    """The RIS's patient of a Case."""
    one = case.patient
    return Patient(
        family=one.family,
        given=one.given,
        givens=one.givens,
        birth_date=f"{one.birth_date:%Y%m%d}",
        sex=one.sex,
        ins=Identifier(one.ins, one.ins_oid),
        ipp=Identifier(one.ipp, ipp_oid, "KIT-RIS"),
        birthplace_code=one.birthplace_code,
        birthplace_city=one.birthplace_city,
    )


def plan_exam(
    case: Case,
    number: int,
    accession_oid: str,
    placer_oid: str,
    *,
    modality: str,
    series: int,
    images: int,
    transfer_syntax: str,
    **where: object,
) -> PlannedExam:
    """An exam of a Case, with identifiers of its own."""
    return PlannedExam(
        study_uid=case.uid(f"l'examen {number}"),
        modality=modality,
        accession=Identifier(
            case.number(f"le numéro d'accession {number}", "ACN"), accession_oid, "KIT-RIS"
        ),
        placer=Identifier(
            case.number(f"le numéro de demande {number}", "OPN"), placer_oid, "KIT-RIS"
        ),
        started=case.started - timedelta(hours=2),
        series=tuple(
            PlannedSeries(
                uid=case.uid(f"la série {n} de l'examen {number}"),
                description=f"Série {n}",
                images=images,
                transfer_syntax=transfer_syntax,
            )
            for n in range(1, series + 1)
        ),
        **where,  # type: ignore[arg-type]
    )


def report_of(
    case: Case,
    patient: Patient,
    author: Professional,
    structure: Structure,
    exams: list[Exam],
) -> Report:
    """The report of a Case."""
    return Report(
        id=case.uid("le compte rendu"),
        set_id=case.uid("le lot de versions du compte rendu"),
        created=case.started,
        patient=patient,
        author=author,
        structure=structure,
        exams=tuple(exams),
    )
