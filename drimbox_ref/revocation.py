"""Whether a certificate still stands: its path, its dates, and the CRL that it names itself.

The list is had in clear HTTP, because its authority signs it (control point C17, grade: faq), and
serves until its nextUpdate. Past that, or without any, nobody can say that a certificate was not
revoked: the answer is UNKNOWN, and who asks stays closed (SSI/IE.43, grade: draft).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from protocols.errors import LocalProtocolError
from protocols.pki import ChainError, ChainFault, crl_signed_by, verify_chain
from wire.http_client import HttpClient, HttpFailure

__all__ = ["Revocations", "Standing", "Verdict"]

_log = logging.getLogger(__name__)

REFRESH = timedelta(hours=1)
"""How long a list is believed before it is asked for again; it serves longer if that fails."""
RETRY = timedelta(seconds=5)
"""How long a failed fetch is not tried again: an authority that is down must not slow us down."""
FETCH = timedelta(seconds=30)
"""How long a fetch may take in all: everybody who asks about this authority waits for it."""
MAX_SIZE = 16 * 1024 * 1024
"""Those of IGC-Santé have some megabytes."""
MAX_LISTS = 64
"""Addresses come from certificates that a pinned authority signed, yet memory has bounds."""


class Standing(StrEnum):
    """What becomes of who shows a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    """Nobody can say now: no list, or one past its nextUpdate."""
    BROKEN = "broken"
    """No path to a pinned authority at this instant: it expired since its connection was made."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A standing, and why, in French; "" when it is GOOD."""

    standing: Standing
    reason: str = ""


@dataclass(slots=True)
class _Listed:
    """What is held of one address."""

    crl: x509.CertificateRevocationList | None = None
    asked: datetime | None = None
    """When it was last asked for, well or badly."""
    failure: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Revocations:
    """The revocation lists that certificates name, fetched when needed, kept on disk too.

    Args:
        authorities: roots and intermediates that may issue; the only ones that may sign a list.
        now: the current instant, aware.
        folder: where lists are kept: an authority may be down when the box starts.
        fetch_s: seconds that a fetch may take in all.
    """

    def __init__(
        self,
        authorities: Sequence[x509.Certificate],
        *,
        client: HttpClient,
        now: Callable[[], datetime],
        folder: Path,
        fetch_s: float = FETCH.total_seconds(),
    ) -> None:
        self._fetch_s = fetch_s
        self._roots = tuple(one for one in authorities if one.subject == one.issuer)
        self._intermediates = tuple(one for one in authorities if one.subject != one.issuer)
        self._client = client
        self._now = now
        self._folder = folder
        self._held: dict[str, _Listed] = {}

    async def judge(
        self, leaf: x509.Certificate, between: Sequence[x509.Certificate] = ()
    ) -> Verdict:
        """Where this certificate stands now. `between`: intermediates that came with it."""
        issuers = (*between, *self._intermediates)
        try:
            # Before any address that it names is believed.
            verify_chain(leaf, issuers, self._roots, self._now())
        except ChainError as error:
            return Verdict(Standing.BROKEN, str(error))
        failures, crls = [], []
        for url in _addresses(leaf):
            listed = await self._list(url, (*issuers, *self._roots))
            if listed.crl is not None:
                crls.append(listed.crl)
            if listed.failure:
                failures.append(f"{url} : {listed.failure}")
        try:
            verify_chain(leaf, issuers, self._roots, self._now(), crls)
        except ChainError as error:
            if error.kind is ChainFault.REVOKED:
                return Verdict(Standing.REVOKED, str(error))
            if error.kind not in (ChainFault.CRL_MISSING, ChainFault.CRL_STALE):
                return Verdict(Standing.BROKEN, str(error))
            reasons = "; ".join([str(error), *failures])
            return Verdict(Standing.UNKNOWN, reasons)
        return Verdict(Standing.GOOD)

    async def _list(self, url: str, issuers: Sequence[x509.Certificate]) -> _Listed:
        if url not in self._held and len(self._held) >= MAX_LISTS:
            self._held.pop(next(iter(self._held)))
        listed = self._held.setdefault(url, _Listed())
        async with listed.turn:
            if self._due(listed):
                await self._renew(url, listed, issuers)
        return listed

    def _due(self, listed: _Listed) -> bool:
        if listed.asked is None:
            return True
        now, crl = self._now(), listed.crl
        ended = crl is None or (crl.next_update_utc is not None and crl.next_update_utc <= now)
        return now - listed.asked >= (RETRY if listed.failure or ended else REFRESH)

    async def _renew(self, url: str, listed: _Listed, issuers: Sequence[x509.Certificate]) -> None:
        file = self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.crl"
        if listed.crl is None:
            listed.crl = await asyncio.to_thread(_kept, file)
        try:
            data = await self._fetch(url)
            fresh = x509.load_der_x509_crl(data)
            if not any(crl_signed_by(fresh, one) for one in issuers):
                # In clear HTTP anybody may answer: a forgery must not take a good list's place.
                raise ValueError("liste qu'aucune autorité connue n'a signée")
        except (HttpFailure, LocalProtocolError, ValueError, TimeoutError) as error:
            listed.failure = str(error) or f"liste pas entière après {self._fetch_s:g} s"
            _log.warning("CRL %s : %s", url, listed.failure)
        else:
            listed.failure = ""
            if listed.crl is None or fresh.last_update_utc >= listed.crl.last_update_utc:
                # An older one, replayed, would forget a revocation.
                listed.crl = fresh
                await asyncio.to_thread(_keep, file, data)
        listed.asked = self._now()

    async def _fetch(self, url: str) -> bytes:
        body = bytearray()
        async with (
            asyncio.timeout(self._fetch_s),
            self._client.stream("GET", url, transaction="CRL", peer="igc") as answer,
        ):
            if answer.status != 200:
                raise ValueError(f"HTTP {answer.status}")
            async for chunk in answer.aiter():
                body += chunk
                if len(body) > MAX_SIZE:
                    raise ValueError("liste démesurée")
        return bytes(body)


def _addresses(certificate: x509.Certificate) -> list[str]:
    """The http addresses of its full CRL; LDAP ones are for others."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [
        name.value
        for point in points
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
        and urlsplit(name.value).scheme == "http"
    ]


def _kept(file: Path) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_der_x509_crl(file.read_bytes())
    except (OSError, ValueError):
        return None


def _keep(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".tmp")
    scratch.write_bytes(data)
    scratch.replace(file)
