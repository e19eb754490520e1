"""The trust space as the Consumer sees it: which hosts may receive a token."""

from __future__ import annotations

import asyncio
from datetime import datetime

from drimbox_ref.consumer.ports import Alerts, Clock, Trust
from drimbox_ref.consumer.values import ExportFailed, Failure, TrustVerdict
from drimbox_ref.trail import Alert
from drimbox_ref.white_list import WhiteListKeeper

__all__ = ["HostTrust", "require_listed"]


class HostTrust:
    """Looks hosts up among the `db` accesses of the white list."""

    def __init__(self, keeper: WhiteListKeeper, *, alerts: Alerts, clock: Clock) -> None:
        self._keeper = keeper
        self._alerts = alerts
        self._clock = clock
        self._told = ""

    async def refresh(self) -> bool:
        """Fetch and verify the list; the last good one stays when that fails: False."""
        refused = await self._keeper.refresh()
        told, self._told = self._told, refused
        if refused and refused != told:
            alert = Alert(
                ban="liste-blanche",
                message=f"Liste blanche refusée : {refused}",
                advice="Vérifier l'accès à la liste blanche et son signataire ; sans liste valide, "
                "aucune image n'est demandée.",
            )
            await asyncio.to_thread(self._alerts.raise_, alert, now=self._clock.now())
        return not refused

    def judge(self, host: str, *, now: datetime) -> TrustVerdict:
        """Whether a listed operator declares this host, letters' case aside (RFC 4343)."""
        white_list = self._keeper.current(now)
        if white_list is None:
            return TrustVerdict.NO_LIST
        wanted = host.rstrip(".").lower()
        listed = wanted and any(
            wanted == domain.db.rstrip(".").lower() for domain in white_list.domains
        )
        return TrustVerdict.LISTED if listed else TrustVerdict.UNLISTED


async def require_listed(trust: Trust, host: str, *, clock: Clock) -> None:
    """A token may go to that host; the list is asked for again before it is said not to.

    Raises:
        ExportFailed: the host is not on the white list, or there is no list.
    """
    verdict = trust.judge(host, now=clock.now())
    if verdict is not TrustVerdict.LISTED:
        await trust.refresh()
        verdict = trust.judge(host, now=clock.now())
    if verdict is TrustVerdict.NO_LIST:
        raise ExportFailed(
            Failure.UNTRUSTED,
            "La liste blanche DRIM-M n'est pas disponible : aucune image n'est demandée.",
        )
    if verdict is not TrustVerdict.LISTED:
        raise ExportFailed(
            Failure.UNTRUSTED,
            f"La DRIMbox Source {host} n'est pas dans la liste blanche DRIM-M : aucune image "
            "ne lui est demandée.",
        )
