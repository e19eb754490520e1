"""What the OAuth endpoints share: forms, the client behind a certificate, errors.

In the "espace de confiance" a client authenticates by mutual TLS alone (ANS FAQ, grade faq); the
certificate's CN is the client_id (ANS FAQ on the e-santé proxy, grade faq).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from protocols.oauth import FormError, once, parse_form
from protocols.pki import ChainError, read_certificate
from wire.http_server import peer_chain

__all__ = [
    "NO_STORE",
    "Client",
    "OAuthError",
    "authenticate",
    "read_form",
    "read_parameters",
]

NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
"""RFC 6749 5.1."""
_MAX_FORM = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered service. `client_id` is also the CN of its ORG AUTH_CLI certificate."""

    client_id: str
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    may_introspect: bool = True
    ciba: bool = False
    """PSC opens CIBA service by service (PSC documentation page)."""
    backchannel_logout_uri: str = ""
    """Where the end of a session is told; "" when it is not."""


class OAuthError(Exception):
    """An error answer of RFC 6749 5.2, RFC 6750 3.1 or RFC 7662 2.3."""

    def __init__(
        self, status: int, error: str, description: str, *, challenge: str | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.challenge = challenge

    def response(self) -> Response:
        """The JSON body and its headers."""
        headers = dict(NO_STORE)
        if self.challenge is not None:
            headers["www-authenticate"] = self.challenge
        body = {"error": self.error, "error_description": self.description}
        return JSONResponse(body, status_code=self.status, headers=headers)


async def read_form(request: Request) -> dict[str, str]:
    """The parameters of a POST.

    Raises:
        OAuthError: `invalid_request`: another content type, too large, a repeated parameter.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise OAuthError(413, "invalid_request", "formulaire trop long")
    try:
        return parse_form(request.headers.get("content-type", ""), bytes(body))
    except FormError as error:
        raise OAuthError(400, "invalid_request", str(error)) from error


def read_parameters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters by name, as `protocols.oauth.once` reads them.

    Raises:
        OAuthError: `invalid_request`: a repeated parameter.
    """
    try:
        return once(pairs)
    except FormError as error:
        raise OAuthError(400, "invalid_request", str(error)) from error


def authenticate(request: Request, form: dict[str, str], clients: dict[str, Client]) -> Client:
    """The client that the certificate proves.

    Raises:
        OAuthError: `invalid_client`: a secret, no certificate, an unknown CN, another client_id.
    """
    if "authorization" in request.headers:
        # RFC 6749 5.2: a client that used this header is told the scheme it used.
        raise OAuthError(
            401,
            "invalid_client",
            "authentification par secret refusée : TLS mutuel exigé",
            challenge='Basic realm="esante-wallet"',
        )
    if "client_secret" in form or "client_assertion" in form:
        raise OAuthError(
            401, "invalid_client", "authentification par secret refusée : TLS mutuel exigé"
        )
    chain = peer_chain(request.scope)
    if not chain:
        raise OAuthError(401, "invalid_client", "aucun certificat client")
    name = _common_name(chain[0])
    client = clients.get(name)
    if client is None:
        raise OAuthError(401, "invalid_client", f"aucun client enregistré pour CN={name}")
    if form.get("client_id", name) != name:
        raise OAuthError(401, "invalid_client", "client_id différent du CN du certificat")
    return client


def _common_name(der: bytes) -> str:
    try:
        subject = read_certificate(der).subject
    except ChainError:
        return ""
    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""
