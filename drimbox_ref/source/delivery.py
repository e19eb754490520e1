"""From submissions on disk to the DMP, exactly once: an unsure attempt is looked up before any
other."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.desk import DmpDesk
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import Ban, Operation, OutboxItem
from drimbox_ref.trail import Alert, AuditEvent

__all__ = ["Delivery"]

_log = logging.getLogger(__name__)

_ALREADY_THERE = frozenset({"XDSDuplicateUniqueIdInRegistry", "XDSRepositoryDuplicateUniqueId"})


class Delivery:
    """Sends the outbox.

    The order is: note the attempt on disk, send, look up the entryUUID, write the archive, close
    the submission. A box killed between any two of these starts again with the look-up (TD3.1b),
    so that what the DMP already has is never sent a second time.
    """

    def __init__(self, parts: Parts, *, backoff: Backoff, ask_entry_uuid: bool) -> None:
        self._parts = parts
        self._desk = DmpDesk(parts)
        self._backoff = backoff
        self._ask_entry_uuid = ask_entry_uuid

    async def step(self) -> int:
        """Send every submission that is due; how many there were."""
        items = await asyncio.to_thread(self._parts.outbox.due, self._parts.clock.now())
        for item in items:
            await self._send(item)
        return len(items)

    async def _send(self, item: OutboxItem) -> None:
        parts = self._parts
        try:
            entry_uuid = await self._known(item) if item.attempts else None
            if entry_uuid is None:
                await asyncio.to_thread(parts.outbox.attempt, item.id)
                entry_uuid = await self._submit(item)
        except PeerUnavailable as reason:
            due = parts.clock.now() + self._backoff.delay(item.attempts)
            await asyncio.to_thread(
                parts.outbox.postpone, item.id, due=due, detail=f"nouvel essai : {reason}"
            )
            _log.warning("DMP : %s ; nouvel essai à %s", reason, due.isoformat())
        except Rejected as refusal:
            await self._refused(item, refusal)
        except Exception as error:
            # Kept and tried again: whatever went wrong here, the DMP may have it or not.
            _log.exception("étude %s : erreur interne", item.entry.study_uid)
            due = parts.clock.now() + self._backoff.delay(item.attempts + 1)
            detail = f"erreur interne : {type(error).__name__}"
            await asyncio.to_thread(parts.outbox.postpone, item.id, due=due, detail=detail)
        else:
            await self._confirmed(item, entry_uuid)

    async def _known(self, item: OutboxItem) -> str | None:
        """Whether an earlier attempt was committed after all: its entryUUID, or None.

        A deletion leaves no new document to look for; sending it again is harmless.
        """
        if item.submission.operation is Operation.DELETE:
            return None
        return await self._desk.reference(item.entry.kos_uid, item.follow)

    async def _submit(self, item: OutboxItem) -> str:
        """Send; the entryUUID when it is asked for at once, else ""."""
        try:
            await self._desk.submit(item.submission, item.follow)
        except Rejected as refusal:
            if not _ALREADY_THERE & set(refusal.codes):
                raise
            found = await self._desk.reference(item.entry.kos_uid, item.follow)
            if found is None:
                raise
            return found
        if item.submission.operation is Operation.DELETE or not self._ask_entry_uuid:
            return ""
        try:
            return await self._desk.reference(item.entry.kos_uid, item.follow) or ""
        except (PeerUnavailable, Rejected) as reason:
            _log.warning("TD3.1b après alimentation : %s ; sera demandé à l'usage", reason)
            return ""

    async def _confirmed(self, item: OutboxItem, entry_uuid: str) -> None:
        parts = self._parts
        now = parts.clock.now()
        if item.submission.operation is Operation.DELETE:
            await asyncio.to_thread(parts.archive.depublish, item.entry.kos_uid, now=now)
        else:
            entry = replace(item.entry, entry_uuid=entry_uuid, updated=now)
            await asyncio.to_thread(parts.archive.record, entry)
        await asyncio.to_thread(
            parts.audit.record,
            AuditEvent(
                event="ITI-41",
                outcome=0,
                description="",
                subject=item.follow.professional,
                patient=item.follow.ins.value,
                peer="DMP",
                objects={
                    "operation": item.submission.operation.value,
                    "study": item.entry.study_uid,
                    "kos": item.entry.kos_uid,
                    "submissionSet": item.submission.set_uid,
                },
            ),
            now=now,
        )
        await asyncio.to_thread(parts.outbox.close, item.id, state="done", detail=entry_uuid)

    async def _refused(self, item: OutboxItem, refusal: Rejected) -> None:
        parts = self._parts
        now = parts.clock.now()
        codes = ", ".join(refusal.codes) or "sans code"
        message = (
            f"Le DMP refuse {item.submission.operation.value} pour l'examen "
            f"{item.entry.study_uid} ({codes}) : {refusal}"
        )
        await asyncio.to_thread(
            parts.alerts.raise_,
            Alert(
                ban=Ban.DMP.value,
                message=message,
                advice="Lire le motif du DMP, corriger la cause, puis renvoyer le compte-rendu.",
                report=", ".join(item.entry.reports),
                study_uid=item.entry.study_uid,
            ),
            now=now,
        )
        await asyncio.to_thread(
            parts.audit.record,
            AuditEvent(
                event="ITI-41",
                outcome=8,
                description=message,
                subject=item.follow.professional,
                patient=item.follow.ins.value,
                peer="DMP",
                objects={"study": item.entry.study_uid, "kos": item.entry.kos_uid},
            ),
            now=now,
        )
        await asyncio.to_thread(parts.outbox.close, item.id, state="refused", detail=message)
        await asyncio.to_thread(
            parts.inbox.close, item.inbox_id, state="stopped", detail=Ban.DMP.value
        )
