"""How the DMP reads a VIHF: who calls, in what mode, for whom, and whether to believe it.

Checks in this order: signature, certificate, issuer, instants, attributes, structure. The first
that fails is the fault; its text is ours except where a client reported the DMP's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from cryptography import x509
from lxml import etree

from protocols import saml
from protocols.errors import RemoteProtocolError
from protocols.hl7types import CX, DataTypeError
from protocols.pki import ChainError, attribute, key_usage, same_dn, verify_chain
from protocols.xmlsig import SignatureError
from simulators.dmp.config import DmpOptions, Trust
from simulators.dmp.refusal import Refusal
from simulators.dmp.rights import Profile
from spec.dmp import FaultSubcode, Text
from spec.vihf import RESSOURCE_URN, VERSIONS, AttributeName, AuthenticationMode, ModeAcces

__all__ = ["Caller", "authenticate", "check_signer"]

_PROFESSION_SYSTEM = "1.2.250.1.71.1.2.7"
"""TRE_G15-ProfessionSante (ANS): whoever has one is a health professional."""
_FUTURE_PROFESSION_SYSTEM = "1.2.250.1.71.1.2.8"
"""TRE_G16-ProfessionFormation."""
_PHYSICIAN = "10"

_REQUIRED = (
    AttributeName.VIHF_VERSION,
    AttributeName.AUTHENTIFICATION_MODE,
    AttributeName.IDENTIFIANT_STRUCTURE,
    AttributeName.SECTEUR_ACTIVITE,
    AttributeName.RESSOURCE_URN,
    AttributeName.LPS_NOM,
    AttributeName.LPS_ID_HOMOLOGATION_DMP,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who speaks, as far as the DMP believes it."""

    profile: Profile
    access: ModeAcces
    structure: str
    """Identifiant_Structure"""
    name_id: str
    patient: CX | None
    """resource-id"""


def authenticate(
    assertion: etree._Element | None, *, trust: Trust, options: DmpOptions, now: datetime
) -> Caller:
    """The caller that a VIHF introduces.

    Raises:
        Refusal: it is absent, not to be believed, or incomplete.
    """
    if assertion is None:
        raise Refusal(FaultSubcode.VIHF, "Aucun jeton VIHF dans l'en-tête wsse:Security")
    try:
        verified = saml.verify(assertion, legacy=options.accept_sha1)
    except SignatureError as error:
        raise Refusal(FaultSubcode.SIGNATURE, f"Signature du VIHF invalide : {error}") from None
    except RemoteProtocolError as error:
        raise Refusal(FaultSubcode.VIHF, f"VIHF illisible : {error}") from None
    check_signer(verified.certificate, verified.certificates, trust=trust, now=now)
    vihf = verified.assertion
    _check_issuer(vihf.issuer, verified.certificate)
    _check_instants(vihf, options, now)
    _check_attributes(vihf)
    mode = _mode(vihf)
    profile = _profile(mode, vihf)
    structure = vihf.text(AttributeName.IDENTIFIANT_STRUCTURE)
    if mode in (AuthenticationMode.INDIRECTE, AuthenticationMode.INDIRECTE_RENFORCEE):
        _check_structure(structure, verified.certificate, options)
        if not vihf.text(AttributeName.SUBJECT_ID):
            _missing(AttributeName.SUBJECT_ID)
    return Caller(
        profile=profile,
        access=_access(vihf),
        structure=structure,
        name_id=vihf.name_id,
        patient=_patient(vihf),
    )


def check_signer(
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    *,
    trust: Trust,
    now: datetime,
) -> None:
    """The certificate is an ORG SIGN of the organisations' PKI, valid now.

    Raises:
        Refusal: DMPInvalidCertificate.
    """
    try:
        verify_chain(
            certificate,
            (*chain, *trust.intermediates),
            trust.roots,
            now,
            trust.revocation(certificate),
        )
        usages = key_usage(certificate)
    except ChainError as error:
        raise Refusal(
            FaultSubcode.INVALID_CERTIFICATE, f"Certificat de signature refusé : {error}"
        ) from None
    if "nonRepudiation" not in usages:
        raise Refusal(
            FaultSubcode.INVALID_CERTIFICATE,
            "Le certificat n'est pas un certificat de signature",
        )


def _check_issuer(issuer: str, certificate: x509.Certificate) -> None:
    try:
        same = same_dn(issuer, certificate)
    except RemoteProtocolError:
        same = False
    if not same:
        raise Refusal(
            FaultSubcode.VIHF, "L'Issuer du VIHF n'est pas le sujet du certificat de signature"
        )


def _check_instants(vihf: saml.Assertion, options: DmpOptions, now: datetime) -> None:
    instants = (vihf.issue_instant, vihf.not_before, vihf.not_on_or_after)
    if any(instant is not None and instant.tzinfo is None for instant in instants):
        raise Refusal(FaultSubcode.WINDOW, "Instant du VIHF sans fuseau horaire")
    if vihf.issue_instant > now + options.clock_skew:
        raise Refusal(FaultSubcode.WINDOW, "VIHF émis dans le futur")
    if options.vihf_window is not None and vihf.issue_instant < now - options.vihf_window:
        raise Refusal(FaultSubcode.WINDOW, "VIHF périmé")
    if vihf.not_before is not None and now + options.clock_skew < vihf.not_before:
        raise Refusal(FaultSubcode.WINDOW, "VIHF pas encore valable (NotBefore)")
    if vihf.not_on_or_after is not None and now >= vihf.not_on_or_after:
        raise Refusal(FaultSubcode.WINDOW, "VIHF périmé (NotOnOrAfter)")


def _missing(name: str) -> NoReturn:
    raise Refusal(FaultSubcode.VIHF, f"Attribut {name} absent du VIHF")


def _check_attributes(vihf: saml.Assertion) -> None:
    for name in _REQUIRED:
        if not vihf.text(name):
            _missing(name)
    if vihf.text(AttributeName.VIHF_VERSION) not in VERSIONS:
        raise Refusal(FaultSubcode.VIHF, "Version de VIHF inconnue")
    if vihf.text(AttributeName.RESSOURCE_URN) != RESSOURCE_URN:
        raise Refusal(FaultSubcode.VIHF, f"Ressource_URN n'est pas {RESSOURCE_URN}")
    if not vihf.name_id:
        raise Refusal(FaultSubcode.VIHF, "NameID vide")


def _mode(vihf: saml.Assertion) -> AuthenticationMode:
    text = vihf.text(AttributeName.AUTHENTIFICATION_MODE)
    try:
        mode = AuthenticationMode(text)
    except ValueError:
        raise Refusal(FaultSubcode.VIHF, f"Mode d'authentification inconnu : {text}") from None
    if mode is AuthenticationMode.DELEGUEE:
        raise Refusal(FaultSubcode.RIGHTS, "Mode délégué non pris en charge")
    return mode


def _profile(mode: AuthenticationMode, vihf: saml.Assertion) -> Profile:
    roles = vihf.codes(AttributeName.ROLE)
    if not roles:
        _missing(AttributeName.ROLE)
    first = roles[0]
    professional = first.code_system in (_PROFESSION_SYSTEM, _FUTURE_PROFESSION_SYSTEM)
    physician = first.code_system == _PROFESSION_SYSTEM and first.code == _PHYSICIAN
    if physician and len(roles) < 2:
        raise Refusal(FaultSubcode.VIHF, Text.SPECIALTY)
    if mode is AuthenticationMode.INDIRECTE:
        return Profile.INDIRECT
    if mode is AuthenticationMode.DIRECTE:
        return Profile.DIRECT_CPS if professional else Profile.DIRECT_CPE
    if physician:
        return Profile.AIR_PHYSICIAN
    return Profile.AIR_PROFESSIONAL if professional else Profile.AIR_STAFF


def _access(vihf: saml.Assertion) -> ModeAcces:
    purposes = vihf.codes(AttributeName.PURPOSE_OF_USE)
    if not purposes:
        _missing(AttributeName.PURPOSE_OF_USE)
    try:
        return ModeAcces(purposes[0].code)
    except ValueError:
        raise Refusal(FaultSubcode.VIHF, f"Mode d'accès inconnu : {purposes[0].code}") from None


def _check_structure(structure: str, certificate: x509.Certificate, options: DmpOptions) -> None:
    units = attribute(certificate, "OU")
    spoken_for = {eg for unit in units for eg in options.establishments.get(unit, ())}
    if structure not in units and structure not in spoken_for:
        raise Refusal(FaultSubcode.STRUCTURE, Text.LEGAL_PERSON)


def _patient(vihf: saml.Assertion) -> CX | None:
    text = vihf.text(AttributeName.RESOURCE_ID)
    if not text:
        return None
    try:
        return CX.parse(text)
    except DataTypeError:
        raise Refusal(FaultSubcode.VIHF, "resource-id illisible") from None
