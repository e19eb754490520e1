"""The trust space as the Source sees it: is this client certificate's DN on the white list?"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

from drimbox_ref.source.ports import Alerts, Clock
from drimbox_ref.source.values import TrustVerdict
from drimbox_ref.trail import Alert
from drimbox_ref.white_list import WhiteListKeeper
from protocols.dn import DistinguishedName, DnError, dn, parse_dn
from protocols.pki import ChainError, read_certificate
from protocols.whitelist import WhiteList

__all__ = ["WhiteListTrust"]

_log = logging.getLogger(__name__)


class WhiteListTrust:
    """A `Trust` on the list that the box keeps."""

    def __init__(self, keeper: WhiteListKeeper, *, clock: Clock, alerts: Alerts) -> None:
        self._keeper = keeper
        self._clock = clock
        self._alerts = alerts
        self._told = ""
        self._read: tuple[WhiteList, frozenset[DistinguishedName]] | None = None

    async def refresh(self) -> bool:
        """Fetch and verify the list; the last good one stays when that fails: False."""
        reason = await self._keeper.refresh()
        told, self._told = self._told, reason
        if not reason or reason == told:
            return not reason
        alert = Alert(
            ban="liste-blanche",
            message=f"Liste blanche refusée : {reason}",
            advice="Vérifier l'accès à la liste blanche et son signataire ; sans liste valide, "
            "aucune image n'est servie.",
        )
        await asyncio.to_thread(self._alerts.raise_, alert, now=self._clock.now())
        return False

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Whether the subject of this DER certificate is an operator of the list.

        Names are compared as sets of RDNs, values exactly (no public rule says otherwise).
        """
        if certificate is None:
            return TrustVerdict.UNKNOWN
        white_list = self._keeper.current(now)
        if white_list is None:
            return TrustVerdict.NO_LIST
        try:
            subject = parse_dn(dn(read_certificate(certificate)))
        except (ChainError, DnError):
            return TrustVerdict.UNLISTED
        listed = bool(subject) and subject in self._operators(white_list)
        return TrustVerdict.LISTED if listed else TrustVerdict.UNLISTED

    def _operators(self, white_list: WhiteList) -> frozenset[DistinguishedName]:
        """The readable operator names, read once; one bad entry does not take others down."""
        if self._read is None or self._read[0] is not white_list:
            names = set()
            for domain in white_list.domains:
                try:
                    names.add(parse_dn(domain.operator_dn))
                except DnError as error:
                    _log.warning("liste blanche : DN illisible pour %s : %s", domain.db, error)
            self._read = white_list, frozenset(names)
        return self._read[1]
