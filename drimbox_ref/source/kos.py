"""How the Source fills an IMG-KOS: one manifest for one study.

Réf.: DICOM PS3.3 A.35.4, grade: standard; accepted KOS of DRIM-M_DATA ("informatif/KIN",
"test a blanc"), grade: sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from drimbox_ref.source.ports import Uids
from drimbox_ref.source.times import dicom_date, dicom_time, offset_of, offset_zone
from drimbox_ref.source.values import (
    Exam,
    FoundSeries,
    FoundStudy,
    Ins,
    Kos,
    Order,
    Patient,
    ReportOrder,
    Structure,
)
from protocols.kos import (
    Code,
    ContentItem,
    Description,
    InstanceRef,
    Issuer,
    KeyObjectRef,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    SeriesLine,
    StudyEvidence,
    Template,
    character_set_for,
    encode,
    format_description,
    parse_description,
)
from spec.dicom import KEY_OBJECT_DESCRIPTION, KEY_OBJECT_TEMPLATE, MANIFEST, value_type_of

__all__ = ["ImgKosBuilder"]

_ISSUER = "ASIP-SANTE-INS-NIR"
_SERIES_NUMBER = "59"
"""SeriesNumber of every French sample."""
_LO = 64
_SH = 16


class ImgKosBuilder:
    """Writes manifests; `public_url` is where this box serves WADO-RS."""

    def __init__(
        self,
        *,
        uids: Uids,
        uid_root: str,
        public_url: str,
        manufacturer: str,
        transfer_syntax: str,
        timezone: str,
    ) -> None:
        self._uids = uids
        self._uid_root = uid_root
        self._public_url = public_url
        self._manufacturer = manufacturer
        self._transfer_syntax = transfer_syntax
        self._timezone = timezone

    def build(
        self,
        report: ReportOrder,
        exam: Exam,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        version: int,
        now: datetime,
    ) -> Kos:
        """One KOS for one study; `version` is its InstanceNumber."""
        uid = self._uids.oid()
        # The study's dates are local times of the exam: one offset holds for the whole file.
        offset = offset_of(exam.start) or self._timezone
        manifest = Manifest(
            sop_instance=uid,
            study_uid=study.uid,
            series_uid=self._series_uid(study.uid),
            studies=self._studies(study),
            content=self._content(exam, study),
            study_date=study.date,
            study_time=study.time,
            manufacturer=self._manufacturer,
            institution_name=_institution(report.structure),
            referring_physician=study.referring,
            timezone_offset=offset,
            study_description=(study.description or exam.label)[:_LO],
            study_id=study.study_id[:_SH],
            series_number=_SERIES_NUMBER,
            instance_number=str(version),
            title=(Code(*MANIFEST),),
            requests=tuple(_request(study.uid, exam, order) for order in orders),
            template=(Template(*KEY_OBJECT_TEMPLATE),),
        )
        return self._written(_with_patient(manifest, report.patient), offset, now)

    def renew(self, former: Manifest, study: FoundStudy, *, version: int, now: datetime) -> Kos:
        """The next KOS of a study whose content changed, the report being what it was."""
        offset = former.timezone_offset or self._timezone
        manifest = replace(
            former,
            sop_instance=self._uids.oid(),
            series_uid=self._series_uid(study.uid),
            studies=self._studies(study),
            content=_renewed_content(former, study),
            study_date=study.date,
            study_time=study.time,
            manufacturer=self._manufacturer,
            referring_physician=study.referring,
            timezone_offset=offset,
            study_description=(study.description or former.study_description or "")[:_LO],
            study_id=study.study_id[:_SH],
            instance_number=str(version),
        )
        return self._written(manifest, offset, now)

    def _written(self, manifest: Manifest, offset: str, now: datetime) -> Kos:
        """The manifest dated, in the character set that it needs, as a file."""
        moment = now.astimezone(offset_zone(offset))
        date, time = dicom_date(moment), dicom_time(moment)
        manifest = replace(
            manifest,
            instance_creation_date=date,
            instance_creation_time=time,
            series_date=date,
            series_time=time,
            content_date=date,
            content_time=time,
            specific_character_set=character_set_for(_texts(manifest)),
        )
        assert manifest.sop_instance is not None
        return Kos(
            uid=manifest.sop_instance,
            data=encode(manifest, transfer_syntax=self._transfer_syntax),
            created=now,
            fingerprint=_fingerprint(manifest),
        )

    def _series_uid(self, study_uid: str) -> str:
        """The same series for all KOS of a study: they are versions of one document."""
        digest = hashlib.sha256(f"kos|{study_uid}".encode()).digest()
        return f"{self._uid_root}.{int.from_bytes(digest[:12], 'big')}"[:64]

    def _studies(self, study: FoundStudy) -> tuple[StudyEvidence, ...]:
        series = tuple(self._evidence(study, one) for one in study.series)
        return (StudyEvidence(study.uid, series),)

    def _evidence(self, study: FoundStudy, series: FoundSeries) -> SeriesEvidence:
        return SeriesEvidence(
            series_uid=series.uid,
            retrieve_url=f"{self._public_url}/studies/{study.uid}/series/{series.uid}",
            series_number=None if series.number is None else str(series.number),
            instances=tuple(
                InstanceRef(
                    instance.sop_class,
                    instance.sop_instance,
                    None if instance.number is None else str(instance.number),
                    str(instance.frames) if instance.frames and instance.frames > 1 else None,
                    instance.key_notes,
                )
                for instance in series.instances
            ),
        )

    def _content(self, exam: Exam, study: FoundStudy) -> tuple[ContentItem, ...]:
        region = exam.regions[0].label if len(exam.regions) == 1 else ""
        text = format_description(
            Description(
                exam=_line(study.description or exam.label),
                acts=(_line(exam.label),) if exam.label else (),
                series=tuple(
                    SeriesLine(one.uid, one.modality, _line(region), _line(one.description))
                    for one in study.series
                ),
            )
        )
        return _items(text, study)


def _renewed_content(former: Manifest, study: FoundStudy) -> tuple[ContentItem, ...]:
    """What the report says of the exam, and what the PACS now says of its series."""
    said = parse_description(former.description() or "")
    regions = {one.region for one in said.series}
    # One region is said of every series; of several, no series says its own.
    region = regions.pop() if len(regions) == 1 else ""
    text = format_description(
        replace(
            said,
            exam=_line(study.description) or said.exam,
            series=tuple(
                SeriesLine(one.uid, one.modality, region, _line(one.description))
                for one in study.series
            ),
        )
    )
    return _items(text, study)


def _items(description: str, study: FoundStudy) -> tuple[ContentItem, ...]:
    """The description, then one reference for each instance."""
    told = ContentItem(value_type="TEXT", concept=Code(*KEY_OBJECT_DESCRIPTION), text=description)
    references = (
        ContentItem(
            value_type=value_type_of(instance.sop_class),
            references=((instance.sop_class, instance.sop_instance),),
        )
        for series in study.series
        for instance in series.instances
    )
    return (told, *references)


def _with_patient(manifest: Manifest, patient: Patient) -> Manifest:
    """Patient module: INS identity and traits, used names apart."""
    others = [f"^{_person(patient.birth_givens or patient.birth_given)}"]
    if patient.used_family or patient.used_given:
        others.append(f"{_person(patient.used_family)}^{_person(patient.used_given)}")
    return replace(
        manifest,
        patient_name=f"{_person(patient.birth_family)}^{_person(patient.birth_given)}",
        patient_id=patient.ins.value,
        issuer_of_patient_id=_ISSUER,
        patient_id_qualifiers=(Issuer(patient.ins.oid),),
        birth_date=patient.birth_date,
        sex=patient.sex if patient.sex in ("F", "M", "O") else "",
        other_patient_names=tuple(others),
        other_patient_ids=(_other_id(patient.ins),),
        patient_comments=patient.birthplace or None,
    )


def _other_id(ins: Ins) -> OtherPatientId:
    return OtherPatientId(
        patient_id=ins.value, issuer=_ISSUER, type="TEXT", qualifiers=(Issuer(ins.oid),)
    )


def _request(study_uid: str, exam: Exam, order: Order) -> Request:
    return Request(
        study_uid=study_uid,
        accession_number=order.accession,
        accession_issuer=(Issuer(order.accession_oid),) if order.accession_oid else None,
        referenced_studies=(),
        description=_line(exam.label)[:_LO],
        procedure_codes=(),
        procedure_id="",
        placer_order_number=order.placer,
        placer_issuer=(Issuer(order.placer_oid),) if order.placer_oid else None,
        filler_order_number="",
    )


def _institution(structure: Structure) -> str:
    """XON 1 and 10, the name cut so that the identifier fits in 64 characters."""
    tail = f"^^^^^^^^^{structure.id}"
    return f"{_person(structure.name)[: _LO - len(tail)]}{tail}"


def _person(text: str) -> str:
    """A name component, without the characters that separate components and values."""
    return "".join(" " if char in "^=\\\r\n" else char for char in text).strip()


def _line(text: str) -> str:
    """One line of text, without value separators."""
    return " ".join(text.replace("\\", "/").split())


def _texts(manifest: Manifest) -> list[str]:
    """Every text of the manifest that may hold an accent."""
    return [
        manifest.patient_name or "",
        *(manifest.other_patient_names or ()),
        manifest.institution_name or "",
        manifest.referring_physician or "",
        manifest.study_description or "",
        manifest.manufacturer or "",
        manifest.description() or "",
        *(request.description or "" for request in manifest.requests or ()),
        *(text for note in _key_notes(manifest) for text in (note.text, _meaning(note)) if text),
    ]


def _key_notes(manifest: Manifest) -> set[KeyObjectRef]:
    return {
        note
        for study in manifest.studies
        for series in study.series
        for instance in series.instances
        for note in instance.key_objects
    }


def _meaning(note: KeyObjectRef) -> str:
    return (note.title.meaning if note.title else None) or ""


def _fingerprint(manifest: Manifest) -> str:
    """Digest of what the manifest says, apart from its own identity, number and date."""
    stable = replace(
        manifest,
        sop_instance="",
        instance_number="",
        instance_creation_date="",
        instance_creation_time="",
        series_date="",
        series_time="",
        content_date="",
        content_time="",
    )
    return hashlib.sha256(repr(stable).encode()).hexdigest()
