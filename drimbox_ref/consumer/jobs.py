"""One export: what was asked, by whom, and where it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from drimbox_ref.consumer.values import Call, Exam, Use

__all__ = ["Job", "JobState"]


class JobState(StrEnum):
    """Where an export is."""

    WAITING = "waiting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    """No token can be had: it goes on when its owner logs in again."""
    DONE = "done"
    PARTIAL = "partial"
    """What some Sources hold is in the PACS, what others hold is not."""
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Job:
    """One export. Counts are instances: fetched from the Sources, then stored in the PACS."""

    id: str
    owner: str
    """National identifier of the professional who asked for it."""
    call: Call
    exam: Exam
    destination: str
    """Name of the local PACS."""
    use: Use | None
    """The transfer syntaxes that were chosen; None: those of each modality."""
    began: datetime
    ended: datetime | None = None
    state: JobState = JobState.WAITING
    fetched: int = 0
    stored: int = 0
    message: str = ""
    failure: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (JobState.WAITING, JobState.RUNNING)

    @property
    def unfinished(self) -> bool:
        """Whether it goes on by itself, now or later."""
        return self.active or self.state is JobState.SUSPENDED
