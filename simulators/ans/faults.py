"""What the agency can publish wrongly, request by request.

The unsigned list and the rotation of the signer are the agency's own doing: the first is published
for homologation, the second happened in September 2026 (DRIM-M_DATA, grade `sample`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from simulators.ans.hostile import TRAPS
from wire.faults import FaultKind, Parameter, cut_after, delay, slow

__all__ = ["LIST", "Other", "Where", "menu"]

LIST: Final = "liste"
_SERVICES: Final = (LIST,)


class Where(StrEnum):
    """What is changed after signing."""

    ENTRY = "entree"
    NAME = "dn"
    DATE = "date"
    SPACE = "espace"
    VALUE = "signature"


class Other(StrEnum):
    """Who signs instead of the signer in force."""

    NAME = "autre-nom"
    """An ORG SIGN of the same authority, under another CN."""
    STRUCTURE = "autre-structure"
    """The right CN, another OU."""
    MARKET = "autre-autorite"
    """The right name, certified by the market."""
    CLIENT = "auth-cli"
    """The right name, on a certificate that is no signer's."""
    EXPIRED = "expire"
    REVOKED = "revoque"
    SUCCESSOR = "releve"
    """The right name on a new certificate: the one that a DRIMbox must accept."""


_WHO: Final = {
    Other.NAME: "un autre nom (CN) de la même autorité",
    Other.STRUCTURE: "le bon CN, une autre structure (OU)",
    Other.MARKET: "le bon nom, certifié par le marché",
    Other.CLIENT: "le bon nom, sur un ORG AUTH_CLI",
    Other.EXPIRED: "le bon nom, certificat expiré",
    Other.REVOKED: "le bon nom, certificat révoqué (CRL)",
    Other.SUCCESSOR: "le bon nom, nouveau certificat : relève, que la boîte doit accepter",
}


def menu(others: frozenset[Other]) -> tuple[FaultKind, ...]:
    """Every fault of an agency that holds the keys of these other signers."""
    known = {str(one): words for one, words in _WHO.items() if one in others}
    return (
        FaultKind(
            name="non-signee",
            words="publie la liste sans signature",
            meaning="publishes the list without signature",
            services=_SERVICES,
        ),
        FaultKind(
            name="alteree",
            words="publie une liste changée après signature",
            meaning="publishes a list changed after signing",
            services=_SERVICES,
            parameters=(
                Parameter(
                    name="ou",
                    words="ce qui change",
                    default=Where.ENTRY.value,
                    choices={
                        Where.ENTRY: "l'hôte de la première entrée",
                        Where.NAME: "son DNCertificatOperateur",
                        Where.DATE: "la date de génération",
                        Where.SPACE: "une espace dans la racine",
                        Where.VALUE: "la valeur de la signature",
                    },
                ),
            ),
        ),
        *(_signed(known) if known else ()),
        FaultKind(
            name="ancienne",
            words="publie, bien signée, une liste générée auparavant",
            meaning="publishes, rightly signed, a list generated before",
            services=_SERVICES,
            parameters=(
                Parameter(name="jours", words="âge", default=30, unit="jours", low=1, high=3650),
            ),
        ),
        FaultKind(
            name="future",
            words="publie, bien signée, une liste datée de l'avenir",
            meaning="publishes, rightly signed, a list dated in the future",
            services=_SERVICES,
            parameters=(
                Parameter(name="heures", words="avance", default=24, unit="h", low=1, high=87_600),
            ),
        ),
        FaultKind(
            name="tronquee",
            words="publie la première moitié du fichier",
            meaning="publishes the first half of the file",
            services=_SERVICES,
        ),
        FaultKind(
            name="enorme",
            words="publie, bien signée, une liste de tant d'entrées de plus",
            meaning="publishes, rightly signed, a list with so many more entries",
            services=_SERVICES,
            parameters=(
                Parameter(name="entrees", words="entrées", default=10_000, low=1, high=200_000),
            ),
        ),
        FaultKind(
            name="piege",
            words="publie une liste qui est un piège",
            meaning="publishes a list that is a trap",
            services=_SERVICES,
            parameters=(
                Parameter(
                    name="quoi",
                    words="piège",
                    default="commentaire",
                    choices={name: words for name, (words, _) in TRAPS.items()},
                ),
            ),
        ),
        FaultKind(
            name="page",
            words="répond 200 et une page HTML",
            meaning="answers 200 and an HTML page",
            services=_SERVICES,
        ),
        FaultKind(
            name="http",
            words="répond par ce code HTTP, sans liste",
            meaning="answers by this HTTP status, without a list",
            services=_SERVICES,
            parameters=(Parameter(name="code", words="code HTTP", default=503, low=400, high=599),),
        ),
        delay(_SERVICES, words="attend avant de répondre", meaning="waits before answering"),
        cut_after(
            _SERVICES,
            words="coupe la connexion une fois ces octets partis",
            meaning="resets the connection once these bytes left",
        ),
        slow(
            _SERVICES,
            words="répond par une liaison lente",
            meaning="answers through a slow line",
        ),
    )


def _signed(known: dict[str, str]) -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="signataire",
            words="publie la liste, bien signée par un autre certificat",
            meaning="publishes the list, rightly signed by another certificate",
            services=_SERVICES,
            parameters=(
                Parameter(name="qui", words="signataire", default=next(iter(known)), choices=known),
            ),
        ),
    )
