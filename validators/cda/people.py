"""Who wrote, validated and keeps the report, and where: the structure decides the certificate."""

from __future__ import annotations

import re
from dataclasses import replace

from protocols.cda import Id, Organization
from spec import cda as table
from spec.imaging_metadata import FACILITY_SYSTEM, PRACTICE_SETTINGS, PRACTICE_SYSTEM
from spec.oids import PROFESSIONAL_AUTHORITY, STRUCTURE_AUTHORITY
from validators.cda.reading import CdaArtefact
from validators.cda.rules import CDA, FAQ_9313, Findings, minimal, r2
from validators.examples import cda as example
from validators.expect import one_of, same
from validators.finding import Severity
from validators.identifiers import dtm, is_dtm
from validators.rule import Broken

__all__: list[str] = []

_PERSON = minimal("author, legalAuthenticator")
_SIGNER = minimal("legalAuthenticator")
_NO_ID = Organization(name="CENTRE EXEMPLE")
_DMP = "1.2.250.1.213.4.1"


def _identified(organization: Organization | None) -> bool:
    ids = organization.ids if organization else ()
    return any(one.root == STRUCTURE_AUTHORITY and one.extension for one in ids)


@CDA.rule(
    "CDA-040",
    "Le document a au moins un auteur",
    reference=minimal("author"),
    bad=lambda: example.document(authors=()),
)
def author(cda: CdaArtefact) -> Findings:
    if not cda.report.authors:
        yield Broken(message="Aucun auteur.", where="author")


@CDA.rule(
    "CDA-041",
    "Auteur et responsable ont un identifiant national de professionnel",
    reference=_PERSON,
    bad=lambda: example.document(authors=(example.actor(ids=(Id("1.2.3", "12"),)),)),
)
def professional_id(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        if not any(one.root == PROFESSIONAL_AUTHORITY and one.extension for one in person.ids):
            yield Broken(
                message="L'identifiant national du professionnel manque.",
                expected=PROFESSIONAL_AUTHORITY,
                actual=" ".join(one.root or "" for one in person.ids),
                where=f"{where}/id",
            )


@CDA.rule(
    "CDA-042",
    "Auteur et responsable ont une profession ou une spécialité",
    reference=_PERSON,
    severity=Severity.WARNING,
    bad=lambda: example.document(authors=(example.actor(code=None),)),
)
def profession(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        value, system = (person.code and (person.code.code, person.code.system)) or ("", "")
        if not value:
            yield Broken(message="La profession manque.", where=f"{where}/code/@code")
        path = f"{where}/code/@codeSystem"
        yield from same(system or "", table.PROFESSION_SYSTEM, path, "Le système")


@CDA.rule(
    "CDA-043",
    "Auteur et responsable datent leur participation",
    reference=_PERSON,
    bad=lambda: example.document(legal_authenticators=(example.signer(time=None),)),
)
def participation_time(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        if not is_dtm(person.time or ""):
            yield Broken(
                message="La date de la participation est absente ou illisible.",
                expected="AAAAMMJJHHMMSS+ZZZZ",
                actual=person.time or "",
                where=where.rpartition("/")[0] + "/time/@value",
            )


@CDA.rule(
    "CDA-044",
    "Auteur et responsable ont un nom",
    reference=_PERSON,
    bad=lambda: example.document(authors=(example.actor(name=None),)),
)
def professional_name(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        if person.name is None or not person.name.family:
            yield Broken(message="Le nom du professionnel manque.", where=f"{where}/assignedPerson")


@CDA.rule(
    "CDA-045",
    "Un responsable et un seul signe le document (legalAuthenticator, S)",
    reference=_SIGNER,
    requirements=("DB.SO.19",),
    bad=lambda: example.document(legal_authenticators=()),
)
def one_signer(cda: CdaArtefact) -> Findings:
    signers = cda.report.legal_authenticators
    yield from same(str(len(signers)), "1", "legalAuthenticator", "Le nombre de responsables")
    for signer in signers:
        where = "legalAuthenticator/signatureCode/@code"
        yield from same(signer.signature or "", "S", where, "La signature")


@CDA.rule(
    "CDA-046",
    "La structure du responsable est identifiée : elle décide du certificat de la DRIMbox",
    reference=FAQ_9313,
    requirements=("DB.SO.19", "DB.SO.89"),
    bad=lambda: example.document(legal_authenticators=(example.signer(organization=_NO_ID),)),
)
def signing_structure(cda: CdaArtefact) -> Findings:
    for signer in cda.report.legal_authenticators:
        if not _identified(signer.organization):
            yield Broken(
                message="representedOrganization du responsable n'a pas d'identifiant national.",
                expected=f"{STRUCTURE_AUTHORITY} et son extension",
                where="legalAuthenticator/assignedEntity/representedOrganization/id",
            )


@CDA.rule(
    "CDA-047",
    "La structure de l'auteur est identifiée",
    reference=minimal("author/assignedAuthor/representedOrganization"),
    severity=Severity.WARNING,
    bad=lambda: example.document(authors=(example.actor(organization=None),)),
)
def author_structure(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        if where.startswith("author") and not _identified(person.organization):
            yield Broken(
                message="La structure de l'auteur n'a pas d'identifiant national.",
                expected=STRUCTURE_AUTHORITY,
                where=f"{where}/representedOrganization/id",
            )


@CDA.rule(
    "CDA-048",
    "Le cadre d'exercice de la structure est un code de TRE_A01, que l'auteur donne",
    reference=minimal("standardIndustryClassCode"),
    severity=Severity.WARNING,
    bad=lambda: example.document(authors=(example.actor(organization=_sector("CABINET")),)),
)
def practice_setting(cda: CdaArtefact) -> Findings:
    for where, person in cda.people():
        code = person.organization.industry if person.organization else None
        path = f"{where}/representedOrganization/standardIndustryClassCode"
        if code is None and person.organization is not None and where.startswith("author"):
            yield Broken(message="Le cadre d'exercice manque.", where=path)
        if code is not None:
            yield from one_of(code.code or "", PRACTICE_SETTINGS, f"{path}/@code", "Le cadre")
            system = code.system or ""
            yield from same(system, PRACTICE_SYSTEM, f"{path}/@codeSystem", "Le système")


def _sector(value: str) -> Organization:
    return Organization(
        ids=(Id(STRUCTURE_AUTHORITY, "101235555"),), industry=example.code(value, PRACTICE_SYSTEM)
    )


@CDA.rule(
    "CDA-049",
    "L'organisation qui conserve le document est identifiée",
    reference=minimal("custodian"),
    bad=lambda: example.document(custodian=_NO_ID),
)
def custodian(cda: CdaArtefact) -> Findings:
    keeper = cda.report.custodian
    ids = keeper.ids if keeper else ()
    # The DMP keeps documents too, and its root needs no extension.
    if not _identified(keeper) and not any(one.root == _DMP for one in ids):
        yield Broken(
            message="custodian n'a pas d'identifiant national.",
            expected=f"{STRUCTURE_AUTHORITY} et son extension | {_DMP}",
            where="custodian/assignedCustodian/representedCustodianOrganization/id",
        )


@CDA.rule(
    "CDA-050",
    "La prise en charge dit le type d'établissement (TRE_R02)",
    reference=minimal("componentOf/encompassingEncounter/location"),
    bad=lambda: example.document(encounter=None),
)
def facility(cda: CdaArtefact) -> Findings:
    code = cda.report.encounter.facility_code if cda.report.encounter else None
    value, system = (code and code.code) or "", (code and code.system) or ""
    if re.fullmatch(r"SA\d\d", value) is None or system != FACILITY_SYSTEM:
        yield Broken(
            message="Le type d'établissement manque ou n'est pas un code de TRE_R02.",
            expected=f"SAnn ({FACILITY_SYSTEM})",
            actual=f"{value} ({system})",
            where="componentOf/encompassingEncounter/location/healthCareFacility/code",
        )


@CDA.rule(
    "CDA-051",
    "Les structures de l'auteur, du responsable et du dépositaire ont un nom",
    reference=minimal("representedOrganization/name"),
    severity=Severity.WARNING,
    bad=lambda: example.document(
        custodian=Organization(ids=(Id(STRUCTURE_AUTHORITY, "101235555"),))
    ),
)
def structure_names(cda: CdaArtefact) -> Findings:
    named = [(f"{where}/representedOrganization", one.organization) for where, one in cda.people()]
    where = "custodian/assignedCustodian/representedCustodianOrganization"
    for path, organization in (*named, (where, cda.report.custodian)):
        if organization is not None and not organization.name:
            yield Broken(message="La structure n'a pas de nom.", where=f"{path}/name")


@CDA.rule(
    "CDA-052",
    "La prise en charge est datée, et sa fin ne précède pas son début",
    reference=r2("encompassingEncounter/effectiveTime"),
    bad=lambda: example.document(
        encounter=replace(example.encounter(), low="20261123", high="20261122")
    ),
)
def encounter_time(cda: CdaArtefact) -> Findings:
    encounter = cda.report.encounter
    path = "componentOf/encompassingEncounter/effectiveTime"
    if encounter is None:
        return
    if not cda.find("/".join(f"cda:{name}" for name in path.split("/"))):
        yield Broken(message="La prise en charge n'est pas datée.", where=path)
        return
    written = [one for one in (encounter.low, encounter.high) if one is not None]
    moments = [dtm(one) for one in written]
    known = [moment for moment in moments if moment is not None]
    if len(known) < len(written) or known != sorted(known):
        yield Broken(
            message="Les dates de la prise en charge sont illisibles ou inversées.",
            expected="low <= high",
            actual=" ".join(written),
            where=path,
        )
