"""What the Consumer asks Sources for, and what the local PACS then holds."""

from __future__ import annotations

from collections.abc import Iterator

from bench.consulting import Consulting
from bench.deadline import until
from bench.feed import Seen
from bench.imagery import export_alterations, held, patient_ids
from bench.story import Story
from protocols.dicomweb import parse_path
from protocols.errors import RemoteProtocolError
from spec.wado import AUTHORIZATION_HEADER, KOS_HEADER, TRANSFER_SYNTAXES

__all__ = ["Imported", "series_asked"]


class Imported:
    """The requests that Sources saw in this scenario, and the images in the local PACS."""

    def __init__(self, consulting: Consulting) -> None:
        self._consulting = consulting

    def expect_exported(self) -> None:
        """The local PACS holds the images of the exam, no other."""
        exam, bed = self._story.exams[0], self._story.bed
        until(
            lambda: bed.local_pacs.count(exam.study_uid) >= exam.images,
            deadline_s=self._story.stage.profile.timing.effect_s,
        )
        wanted, got = held(bed.pacs, exam.study_uid), held(bed.local_pacs, exam.study_uid)
        self._story.stage.expect(
            "toutes les images de l'examen arrivent dans le PACS local",
            got == wanted,
            expected=f"{len(wanted)} images",
            actual=f"{len(got)} images, dont {len(got - wanted)} d'un autre SOPInstanceUID ; "
            f"la page dit : {self._consulting.shown.text()[-200:]}",
            exchanges=[seen.id for seen in self._story.stage.seen("C-STORE", "WADO-RS")],
        )

    def expect_local_ipp(self) -> None:
        """In the local PACS the patient bears the IPP of the call."""
        ipp, archive = self._consulting.local_ipp(self._story.patient), self._story.bed.local_pacs
        ids = {id for exam in self._story.exams for id in patient_ids(archive, exam.study_uid)}
        self._story.stage.expect(
            "les images portent l'IPP local du patient",
            ids == {ipp.value},
            expected=ipp.value,
            actual=", ".join(sorted(ids)) or "aucune image",
        )

    def expect_unaltered(self) -> None:
        """But for the patient's identifiers, the images are those of the Source's PACS."""
        exam, bed = self._story.exams[0], self._story.bed
        differences = [
            found
            for one in bed.local_pacs.instances(exam.study_uid)
            if (found := export_alterations(one.file(), bed.pacs, one.sop_instance))
        ]
        self._story.stage.expect(
            "rien d'autre n'est modifié dans les images exportées",
            not differences,
            expected="seuls les identifiants du patient changent",
            actual=" ; ".join(differences[:3]) or "identiques",
        )

    def expect_wado_requests(self) -> None:
        """Each series was asked with a token, the KOS's identifier and the ten syntaxes."""
        stage, exam = self._story.stage, self._story.exams[0]
        found = stage.await_exchanges(
            "WADO-RS", "chaque série est demandée par WADO-RS", count=len(exam.series)
        )
        left = {series.uid for series in exam.series} - set(series_asked(found))
        faults = [f"série {uid} jamais demandée" for uid in sorted(left)]
        kos_uids = {manifest.sop_instance for manifest in self._consulting.publishing.manifests()}
        for seen in found:
            request = seen.exchange.request
            assert request is not None
            accept = ", ".join(v for n, v in request.head if n.lower() == "accept")
            if not (request.header(AUTHORIZATION_HEADER) or "").startswith("Bearer "):
                faults.append("jeton absent")
            if request.header(KOS_HEADER) not in kos_uids:
                faults.append(f"identifiant de KOS {request.header(KOS_HEADER)}")
            if missing := [s.uid for s in TRANSFER_SYNTAXES if s.uid not in accept]:
                faults.append(f"syntaxes absentes de Accept : {', '.join(missing)}")
        stage.expect(
            "chaque série est demandée avec le jeton, l'identifiant du KOS et les dix syntaxes",
            not faults,
            expected="…/series/{UID}, Authorization, KOS-SOPInstanceUID, Accept",
            actual="; ".join(faults) or "conforme",
            exchanges=[seen.id for seen in found],
        )

    def expect_nothing_sent_to(self, source: str) -> None:
        """That Source received no request at all. The page that says so is the sentinel."""
        mark = self._story.stage.origin
        found = [
            seen
            for seen in self._story.stage.feed.since(mark)
            if seen.exchange.actor == source and seen.exchange.protocol == "HTTP"
        ]
        self._story.stage.expect(
            "aucun jeton n'est envoyé à cette Source",
            not found,
            expected="aucune requête",
            actual=f"{len(found)} requête(s)",
            exchanges=[seen.id for seen in found],
        )

    def expect_none_exported(self) -> None:
        """The local PACS holds nothing of the exam."""
        exam = self._story.exams[-1]
        held = self._story.bed.local_pacs.count(exam.study_uid)
        self._story.stage.expect(
            "aucune image n'arrive dans le PACS local",
            held == 0,
            expected="0 image",
            actual=f"{held} image(s)",
        )

    @property
    def _story(self) -> Story:
        return self._consulting.story


def series_asked(found: list[Seen]) -> Iterator[str]:
    """The series that these requests name whole."""
    for seen in found:
        request = seen.exchange.request
        try:
            resource = parse_path(request.start_line.split(" ")[1]) if request else None
        except (RemoteProtocolError, IndexError):
            continue
        if resource is not None and resource.level == "series" and resource.series:
            yield resource.series
