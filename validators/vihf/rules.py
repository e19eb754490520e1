"""The VIHF by itself: the rules of the VIHF of a publication, and those of every mode."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from cryptography.x509.oid import NameOID

from spec.grade import Grade, Reference
from spec.vihf import AttributeName, AuthenticationMode
from validators.certificates import certificate_of
from validators.examples import vihf as example
from validators.examples.credential import NOW
from validators.finding import Severity
from validators.identifiers import structure_id
from validators.inherit import inherit
from validators.rule import Broken, RuleSet
from validators.xds.assertion import HERE, REQUIREMENTS, Carrier, elements, parsed, path
from validators.xds.rules import XDS, Findings, w3c
from validators.xds.rules import vihf as mapping
from validators.xds.trust import aware
from validators.xds.values import patient_id

__all__ = ["EVERYWHERE", "VIHF"]

VIHF = RuleSet(
    "vihf",
    good=example.vihf,
    syntax="VIHF-000",
    unreadable=lambda: b"<saml:Assertion",
    reference=w3c("SAML 2.0 Core", "2.3.3"),
    requirements=REQUIREMENTS,
)

_OF_A_LOT = ("VIHF-015", "VIHF-022", "VIHF-023")
"""Rules of a publication: its mode, and its agreement with the lot."""

inherit(
    VIHF,
    XDS,
    (id for id in XDS.rules if id.startswith("VIHF-") and id not in _OF_A_LOT),
    example=example.assertion_of,
)

_MODE = AttributeName.AUTHENTIFICATION_MODE


@VIHF.rule(
    "VIHF-025",
    "Le mode d'authentification est connu",
    reference=mapping("attributs"),
    bad=lambda: example.air({_MODE: ("INDIRECT",)}),
)
def known_mode(vihf: Carrier) -> Findings:
    for said in parsed(vihf):
        written = said.text(_MODE)
        if written not in list(AuthenticationMode):
            yield Broken(
                message="Ce mode d'authentification est inconnu.",
                expected=" | ".join(AuthenticationMode),
                actual=written,
                where=path(_MODE),
            )


@VIHF.rule(
    "VIHF-026",
    "L'assertion est émise dans la période qu'elle se donne",
    reference=w3c("SAML 2.0 Core", "2.5.1.2"),
    bad=lambda: example.vihf(not_on_or_after=NOW - timedelta(minutes=1)),
)
def validity(vihf: Carrier) -> Findings:
    for said in parsed(vihf):
        issued = said.issue_instant
        early = _before(issued, said.not_before)
        late = said.not_on_or_after is not None and not _before(issued, said.not_on_or_after)
        if early or late:
            yield Broken(
                message="L'assertion n'est pas valable quand elle est émise.",
                expected=f"une période contenant {issued.isoformat()}",
                actual=f"{said.not_before or ''} à {said.not_on_or_after or ''}",
                where=f"{HERE}/Conditions",
            )


def _before(one: datetime, other: datetime | None) -> bool:
    """Whether an instant precedes another; one without zone is taken as UTC."""
    return other is not None and aware(one) < aware(other)


@VIHF.rule(
    "VIHF-027",
    "AuthnContextDecl dit comment l'utilisateur s'est authentifié en mode AIR",
    reference=Reference(
        "GIE SESAM-Vitale, exemples de jetons VIHF", "INDIRECTE_RENFORCEE", Grade.SAMPLE
    ),
    severity=Severity.WARNING,
    bad=lambda: _air_without_declaration(),
)
def declaration(vihf: Carrier) -> Findings:
    for said in parsed(vihf):
        if said.text(_MODE) == AuthenticationMode.INDIRECTE_RENFORCEE and not (
            said.authn_context_decl
        ):
            yield Broken(
                message="Le mode AIR demande AuthnContextDecl.",
                where=f"{HERE}//AuthnContextDecl",
            )


def _air_without_declaration() -> bytes:
    return example.vihf(**(example.air_changes() | {"authn_context_decl": None}))


@VIHF.rule(
    "VIHF-028",
    "Identifiant_Structure est la structure du certificat de signature",
    reference=mapping("attributs"),
    severity=Severity.WARNING,
    bad=lambda: example.air({AttributeName.IDENTIFIANT_STRUCTURE: ("3999999990001",)}),
)
def structure_of_certificate(vihf: Carrier) -> Findings:
    # EJ/EG: an entity may sign with the certificate of the entity above it (ANS FAQ): a warning.
    for element in elements(vihf):
        certificate = certificate_of(element)
        if certificate is None:
            continue
        units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        known = [str(unit.value) for unit in units]
        for said in parsed(vihf):
            written = structure_id(said.text(AttributeName.IDENTIFIANT_STRUCTURE))
            if written and known and written not in known:
                yield Broken(
                    message="La structure du VIHF n'est pas celle du certificat.",
                    expected=" | ".join(known),
                    actual=written,
                    where=path(AttributeName.IDENTIFIANT_STRUCTURE),
                )


@VIHF.rule(
    "VIHF-029",
    "resource-id est un INS",
    reference=mapping("attributs"),
    bad=lambda: example.air({AttributeName.RESOURCE_ID: ("IPP900^^^&1.2.3&ISO^PI",)}),
)
def patient(vihf: Carrier) -> Findings:
    for said in parsed(vihf):
        written = said.text(AttributeName.RESOURCE_ID)
        if written:
            yield from patient_id(written, path(AttributeName.RESOURCE_ID))


@VIHF.rule(
    "VIHF-030",
    "En mode AIR, NameID est le RPPS ou l'ADELI du professionnel",
    reference=Reference("REM socle DMP (projet 2022-2023)", "DMP/AIRS.06", Grade.DRAFT),
    requirements=("DMP/AIRS.06",),
    bad=lambda: example.air(name_id="3101235550001/radiologie"),
)
def professional(vihf: Carrier) -> Findings:
    for said in parsed(vihf):
        air = said.text(_MODE) == AuthenticationMode.INDIRECTE_RENFORCEE
        if air and re.fullmatch(r"[08]\d{8,11}", said.name_id, re.ASCII) is None:
            yield Broken(
                message="NameID n'identifie pas un professionnel.",
                expected="8 et RPPS, ou 0 et ADELI",
                actual=said.name_id,
                where=f"{HERE}/Subject/NameID",
            )


EVERYWHERE = tuple(id for id in VIHF.rules if id != VIHF.syntax.id)
"""The rules that hold in any message to the DMP."""
