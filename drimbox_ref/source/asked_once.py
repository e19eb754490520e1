"""One question to Pro Santé Connect for one token at a time, and its answer for a stated while.

A viewer asks for every series of an exam at once, with one token. Who asks while PSC is being asked
gets the same answer. Beyond that an acceptance is kept for as long as the configuration says, by
default not at all, and never beyond `exp` (RFC 7662 section 4, grade: standard): until then a token
that was revoked still opens. A refusal is never kept. Tokens are known by the SHA-256 of the whole:
not by their `jti` nor by their beginning, which two of them may share.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

from drimbox_ref.source.ports import Tokens
from drimbox_ref.source.values import Accepted, TokenVerdict

__all__ = ["AskedOnce"]

_KEPT = 4096
"""Acceptances that are remembered at most; the oldest goes first."""


class AskedOnce:
    """`Tokens` that ask others. `keep_s`: seconds that an acceptance holds; 0: none does."""

    def __init__(self, inner: Tokens, *, keep_s: float = 0) -> None:
        self.inner = inner
        self._keep = timedelta(seconds=keep_s)
        self._asking: dict[bytes, asyncio.Task[TokenVerdict]] = {}
        self._accepted: OrderedDict[bytes, tuple[datetime, Accepted]] = OrderedDict()

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """What was answered lately, is being answered, or will be."""
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        until, accepted = self._accepted.get(key, (now, None))
        if accepted is not None and now < until:
            return accepted
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.create_task(self._ask(key, token, now))
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        # Whoever leaves leaves alone.
        return await asyncio.shield(asking)

    async def _ask(self, key: bytes, token: str, now: datetime) -> TokenVerdict:
        verdict = await self.inner.check(token, now=now)
        self._accepted.pop(key, None)
        if isinstance(verdict, Accepted) and self._keep and verdict.expires is not None:
            self._accepted[key] = (min(now + self._keep, verdict.expires), verdict)
            while len(self._accepted) > _KEPT:
                self._accepted.popitem(last=False)
        return verdict
