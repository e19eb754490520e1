"""ITI-41: who signed the VIHF and the lot is trusted, and in force at the instant of judgement."""

from __future__ import annotations

from datetime import UTC, datetime

from lxml import etree

from protocols import xml
from protocols.errors import RemoteProtocolError
from protocols.xml import NS
from protocols.xsdatetime import parse_instant
from validators.certificates import in_force, trusted
from validators.examples import kos as manifest
from validators.examples import trust
from validators.examples import xds as example
from validators.examples.credential import NOW
from validators.rule import Broken
from validators.xds.assertion import HERE, REQUIREMENTS, Carrier, elements, parsed, with_changes
from validators.xds.rules import XDS, Findings, w3c
from validators.xds.signature import Sealed

__all__ = ["aware"]

_SIGNING_TIME = f".//{{{NS['xades111']}}}SigningTime"
_VIHF_CERTIFICATE = "//saml:Assertion//ds:X509Certificate"
_KEY = f"{HERE}/Signature/KeyInfo"
_PATH = w3c("RFC 5280", "6.1")
_VALIDITY = w3c("RFC 5280", "4.1.2.5")


@XDS.rule(
    "VIHF-060",
    "L'assertion est en cours de validité à l'instant du jugement",
    reference=w3c("SAML 2.0 Core", "2.5.1.2"),
    requirements=REQUIREMENTS,
    given=trust.AT,
    bad=with_changes(not_on_or_after=NOW),
)
def assertion_in_force(xds: Carrier) -> Findings:
    at = xds.context.at
    if at is None:
        return
    for said in parsed(xds):
        begin = max(aware(said.issue_instant), aware(said.not_before or said.issue_instant))
        end = said.not_on_or_after
        if at < begin or (end is not None and at >= aware(end)):
            yield Broken(
                message="L'assertion n'est pas valable à cet instant.",
                expected=f"{at.isoformat()}",
                actual=f"{begin.isoformat()} à {end.isoformat() if end else '…'}",
                where=f"{HERE}/Conditions",
            )


def aware(instant: datetime) -> datetime:
    """An instant without zone is taken as UTC."""
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


@XDS.rule(
    "VIHF-061",
    "Le certificat du signataire du VIHF mène à une autorité de confiance",
    reference=_PATH,
    requirements=REQUIREMENTS,
    given=trust.TRUST,
    bad=lambda: example.iti41(trust.stranger(_VIHF_CERTIFICATE)),
)
def assertion_trusted(xds: Carrier) -> Findings:
    for element in elements(xds):
        yield from trusted(element, xds.context, _KEY)


@XDS.rule(
    "VIHF-062",
    "Le certificat du signataire du VIHF est en cours de validité",
    reference=_VALIDITY,
    requirements=REQUIREMENTS,
    given=trust.AT,
    bad=lambda: example.iti41(trust.expired(_VIHF_CERTIFICATE)),
)
def assertion_signer_in_force(xds: Carrier) -> Findings:
    for element in elements(xds):
        yield from in_force(element, xds.context.at, _KEY)


def _lot(tamper: example.Tamper) -> bytes:
    root = xml.parse(example.lot({manifest.UID: manifest.kos()}))
    tamper(root)
    return example.iti41(lot_document=xml.serialize(root))


@XDS.rule(
    "XDS-161",
    "Le certificat du signataire du lot mène à une autorité de confiance",
    reference=_PATH,
    requirements=("DB.SO.89",),
    given=trust.TRUST,
    bad=lambda: _lot(trust.stranger("//ds:X509Certificate")),
)
def lot_trusted(xds: Sealed) -> Findings:
    for item, root in xds.seals:
        yield from trusted(root, xds.context, item.where("X509Certificate"))


@XDS.rule(
    "XDS-162",
    "Le certificat du signataire du lot est en cours de validité, la signature n'est pas à venir",
    reference=_VALIDITY,
    requirements=("DB.SO.89",),
    given=trust.AT,
    bad=lambda: _lot(trust.expired("//ds:X509Certificate")),
)
def lot_in_force(xds: Sealed) -> Findings:
    at = xds.context.at
    for item, root in xds.seals:
        yield from in_force(root, at, item.where("X509Certificate"))
        signed = _signing_time(root)
        if at is not None and signed is not None and signed > at:
            yield Broken(
                message="Le lot est signé après cet instant.",
                expected=f"<= {at.isoformat()}",
                actual=signed.isoformat(),
                where=item.where("SigningTime"),
            )


def _signing_time(root: etree._Element) -> datetime | None:
    try:
        return aware(parse_instant((root.findtext(_SIGNING_TIME) or "").strip(), where=""))
    except RemoteProtocolError:
        return None
