"""What is written down of each access to images: the audit trail, and alerts that can be acted on.

Réf.: image access audited like ITI-43, DB.CO.82, grade: draft.
"""

from __future__ import annotations

import asyncio

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Ins
from drimbox_ref.trail import Alert, AuditEvent

__all__ = ["account"]

_ADVICE = {
    Failure.UNTRUSTED: "Vérifier la liste blanche et l'adresse que donne le KOS ; aucun jeton n'a "
    "été envoyé.",
    Failure.IDENTITY: "Signaler l'écart d'identité à la structure qui a publié l'examen et à la "
    "cellule d'identitovigilance ; rien n'a été montré ni exporté.",
    Failure.LOCAL_PACS: "Vérifier que le PACS local est joignable et accepte ces objets.",
}
"""What the administrator can do; other failures are the user's or the network's."""


async def account(
    parts: Parts,
    exam: Exam,
    failed: ExportFailed | None,
    *,
    subject: str,
    patient: Ins,
    **objects: str,
) -> None:
    """Keep one access: by whom (`subject`), of what, and how it ended."""
    now = parts.clock.now()
    event = AuditEvent(
        event="ITI-43",
        outcome=8 if failed else 0,
        description=str(failed) if failed else "",
        subject=subject,
        patient=patient.value,
        objects={"study": exam.study_uid, "kos": exam.kos_uid, **objects},
    )
    await asyncio.to_thread(parts.audit.record, event, now=now)
    if failed and failed.failure in _ADVICE:
        alert = Alert(
            ban=failed.failure.value,
            message=str(failed),
            advice=_ADVICE[failed.failure],
            study_uid=exam.study_uid,
        )
        await asyncio.to_thread(parts.alerts.raise_, alert, now=now)
