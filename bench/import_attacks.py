"""A KOS that somebody hands to a Source from the network, and the exam that it would open.

The archive of a box that is replaced is imported (DB.SO.30) by whoever administers it. The KOS here
is of an exam that the PACS has and that nobody published: taken, it would open its images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from bench.attacking import Attacking, Attempt
from bench.dataset.manifest import Subject, expected_kos
from bench.dataset.writing import reference_to
from bench.imagery import files_of, load_exam
from bench.story import PlannedExam
from simulators.peer import Retrieved

__all__ = ["IMPORTS", "ImportAttacks"]

IMPORTS: Mapping[str, tuple[str, str, str]] = {
    "importKOS": ("POST", "{host}/importKOS", "application/dicom"),
    "api importKOS": ("POST", "{host}/api/conso/importKOS", "application/octet-stream"),
    "import du service": ("POST", "{root}/import", "application/dicom"),
    "import d'administration": ("POST", "{host}/admin/import", "application/zip"),
    "dépôt STOW": ("POST", "{root}/studies", 'multipart/related; type="application/dicom"'),
    "PUT du KOS": ("PUT", "{root}/kos/{uid}", "application/dicom"),
    "import à la porte d'administration": ("POST", "{admin}/admin/import", "application/dicom"),
}
"""Words -> verb, address and type of what is handed over."""

_BOUNDARY = "kit"


@dataclass(slots=True)
class ImportAttacks:
    """Makes the attempts; whoever attacks and judges is `attacking`."""

    attacking: Attacking
    _other: PlannedExam | None = field(default=None)

    def unasked(self, words: Iterable[str]) -> None:
        """The KOS is handed over in each of these ways, without authentication; the exam is then
        asked for under it. Refused: neither was accepted."""
        self._other = self._unpublished()
        admin = self.attacking.imaging.administration.address
        known = [one for one in words if admin or "{admin}" not in IMPORTS[one][1]]

        def play(one: str) -> Callable[[], Retrieved]:
            return lambda: self._hand_over(one)

        self.attacking.play(Attempt(words=one, play=play(one), traced=False) for one in known)

    # -- inside ------------------------------------------------------------------------------

    def _unpublished(self) -> PlannedExam:
        story = self.attacking.imaging.story
        exam = story.plan(self.attacking.imaging.exam.modality)
        load_exam(story.archive, exam, story.patient)
        return exam

    def _hand_over(self, words: str) -> Retrieved:
        imaging, exam = self.attacking.imaging, self._other
        assert exam is not None
        bed, uid = imaging.story.bed, imaging.story.case.uid(f"le KOS importé par {words}")
        verb, pattern, kind = IMPORTS[words]
        own = imaging.url(imaging.exam.study_uid, imaging.exam.series[0].uid)
        url, root = urlsplit(own), own.partition("/studies/")[0]
        address = pattern.format(
            host=f"{url.scheme}://{url.netloc}",
            root=root,
            admin=f"http://{imaging.administration.address}",
            uid=uid,
        )
        data = self._kos(exam, uid, root)
        if kind.startswith("multipart"):
            kind += f"; boundary={_BOUNDARY}"
            head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            data = head + data + f"\r\n--{_BOUNDARY}--\r\n".encode()
        good = imaging.good_manners()
        bare = replace(good, token=None, kos_uid=None, more=(("Content-Type", kind),))
        peer = bed.peer(bed.papers.clients["peer"])
        handed = bed.call(peer.ask, verb, address, bare, data)
        if not handed.refused:
            return handed
        asked = imaging.url(exam.study_uid, exam.series[0].uid)
        opened = bed.call(peer.retrieve, asked, replace(good, kos_uid=uid))
        return handed if opened.refused else opened

    def _kos(self, exam: PlannedExam, uid: str, root: str) -> bytes:
        story = self.attacking.imaging.story
        return expected_kos(
            Subject(
                patient=story.patient,
                structure=story.structure,
                exam=exam,
                uid=uid,
                series_uid=story.case.uid(f"la série du KOS {uid}"),
                written=story.bed.clock(),
            ),
            {
                series: tuple(map(reference_to, files))
                for series, files in files_of(exam, story.patient).items()
            },
            base_url=root,
        )
