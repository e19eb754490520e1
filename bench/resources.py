"""What a DRIMbox of the network may ask of a Source beside a series: one image, several series at
once, what the Source itself announces."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bench.imaging import Imaging
from bench.outcomes import CannotVerify, NotClaimed
from protocols.dicom.pixels import frames_of, pixel_layout
from protocols.dicomweb import format_accept
from protocols.errors import RemoteProtocolError
from protocols.kos import SeriesEvidence
from simulators.peer import Manners, Retrieved
from spec.wado import LOSSLESS_PROFILE
from validators.capabilities.reading import read as read_capabilities
from validators.context import Context

__all__ = ["Resources"]

_SIMULTANEOUS = 5
"""DB.SO.35: five at least."""
_OCTETS = ('multipart/related; type="application/octet-stream"',)
_JSON = ("application/dicom+json",)


@dataclass(slots=True)
class Resources:
    """Requests of other resources than a whole series, and what must come of them."""

    imaging: Imaging
    together: list[tuple[SeriesEvidence, Retrieved]] = field(default_factory=list)
    """What was asked for at the same time, and what came of it."""

    # -- one image ---------------------------------------------------------------------------

    def ask_one_image(self) -> None:
        """The first image of the first series."""
        series = self._series(0)
        self.imaging.ask(series=series.series_uid, below=_instance_path(series))

    def expect_one_image(self) -> None:
        """That one, once, and nothing else."""
        wanted = self._series(0).instances[0].sop_instance
        answer = self.imaging.answered()
        got = [self.imaging.instance_in(part.head) for part in answer.parts]
        self.imaging.story.stage.expect(
            "la Source rend cette image et rien d'autre",
            answer.status in (200, 206) and answer.complete and got == [wanted],
            expected="200 et l'image demandée",
            actual=self.imaging.summary(answer),
        )

    def serve_second_series(self) -> None:
        """Somebody has seen it already.

        Raises:
            CannotVerify: it is not served.
        """
        answer = self.imaging.ask(series=self._series(1).series_uid)
        if not answer.images:
            raise CannotVerify(f"la série n'est pas servie : {self.imaging.summary(answer)}")

    def reject_image(self) -> None:
        """The PACS no longer shows the first image of the second series, and tells nobody."""
        story = self.imaging.story
        if story.native:
            raise CannotVerify("le banc ne retire pas d'image du PACS d'un produit natif")
        uid = self._series(1).instances[0].sop_instance
        if story.bed.pacs.remove(instance=uid) != 1:
            raise CannotVerify(f"l'image {uid} n'était pas dans le PACS")

    def ask_rejected_image(self) -> None:
        """Between two right requests for the first series."""
        series = self._series(1)
        self.imaging.ask_wrongly(series=series.series_uid, below=_instance_path(series))

    # -- how it is asked for -----------------------------------------------------------------

    def ask_preferring(self, transfer_syntax: str) -> None:
        """The ten syntaxes, one of them before all others."""
        profile = [(uid, 0.9 if uid == transfer_syntax else 0.4) for uid, _ in LOSSLESS_PROFILE]
        self._ask_accepting(format_accept(profile))

    def ask_in_one_line(self) -> None:
        """One Accept header, any boundary, a trailing comma, as in accepted ANS samples."""
        listed = ",".join(f"{one};boundary=**" for one in format_accept(LOSSLESS_PROFILE))
        self._ask_accepting((f"{listed},",))

    def expect_accepted_syntaxes(self) -> None:
        """Each image in one of the syntaxes that the request names."""
        taken = {uid for uid, _ in LOSSLESS_PROFILE}
        used = self.imaging.syntaxes_used()
        self.imaging.story.stage.expect(
            "chaque image est dans une syntaxe de transfert que la demande admet",
            used <= taken,
            expected=" ".join(sorted(taken)),
            actual=" ".join(sorted(used)),
        )

    def _ask_accepting(self, accept: tuple[str, ...]) -> None:
        self.imaging.ask(manners=replace(self.imaging.good_manners(), accept=accept))

    # -- several at once ---------------------------------------------------------------------

    def ask_together(self) -> None:
        """Five requests at the same time, of all the series in turn."""
        imaging = self.imaging
        listed = imaging.manifest.series()
        asked = [listed[number % len(listed)] for number in range(_SIMULTANEOUS)]
        bed = imaging.story.bed
        imaging.story.rely_on_white_list()
        peers = [bed.peer(bed.papers.clients["peer"]) for _ in asked]
        urls = [imaging.url(imaging.exam.study_uid, one.series_uid) for one in asked]
        manners = [imaging.good_manners() for _ in asked]

        async def together() -> list[Retrieved]:
            return await asyncio.gather(
                *(
                    peer.retrieve(url, shown)
                    for peer, url, shown in zip(peers, urls, manners, strict=True)
                )
            )

        self.together = list(zip(asked, bed.call(together), strict=True))

    def expect_each_its_own(self) -> None:
        """Each answer holds the images of the series asked for, each once, and no other."""
        if not self.together:
            raise CannotVerify("aucune demande n'a été faite")
        right = [
            answer
            for series, answer in self.together
            if answer.complete
            and sorted(self.imaging.instance_in(part.head) for part in answer.parts)
            == sorted(one.sop_instance for one in series.instances)
        ]
        self.imaging.story.stage.expect(
            "chaque demande simultanée reçoit sa série, entière et seule",
            len(right) == len(self.together),
            expected=f"{len(self.together)} séries",
            actual="; ".join(self.imaging.summary(answer) for _, answer in self.together),
        )

    # -- what the Source announces -----------------------------------------------------------

    def expect_announced(self) -> None:
        """Studies, metadata and frames are served where the capabilities list them.

        Réf.: what DRIMboxes must serve is the series and its images (ANS validator samples, grade:
        sample); the rest is the Source's to claim (PS3.18 8.9, grade: standard).

        Raises:
            NotClaimed: it lists none of them.
        """
        try:
            described = read_capabilities(self.imaging.answered().text.encode(), Context())
        except RemoteProtocolError as error:
            raise CannotVerify(f"capacités illisibles : {error}") from error
        paths = {method.path for method in described.methods if method.verb == "GET"}
        claimed = [
            (name, check)
            for pattern, name, check in self._checks()
            if any(re.search(pattern, path) for path in paths)
        ]
        if not claimed:
            raise NotClaimed("la Source n'annonce ni examen entier, ni métadonnées, ni images")
        wrong = [f"{name} : {why}" for name, check in claimed if (why := check())]
        self.imaging.story.stage.expect(
            "ce que la Source annonce est servi",
            not wrong,
            expected=", ".join(name for name, _ in claimed),
            actual="; ".join(wrong) or "servi",
        )

    def _checks(self) -> tuple[tuple[str, str, Callable[[], str]], ...]:
        return (
            (r"(^|/)studies/\{\}$", "examen entier", self._study),
            (r"series/\{\}/metadata$", "métadonnées d'une série", self._metadata),
            (r"instances/\{\}/frames/\{\}$", "images d'une instance", self._frames),
        )

    def _study(self) -> str:
        """What is wrong with the whole exam, "" when nothing is."""
        url = self._series_url().rpartition("/series/")[0]
        answer = self._get(url, self.imaging.good_manners())
        listed = self.imaging.manifest.series()
        wanted = sorted(one.sop_instance for series in listed for one in series.instances)
        got = sorted(self.imaging.instance_in(part.head) for part in answer.parts)
        if answer.status == 200 and answer.complete and got == wanted:
            return ""
        return f"{self.imaging.summary(answer)} au lieu de {len(wanted)}"

    def _metadata(self) -> str:
        manners = replace(self.imaging.good_manners(), accept=_JSON)
        answer = self._get(f"{self._series_url()}/metadata", manners)
        try:
            listed = json.loads(answer.text)
            got = sorted(one["00080018"]["Value"][0] for one in listed)
        except (ValueError, KeyError, IndexError, TypeError):
            return f"HTTP {answer.status}, pas un tableau d'objets DICOM en JSON"
        wanted = sorted(one.sop_instance for one in self._series(0).instances)
        if answer.status != 200 or got != wanted:
            return f"HTTP {answer.status}, {len(got)} objet(s) au lieu de {len(wanted)}"
        return ""

    def _frames(self) -> str:
        series = self._series(0)
        manners = replace(self.imaging.good_manners(), accept=_OCTETS)
        url = f"{self._series_url()}{_instance_path(series)}/frames/1"
        answer = self._get(url, manners)
        held = self.imaging.story.bed.pacs.stored(series.instances[0].sop_instance)
        if held is None:
            raise CannotVerify("l'image n'est pas dans le PACS")
        layout = pixel_layout(held.header, transfer_syntax=held.transfer_syntax)
        if layout is None:
            raise CannotVerify("l'image du PACS n'a pas de pixels")
        data = held.dataset()
        wanted = bytes(frames_of(data, transfer_syntax=held.transfer_syntax, layout=layout)[0])
        if answer.status == 200 and [part.head for part in answer.parts] == [wanted]:
            return ""
        return f"{self.imaging.summary(answer)}, d'autres octets que ceux du PACS"

    def _get(self, url: str, manners: Manners) -> Retrieved:
        bed = self.imaging.story.bed
        return bed.call(bed.peer(bed.papers.clients["peer"]).retrieve, url, manners)

    def _series_url(self) -> str:
        return self.imaging.url(self.imaging.exam.study_uid, self._series(0).series_uid)

    def _series(self, index: int) -> SeriesEvidence:
        wanted = self.imaging.exam.series[index].uid
        for one in self.imaging.manifest.series():
            if one.series_uid == wanted and one.instances:
                return one
        raise CannotVerify(f"le KOS ne référence pas la série {wanted}")


def _instance_path(series: SeriesEvidence) -> str:
    return f"/instances/{series.instances[0].sop_instance}"
