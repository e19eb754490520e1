"""Reading a KOS of the DMP as an exam to show and to fetch.

Réf.: KOS of DRIM-M_DATA samples (RetrieveURL by series, text lines `Examen`, `Série-`), grade:
sample; hash of a DocumentEntry, IHE ITI TF Vol. 3 4.2.3.2.10, grade: standard.
"""

from __future__ import annotations

import hashlib

from drimbox_ref.consumer.documents import author_name, institution_name
from drimbox_ref.consumer.values import Exam, ExamUnreadable, Series
from protocols.ebrim import DocumentEntry
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest, SeriesEvidence, decode, parse_description
from protocols.kos.text import SeriesLine
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE

__all__ = ["KosManifests"]


class KosManifests:
    """Reads manifests."""

    def read(self, entry: DocumentEntry, data: bytes) -> Exam:
        """The exam that this document references."""
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if entry.hash and entry.hash.lower() != digest:
            raise ExamUnreadable("le document n'est pas celui que le DMP décrit (empreinte)")
        try:
            manifest = decode(data)
        except RemoteProtocolError as error:
            raise ExamUnreadable(f"KOS illisible : {error}") from error
        if manifest.sop_class != KEY_OBJECT_SELECTION_STORAGE or not manifest.sop_instance:
            raise ExamUnreadable("le document n'est pas un KOS")
        if len(manifest.studies) != 1:
            raise ExamUnreadable(f"un KOS référence un examen, celui-ci {len(manifest.studies)}")
        return _exam(entry, manifest, manifest.sop_instance)


def _exam(entry: DocumentEntry, manifest: Manifest, kos_uid: str) -> Exam:
    described = parse_description(manifest.description() or "")
    lines = {line.series_uid: line for line in described.series}
    study = manifest.studies[0]
    series = tuple(_series(one, lines.get(one.series_uid)) for one in study.series)
    requests = manifest.requests or ()
    accessions = (manifest.accession_number, *(one.accession_number for one in requests))
    return Exam(
        kos_uid=kos_uid,
        study_uid=study.study_uid,
        date=(manifest.study_date or "").replace(".", ""),
        time=manifest.study_time or "",
        description=described.exam or manifest.study_description or entry.title,
        modalities=tuple(dict.fromkeys(one.modality for one in series if one.modality)),
        institution=manifest.institution_name or institution_name(entry.authors),
        author=author_name(entry.authors),
        accessions=tuple(dict.fromkeys(number for number in accessions if number)),
        series=series,
        entry=entry,
    )


def _series(evidence: SeriesEvidence, line: SeriesLine | None) -> Series:
    return Series(
        uid=evidence.series_uid,
        retrieve_url=evidence.retrieve_url or "",
        modality=evidence.modality or (line.modality if line else ""),
        region=line.region if line else "",
        description=line.description if line else "",
        instances=frozenset(one.sop_instance for one in evidence.instances),
    )
