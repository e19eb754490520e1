"""What the DMP holds of one exam: its KOS, each with what the registry says of it now."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from bench.story import PlannedExam, Story
from protocols import kos
from protocols.ebrim import DocumentEntry
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest
from spec.dmp import KOS_TYPE_CODE
from spec.xds import Status

__all__ = ["Holding", "kos_of"]


@dataclass(frozen=True, slots=True)
class Holding:
    """One KOS: the document, and its entry with the status that it has now."""

    manifest: Manifest
    entry: DocumentEntry
    content: bytes = b""
    """The document as the DMP holds it."""

    @property
    def approved(self) -> bool:
        """Whether it is in force."""
        return self.entry.status == Status.APPROVED


def kos_of(story: Story, exam: PlannedExam) -> tuple[Holding, ...]:
    """The KOS of an exam of the scenario's patient, oldest first; those that cannot be read are
    left out.

    Raises:
        CannotVerify: the DMP is a real one.
    """
    ins = story.patient.ins
    assert ins is not None
    found = []
    for stored in story.bed.dmp.documents(ins.value, ins.oid):
        code = stored.entry.type_code
        if code is not None and code.code == KOS_TYPE_CODE[0]:
            with suppress(RemoteProtocolError):
                found.append(Holding(kos.decode(stored.content), stored.entry, stored.content))
    return tuple(one for one in found if one.manifest.study_uid == exam.study_uid)
