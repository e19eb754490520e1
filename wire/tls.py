"""TLS contexts, alerts that really leave, and every handshake observed, good or bad.

asyncio drops the alert of a failed handshake, as server and as client (cpython#98078): the peer
sees a bare close and learns nothing. `install` mends that, once per process, and makes the same
place the observation point of handshakes that lead to nothing. It concerns asyncio's own TLS
only: uvloop has another, so processes whose alerts matter (bench and box) run asyncio's loop.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from asyncio import sslproto
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from wire.exchange import (
    Direction,
    Exchange,
    Observe,
    Outcome,
    Reach,
    TlsInfo,
    new_connection_id,
    stamp,
)

__all__ = [
    "CIPHERS",
    "GOODBYE_TIMEOUT",
    "HANDSHAKE_TIMEOUT",
    "ClientTls",
    "ServerTls",
    "client_context",
    "failure_reason",
    "install",
    "log_keys",
    "peer_name",
    "greet_handshakes",
    "server_context",
    "tls_info",
    "transport_tls",
    "watch_handshakes",
]

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
"""TLS 1.2 suites: forward secrecy and AEAD only, as ANSSI's "Recommandations de sécurité relatives
à TLS" v1.2 ask (R6 to R10). TLS 1.3 suites are OpenSSL's own, all acceptable."""

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a peer has to finish its handshake."""

GOODBYE_TIMEOUT = 2.0
"""Seconds that a TLS peer has to say goodbye; asyncio's own 30 would hold up every stop."""


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a TLS server shows and whom it trusts. PEM files; `certificate` holds leaf and chain.

    `require`: `none` does not ask for a client certificate, `optional` asks and verifies one that
    is shown, `required` refuses the handshake without one. The last two need `client_ca`.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    require: Literal["none", "optional", "required"] = "none"
    tune: Callable[[ssl.SSLContext], None] | None = None
    """Has the last word on the context: how a wrong box accepts what this one refuses."""

    def __post_init__(self) -> None:
        if self.require != "none" and self.client_ca is None:
            raise ValueError("a server that asks for client certificates needs client_ca")


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Whom a TLS client trusts, and what it shows. PEM files; `certificate` = leaf and chain."""

    trust: Path
    certificate: Path | None = None
    key: Path | None = None
    feeble: bool = False
    """Also shows what OpenSSL would not load by itself: short keys, SHA-1. For attackers."""

    def reach(self, address: str) -> Reach:
        """How a client with these files reaches an `address:port`."""
        return Reach(
            address=address,
            trust=str(self.trust),
            certificate=str(self.certificate or ""),
            key=str(self.key or ""),
        )


def server_context(tls: ServerTls) -> ssl.SSLContext:
    """A server context: TLS 1.2 or 1.3, own order of suites, no session resumption.

    Raises:
        OSError: a file cannot be read (`ssl.SSLError` when it is not what it should be).
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    # A resumed session skips the client certificate: each connection proves itself anew.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(tls.certificate, tls.key)
    if tls.require != "none":
        assert tls.client_ca is not None
        context.load_verify_locations(tls.client_ca)
        required = tls.require == "required"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    context.sni_callback = _remember_server_name
    if tls.tune is not None:
        tls.tune(context)
    return context


def client_context(tls: ClientTls) -> ssl.SSLContext:
    """A client context that trusts `tls.trust` alone and checks the host name.

    Raises:
        OSError: a file cannot be read (`ssl.SSLError` when it is not what it should be).
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tls.trust)
    if tls.feeble:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context


def log_keys(file: Path | None) -> None:
    """Write the secrets of sessions to a file, as SSLKEYLOGFILE does; None: no longer.

    It concerns the contexts made from then on. Wireshark then opens a capture of this process's
    traffic; so does whoever holds the file, which nobody else may read.

    Raises:
        OSError: the file cannot be written.
    """
    global _key_log
    if file is not None:
        file.touch(mode=0o600)
    _key_log = None if file is None else str(file)


def tls_info(
    ssl_object: ssl.SSLObject, *, reason: str | None = None, server_name: str | None = None
) -> TlsInfo:
    """What a session, finished or not, can tell: the peer's chain is leaf first.

    The chain is the verified one when there is one, else as much as the peer showed.
    """
    cipher = ssl_object.cipher()
    return TlsInfo(
        version=ssl_object.version() if cipher else None,
        cipher=cipher[0] if cipher else None,
        peer_chain=_peer_chain(ssl_object),
        server_name=server_name
        or ssl_object.server_hostname
        or _server_names.get(ssl_object)
        or None,
        reason=reason,
    )


def transport_tls(transport: asyncio.BaseTransport) -> TlsInfo | None:
    """The TLS session of an asyncio transport, or None on a clear one."""
    ssl_object = transport.get_extra_info("ssl_object")
    return None if ssl_object is None else tls_info(ssl_object)


def peer_name(transport: asyncio.BaseTransport) -> str:
    """Who is opposite: the CN of its certificate, else `address:port`."""
    certificate = transport.get_extra_info("peercert") or {}
    for rdn in certificate.get("subject", ()):
        for name, value in rdn:
            if name == "commonName":
                return str(value)
    return _address(transport)


def failure_reason(error: BaseException | type[BaseException] | None) -> str:
    """OpenSSL's reason for a refusal, or `closed` when the peer went away without one.

    Walks the causes of `error`, because HTTP libraries wrap what OpenSSL said.
    """
    while isinstance(error, BaseException):
        if isinstance(error, ssl.SSLError) and error.reason:
            return error.reason
        error = error.__cause__ or error.__context__
    return "closed"


def greet_handshakes(
    context: ssl.SSLContext, greet: Callable[[], ssl.SSLContext | int | None]
) -> None:
    """Ask `greet` at each ClientHello of that context's servers: the alert to end it by, another
    context (certificate, trust) to go on with, or None to go on."""

    def greeted(
        ssl_object: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        _remember_server_name(ssl_object, name, context)
        answer = greet()
        if isinstance(answer, ssl.SSLContext):
            ssl_object.context = answer
            return None
        return answer

    context.sni_callback = greeted


def watch_handshakes(context: ssl.SSLContext, *, actor: str, observe: Observe) -> None:
    """Hand every handshake that fails on a server of that context to `observe`.

    Such a connection never reaches an application: the Exchange has protocol and transaction
    `TLS`, outcome REFUSED, and OpenSSL's reason.
    """
    install()

    def failed(transport: asyncio.BaseTransport, info: TlsInfo, message: str) -> None:
        utc, mono = stamp()
        observe(
            Exchange(
                protocol="TLS",
                transaction="TLS",
                actor=actor,
                peer=_address(transport),
                direction=Direction.IN,
                outcome=Outcome.REFUSED,
                connection=new_connection_id(),
                utc=utc,
                mono_start=mono,
                mono_end=mono,
                reason=message,
                tls=info,
            )
        )

    if not isinstance(context, _Context):
        raise TypeError("not a context of this module: whoever made it watches it")
    context.failed = failed


def install() -> None:
    """Make asyncio send the alert of a failed handshake and report the failure. Idempotent.

    `tests/wire/test_tls.py` fails on the day when Python ships its own fix: then the first line
    of `report_and_alert` goes, the report stays.
    """
    protocol: Any = sslproto.SSLProtocol
    stock = protocol._on_handshake_complete
    if getattr(stock, "sends_alert", False):
        return

    @functools.wraps(stock)
    def report_and_alert(self: Any, error: BaseException | type[BaseException] | None) -> None:
        if error is not None:
            self._process_outgoing()
            _report(self, error)
        stock(self, error)

    stock_lost = protocol.connection_lost

    @functools.wraps(stock_lost)
    def connection_lost(self: Any, error: BaseException | None) -> None:
        # A reset or a time-out during the handshake comes this way only.
        if self._state is sslproto.SSLProtocolState.DO_HANDSHAKE:
            _report(self, error)
        stock_lost(self, error)

    report_and_alert.sends_alert = True  # type: ignore[attr-defined]
    protocol._on_handshake_complete = report_and_alert
    protocol.connection_lost = connection_lost


_key_log: str | None = None

_Failed = Callable[[asyncio.BaseTransport, TlsInfo, str], None]


class _Context(ssl.SSLContext):
    """A context that knows who hears of its failed handshakes. In a table they would live for ever:
    who hears holds the server, which holds the context."""

    failed: _Failed | None = None


_server_names: WeakKeyDictionary[ssl.SSLObject, str] = WeakKeyDictionary()


def _context(role: int) -> _Context:
    install()
    context = _Context(role)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION
    if _key_log is not None:
        context.keylog_filename = _key_log
    return context


def _remember_server_name(
    ssl_object: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext
) -> None:
    if name and isinstance(ssl_object, ssl.SSLObject):
        _server_names[ssl_object] = name


def _report(protocol: Any, error: BaseException | type[BaseException] | None) -> None:
    failed = getattr(protocol._sslcontext, "failed", None)
    if failed is None or protocol._transport is None:
        return
    reason = failure_reason(error)
    message = reason
    if isinstance(error, ssl.SSLCertVerificationError):
        message = error.verify_message
    elif isinstance(error, TimeoutError | ConnectionAbortedError):
        reason = message = "timeout"
    failed(protocol._transport, tls_info(protocol._sslobj, reason=reason), message)


def _peer_chain(ssl_object: ssl.SSLObject) -> tuple[bytes, ...]:
    # Public since Python 3.13, where it gives DER; before, on the C object, certificates.
    inner: Any = getattr(ssl_object, "_sslobj", None)
    for name in ("get_verified_chain", "get_unverified_chain"):
        if hasattr(ssl_object, name):
            chain = getattr(ssl_object, name)()
        elif hasattr(inner, name):
            chain = getattr(inner, name)()
        else:
            continue
        # A server that was shown no certificate gets [None] from Python 3.11.
        if chain and None not in chain:
            return tuple(one if isinstance(one, bytes) else _der(one) for one in chain)
    try:
        leaf = ssl_object.getpeercert(binary_form=True)
    except ValueError:  # the handshake is not done
        leaf = None
    return (leaf,) if leaf else ()


def _der(certificate: Any) -> bytes:
    encoded = certificate.public_bytes()
    if isinstance(encoded, bytes):
        return encoded
    return ssl.PEM_cert_to_DER_cert(encoded)


def _address(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "?"
