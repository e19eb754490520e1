"""ITI-41: the metadata of the submission set."""

from __future__ import annotations

from protocols.ebrim import Author, Code
from spec.imaging_metadata import CONTENT_TYPE_SYSTEM
from spec.xds import EntryScheme, SetScheme, SlotName
from validators.context import Context
from validators.examples import kos as manifest
from validators.examples import xds as example
from validators.identifiers import is_dtm
from validators.rule import Broken
from validators.xds.reading import Submission
from validators.xds.registry import parts
from validators.xds.rules import XDS, Findings, iti, pdsm, same
from validators.xds.values import institution, oid, one_code, patient_id, person, single

__all__: list[str] = []

_SET = pdsm("SubmissionSet")


@XDS.rule(
    "XDS-040",
    "submissionTime est une date de 14 chiffres",
    reference=iti("Vol. 3, 4.2.3.3.10"),
    bad=lambda: example.iti41(submission_set={"submission_time": "2026-11-22T10:15:00"}),
)
def submission_time(xds: Submission) -> Findings:
    for item in xds.sets:
        yield from single(item, SlotName.SUBMISSION_TIME)
        value = item.value(SlotName.SUBMISSION_TIME)
        if value and not is_dtm(value, precision=14):
            yield Broken(
                message="La date de soumission est illisible.",
                expected="AAAAMMJJHHMMSS (UTC)",
                actual=value,
                where=item.slot_path(SlotName.SUBMISSION_TIME),
            )


@XDS.rule(
    "XDS-041",
    "Le lot a un auteur identifié",
    reference=_SET,
    bad=lambda: example.iti41(submission_set={"authors": ()}),
)
def author(xds: Submission) -> Findings:
    for item in xds.sets:
        authors = item.authors(SetScheme.AUTHOR)
        where = item.where(f"Classification[@classificationScheme='{SetScheme.AUTHOR}']")
        if len(authors) != 1 or len(authors[0].persons) != 1:
            yield Broken(
                message="Le lot doit avoir un auteur et un authorPerson.",
                expected="1",
                actual=str(len(authors)),
                where=where,
            )
        for one in authors:
            for value in one.persons:
                yield from person(value, where)


@XDS.rule(
    "XDS-042",
    "authorInstitution du lot identifie une structure",
    reference=pdsm("AuthorInstitution"),
    bad=lambda: example.iti41(
        submission_set={"authors": (Author(person="1^A^B", institutions=("CENTRE EXEMPLE",)),)}
    ),
)
def author_institution(xds: Submission) -> Findings:
    for item in xds.sets:
        for one in item.authors(SetScheme.AUTHOR):
            for value in one.institutions:
                yield from institution(value, item.where("Classification"))


@XDS.rule(
    "XDS-043",
    "contentTypeCode est un code de TRE_R209",
    reference=_SET,
    bad=lambda: example.iti41(submission_set={"content_type": Code("07", "1.2.3", "Inconnu")}),
)
def content_type(xds: Submission) -> Findings:
    for item in xds.sets:
        code, faults = one_code(item, SetScheme.CONTENT_TYPE_CODE, "contentTypeCode")
        yield from faults
        if code is not None:
            yield from same(code.scheme, CONTENT_TYPE_SYSTEM, item.where(), "contentTypeCode")


@XDS.rule(
    "XDS-044",
    "patientId du lot est un INS",
    reference=_SET,
    requirements=("DB.SO.19", "DB.SO.11"),
    bad=lambda: example.iti41(submission_set={"patient_id": "IPP900^^^&1.2.3&ISO^PI"}),
)
def set_patient_id(xds: Submission) -> Findings:
    for item in xds.sets:
        values = item.externals(SetScheme.PATIENT_ID)
        for value in values or [""]:
            yield from patient_id(value, item.where("ExternalIdentifier[patientId]"))


@XDS.rule(
    "XDS-045",
    "sourceId du lot est un OID",
    reference=_SET,
    bad=lambda: example.iti41(submission_set={"source_id": "urn:oid:1.2.3"}),
)
def source_id(xds: Submission) -> Findings:
    for item in xds.sets:
        value = item.external(SetScheme.SOURCE_ID)
        yield from oid(value, item.where("ExternalIdentifier[sourceId]"), "sourceId")


@XDS.rule(
    "XDS-046",
    "uniqueId du lot est un OID",
    reference=_SET,
    bad=lambda: example.iti41(submission_set={"unique_id": "lot-1"}),
)
def set_unique_id(xds: Submission) -> Findings:
    for item in xds.sets:
        value = item.external(SetScheme.UNIQUE_ID)
        yield from oid(value, item.where("ExternalIdentifier[uniqueId]"), "uniqueId")


@XDS.rule(
    "XDS-047",
    "Le lot et ses entrées ont le même patientId",
    reference=iti("Vol. 3, 4.2.3.3.6"),
    bad=lambda: example.iti41(
        entry={"patient_id": "162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH"}
    ),
)
def same_patient(xds: Submission) -> Findings:
    expected = {item.external(SetScheme.PATIENT_ID) for item in xds.sets}
    for item in xds.entries:
        written = item.external(EntryScheme.PATIENT_ID)
        if expected and written not in expected:
            yield Broken(
                message="L'entrée est celle d'un autre patient que le lot.",
                expected=" ".join(sorted(expected)),
                actual=written,
                where=item.where("ExternalIdentifier[patientId]"),
            )


@XDS.rule(
    "XDS-048",
    "Les uniqueId du lot et de ses documents diffèrent",
    reference=iti("Vol. 3, 4.2.3.2.26"),
    bad=lambda: example.iti41(signature={"unique_id": manifest.UID}),
)
def distinct_unique_ids(xds: Submission) -> Findings:
    seen: set[str] = {item.external(SetScheme.UNIQUE_ID) for item in xds.sets}
    for item in xds.entries:
        value = item.external(EntryScheme.UNIQUE_ID)
        if value in seen:
            yield Broken(
                message="Cet uniqueId sert deux fois dans le lot.",
                actual=value,
                where=item.where("ExternalIdentifier[uniqueId]"),
            )
        seen.add(value)


@XDS.rule(
    "XDS-049",
    "Le patient du lot est celui du cas",
    reference=_SET,
    requirements=("DB.SO.19", "DB.SO.11"),
    given=Context(ins=manifest.INS, ins_oid="1.2.250.1.213.1.4.10"),
    bad=lambda: example.iti41(
        submission_set={"patient_id": "162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH"}
    ),
)
def patient_of_case(xds: Submission) -> Findings:
    if not xds.context.ins:
        return
    for item in xds.sets:
        cx = parts(item.external(SetScheme.PATIENT_ID))
        authority = xds.context.ins_oid
        if cx[0] != xds.context.ins or (authority and authority not in cx[3].split("&")):
            yield Broken(
                message="Le lot est celui d'un autre patient.",
                expected=f"{xds.context.ins}^^^&{authority}&ISO^NH",
                actual="^".join(cx).rstrip("^"),
                where=item.where("ExternalIdentifier[patientId]"),
            )
