"""What the administrator (and a bench) may read of the box: alerts, audit, archive, queues.

Local only, read only, and without secrets: no report body, no token, no key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import ArchiveEntry, InboxItem, OutboxItem

__all__ = ["build_admin"]

_DEFAULT = 200
_LIMIT = 10_000

Read = Callable[[int], Sequence[Mapping[str, object]]]


def build_admin(parts: Parts) -> ASGIApp:
    """`GET /admin/{alerts,audit,archive,inbox,outbox}[?limit=n]`, newest first."""
    views: dict[str, Read] = {
        "alerts": parts.alerts.everything,
        "audit": parts.audit.everything,
        "archive": lambda limit: [_archive(one) for one in parts.archive.everything(limit)],
        "inbox": lambda limit: [_inbox(one) for one in parts.inbox.everything(limit)],
        "outbox": lambda limit: [_outbox(one) for one in parts.outbox.everything(limit)],
    }

    async def view(request: Request) -> JSONResponse:
        read = views.get(request.path_params["view"])
        if read is None:
            return JSONResponse({"message": "vue inconnue", "views": sorted(views)}, 404)
        written = request.query_params.get("limit", "")
        limit = min(int(written), _LIMIT) if written.isascii() and written.isdigit() else _DEFAULT
        return JSONResponse(list(await asyncio.to_thread(read, limit)))

    return Starlette(routes=[Route("/admin/{view}", view)])


def _archive(entry: ArchiveEntry) -> dict[str, object]:
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
