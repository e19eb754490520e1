"""PSC userinfo: who the professional is, and every situation in which he or she works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from spec.grade import Grade, Reference
from spec.psc_messages import (
    ACTIVITY_MEMBERS,
    POC_SCHEMA,
    PRACTICE_MEMBERS,
    PROFESSION_OID,
    SECTOR_OID,
    USERINFO_OPTIONAL,
    USERINFO_REQUIRED,
)
from validators.examples import psc as example
from validators.finding import Severity
from validators.identifiers import structure_id
from validators.json_document import JsonObject, shown
from validators.psc import claims
from validators.psc.claims import Findings
from validators.psc.reading import Answer
from validators.rule import Broken, RuleSet

__all__ = ["USERINFO"]

_FIXTURES = Reference("PSC-POC (ANS)", "réponses userinfo de test", Grade.SAMPLE)
_MANY = 50
"""Practices, and activities of each, that are looked at: more would say the same again."""

USERINFO = RuleSet(
    "userinfo",
    good=example.userinfo,
    syntax="UINFO-000",
    unreadable=lambda: b"[]",
    reference=Reference("OpenID Connect Core 1.0", "5.3.2", Grade.STANDARD),
    requirements=("DB.CO.63", "DB.SO.34"),
)
_TEXTS = (
    "SubjectNameID",
    "preferred_username",
    "given_name",
    "family_name",
    "PSI_Locale",
    "Palier_Authentification",
    "UITVersion",
)
_MAYBE_EMPTY = ("SubjectOrganization", "SubjectOrganizationID", "Mode_Acces_Raison")
_TECHNICAL = re.compile(r"[A-Z][0-9A-Z]{2,}")


def _practices(answer: Answer) -> Iterator[tuple[str, JsonObject]]:
    """`SubjectRefPro.exercices[n]` and its path, those that are objects."""
    reference = answer.members.get("SubjectRefPro")
    listed = reference.get("exercices") if isinstance(reference, dict) else None
    for rank, each in enumerate(listed[:_MANY] if isinstance(listed, list) else [], start=1):
        if isinstance(each, dict):
            yield f"SubjectRefPro.exercices[{rank}]", each


def _activities(answer: Answer) -> Iterator[tuple[str, JsonObject]]:
    for where, practice in _practices(answer):
        listed = practice.get("activities")
        for rank, each in enumerate(listed[:_MANY] if isinstance(listed, list) else [], start=1):
            if isinstance(each, dict):
                yield f"{where}.activities[{rank}]", each


def _coded(value: object, oid: str) -> str:
    """The code of `code^oid`, "" when it is not written so."""
    code, caret, system = value.partition("^") if isinstance(value, str) else ("", "", "")
    return code if caret and system == oid else ""


@USERINFO.rule(
    "UINFO-001",
    "La réponse porte les membres du schéma",
    reference=POC_SCHEMA,
    bad=lambda: example.userinfo(SubjectRefPro=None),
)
def required(answer: Answer) -> Findings:
    yield from claims.absent(answer.members, USERINFO_REQUIRED)


@USERINFO.rule(
    "UINFO-002",
    "Nom, prénom, identifiant et niveaux sont des textes non vides",
    reference=POC_SCHEMA,
    bad=lambda: example.userinfo(family_name=""),
)
def texts(answer: Answer) -> Findings:
    yield from claims.texts(answer.members, _TEXTS)
    yield from claims.texts(answer.members, _MAYBE_EMPTY, empty=True)


@USERINFO.rule(
    "UINFO-003",
    "sub, SubjectNameID et preferred_username désignent la même personne",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(SubjectNameID="899700000001"),
)
def subject(answer: Answer) -> Findings:
    if "sub" in answer.members:
        yield from claims.person(answer.members, ("preferred_username", "SubjectNameID"))


@USERINFO.rule(
    "UINFO-004",
    "SubjectRole est une liste de professions, code et système",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(SubjectRole=f"10^{PROFESSION_OID}"),
)
def roles(answer: Answer) -> Findings:
    if "SubjectRole" not in answer.members:
        return
    value = answer.members["SubjectRole"]
    good = isinstance(value, list) and value and all(_coded(one, PROFESSION_OID) for one in value)
    if not good:
        yield Broken(
            message="SubjectRole n'est pas une liste de professions.",
            expected=f'["10^{PROFESSION_OID}"]',
            actual=shown(value),
            where="SubjectRole",
        )


@USERINFO.rule(
    "UINFO-005",
    "Secteur_Activite est vide ou un secteur, code et système",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(Secteur_Activite="SA07"),
)
def sector(answer: Answer) -> Findings:
    value = answer.members.get("Secteur_Activite", "")
    if value != "" and re.fullmatch(r"SA\d\d", _coded(value, SECTOR_OID)) is None:
        yield Broken(
            message="Ce secteur d'activité n'est pas écrit comme les autres.",
            expected=f"SAnn^{SECTOR_OID}",
            actual=shown(value),
            where="Secteur_Activite",
        )


@USERINFO.rule(
    "UINFO-006",
    "otherIds est une liste d'identifiants, et s'écrit avec un s minuscule",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(otherIds=None, otherIDs=[]),
)
def other_ids(answer: Answer) -> Findings:
    yield from claims.other_ids(answer.members)
    for name in answer.members:
        if name.lower() == "otherids" and name != "otherIds":
            yield Broken(
                message="Ce membre s'écrit autrement.",
                expected="otherIds",
                actual=shown(name),
                where=name,
            )


@USERINFO.rule(
    "UINFO-007",
    "SubjectRefPro porte au moins un exercice, et ses membres",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(SubjectRefPro={"codeCivilite": "M", "exercices": []}),
)
def practices(answer: Answer) -> Findings:
    if "SubjectRefPro" not in answer.members:
        return
    found = list(_practices(answer))
    if not found:
        yield Broken(
            message="Aucun exercice professionnel n'est décrit.",
            expected="au moins 1",
            actual=shown(answer.members["SubjectRefPro"]),
            where="SubjectRefPro.exercices",
        )
    for where, practice in found:
        for name in PRACTICE_MEMBERS:
            if name not in practice:
                yield Broken(message=f"Le membre {name} manque.", where=f"{where}.{name}")
        if not practice.get("codeProfession", "-"):
            yield Broken(message="La profession manque.", where=f"{where}.codeProfession")


@USERINFO.rule(
    "UINFO-008",
    "Chaque exercice a au moins une activité",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(SubjectRefPro=example.profile({"activities": []})),
)
def has_activities(answer: Answer) -> Findings:
    for where, practice in _practices(answer):
        listed = practice.get("activities", [None])
        if not isinstance(listed, list) or not listed:
            yield Broken(
                message="Cet exercice n'a aucune activité : aucune situation ne peut être choisie.",
                actual=shown(listed),
                where=f"{where}.activities",
            )


@USERINFO.rule(
    "UINFO-009",
    "Les champs d'une activité sont des textes, vides quand ils sont inconnus",
    reference=_FIXTURES,
    bad=lambda: example.userinfo(
        SubjectRefPro=example.profile(activity={"codeSecteurDactivite": 7})
    ),
)
def activity_texts(answer: Answer) -> Findings:
    for where, activity in _activities(answer):
        for name in ACTIVITY_MEMBERS:
            value: Any = activity.get(name)
            if not isinstance(value, str):
                yield Broken(
                    message=f"{name} doit être un texte.",
                    actual=shown(value) if name in activity else "absent",
                    where=f"{where}.{name}",
                )


@USERINFO.rule(
    "UINFO-010",
    "La structure d'une activité a ses deux identifiants, technique et national",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(
        SubjectRefPro=example.profile(activity={"ancienIdentifiantDeLaStructure": "R99001"})
    ),
)
def structures(answer: Answer) -> Findings:
    for where, activity in _activities(answer):
        technical = activity.get("identifiantTechniqueDeLaStructure")
        national = activity.get("ancienIdentifiantDeLaStructure")
        if isinstance(technical, str) and _TECHNICAL.fullmatch(technical) is None:
            yield Broken(
                message="Cet identifiant technique n'a pas la forme attendue.",
                expected="F + FINESS ou R + numéro",
                actual=shown(technical),
                where=f"{where}.identifiantTechniqueDeLaStructure",
            )
        if isinstance(national, str) and not structure_id(national):
            yield Broken(
                message="Cet identifiant national de structure n'a pas la forme attendue.",
                expected="préfixe 0 à 4, puis l'identifiant",
                actual=shown(national),
                where=f"{where}.ancienIdentifiantDeLaStructure",
            )


@USERINFO.rule(
    "UINFO-011",
    "La structure et le secteur nommés en tête sont ceux d'une des activités",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(SubjectOrganizationID="R99999"),
)
def top_activity(answer: Answer) -> Findings:
    listed = [activity for _, activity in _activities(answer)]
    wanted = (
        ("SubjectOrganizationID", "identifiantTechniqueDeLaStructure", ""),
        ("Secteur_Activite", "codeSecteurDactivite", SECTOR_OID),
    )
    for top, inner, oid in wanted:
        value = answer.members.get(top, "")
        code = _coded(value, oid) if oid else value
        if listed and code and code not in [activity.get(inner) for activity in listed]:
            yield Broken(
                message=f"Aucune activité n'a cette valeur de {inner}.",
                expected=" | ".join(sorted({str(one.get(inner, "")) for one in listed})[:10]),
                actual=shown(value),
                where=top,
            )


@USERINFO.rule(
    "UINFO-012",
    "Les professions de SubjectRole sont celles des exercices",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(SubjectRole=[f"21^{PROFESSION_OID}"]),
)
def same_professions(answer: Answer) -> Findings:
    value = answer.members.get("SubjectRole")
    found = [practice.get("codeProfession") for _, practice in _practices(answer)]
    for role in value[:_MANY] if isinstance(value, list) and found else []:
        code = _coded(role, PROFESSION_OID)
        if code and code not in found:
            yield Broken(
                message="Aucun exercice n'est de cette profession.",
                expected=" | ".join(str(one) for one in found[:10]),
                actual=code,
                where="SubjectRole",
            )


@USERINFO.rule(
    "UINFO-013",
    "Acces_Regulation_Medicale vaut VRAI ou FAUX, authMode est connu",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(Acces_Regulation_Medicale=False),
)
def vocabularies(answer: Answer) -> Findings:
    value = answer.members.get("Acces_Regulation_Medicale", "FAUX")
    if value not in ("VRAI", "FAUX"):
        yield Broken(
            message="Cette valeur n'est pas du vocabulaire.",
            expected="VRAI | FAUX",
            actual=shown(value),
            where="Acces_Regulation_Medicale",
        )
    yield from claims.auth_mode(answer.members)


@USERINFO.rule(
    "UINFO-014",
    "La réponse n'a pas d'autre membre que ceux qui sont connus",
    reference=POC_SCHEMA,
    severity=Severity.INFO,
    bad=lambda: example.userinfo(nouveau="x"),
)
def others(answer: Answer) -> Findings:
    if answer.signed:  # a JWS adds its own members: iss, aud, exp...
        return
    for name in sorted(set(answer.members) - {*USERINFO_REQUIRED, *USERINFO_OPTIONAL})[:20]:
        yield Broken(
            message="Le schéma de l'ANS n'a pas ce membre.",
            actual=shown(answer.members[name]),
            where=name,
        )


@USERINFO.rule(
    "UINFO-021",
    "La réponse HTTP est un 200, en application/json ou application/jwt selon le corps",
    reference=Reference("OpenID Connect Core 1.0", "5.3.2", Grade.STANDARD),
    good=lambda: example.http(example.userinfo()),
    bad=lambda: example.http(example.userinfo(), status="204 No Content"),
)
def http(answer: Answer) -> Findings:
    yield from claims.http(answer)


_CONSTANTS = {
    "UITVersion": "1.0",
    "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
    "PSI_Locale": "1.2.250.1.213.1.3.1.1",
}
"""The same in every published answer."""


@USERINFO.rule(
    "UINFO-015",
    "Version, palier et service ont les valeurs de toutes les réponses publiées",
    reference=_FIXTURES,
    severity=Severity.WARNING,
    bad=lambda: example.userinfo(UITVersion="2.0"),
)
def constants(answer: Answer) -> Findings:
    # A warning: no text says that these are constants.
    for name, expected in _CONSTANTS.items():
        value = answer.members.get(name)
        if isinstance(value, str) and value and value != expected:
            yield Broken(
                message="Aucune réponse publiée n'a cette valeur.",
                expected=expected,
                actual=shown(value),
                where=name,
            )
