"""TD0.3: a professional declares that the patient authorises him, or takes that back.

Réf. GIE SESAM-Vitale message examples and Habilitations WSDL (grade `sample`).
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from protocols.hl7types import CX
from simulators.dmp.access import check_right
from simulators.dmp.patients import DmpState
from simulators.dmp.refusal import Refusal
from simulators.dmp.rights import Transaction
from simulators.dmp.store import Session
from simulators.dmp.vihf import Caller
from spec.dmp import HABILITATION_NAMESPACE, HABILITATION_OK, Authorisation, FaultSubcode

__all__ = ["Demand", "Outcome", "build_outcome", "parse_demand", "set_authorisation"]

_NS = f"{{{HABILITATION_NAMESPACE}}}"
_TRANSACTIONS = {"AJOUT": Transaction.AUTHORISE, "SUPPRESSION": Transaction.UNAUTHORISE}


@dataclass(frozen=True, slots=True)
class Demand:
    """`setAuthorization`: what to do, `AJOUT` when it does not say."""

    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Outcome:
    """`setAuthorizationResponse`: `DMPOk`, or a code of ours (the DMP's own are not public)."""

    status: str
    context: str


def parse_demand(body: etree._Element) -> Demand:
    """The demand in a body.

    Raises:
        Refusal: another element, or an unknown action.
    """
    if body.tag != f"{_NS}setAuthorization":
        raise Refusal(FaultSubcode.REQUEST, f"setAuthorization attendu, reçu {body.tag}")
    action = (body.findtext(f"{_NS}action") or body.findtext("action") or "AJOUT").strip()
    if action not in _TRANSACTIONS:
        raise Refusal(FaultSubcode.REQUEST, f"action inconnue : {action[:40]}")
    return Demand(_TRANSACTIONS[action])


def set_authorisation(demand: Demand, session: Session, caller: Caller, identity: CX) -> Outcome:
    """Apply a demand.

    Raises:
        Refusal: the matrix forbids it.
    """
    check_right(demand.transaction, caller)
    patient = session.patient(identity)
    if patient is None or patient.state is not DmpState.OPEN:
        return Outcome("KIT-DMPClosed", "Pas de DMP ouvert pour ce patient")
    if demand.transaction is Transaction.UNAUTHORISE:
        session.authorise(patient, caller.structure, Authorisation.NONE)
        return Outcome(HABILITATION_OK, "Autorisation supprimée")
    if patient.refuses:
        return Outcome("KIT-DMPRefused", "Le patient refuse l'autorisation")
    if session.authorisation(patient, caller.structure) is Authorisation.VALID:
        return Outcome(HABILITATION_OK, "Autorisation déjà présente : rien n'a été fait")
    session.authorise(patient, caller.structure, Authorisation.VALID)
    return Outcome(HABILITATION_OK, "Autorisation ajoutée")


def build_outcome(outcome: Outcome) -> etree._Element:
    """`setAuthorizationResponse`."""
    root = etree.Element(f"{_NS}setAuthorizationResponse", nsmap={"hab": HABILITATION_NAMESPACE})
    output = etree.SubElement(root, f"{_NS}output")
    etree.SubElement(output, f"{_NS}status").text = outcome.status
    etree.SubElement(output, f"{_NS}context").text = outcome.context
    return root
