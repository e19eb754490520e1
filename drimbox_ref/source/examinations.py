"""What the PACS holds of a study, by C-FIND (DB.SO.12, DB.SO.14).

Réf.: DICOM PS3.4 C.4.1 (C-FIND), C.6.2 (Study Root), grade: standard.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydicom.dataset import Dataset

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.backoff import Backoff
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.values import FoundInstance, FoundSeries, FoundStudy, Order
from spec.dicom import DCM, REJECTION_TITLES
from wire.dimse import DimseClient, DimseFailure, DimsePeer
from wire.exchange import ignore

__all__ = ["DimseExaminations"]

_STUDY_KEYS = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
    "PatientID",
    "StudyID",
)
_SERIES_KEYS = ("Modality", "SeriesNumber", "SeriesDescription", "SeriesInstanceUID")
_IMAGE_KEYS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "NumberOfFrames",
    "ConceptNameCodeSequence",
)
"""The last one is the title of a key object: a rejection note is in the exam, not of it."""


class _Rest:
    """A PACS that does not answer is left alone for a while, longer each time: the messages that
    want another one must not wait for its time-out, one after the other."""

    def __init__(self, backoff: Backoff, monotonic: Callable[[], float]) -> None:
        self._backoff = backoff
        self._monotonic = monotonic
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._lock = threading.Lock()

    def left(self, title: str) -> float:
        """Seconds during which it is still not to be asked; 0: it is."""
        with self._lock:
            return max(0.0, self._until.get(title, 0.0) - self._monotonic())

    def failed(self, title: str) -> None:
        """It did not answer."""
        with self._lock:
            failures = self._failures.get(title, 0)
            pause = self._backoff.delay(failures).total_seconds()
            self._failures[title] = failures + 1
            self._until[title] = self._monotonic() + pause

    def answered(self, title: str) -> None:
        """It lives."""
        with self._lock:
            self._failures.pop(title, None)
            self._until.pop(title, None)


class DimseExaminations:
    """Asks the PACS that serves the report's accession authority (DB.SO.04).

    `relational` is one IMAGE-level query, as most archives accept; `hierarchical` goes down from
    the study for those that do not. `backoff` says how long one that is silent is left alone.
    """

    def __init__(
        self,
        pacs: Sequence[Pacs],
        *,
        ae_title: str,
        level: str,
        timeout_s: float,
        backoff: Backoff,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pacs = tuple(pacs)
        self._level = level
        self._rest = _Rest(backoff, monotonic)
        self._client = DimseClient(ae_title, actor="source", observe=ignore, timeout=timeout_s)

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The study as the PACS of its accession number has it; as another one has it, for want of
        better: its number is then compared with the report's; None when no PACS has it.

        Raises:
            PeerUnavailable: one that could have it did not answer, and the others do not have it
                under a number of theirs.
        """
        failures = []
        stray: FoundStudy | None = None
        for pacs, numbers in self._candidates(orders):
            try:
                matches = self._ask(pacs, study_uid)
            except PeerUnavailable as failure:
                failures.append(str(failure))
                continue
            if all(_is_note(match) for match in matches):
                continue
            study = _study(study_uid, pacs, matches)
            if numbers.issuperset(study.accessions):
                return study
            stray = stray or study
        if failures:
            raise PeerUnavailable("; ".join(failures))
        return stray

    def _candidates(self, orders: Sequence[Order]) -> list[tuple[Pacs, set[str]]]:
        """The PACS to ask, those that name an authority of the report first, each with the
        accession numbers that are its own."""
        named = {issuer for pacs in self._pacs for issuer in pacs.accession_issuers}
        found = []
        for pacs in sorted(self._pacs, key=lambda one: not one.accession_issuers):
            numbers = {
                order.accession
                for order in orders
                if (
                    order.accession_oid in pacs.accession_issuers
                    if pacs.accession_issuers
                    else order.accession_oid not in named
                )
            }
            if numbers or not (orders or pacs.accession_issuers):
                found.append((pacs, numbers))
        return found

    def _ask(self, pacs: Pacs, study_uid: str) -> list[Any]:
        if left := self._rest.left(pacs.ae_title):
            raise PeerUnavailable(
                f"PACS {pacs.ae_title} : sans réponse, laissé encore {left:.0f} s"
            )
        try:
            matches = self._matches(DimsePeer(pacs.host, pacs.port, pacs.ae_title), study_uid)
        except DimseFailure as failure:
            # One that answers by a failure lives: it is this query that it could not do.
            if failure.kind != "status":
                self._rest.failed(pacs.ae_title)
            raise PeerUnavailable(f"PACS {pacs.ae_title} : {failure}") from failure
        self._rest.answered(pacs.ae_title)
        return matches

    def _matches(self, peer: DimsePeer, study_uid: str) -> list[Any]:
        """IMAGE-level answers that hold the attributes of all levels."""
        if self._level == "relational":
            keys = (*_STUDY_KEYS, *_SERIES_KEYS, *_IMAGE_KEYS)
            return self._find(peer, "IMAGE", keys, StudyInstanceUID=study_uid)
        images = []
        for study in self._find(peer, "STUDY", _STUDY_KEYS, StudyInstanceUID=study_uid):
            for series in self._find(peer, "SERIES", _SERIES_KEYS, StudyInstanceUID=study_uid):
                found = self._find(
                    peer,
                    "IMAGE",
                    _IMAGE_KEYS,
                    StudyInstanceUID=study_uid,
                    SeriesInstanceUID=_text(series, "SeriesInstanceUID"),
                )
                for image in found:
                    merged = Dataset()
                    for level in (study, series, image):
                        merged.update(level)
                    images.append(merged)
        return images

    def _find(self, peer: DimsePeer, level: str, keys: Iterable[str], **unique: str) -> list[Any]:
        identifier = Dataset()
        identifier.QueryRetrieveLevel = level
        for key in keys:
            setattr(identifier, key, [] if key.endswith("Sequence") else "")
        for key, value in unique.items():
            setattr(identifier, key, value)
        return self._client.find(peer, identifier)


def _study(study_uid: str, pacs: Pacs, matches: Sequence[Any]) -> FoundStudy:
    """One study of all its image answers.

    Answers about another study are dropped: a PACS that ignores a key must not get a patient's
    exam published with another's images.
    """
    own = [
        match
        for match in matches
        if _text(match, "StudyInstanceUID") in ("", study_uid) and not _is_note(match)
    ]
    by_series: dict[str, list[Any]] = {}
    for match in own:
        by_series.setdefault(_text(match, "SeriesInstanceUID"), []).append(match)
    series = [_series(uid, images) for uid, images in by_series.items() if uid]
    series.sort(key=lambda one: (one.number is None, one.number or 0, one.uid))
    first = own[0] if own else Dataset()
    return FoundStudy(
        uid=study_uid,
        pacs=pacs.ae_title,
        patient_domains=pacs.patient_domains,
        patient_ids=_distinct(own, "PatientID"),
        accessions=_distinct(own, "AccessionNumber"),
        date=_text(first, "StudyDate"),
        time=_text(first, "StudyTime"),
        description=_text(first, "StudyDescription"),
        study_id=_text(first, "StudyID"),
        referring=_text(first, "ReferringPhysicianName"),
        series=tuple(series),
    )


def _series(uid: str, images: Sequence[Any]) -> FoundSeries:
    instances = {
        _text(image, "SOPInstanceUID"): FoundInstance(
            sop_class=_text(image, "SOPClassUID"),
            sop_instance=_text(image, "SOPInstanceUID"),
            number=_number(image, "InstanceNumber"),
            frames=_number(image, "NumberOfFrames"),
        )
        for image in images
        if _text(image, "SOPInstanceUID")
    }
    return FoundSeries(
        uid=uid,
        number=_number(images[0], "SeriesNumber"),
        modality=_text(images[0], "Modality"),
        description=_text(images[0], "SeriesDescription"),
        instances=tuple(
            sorted(
                instances.values(),
                key=lambda one: (one.number is None, one.number or 0, one.sop_instance),
            )
        ),
    )


def _is_note(match: Any) -> bool:
    """Whether it is an IOCM rejection note. An archive goes on showing most of them; one that does
    not return titles leaves them among the key objects.
    """
    titles = match.get("ConceptNameCodeSequence") or ()
    return any(
        _text(title, "CodeValue") in REJECTION_TITLES
        and _text(title, "CodingSchemeDesignator") == DCM
        for title in titles
    )


def _distinct(matches: Iterable[Any], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for match in matches if (text := _text(match, key))))


def _text(data: Any, key: str) -> str:
    value = data.get(key)
    return "" if value is None else str(value).strip()


def _number(data: Any, key: str) -> int | None:
    text = _text(data, key)
    try:
        return int(text)
    except ValueError:
        return None
