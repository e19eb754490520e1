"""How submissions and archive entries are written in the state file: JSON, bytes in base64."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from drimbox_ref.source.values import (
    ArchiveEntry,
    EntryState,
    Follow,
    Ins,
    Operation,
    Submission,
)

__all__ = [
    "dump_entry",
    "dump_follow",
    "dump_submission",
    "load_entry",
    "load_follow",
    "load_submission",
]


def dump_follow(follow: Follow) -> str:
    """A `Follow` as JSON text."""
    return json.dumps(_follow(follow), ensure_ascii=False)


def load_follow(text: str) -> Follow:
    """What `dump_follow` wrote."""
    return _read_follow(json.loads(text))


def dump_submission(submission: Submission) -> bytes:
    """A `Submission` as JSON bytes."""
    return _dump(
        {
            "operation": submission.operation.value,
            "set_uid": submission.set_uid,
            "request": _b64(submission.request),
            "attachments": [
                [cid, media_type, _b64(data)] for cid, media_type, data in submission.attachments
            ],
            "metadata": _b64(submission.metadata),
            "fingerprint": submission.fingerprint,
        }
    )


def load_submission(data: bytes) -> Submission:
    """What `dump_submission` wrote."""
    value = json.loads(data)
    return Submission(
        operation=Operation(value["operation"]),
        set_uid=value["set_uid"],
        request=b64decode(value["request"]),
        attachments=tuple(
            (cid, media_type, b64decode(body)) for cid, media_type, body in value["attachments"]
        ),
        metadata=b64decode(value["metadata"]),
        fingerprint=value["fingerprint"],
    )


def dump_entry(entry: ArchiveEntry) -> bytes:
    """An `ArchiveEntry` as JSON bytes."""
    return _dump(
        {
            "kos_uid": entry.kos_uid,
            "study_uid": entry.study_uid,
            "set_uid": entry.set_uid,
            "entry_uuid": entry.entry_uuid,
            "state": entry.state.value,
            "version": entry.version,
            "fingerprint": entry.fingerprint,
            "ins": [entry.ins.value, entry.ins.oid],
            "ipp": entry.ipp,
            "pacs_ipp": entry.pacs_ipp,
            "pacs": entry.pacs,
            "series": {uid: list(instances) for uid, instances in entry.series.items()},
            "kos": _b64(entry.kos),
            "metadata": _b64(entry.metadata),
            "signature": _b64(entry.signature),
            "reports": list(entry.reports),
            "follow": _follow(entry.follow),
            "updated": entry.updated.isoformat(),
        }
    )


def load_entry(data: bytes) -> ArchiveEntry:
    """What `dump_entry` wrote."""
    value = json.loads(data)
    return ArchiveEntry(
        kos_uid=value["kos_uid"],
        study_uid=value["study_uid"],
        set_uid=value["set_uid"],
        entry_uuid=value["entry_uuid"],
        state=EntryState(value["state"]),
        version=value["version"],
        fingerprint=value["fingerprint"],
        ins=Ins(value=value["ins"][0], oid=value["ins"][1]),
        ipp=value["ipp"],
        pacs_ipp=value.get("pacs_ipp", ""),
        pacs=value["pacs"],
        series={uid: tuple(instances) for uid, instances in value["series"].items()},
        kos=b64decode(value["kos"]),
        metadata=b64decode(value["metadata"]),
        signature=b64decode(value.get("signature", "")),
        reports=tuple(value["reports"]),
        follow=_read_follow(value["follow"]),
        updated=datetime.fromisoformat(value["updated"]),
    )


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _follow(follow: Follow) -> dict[str, str]:
    return {
        "ins": follow.ins.value,
        "ins_oid": follow.ins.oid,
        "structure": follow.structure,
        "sector": follow.sector,
        "professional": follow.professional,
        "family": follow.family,
        "given": follow.given,
        "profession": follow.profession,
        "specialty": follow.specialty,
        "specialty_label": follow.specialty_label,
    }


def _read_follow(value: dict[str, str]) -> Follow:
    return Follow(
        ins=Ins(value=value["ins"], oid=value["ins_oid"]),
        structure=value["structure"],
        sector=value["sector"],
        professional=value["professional"],
        family=value["family"],
        given=value["given"],
        profession=value["profession"],
        specialty=value["specialty"],
        specialty_label=value["specialty_label"],
    )
