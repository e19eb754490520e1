"""What the draft scenarios of a Consumer want proved, gesture after gesture (faq.md 17.3).

A proof of kind "journal" is an exchange that the bench recorded; where nobody of ours stands on
that wire, the vendor's log is asked for. A capture is a screen that is kept, and a measure is kept
with its conditions. What a screen must say is looked for on the reference's, and a person judges
another product's.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.browser import Timekeeper
from bench.deadline import until
from bench.feed import Seen
from bench.imagery import export_differences, patient_ids
from bench.measured import Measure
from bench.pace import Grading, Series, grade_first, grade_rate, load_of_machine, series_of, sum_of
from bench.project import Project
from bench.proving import another_product, by_person, keep_measure, keep_screen
from bench.stage import Stage
from bench.story import PlannedSeries
from bench.viewing import lossy_fault
from protocols.dicom import split_part10
from protocols.dicomweb import parse_path
from protocols.errors import RemoteProtocolError
from simulators import modality
from spec.wado import AUTHORIZATION_HEADER, KOS_HEADER
from wire.exchange import Direction

__all__ = ["ProjectProofs"]

_BROWSER = frozenset({"appel-contextuel", "consumer-page"})
"""Transactions on the wire between a workstation and the product."""
_USAGE = "non diagnostique"


@dataclass(slots=True)
class ProjectProofs:
    """What is looked for after each gesture."""

    project: Project

    # -- journals ----------------------------------------------------------------------------

    def logged(self, proof: str, transaction: str, what: str, *, detail: str = "") -> None:
        """Since the last gesture the bench has recorded that exchange."""
        stage = self._stage
        if by_person(stage) and transaction in _BROWSER:
            stage.leave_to_a_person(
                f"{what} : joindre le journal du produit (drimbench attach @1 {proof} FICHIER)"
            )
            return
        stage.await_exchanges(
            transaction,
            f"{proof} : {what}",
            where=lambda seen: not detail or seen.exchange.detail == detail,
            since=self.project.mark,
        )

    def asked(self, proof: str, letter: str, number: int) -> None:
        """The series was asked for at series level, with the token and the KOS of its own exam,
        and to be looked at."""
        exam = self.project.exam(letter)
        found = self._retrievals(proof, letter, number)
        kos = self.project.consulting.story.case.uid(f"le KOS de {exam.study_uid}")
        faults = []
        for seen in found:
            request = seen.exchange.request
            assert request is not None
            if not (request.header(AUTHORIZATION_HEADER) or "").startswith("Bearer "):
                faults.append("jeton absent")
            if (said := request.header(KOS_HEADER)) != kos:
                faults.append(f"identifiant de KOS {said}, et non celui de cet examen")
            if fault := lossy_fault(seen.exchange):
                faults.append(fault)
        self._stage.expect(
            f"{proof} : la demande est celle d'une série à voir, avec jeton et KOS de l'examen",
            not faults,
            expected=f"Authorization, {KOS_HEADER} {kos}, syntaxes avec perte en tête",
            actual=" ; ".join(faults) or "conforme",
            exchanges=[seen.id for seen in found],
        )

    def answered(self, proof: str, letter: str, number: int, *, lossy: bool) -> None:
        """The Source gave the whole series, in a syntax with loss or without."""
        series = self._series(letter, number)
        found = self._retrievals(proof, letter, number)
        given = [series_of(seen.exchange) for seen in found]
        right = [
            one
            for one in given
            if one.images == series.images
            and (modality.JPEG_2000 in one.transfer_syntaxes) is lossy
        ]
        how = "avec perte" if lossy else "sans perte"
        self._stage.expect(
            f"{proof} : la Source rend la série {how}",
            bool(right),
            expected=f"{series.images} image(s) {how}",
            actual=" ; ".join(
                f"{one.images} image(s) {', '.join(one.transfer_syntaxes)}" for one in given
            ),
            exchanges=[seen.id for seen in found],
        )

    # -- screens -----------------------------------------------------------------------------

    def psc_window(self, proof: str) -> None:
        """The login is asked by Pro Santé Connect itself; by CIBA, the page asks who it is."""
        consulting, stage = self.project.consulting, self._stage
        keep_screen(consulting, proof, "la fenêtre de Pro Santé Connect")
        if by_person(stage):
            return
        if stage.profile.options.get("login_mode") == "ciba":
            title = consulting.shown.title
            self._says(
                proof, "la page demande qui se connecte", consulting.asks_login, "oui", title
            )
            return
        host = urlsplit(consulting.story.bed.psc.url).netloc
        shown = urlsplit(consulting.shown.url).netloc
        self._says(proof, "la fenêtre est celle de Pro Santé Connect", shown == host, host, shown)

    def listing(self, proof: str) -> None:
        """The page shows exams A and B, and who is logged in."""
        consulting, stage = self.project.consulting, self._stage
        keep_screen(consulting, proof, "la liste des examens, le professionnel et l'heure")
        if by_person(stage):
            return
        story = consulting.story
        offers = sum(form.id.startswith("export-") for form in consulting.shown.forms)
        reader = story.bed.psc.professional(story.bed.site.reader)
        text = consulting.shown.text()
        left = [word for word in (reader.family, reader.given) if word not in text]
        self._says(
            proof,
            "la page présente les examens A et B, et le professionnel connecté",
            offers == len(story.exams) and not left,
            f"{len(story.exams)} examens, {reader.given} {reader.family}",
            f"{offers} examen(s) ; absent : {', '.join(left) or 'rien'}",
        )

    def viewer(self, proof: str) -> None:
        """The viewer shows whose images these are, and what they are not for."""
        consulting, stage = self.project.consulting, self._stage
        keep_screen(
            consulting,
            proof,
            "la visionneuse : images, progression, traits d'identité, attributs de la série, "
            "mention de non-usage diagnostique",
        )
        if by_person(stage):
            return
        patient = consulting.story.patient
        assert patient.ins is not None
        text = consulting.shown.text()
        compact = "".join(text.split())
        left = [
            word
            for word in (patient.family, patient.given, patient.ins.value, _USAGE)
            if "".join(word.split()).lower() not in compact.lower()
        ]
        self._says(
            proof,
            "la visionneuse dit les traits d'identité et le non-usage diagnostique",
            not left,
            f"{patient.family} {patient.given}, {patient.ins.value}, « {_USAGE} »",
            f"absent : {', '.join(left) or 'rien'}",
        )

    # -- the local PACS ----------------------------------------------------------------------

    def found_by_ipp(self, proof: str, letter: str) -> None:
        """The local PACS holds the exam, all of it, under the patient's local IPP."""
        story, exam = self.project.consulting.story, self.project.exam(letter)
        archive = story.bed.local_pacs
        until(
            lambda: archive.count(exam.study_uid) >= exam.images,
            deadline_s=self._stage.profile.timing.effect_s,
        )
        ipp = self.project.consulting.here(story.patient).ipp
        assert ipp is not None
        ids = patient_ids(archive, exam.study_uid)
        self._stage.expect(
            f"{proof} : l'examen {letter} est dans le PACS local sous l'IPP local",
            ids == {ipp.value} and archive.count(exam.study_uid) == exam.images,
            expected=f"{exam.images} image(s) de {ipp.value}",
            actual=f"{archive.count(exam.study_uid)} image(s) de {', '.join(sorted(ids)) or '?'}",
        )

    def same_images(self, proof: str, letter: str) -> None:
        """But for the patient's identifiers they are those that the Source gave."""
        story, exam = self.project.consulting.story, self.project.exam(letter)
        offer = story.bed.neighbour.offers[exam.study_uid]
        given = {
            split_part10(file).sop_instance: file
            for files in offer.series.values()
            for file in files
        }
        stored = story.bed.local_pacs.instances(exam.study_uid)
        faults = [
            fault
            for one in stored
            if (fault := _unlike(one.file(), given.get(one.sop_instance), one.sop_instance))
        ]
        self._stage.expect(
            f"{proof} : les images exportées sont celles de la Source",
            bool(stored) and not faults,
            expected="seuls les identifiants du patient changent",
            actual=" ; ".join(faults[:3]) or f"{len(stored)} image(s) identique(s)",
        )

    # -- measures ----------------------------------------------------------------------------

    def first_image(self, proof: str, letter: str, number: int) -> None:
        """How soon the first image came, from the wire and from the browser (DB.VI-CO.39)."""
        found = self._retrievals(proof, letter, number)
        wire = series_of(found[-1].exchange)
        user = self.project.consulting.user
        screen = user.first_image_s if isinstance(user, Timekeeper) else None
        first = screen if screen is not None else wire.first_s
        load = self._stage.profile.load
        self._measured(
            proof,
            "le délai de la première image est mesuré",
            wire,
            first is not None,
            grade_first(first, load) if first is not None else Grading.BEYOND,
            f"{load.first_image_s:g} s, ou {load.first_image_scenario_s:g} s + "
            f"{load.first_image_margin:.0%} (DB.VI-CO.39)",
            found,
            screen=screen,
        )

    def export_rate(self, proof: str, letter: str) -> None:
        """How fast the exam reached the local PACS (DB.VI-CO.40)."""
        exam = self.project.exam(letter)
        found = [
            seen
            for seen in self._stage.seen("C-STORE")
            if seen.exchange.direction is Direction.IN and exam.study_uid in seen.exchange.keys
        ]
        wire = sum_of([seen.exchange for seen in found])
        load = self._stage.profile.load
        self._measured(
            proof,
            "le débit de l'export est mesuré",
            wire,
            wire.images > 0,
            grade_rate(wire.megabits_s, load),
            f"{load.throughput_mbps:g} Mbit/s (DB.VI-CO.40)",
            found,
        )

    def _measured(
        self,
        proof: str,
        what: str,
        wire: Series,
        known: bool,
        grading: Grading,
        limits: str,
        found: list[Seen],
        *,
        screen: float | None = None,
    ) -> None:
        """Record a measure with its conditions; another product's is graded, and never failed."""
        stage = self._stage
        judged = another_product(stage)
        machine = load_of_machine()
        measure = Measure(
            proof=proof,
            wire=wire,
            screen_first_image_s=screen,
            limits=limits,
            grading=grading,
            graded=judged,
        )
        told = measure.told
        conditions = {"source": "simulée, sur la machine du banc", "machine": machine}
        keep_measure(stage, proof, {**measure.as_dict(), "conditions": conditions})
        stage.expect(
            f"{proof} : {what}",
            known,
            expected=f"une mesure ; pour mémoire : {limits}",
            actual=f"{told} ; {grading.value} ; machine {machine}"
            + ("" if judged else " ; boîte et banc sur la même machine : non jugé"),
            exchanges=[seen.id for seen in found],
        )
        if judged and grading is Grading.TOLERATED:
            stage.tolerate(f"{told} : tenu par le second seuil seulement ({limits})")
        elif judged and grading is Grading.BEYOND:
            stage.leave_to_a_person(f"{told} pour {limits}, machine {machine} : juger les chiffres")

    # -- how ---------------------------------------------------------------------------------

    @property
    def _stage(self) -> Stage:
        return self.project.consulting.story.stage

    def _says(self, proof: str, what: str, met: bool, expected: str, actual: str) -> None:
        """What a screen shows: the reference's is read, another product's is left to a person."""
        if not met and another_product(self._stage):
            self._stage.leave_to_a_person(f"{what} ? {actual}")
            return
        self._stage.expect(f"{proof} : {what}", met, expected=expected, actual=actual)

    def _series(self, letter: str, number: int) -> PlannedSeries:
        return self.project.exam(letter).series[number - 1]

    def _retrievals(self, proof: str, letter: str, number: int) -> list[Seen]:
        """The requests for that series since the RIS called: a viewer may ask ahead."""
        uid = self._series(letter, number).uid
        return self._stage.await_exchanges(
            "WADO-RS",
            f"{proof} : la série {number} de l'examen {letter} est demandée à la Source",
            where=lambda seen: seen.exchange.direction is Direction.IN and _series_of(seen) == uid,
            since=self.project.consulting.called,
        )


def _unlike(exported: bytes, origin: bytes | None, uid: str) -> str:
    return export_differences(exported, origin) if origin else f"{uid} n'est pas de cet examen"


def _series_of(seen: Seen) -> str | None:
    request = seen.exchange.request
    try:
        resource = parse_path(request.start_line.split(" ")[1]) if request else None
    except (RemoteProtocolError, IndexError):
        return None
    return resource.series if resource is not None and resource.level == "series" else None
