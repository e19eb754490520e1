"""Mon espace santé: what a patient may read of his record.

Réf.: confidentialityCode INVISIBLE_PATIENT of the ANS terminology, grade: standard; the pages
themselves are not public.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from protocols.ebrim import DocumentEntry
from spec.dmp import MASKING_SCHEME, Masking
from spec.hl7v2 import IMAGING_REPORT
from spec.xds import Status

__all__ = ["readable"]


class _Described(Protocol):
    """What a DMP holds: nobody else's simulator is needed to read its description."""

    @property
    def entry(self) -> DocumentEntry:
        """As it stands now."""


D = TypeVar("D", bound=_Described)


def readable(documents: Iterable[D]) -> tuple[D, ...]:
    """The imaging reports in force that are not hidden from the patient."""
    return tuple(
        one
        for one in documents
        if one.entry.status == Status.APPROVED
        and one.entry.type_code is not None
        and one.entry.type_code.code == IMAGING_REPORT
        and not any(
            (mask.code, mask.scheme) == (Masking.PATIENT, MASKING_SCHEME)
            for mask in one.entry.confidentiality_codes
        )
    )
