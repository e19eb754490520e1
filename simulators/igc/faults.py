"""What an authority can do wrong when it is asked whether a certificate stands, or what time it is.

A fault that alters an answer alters a right one, in one thing. CRL and OCSP answers travel in clear
(control point C17, grade: faq): whatever the network can put in their place is here as well.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from wire.faults import FaultKind, Parameter, cut_after, delay, slow
from wire.http_faults import status

__all__ = ["CRL", "MENU", "OCSP", "TSA", "Betrayed", "Motive", "Refusal", "Said", "Who"]

CRL: Final = "CRL"
OCSP: Final = "OCSP"
TSA: Final = "TSA"
_ALL: Final = (CRL, OCSP, TSA)
_DAYS: Final = Parameter(name="jours", words="écart", default=30, unit="jours", low=1, high=3650)


class Said(StrEnum):
    """What a responder says instead of the truth."""

    GOOD = "bon"
    REVOKED = "revoque"
    UNKNOWN = "inconnu"
    OTHER = "autre-numero"
    """The truth, about another certificate."""


class Betrayed(StrEnum):
    """What is wrong with an answer that says good of whatever it is asked about."""

    STALE = "perimee"
    OTHER = "autre-numero"
    LOOK_ALIKE = "sosie"
    MARKET = "marche"
    NO_PURPOSE = "sans-usage"
    NO_NONCE = "sans-nonce"
    OTHER_NONCE = "autre-nonce"
    SPOILT = "alteree"


class Refusal(StrEnum):
    """An answer without any status: RFC 6960 2.3."""

    TRY_LATER = "try-later"
    INTERNAL_ERROR = "internal-error"
    MALFORMED = "malformed-request"
    SIGNATURE_REQUIRED = "sig-required"
    UNAUTHORIZED = "unauthorized"


class Motive(StrEnum):
    """Why no time stamp is given: RFC 3161 2.4.2."""

    ALGORITHM = "bad-alg"
    REQUEST = "bad-request"
    FORMAT = "bad-data-format"
    CLOCK = "time-not-available"
    POLICY = "unaccepted-policy"
    EXTENSION = "unaccepted-extension"
    SYSTEM = "system-failure"


class Who(StrEnum):
    """Who signs instead."""

    LOOK_ALIKE = "sosie"
    """The right names, another key."""
    MARKET = "marche"
    """Another authority's."""
    NO_PURPOSE = "sans-usage"
    """The right authority's, on a certificate that is not for that use."""
    EXPIRED = "expire"


_WHO: Final[dict[str, str]] = {
    Who.LOOK_ALIKE: "une autorité de mêmes noms, à l'autre clé",
    Who.MARKET: "l'autorité du marché",
    Who.NO_PURPOSE: "un certificat de la bonne autorité, sans l'usage qu'il faut",
    Who.EXPIRED: "le bon signataire, certificat expiré",
}

MENU: Final = (
    FaultKind(
        name="statut",
        words="dit d'un certificat autre chose que ce qu'il en est, bien signé",
        meaning="tells of a certificate something else than the truth, rightly signed",
        services=(OCSP,),
        parameters=(
            Parameter(
                name="dit",
                words="ce qui est dit",
                default=Said.UNKNOWN.value,
                choices={
                    Said.GOOD: "good",
                    Said.REVOKED: "revoked",
                    Said.UNKNOWN: "unknown",
                    Said.OTHER: "ce qu'il en est d'un autre numéro de série",
                },
            ),
        ),
    ),
    FaultKind(
        name="refus",
        words="refuse de répondre, par ce responseStatus",
        meaning="refuses to answer, by this responseStatus",
        services=(OCSP,),
        parameters=(
            Parameter(
                name="statut",
                words="responseStatus",
                default=Refusal.TRY_LATER.value,
                choices={one: one.value for one in Refusal},
            ),
        ),
    ),
    FaultKind(
        name="bon-mal-prouve",
        words="dit d'un certificat, révoqué ou non, qu'il est bon, par une réponse fausse en ceci",
        meaning="says good of any certificate, revoked or not, by an answer wrong in one thing",
        services=(OCSP,),
        parameters=(
            Parameter(
                name="par",
                words="ce qui est faux",
                default=Betrayed.STALE.value,
                choices={
                    Betrayed.STALE: "nextUpdate est passé",
                    Betrayed.OTHER: "elle est au sujet d'un autre numéro de série",
                    Betrayed.LOOK_ALIKE: "signée sous une autorité de mêmes noms, à l'autre clé",
                    Betrayed.MARKET: "signée sous l'autorité du marché",
                    Betrayed.NO_PURPOSE: "le certificat du répondeur n'a pas l'usage OCSPSigning",
                    Betrayed.NO_NONCE: "échue, et sans le nonce demandé, comme rejouée",
                    Betrayed.OTHER_NONCE: "échue, et au nonce d'une autre demande",
                    Betrayed.SPOILT: "un bit de la signature est changé",
                },
            ),
        ),
    ),
    FaultKind(
        name="rejet",
        words="ne donne pas d'horodatage, pour ce motif",
        meaning="gives no time stamp, for this reason",
        services=(TSA,),
        parameters=(
            Parameter(
                name="motif",
                words="failInfo",
                default=Motive.CLOCK.value,
                choices={one: one.value for one in Motive},
            ),
        ),
    ),
    FaultKind(
        name="empreinte",
        words="horodate autre chose que ce qui est demandé",
        meaning="stamps something else than what was asked for",
        services=(TSA,),
    ),
    FaultKind(
        name="horloge",
        words="horodate à une autre heure que la sienne",
        meaning="stamps another time than its own",
        services=(TSA,),
        parameters=(
            Parameter(name="heures", words="écart", default=24, unit="h", low=-87_600, high=87_600),
        ),
    ),
    FaultKind(
        name="sans-certificat",
        words="n'apporte pas le certificat demandé",
        meaning="does not bring the certificate that was asked for",
        services=(TSA,),
    ),
    FaultKind(
        name="perimee",
        words="répond, bien signé, ce qu'il disait auparavant : nextUpdate est passé",
        meaning="answers, rightly signed, what it said before: nextUpdate is past",
        services=(CRL, OCSP),
        parameters=(_DAYS,),
    ),
    FaultKind(
        name="future",
        words="répond, bien signé, ce qui ne vaudra que plus tard",
        meaning="answers, rightly signed, what is not in force yet",
        services=(CRL, OCSP),
        parameters=(_DAYS,),
    ),
    FaultKind(
        name="signataire",
        words="répond, signé par un autre",
        meaning="answers, signed by another",
        services=(OCSP, TSA),
        parameters=(
            Parameter(name="qui", words="signataire", default=Who.LOOK_ALIKE.value, choices=_WHO),
        ),
    ),
    FaultKind(
        name="sosie",
        words="publie une liste signée par une autorité de mêmes noms, à l'autre clé",
        meaning="publishes a list signed by an authority of the same names, whose key is another",
        services=(CRL,),
    ),
    FaultKind(
        name="rejeu",
        words="répond sans le nonce demandé, comme une réponse rejouée",
        meaning="answers without the nonce that was asked for, as a replayed answer does",
        services=(OCSP, TSA),
    ),
    FaultKind(
        name="alteree",
        words="répond ce qu'il faut, un bit de la signature changé",
        meaning="answers rightly, one bit of the signature changed",
        services=_ALL,
    ),
    FaultKind(
        name="tronquee",
        words="répond la première moitié",
        meaning="answers the first half",
        services=_ALL,
    ),
    FaultKind(
        name="page",
        words="répond 200 et une page HTML",
        meaning="answers 200 and an HTML page",
        services=_ALL,
    ),
    FaultKind(
        name="enorme",
        words="publie la bonne liste, suivie de tant de mébioctets de zéros",
        meaning="publishes the right list, followed by so many mebibytes of zeros",
        services=(CRL,),
        parameters=(
            Parameter(
                name="mio", words="taille ajoutée", default=100, unit="Mio", low=1, high=4096
            ),
        ),
    ),
    FaultKind(
        name="boucle",
        words="renvoie sans fin d'une adresse à l'autre du même hôte (302)",
        meaning="redirects without end from one address of the same host to another (302)",
        services=(CRL,),
    ),
    status(
        _ALL,
        words="répond par ce code HTTP, et rien d'autre",
        meaning="answers by this HTTP status, and nothing else",
    ),
    delay(_ALL, words="attend avant de répondre", meaning="waits before answering"),
    cut_after(
        _ALL,
        words="coupe la connexion une fois ces octets partis",
        meaning="resets the connection once these bytes left",
    ),
    slow(_ALL, words="répond par une liaison lente", meaning="answers through a slow line"),
)
