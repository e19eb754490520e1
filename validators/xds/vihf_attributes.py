"""ITI-41: the attributes of the VIHF, and their agreement with the lot."""

from __future__ import annotations

import re

from protocols import saml
from protocols.saml import CodedValue
from spec import vihf
from spec.grade import Grade, Reference
from spec.imaging_metadata import FACILITY_SYSTEM
from spec.vihf import AttributeName
from spec.xds import EntryScheme, SetScheme
from validators.examples import xds as example
from validators.finding import Severity
from validators.identifiers import structure_id
from validators.rule import Broken
from validators.xds.assertion import (
    REQUIREMENTS,
    Carrier,
    parsed,
    path,
    with_attribute,
)
from validators.xds.reading import Submission
from validators.xds.registry import parts
from validators.xds.rules import TD21, XDS, Findings, same
from validators.xds.rules import vihf as mapping

__all__: list[str] = []

_ATTRIBUTES = mapping("attributs")
_EX_1140 = Reference("GI DMP, EX_2.1-1140, cité par des éditeurs", grade=Grade.DEMONSTRATOR)

_REQUIRED = tuple(
    name
    for name in AttributeName
    if name not in (AttributeName.LPS_ID, AttributeName.CONFIDENTIALITY_CODE)
)


@XDS.rule(
    "VIHF-014",
    "Les attributs requis figurent une fois chacun",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.LPS_NOM),
)
def required(xds: Carrier) -> Findings:
    for said in parsed(xds):
        names = [attribute.name.lower() for attribute in said.attributes]
        for name in _REQUIRED:
            count = names.count(name.lower())
            if count != 1 or not said.values(name) or not all(said.values(name)):
                yield Broken(
                    message=f"L'attribut {name} doit figurer une fois, avec une valeur.",
                    expected="1",
                    actual=str(count),
                    where=path(name),
                )


@XDS.rule(
    "VIHF-015",
    "Le mode d'authentification d'une alimentation est INDIRECTE",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.19", Grade.DRAFT),
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.AUTHENTIFICATION_MODE, "INDIRECTE_RENFORCEE"),
)
def mode(xds: Carrier) -> Findings:
    for said in parsed(xds):
        name = AttributeName.AUTHENTIFICATION_MODE
        written = said.text(name)
        yield from same(written, vihf.AuthenticationMode.INDIRECTE, path(name), "Le mode")


@XDS.rule(
    "VIHF-016",
    "VIHF_Version est 3.0 ou 4.0, ou celle que le profil nomme",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    named_by="vihf_version",
    bad=with_attribute(AttributeName.VIHF_VERSION, "2.0"),
)
def version(xds: Carrier) -> Findings:
    named = xds.context.demands.vihf_version
    versions = (named,) if named else vihf.VERSIONS
    for said in parsed(xds):
        written = said.text(AttributeName.VIHF_VERSION)
        if written and written not in versions:
            yield Broken(
                message="Cette version du VIHF n'est pas celle attendue.",
                expected=" | ".join(versions),
                actual=written,
                where=path(AttributeName.VIHF_VERSION),
            )


@XDS.rule(
    "VIHF-017",
    "Ressource_URN est urn:dmp",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.RESSOURCE_URN, "urn:autre"),
)
def resource(xds: Carrier) -> Findings:
    for said in parsed(xds):
        written = said.text(AttributeName.RESSOURCE_URN)
        where = path(AttributeName.RESSOURCE_URN)
        yield from same(written, vihf.RESSOURCE_URN, where, "La ressource")


@XDS.rule(
    "VIHF-018",
    "Identifiant_Structure est un Struct_IdNat",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    severity=Severity.WARNING,
    bad=with_attribute(AttributeName.IDENTIFIANT_STRUCTURE, "CENTRE"),
)
def structure(xds: Carrier) -> Findings:
    for said in parsed(xds):
        written = said.text(AttributeName.IDENTIFIANT_STRUCTURE)
        if not structure_id(written):
            yield Broken(
                message="Ce n'est pas un identifiant national de structure.",
                expected="préfixe 0 à 4 et identifiant",
                actual=written,
                where=path(AttributeName.IDENTIFIANT_STRUCTURE),
            )


@XDS.rule(
    "VIHF-019",
    "Secteur_Activite est un code SAnn de TRE_R02",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.SECTEUR_ACTIVITE, "SA08"),
)
def sector(xds: Carrier) -> Findings:
    for said in parsed(xds):
        written = said.text(AttributeName.SECTEUR_ACTIVITE)
        if re.fullmatch(rf"SA\d\d\^{re.escape(FACILITY_SYSTEM)}", written) is None:
            yield Broken(
                message="Ce n'est pas un secteur d'activité.",
                expected=f"SAnn^{FACILITY_SYSTEM}",
                actual=written,
                where=path(AttributeName.SECTEUR_ACTIVITE),
            )


_ROLE_SYSTEMS = ("1.2.250.1.71.1.2.7", "1.2.250.1.71.1.2.8", "1.2.250.1.213.1.1.4.6")
_SPECIALTY_SYSTEMS = {"10": "1.2.250.1.71.4.2.5", "21": "1.2.250.1.71.4.2.6"}
"""Second role of physicians (R01) and pharmacists (G05)."""


def _physician(*systems: str) -> tuple[CodedValue, ...]:
    return tuple(CodedValue("Role", "10", system) for system in systems)


@XDS.rule(
    "VIHF-020",
    "Le rôle est une profession ou une catégorie, et une spécialité la suit pour un médecin",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.ROLE, *_physician("1.2.250.1.71.1.2.7")),
)
def role(xds: Carrier) -> Findings:
    for said in parsed(xds):
        roles = said.codes(AttributeName.ROLE)
        where = path(AttributeName.ROLE)
        if not 1 <= len(roles) <= 2 or not all(one.code and one.code_system for one in roles):
            yield Broken(
                message="Un ou deux rôles codés sont attendus.",
                expected="1 | 2",
                actual=str(len(roles)),
                where=where,
            )
            continue
        wanted = _SPECIALTY_SYSTEMS.get(roles[0].code)
        professional = roles[0].code_system in _ROLE_SYSTEMS[:2]
        if professional and wanted and [one.code_system for one in roles[1:]] != [wanted]:
            yield Broken(
                message="La spécialité est obligatoire pour cette profession.",
                expected=wanted,
                actual=" ".join(one.code_system for one in roles[1:]),
                where=where,
            )


@XDS.rule(
    "VIHF-021",
    "PurposeOfUse est un mode d'accès de TRE_R248",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(
        AttributeName.PURPOSE_OF_USE,
        CodedValue("PurposeOfUse", "urgence", vihf.MODE_ACCES_SYSTEM),
    ),
)
def purpose(xds: Carrier) -> Findings:
    for said in parsed(xds):
        for one in said.codes(AttributeName.PURPOSE_OF_USE):
            if one.code not in list(vihf.ModeAcces) or one.code_system != vihf.MODE_ACCES_SYSTEM:
                yield Broken(
                    message="Ce mode d'accès est inconnu.",
                    expected=" | ".join(vihf.ModeAcces),
                    actual=f"{one.code} ({one.code_system})",
                    where=path(AttributeName.PURPOSE_OF_USE),
                )


@XDS.rule(
    "VIHF-022",
    "resource-id est le patient du lot",
    reference=_ATTRIBUTES,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.RESOURCE_ID, "162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH"),
)
def patient(xds: Submission) -> Findings:
    for said in parsed(xds):
        for item in xds.sets:
            yield from same(
                said.text(AttributeName.RESOURCE_ID),
                item.external(SetScheme.PATIENT_ID),
                path(AttributeName.RESOURCE_ID),
                "Le patient du VIHF",
            )


@XDS.rule(
    "VIHF-023",
    "Identifiant_Structure est la structure d'un auteur du lot",
    reference=_EX_1140,
    requirements=REQUIREMENTS,
    bad=with_attribute(AttributeName.IDENTIFIANT_STRUCTURE, "3999999990001"),
)
def structure_is_author(xds: Submission) -> Findings:
    for said in parsed(xds):
        written = structure_id(said.text(AttributeName.IDENTIFIANT_STRUCTURE))
        authors = [one for item in xds.sets for one in item.authors(SetScheme.AUTHOR)]
        authors += [one for item in xds.entries for one in item.authors(EntryScheme.AUTHOR)]
        known = {parts(value)[9] for one in authors for value in one.institutions}
        if written and known and written not in known:
            yield Broken(
                message="Aucun authorInstitution n'est la structure du VIHF.",
                expected=" | ".join(sorted(known)),
                actual=written,
                where=path(AttributeName.IDENTIFIANT_STRUCTURE),
            )


@XDS.rule(
    "VIHF-024",
    "Le nom de l'attribut de mode s'écrit Authentification_Mode",
    reference=TD21,
    requirements=REQUIREMENTS,
    severity=Severity.INFO,
    bad=lambda: example.iti41(
        assertion={
            "attributes": tuple(
                saml.Attribute(attribute.name.replace("_Mode", "_mode"), attribute.values)
                for attribute in example.attributes()
            )
        }
    ),
)
def mode_spelling(xds: Carrier) -> Findings:
    # Two spellings circulate in official material: told, never refused.
    name = AttributeName.AUTHENTIFICATION_MODE
    for said in parsed(xds):
        for attribute in said.attributes:
            if attribute.name != name and attribute.name.lower() == name.lower():
                yield from same(attribute.name, name, path(attribute.name), "Le nom")
