"""A situation given its values: patient, exams, and the report that each step carries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from bench.cases import Case, mint
from bench.dataset.situations import Act, Names, Situation, Step
from bench.site import Site
from bench.story import PlannedExam, people_of, plan_exam, report_of
from simulators.ris.messages import Header, Options, Steering, mdm, omi, oru
from simulators.ris.people import Identifier, Patient
from simulators.ris.report import Report
from simulators.ris.subject import Subject

__all__ = ["Prepared", "prepare"]

_USED_FAMILY = "KIT-VERNEUIL"
_BEGIN = time(10, 15, tzinfo=UTC)
_EVENTS = {Act.CREATE: "T02", Act.REPLACE: "T10", Act.HIDE: "T10", Act.DELETE: "T04"}
_CONTROLS = {
    Act.CREATE: ("NW", "F"),
    Act.REPLACE: ("RO", "C"),
    Act.HIDE: ("RO", "C"),
    Act.DELETE: ("CA", "D"),
}
"""ORC-1 and OBX-11 (CI-SIS, evenements-declenchants, grade: standard)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The same situation, seed, day and site give the same values. Steps count from 1."""

    situation: Situation
    seed: int
    case: Case
    site: Site
    patient: Patient
    exams: tuple[PlannedExam, ...]

    @property
    def steps(self) -> tuple[tuple[int, Step], ...]:
        """Each step after its number."""
        return tuple(enumerate(self.situation.steps, 1))

    def moment(self, number: int) -> datetime:
        """When a step happens: an hour after the one before."""
        return self.case.started + timedelta(hours=number - 1)

    def exams_of(self, step: Step) -> tuple[tuple[int, PlannedExam], ...]:
        """The exams of the step's report, each after its number."""
        group = self.situation.groups[step.report - 1]
        return tuple((number, self._corrected(step, self.exams[number - 1])) for number in group)

    def report(self, number: int) -> Report:
        """The report of a step: a new version when it replaces, the same one when it deletes.

        What a PACS says of an exam changes no report: that is the last one.
        """
        step = self.situation.steps[number - 1]
        exams = [exam.reported() for _, exam in self.exams_of(step)]
        made = report_of(self.case, self.patient, self.site.radiologist, self.site.structure, exams)
        if step.report > 1:
            made = replace(
                made,
                id=self.case.uid(f"le compte rendu {step.report}"),
                set_id=self.case.uid(f"le lot de versions du compte rendu {step.report}"),
                created=self.moment(number),
            )
        if step.act not in (Act.REPLACE, Act.HIDE):
            return made
        return replace(
            made,
            id=self.case.uid(f"le compte rendu, version {number}"),
            created=self.moment(number),
            version=number,
            replaces=made.id,
        )

    def steering(self, number: int) -> Steering:
        """The visibility that a step asks for."""
        hidden = self.situation.steps[number - 1].act is Act.HIDE
        return Steering(invisible_patient=hidden, modif_conf_code=hidden)

    def message(self, number: int, form: str, document: bytes) -> bytes:
        """The HL7 message of a step: `form` is `ORU`, `MDM` or `OMI`, which carries no document."""
        step, report = self.situation.steps[number - 1], self.report(number)
        subject = Subject.of(report)
        header = Header(
            control_id=self.case.number(f"le message {number} ({form})", "KIT"),
            moment=self.moment(number),
        )
        if form == "OMI":
            _, exam = self.exams_of(step)[0]
            return omi(
                subject,
                header,
                study_uid=exam.study_uid,
                modality=exam.modality,
                ae_title="KITPACS",
            )
        control, status = _CONTROLS[step.act]
        options = Options(
            order_control=control, result_status=status, steering=self.steering(number)
        )
        if form == "ORU":
            return oru(document, subject, header, options)
        return mdm(
            document,
            subject,
            header,
            options,
            event=_EVENTS[step.act],
            id=report.id,
            replaces=report.replaces or "",
        )

    def _corrected(self, step: Step, exam: PlannedExam) -> PlannedExam:
        """The replaced report gives another order number: the change that DB.SO.13 names."""
        if step.act is not Act.REPLACE:
            return exam
        number = self.case.number("le numéro de demande corrigé", "OPN")
        return replace(exam, placer=replace(exam.placer, value=number))


def prepare(situation: Situation, *, seed: int, day: date, site: Site) -> Prepared:
    """Give a situation its values: fictional, with a test INS whose control key is right."""
    case = mint(f"donnees|{situation.name}", seed, now=datetime.combine(day, _BEGIN))
    patient = _with_used_names(people_of(case, site.ipp_oid), situation.names)
    exams = tuple(
        plan_exam(
            case,
            number,
            site.accession_oid,
            site.placer_oid,
            modality=plan.modality,
            series=plan.series,
            images=plan.images,
            transfer_syntax=plan.transfer_syntax,
            body_part=plan.body_part,
        )
        for number, plan in enumerate(situation.exams, 1)
    )
    return Prepared(
        situation=situation, seed=seed, case=case, site=site, patient=patient, exams=exams
    )


def _with_used_names(patient: Patient, names: Names) -> Patient:
    assert isinstance(patient.ins, Identifier)
    family = _USED_FAMILY if names in (Names.FAMILY, Names.BOTH) else ""
    given = patient.givens.split()[-1] if names in (Names.GIVEN, Names.BOTH) else ""
    return replace(patient, used_family=family, used_given=given)
