"""The authorization server as a running service: its token endpoint and its keys."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from protocols.jose import KeySet, SigningKey, TokenError, peek, sign
from protocols.oauth import FORM_TYPE, FormError, build_form, parse_form
from simulators.api_psc.exchange import ApiClient, ExchangeError, claims, client_of, read_demand
from spec import api_psc as spec
from spec import psc
from wire.exchange import Observe, ignore
from wire.http_client import HttpClient, HttpFailure
from wire.http_server import HttpServer, note, peer_chain, serve_http
from wire.tls import ClientTls, ServerTls

__all__ = ["ApiPsc", "ApiPscConfig", "build"]

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_MAX_FORM = 256 * 1024
_TIMEOUT_S = 10.0
_REALM = spec.TOKEN_PATH.partition("/protocol/")[0]
_CERTS = f"{_REALM}/protocol/openid-connect/certs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPscConfig:
    """How to build the service.

    `tls` demands a client certificate of the organisations' PKI. `psc_issuer` is where PSC tokens
    are introspected, `psc_tls` what is shown there: a client that may introspect.
    """

    tls: ServerTls
    key: rsa.RSAPrivateKey = field(repr=False)
    clock: Callable[[], datetime]
    rng: random.Random = field(repr=False)
    clients: tuple[ApiClient, ...]
    psc_issuer: Callable[[], str]
    psc_tls: ClientTls
    connect_to: Mapping[str, str] = field(default_factory=dict)
    lifetime: int = spec.LIFETIME
    host: str = "127.0.0.1"
    port: int = 0
    announced: str = ""


class ApiPsc:
    """The service. `start` before anything else."""

    def __init__(self, config: ApiPscConfig, observe: Observe) -> None:
        self._config = config
        self._observe = observe
        self._key = SigningKey(self._id(), config.key)
        self._server: HttpServer | None = None
        self._port = config.port
        self._psc: HttpClient | None = None
        self.lifetime = config.lifetime
        """Seconds; a scenario may change it for what is given from now on."""
        self.refusal: ExchangeError | None = None
        """What every exchange is refused with, while a scenario says so."""
        self.app = Starlette(
            routes=[
                Route(spec.TOKEN_PATH, self._token, methods=["POST"]),
                Route(_CERTS, self._certs),
            ]
        )

    # Life

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or a certificate file cannot be read.
        """
        config = self._config
        self._server = await serve_http(
            self.app,
            actor="api-psc",
            observe=self._observe,
            tls=config.tls,
            host=config.host,
            port=self._port,
            announced=config.announced,
        )
        self._port = self._server.port
        # Its introspections are none of a box's exchanges: not recorded.
        self._psc = HttpClient(
            actor="api-psc",
            observe=ignore,
            tls=config.psc_tls,
            connect_to=config.connect_to,
            timeout=_TIMEOUT_S,
        )

    async def stop(self, *, grace: float = 5.0) -> None:
        """Close the listener and the connections."""
        if self._server is not None:
            await self._server.stop(grace=grace)
            self._server = None
        if self._psc is not None:
            await self._psc.aclose()
            self._psc = None

    @property
    def url(self) -> str:
        """Scheme, host and port of the listener.

        Raises:
            RuntimeError: not started.
        """
        if self._server is None:
            raise RuntimeError("the authorization server is not started")
        return self._server.url

    @property
    def issuer(self) -> str:
        """`iss` of its tokens."""
        return self.url + _REALM

    @property
    def token_endpoint(self) -> str:
        """What a client is configured with."""
        return self.url + spec.TOKEN_PATH

    @property
    def keys(self) -> KeySet:
        """By which its tokens are verified."""
        return self._key.keys

    @property
    def clients(self) -> tuple[ApiClient, ...]:
        """Those that are enrolled."""
        return self._config.clients

    def issue(self, claimed: Mapping[str, Any]) -> str:
        """A token of these claims, right or wrong, signed as it signs."""
        return sign(claimed, self._key)

    # Requests

    async def _token(self, request: Request) -> Response:
        note(request.scope, transaction="API-PSC-token")
        try:
            given = await self._exchange(request)
        except ExchangeError as error:
            body = {"error": error.error, "error_description": error.description}
            return JSONResponse(body, status_code=error.status, headers=_NO_STORE)
        return JSONResponse(given, headers=_NO_STORE)

    async def _certs(self, request: Request) -> Response:
        note(request.scope, transaction="API-PSC-JWKS")
        return JSONResponse({"keys": [self._key.public_jwk]})

    async def _exchange(self, request: Request) -> dict[str, Any]:
        form = await _read(request)
        note(request.scope, keys=_names(form.get("subject_token", "")))
        chain = peer_chain(request.scope)
        if not chain:
            raise ExchangeError(401, "invalid_client", "aucun certificat client")
        client = client_of(chain[0], form, self._config.clients)
        note(request.scope, peer=client.client_id)
        if self.refusal is not None:
            raise self.refusal
        demand = read_demand(form, client, chain[0])
        subject = await self._introspected(demand.subject_token)
        said = claims(
            demand,
            client,
            subject,
            issuer=self.issuer,
            now=int(self._config.clock().timestamp()),
            lifetime=self.lifetime,
            jti=self._id(),
        )
        note(request.scope, keys=(said["jti"], said["sid"]))
        return {
            "access_token": sign(said, self._key),
            "issued_token_type": spec.ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "scope": demand.scope,
        }

    async def _introspected(self, token: str) -> dict[str, Any]:
        """What PSC says of a token.

        Raises:
            ExchangeError: it is not an active access token (RFC 8693 2.2.2: `invalid_request`),
                or PSC does not say.
        """
        assert self._psc is not None
        try:
            answer = await self._psc.request(
                "POST",
                self._config.psc_issuer() + psc.INTROSPECTION,
                headers=(("Content-Type", FORM_TYPE), ("Accept", "application/json")),
                content=build_form({"token": token}),
                transaction="introspection",
                peer="psc",
            )
            said = json.loads(answer.body) if answer.status == 200 else None
        except (HttpFailure, ValueError) as error:
            raise ExchangeError(503, "temporarily_unavailable", f"PSC : {error}") from error
        if not isinstance(said, dict):
            raise ExchangeError(503, "temporarily_unavailable", f"PSC : HTTP {answer.status}")
        if said.get("active") is not True or said.get("typ") != "Bearer":
            raise ExchangeError(400, "invalid_request", "subject_token inactif")
        return said

    def _id(self) -> str:
        return str(uuid.UUID(int=self._config.rng.getrandbits(128), version=4))


async def _read(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise ExchangeError(413, "invalid_request", "formulaire trop long")
    try:
        return parse_form(request.headers.get("content-type", ""), bytes(body))
    except FormError as error:
        raise ExchangeError(400, "invalid_request", str(error)) from error


def _names(token: str) -> tuple[str, ...]:
    """The identifiers that a token, good or not, carries: attribution follows them."""
    try:
        said = peek(token)
    except TokenError:
        return ()
    return tuple(str(said[name]) for name in ("jti", "sid") if said.get(name))


def build(config: ApiPscConfig, observe: Observe) -> ApiPsc:
    """A service that is not listening yet."""
    return ApiPsc(config, observe)
