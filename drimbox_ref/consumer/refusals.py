"""What a refusal of the DMP means for the professional, in plain French, and what to do about it.

Réf.: error codes of IHE ITI TF Vol. 3 table 4.2.4.1-2, grade: standard; subcodes and texts that
third-party clients of the DMP saw, grade: demonstrator. The DMP's own list (SEL-MP-037) is not
public: a code that is not here is shown with the DMP's own words.
"""

from __future__ import annotations

from drimbox_ref.consumer.values import Partial
from drimbox_ref.dmp import Rejected
from spec.dmp import FaultSubcode, Text
from spec.xds import ErrorCode

__all__ = ["explain", "explain_document", "explain_part"]

_BY_CODE = {
    ErrorCode.TOO_MANY_RESULTS.value: "Trop d'examens répondent à ces critères : précisez la "
    "modalité, la région anatomique ou les dates, puis relancez la recherche",
    ErrorCode.UNKNOWN_PATIENT.value: "Le DMP ne connaît pas l'identité (INS) de ce patient : "
    "vérifiez-la dans le RIS",
    FaultSubcode.INVALID_CERTIFICATE.value: "Le DMP n'accepte pas le certificat de votre "
    "structure : prévenez l'administrateur de la DRIMbox",
    FaultSubcode.SIGNATURE.value: "Le DMP n'accepte pas la signature de votre structure : "
    "prévenez l'administrateur de la DRIMbox",
    FaultSubcode.WINDOW.value: "Le DMP juge votre identification périmée : reconnectez-vous, et si "
    "rien ne change faites vérifier l'heure de la DRIMbox",
    FaultSubcode.STRUCTURE.value: "Le DMP ne vous reconnaît pas dans cette structure : choisissez "
    "une autre situation d'exercice",
    FaultSubcode.RIGHTS.value: "Le DMP ne vous donne pas ce droit : votre profession ou votre "
    "situation d'exercice ne permet pas cette consultation",
    FaultSubcode.PATIENT.value: "Le DMP a reçu deux identités différentes pour ce patient : "
    "relancez l'appel depuis le RIS",
}
_BY_TEXT = {
    Text.STRUCTURE_UNKNOWN.value: "Le DMP ne connaît pas votre structure, ou elle y est inactive : "
    "choisissez une autre situation d'exercice",
    Text.SPECIALTY.value: "Votre situation d'exercice n'a pas de spécialité, et le DMP en demande "
    "une aux médecins : choisissez-en une autre",
    Text.LEGAL_PERSON.value: "Le DMP ne reconnaît pas votre structure par son certificat : "
    "prévenez l'administrateur de la DRIMbox",
    "Autorisation d'accès": "Vous n'avez pas d'autorisation d'accès au DMP de ce patient : "
    "recueillez son consentement, déclarez-la, puis relancez la recherche",
    "Patient opposé": "Le patient s'oppose à ce mode d'accès à son DMP",
}
_DOCUMENT_GONE = "Ce document n'est plus dans le DMP, ou ne vous est plus accessible"
_LONGEST = 300


def explain(error: Rejected) -> str:
    """A sentence for the page, the DMP's own words after it."""
    said = str(error)[:_LONGEST]
    meaning = next((_BY_CODE[code] for code in error.codes if code in _BY_CODE), "")
    if not meaning:
        meaning = next((meant for text, meant in _BY_TEXT.items() if text in said), "")
    if not meaning:
        return f"Le DMP a refusé la consultation : {said}"
    return f"{meaning}. (Le DMP dit : {said})"


def explain_document(error: Rejected) -> str:
    """The same for one document that cannot be had."""
    said = str(error)[:_LONGEST]
    if ErrorCode.DOCUMENT_UNIQUE_ID.value in error.codes:
        return f"{_DOCUMENT_GONE} (le DMP dit : {said})"
    return f"le DMP a refusé le document : {said}"


def explain_part(part: Partial) -> str:
    """What the page says beside a part of the answer."""
    said = str(part)[:_LONGEST]
    return (
        "Le DMP n'a donné qu'une partie de ce qu'il a trouvé : d'autres documents existent peut-"
        f"être. Relancez la recherche. (Le DMP dit : {said or 'rien de plus'})"
    )
