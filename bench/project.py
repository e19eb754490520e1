"""The project's draft scenarios of a Consumer, gesture after gesture: SCN_DB/CO.01 and CO.02.

Their situation (faq.md 17.3, grade: draft): two KOS in the DMP, exam A of two series and exam B,
images at a Source that has several transfer syntaxes, a local PACS. A driver makes the gestures;
with the driver `personne` each one is an instruction, and what it should leave on a screen is asked
for as a capture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from bench.attending import instruct
from bench.browser import Onlooker
from bench.cases import PURPOSE
from bench.consulting import Consulting
from bench.elsewhere import publish_at
from bench.imagery import acquisition
from bench.outcomes import CannotVerify, Refused
from bench.proving import another_product, by_person
from bench.story import PlannedExam
from protocols import kos
from simulators import modality
from simulators.ris.contextual_call import parameters
from simulators.user import UserError
from wire.http_client import HttpFailure

__all__ = ["Project"]

_MATRIX = 512
_IMAGE_MIB = _MATRIX * _MATRIX * 2 / 1024**2


@dataclass(slots=True)
class Project:
    """The radiologist of the drafts, and the exams A and B."""

    consulting: Consulting
    mark: int = field(default=0)
    """Position in the feed before the last gesture."""
    listing: str = field(default="")
    """Address of the list of exams."""

    # -- the situation -----------------------------------------------------------------------

    def publish(self) -> None:
        """Two KOS in the DMP, whose images the neighbour serves: the first series of A with loss,
        everything else without."""
        story = self.consulting.story
        a = story.plan("CT", 2)
        self._publish(a)
        offer = story.bed.neighbour.offers[a.study_uid]
        first = a.series[0].uid
        lossy = {first: tuple(modality.with_loss(file) for file in offer.series[first])}
        story.bed.neighbour.offer(replace(offer, series={**offer.series, **lossy}))
        wanted = story.stage.profile.load.export_mib
        b = story.plan("MR", 1, max(2, round(wanted / _IMAGE_MIB)))
        self._publish(b)
        if wanted:
            whole = acquisition(b, story.patient, matrix=_MATRIX)
            offer = story.bed.neighbour.offers[b.study_uid]
            files = tuple(modality.make(whole))
            story.bed.neighbour.offer(replace(offer, series={b.series[0].uid: files}))

    def _publish(self, exam: PlannedExam) -> None:
        story = self.consulting.story
        document = publish_at(
            story, story.case, story.patient, exam,
            host=story.bed.site.names.neighbour, source=story.bed.neighbour,
        )  # fmt: skip
        self.consulting.publishing.preloaded.append(kos.decode(document))
        story.stage.publish_case()

    def exam(self, letter: str) -> PlannedExam:
        """A or B."""
        return self.consulting.story.exams["AB".index(letter)]

    # -- the gestures ------------------------------------------------------------------------

    def call(self) -> None:
        """The RIS opens the Consumer, for whoever is at the workstation."""
        self._begin()
        if not self._person:
            self.consulting.call()
            return
        self.consulting.called = self.mark
        page = self._caller()
        self._gesture(f"ouvre {page} dans le navigateur du poste et presse « Appeler »")

    def login(self) -> None:
        """By Pro Santé Connect."""
        self._begin()
        if self._person:
            self._gesture("s'authentifie avec Pro Santé Connect")
            return
        self.consulting.login()
        self.listing = self.consulting.shown.url

    def open_list(self) -> None:
        """Call and login, unjudged: the exams are on the screen.

        Raises:
            CannotVerify: they are not.
        """
        self.call()
        self.login()
        if not self._person and not self._offers():
            raise CannotVerify(f"aucun examen : {self.consulting.shown.text()[:300]}")

    def look(self, letter: str, number: int) -> None:
        """That series of that exam in the viewer, which may be open already."""
        self._begin()
        consulting = self.consulting
        story = consulting.story
        story.case.facts[PURPOSE] = "viewing"
        story.stage.publish_case()
        if self._person:
            self._gesture(f"ouvre la série {number} de l'examen {letter} dans la visionneuse")
            return
        if not isinstance(consulting.user, Onlooker):
            raise CannotVerify("le pilote de cette page n'ouvre pas la visionneuse")
        series = self.exam(letter).series[number - 1].uid
        try:
            consulting.page = story.bed.call(consulting.user.look, series)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la visionneuse ne montre pas cette série : {error}") from error

    def back(self) -> None:
        """From the viewer to the list of exams."""
        self._begin()
        consulting = self.consulting
        if self._person:
            self._gesture("revient à la liste des examens")
            return
        if consulting.user is None:
            raise CannotVerify("le RIS n'a pas appelé la Consommatrice")
        try:
            consulting.page = consulting.story.bed.call(consulting.user.get, self.listing)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la liste des examens ne revient pas : {error}") from error
        if not self._offers():
            raise Refused(f"la liste des examens est vide : {consulting.shown.text()[:300]}")

    def export(self, letter: str) -> None:
        """That exam to the local PACS, until the page says that it is over."""
        self._begin()
        consulting = self.consulting
        consulting.story.case.facts[PURPOSE] = "viewing-and-export"
        consulting.story.stage.publish_case()
        if self._person:
            self._gesture(f"exporte l'examen {letter} vers le PACS local, jusqu'au bout")
            return
        consulting.export(self._place(letter))

    # -- how ---------------------------------------------------------------------------------

    @property
    def _person(self) -> bool:
        return by_person(self.consulting.story.stage)

    def _begin(self) -> None:
        self.mark = self.consulting.story.stage.feed.mark()

    def _gesture(self, what: str) -> None:
        instruct(self.consulting.story.stage, f"le radiologue {what}")

    def _offers(self) -> list[str]:
        return [form.id for form in self.consulting.shown.forms if form.id.startswith("export-")]

    def _place(self, letter: str) -> int:
        """Which of the page's exams it is: the one whose row says its modality.

        Raises:
            Refused: none is.
        """
        modality = self.exam(letter).modality
        words = {modality, {"CT": "Scanner", "MR": "IRM"}.get(modality, modality)}
        page = self.consulting.shown
        for number, form in enumerate(self._offers()):
            text = page.around(form) or ""
            if any(word in text for word in words):
                return number
        if not another_product(self.consulting.story.stage):
            raise Refused(f"la page n'offre pas l'export de l'examen {letter} ({modality})")
        return "AB".index(letter)

    def _caller(self) -> Path:
        """A page of the run that makes the RIS's contextual call from any browser."""
        story = self.consulting.story
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
            for name, value in parameters(self.consulting.here(story.patient))
        )
        web = story.bed.consumer["web"]
        port = urlsplit(f"//{web}").port
        url = f"https://{story.bed.site.names.consumer}:{port}/drim"
        page = story.stage.shard.run / f"appel-{story.stage.info.id}.html"
        page.write_text(
            '<!doctype html>\n<html lang="fr"><meta charset="utf-8">\n'
            "<title>Appel contextuel</title>\n"
            f'<form method="post" accept-charset="utf-8" action="{escape(url)}">\n{fields}'
            "<button>Appeler</button></form></html>\n",
            encoding="utf-8",
        )
        return page
