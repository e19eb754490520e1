"""Exports as the steps speak of them: twice, by another professional, in chosen syntaxes.

The Source is the neighbour, which checks nothing: what it is asked is what is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.cases import PURPOSE
from bench.consulting import Consulting
from bench.elsewhere import publish_at
from bench.feed import Seen
from bench.imported import series_asked
from bench.outcomes import CannotVerify, Refused
from bench.story import PlannedExam
from protocols import kos
from protocols.dicomweb import parse_accept
from protocols.errors import RemoteProtocolError
from simulators.psc import TEST_PROFESSIONALS
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.wado import AUTHORIZATION_HEADER, LOSSY_PROFILE
from wire.exchange import Direction

__all__ = ["Exporting"]

_LOSSY = frozenset(
    uid for uid, q in LOSSY_PROFILE if q == max(weight for _, weight in LOSSY_PROFILE)
)
"""The syntaxes that the sample for viewing ranks first: JPEG Baseline and Extended."""


@dataclass(slots=True)
class Exporting:
    """One exam at a Source of the white list, exported in several ways."""

    consulting: Consulting
    asked_again: int = 0
    """Position in the feed when the exam was asked for the second time."""

    def publish(self, series: int, *, transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN) -> None:
        """The neighbour serves the exam as it is, whose KOS is in the DMP."""
        story = self.consulting.story
        document = publish_at(
            story,
            story.case,
            story.patient,
            story.plan("CT", series, transfer_syntax=transfer_syntax),
            host=story.bed.site.names.neighbour,
            source=story.bed.neighbour,
        )
        self.consulting.publishing.preloaded.append(kos.decode(document))
        story.stage.publish_case()

    # -- Quand -------------------------------------------------------------------------------

    def export(self) -> None:
        """The radiologist exports the exam.

        Raises:
            CannotVerify: it did not arrive: what follows would prove nothing.
        """
        self.consulting.export()
        if self._stored() != self._exam.images:
            raise CannotVerify(f"premier export : {self.consulting.shown.text()[-200:]}")

    def export_again(self) -> None:
        """The RIS calls once more, and the same radiologist exports the same exam."""
        self.asked_again = self.consulting.story.stage.feed.mark()
        self.consulting.open_page()
        self.consulting.export()

    def export_by_another(self) -> None:
        """So does another radiologist of the same structure.

        Raises:
            CannotVerify: nobody else works there.
        """
        consulting, site = self.consulting, self.consulting.story.bed.site
        other = next(
            (
                one.id
                for one in TEST_PROFESSIONALS
                if one.id != site.reader
                for practice in one.practices
                for activity in practice.activities
                if activity.structure == site.reader_structure
            ),
            "",
        )
        if not other:
            raise CannotVerify(f"aucun autre professionnel de test à {site.reader_structure}")
        self.asked_again = consulting.story.stage.feed.mark()
        consulting.call(situation=site.reader_structure)
        consulting.login(other)
        consulting.export()

    def export_lossy(self) -> None:
        """The radiologist chooses lossy syntaxes for this export."""
        consulting = self.consulting
        profile = consulting.story.stage.profile
        consulting.story.case.facts[PURPOSE] = "export-lossy"
        consulting.story.stage.publish_case()
        try:
            consulting.export(fields={"syntaxe": "lossy"})
        except Refused as error:
            if profile.external_consumer() or profile.consumer.command:
                consulting.story.stage.leave_to_a_person(
                    f"choisir un export avec perte sur la page du produit ({error})"
                )
                return
            raise

    # -- Alors -------------------------------------------------------------------------------

    def expect_nothing_asked_again(self) -> None:
        """No series is asked for a second time; a person judges a product that keeps nothing."""
        story = self.consulting.story
        again = self._requests(since=self.asked_again)
        profile = story.stage.profile
        if again and (profile.external_consumer() or profile.consumer.command):
            story.stage.leave_to_a_person(
                f"{len(again)} requête(s) WADO-RS au second export : ce produit garde-t-il en "
                "cache les images exportées (DB.CO.69, facultatif) ?"
            )
            return
        story.stage.expect(
            "la Source n'est pas interrogée une seconde fois",
            not again,
            expected="aucune requête WADO-RS au second export",
            actual=f"{len(again)} requête(s)",
            exchanges=[seen.id for seen in again],
        )

    def expect_own_rights(self) -> None:
        """Each series was asked for again, with a token that the first radiologist had not."""
        story, exam = self.consulting.story, self._exam
        again = self._requests(since=self.asked_again)
        before = {_token(seen) for seen in self._requests(until=self.asked_again)}
        own = [seen for seen in again if _token(seen) not in before]
        left = {series.uid for series in exam.series} - set(series_asked(own))
        story.stage.expect(
            "l'autre professionnel obtient chaque série avec son propre jeton",
            not left,
            expected=f"{len(exam.series)} série(s) demandée(s) avec le jeton de l'autre",
            actual=f"{len(again)} requête(s) depuis son appel, dont {len(own)} avec un autre jeton",
            exchanges=[seen.id for seen in again],
        )

    def expect_lossy_preferred(self) -> None:
        """Every request ranks a lossy syntax above all the others."""
        found = self._requests()
        wrong = [seen for seen in found if not _preferred(seen) & _LOSSY]
        self.consulting.story.stage.expect(
            "les syntaxes avec perte ont le facteur q le plus haut",
            bool(found) and not wrong,
            expected=" ou ".join(sorted(_LOSSY)),
            actual=" ; ".join(
                ", ".join(sorted(_preferred(seen))) or "aucune" for seen in wrong or found
            )
            or "aucune requête WADO-RS",
            exchanges=[seen.id for seen in wrong or found],
        )

    def expect_all_stored(self) -> None:
        """The local PACS holds every image of the exam."""
        stored = self._stored()
        self.consulting.story.stage.expect(
            "toutes les images de l'examen sont dans le PACS local",
            stored == self._exam.images,
            expected=f"{self._exam.images} images",
            actual=f"{stored} ; la page dit : {self.consulting.shown.text()[-200:]}",
        )

    @property
    def _exam(self) -> PlannedExam:
        return self.consulting.story.exams[0]

    def _stored(self) -> int:
        return self.consulting.story.bed.local_pacs.count(self._exam.study_uid)

    def _requests(self, *, since: int = 0, until: int | None = None) -> list[Seen]:
        feed = self.consulting.story.stage.feed
        later = {seen.id for seen in feed.since(since)} if since else None
        past = {seen.id for seen in feed.since(until)} if until is not None else set()
        return [
            seen
            for seen in self.consulting.story.stage.seen("WADO-RS")
            if seen.exchange.direction is Direction.IN
            and (later is None or seen.id in later)
            and seen.id not in past
        ]


def _token(seen: Seen) -> str:
    request = seen.exchange.request
    return (request.header(AUTHORIZATION_HEADER) or "") if request else ""


def _preferred(seen: Seen) -> frozenset[str]:
    """The transfer syntaxes of the highest weight in Accept; none when it cannot be read."""
    request = seen.exchange.request
    if request is None:
        return frozenset()
    lines = [value for name, value in request.head if name.lower() == "accept"]
    try:
        ranges = parse_accept(lines)
    except RemoteProtocolError:
        return frozenset()
    best = max((one.q for one in ranges), default=0)
    return frozenset(one.transfer_syntax or "" for one in ranges if one.q == best)
