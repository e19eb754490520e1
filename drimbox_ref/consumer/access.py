"""What a TD0.2 answer allows: only an open DMP with a valid authorisation goes on.

Réf.: TD0.2 answer of the GIE SESAM-Vitale examples, grade: sample; enumeration of AUTORISATION
and the decisions on it, third-party clients of the DMP test server, grade: demonstrator.
"""

from __future__ import annotations

from drimbox_ref.consumer.values import Access
from protocols.hl7v3 import ExistenceAnswer
from spec.dmp import Authorisation
from spec.vihf import ModeAcces

__all__ = ["decide"]

_REASONS = {
    Authorisation.FORBIDDEN.value: "Le patient vous a interdit l'accès à son DMP.",
    Authorisation.EXPIRED.value: "Votre autorisation d'accès au DMP de ce patient a expiré : "
    "recueillez son consentement et renouvelez-la depuis votre logiciel.",
    Authorisation.NONE.value: "Vous n'avez pas d'autorisation d'accès au DMP de ce patient : "
    "recueillez son consentement et déclarez-la depuis votre logiciel.",
}


_AUTHORISABLE = (Authorisation.EXPIRED.value, Authorisation.NONE.value)


def decide(answer: ExistenceAnswer, mode: ModeAcces = ModeAcces.NORMAL) -> Access:
    """Whether to go on; the reason is French and says what to do when there is something to do.

    In an emergency an authorisation that is wanting or over stops nobody. A regulation centre's is
    not looked at; a patient who forbids is obeyed in the other (IG-FHIR-PDSM4DMP, grade: text).
    """
    if answer.acknowledgement != "AA":
        said = next((f" : {detail.text}" for detail in answer.details if detail.text), "")
        return Access(granted=False, reason=f"Le DMP a refusé le test d'existence{said}.")
    if answer.response_code == "NF":
        return Access(granted=False, reason="Ce patient n'a pas de DMP.")
    if answer.response_code != "OK":
        return Access(granted=False, reason="Le DMP n'a pas dit si ce patient a un dossier.")
    if answer.patient_status == "terminated":
        return Access(granted=False, reason="Le DMP de ce patient est fermé.")
    if answer.patient_status != "active":
        return Access(granted=False, reason="Le DMP de ce patient n'est pas ouvert.")
    if answer.authorisation == Authorisation.VALID or mode is ModeAcces.CENTRE_15:
        return Access(granted=True)
    if mode is ModeAcces.BRIS_DE_GLACE and answer.authorisation in _AUTHORISABLE:
        return Access(granted=True)
    reason = _REASONS.get(
        answer.authorisation, "Le DMP n'a pas confirmé votre autorisation d'accès."
    )
    return Access(granted=False, reason=reason, authorisable=answer.authorisation in _AUTHORISABLE)
