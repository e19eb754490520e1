"""ITI-41: the references of a KOS entry, and its agreement with the manifest itself."""

from __future__ import annotations

from dataclasses import dataclass

from spec.imaging_metadata import (
    PLACEHOLDER_AUTHORITY,
    REFERENCE_TYPES_DMP,
)
from spec.xds import EntryScheme, ReferenceType, SlotName
from validators.examples import kos as manifest
from validators.examples import xds as example
from validators.identifiers import is_oid, is_uid
from validators.kos.reading import Kos
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject, parts
from validators.xds.rules import DATA, XDS, Findings, iti, pdsm, same
from validators.xds.values import authority

__all__: list[str] = []

_KOS = ("DB.SO.18", "DB.SO.19")


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
                    (manifest.STUDY, PLACEHOLDER_AUTHORITY, ReferenceType.STUDY_INSTANCE_UID),
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
    "La référence de l'examen est un UID légal, sans autorité ou avec celle que le profil nomme",
    reference=iti("Vol. 3, 4.2.3.2.28"),
    requirements=_KOS,
    tolerated=True,
    named_by="study_uid_authority",
    bad=lambda: _without(""),
)
def study_authority(xds: Submission) -> Findings:
    # Every official sample writes the placeholder 1.2.3.4.5.6 here.
    wanted = xds.context.demands.study_uid_authority or ""
    written = f"&{wanted}&ISO" if wanted else ""
    for item in xds.manifests:
        for one in _references(item, ReferenceType.STUDY_INSTANCE_UID):
            if one.authority != wanted or not is_uid(one.id):
                yield Broken(
                    message="L'UID n'est pas légal, ou son autorité n'est pas celle attendue.",
                    expected=f"{one.id}^^^{written}^{ReferenceType.STUDY_INSTANCE_UID}",
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
