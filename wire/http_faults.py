"""What any HTTPS service can do wrong, whatever it serves: lines that several menus share."""

from __future__ import annotations

from enum import StrEnum

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wire.faults import FaultKind, Parameter, Struck
from wire.http_server import abort

__all__ = [
    "CERTIFICATE",
    "Shown",
    "Towards",
    "certificate",
    "closing",
    "redirection",
    "refusal",
    "status",
    "turned_away",
]

CERTIFICATE = "certificat"


class Shown(StrEnum):
    """Which certificate is shown instead of the right one."""

    OTHER_NAME = "autre-nom"
    OTHER_AUTHORITY = "autre-autorite"
    EXPIRED = "expire"
    SELF_SIGNED = "auto-signe"
    CLIENT_ONLY = "client"


class Towards(StrEnum):
    """Where a redirection leads."""

    SAME_HOST = "meme-hote"
    OTHER_HOST = "autre-hote"
    CLEAR = "http"


# Lines of a menu -------------------------------------------------------------------------------


def certificate(service: str) -> FaultKind:
    """Another certificate; `service` stands for the TLS handshakes."""
    return FaultKind(
        name=CERTIFICATE,
        words="montre un autre certificat que le sien",
        meaning="shows another certificate than its own",
        services=(service,),
        parameters=(
            Parameter(
                name="montre",
                words="certificat",
                default=Shown.OTHER_NAME.value,
                choices={
                    Shown.OTHER_NAME: "d'un autre hôte",
                    Shown.OTHER_AUTHORITY: "d'une autre autorité que celles du marché",
                    Shown.EXPIRED: "échu hier",
                    Shown.SELF_SIGNED: "signé par lui-même",
                    Shown.CLIENT_ONLY: "qui n'authentifie qu'un client",
                },
            ),
        ),
    )


def status(services: tuple[str, ...], words: str, meaning: str) -> FaultKind:
    """An HTTP status without what was asked for; `refusal` makes it."""
    return FaultKind(
        name="http",
        words=words,
        meaning=meaning,
        services=services,
        parameters=(
            Parameter(name="code", words="code HTTP", default=503, low=400, high=599),
            Parameter(
                name="apres", words="Retry-After (0 : absent)", default=0, unit="s", high=86_400
            ),
        ),
    )


def redirection(services: tuple[str, ...], other_host: str = "un autre hôte") -> FaultKind:
    """A redirection that keeps the method; `turned_away` makes it."""
    return FaultKind(
        name="redirection",
        words="renvoie ailleurs (307)",
        meaning="redirects elsewhere (307)",
        services=services,
        parameters=(
            Parameter(
                name="vers",
                words="destination",
                default=Towards.OTHER_HOST.value,
                choices={
                    Towards.SAME_HOST: "une autre adresse du même hôte",
                    Towards.OTHER_HOST: other_host,
                    Towards.CLEAR: "le même hôte, en clair",
                },
            ),
        ),
    )


# What they answer ------------------------------------------------------------------------------


def refusal(struck: Struck) -> Response:
    """The answer of `status`."""
    after = struck.number("apres")
    return PlainTextResponse(
        "panne simulée par le banc",
        status_code=struck.number("code"),
        headers={"Retry-After": str(after)} if after else None,
    )


def turned_away(struck: Struck, elsewhere: str) -> ASGIApp:
    """The answer of `redirection`; `elsewhere` is the other host."""

    async def redirect(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path, host = request.url.path, request.headers.get("host", "")
        places = {
            Towards.SAME_HOST: f"/encore{path}",
            Towards.OTHER_HOST: f"https://{elsewhere}{path}",
            Towards.CLEAR: f"http://{host}{path}",
        }
        location = places[Towards(struck.text("vers"))]
        response = Response(status_code=307, headers={"Location": location})
        await response(scope, receive, send)

    return redirect


async def closing(scope: Scope, receive: Receive, send: Send) -> None:
    """No answer: the connection is dropped."""
    abort(scope)
    # Return only when the server knows: it would else complain of an unfinished answer.
    while (await receive())["type"] != "http.disconnect":
        pass
