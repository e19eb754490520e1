"""ITI-41: the metadata of a KOS entry, those that say what it is, whose and when."""

from __future__ import annotations

import hashlib
import re

from protocols.ebrim import Author
from spec.imaging_metadata import AUTHOR_SPECIALTY_DEVICE, SOURCE_PATIENT_FIELDS
from spec.oids import PROFESSIONAL_AUTHORITY
from spec.xds import EntryScheme, SlotName
from validators.context import Context
from validators.demands import Demands
from validators.examples import xds as example
from validators.finding import Severity
from validators.identifiers import dtm, is_dtm
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import RegistryObject, parts
from validators.xds.rules import DATA, XDS, Findings, iti, pdsm, same
from validators.xds.values import authority, institution, oid, patient_id, person, single

__all__: list[str] = []

_ENTRY = pdsm("DocumentEntry")
_KOS = ("DB.SO.18", "DB.SO.19")
_TIMES = (SlotName.CREATION_TIME, SlotName.SERVICE_START_TIME, SlotName.SERVICE_STOP_TIME)


@XDS.rule(
    "XDS-050",
    "creationTime est une date de 14 chiffres",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"creation_time": ""}),
)
def creation_time(xds: Submission) -> Findings:
    for item in xds.entries:
        yield from single(item, SlotName.CREATION_TIME)
        value = item.value(SlotName.CREATION_TIME)
        if value and not is_dtm(value, precision=14):
            yield _unreadable(item, SlotName.CREATION_TIME)


def _unreadable(item: RegistryObject, slot: str) -> Broken:
    return Broken(
        message=f"{slot} est illisible.",
        expected="AAAAMMJJHHMMSS (UTC), sans fuseau",
        actual=item.value(slot),
        where=item.slot_path(slot),
    )


@XDS.rule(
    "XDS-051",
    "serviceStartTime est écrit, et ne suit pas serviceStopTime",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"service_start_time": "20261121235900"}),
)
def service_times(xds: Submission) -> Findings:
    for item in xds.entries:
        yield from single(item, SlotName.SERVICE_START_TIME)
        begun = dtm(item.value(SlotName.SERVICE_START_TIME))
        ended = dtm(item.value(SlotName.SERVICE_STOP_TIME))
        if begun and ended and begun > ended:
            yield Broken(
                message="L'acte finit avant d'avoir commencé.",
                expected=f"<= {item.value(SlotName.SERVICE_STOP_TIME)}",
                actual=item.value(SlotName.SERVICE_START_TIME),
                where=item.slot_path(SlotName.SERVICE_START_TIME),
            )


@XDS.rule(
    "XDS-052",
    "Les dates sont en DTM, sans fuseau",
    reference=iti("Vol. 3, table 4.2.3.1.7-2 DTM"),
    bad=lambda: example.iti41(entry={"service_start_time": "20261121093000+0100"}),
)
def utc_times(xds: Submission) -> Findings:
    for item in xds.entries:
        for slot in _TIMES[1:]:
            value = item.value(slot)
            if value and not (value.isdigit() and is_dtm(value)):
                yield _unreadable(item, slot)


@XDS.rule(
    "XDS-053",
    "languageCode du KOS est fr-FR",
    reference=DATA,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"language_code": "fr"}),
)
def language(xds: Submission) -> Findings:
    for item in xds.manifests:
        yield from single(item, SlotName.LANGUAGE_CODE)
        written = item.value(SlotName.LANGUAGE_CODE)
        yield from same(written, "fr-FR", item.slot_path(SlotName.LANGUAGE_CODE), "languageCode")


@XDS.rule(
    "XDS-054",
    "legalAuthenticator identifie qui a validé le compte rendu",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"legal_authenticator": "EXEMPLE^CLAIRE"}),
)
def legal_authenticator(xds: Submission) -> Findings:
    for item in xds.entries:
        yield from single(item, SlotName.LEGAL_AUTHENTICATOR)
        for value in item.slot(SlotName.LEGAL_AUTHENTICATOR):
            yield from person(value, item.slot_path(SlotName.LEGAL_AUTHENTICATOR))


@XDS.rule(
    "XDS-055",
    "sourcePatientId est un identifiant et l'OID de son autorité",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"source_patient_id": "IPP900"}),
)
def source_patient_id(xds: Submission) -> Findings:
    for item in xds.entries:
        yield from single(item, SlotName.SOURCE_PATIENT_ID)
        for value in item.slot(SlotName.SOURCE_PATIENT_ID):
            cx = parts(value)
            if not (cx[0] and authority(cx[3])[0] and cx[4] in ("PI", "NH")):
                yield Broken(
                    message="Ce n'est pas un identifiant de patient.",
                    expected="id^^^&OID&ISO^PI | NH",
                    actual=value,
                    where=item.slot_path(SlotName.SOURCE_PATIENT_ID),
                )


@XDS.rule(
    "XDS-056",
    "sourcePatientInfo du KOS donne le nom de naissance, la date et le sexe",
    reference=_ENTRY,
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"source_patient_info": ("PID-5|PAT-TROIS^DOMINIQUE",)}),
)
def source_patient_info(xds: Submission) -> Findings:
    for item in xds.manifests:
        values = item.slot(SlotName.SOURCE_PATIENT_INFO)
        for field in ("PID-5", "PID-7", "PID-8"):
            if not any(value.startswith(f"{field}|") and len(value) > 6 for value in values):
                yield Broken(
                    message=f"{field} manque.",
                    expected=f"{field}|…",
                    actual=" ".join(values),
                    where=item.slot_path(SlotName.SOURCE_PATIENT_INFO),
                )


@XDS.rule(
    "XDS-057",
    "sourcePatientInfo ne porte que les champs permis",
    reference=pdsm("SourcePatientInfo"),
    bad=lambda: example.iti41(entry={"source_patient_info": ("PID-19|279035121518989",)}),
)
def source_patient_fields(xds: Submission) -> Findings:
    for item in xds.entries:
        for value in item.slot(SlotName.SOURCE_PATIENT_INFO):
            if value.partition("|")[0] not in SOURCE_PATIENT_FIELDS:
                yield Broken(
                    message="Ce champ n'a pas sa place ici.",
                    expected=", ".join(SOURCE_PATIENT_FIELDS),
                    actual=value,
                    where=item.slot_path(SlotName.SOURCE_PATIENT_INFO),
                )


@XDS.rule(
    "XDS-058",
    "sourcePatientInfo du KOS donne le lieu de naissance (PID-11, BDL)",
    reference=DATA,
    severity=Severity.WARNING,
    requirements=_KOS,
    bad=lambda: example.iti41(
        entry={"source_patient_info": ("PID-5|A^B^^^^^L", "PID-7|19790328", "PID-8|F")}
    ),
)
def birth_place(xds: Submission) -> Findings:
    for item in xds.manifests:
        values = item.slot(SlotName.SOURCE_PATIENT_INFO)
        places = [parts(value) for value in values if value.startswith("PID-11|")]
        if not any(place[6] == "BDL" and place[8] for place in places):
            yield Broken(
                message="Le code INSEE du lieu de naissance manque.",
                expected="PID-11|^^^^^^BDL^^code",
                where=item.slot_path(SlotName.SOURCE_PATIENT_INFO),
            )


_SHA1 = re.compile(r"[0-9a-fA-F]{40}")


@XDS.rule(
    "XDS-060",
    "hash est le SHA-1 du document, en hexadécimal",
    reference=iti("Vol. 3, 4.2.3.2.10"),
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"hash": "0" * 40}),
)
def hash_of_manifest(xds: Submission) -> Findings:
    for item in xds.contents:
        yield from _hash(xds, item)


@XDS.rule(
    "XDS-061",
    "size est la taille du document, en octets",
    reference=iti("Vol. 3, 4.2.3.2.23"),
    requirements=_KOS,
    bad=lambda: example.iti41(entry={"size": "12"}),
)
def size_of_manifest(xds: Submission) -> Findings:
    for item in xds.contents:
        yield from _size(xds, item)


@XDS.rule(
    "XDS-062",
    "hash et size de la signature sont ceux du document de signature",
    reference=iti("Vol. 3, 4.2.3.2.10, 4.2.3.2.23"),
    tolerated=True,
    bad=lambda: example.iti41(signature={"size": "12"}),
)
def hash_of_signature(xds: Submission) -> Findings:
    # The demonstrator counts one line end more than it sends, and its sample was re-indented.
    for item in xds.signatures:
        yield from _hash(xds, item)
        yield from _size(xds, item)


def _hash(xds: Submission, item: RegistryObject) -> Findings:
    written, data = item.value(SlotName.HASH), xds.documents.get(item.id)
    # Optional at submission: the repository computes it (IHE); when written it must be right.
    if not written:
        return
    if _SHA1.fullmatch(written) is None:
        yield Broken(
            message="hash n'est pas un SHA-1 en hexadécimal.",
            expected="40 chiffres hexadécimaux",
            actual=written,
            where=item.slot_path(SlotName.HASH),
        )
    elif data is not None:
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        yield from same(written.lower(), digest, item.slot_path(SlotName.HASH), "hash")


def _size(xds: Submission, item: RegistryObject) -> Findings:
    written, data = item.value(SlotName.SIZE), xds.documents.get(item.id)
    if written and data is not None:
        yield from same(written, str(len(data)), item.slot_path(SlotName.SIZE), "size")


@XDS.rule(
    "XDS-063",
    "hash et size sont écrits",
    reference=DATA,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(entry={"hash": "", "size": ""}),
)
def hash_is_written(xds: Submission) -> Findings:
    for item in xds.manifests:
        for slot in (SlotName.HASH, SlotName.SIZE):
            if not item.value(slot):
                yield Broken(message=f"{slot} manque.", where=item.slot_path(slot))


@XDS.rule(
    "XDS-064",
    "L'entrée a un titre de 128 caractères au plus",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"title": ""}),
)
def title(xds: Submission) -> Findings:
    for item in xds.entries:
        if not 1 <= len(item.title.encode()) <= 128:
            yield Broken(
                message="Le titre manque ou est trop long.",
                expected="1 à 128 octets",
                actual=item.title,
                where=item.where("Name"),
            )


@XDS.rule(
    "XDS-065",
    "L'entrée a au moins un auteur identifié, et sa structure",
    reference=pdsm("AuthorDocumentEntry"),
    bad=lambda: example.iti41(entry={"authors": ()}),
)
def authors(xds: Submission) -> Findings:
    for item in xds.entries:
        found = item.authors(EntryScheme.AUTHOR)
        where = item.where(f"Classification[@classificationScheme='{EntryScheme.AUTHOR}']")
        if not found:
            yield Broken(message="L'entrée n'a pas d'auteur.", where=where)
        for author in found:
            if len(author.persons) != 1:
                yield Broken(
                    message="authorPerson doit avoir une valeur et une seule.",
                    expected="1",
                    actual=str(len(author.persons)),
                    where=where,
                )
            for value in author.persons:
                yield from person(value, where)
            for value in author.institutions:
                yield from institution(value, where)


_SYSTEM_TYPES = ("EI", "RI")
"""XCN.13 of an author that is a system."""
_SYSTEM = "drimbox"
_DEVICE = f"3101235550001/1^DRIMbox^1.0^^^^^^&{PROFESSIONAL_AUTHORITY}&ISO^U^^^EI"


@XDS.rule(
    "XDS-160",
    "L'auteur de l'entrée du KOS est celui que le profil nomme, DRIMbox ou professionnel",
    reference=DATA,
    requirements=_KOS,
    named_by="author",
    given=Context(demands=Demands(author="professional")),
    bad=lambda: example.iti41(entry={"authors": (Author(person=_DEVICE),)}),
)
def named_author(xds: Submission) -> Findings:
    named = xds.context.demands.author
    if named is None:
        return
    for item in xds.manifests:
        for author in item.authors(EntryScheme.AUTHOR):
            for value in author.persons:
                kind = _SYSTEM if parts(value)[12] in _SYSTEM_TYPES else "professional"
                yield from same(kind, named, item.where(), "L'auteur")


@XDS.rule(
    "XDS-066",
    "authorSpecialty de l'auteur d'un KOS est absent, ou vaut DISPOSITIF",
    reference=pdsm("AuthorDocumentEntry"),
    requirements=_KOS,
    severity=Severity.WARNING,
    bad=lambda: example.iti41(
        entry={"authors": (Author(person="1^A^B", specialties=("G15_10/SM44^Radiologue^1.2",)),)}
    ),
)
def author_specialty(xds: Submission) -> Findings:
    for item in xds.manifests:
        for author in item.authors(EntryScheme.AUTHOR):
            for value in author.specialties:
                code = parts(value)[0]
                yield from same(code, AUTHOR_SPECIALTY_DEVICE, item.where(), "authorSpecialty")


@XDS.rule(
    "XDS-067",
    "patientId de l'entrée est un INS",
    reference=_ENTRY,
    requirements=("DB.SO.19", "DB.SO.11"),
    bad=lambda: example.iti41(entry={"patient_id": "279035121518989^^^&1.2.3&ISO^NH"}),
)
def entry_patient_id(xds: Submission) -> Findings:
    for item in xds.entries:
        for value in item.externals(EntryScheme.PATIENT_ID) or [""]:
            yield from patient_id(value, item.where("ExternalIdentifier[patientId]"))


@XDS.rule(
    "XDS-068",
    "uniqueId de l'entrée est un OID",
    reference=_ENTRY,
    bad=lambda: example.iti41(entry={"unique_id": "urn:oid:1.2.250.1.999.1"}),
)
def entry_unique_id(xds: Submission) -> Findings:
    for item in xds.entries:
        for value in item.externals(EntryScheme.UNIQUE_ID) or [""]:
            yield from oid(value, item.where("ExternalIdentifier[uniqueId]"), "uniqueId")


_add_submission_time = example.edit(
    f"//rim:ExtrinsicObject[@id='{example.KOS_ID}']/rim:Slot[@name='serviceStopTime']",
    "name",
    SlotName.SUBMISSION_TIME,
)


@XDS.rule(
    "XDS-069",
    "L'entrée ne porte pas submissionTime, qui est au lot",
    reference=iti("Vol. 3, table 4.2.3.2-1"),
    severity=Severity.WARNING,
    bad=lambda: example.iti41(_add_submission_time),
)
def no_submission_time(xds: Submission) -> Findings:
    for item in xds.entries:
        if item.slot_count(SlotName.SUBMISSION_TIME):
            yield Broken(
                message="submissionTime n'est pas un attribut de DocumentEntry.",
                actual=item.value(SlotName.SUBMISSION_TIME),
                where=item.slot_path(SlotName.SUBMISSION_TIME),
            )
