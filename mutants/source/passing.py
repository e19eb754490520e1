"""Parts that do all as the one within does: a wrong box says only what it does otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.ports import (
    Alerts,
    Archive,
    Inbox,
    KosBuilder,
    Metadata,
    Registry,
    Reports,
    Trust,
)
from drimbox_ref.source.values import (
    ArchiveEntry,
    EntryChange,
    Exam,
    Fault,
    FoundStudy,
    InboxItem,
    Kos,
    Order,
    Refusal,
    ReportOrder,
    Submission,
    TrustVerdict,
)
from drimbox_ref.trail import Alert
from protocols.kos import Manifest

__all__ = [
    "PassingAlerts",
    "PassingArchive",
    "PassingInbox",
    "PassingKos",
    "PassingMetadata",
    "PassingRegistry",
    "PassingReports",
    "PassingTrust",
]


class PassingReports:
    """`Reports`; `change` alters what was asked for."""

    def __init__(self, inner: Reports) -> None:
        self._inner = inner

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """As it should."""
        return self._inner.examine(message)

    def read(self, message: bytes) -> ReportOrder | Refusal:
        """As it should, then changed."""
        order = self._inner.read(message)
        return order if isinstance(order, Refusal) else self.change(order, message)

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """Not at all."""
        return order


class PassingKos:
    """A `KosBuilder`; `before` alters the orders that it is told, `after` what it made."""

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
        """As it should, of what `before` says, then as `after` says."""
        told = self.before(orders)
        return self.after(
            self._inner.build(report, exam, study, told, version=version, now=now), report
        )

    def renew(self, former: Manifest, study: FoundStudy, *, version: int, now: datetime) -> Kos:
        """As it should."""
        return self._inner.renew(former, study, version=version, now=now)

    def before(self, orders: Sequence[Order]) -> Sequence[Order]:
        """All of them."""
        return orders

    def after(self, kos: Kos, report: ReportOrder) -> Kos:
        """Unchanged."""
        return kos


class PassingMetadata:
    """`Metadata`; `about` alters what is described, `replacing` what is replaced."""

    def __init__(self, inner: Metadata) -> None:
        self._inner = inner

    def feed(
        self,
        report: ReportOrder,
        exam: Exam,
        kos: Kos,
        study: FoundStudy,
        orders: Sequence[Order],
        *,
        replaces: str | None,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """As it should, of what `about` and `replacing` say."""
        exam, study = self.about(exam, study)
        return self._inner.feed(
            report,
            exam,
            kos,
            study,
            orders,
            replaces=self.replacing(replaces),
            credentials=credentials,
            now=now,
        )

    def about(self, exam: Exam, study: FoundStudy) -> tuple[Exam, FoundStudy]:
        """Those of the KOS."""
        return exam, study

    def replacing(self, entry_uuid: str | None) -> str | None:
        """The KOS in force."""
        return entry_uuid

    def delete(
        self, report: ReportOrder, entry_uuid: str, *, credentials: Credentials, now: datetime
    ) -> Submission:
        """As it should."""
        return self._inner.delete(report, entry_uuid, credentials=credentials, now=now)

    def renew(
        self,
        former: ArchiveEntry,
        kos: Kos,
        study: FoundStudy,
        *,
        replaces: str,
        credentials: Credentials,
        now: datetime,
    ) -> Submission:
        """As it should."""
        return self._inner.renew(
            former, kos, study, replaces=replaces, credentials=credentials, now=now
        )

    def withdraw(self, former: ArchiveEntry, entry_uuid: str, *, now: datetime) -> Submission:
        """As it should."""
        return self._inner.withdraw(former, entry_uuid, now=now)


class PassingRegistry:
    """A `Registry`."""

    def __init__(self, inner: Registry) -> None:
        self._inner = inner

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """As it should."""
        await self._inner.submit(submission, credentials=credentials, assertion=assertion)

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        """As it should."""
        return await self._inner.reference(unique_id, credentials=credentials, assertion=assertion)


class PassingInbox:
    """An `Inbox`."""

    def __init__(self, inner: Inbox) -> None:
        self._inner = inner

    def put(self, control_id: str, raw: bytes, *, now: datetime) -> bool:
        """As it should."""
        return self._inner.put(control_id, raw, now=now)

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

    def everything(self, limit: int, state: str | None = None) -> tuple[InboxItem, ...]:
        """As it should."""
        return self._inner.everything(limit, state)


class PassingArchive:
    """An `Archive`."""

    def __init__(self, inner: Archive) -> None:
        self._inner = inner

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """As it should."""
        return self._inner.current(study_uid)

    def by_kos(self, kos_uid: str) -> ArchiveEntry | None:
        """As it should."""
        return self._inner.by_kos(kos_uid)

    def record(self, entry: ArchiveEntry) -> None:
        """As it should."""
        self._inner.record(entry)

    def depublish(self, kos_uid: str, *, now: datetime) -> None:
        """As it should."""
        self._inner.depublish(kos_uid, now=now)

    def add_report(self, kos_uid: str, report: str, *, now: datetime) -> None:
        """As it should."""
        self._inner.add_report(kos_uid, report, now=now)

    def set_entry_uuid(self, kos_uid: str, entry_uuid: str) -> None:
        """As it should."""
        self._inner.set_entry_uuid(kos_uid, entry_uuid)

    def history(self, study_uid: str) -> tuple[EntryChange, ...]:
        """As it should."""
        return self._inner.history(study_uid)

    def everything(self, limit: int) -> tuple[ArchiveEntry, ...]:
        """As it should."""
        return self._inner.everything(limit)


class PassingAlerts:
    """`Alerts`."""

    def __init__(self, inner: Alerts) -> None:
        self._inner = inner

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """As it should."""
        return self._inner.raise_(alert, now=now)

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """As it should."""
        return self._inner.everything(limit)


class PassingTrust:
    """A `Trust`."""

    def __init__(self, inner: Trust) -> None:
        self._inner = inner

    async def refresh(self) -> bool:
        """As it should."""
        return await self._inner.refresh()

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """As it should."""
        return self._inner.judge(certificate, now=now)
