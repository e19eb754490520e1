"""ITI-41: the codes and references of a KOS entry, and their agreement with the manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocols.ebrim import Code as Written
from spec import dmp
from spec.imaging_metadata import (
    CCAM,
    CONFIDENTIALITY_SYSTEM,
    FACILITY_SYSTEM,
    MODALITIES,
    MODALITY_SYSTEMS,
    NORMAL,
    PRACTICE_SETTINGS,
    PRACTICE_SYSTEM,
    REFERENCE_TYPES_DMP,
    REGION_SYSTEMS,
    REGIONS,
)
from spec.xds import EntryScheme, ReferenceType, SlotName
from validators.examples import kos as manifest
from validators.examples import xds as example
from validators.finding import Severity
from validators.identifiers import is_oid, is_uid
from validators.kos.reading import Kos
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject, parts
from validators.xds.rules import DATA, XDS, Findings, iti, pdsm, same
from validators.xds.values import authority, one_code

__all__: list[str] = []

_KOS = ("DB.SO.18", "DB.SO.19")
_ENTRY = pdsm("DocumentEntry")


def _is_code(xds: Submission, scheme: str, name: str, expected: tuple[str, str, str]) -> Findings:
    """The one code that a KOS may have under a scheme."""
    for item in xds.manifests:
        code, faults = one_code(item, scheme, name)
        yield from faults
        if code is not None:
            wanted = f"{expected[0]} ({expected[1]})"
            yield from same(str(code), wanted, item.where(), name)


@XDS.rule(
    "XDS-070",
    "classCode du KOS est 31 (imagerie médicale)",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"class_code": Written("10", "1.2.250.1.213.1.1.4.1", "CR")}),
)
def class_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.CLASS_CODE, "classCode", dmp.KOS_CLASS_CODE)


@XDS.rule(
    "XDS-071",
    "typeCode du KOS est IMG-KOS",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"type_code": Written("18748-4", "2.16.840.1.113883.6.1", "CR d'imagerie")}
    ),
)
def type_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.TYPE_CODE, "typeCode", dmp.KOS_TYPE_CODE)


@XDS.rule(
    "XDS-072",
    "formatCode du KOS est sa classe SOP",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"format_code": None}),
)
def format_code(xds: Submission) -> Findings:
    return _is_code(xds, EntryScheme.FORMAT_CODE, "formatCode", dmp.KOS_FORMAT_CODE)


_MASKING = tuple(str(code) for code in dmp.Masking)


@XDS.rule(
    "XDS-073",
    "confidentialityCode porte N, et des codes de masquage connus",
    reference=_ENTRY,
    bad=lambda: example.iti41(
        entry={"confidentiality_codes": (Written("MASQUE_PS", CONFIDENTIALITY_SYSTEM, "Masqué"),)}
    ),
)
def confidentiality(xds: Submission) -> Findings:
    for item in xds.entries:
        codes = item.codes(EntryScheme.CONFIDENTIALITY_CODE)
        where = item.where(
            f"Classification[@classificationScheme='{EntryScheme.CONFIDENTIALITY_CODE}']"
        )
        if not 1 <= len(codes) <= 4 or NORMAL not in [code.value for code in codes]:
            yield Broken(
                message="confidentialityCode porte N et jusqu'à trois codes de masquage.",
                expected=NORMAL,
                actual=" ".join(code.value for code in codes),
                where=where,
            )
        for code in codes:
            masked = code.value in _MASKING and code.scheme == dmp.MASKING_SCHEME
            plain = code.value in ("N", "R", "V") and code.scheme == CONFIDENTIALITY_SYSTEM
            if not (masked or plain):
                yield Broken(
                    message="Ce code de confidentialité est inconnu.",
                    expected=" | ".join((NORMAL, *_MASKING)),
                    actual=str(code),
                    where=where,
                )


@XDS.rule(
    "XDS-074",
    "healthcareFacilityTypeCode est un secteur d'activité (SAnn)",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"facility_type": Written("SA08", "1.2.3", "Cabinet")}),
)
def facility(xds: Submission) -> Findings:
    for item in xds.entries:
        name = "healthcareFacilityTypeCode"
        code, faults = one_code(item, EntryScheme.FACILITY_TYPE_CODE, name)
        yield from faults
        if code is not None and not (
            re.fullmatch(r"SA\d\d", code.value) and code.scheme == FACILITY_SYSTEM
        ):
            yield Broken(
                message="Ce n'est pas un secteur d'activité de TRE_R02.",
                expected=f"SAnn ({FACILITY_SYSTEM})",
                actual=str(code),
                where=item.where(),
            )


@XDS.rule(
    "XDS-075",
    "practiceSettingCode est un cadre d'exercice de TRE_A01",
    reference=_ENTRY,
    bad=lambda: example.iti41(
        entry={"practice_setting": Written("RADIO", "1.2.250.1.213.1.1.4.9", "Radiologie")}
    ),
)
def practice_setting(xds: Submission) -> Findings:
    for item in xds.entries:
        code, faults = one_code(item, EntryScheme.PRACTICE_SETTING_CODE, "practiceSettingCode")
        yield from faults
        if code is not None and not (
            code.value in PRACTICE_SETTINGS and code.scheme == PRACTICE_SYSTEM
        ):
            yield Broken(
                message="Ce n'est pas un cadre d'exercice.",
                expected=f"{' | '.join(PRACTICE_SETTINGS)} ({PRACTICE_SYSTEM})",
                actual=str(code),
                where=item.where(),
            )


def _events(item: RegistryObject) -> list[tuple[str, str]]:
    return [(code.value, code.scheme) for code in item.codes(EntryScheme.EVENT_CODE)]


@XDS.rule(
    "XDS-076",
    "eventCodeList nomme au moins une modalité",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"event_codes": (Written("KO", "1.2.250.1.213.1.1.5.618", "Key Object"),)}
    ),
)
def modality(xds: Submission) -> Findings:
    for item in xds.manifests:
        found = _events(item)
        if not any(code in MODALITIES and scheme in MODALITY_SYSTEMS for code, scheme in found):
            yield Broken(
                message="Aucune modalité de JDV_ModaliteAcquisition.",
                expected=" | ".join(MODALITY_SYSTEMS),
                actual=" ".join(code for code, _ in found),
                where=item.where(),
            )


@XDS.rule(
    "XDS-077",
    "eventCodeList nomme au moins une région anatomique",
    reference=DATA,
    requirements=_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        entry={"event_codes": (Written("CT", "1.2.250.1.213.1.1.5.618", "Scanner"),)}
    ),
)
def region(xds: Submission) -> Findings:
    # The report's header may name none (0..*): asked for, never refused.
    for item in xds.manifests:
        found = _events(item)
        if not any(code in REGIONS for code, _ in found):
            yield Broken(
                message="Aucune région de JDV_RegionAnatomique.",
                expected=" | ".join(REGIONS),
                actual=" ".join(code for code, _ in found),
                where=item.where(),
            )


@XDS.rule(
    "XDS-078",
    "Le système de codage des régions et modalités est le leur",
    reference=DATA,
    requirements=_KOS,
    tolerated=True,
    bad=lambda: example.iti41(
        entry={
            "event_codes": (
                Written("CT", "1.2.250.1.213.1.1.5.618", "Scanner"),
                Written("67734004", CCAM, "Thorax"),
            )
        }
    ),
)
def event_systems(xds: Submission) -> Findings:
    # Value-set OID, code-system OID and, in one sample, CCAM compete: the last is a mistake.
    for item in xds.manifests:
        for code, scheme in _events(item):
            for values, systems in ((REGIONS, REGION_SYSTEMS), (MODALITIES, MODALITY_SYSTEMS)):
                if code in values and scheme not in systems:
                    yield Broken(
                        message="Ce code n'appartient pas à ce système.",
                        expected=" | ".join(systems),
                        actual=f"{code} ({scheme})",
                        where=item.where(),
                    )


@dataclass(frozen=True, slots=True)
class _Reference:
    """One value of referenceIdList."""

    id: str
    authority: str
    type: str


def _references(item: RegistryObject, type: str = "") -> list[_Reference]:
    found = []
    for value in item.slot(SlotName.REFERENCE_ID_LIST):
        cx = parts(value)
        found.append(_Reference(cx[0], authority(cx[3])[0], cx[4]))
    return [one for one in found if not type or one.type == type]


def _without(type: str) -> bytes:
    return example.iti41(
        entry={
            "reference_ids": tuple(
                f"{id}^^^&{oid}&ISO^{kind}"
                for id, oid, kind in (
                    (manifest.ACCESSION, manifest.ACCESSION_OID, ReferenceType.ACCESSION),
                    (manifest.ORDER, manifest.ORDER_OID, ReferenceType.ORDER),
                    (manifest.STUDY, "1.2.3.4.5.6", ReferenceType.STUDY_INSTANCE_UID),
                )
                if kind != type
            )
        }
    )


_SLOT = SlotName.REFERENCE_ID_LIST
_LIST = pdsm("ReferenceIdList")


def _named(xds: Submission, type: str, what: str) -> Findings:
    for item in xds.manifests:
        if not _references(item, type):
            yield Broken(
                message=f"referenceIdList ne nomme pas {what}.",
                expected=type,
                actual=" ".join(item.slot(_SLOT)),
                where=item.slot_path(_SLOT),
            )


@XDS.rule(
    "XDS-080",
    "referenceIdList nomme l'Accession Number",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: _without(ReferenceType.ACCESSION),
)
def accession_reference(xds: Submission) -> Findings:
    return _named(xds, ReferenceType.ACCESSION, "l'Accession Number")


@XDS.rule(
    "XDS-081",
    "referenceIdList nomme la demande",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: _without(ReferenceType.ORDER),
)
def order_reference(xds: Submission) -> Findings:
    return _named(xds, ReferenceType.ORDER, "la demande")


@XDS.rule(
    "XDS-082",
    "referenceIdList nomme l'examen",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: _without(ReferenceType.STUDY_INSTANCE_UID),
)
def study_reference(xds: Submission) -> Findings:
    return _named(xds, ReferenceType.STUDY_INSTANCE_UID, "l'examen")


@XDS.rule(
    "XDS-083",
    "Les références d'accession et de demande portent l'OID de leur autorité",
    reference=iti("Vol. 3, 4.2.3.2.28"),
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"reference_ids": (f"{manifest.ACCESSION}^^^^{ReferenceType.ACCESSION}",)}
    ),
)
def reference_authorities(xds: Submission) -> Findings:
    for item in xds.manifests:
        for one in _references(item):
            if one.type in (ReferenceType.ACCESSION, ReferenceType.ORDER) and not (
                one.id and is_oid(one.authority)
            ):
                yield Broken(
                    message="L'identifiant ou l'OID de son autorité manque.",
                    expected="id^^^&OID&ISO^type",
                    actual=f"{one.id}, {one.authority}",
                    where=item.slot_path(_SLOT),
                )


@XDS.rule(
    "XDS-084",
    "La référence de l'examen est un UID légal, sans autorité",
    reference=iti("Vol. 3, 4.2.3.2.28"),
    requirements=_KOS,
    tolerated=True,
    bad=lambda: _without(""),
)
def study_authority(xds: Submission) -> Findings:
    # Every official sample writes the placeholder 1.2.3.4.5.6 here.
    for item in xds.manifests:
        for one in _references(item, ReferenceType.STUDY_INSTANCE_UID):
            if one.authority or not is_uid(one.id):
                yield Broken(
                    message="Un UID est unique par lui-même : son autorité n'est pas à écrire.",
                    expected=f"{one.id}^^^^{ReferenceType.STUDY_INSTANCE_UID}",
                    actual=f"{one.id}, autorité {one.authority}",
                    where=item.slot_path(_SLOT),
                )


@XDS.rule(
    "XDS-085",
    "Les types de référence sont ceux que le DMP admet",
    reference=_LIST,
    bad=lambda: example.iti41(
        entry={"reference_ids": ("1^^^&1.2.3&ISO^urn:ihe:iti:xds:2013:referral",)}
    ),
)
def reference_types(xds: Submission) -> Findings:
    for item in xds.entries:
        for one in _references(item):
            if one.type not in REFERENCE_TYPES_DMP:
                yield Broken(
                    message="Ce type de référence n'est pas de JDV_J231.",
                    expected=" | ".join(REFERENCE_TYPES_DMP),
                    actual=one.type,
                    where=item.slot_path(_SLOT),
                )


def _pairs(xds: Submission) -> list[tuple[RegistryObject, Kos]]:
    """Each KOS entry whose manifest came along and can be read."""
    return [(item, xds.kos[item.id]) for item in xds.manifests if item.id in xds.kos]


@XDS.rule(
    "XDS-090",
    "Le document d'une entrée application/dicom est un KOS lisible",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(kos=b"ce n'est pas un KOS"),
)
def readable_manifest(xds: Submission) -> Findings:
    for item in xds.manifests:
        if item.id in xds.documents and item.id not in xds.kos:
            yield Broken(
                message="Ce document n'est pas un objet DICOM lisible.", where=item.where()
            )


@XDS.rule(
    "XDS-091",
    "uniqueId est le SOPInstanceUID du KOS",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"unique_id": "1.2.250.1.999.1.1.8121.7.2"}),
)
def unique_id_of_manifest(xds: Submission) -> Findings:
    for item, kos in _pairs(xds):
        written = item.external(EntryScheme.UNIQUE_ID)
        where = item.where("ExternalIdentifier[uniqueId]")
        yield from same(written, kos.sop_instance, where, "uniqueId")


@XDS.rule(
    "XDS-092",
    "Le patient de l'entrée est celui du KOS",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(kos=manifest.kos(patient_id="162018885045327")),
)
def patient_of_manifest(xds: Submission) -> Findings:
    for item, kos in _pairs(xds):
        written = parts(item.external(EntryScheme.PATIENT_ID))[0]
        where = item.where("ExternalIdentifier[patientId]")
        yield from same(written, kos.root.text(0x00100020), where, "Le matricule")


@XDS.rule(
    "XDS-093",
    "L'examen et les Accession Numbers de l'entrée sont ceux du KOS",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(kos=manifest.with_request(accession_number="ACN901")),
)
def references_of_manifest(xds: Submission) -> Findings:
    for item, kos in _pairs(xds):
        where = item.slot_path(_SLOT)
        for one in _references(item, ReferenceType.STUDY_INSTANCE_UID):
            yield from same(one.id, kos.study, where, "L'examen")
        accessions = {request.text(0x00080050) for request in kos.requests}
        named = {one.id for one in _references(item, ReferenceType.ACCESSION)}
        if named and named != accessions:
            yield Broken(
                message="Les Accession Numbers ne sont pas ceux du KOS.",
                expected=" ".join(sorted(accessions)),
                actual=" ".join(sorted(named)),
                where=where,
            )


@XDS.rule(
    "XDS-094",
    "Un KOS ne décrit qu'un examen, et deux KOS d'un lot des examens différents",
    reference=DATA,
    requirements=("DB.SO.12", "DB.SO.18"),
    bad=lambda: example.iti41(
        entry={
            "reference_ids": tuple(
                f"{manifest.STUDY}.{rank}^^^^{ReferenceType.STUDY_INSTANCE_UID}" for rank in (1, 2)
            )
        }
    ),
)
def one_study(xds: Submission) -> Findings:
    seen: set[str] = set()
    for item in xds.manifests:
        studies = {one.id for one in _references(item, ReferenceType.STUDY_INSTANCE_UID)}
        if len(studies) > 1 or studies & seen:
            yield Broken(
                message="Il faut un KOS par examen.",
                expected="1",
                actual=" ".join(sorted(studies)),
                where=item.slot_path(_SLOT),
            )
        seen |= studies
