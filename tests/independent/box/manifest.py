"""The KOS, as a pydicom data set (PS3.3 A.35.4, CI-SIS IMG-KOS)."""

from __future__ import annotations

import io
import uuid
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from own_pacs import Held
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian
from report import IDENTITIES, Exam, Report

KOS = "1.2.840.10008.5.1.4.1.1.88.59"


def new_uid() -> str:
    """A UID under 2.25 (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


def write(report: Report, exam: Exam, images: list[Held], base_url: str, uid: str) -> bytes:
    """A Part 10 file that references those images."""
    now = datetime.now(UTC)
    first = images[0]
    kos = Dataset()
    kos.file_meta = FileMetaDataset()
    kos.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    kos.SpecificCharacterSet = "ISO_IR 100"
    kos.InstanceCreationDate = kos.SeriesDate = kos.ContentDate = f"{now:%Y%m%d}"
    kos.InstanceCreationTime = kos.SeriesTime = kos.ContentTime = f"{now:%H%M%S}"
    kos.TimezoneOffsetFromUTC = "+0000"
    kos.SOPClassUID, kos.SOPInstanceUID = KOS, uid
    kos.StudyDate, kos.StudyTime = first.study_date, first.study_time
    kos.StudyDescription = first.description
    kos.AccessionNumber = kos.ReferringPhysicianName = kos.StudyID = ""
    kos.Modality, kos.Manufacturer = "KO", "INDEPENDANT"
    identifier, name = report.structure
    kos.InstitutionName = f"{name}^^^^^^^^^{identifier}"
    kos.ReferencedPerformedProcedureStepSequence = Sequence()
    _patient(kos, report)
    kos.StudyInstanceUID, kos.SeriesInstanceUID = exam.study, new_uid()
    kos.SeriesNumber, kos.InstanceNumber = "59", "1"
    kos.ValueType, kos.ContinuityOfContent = "CONTAINER", "SEPARATE"
    kos.ConceptNameCodeSequence = Sequence([_code("113030", "Manifest")])
    kos.ContentTemplateSequence = Sequence([
        _item(MappingResource="DCMR", TemplateIdentifier="2010")
    ])  # fmt: skip
    kos.ReferencedRequestSequence = Sequence([_request(report, exam, first)])
    kos.CurrentRequestedProcedureEvidenceSequence = Sequence([
        _item(
            StudyInstanceUID=exam.study,
            ReferencedSeriesSequence=Sequence([
                _series(uid, list(group), f"{base_url}/studies/{exam.study}/series/{uid}")
                for uid, group in groupby(images, attrgetter("series"))
            ]),
        )
    ])  # fmt: skip
    region = exam.regions[0][1] if exam.regions else ""
    told = "\n".join((
        f"Examen : {first.description}",
        f"Acte = {exam.act[1]}",
        *(
            f"Série-{uid} : {one.modality} @ {region} : {one.series_description}"
            for uid, one in {one.series: one for one in images}.items()
        ),
    ))  # fmt: skip
    kos.ContentSequence = Sequence([
        _item(
            RelationshipType="CONTAINS",
            ValueType="TEXT",
            ConceptNameCodeSequence=Sequence([_code("113012", "Key Object Description")]),
            TextValue=told,
        ),
        *(
            _item(
                RelationshipType="CONTAINS",
                ValueType="IMAGE",
                ReferencedSOPSequence=Sequence([_reference(one)]),
            )
            for one in images
        ),
    ])  # fmt: skip
    buffer = io.BytesIO()
    kos.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _patient(kos: Dataset, report: Report) -> None:
    kos.PatientName = f"{report.family}^{report.given}"
    kos.OtherPatientNames = f"^{report.givens}"
    kos.PatientBirthDate, kos.PatientSex = report.birth_date, report.sex
    kos.PatientComments = report.birthplace
    value, oid = report.ins
    kos.PatientID, kos.IssuerOfPatientID = value, IDENTITIES.get(oid, oid)
    kos.IssuerOfPatientIDQualifiersSequence = authority(oid)
    kos.OtherPatientIDsSequence = Sequence([identity(value, oid)])


def identity(value: str, oid: str) -> Dataset:
    """An item of Other Patient IDs Sequence that holds an INS."""
    return _item(
        PatientID=value,
        IssuerOfPatientID=IDENTITIES.get(oid, oid),
        TypeOfPatientID="TEXT",
        IssuerOfPatientIDQualifiersSequence=authority(oid),
    )


def authority(oid: str) -> Sequence:
    """A sequence of one assigner."""
    return Sequence([_item(UniversalEntityID=oid, UniversalEntityIDType="ISO")])


def _request(report: Report, exam: Exam, first: Held) -> Dataset:
    issuer = next(root for number, root in report.accessions if number == first.accession)
    return _item(
        StudyInstanceUID=exam.study,
        AccessionNumber=first.accession,
        IssuerOfAccessionNumberSequence=authority(issuer),
        ReferencedStudySequence=Sequence(),
        RequestedProcedureDescription=exam.act[1],
        RequestedProcedureCodeSequence=Sequence(),
        RequestedProcedureID="",
        PlacerOrderNumberImagingServiceRequest=exam.placer[0],
        OrderPlacerIdentifierSequence=authority(exam.placer[1]),
        FillerOrderNumberImagingServiceRequest="",
    )


def _series(uid: str, images: list[Held], url: str) -> Dataset:
    references = []
    for one in images:
        reference = _reference(one)
        reference.InstanceNumber = one.number
        references.append(reference)
    return _item(
        SeriesInstanceUID=uid,
        SeriesNumber=images[0].series_number,
        RetrieveURL=url,
        ReferencedSOPSequence=Sequence(references),
    )


def _reference(one: Held) -> Dataset:
    return _item(ReferencedSOPClassUID=one.sop_class, ReferencedSOPInstanceUID=one.sop_instance)


def _code(value: str, meaning: str) -> Dataset:
    return _item(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)


def _item(**elements: object) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item
