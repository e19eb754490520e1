"""What the DMP can do wrong, handshake by handshake and request by request.

The error codes are those of ITI Vol. 3 table 4.2.4.1-2 (grade `standard`); of the subcodes of SOAP
faults one alone is known, the others are ours (`spec.dmp.FaultSubcode`).
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeVar

from protocols.ebrim import QueryResponse, RegistryError
from simulators.dmp.hostile import TRAPS
from simulators.dmp.refusal import BusinessError, Refusal
from spec.dmp import FaultSubcode
from spec.xds import ErrorCode, ResponseStatus
from wire.faults import FaultKind, Faults, Parameter, Struck, delay, slow
from wire.impairment import Impairment, Link

__all__ = [
    "MENU",
    "TLS",
    "Cut",
    "cut_of",
    "fail",
    "link_for",
    "partial",
    "refuse",
    "refused_handshake",
]

T = TypeVar("T")

TLS: Final = "TLS"
_XDS: Final = ("TD2.1", "TD3.1", "TD3.2", "TD3.3")
_ALL: Final = ("TD0.2", "TD0.3", *_XDS)
_RECEIVER: Final = "Receiver"
_TEXT: Final = "Panne simulée par le banc"
_CODES: Final = (
    *(one.value for one in ErrorCode),
    "XDSRegistryNotAvailable",
    "XDSRegistryOutOfResources",
    "XDSRepositoryOutOfResources",
)
_ALERTS: Final = {
    "handshake_failure": ssl.AlertDescription.ALERT_DESCRIPTION_HANDSHAKE_FAILURE,
    "access_denied": ssl.AlertDescription.ALERT_DESCRIPTION_ACCESS_DENIED,
    "internal_error": ssl.AlertDescription.ALERT_DESCRIPTION_INTERNAL_ERROR,
}


class Cut(StrEnum):
    """Where a request loses its connection."""

    BEFORE = "avant"
    """No answer, nothing kept."""
    AFTER = "apres"
    """No answer, everything kept."""
    HALF = "milieu"
    """Everything kept, the first half of the answer sent."""


MENU: Final = (
    FaultKind(
        name="refus",
        words="refuse la poignée de main TLS par une alerte",
        meaning="refuses the TLS handshake by an alert",
        services=(TLS,),
        parameters=(
            Parameter(
                name="alerte",
                words="alerte TLS",
                default="handshake_failure",
                choices={
                    "handshake_failure": "rien en commun (40)",
                    "access_denied": "accès refusé (49)",
                    "internal_error": "erreur interne (80)",
                },
            ),
        ),
    ),
    FaultKind(
        name="coupure",
        words="coupe la connexion : avant d'enregistrer, après, ou au milieu de sa réponse",
        meaning="resets the connection: before recording, after, or in the middle of its answer",
        services=_ALL,
        parameters=(
            Parameter(
                name="moment",
                words="moment",
                default=Cut.BEFORE.value,
                choices={
                    Cut.BEFORE: "sans réponse, rien n'est gardé",
                    Cut.AFTER: "sans réponse, tout est gardé",
                    Cut.HALF: "tout est gardé, la moitié de la réponse part",
                },
            ),
        ),
    ),
    FaultKind(
        name="faute-soap",
        words="répond par une faute SOAP (HTTP 500), sans rien faire",
        meaning="answers by a SOAP fault (HTTP 500), and does nothing",
        services=_ALL,
        parameters=(
            Parameter(
                name="code",
                words="sous-code, ou Receiver : panne du serveur",
                default=_RECEIVER,
                choices={
                    _RECEIVER: "panne du serveur",
                    **{one.value: one.value for one in FaultSubcode},
                },
            ),
        ),
    ),
    FaultKind(
        name="erreur-xds",
        words="répond par cette erreur XDS et ne garde rien ; un lot mauvais a d'abord la sienne",
        meaning="answers by this XDS error and keeps nothing; a bad lot gets its own first",
        services=_XDS,
        parameters=(
            Parameter(
                name="code",
                words="errorCode",
                default=ErrorCode.REPOSITORY_BUSY.value,
                choices={one: one for one in _CODES},
            ),
        ),
    ),
    FaultKind(
        name="partiel",
        words="répond PartialSuccess : la première moitié de ce qui est trouvé, et cette erreur",
        meaning="answers PartialSuccess: the first half of what is found, and this error",
        services=("TD3.1",),
        parameters=(
            Parameter(
                name="code",
                words="errorCode",
                default=ErrorCode.REGISTRY_ERROR.value,
                choices={one: one for one in _CODES},
            ),
        ),
    ),
    FaultKind(
        name="http",
        words="répond par ce code HTTP, sans rien faire",
        meaning="answers by this HTTP status, and does nothing",
        services=_ALL,
        parameters=(Parameter(name="code", words="code HTTP", default=503, low=400, high=599),),
    ),
    FaultKind(
        name="piege",
        words="piège sa réponse, qui serait juste sans cela",
        meaning="makes a trap of its answer, which would be right otherwise",
        services=("TD3.1", "TD3.2"),
        parameters=(
            Parameter(
                name="reponse",
                words="piège",
                default="doctype",
                choices={name: words for name, (words, _) in TRAPS.items()},
            ),
            Parameter(
                name="mio",
                words="suite d'une réponse sans fin",
                default=1024,
                unit="Mio",
                low=1,
                high=100_000,
            ),
        ),
    ),
    delay(
        _ALL,
        words="fait ce qui est demandé, et attend avant de répondre",
        meaning="does what is asked, and waits before answering",
    ),
    slow(
        _ALL,
        words="répond par une liaison lente",
        meaning="answers through a slow line",
    ),
)
"""Every fault, and the services that it can strike: transactions, and the handshake."""


def refused_handshake(faults: Faults) -> int | None:
    """A handshake begins: the alert that it ends by, if it is struck."""
    struck = faults.strike(TLS)
    return None if struck is None else _ALERTS[struck.text("alerte")]


def fail(struck: Struck | None) -> None:
    """A request that is struck by a SOAP fault.

    Raises:
        Refusal: it is.
    """
    if struck is not None and struck.kind == "faute-soap":
        code = struck.text("code")
        raise Refusal("" if code == _RECEIVER else code, _TEXT)


def refuse(struck: Struck | None) -> None:
    """A request that is struck by an error of XDS, once it is known to be good.

    Raises:
        BusinessError: it is.
    """
    if struck is not None and struck.kind == "erreur-xds":
        raise BusinessError((RegistryError(code=struck.text("code"), context=_TEXT),))


def partial(struck: Struck | None, response: QueryResponse) -> QueryResponse:
    """An answer to a search, of which a half is missing when it is struck so: the odd one stays."""
    if struck is None or struck.kind != "partiel":
        return response

    def half(found: tuple[T, ...]) -> tuple[T, ...]:
        return found[: (len(found) + 1) // 2]

    return replace(
        response,
        status=ResponseStatus.PARTIAL_SUCCESS,
        errors=(RegistryError(code=struck.text("code"), context=_TEXT),),
        entries=half(response.entries),
        refs=half(response.refs),
    )


def cut_of(struck: Struck | None) -> Cut | None:
    """Where a request loses its connection, None where it does not."""
    if struck is None or struck.kind != "coupure":
        return None
    return Cut(struck.text("moment"))


def link_for(struck: Struck, size: int) -> Link | None:
    """What an answer of `size` bytes leaves through."""
    cut = cut_of(struck)
    if cut is None:
        return struck.link()
    kept = size // 2 if cut is Cut.HALF else 0
    return Link(Impairment(drop_after=kept), struck.release)
