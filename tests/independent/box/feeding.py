"""From reports to the DMP: one thread that publishes, again and again, and follows the PACS."""

from __future__ import annotations

import io
import queue
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from zipfile import ZipFile

import manifest
from own_pacs import Held, OwnPacs
from pydicom import dcmread
from registry import Lot, Refused, Registry, Unreached
from report import Exam, Report

PAUSE_S = 0.2


@dataclass
class Published:
    """What the DMP holds of a study."""

    ins: tuple[str, str]
    kos_uid: str
    images: frozenset[str]
    made_of: tuple[Report, Exam] | None = None
    """None when another DRIMbox's archive says it."""
    seen: frozenset[str] = field(default_factory=frozenset)
    """What the PACS held when it was last looked at."""


@dataclass(frozen=True)
class Waiting:
    """A lot to send, and the entryUUID that it replaces, "" for none."""

    lot: Lot
    replaced: str
    images: frozenset[str]


class Feeder:
    """The outbox and what came of it, in memory."""

    def __init__(
        self, registry: Registry, pacs: OwnPacs, base_url: str, *, retrying: bool, watching: bool
    ) -> None:
        self._registry, self._pacs, self._base_url = registry, pacs, base_url
        self._retrying, self._watching = retrying, watching
        self._reports: queue.Queue[Report] = queue.Queue()
        self._waiting: list[Waiting] = []
        self._published: dict[str, Published] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Work."""
        threading.Thread(target=self._work, daemon=True).start()

    def take(self, report: Report) -> None:
        """Publish what it reports, soon."""
        self._reports.put(report)

    def published(self, study: str) -> Published | None:
        """What the DMP holds of a study, None when nothing."""
        with self._lock:
            return self._published.get(study)

    def _work(self) -> None:
        while True:
            with suppress(queue.Empty):
                self._prepare(self._reports.get(timeout=PAUSE_S))
            self._import()
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                try:
                    self._submit(one)
                except Unreached as error:
                    self._tell(f"{one.lot.exam.study} : {error}")
                    if self._retrying:
                        self._waiting.append(one)
                except Refused as error:
                    self._tell(f"{one.lot.exam.study} : refusé : {error}")
            if self._watching and not self._waiting:
                self._follow()

    def _prepare(self, report: Report) -> None:
        if not report.qualified:
            return self._tell("identité non qualifiée")
        if not self._registry.knows(report.structure[0]):
            return self._tell(f"aucun certificat pour {report.structure[0]}")
        for exam in report.exams:
            images = self._pacs.study(exam.study)
            wrong = _incoherence(report, images)
            if wrong:
                self._tell(f"{exam.study} : {wrong}")
                continue
            known = self.published(exam.study)
            if known is None or known.images != _uids(images):
                self._make(report, exam, images, "")
        return None

    def _import(self) -> None:
        """Archives of XDM laid beside the images: what they say was published, was."""
        for path in self._pacs.folder.glob("*.zip"):
            with ZipFile(path) as archive:
                for name in archive.namelist():
                    if not name.endswith(".DCM"):
                        continue
                    kos = dcmread(io.BytesIO(archive.read(name)))
                    metadata = archive.read(f"{name.rpartition('/')[0]}/METADATA.XML")
                    if str(kos.SOPInstanceUID).encode() not in metadata:
                        self._tell(f"{name} n'est pas décrit par METADATA.XML")
                        continue
                    (qualifier,) = kos.IssuerOfPatientIDQualifiersSequence
                    listed = frozenset(
                        str(one.ReferencedSOPInstanceUID)
                        for study in kos.CurrentRequestedProcedureEvidenceSequence
                        for series in study.ReferencedSeriesSequence
                        for one in series.ReferencedSOPSequence
                    )
                    ins = (str(kos.PatientID), str(qualifier.UniversalEntityID))
                    with self._lock:
                        self._published[str(kos.StudyInstanceUID)] = Published(
                            ins, str(kos.SOPInstanceUID), listed
                        )
            path.unlink()

    def _make(self, report: Report, exam: Exam, images: list[Held], replaced: str) -> None:
        uid = manifest.new_uid()
        kos = manifest.write(report, exam, images, self._base_url, uid)
        lot = self._registry.lot(report, exam, uid, kos)
        self._waiting.append(Waiting(lot, replaced, _uids(images)))

    def _submit(self, one: Waiting) -> None:
        lot = one.lot
        self._registry.submit(lot, one.replaced)
        with self._lock:
            self._published[lot.exam.study] = Published(
                lot.report.ins, lot.kos_uid, one.images, (lot.report, lot.exam), one.images
            )

    def _follow(self) -> None:
        """What came or went in the PACS, once it is still: replace the KOS, or withdraw it."""
        for study, known in list(self._published.items()):
            images = self._pacs.study(study)
            now = _uids(images)
            still, known.seen = now == known.seen, now
            if now == known.images or not still or known.made_of is None:
                continue
            report, exam = known.made_of
            try:
                entry = self._registry.entry_of(report, known.kos_uid)
                if images:
                    self._make(report, exam, images, entry)
                else:
                    self._registry.withdraw(report, entry)
                    with self._lock:
                        del self._published[study]
            except (Refused, Unreached) as error:
                self._tell(f"{study} : {error}")

    @staticmethod
    def _tell(what: str) -> None:
        sys.stderr.write(f"{what}\n")


def _uids(images: list[Held]) -> frozenset[str]:
    return frozenset(one.sop_instance for one in images)


def _incoherence(report: Report, images: list[Held]) -> str:
    if not images:
        return "examen absent du PACS"
    if any(one.patient_id != report.ipp[0] for one in images):
        return "l'IPP du PACS n'est pas celui du message"
    if any(one.accession not in dict(report.accessions) for one in images):
        return "le numéro d'accession du PACS n'est pas dans le compte rendu"
    return ""
