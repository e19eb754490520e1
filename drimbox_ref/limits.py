"""How often one peer may ask: a bound against floods, answered 429 with Retry-After (RFC 6585 4).

No public text gives a rate. The default is far above what a site asks for, so that a viewer which
fetches an exam image by image never meets it; a site may lower it, or write 0 for no bound.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from time import monotonic

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from drimbox_ref.config import Table
from wire.http_server import peer_chain

__all__ = ["DEFAULT_PER_MINUTE", "Limited", "Limiter", "Limits", "read_limits"]

_log = logging.getLogger(__name__)

DEFAULT_PER_MINUTE = 60_000
_BURST = 6
"""A sixth of a minute's requests may come at once."""
_PEERS = 4096
"""Peers remembered; past that the one that was silent the longest is forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Table `[limits]`."""

    per_minute: int
    """Requests a minute and peer; 0: no bound."""


def read_limits(root: Table) -> Limits:
    """`[limits]`, or its defaults.

    Raises:
        ConfigError: a value that cannot be used.
    """
    if "limits" not in root:
        return Limits(per_minute=DEFAULT_PER_MINUTE)
    table = root.table("limits")
    limits = Limits(per_minute=table.integer("per_minute", DEFAULT_PER_MINUTE, high=10_000_000))
    table.end()
    return limits


class Limiter:
    """Counts by peer, one number each (the generic cell rate algorithm of ATM Forum TM 4.0)."""

    def __init__(
        self, per_minute: int, *, now: Callable[[], float] = monotonic, peers: int = _PEERS
    ) -> None:
        self._each_s = 60 / per_minute if per_minute else 0.0
        self._burst_s = self._each_s * max(1, per_minute // _BURST)
        self._now = now
        self._peers = peers
        self._due: OrderedDict[str, float] = OrderedDict()
        """When a peer's allowance would be whole again, the longest silent first."""

    def __len__(self) -> int:
        """Peers remembered."""
        return len(self._due)

    def wait_s(self, peer: str) -> float:
        """0.0 when the request is admitted, and counted; else the seconds until the next one is."""
        if not self._each_s:
            return 0.0
        now = self._now()
        due = max(self._due.get(peer, now), now) + self._each_s
        wait = due - self._burst_s - now
        # A billionth: sums of the same floats do not fall on the same one.
        if wait > 1e-9:
            return wait
        self._due[peer] = due
        self._due.move_to_end(peer)
        if len(self._due) > self._peers:
            self._due.popitem(last=False)
        return 0.0


class Limited:
    """An ASGI application that one peer cannot flood.

    A peer is its client certificate, or its address without one. Requests that are too many are
    answered before anything looks at them.
    """

    def __init__(
        self, app: ASGIApp, limiter: Limiter, *, paths: Collection[str] | None = None
    ) -> None:
        """`paths`: those that count, by default all of them."""
        self._app = app
        self._limiter = limiter
        self._paths = None if paths is None else frozenset(paths)
        self._told: str = ""
        """Whom the log has spoken of last: a flood must not fill it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        counted = scope["type"] == "http" and (self._paths is None or scope["path"] in self._paths)
        wait = self._limiter.wait_s(peer := _peer(scope)) if counted else 0.0
        if not wait:
            await self._app(scope, receive, send)
            return
        if peer != self._told:
            self._told = peer
            _log.warning("%s demande trop souvent : HTTP 429", peer)
        answer = PlainTextResponse(
            "Trop de demandes : réessayer plus tard.\n",
            429,
            {
                "Retry-After": str(math.ceil(wait)),
                "Cache-Control": "no-store",
                "Content-Security-Policy": "default-src 'none'",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
                "Strict-Transport-Security": "max-age=31536000",
            },
        )
        await answer(scope, receive, send)


def _peer(scope: Scope) -> str:
    chain = peer_chain(scope)
    if chain:
        return f"certificat {hashlib.sha256(chain[0]).hexdigest()[:32]}"
    client = scope.get("client")
    return client[0] if client else ""
