"""The crowd: for each member a professional, a patient, an exam and a report, all recognisable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from protocols.dicom import split_part10
from protocols.ebrim import Code
from simulators.dmp import Dmp
from simulators.dmp import Patient as DmpPatient
from simulators.modality import exam as modality
from simulators.modality import images
from simulators.peer import Offer, PeerSource, entry_of, manifest_of
from simulators.psc import TEST_PROFESSIONALS, Professional
from simulators.ris.people import Identifier, Patient, nir_key
from spec.hl7v2 import IMAGING_REPORT
from spec.oids import INS_NIR_TEST

__all__ = ["IMAGES", "Member", "hold", "members"]

IMAGES = 3
_LOINC = "2.16.840.1.113883.6.1"
_ACCESSIONS, _PLACERS, _ELSEWHERE = "1.2.250.1.999.8", "1.2.250.1.999.7", "1.2.250.1.999.3"
_REPORT = """<ClinicalDocument xmlns="urn:hl7-org:v3"><title>{title}</title>
<effectiveTime value="20260101"/><recordTarget><patientRole><id extension="{ins}" root="{oid}"/>
<patient><name><family>{family}</family></name></patient></patientRole></recordTarget><component>
<structuredBody><component><section><title>Conclusion</title><text>{conclusion}</text></section>
</component></structuredBody></component></ClinicalDocument>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One professional, and the one patient that he may hear of."""

    number: int
    professional: Professional
    patient: Patient
    """`ipp` is the local one, of the call."""
    study: str
    kos: str
    elsewhere: str
    """The patient's number at the Source, which is in every image."""
    title: str
    conclusion: str

    @property
    def series(self) -> str:
        """The only series of the exam."""
        return f"{self.study}.1"

    @property
    def ins(self) -> str:
        """The patient's matricule."""
        assert self.patient.ins is not None
        return self.patient.ins.value

    @property
    def ipp(self) -> str:
        """The patient's number in the call."""
        assert self.patient.ipp is not None
        return self.patient.ipp.value

    @property
    def marks(self) -> tuple[str, ...]:
        """What nobody else may be shown."""
        return (
            self.ins, self.ipp, self.patient.family, self.study, self.kos, self.elsewhere,
            self.title, self.conclusion, self.professional.family, self.professional.id[1:],
        )  # fmt: skip


def members(count: int, seed: int) -> tuple[Member, ...]:
    """So many members; the same for the same seed."""
    return tuple(_member(number, seed) for number in range(1, count + 1))


def _member(number: int, seed: int) -> Member:
    # A letter at each end keeps a mark from being part of a longer one.
    tag = f"{number:03d}X{hashlib.sha256(f'{seed}|{number}'.encode()).hexdigest()[:8].upper()}Z"
    matricule = f"2{79 + number % 20:02d}03{51215 + number:05d}{number % 999:03d}"
    root = f"2.25.{int.from_bytes(hashlib.sha256(tag.encode()).digest()[:14])}"
    rpps = f"8997{number:03d}{seed % 10_000:04d}9"
    return Member(
        number=number,
        professional=replace(
            TEST_PROFESSIONALS[0], id=rpps, family=f"MEDECIN{tag}", given="CAMILLE"
        ),
        patient=Patient(
            family=f"PATIENT{tag}",
            given="DOMINIQUE",
            givens="DOMINIQUE",
            birth_date="19790328",
            sex="F",
            ins=Identifier(matricule + nir_key(matricule), INS_NIR_TEST),
            ipp=Identifier(f"LOCAL{tag}", "1.2.250.1.999.9", "KIT-LOCAL"),
            birthplace_code="51215",
        ),
        study=f"{root}.5",
        kos=f"{root}.5.9",
        elsewhere=f"AILLEURS{tag}",
        title=f"Compte rendu TITRE{tag}",
        conclusion=f"CONCLUSION{tag}",
    )


def hold(member: Member, dmp: Dmp, source: PeerSource, *, host: str) -> None:
    """The DMP holds the patient's KOS and report, `source` the images, at `host`."""
    now = datetime.now(UTC)
    dmp.register_patient(
        DmpPatient(matricule=member.ins, family=member.patient.family, given="DOMINIQUE")
    )
    files = list(_images(member))
    source.offer(
        Offer(
            study_uid=member.study,
            kos_uid=member.kos,
            ins=member.ins,
            ins_oid=INS_NIR_TEST,
            series={member.series: tuple(files)},
        )
    )
    parts = [split_part10(file) for file in files]
    manifest = manifest_of(
        kos_uid=member.kos,
        series_uid=f"{member.study}.8",
        study_uid=member.study,
        ins=member.ins,
        ins_oid=INS_NIR_TEST,
        patient_name=f"{member.patient.family}^DOMINIQUE",
        birth_date="19790328",
        sex="F",
        accession=f"ACN{member.number}",
        accession_oid=_ACCESSIONS,
        placer=f"OPN{member.number}",
        placer_oid=_PLACERS,
        study_date="20260101",
        description="Scanner",
        host=host,
        series={member.series: ("CT", tuple((one.sop_class, one.sop_instance) for one in parts))},
    )
    entry = entry_of(
        kos_uid=member.kos,
        study_uid=member.study,
        ins=member.ins,
        ins_oid=INS_NIR_TEST,
        ipp=member.elsewhere,
        ipp_oid=_ELSEWHERE,
        accession=f"ACN{member.number}",
        accession_oid=_ACCESSIONS,
        modality="CT",
        started=now,
        published=now,
    )
    dmp.deposit(entry, manifest, member.ins, INS_NIR_TEST)
    report = replace(
        entry,
        unique_id=f"{member.study}.7",
        title=member.title,
        mime_type="text/xml",
        type_code=Code(IMAGING_REPORT, _LOINC, "CR d'imagerie médicale"),
    )
    text = _REPORT.format(
        title=member.title,
        ins=member.ins,
        oid=INS_NIR_TEST,
        family=member.patient.family,
        conclusion=member.conclusion,
    )
    dmp.deposit(report, text.encode(), member.ins, INS_NIR_TEST)


def _images(member: Member) -> Iterator[bytes]:
    series = modality.Series(count=IMAGES, description="Série", uid=member.series)
    yield from images.make(
        modality.Exam(
            patient=modality.Patient(
                name=f"{member.patient.family}^DOMINIQUE", patient_id=member.elsewhere
            ),
            study_uid=member.study,
            accession=f"ACN{member.number}",
            date="20260101",
            series=(series,),
            matrix=32,
        )
    )
