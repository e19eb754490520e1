"""The judges' only door: bytes in, a report out.

`validate` never raises on what a peer may send: bytes that cannot be read give one finding of the
kind's syntax rule (`KOS-000`, `XDS-000`...). It raises `CheckerError` when one of our own rules
breaks, which a caller turns into the verdict `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from protocols.errors import RemoteProtocolError
from validators import (
    call,
    capabilities,
    cda,
    cfind,
    cross,
    dmp,
    hl7v2,
    iocm,
    kos,
    link,
    lot,
    oauth,
    pki,
    psc,
    vihf,
    wado,
    whitelist,
    xdm,
    xds,
)
from validators.context import Context
from validators.finding import Finding, verdict_of
from validators.guess import guess
from validators.rule import CheckerError, Rule, RuleSet

__all__ = [
    "KINDS",
    "CheckerError",
    "Context",
    "Kind",
    "Report",
    "guess",
    "judge",
    "rule",
    "rules",
    "validate",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of artefact: its reader and its rules. `title` is French."""

    name: str
    title: str
    rules: RuleSet
    read: Callable[[bytes, Context], Any]


@dataclass(frozen=True, slots=True)
class Report:
    """What the judge says of one artefact: `pass`, `warn` or `fail`."""

    kind: str
    verdict: str
    findings: tuple[Finding, ...]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("oru", "Compte rendu HL7v2 (ORU^R01)", hl7v2.ORU, hl7v2.read),
        Kind("mdm", "Compte rendu HL7v2 (MDM^T02, T04, T10)", hl7v2.MDM, hl7v2.read),
        Kind("omi", "Modification d'un examen (OMI^O23)", hl7v2.OMI, hl7v2.read),
        Kind("ack", "Acquittement HL7v2", hl7v2.ACK, hl7v2.read),
        Kind("mllp", "Capture MLLP", hl7v2.MLLP, hl7v2.read_stream),
        Kind("cda", "Compte rendu d'imagerie (CDA R2)", cda.CDA, cda.read),
        Kind("appel-contextuel", "Appel contextuel", call.CALL, call.read),
        Kind("lien-visionneuse", "Lien vers la visionneuse", link.LINK, link.read),
        Kind("kos", "Manifeste d'examen (KOS)", kos.KOS, kos.read),
        Kind("c-find", "Réponses d'un PACS (C-FIND)", cfind.CFIND, cfind.read),
        Kind("iocm", "Note de rejet d'images (IOCM)", iocm.IOCM, iocm.read),
        Kind("iti-41", "Publication dans le DMP (TD2.1, ITI-41)", xds.XDS, xds.read),
        Kind("iti-18", "Recherche dans le DMP (TD3.1, ITI-18)", dmp.QUERY, dmp.read_query),
        Kind(
            "iti-18-response",
            "Résultat d'une recherche (TD3.1, ITI-18)",
            dmp.QUERY_ANSWER,
            dmp.read_query_answer,
        ),
        Kind("iti-43", "Lecture d'un document (TD3.2, ITI-43)", dmp.RETRIEVE, dmp.read_retrieve),
        Kind(
            "iti-43-response",
            "Document rendu par le DMP (TD3.2, ITI-43)",
            dmp.RETRIEVE_ANSWER,
            dmp.read_retrieve_answer,
        ),
        Kind("iti-57", "Dépublication (TD3.3c, ITI-57)", dmp.UPDATE, dmp.read_update),
        Kind(
            "registry-response",
            "Compte rendu du DMP (ITI-41, ITI-57)",
            dmp.REGISTRY_ANSWER,
            dmp.read_registry_answer,
        ),
        Kind("soap-fault", "Erreur SOAP du DMP", dmp.FAULT, dmp.read_fault),
        Kind("td0.2", "Test d'existence (TD0.2)", dmp.EXISTENCE, dmp.read_existence),
        Kind(
            "td0.2-response",
            "Réponse au test d'existence (TD0.2)",
            dmp.EXISTENCE_ANSWER,
            dmp.read_existence_answer,
        ),
        Kind("vihf", "Assertion VIHF seule", vihf.VIHF, vihf.read),
        Kind("lot", "Signature de lot seule", lot.LOT, lot.read),
        Kind("metadata", "METADATA.XML d'un lot", xdm.METADATA, xdm.read_metadata),
        Kind("xdm", "Archive XDM d'une DRIMbox", xdm.XDM, xdm.read),
        Kind("wado-request", "Demande d'images (WADO-RS)", wado.REQUEST, wado.read_request),
        Kind("wado-response", "Images (WADO-RS)", wado.RESPONSE, wado.read_response),
        Kind("liste-blanche", "Liste blanche DRIM-M", whitelist.WHITE_LIST, whitelist.read),
        Kind("jeton-psc", "Jeton Pro Santé Connect", psc.TOKEN, psc.read_token),
        Kind("introspection", "Réponse d'introspection", psc.INTROSPECTION, psc.read_answer),
        Kind("userinfo", "Réponse UserInfo", psc.USERINFO, psc.read_userinfo),
        Kind("decouverte", "Document de découverte du wallet", psc.DISCOVERY, psc.read_answer),
        Kind("demande-jeton", "Demande de jeton à PSC", oauth.DEMAND, oauth.read_request),
        Kind("demande-introspection", "Demande d'introspection", oauth.INQUIRY, oauth.read_request),
        Kind("echange-jeton", "Échange de jeton (RFC 8693)", oauth.EXCHANGE, oauth.read_request),
        Kind(
            "echange-jeton-response",
            "Réponse à un échange de jeton (RFC 8693)",
            oauth.EXCHANGE_ANSWER,
            oauth.read_answer,
        ),
        Kind("certificat", "Certificat X.509", pki.CERTIFICATE, pki.read_certificate),
        Kind("crl", "Liste de révocation (CRL)", pki.CRL, pki.read_crl),
        Kind("capacites", "Capacités DICOMweb", capabilities.CAPABILITIES, capabilities.read),
        Kind("examen", "Artefacts d'un même examen (archive ZIP)", cross.CROSS, cross.read),
    )
}


def rules() -> dict[str, Rule]:
    """Every rule by id; one that several kinds share is that of the first of them."""
    found: dict[str, Rule] = {}
    for kind in KINDS.values():
        for id, rule in kind.rules.rules.items():
            found.setdefault(id, rule)
    return found


def rule(id: str) -> Rule:
    """One rule, for `drimbench explain`.

    Raises:
        KeyError: no such rule.
    """
    return rules()[id]


def validate(data: bytes, kind: str | None = None, *, context: Context | None = None) -> Report:
    """Judge an artefact; its kind is guessed when none is given.

    Raises:
        LookupError: unknown kind, or none given and none recognised.
        CheckerError: a rule broke (never the fault of the artefact).
    """
    name = kind or guess(data)
    if name is None or name not in KINDS:
        raise LookupError(f"unknown kind of artefact: {kind or 'not recognised'}")
    given = context or Context()
    try:
        artefact = KINDS[name].read(data, given)
    except RemoteProtocolError as error:
        return _report(name, [_unreadable(KINDS[name].rules.syntax, error)], given)
    return judge(artefact, name, context=given)


def judge(artefact: Any, kind: str, *, context: Context) -> Report:
    """Judge an artefact that is already read: a `WadoResponse` made from a journal's parts.

    Raises:
        KeyError: unknown kind.
        CheckerError: a rule broke.
    """
    return _report(kind, KINDS[kind].rules.judge(artefact, context), context)


def _report(kind: str, found: list[Finding], context: Context) -> Report:
    weighed = [finding.weighed(context.floor) for finding in found]
    return Report(kind, verdict_of(weighed), tuple(weighed))


def _unreadable(syntax: Rule, error: RemoteProtocolError) -> Finding:
    span = f"octets {error.span[0]}-{error.span[1]}" if error.span else ""
    return Finding(
        rule=syntax.id,
        severity=syntax.severity,
        message=str(error),
        where=error.where or span,
        spec=str(syntax.reference),
        grade=syntax.reference.grade,
        requirements=syntax.requirements,
    )
