"""What a PACS can do wrong, association by association and request by request.

Statuses are those of PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5 and C.4.3.1.4, reasons of refusal those of
PS3.8 9.3.4 (grade `standard`).
"""

from __future__ import annotations

import math
from typing import Any, Final

from wire.dimse import (
    AbortAssociation,
    AssociationInfo,
    AssociationRefusal,
    DimseRefusal,
)
from wire.faults import FaultKind, Faults, Parameter, Struck, cut_after, delay, slow

__all__ = [
    "ASSOCIATION",
    "MENU",
    "NEGOTIATION",
    "begin",
    "excess_of",
    "interrupt",
    "misreport",
    "missing_of",
]

ASSOCIATION: Final = "association"
NEGOTIATION: Final = "négociation"
_QUERIES: Final = ("C-FIND", "QIDO-RS")
_RETRIEVALS: Final = ("C-MOVE", "C-GET")
_DIMSE: Final = ("C-ECHO", "C-FIND", *_RETRIEVALS, "C-STORE")
_WEB: Final = ("QIDO-RS", "WADO-RS", "STOW-RS")
_ALL: Final = (ASSOCIATION, *_DIMSE, *_WEB)

_REASONS: Final = {
    "sans-raison": (1, 1, 1),
    "appelant-inconnu": (1, 1, 3),
    "appele-inconnu": (1, 1, 7),
    "congestion": (2, 3, 1),
    "limite": (2, 3, 2),
}
_COUNTED: Final = (
    "NumberOfPatientRelatedInstances",
    "NumberOfStudyRelatedInstances",
    "NumberOfSeriesRelatedInstances",
)
_AFTER: Final = Parameter(
    name="apres",
    words="réponses ou sous-opérations faites avant (C-FIND, C-MOVE, C-GET)",
    default=0,
    high=1_000_000,
)

MENU: Final = (
    FaultKind(
        name="refus",
        words="refuse l'association (A-ASSOCIATE-RJ)",
        meaning="rejects the association (A-ASSOCIATE-RJ)",
        services=(ASSOCIATION,),
        parameters=(
            Parameter(
                name="raison",
                words="raison du refus",
                default="congestion",
                choices={
                    "sans-raison": "définitif, sans raison (1/1/1)",
                    "appelant-inconnu": "définitif, AE appelante inconnue (1/1/3)",
                    "appele-inconnu": "définitif, AE appelée inconnue (1/1/7)",
                    "congestion": "passager, congestion (2/3/1)",
                    "limite": "passager, trop d'associations (2/3/2)",
                },
            ),
        ),
    ),
    FaultKind(
        name="abandon",
        words="abandonne l'association (A-ABORT), en cours de réponse s'il le faut",
        meaning="aborts the association (A-ABORT), in the middle of an answer if asked",
        services=(ASSOCIATION, *_DIMSE),
        parameters=(_AFTER,),
    ),
    FaultKind(
        name="statut",
        words="répond par ce statut ; un C-STORE en échec ne garde rien",
        meaning="answers by this status; a failed C-STORE keeps nothing",
        services=_DIMSE,
        parameters=(
            Parameter(
                name="statut",
                words="statut DIMSE",
                default=0xA700,
                low=0x0001,
                high=0xFEFF,
                hexadecimal=True,
            ),
            _AFTER,
        ),
    ),
    FaultKind(
        name="http",
        words="répond par ce code HTTP, sans rien faire",
        meaning="answers by this HTTP status, and does nothing",
        services=_WEB,
        parameters=(Parameter(name="code", words="code HTTP", default=503, low=400, high=599),),
    ),
    FaultKind(
        name="sans-compression",
        words="n'accepte dans un C-STORE que des images non compressées",
        meaning="accepts uncompressed images alone in a C-STORE",
        services=(NEGOTIATION,),
    ),
    FaultKind(
        name="vide",
        words="ne trouve rien",
        meaning="finds nothing",
        services=_QUERIES,
    ),
    FaultKind(
        name="partiel",
        words="les dernières instances manquent : sous-opérations en échec (B000), ou rien n'en est"
        " dit (C-FIND, QIDO-RS, WADO-RS)",
        meaning="the last instances are missing: failed sub-operations (B000), or nothing is said"
        " (C-FIND, QIDO-RS, WADO-RS)",
        services=(*_RETRIEVALS, *_QUERIES, "WADO-RS"),
        parameters=(
            Parameter(
                name="manque", words="combien manquent", default=1, low=1, high=1_000_000
            ),
        ),
    ),
    FaultKind(
        name="comptes-faux",
        words="ment sur les comptes : nombres d'instances annoncés, sous-opérations faites",
        meaning="lies about counts: numbers of instances told, sub-operations completed",
        services=(*_QUERIES, *_RETRIEVALS),
        parameters=(
            Parameter(
                name="ecart", words="ajouté au vrai nombre", default=1, low=-10_000, high=10_000
            ),
        ),
    ),
    delay(
        _ALL,
        words="attend avant de répondre",
        meaning="waits before answering",
    ),
    cut_after(
        _ALL,
        words="coupe la connexion TCP une fois ces octets partis ; d'un C-MOVE, ceux des images",
        meaning="resets the TCP connection once these bytes left; of a C-MOVE, those of the images",
    ),
    slow(
        _ALL,
        words="répond par une liaison lente ; d'un C-MOVE, celle des images",
        meaning="answers through a slow line; of a C-MOVE, that of the images",
    ),
)  # fmt: skip
"""Every fault, and the services that it can strike."""


def begin(faults: Faults, service: str, association: AssociationInfo) -> Struck | None:
    """An association or a DIMSE request comes: what strikes it, once that has waited and its link
    has been made what it will be.

    Raises:
        AssociationRefusal: an association that is refused.
    """
    struck = faults.strike(service)
    if struck is None:
        return None
    if struck.delay_s:
        struck.release.wait(struck.delay_s)
    link = struck.link()
    if link is not None:
        association.impair(link)
    if struck.kind == "refus":
        raise AssociationRefusal(*_REASONS[struck.text("raison")])
    return struck


def interrupt(struck: Struck | None, done: float = math.inf) -> None:
    """So many responses or sub-operations are done, all without a number: end there what is to.

    Raises:
        AbortAssociation, DimseRefusal: it ends.
    """
    if struck is None or struck.kind not in ("abandon", "statut"):
        return
    if done < struck.number("apres"):
        return
    if struck.kind == "abandon":
        raise AbortAssociation
    raise DimseRefusal(struck.number("statut"), "panne simulee")


def missing_of(struck: Struck | None) -> int:
    """How many of the last instances are missing."""
    return struck.number("manque") if struck is not None and struck.kind == "partiel" else 0


def excess_of(struck: Struck | None) -> int:
    """What is added to true numbers."""
    return struck.number("ecart") if struck is not None and struck.kind == "comptes-faux" else 0


def misreport(response: Any, excess: int) -> None:
    """Change the numbers of instances that a response tells; never below 0."""
    for keyword in _COUNTED if excess else ():
        if response.get(keyword) not in (None, ""):
            setattr(response, keyword, max(0, int(response[keyword].value) + excess))
