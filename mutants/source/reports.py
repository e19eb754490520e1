"""Sources that take reports wrongly: acknowledgement, identity, coherence, repetition."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Inbox, KosBuilder, Reports
from drimbox_ref.source.values import (
    Action,
    Exam,
    Fault,
    FoundStudy,
    InboxItem,
    Kos,
    Order,
    Refusal,
    ReportOrder,
)
from mutants.registry import mutant
from protocols import cda

__all__: list[str] = []

_DOCUMENT = re.compile(rb"\^Base64\^([A-Za-z0-9+/=]+)")
"""OBX-5.4 and OBX-5.5."""


class Mute:
    """An `Acknowledger` that never says anything."""

    def accept(self, message: bytes) -> bytes | None:
        """Nothing."""
        return None

    def refuse(self, message: bytes, code: str, faults: Sequence[Fault]) -> bytes | None:
        """Nothing."""
        return None


@mutant(
    "sans-acquittement",
    breaks="Aucun message HL7 n'est jamais acquitté.",
    requirements=("DB.SO.03",),
)
def without_acknowledgement(parts: Parts) -> Parts:
    """Reports are worked on, but the RIS never knows."""
    return replace(parts, acknowledger=Mute())


class Credulous:
    """`Reports` that take any message, and publish whatever ORC-1 says."""

    def __init__(self, inner: Reports) -> None:
        self._inner = inner

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Never a fault."""
        return ()

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """Always a creation."""
        order = self._inner.read(message)
        return order if isinstance(order, Refusal) else replace(order, action=Action.CREATE)


@mutant(
    "orc1-non-compare",
    breaks="ORC-1 et OBX-11 ne sont pas comparés : tout message vaut création.",
    requirements=("DB.SO.03",),
    consequences=("DB.SO.97",),
)
def incoherence_taken(parts: Parts) -> Parts:
    """A cancellation with a final document is published."""
    return replace(parts, reports=Credulous(parts.reports))


class IdentityTaken:
    """`Reports` for which every identity is qualified."""

    def __init__(self, inner: Reports) -> None:
        self._inner = inner

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """As it should."""
        return self._inner.examine(message)

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """PID-32 is read as VALI whatever it says (PROV: identité provisoire)."""
        return self._inner.read(message.replace(b"|PROV", b"|VALI"))


@mutant(
    "statut-ins-ignore",
    breaks="Le statut de l'identité (PID-32) n'est pas lu : une INS provisoire est publiée.",
    requirements=("DB.SO.11",),
)
def identity_status_ignored(parts: Parts) -> Parts:
    """A provisional identity feeds the DMP."""
    return replace(parts, reports=IdentityTaken(parts.reports))


class EveryAct:
    """`Reports` for which every act is an exam, whether or not it has a StudyInstanceUID."""

    def __init__(self, inner: Reports) -> None:
        self._inner = inner

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """As it should."""
        return self._inner.examine(message)

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """The order, an exam of nobody's added for each act without identifier."""
        order = self._inner.read(message)
        if isinstance(order, Refusal) or not order.exams:
            return order
        added = tuple(
            replace(order.exams[0], study_uid=f"2.25.{crc32(message)}{number}")
            for number in range(1, _acts_without_study(message) + 1)
        )
        return replace(order, exams=(*order.exams, *added))


def _acts_without_study(message: bytes) -> int:
    found = _DOCUMENT.search(message)
    if found is None:
        return 0
    events = cda.parse(b64decode(found[1])).service_events
    return sum(event.id is None for event in events)


@mutant(
    "acte-sans-examen-interroge",
    breaks="Un acte sans identifiant d'examen est demandé au PACS comme un examen.",
    requirements=("DB.SO.12",),
)
def every_act_queried(parts: Parts) -> Parts:
    """A screening act without images is looked for."""
    return replace(parts, reports=EveryAct(parts.reports))


class Forgetful:
    """An `Inbox` that takes every message for a new one."""

    def __init__(self, inner: Inbox) -> None:
        self._inner = inner
        self._taken = 0

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """The trailing carriage returns make other bytes of the same message."""
        self._taken += 1
        return self._inner.put(control_id, raw + b"\r" * self._taken, now=now)

    def due(self, now: datetime) -> tuple[InboxItem, ...]:
        """As it should."""
        return self._inner.due(now)

    def postpone(self, item: int, *, due: datetime, detail: str, studies: frozenset[str]) -> None:
        """As it should."""
        self._inner.postpone(item, due=due, detail=detail, studies=studies)

    def earlier(self, item: int) -> frozenset[str]:
        """As it should."""
        return self._inner.earlier(item)

    def close(self, item: int, *, state: str, detail: str) -> None:
        """As it should."""
        self._inner.close(item, state=state, detail=detail)

    def next_due(self) -> datetime | None:
        """As it should."""
        return self._inner.next_due()

    def everything(self, limit: int) -> tuple[InboxItem, ...]:
        """As it should."""
        return self._inner.everything(limit)


class AlwaysNews:
    """A `KosBuilder` for which each KOS has something new to say."""

    def __init__(self, inner: KosBuilder) -> None:
        self._inner = inner

    def build(
        self,
        report: ReportOrder,
        exam: Exam,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        version: int,
        now: datetime,
    ) -> Kos:
        """The right KOS, with a fingerprint that nothing equals."""
        kos = self._inner.build(report, exam, study, orders, version=version, now=now)
        return replace(kos, fingerprint=kos.uid)


@mutant(
    "republie-le-meme",
    breaks="Un compte rendu reçu deux fois est publié deux fois.",
    requirements=("DB.SO.12",),
)
def published_again(parts: Parts) -> Parts:
    """The same message, sent again by a RIS that missed the ACK, replaces the KOS by its copy."""
    return replace(parts, inbox=Forgetful(parts.inbox), kos=AlwaysNews(parts.kos))
