"""Pro Santé Connect as a running service, and what a scenario may do to it."""

from __future__ import annotations

import random
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import rsa

from protocols.jose import SigningKey
from simulators.psc.application import Application
from simulators.psc.back_channel import BackChannel
from simulators.psc.ciba import Ciba
from simulators.psc.faults import TLS, Forged, menu
from simulators.psc.front_channel import FrontChannel
from simulators.psc.logout import BackChannelLogout
from simulators.psc.oauth import Client
from simulators.psc.phone import Phone
from simulators.psc.professionals import TEST_PROFESSIONALS, Professional
from simulators.psc.realm import Binding, Lifetimes, Realm, Session, TokenType
from spec import psc
from wire.exchange import Observe
from wire.faults import Faults
from wire.http_faults import Shown
from wire.http_server import HttpServer, serve_http
from wire.tls import ClientTls, ServerTls, server_context

__all__ = ["Psc", "PscConfig", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PscConfig:
    """How to build the service.

    `tls` shows a market certificate and asks, without requiring, a client certificate of the
    organisations' PKI: a browser has none. Without `public_url` the issuer is under the host
    `announced`, by default the one bound; without `wallet_url` the wallet is under the issuer's
    host (the real one has its own).
    """

    tls: ServerTls | None
    key: rsa.RSAPrivateKey = field(repr=False)
    clock: Callable[[], datetime]
    rng: random.Random = field(repr=False)
    clients: tuple[Client, ...]
    professionals: tuple[Professional, ...] = TEST_PROFESSIONALS
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    require_pkce: bool = True
    rotate_refresh: bool = False
    binding: Binding = ""
    """How access tokens are bound to the client's certificate."""
    host: str = "127.0.0.1"
    port: int = 0
    announced: str = ""
    public_url: str = ""
    wallet_url: str = ""
    logout_tls: ClientTls | None = None
    """Whom to trust where logout tokens are posted; None posts none."""
    connect_to: Mapping[str, str] = field(default_factory=dict)
    """How services are reached, as `wire.http_client.HttpClient` says."""
    wardrobe: Mapping[Shown, ServerTls] = field(default_factory=dict)
    """The certificates that the fault `certificat` shows instead of the right one."""
    elsewhere: str = "ailleurs.drimbench.test"
    """The other host that the fault `redirection` names."""


class Psc:
    """The service. `start` before anything else; state survives `stop`."""

    def __init__(self, config: PscConfig, observe: Observe) -> None:
        self._config = config
        self._observe = observe
        self._clients = {client.client_id: client for client in config.clients}
        self._realm = Realm(
            key=config.key,
            clock=config.clock,
            rng=config.rng,
            professionals=config.professionals,
            lifetimes=config.lifetimes,
        )
        self._realm.binding = config.binding
        self.phone = Phone()
        """What professionals answer to CIBA requests; by default they accept."""
        self._ciba = Ciba(self._realm, self._clients, self.phone)
        self._back = BackChannel(
            self._realm, self._clients, self._ciba, rotate_refresh=config.rotate_refresh
        )
        self._front = FrontChannel(
            self._realm, self._clients, require_pkce=config.require_pkce, over=self._over
        )
        self._logout: BackChannelLogout | None = None
        if config.logout_tls is not None:
            self._logout = BackChannelLogout(
                self._realm,
                self._clients,
                tls=config.logout_tls,
                connect_to=config.connect_to,
                observe=observe,
            )
        self._server: HttpServer | None = None
        self._port = config.port
        self.faults = Faults(menu(config.wardrobe))
        """What it does wrong now. Services: `TLS`, `discovery`, `certs`, `authorization`, `login`,
        `token`, `introspection`, `userinfo`, `ciba`."""
        self._contexts: dict[Shown, ssl.SSLContext] = {}
        self.app = Application(
            self._back.endpoints() + self._ciba.endpoints() + self._front.endpoints(),
            realm=self._realm,
            faults=self.faults,
            elsewhere=config.elsewhere,
        )

    async def start(self) -> None:
        """Listen; after a stop, on the same port.

        Raises:
            OSError: the port is taken, or a certificate file cannot be read.
        """
        self._contexts = {name: server_context(tls) for name, tls in self._config.wardrobe.items()}
        self._server = await serve_http(
            self.app,
            actor="psc",
            observe=self._observe,
            tls=self._config.tls,
            host=self._config.host,
            port=self._port,
            announced=self._config.announced,
            greet=self._greet,
        )
        self._port = self._server.port
        public = self._config.public_url or self._server.url
        self._realm.issuer = public + psc.REALM_PATH
        self._back.wallet = (self._config.wallet_url or public) + psc.WALLET_AUTHORIZATION

    async def stop(self, *, grace: float = 5.0) -> None:
        """Close the listener; sessions and codes are kept for the next start, faults are over."""
        self.faults.clear()
        if self._server is not None:
            await self._server.stop(grace=grace)
            self._server = None

    async def hang_up(self) -> None:
        """Close the connections that wait for a request: who asks again shakes hands again."""
        if self._server is not None:
            self._server.hang_up()

    def _greet(self) -> ssl.SSLContext | None:
        struck = self.faults.strike(TLS)
        return None if struck is None else self._contexts[Shown(struck.text("montre"))]

    async def _over(self, session: Session, ended_by: str) -> None:
        """A service ended a session: the others are told."""
        if self._logout is not None:
            await self._logout.tell(session, but={ended_by})

    async def log_out(self, sid: str) -> dict[str, int]:
        """Somebody ends a session elsewhere (another service, an administrator), and every
        service of it is told; client_id -> HTTP status of its answer, 0 of none."""
        session = self._realm.session(sid)
        self._realm.log_out(sid)
        if session is None or self._logout is None:
            return {}
        return await self._logout.tell(session)

    async def forge_logout(self, sid: str, client_id: str, lie: Forged) -> int:
        """Somebody posts a wrong logout token of a session that goes on; the HTTP status of the
        service, 0 of none.

        Raises:
            KeyError: no such service, or it takes none.
        """
        session = self._realm.session(sid)
        client = self._clients[client_id]
        if session is None or self._logout is None or not client.backchannel_logout_uri:
            raise KeyError(client_id)
        return await self._logout.forge(session, client_id, lie)

    @property
    def url(self) -> str:
        """Scheme, host and port of the listener.

        Raises:
            RuntimeError: not started.
        """
        if self._server is None:
            raise RuntimeError("PSC is not started")
        return self._server.url

    @property
    def issuer(self) -> str:
        """The issuer: what discovery, `iss` and the box's configuration say."""
        return self._realm.issuer

    @property
    def lifetimes(self) -> Lifetimes:
        """Seconds of validity; changes concern what is minted from now on."""
        return self._realm.lifetimes

    @property
    def ciba(self) -> Ciba:
        """Its CIBA requests: their lifetime and their interval may be changed."""
        return self._ciba

    def admit(self, professional: Professional) -> None:
        """One more professional can log in."""
        self._realm.professionals[professional.id] = professional

    @property
    def professionals(self) -> tuple[Professional, ...]:
        """Those who can log in."""
        return tuple(self._realm.professionals.values())

    @property
    def clients(self) -> tuple[Client, ...]:
        """The services that it knows."""
        return tuple(self._clients.values())

    @property
    def sessions(self) -> tuple[Session, ...]:
        """Who is logged in now, oldest first. A `sid` is a secret."""
        return self._realm.sessions()

    def professional(self, id: str) -> Professional:
        """The professional of that national identifier.

        Raises:
            KeyError: nobody.
        """
        return self._realm.professionals[id]

    def add(self, professional: Professional) -> None:
        """Let one more professional log in (or replace the one of that identifier)."""
        self._realm.professionals[professional.id] = professional

    def register(self, client: Client) -> None:
        """Register a client, or replace the one of that client_id."""
        self._clients[client.client_id] = client

    def issue(
        self,
        professional: Professional,
        client_id: str,
        *,
        typ: TokenType = "Bearer",
        expired: bool = False,
        forged: bool = False,
        nonce: str = "",
        changes: Mapping[str, object] | None = None,
    ) -> str:
        """A token as the realm mints them, without browser or code, in a session of its own.

        Args:
            expired: issued long enough ago to have expired one minute ago.
            forged: right in everything but the signing key: PSC does not know it.
            changes: claims that are set besides, or instead.
        """
        session = self._realm.log_in(professional)
        life = self._realm.lifetimes.refresh if typ == "Refresh" else self._realm.lifetimes.access
        claims = self._realm.claims(
            session, client_id, nonce=nonce, typ=typ, age=life + 60 if expired else 0
        )
        claims |= changes or {}
        key = None
        if forged:
            key = SigningKey(self._realm.key.kid, rsa.generate_private_key(65537, 2048))
        return self._realm.sign(claims, key=key)

    def revoke(self, jti: str) -> None:
        """Make a token inactive from now on."""
        self._realm.revoke(jti)

    def end_session(self, sid: str) -> None:
        """Log a professional out, and with them every token of that session; nobody is told."""
        self._realm.log_out(sid)

    def is_active(self, token: str) -> bool:
        """Whether introspection would say so now."""
        return self._realm.active(token, "Bearer", "Refresh") is not None


def build(config: PscConfig, observe: Observe) -> Psc:
    """A service that is not listening yet."""
    return Psc(config, observe)
