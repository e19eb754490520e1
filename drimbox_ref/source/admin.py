"""What the administrator may read of a Source: alerts, audit, archive, queues.

No report body, no token, no key.
"""

from __future__ import annotations

from collections.abc import Sequence

from drimbox_ref.admin import Read, ReadQueue
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import ArchiveEntry, EntryChange, InboxItem, OutboxItem

__all__ = ["admin_queues", "admin_views"]


def admin_views(parts: Parts) -> dict[str, Read]:
    """`/admin/{alerts,audit,archive}`."""
    return {
        "alerts": parts.alerts.everything,
        "audit": parts.audit.everything,
        "archive": lambda limit: [
            _archive(one, parts.archive.history(one.study_uid))
            for one in parts.archive.everything(limit)
        ],
    }


def admin_queues(parts: Parts) -> dict[str, ReadQueue]:
    """`/admin/{inbox,outbox}`."""
    return {
        "inbox": lambda limit, state: [_inbox(it) for it in parts.inbox.everything(limit, state)],
        "outbox": lambda limit, state: [
            _outbox(it) for it in parts.outbox.everything(limit, state)
        ],
    }


def _archive(entry: ArchiveEntry, history: Sequence[EntryChange]) -> dict[str, object]:
    return {
        "study_uid": entry.study_uid,
        "kos_uid": entry.kos_uid,
        "entry_uuid": entry.entry_uuid,
        "submission_set_uid": entry.set_uid,
        "state": entry.state.value,
        "version": entry.version,
        "reports": list(entry.reports),
        "series": {uid: len(instances) for uid, instances in entry.series.items()},
        "kos_size": len(entry.kos),
        "metadata_size": len(entry.metadata),
        "signature_size": len(entry.signature),
        "history": [
            {"state": change.state.value, "utc": change.utc.isoformat()}
            for change in history
            if change.kos_uid == entry.kos_uid
        ],
        "updated": entry.updated.isoformat(),
    }


def _inbox(item: InboxItem) -> dict[str, object]:
    return {
        "id": item.id,
        "control_id": item.control_id,
        "received": item.received.isoformat(),
        "size": len(item.raw),
        "state": item.state,
        "detail": item.detail,
        "attempts": item.attempts,
        "due": item.due.isoformat() if item.due else None,
    }


def _outbox(item: OutboxItem) -> dict[str, object]:
    return {
        "id": item.id,
        "inbox_id": item.inbox_id,
        "operation": item.submission.operation.value,
        "study_uid": item.entry.study_uid,
        "kos_uid": item.entry.kos_uid,
        "submission_set_uid": item.submission.set_uid,
        "state": item.state,
        "detail": item.detail,
        "attempts": item.attempts,
        "due": item.due.isoformat(),
    }
