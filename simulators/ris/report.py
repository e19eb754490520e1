"""What the RIS says in an imaging report: its own decisions, from exam to CDA document.

Réf.: CI-SIS IMG-CR-IMG, level 1 document as in the DRIM-M_DATA reports, grade: sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from protocols import cda
from protocols.cda import Code, Id, NamePart, PersonName
from simulators.ris.pdf import Page, render
from simulators.ris.people import Coded, Identifier, Patient, Professional, Structure
from spec.hl7v2 import IMAGING_REPORT
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY

__all__ = ["CCAM", "CIM10", "DCM", "LOINC", "SNOMED_CT", "Exam", "Order", "Report", "timestamp"]

LOINC = "2.16.840.1.113883.6.1"
SNOMED_CT = "2.16.840.1.113883.6.96"
DCM = "1.2.840.10008.2.16.4"
CIM10 = "2.16.840.1.113883.6.3"
CCAM = "1.2.250.1.213.2.5"
"""The OID of DRIM-M_DATA; the 2024.01 example of level 3 writes 1.2.250.1.215.300.1 instead."""

_SYSTEM_NAMES = {
    LOINC: "LOINC",
    SNOMED_CT: "SNOMED CT",
    DCM: "DCM",
    CCAM: "CCAM",
    CIM10: "CIM-10",
}
_MODALITY = Code(code="121139", system=DCM, display="Modalité d'imagerie", system_name="DCM")
_REGION = Code(code="39111-0", system=LOINC, display="Localisation anatomique", system_name="LOINC")
_SEXES = {"M": "Masculin", "F": "Féminin", "U": "Inconnu"}
_TITLE = "CR d'imagerie médicale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request for imaging: the placer's order number and our accession number."""

    placer: Identifier
    accession: Identifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """One documented act. Without `study_uid` it has no images, as a screening context has none."""

    act: Coded
    study_uid: str | None = None
    order: Order | None = None
    ccam: Coded | None = None
    modality: Coded | None = None
    regions: tuple[Coded, ...] = ()
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An imaging report as the radiologist validated it.

    `id` and `set_id` are OIDs; `replaces` is the id of the version that this one replaces.
    `viewer` is the base URL of the Source's viewer, written in the PDF as links to the images.
    Dates carry their time zone.
    """

    id: str
    set_id: str
    created: datetime
    patient: Patient
    author: Professional
    structure: Structure
    exams: tuple[Exam, ...]
    version: int = 1
    replaces: str | None = None
    indication: str = ""
    findings: str = "Examen de test, produit par un simulateur."
    conclusion: str = "Absence d'anomalie."
    viewer: str = "https://vi.drimbench.test"

    @property
    def orders(self) -> tuple[Order, ...]:
        """The distinct orders of the exams, in their order."""
        return tuple(dict.fromkeys(exam.order for exam in self.exams if exam.order is not None))

    @property
    def title(self) -> str:
        """The document's title: what it is, and of which acts."""
        acts = " + ".join(exam.act.display for exam in self._imaging)
        return f"{_TITLE} - {acts}" if acts else _TITLE

    @property
    def _imaging(self) -> tuple[Exam, ...]:
        return tuple(exam for exam in self.exams if exam.study_uid is not None)

    def links(self) -> tuple[str, ...]:
        """One viewer link per exam with images.

        Réf.: IHE IID; parameters as DB.VI_SO.07 writes them, grade: draft.
        """
        return tuple(
            f"{self.viewer}/IHEInvokeImageDisplay?"
            + urlencode(
                {
                    "requestType": "STUDY",
                    "studyUID": exam.study_uid,
                    "accessionNumber": exam.order.accession.value if exam.order else "",
                    "idCDA": self.id,
                }
            )
            for exam in self._imaging
        )

    def pdf(self) -> bytes:
        """The printed report (PDF/A-1b): the same report gives the same bytes."""
        return render(
            Page(
                title=self.title,
                patient=_patient_line(self.patient),
                identifiers=_identifier_line(self.patient),
                author=f"{self.author.prefix} {self.author.given} {self.author.family}".strip(),
                structure=self.structure.name,
                created=self.created,
                exams=tuple(_exam_line(exam) for exam in self.exams),
                indication=self.indication,
                findings=self.findings,
                conclusion=self.conclusion,
                links=self.links(),
            )
        )

    def header(self) -> cda.ImagingReport:
        """The values of the CDA document, PDF included."""
        professional = _professional(self)
        return cda.ImagingReport(
            realm="FR",
            template_ids=(
                Id("2.16.840.1.113883.2.8.2.1"),  # HL7 France
                Id("1.2.250.1.213.1.1.1.1"),  # CI-SIS
                Id("1.3.6.1.4.1.19376.1.2.20"),  # IHE XDS-SD: a document of level 1
            ),
            id=Id(self.id),
            code=Code(
                code=IMAGING_REPORT,
                system=LOINC,
                display=_TITLE,
                system_name="LOINC",
                translations=tuple(_code(exam.act) for exam in self._imaging),
            ),
            title=self.title,
            effective_time=timestamp(self.created),
            confidentiality=Code(code="N", system="2.16.840.1.113883.5.25", display="Normal"),
            language="fr-FR",
            set_id=Id(self.set_id),
            version_number=str(self.version),
            patients=(_patient(self.patient),),
            authors=(professional,),
            custodian=_organization(self.structure, industry=False),
            legal_authenticators=(_signing(professional),),
            orders=tuple(_order(order) for order in self.orders),
            service_events=tuple(_event(exam, self) for exam in self.exams),
            related_documents=_replaced(self.replaces),
            encounter=_encounter(self),
            body=cda.Body(media_type="application/pdf", representation="B64", data=self.pdf()),
        )

    def document(self) -> bytes:
        """The CDA document."""
        return cda.build(self.header())


def timestamp(moment: datetime) -> str:
    """A date as HL7 writes it: `YYYYMMDDhhmmss+hhmm`."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def _code(coded: Coded, qualifier: Code | None = None) -> Code:
    return Code(
        code=coded.code,
        system=coded.system,
        display=coded.display,
        system_name=_SYSTEM_NAMES.get(coded.system),
        qualifier=qualifier,
    )


def _patient(patient: Patient) -> cda.Patient:
    # The order INS then IPP is that of the official reports; readers must not rely on it.
    every = (patient.ins, patient.ipp, *patient.other_ipps)
    ids = [one for one in every if one is not None]
    parts = [
        NamePart("family", patient.family, "BR"),
        NamePart("given", patient.givens),
        NamePart("given", patient.given, "BR"),
    ]
    if patient.used_family:
        parts.append(NamePart("family", patient.used_family, "CL"))
    if patient.used_given:
        parts.append(NamePart("given", patient.used_given, "CL"))
    return cda.Patient(
        ids=tuple(Id(one.oid, one.value) for one in ids),
        names=(PersonName(tuple(parts)),),
        birth_time=patient.birth_date,
        sex=Code(code=patient.sex, system="2.16.840.1.113883.5.1", display=_SEXES.get(patient.sex)),
        birthplace_county=patient.birthplace_code or None,
        birthplace_city=patient.birthplace_city or None,
    )


def _professional(report: Report) -> cda.Professional:
    author = report.author
    parts = [NamePart("prefix", author.prefix)] if author.prefix else []
    parts += [NamePart("given", author.given), NamePart("family", author.family)]
    return cda.Professional(
        ids=(Id(PROFESSIONAL_AUTHORITY, author.id),),
        code=_code(author.profession),
        name=PersonName(tuple(parts)),
        organization=_organization(report.structure),
        time=timestamp(report.created),
    )


def _signing(professional: cda.Professional) -> cda.Professional:
    return cda.Professional(
        ids=professional.ids,
        code=professional.code,
        name=professional.name,
        organization=professional.organization,
        time=professional.time,
        signature="S",
    )


def _organization(structure: Structure, *, industry: bool = True) -> cda.Organization:
    return cda.Organization(
        ids=(Id(STRUCTURE_AUTHORITY, structure.id),),
        name=structure.name,
        industry=_code(structure.industry) if industry else None,
    )


def _order(order: Order) -> cda.Order:
    return cda.Order(
        ids=(Id(order.placer.oid, order.placer.value),),
        accession_numbers=(Id(order.accession.oid, order.accession.value),),
    )


def _event(exam: Exam, report: Report) -> cda.ServiceEvent:
    translations = [_code(exam.ccam)] if exam.ccam else []
    if exam.modality:
        translations.append(_code(exam.modality, _MODALITY))
    translations += [_code(region, _REGION) for region in exam.regions]
    act = _code(exam.act)
    professional = _professional(report)
    return cda.ServiceEvent(
        ids=(Id(exam.study_uid),) if exam.study_uid is not None else (),
        code=Code(
            code=act.code,
            system=act.system,
            display=act.display,
            system_name=act.system_name,
            translations=tuple(translations),
        ),
        low=timestamp(exam.started) if exam.started else None,
        high=timestamp(exam.ended) if exam.ended else None,
        performers=(
            cda.Professional(
                ids=professional.ids,
                code=professional.code,
                name=professional.name,
                organization=professional.organization,
            ),
        )
        if exam.study_uid is not None
        else (),
    )


def _replaced(parent: str | None) -> tuple[cda.RelatedDocument, ...]:
    if parent is None:
        return ()
    return (cda.RelatedDocument(type_code="RPLC", ids=(Id(parent),)),)


def _encounter(report: Report) -> cda.Encounter:
    moments = [exam.started for exam in report.exams if exam.started]
    return cda.Encounter(
        code=Code(
            code="AMB",
            system="2.16.840.1.113883.5.4",
            display="Ambulatoire (hors établissement)",
        ),
        low=timestamp(min(moments, default=report.created)),
        high=timestamp(report.created),
        facility_ids=(Id(STRUCTURE_AUTHORITY, report.structure.id),),
        facility_code=_code(report.structure.facility),
        facility_name=report.structure.name,
    )


def _patient_line(patient: Patient) -> str:
    date = patient.birth_date
    born = f"{date[6:8]}/{date[4:6]}/{date[:4]}"
    used = f" (utilisé : {patient.used_family})" if patient.used_family else ""
    return f"{patient.family}{used} {patient.given}, sexe {patient.sex}, né(e) le {born}"


def _identifier_line(patient: Patient) -> str:
    ins = f"INS {patient.ins.value}" if patient.ins else "INS non disponible"
    return f"{ins} - IPP {patient.ipp.value}" if patient.ipp else ins


def _exam_line(exam: Exam) -> str:
    date = f"{exam.started:%d/%m/%Y %H:%M} - " if exam.started else ""
    accession = f" (accession {exam.order.accession.value})" if exam.order else ""
    return f"{date}{exam.act.display}{accession}"
