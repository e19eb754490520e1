"""What a Consumer endures, as the steps speak of it: a Source rude in one way after another.

An exam of the rude Source is asked for once under each of its faults, each time in an empty
browser, as if another radiologist tried. Two positive twins on the same endpoint surround that:
another patient's exam was exported just before, and the exam itself is exported once the Source
is itself again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bench.box_config import EXAM_MIB
from bench.consulting import Consulting
from bench.deadline import until
from bench.elsewhere import publish_at
from bench.feed import Seen
from bench.imagery import held
from bench.outcomes import CannotVerify, Refused
from bench.story import PlannedExam, people_of, plan_exam
from protocols import kos
from simulators.peer import MARKUP, PeerSource, RetrieveUrl, right_url
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.exchange import Exchange
from wire.faults import Value

__all__ = ["Enduring", "Rudeness", "Said"]

_MIB = 1024 * 1024
_ENOUGH_MIB = 256
"""A Consumer that tells of no limit and takes less than that has one."""
_DONE, _FAILED = "terminé", "échec"


class Said(StrEnum):
    """A class of message (the six of DB.VI-CO.27), by what the reference's page says of it."""

    CONNECTION = "connexion impossible"
    RETRIEVAL = "erreur de récupération"
    SOP_CLASS = "sop class"
    TRANSFER_SYNTAX = "syntaxe de transfert"
    TOKEN = "jeton"
    PROFESSION = "profession"
    UNTRUSTED = "liste blanche"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rudeness:
    """One fault of the Source's menu (`simulators.peer.MENU`), and how a step names it."""

    words: str
    kind: str
    on: str = "WADO-RS"
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of asking for the exam once."""

    words: str
    since: int
    until: int
    """Positions in the feed."""
    alerts: tuple[str, ...]
    text: str
    stored: frozenset[str]
    """SOPInstanceUIDs of the exams in the local PACS."""
    html: str = field(default="", repr=False)
    """The page that was shown last."""
    study_uid: str = ""
    """Of the exam that was asked for, where each attempt has its own."""

    @property
    def failed(self) -> bool:
        """The page says that the export failed, and not that it is over and well."""
        return _FAILED in self.text and _DONE not in self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """Images in the local PACS while the Source was slow: of the other exam, of the slow one."""

    wanted: int
    stored: int
    slow: int


@dataclass(slots=True)
class Enduring:
    """A Source of the white list, the exams that it serves, and what was asked of it."""

    consulting: Consulting
    attempts: list[Attempt] = field(default_factory=list)
    meanwhile: Meanwhile | None = None
    aside: Consulting = field(init=False)
    """The other patient's."""

    # -- Étant donné -------------------------------------------------------------------------

    def begin(self) -> None:
        """The Source gives another patient's exam.

        Raises:
            CannotVerify: it could not be exported: nothing that follows would prove anything.
        """
        exam = self._for_another(1)
        if self._stored(exam) != exam.images:
            raise CannotVerify(
                "la Source, encore polie, n'a pas pu donner l'examen d'un autre patient : "
                f"{self.aside.export_told[-200:]}"
            )

    def publish(self, series: int = 1) -> None:
        """It serves an exam of this patient too, whose KOS is in the DMP."""
        self._publish(self.consulting.story.plan("CT", series), right_url)

    def publish_at_addresses(self, addresses: Iterable[RetrieveUrl]) -> None:
        """One exam of this patient for each way to write where its images are; the stranger would
        serve them as well."""
        bed = self.consulting.story.bed
        for one in addresses:
            exam = self.consulting.story.plan("CT")
            self._publish(exam, one)
            bed.stranger.offer(self._source.offers[exam.study_uid])

    def _publish(self, exam: PlannedExam, retrieve_url: RetrieveUrl) -> None:
        story = self.consulting.story
        document = publish_at(
            story,
            story.case,
            story.patient,
            exam,
            host=story.bed.site.names.neighbour,
            source=self._source,
            retrieve_url=retrieve_url,
        )
        self.consulting.publishing.preloaded.append(kos.decode(document))
        story.stage.publish_case()

    def _for_another(self, number: int) -> PlannedExam:
        """The other patient's exam of that number is published, and exported with those before,
        in a browser of its own."""
        story = self.consulting.story
        self.aside = consulting = Consulting(story, self.consulting.publishing)
        bed, case = story.bed, story.stage.sentinel()
        other = people_of(case, bed.site.ipp_oid)
        exam = plan_exam(
            case, number, bed.site.accession_oid, bed.site.placer_oid,
            modality="CT", series=1, images=2, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )  # fmt: skip
        publish_at(story, case, other, exam, host=bed.site.names.neighbour, source=self._source)
        story.stage.adopt(case, "l'autre patient")
        for which in range(number):
            consulting.open_page(other)
            consulting.export(which)
        return exam

    def _stored(self, exam: PlannedExam) -> int:
        return self.consulting.story.bed.local_pacs.count(exam.study_uid)

    # -- Quand -------------------------------------------------------------------------------

    def ask_under(self, rudenesses: Sequence[Rudeness]) -> None:
        """Under each fault, a radiologist asks for the export of the exam."""
        for one in rudenesses:
            self._source.faults.set(one.kind, one.on, one.values)
            try:
                self._attempt(one.words)
            finally:
                self.mend()

    def ask_trapped(self, traps: Sequence[Rudeness]) -> None:
        """Under each fault, an exam of its own: what was believed once is not asked for again."""
        first = len(self.consulting.story.exams)
        self.publish()
        for _ in traps[1:]:
            self.publish()
        exams = self.consulting.story.exams[first:]
        for number, (one, exam) in enumerate(zip(traps, exams, strict=True), first):
            self._source.faults.set(one.kind, one.on, one.values)
            try:
                self._attempt(one.words, number, exam.study_uid)
            finally:
                self.mend()

    def ask_for_endless(self, one: Rudeness) -> None:
        """As `ask_under`, of an answer several times as large as the Consumer takes."""
        mib = 4 * (self._largest_mib or _ENOUGH_MIB)
        self.ask_under([replace(one, values={**one.values, "mio": mib})])

    def ask_while_slow(self) -> None:
        """A radiologist asks for the export of the exam, which comes one byte a second;
        meanwhile another exports another patient's exam from the same Source."""
        consulting, bed = self.consulting, self.consulting.story.bed
        slow, faults = consulting.story.exams[0], self._source.faults
        consulting.open_page()
        faults.set("lenteur", "WADO-RS", times=1, debit=1)
        consulting.begin_export()
        deadline_s = consulting.story.stage.profile.timing.effect_s
        if not until(lambda: not faults.placed, deadline_s=deadline_s):
            raise Refused("l'examen n'est pas demandé à la Source")
        other = self._for_another(2)
        self.meanwhile = Meanwhile(
            wanted=other.images,
            stored=self._stored(other),
            slow=bed.local_pacs.count(slow.study_uid),
        )
        self.mend()
        consulting.finish_export()

    def ask_each(self, words: Sequence[str]) -> None:
        """Each exam of the page in its turn."""
        for number, one in enumerate(words):
            self._attempt(one, number)

    def mend(self) -> None:
        """The Source is itself again."""
        self._source.faults.clear()

    def _attempt(self, words: str, number: int = 0, study_uid: str = "") -> None:
        consulting, bed = self.consulting, self.consulting.story.bed
        consulting.open_page()
        # A connection that was kept would be spared the handshake that is to be judged.
        bed.call(self._source.hang_up)
        since = consulting.story.stage.feed.mark()
        consulting.export(number)
        self.attempts.append(
            Attempt(
                words=words,
                since=since,
                until=consulting.story.stage.feed.mark(),
                alerts=consulting.shown.alerts,
                text=consulting.export_told,
                stored=frozenset(
                    uid
                    for exam in consulting.story.exams
                    for uid in held(bed.local_pacs, exam.study_uid)
                ),
                html=consulting.shown.html,
                study_uid=study_uid,
            )
        )

    # -- Alors -------------------------------------------------------------------------------

    def expect_each_failed(self) -> None:
        """The page says each time that the export failed."""
        self._expect_each(
            "la page dit à chaque fois que l'export a échoué",
            lambda one: "" if one.failed else one.text[-120:],
            expected="un message d'échec",
        )

    def expect_said(self, wanted: Sequence[Said]) -> None:
        """The message is of the class that DB.VI-CO.27 tells apart: a person's to judge on
        another page than the reference's, whose words are known."""
        profile = self.consulting.story.stage.profile
        if profile.external_consumer() or profile.consumer.command:
            told = " ; ".join(
                f"{one.words} : « {' / '.join(one.alerts) or one.text[-120:]} » (attendu : {said})"
                for one, said in zip(self.attempts, wanted, strict=True)
            )
            self.consulting.story.stage.leave_to_a_person(f"messages à juger : {told}")
            return
        classes = dict(zip((one.words for one in self.attempts), wanted, strict=True))
        self._expect_each(
            "chaque message est de la classe attendue",
            lambda one: (
                ""
                if any(classes[one.words] in alert.lower() for alert in one.alerts)
                else " / ".join(one.alerts) or "aucun message"
            ),
            expected=", ".join(f"{words} : {said}" for words, said in classes.items()),
        )

    def expect_none_stored(self) -> None:
        """Nothing of the exam is in the local PACS after any of these answers."""
        self._expect_each(
            "aucune image n'arrive dans le PACS local",
            lambda one: f"{len(one.stored)} image(s)" if one.stored else "",
            expected="0 image",
        )

    def expect_only_referenced(self) -> None:
        """What the local PACS holds of the exam is in its KOS, and nothing is said to be whole
        that is not."""
        referenced = {
            instance.sop_instance
            for manifest in self.consulting.publishing.manifests()
            for series in manifest.series()
            for instance in series.instances
        }

        def wrong(one: Attempt) -> str:
            if strangers := one.stored - referenced:
                return f"{len(strangers)} image(s) que le KOS ne référence pas"
            if not one.failed and one.stored != referenced:
                return f"dit terminé avec {len(one.stored)} image(s) sur {len(referenced)}"
            return ""

        self._expect_each(
            "rien n'arrive que le KOS ne référence, rien d'incomplet n'est dit terminé",
            wrong,
            expected="les images du KOS, ou un échec",
        )

    def expect_each_alone(self) -> None:
        """Each exam is whole in the local PACS, or said to have failed; nothing else is there."""
        bed = self.consulting.story.bed
        referenced = {
            manifest.study_uid: {one.sop_instance for one in manifest.instances()}
            for manifest in self.consulting.publishing.manifests()
        }

        def wrong(one: Attempt) -> str:
            stored = set(held(bed.local_pacs, one.study_uid))
            wanted = referenced[one.study_uid]
            if strangers := stored - wanted:
                return f"{len(strangers)} image(s) que le KOS ne référence pas"
            if not one.failed and stored != wanted:
                return f"dit terminé avec {len(stored)} image(s) sur {len(wanted)}"
            return ""

        self._expect_each(
            "chaque examen est entier dans le PACS local, ou dit en échec",
            wrong,
            expected="les images du KOS, ou un échec",
        )

    def expect_no_markup(self) -> None:
        """No page shows as markup what a file said."""
        self._expect_each(
            "aucune page ne porte de balise venue d'un fichier",
            lambda one: next((mark for mark in MARKUP if mark in one.html), ""),
            expected="du texte échappé",
        )

    def expect_cut(self) -> None:
        """No answer went on much beyond what the Consumer takes: what the network holds apart.

        Whose limit nobody has told may have one that is larger: a person's to say.
        """
        stage, largest = self.consulting.story.stage, self._largest_mib
        taken: dict[str, int] = {}
        for one in self.attempts:
            first = stage.feed.wait(
                lambda seen: (
                    seen.exchange.actor == self._source.actor
                    and seen.exchange.transaction == "WADO-RS"
                ),
                since=one.since,
                deadline_s=stage.profile.timing.effect_s,
            )[:1]
            taken[one.words] = sum(
                seen.exchange.response.size // _MIB for seen in first if seen.exchange.response
            )
        told = ", ".join(f"{words} : {mib} Mio" for words, mib in taken.items())
        if not largest and max(taken.values(), default=0) >= _ENOUGH_MIB:
            stage.leave_to_a_person(
                f"taille admise non dite (consumer.exam_mib) ; {told} pris par la Consommatrice"
            )
            return
        self._expect_each(
            "une réponse sans fin est coupée",
            lambda one: told if taken[one.words] > 2 * (largest or _ENOUGH_MIB) else "",
            expected=f"coupée vers {largest or _ENOUGH_MIB} Mio",
        )

    def expect_others_served(self) -> None:
        """The other patient's exam arrived while this one came byte by byte."""
        seen = self.meanwhile
        if seen is None:
            raise CannotVerify("aucun autre examen n'a été demandé")
        self.consulting.story.stage.expect(
            "l'autre examen est exporté pendant que la Source est lente",
            seen.stored == seen.wanted and seen.slow < self.consulting.story.exams[0].images,
            expected=f"{seen.wanted} images, avant celles de l'examen lent",
            actual=f"{seen.stored} image(s), {seen.slow} de l'examen lent",
        )

    def expect_no_request(self) -> None:
        """Neither the Source nor the stranger received an HTTP request, nor anything in clear."""
        self._expect_silence(lambda exchange: exchange.protocol == "HTTP" or _in_clear(exchange))

    def expect_nothing_elsewhere(self) -> None:
        """The stranger received no request, and nobody anything in clear."""
        self._expect_silence(
            lambda exchange: (
                (exchange.protocol == "HTTP" and exchange.actor == self._stranger.actor)
                or _in_clear(exchange)
            )
        )

    def expect_still_gives(self) -> None:
        """A second exam of the other patient is exported from the same Source."""
        exam = self._for_another(2)
        # The page still says "terminé" of the exam that was exported before: not of this one yet.
        until(
            lambda: self._stored(exam) >= exam.images,
            deadline_s=self.consulting.story.stage.profile.timing.effect_s,
        )
        self.consulting.story.stage.expect(
            "la Source donne encore l'examen d'un autre patient",
            self._stored(exam) == exam.images,
            expected=f"{exam.images} images",
            actual=f"{self._stored(exam)} image(s) ; la page dit : {self.aside.export_told[-200:]}",
        )

    def expect_recovered(self) -> None:
        """The Source is itself again: the exam is exported, whole."""
        self.consulting.open_page()
        self.consulting.export()
        self.expect_whole()

    def expect_whole(self) -> None:
        """The local PACS holds the exam, all of it."""
        consulting, exam = self.consulting, self.consulting.story.exams[0]
        bed = consulting.story.bed
        wanted = {
            instance.sop_instance
            for manifest in consulting.publishing.manifests()
            for series in manifest.series()
            for instance in series.instances
        }
        got = held(bed.local_pacs, exam.study_uid)
        consulting.story.stage.expect(
            "toutes les images de l'examen arrivent dans le PACS local",
            got == wanted,
            expected=f"{len(wanted)} images",
            actual=f"{len(got)} images ; la page dit : {consulting.shown.text()[-200:]}",
        )

    # -- reading -----------------------------------------------------------------------------

    @property
    def _largest_mib(self) -> int:
        """What the Consumer takes of one answer; 0: nobody told."""
        profile = self.consulting.story.stage.profile
        return profile.consumer.exam_mib or (0 if profile.external_consumer() else EXAM_MIB)

    @property
    def _source(self) -> PeerSource:
        return self.consulting.story.bed.neighbour

    @property
    def _stranger(self) -> PeerSource:
        return self.consulting.story.bed.stranger

    def _expect_silence(self, is_one: Callable[[Exchange], bool]) -> None:
        actors = {self._source.actor, self._stranger.actor}
        feed = self.consulting.story.stage.feed
        found: dict[str, list[Seen]] = {
            one.words: [
                seen
                for seen in feed.since(one.since)[: one.until - one.since]
                if seen.exchange.actor in actors and is_one(seen.exchange)
            ]
            for one in self.attempts
        }
        self._expect_each(
            "aucun jeton ne part vers qui n'est pas établi de confiance",
            lambda one: f"{len(found[one.words])} requête(s)" if found[one.words] else "",
            expected="aucune requête",
            exchanges=[seen.id for some in found.values() for seen in some],
        )

    def _expect_each(
        self,
        what: str,
        wrong: Callable[[Attempt], str],
        *,
        expected: str,
        exchanges: Iterable[str] = (),
    ) -> None:
        if not self.attempts:
            raise CannotVerify("l'examen n'a pas été demandé")
        faults = [f"{one.words} : {told}" for one in self.attempts if (told := wrong(one))]
        self.consulting.story.stage.expect(
            what,
            not faults,
            expected=expected,
            actual=" ; ".join(faults) or f"{len(self.attempts)} fois comme attendu",
            exchanges=exchanges,
        )


def _in_clear(exchange: Exchange) -> bool:
    """HTTP without TLS to a port of TLS: what it said was read by whoever listened."""
    return exchange.protocol == "TLS" and "HTTP_REQUEST" in (exchange.reason or "").upper()
