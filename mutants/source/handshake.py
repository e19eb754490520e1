"""Sources whose TLS listener accepts what nobody should speak any more."""

from __future__ import annotations

import re
import ssl
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Door
from mutants.registry import mutant
from wire.tls import CIPHERS, ServerTls

__all__: list[str] = []

_ALLOW_CLIENT_RENEGOTIATION = 1 << 8
"""SSL_OP_ALLOW_CLIENT_RENEGOTIATION of OpenSSL 3, which Python's `ssl` has no name for."""

_CODING = re.compile(rb"Transfer-Encoding ?: [^\r]*\r\n")


class Tuned:
    """A `Door` whose TLS context somebody has touched."""

    def __init__(self, inner: Door, tune: Callable[[ssl.SSLContext], None]) -> None:
        self._inner = inner
        self._tune = tune

    def tls(self) -> ServerTls:
        """As it should, and then touched."""
        return replace(self._inner.tls(), tune=self._tune)


def _old(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    # The signatures of TLS 1.0 and 1.1 are SHA-1, below OpenSSL's level of today.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")


@mutant(
    "anciens-protocoles",
    breaks="Le serveur d'images parle encore TLS 1.0 et TLS 1.1.",
    requirements=("KIT-SEC-TLS-22",),
    consequences=("KIT-SEC-TLS-15", "KIT-SEC-TLS-23"),
)
def old_protocols(parts: Parts) -> Parts:
    """For a client that was never replaced; its level takes weak certificates too."""
    return replace(parts, door=Tuned(parts.door, _old))


def _null(context: ssl.SSLContext) -> None:
    context.set_ciphers(f"{CIPHERS}:eNULL:@SECLEVEL=0")


@mutant(
    "suites-sans-chiffrement",
    breaks="Le serveur d'images accepte une suite qui ne chiffre pas.",
    requirements=("KIT-SEC-TLS-23",),
    consequences=("KIT-SEC-TLS-15",),
)
def null_suites(parts: Parts) -> Parts:
    """Once useful to read what passes."""
    return replace(parts, door=Tuned(parts.door, _null))


def _again(context: ssl.SSLContext) -> None:
    context.options |= _ALLOW_CLIENT_RENEGOTIATION


@mutant(
    "renegociation-permise",
    breaks="Le serveur d'images recommence la poignée de main autant que son client le veut.",
    requirements=("KIT-SEC-TLS-24",),
)
def begins_again(parts: Parts) -> Parts:
    """As servers did before 2009: a dear computation for a cheap demand."""
    return replace(parts, door=Tuned(parts.door, _again))


class Hesitant:
    """Answers every other handshake under a name that is not the first one asked for."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._times: Counter[str | None] = Counter()

    def __call__(self, context: ssl.SSLContext) -> None:
        """Take the callback over."""
        context.sni_callback = self._asked

    def _asked(
        self, session: ssl.SSLObject | ssl.SSLSocket, name: str | None, context: ssl.SSLContext
    ) -> int | None:
        self._first = self._first or name
        if name == self._first:
            return None
        self._times[name] += 1
        odd = self._times[name] % 2
        return None if odd else int(ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)


@mutant(
    "nom-inconnu-une-fois-sur-deux",
    breaks="Sous un autre nom que le sien, le serveur d'images répond une fois sur deux.",
    requirements=("KIT-SEC-TLS-30",),
)
def every_other_name(parts: Parts) -> Parts:
    """Two servers behind one address, of two settings."""
    return replace(parts, door=Tuned(parts.door, Hesitant()))


class Welcoming(ssl.SSLObject):
    """A session that, when what comes is HTTP in clear, answers it in clear."""

    page = b""
    _outgoing: ssl.MemoryBIO

    @classmethod
    def _create(cls, incoming: Any, outgoing: Any, *more: Any, **named: Any) -> Welcoming:
        made: Welcoming = super()._create(incoming, outgoing, *more, **named)  # type: ignore[misc]
        made._outgoing = outgoing
        return made

    def do_handshake(self) -> None:
        """As it should, with whoever begins one."""
        try:
            super().do_handshake()
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._outgoing.write(self.page)
            raise


@mutant(
    "repond-en-clair",
    breaks="À qui parle HTTP sans TLS au port des images, la Source répond en clair (200).",
    requirements=("KIT-SEC-TLS-26",),
)
def answers_in_clear(parts: Parts) -> Parts:
    """A page that helps; whoever listens reads it too, and the token that asked for it."""
    kind, body = parts.showcase.describe(as_json=False)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"

    def tune(context: ssl.SSLContext) -> None:
        context.sslobject_class = type("Welcome", (Welcoming,), {"page": head.encode() + body})

    return replace(parts, door=Tuned(parts.door, tune))


class Old(ssl.SSLObject):
    """A session behind which nobody has heard of Transfer-Encoding (HTTP/1.0)."""

    def read(self, *arguments: Any) -> Any:
        """What came, without that header."""
        data = super().read(*arguments)
        return _CODING.sub(b"", data) if isinstance(data, bytes) else data


def _unaware(context: ssl.SSLContext) -> None:
    context.sslobject_class = Old


@mutant(
    "codage-de-transfert-ignore",
    breaks="Transfer-Encoding n'est pas lu : ce qui suit Content-Length est une autre demande.",
    requirements=("KIT-SEC-TLS-29",),
)
def coding_ignored(parts: Parts) -> Parts:
    """A front end that forwards both headers hides a request from itself."""
    return replace(parts, door=Tuned(parts.door, _unaware))
