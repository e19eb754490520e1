"""The DRIM-M white list as a DRIMbox keeps it: fetched, verified, the last good one in force.

What it is asked differs by side: a Source looks a certificate's DN up, a Consumer a host.

A list comes into force when its signature holds in one of the two published formats, its signer is
an ORG SIGN of IGC-Santé with the expected CN and OU, in force and not revoked, and it is not older
than the list in force. Whatever fails, the last good list stays, and an alert says why, until it
has been held for `max_age_s` without any other being had: then there is none.

Réf.: white list readme of DRIM-M_DATA (chain, signer's CN and OU, daily retrieval), grade:
sample; ANS FAQ on the white list, grade: faq.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from drimbox_ref.config import ConfigError, WhiteListSource
from drimbox_ref.credentials import load_chain
from drimbox_ref.revocation import Revocations, Standing
from protocols import whitelist
from protocols.dn import dn
from protocols.errors import RemoteProtocolError
from protocols.pki import attribute, extended_key_usage, key_usage, verify_chain
from protocols.whitelist import VerifiedWhiteList, WhiteList
from spec.certificates import EMAIL_PROTECTION
from wire.http_client import HttpClient, HttpFailure

__all__ = ["WhiteListKeeper", "keep_fresh"]

_log = logging.getLogger(__name__)

_SKEW = timedelta(minutes=5)
"""How far in the future the list's own date may be: clocks differ."""
_FILE = "liste-blanche.xml"


async def keep_fresh(
    refresh: Callable[[], Awaitable[bool]], source: WhiteListSource, *, good: bool
) -> None:
    """Fetch the list each `refresh_s`, and each `retry_s` while that fails, until cancelled.

    `good` says whether the last fetch went well.
    """
    while True:
        await asyncio.sleep(source.refresh_s if good else source.retry_s)
        try:
            good = await refresh()
        except Exception:
            _log.exception("liste blanche : erreur imprévue")
            good = False


class _ListError(Exception):
    """A list that cannot be trusted; French text for the administrator."""


@dataclass(frozen=True, slots=True)
class _InForce:
    white_list: WhiteList
    fetched: datetime


class WhiteListKeeper:
    """Keeps the last good list, on disk too: ANS may be down when the box starts.

    Args:
        now: the current instant, aware.
        state: directory where the last good list is kept.
        file: the configuration file, for error messages.
    """

    def __init__(
        self,
        source: WhiteListSource,
        *,
        client: HttpClient,
        now: Callable[[], datetime],
        state: Path,
        file: Path,
    ) -> None:
        """Load the trusted authorities and the last good list.

        Raises:
            ConfigError: `igc_trust` holds no root.
        """
        self._source = source
        self._client = client
        self._now = now
        self._kept = state / _FILE
        try:
            bundle = load_chain(source.igc_trust)
        except (ValueError, OSError) as error:
            raise ConfigError(
                file, "whitelist.igc_trust", "des certificats PEM", str(error)
            ) from None
        self._roots = tuple(one for one in bundle if one.subject == one.issuer)
        self._intermediates = tuple(one for one in bundle if one.subject != one.issuer)
        if not self._roots:
            raise ConfigError(file, "whitelist.igc_trust", "une autorité racine", "aucune")
        self._revocations = Revocations(bundle, client=client, now=now, folder=state / "crl")
        self._in_force: _InForce | None = None
        self._restore()

    async def refresh(self) -> str:
        """Fetch and verify the list; the last good one stays when that fails.

        Returns:
            Why the fetched list was refused, in French, "" when it is now in force.
        """
        try:
            data = await self._fetch()
            now = self._now()
            verified = await asyncio.to_thread(self._verified, data, now)
            await self._require_standing(verified)
            self._put_in_force(verified.white_list, now)
            await asyncio.to_thread(self._keep, data)
        except _ListError as reason:
            _log.warning("liste blanche : %s", reason)
            kept = " La dernière liste valide reste en vigueur." if self._in_force else ""
            return f"{reason}{kept}"
        return ""

    def current(self, now: datetime) -> WhiteList | None:
        """The list in force; None when there is none, or none young enough."""
        current = self._in_force
        if current is None:
            return None
        if now - current.fetched > timedelta(seconds=self._source.max_age_s):
            return None
        return current.white_list

    async def _fetch(self) -> bytes:
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._source.fetch_s),
                self._client.stream(
                    "GET", self._source.url, transaction="liste-blanche", peer="ans"
                ) as answer,
            ):
                if answer.status != 200:
                    raise _ListError(f"HTTP {answer.status}.")
                async for chunk in answer.aiter():
                    body += chunk
                    if len(body) > whitelist.MAX_SIZE:
                        raise _ListError("fichier démesuré.")
        except HttpFailure as error:
            raise _ListError(f"injoignable ({error}).") from error
        except TimeoutError as error:
            raise _ListError(f"pas entière après {self._source.fetch_s:g} s.") from error
        return bytes(body)

    async def _require_standing(self, verified: VerifiedWhiteList) -> None:
        if self._source.revocation == "off":
            return
        signer, *between = verified.certificates
        verdict = await self._revocations.judge(signer, between)
        if verdict.standing is not Standing.GOOD:
            raise _ListError(f"signataire : {verdict.reason}.")

    def _put_in_force(self, white_list: WhiteList, now: datetime) -> None:
        former = self._in_force.white_list if self._in_force else white_list
        if former.generated == white_list.generated and former != white_list:
            # Nothing forbids it; whoever publishes twice within a second, or lies, is told of.
            _log.warning("liste blanche : autre contenu sous la date de la précédente")
        self._in_force = _InForce(white_list, now)

    def _verified(self, data: bytes, now: datetime) -> VerifiedWhiteList:
        try:
            verified = whitelist.verify(data)
            signer = verified.certificate
            verify_chain(
                signer, (*verified.certificates[1:], *self._intermediates), self._roots, now
            )
            names = attribute(signer, "CN"), attribute(signer, "OU")
            usages, purposes = key_usage(signer), extended_key_usage(signer)
        except RemoteProtocolError as error:
            raise _ListError(f"{error}.") from error
        if names != ((self._source.signer_cn,), (self._source.signer_ou,)):
            raise _ListError(f"signataire inattendu {dn(signer)}.")
        if "nonRepudiation" not in usages or EMAIL_PROTECTION not in purposes:
            # ORG SIGN: its policy is that of every test leaf, usages alone tell it from the others.
            raise _ListError("le certificat du signataire n'est pas un certificat de signature.")
        generated = verified.white_list.generated
        if generated > now + _SKEW:
            raise _ListError("datée dans le futur.")
        if self._in_force and generated < self._in_force.white_list.generated:
            raise _ListError("plus ancienne que la liste en vigueur.")
        return verified

    def _keep(self, data: bytes) -> None:
        scratch = self._kept.with_suffix(".tmp")
        scratch.write_bytes(data)
        scratch.replace(self._kept)

    def _restore(self) -> None:
        """Take up the list of the last run, verified again, at its own age."""
        now = self._now()
        try:
            data = self._kept.read_bytes()
            fetched = datetime.fromtimestamp(self._kept.stat().st_mtime, tz=now.tzinfo)
            self._in_force = _InForce(self._verified(data, now).white_list, fetched)
        except FileNotFoundError:
            return
        except (OSError, _ListError) as error:
            _log.warning("liste blanche conservée inutilisable : %s", error)
