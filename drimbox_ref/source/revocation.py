"""Does the certificate of whoever asks for images still stand? Asked at each request.

A connection outlives what opened it: its certificate may expire or be revoked meanwhile. SSI/IE.43
wants non-revocation checked (grade: draft), and says neither how nor what to do when nobody knows.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from drimbox_ref.config import ConfigError
from drimbox_ref.credentials import load_chain
from drimbox_ref.revocation import Revocations, Standing, Verdict
from drimbox_ref.source.ports import Alerts, Clock
from drimbox_ref.trail import Alert
from protocols.pki import ChainError, read_certificate
from wire.http_client import HttpClient

__all__ = ["CrlRevocation", "UncheckedRevocation"]


class UncheckedRevocation:
    """A `Revocation` that asks nobody: option `revocation = "off"`."""

    async def judge(self, certificate: bytes) -> Standing:
        """GOOD, as TLS found it when the connection was opened."""
        return Standing.GOOD


class CrlRevocation:
    """A `Revocation` by the CRL that the certificate names; closed while there is none."""

    def __init__(
        self,
        client_ca: Path,
        *,
        client: HttpClient,
        clock: Clock,
        alerts: Alerts,
        folder: Path,
        file: Path,
    ) -> None:
        """Load the authorities of clients.

        Raises:
            ConfigError: `client_ca` is no PEM bundle; `file` is the configuration that names it.
        """
        try:
            authorities = load_chain(client_ca)
        except (ValueError, OSError) as error:
            raise ConfigError(file, "wado.client_ca", "des certificats PEM", str(error)) from None
        self._revocations = Revocations(authorities, client=client, now=clock.now, folder=folder)
        self._clock = clock
        self._alerts = alerts
        self._told = ""

    async def judge(self, certificate: bytes) -> Standing:
        """Where this DER certificate stands; the administrator is told once when nobody knows."""
        try:
            verdict = await self._revocations.judge(read_certificate(certificate))
        except ChainError:
            return Standing.BROKEN
        await self._tell(verdict)
        return verdict.standing

    async def _tell(self, verdict: Verdict) -> None:
        if verdict.standing is Standing.GOOD:
            self._told = ""
        if verdict.standing is not Standing.UNKNOWN or self._told == verdict.reason:
            return
        self._told = verdict.reason
        alert = Alert(
            ban="crl",
            message=f"Révocation invérifiable : {verdict.reason}",
            advice="Vérifier l'accès en HTTP aux listes de révocation de l'IGC-Santé ; sans liste "
            "en vigueur, aucune image n'est servie.",
        )
        await asyncio.to_thread(self._alerts.raise_, alert, now=self._clock.now())
