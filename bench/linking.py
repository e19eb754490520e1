"""The link of a report as the steps speak of it: somebody follows it into the Source's viewer.

What is seen is what the pages say and what the browser is sent: whose images, which ones, or why
none. Réf.: DB.VI_SO.07, .08, .09, .28, DB.VI-SO.33, DB.VI-CS.26, .29, grade: draft.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, urlencode, urlsplit

from bench.administration import Row
from bench.attacking import shows_stack
from bench.deadline import until
from bench.imagery import held
from bench.imaging import Imaging
from bench.living import Living
from bench.outcomes import CannotVerify, NotClaimed, Refused
from bench.story import PlannedExam, Story
from simulators.pacs import Pacs
from simulators.user import Page, User, UserError
from spec.viewer import PARAMETERS
from wire.http_client import HttpFailure

__all__ = ["WRONG", "Linking", "Opened"]

_STUDY, _ACCESSION, _REPORT = PARAMETERS[1:]
_PARAMETER = MappingProxyType(
    {"l'examen": _STUDY, "le numéro d'accession": _ACCESSION, "le compte rendu": _REPORT}
)
"""Words of the steps -> parameter of the link."""
WRONG: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "sans studyUID": {_STUDY: None},
        "sans accessionNumber": {_ACCESSION: None},
        "sans idCDA": {_REPORT: None},
        "studyUID qui n'est pas un UID": {_STUDY: "1.2.3.x"},
        "requestType=SERIES": {PARAMETERS[0]: "SERIES"},
    }
)
"""Words -> what is changed in the link; None: left out."""
_NOT_DIAGNOSTIC = ("non diagnostique", "non-diagnostique", "pas diagnostique", "pas un diagnostic")
_PROFESSIONAL, _PATIENT = "professionnel", "patient"
_TRANSACTIONS = ("IID", "source-viewer")
_SERVER_ERROR = 500
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What came of a link: the pages in their order, and what else the browser was sent."""

    words: str
    link: str
    pages: tuple[Page, ...]
    sent: bytes = field(repr=False)
    """Everything that the viewer answered, one answer behind the other."""
    exchanges: tuple[str, ...]

    @property
    def last(self) -> Page:
        """The page that is left."""
        return self.pages[-1]

    @property
    def text(self) -> str:
        """What could be read, one page after the other."""
        return " ".join(page.text() for page in self.pages)

    def told(self) -> str:
        """In a few words of French."""
        said = " / ".join(self.last.alerts) or self.last.text()[:160] or "rien"
        return f"HTTP {self.last.status}, {said}"


@dataclass(slots=True)
class Linking:
    """Somebody who holds the report, and the links that they followed."""

    imaging: Imaging
    living: Living
    opened: Opened | None = None
    """By the step before."""
    attempts: list[Opened] = field(default_factory=list)
    _user: User | None = None
    _pages: list[Page] = field(default_factory=list)
    _mark: int = 0
    _followed: str = ""

    # -- Étant donné -------------------------------------------------------------------------

    def claimed(self) -> None:
        """The links of this Source's reports lead to a viewer that the bench knows.

        Raises:
            NotClaimed: the product has none.
        """
        if not self.story.bed.source.get("viewer"):
            raise NotClaimed("DB.VI_SO.07 : le profil ne donne pas source.viewer")

    # -- Quand -------------------------------------------------------------------------------

    def follow(self) -> None:
        """The link of the report, in an empty browser; nobody is logged in."""
        self.arrive_by("le lien du compte rendu", self.link())

    def arrive_by(self, words: str, link: str) -> None:
        """A link that was read somewhere, in an empty browser; nobody is logged in."""
        self._arrive(link)
        self.opened = self._seen(words)

    def open_found(self, words: str, link: str) -> None:
        """A link that was read somewhere, to the images."""
        self.opened = self._open(words, link)

    def go_on(self) -> None:
        """Say to be a professional, log in, look at the images."""
        self._log_in()
        self._look()
        self.opened = self._seen("le lien du compte rendu")

    def say_patient(self) -> None:
        """Say to be the patient.

        Raises:
            CannotVerify: the product lets patients in, by a means that nobody plays here.
        """
        if self.story.stage.profile.options.get("patient_access") == "oui":
            raise CannotVerify(
                "options.patient_access est « oui » : le banc n'authentifie pas de patient"
            )
        assert self._user is not None
        self._turn(self._user.choose, _PATIENT)
        self.opened = self._seen("le lien du compte rendu, suivi par un patient")

    def open_as_professional(self) -> None:
        """From the link to the images."""
        self.open_found("le lien du compte rendu", self.link())

    def alter(self, words: str) -> None:
        """That identifier is the other exam's, then one that is nobody's; each link between two
        right ones."""
        name = _PARAMETER[words]
        other = dict(parse_qsl(urlsplit(self.link(self._other())).query))[name]
        values = {"celui de l'autre examen": other, "celui de personne": self._nobodys(name)}
        self._play(
            (f"{name}, {whose}", self.link(changed={name: value}))
            for whose, value in values.items()
        )

    def miswrite(self, listed: Iterable[str]) -> None:
        """Links that break the grammar."""
        self._play((words, self.link(changed=WRONG[words])) for words in listed)

    def follow_depublished(self) -> None:
        """The report's link again, between two right links of the other exam's."""
        self._play([("le lien de l'examen dépublié", self.link())], good=self._other())

    def follow_without_pacs(self) -> None:
        """The right link while the PACS is down, between two while it is up.

        Raises:
            CannotVerify: it is not for the bench to stop that PACS.
        """
        pacs = self.story.bed.pacs
        if self.story.native or not isinstance(pacs, Pacs):
            raise CannotVerify("le PACS de la Source n'est pas au banc, qui ne peut pas l'arrêter")
        self._twin("avant", None)
        pacs.stop()
        try:
            self.attempts.append(self._open("le lien juste, PACS arrêté", self.link()))
        finally:
            pacs.start()
        words = "le lien juste, PACS redémarré"
        until(
            # A Source may leave a PACS alone for a while that did not answer.
            lambda: not self._fault(self._open(words, self.link()), self.exam),
            deadline_s=self.story.stage.profile.timing.effect_s,
        )
        self._twin("PACS redémarré", None)

    def _play(self, links: Iterable[tuple[str, str]], good: PlannedExam | None = None) -> None:
        self._twin("avant", good)
        for words, link in links:
            self.attempts.append(self._open(words, link))
            self._twin(f"après « {words} »", good)

    # -- Alors -------------------------------------------------------------------------------

    def expect_asked(self) -> None:
        """The viewer asks who is there, before anything else (DB.VI_SO.08)."""
        opened = self._given()
        offered = [
            *(link.label for link in opened.last.links),
            *(one.label for form in opened.last.forms for one in form.buttons),
        ]
        missing = [
            words
            for words in (_PROFESSIONAL, _PATIENT)
            if not any(one.casefold().startswith(words) for one in offered)
        ]
        self._expect(
            opened,
            "la visionneuse demande si l'on est patient ou professionnel",
            not missing and opened.last.status < _SERVER_ERROR,
            "un choix « professionnel » et un choix « patient »",
            f"{', '.join(offered) or 'aucun choix'} ; {opened.told()}",
        )

    def expect_nothing_shown(self) -> None:
        """Neither the patient nor an image, to who has not logged in."""
        self._expect_untold(self._given(), "rien n'est montré à qui ne s'est pas authentifié")

    def expect_images(self) -> None:
        """Images of this exam, and of no other."""
        opened = self._given()
        fault = self._fault(opened, self.exam)
        self._expect(
            opened, "la visionneuse montre les images de l'examen", not fault,
            "des images de l'examen, d'aucun autre", fault,
        )  # fmt: skip

    def expect_traits(self) -> None:
        """Every INS trait that is known can be read (DB.VI-CS.29)."""
        opened, patient = self._given(), self.story.patient
        assert patient.ins is not None
        born = patient.birth_date
        wanted = {
            "nom de naissance": (patient.family,),
            "premier prénom": (patient.given,),
            "date de naissance": (f"{born[6:]}/{born[4:6]}/{born[:4]}", born,
                                  f"{born[:4]}-{born[4:6]}-{born[6:]}"),
            "matricule INS": (patient.ins.value,),
        }  # fmt: skip
        text = opened.text.casefold()
        missing = [
            name
            for name, forms in wanted.items()
            if not any(one.casefold() in text for one in forms)
        ]
        self._expect(
            opened, "la visionneuse montre les traits du patient", not missing,
            ", ".join(wanted), f"il manque {', '.join(missing)}" if missing else "tous",
        )  # fmt: skip

    def expect_not_diagnostic(self) -> None:
        """Where images are shown, what they are not for is written (DB.VI-CS.26)."""
        opened = self._given()
        text = opened.last.text().casefold()
        self._expect(
            opened, "la visionneuse dit que l'usage n'est pas diagnostique",
            any(one in text for one in _NOT_DIAGNOSTIC), "« usage non diagnostique »", text[:200],
        )  # fmt: skip

    def expect_refused(self) -> None:
        """Each link gets a message, and nothing of any exam or patient."""
        if not self.attempts:
            raise CannotVerify("aucun lien n'a été suivi")
        for one in self.attempts:
            told = " ".join(one.last.alerts) or one.last.text()
            status = one.last.status
            answered = status < _SERVER_ERROR or (status == _UNAVAILABLE and bool(told))
            self._expect(
                one, "est refusé par un message", answered and bool(told.strip()),
                "une page qui dit pourquoi (DB.VI_SO.28)", one.told(),
            )  # fmt: skip
            self._expect_untold(one, "est refusé sans rien montrer")

    def expect_patients_told(self) -> None:
        """A page says that the way of patients is closed."""
        opened = self._given()
        told = " ".join(opened.last.alerts) or opened.last.text()
        self._expect(
            opened, "dit que l'accès n'est pas ouvert",
            bool(told.strip()) and opened.last.status < _SERVER_ERROR,
            "un message", opened.told(),
        )  # fmt: skip

    def expect_traced(self) -> None:
        """The opened link is in the trail, with who opened it."""
        reader = self.story.bed.site.reader
        self.imaging.administration.expect(
            "audit",
            "l'ouverture des images par le lien est tracée",
            lambda row: (
                row.get("EventOutcomeIndicator") == 0
                and self.exam.study_uid in str(row)
                and reader in str(row)
            ),
            expected="un événement d'issue 0 qui nomme l'examen et le professionnel",
        )

    def expect_refusals_traced(self) -> None:
        """Each refused link is a failure in the trail, with its reason (DB.SO.47)."""
        reader = self.story.bed.site.reader
        for one in self.attempts:
            study = dict(parse_qsl(urlsplit(one.link).query)).get(_STUDY, "")

            def matches(row: Row, study: str = study) -> bool:
                return (
                    row.get("EventOutcomeIndicator") not in (0, None)
                    and study in str(row)
                    and reader in str(row)
                    and bool(row.get("EventOutcomeDescription"))
                )

            self.imaging.administration.expect(
                "audit",
                f"{one.words} : le refus est tracé",
                matches,
                expected="un événement d'échec qui nomme l'examen et le professionnel, et dit "
                "pourquoi",
            )

    def expect_visit_traced(self) -> None:
        """Who follows a link and goes no further leaves a trace, which is no success."""
        self.imaging.administration.expect(
            "audit",
            "le lien suivi sans authentification est tracé",
            lambda row: (
                row.get("EventOutcomeIndicator") not in (0, None)
                and self.exam.study_uid in str(row)
            ),
            expected="un événement d'échec qui nomme l'examen",
        )

    # -- the link ----------------------------------------------------------------------------

    def link(
        self, exam: PlannedExam | None = None, *, changed: Mapping[str, str | None] | None = None
    ) -> str:
        """As the report of that exam, this scenario's by default, writes it; some parameters are
        changed, or left out when they are None."""
        report = self.story.report()
        id = report.id if exam is None else self.story.case.uid("un autre compte rendu")
        one = exam or self.exam
        values: dict[str, str | None] = {
            **dict(parse_qsl(urlsplit(report.links()[0]).query)),
            _STUDY: one.study_uid,
            _ACCESSION: one.accession.value,
            _REPORT: id,
            **(changed or {}),
        }
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{report.links()[0].partition('?')[0]}?{query}"

    @property
    def story(self) -> Story:
        """The scenario's."""
        return self.imaging.story

    @property
    def exam(self) -> PlannedExam:
        """That of the report."""
        return self.imaging.exam

    def _other(self) -> PlannedExam:
        if self.living.other is None:
            raise CannotVerify("aucun autre examen publié")
        return self.living.other

    def _nobodys(self, name: str) -> str:
        case = self.story.case
        value = (
            case.number("un numéro d'accession inconnu", "ACN")
            if name == _ACCESSION
            else case.uid(f"un {name} inconnu")
        )
        self.story.stage.publish_case()
        return value

    # -- the browser -------------------------------------------------------------------------

    def _open(self, words: str, link: str) -> Opened:
        """As far as the viewer lets a professional go; what is in the way is the answer."""
        try:
            self._arrive(link)
            if self._offers(_PROFESSIONAL):
                self._log_in()
                if self._pages[-1].status < 400:
                    self._look()
        except UserError as error:
            raise Refused(f"{words} : la visionneuse ne va pas plus loin : {error}") from error
        finally:
            self.leave()
        return self._seen(words)

    def _arrive(self, link: str) -> None:
        self.leave()
        self._user = self.story.bed.reader()
        self._mark, self._pages = self.story.stage.feed.mark(), []
        self._followed = link
        self._turn(self._user.arrive, link)

    def _log_in(self) -> None:
        bed = self.story.bed
        reader = bed.psc.professional(bed.site.reader)
        assert self._user is not None
        self._turn(self._user.choose, _PROFESSIONAL, shown=False)
        self._turn(self._user.login, reader.id)

    def _look(self) -> None:
        assert self._user is not None
        if any(one.label.startswith("Voir") for one in self._pages[-1].links):
            self._turn(self._user.look)

    def _turn(
        self, gesture: Callable[..., Awaitable[Page]], *arguments: str, shown: bool = True
    ) -> None:
        """One gesture of theirs; PSC's own pages are not shown by the viewer."""
        try:
            page = self.story.bed.call(gesture, *arguments)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la visionneuse de la Source : {error}") from error
        if shown:
            self._pages.append(page)

    def _offers(self, words: str) -> bool:
        page = self._pages[-1]
        return any(
            one.casefold().startswith(words)
            for one in (
                *(link.label for link in page.links),
                *(button.label for form in page.forms for button in form.buttons),
            )
        )

    def leave(self) -> None:
        """Close the browser, if there is one."""
        if self._user is not None:
            user, self._user = self._user, None
            self.story.bed.call(user.aclose)

    def _seen(self, words: str) -> Opened:
        feed = self.story.stage.feed
        since = range(self._mark, feed.mark())
        seen = [one for one in self.story.stage.seen(*_TRANSACTIONS) if one.serial in since]
        answers = [one.exchange.response for one in seen if one.exchange.response]
        return Opened(
            words=words,
            link=self._followed,
            pages=tuple(self._pages),
            sent=b"\n".join([*(one.body for one in answers), *self._bodies()]),
            exchanges=tuple(one.id for one in seen),
        )

    def _bodies(self) -> Iterator[bytes]:
        yield from (page.body for page in self._pages)

    # -- judging -----------------------------------------------------------------------------

    def _given(self) -> Opened:
        if self.opened is None:
            raise CannotVerify("aucun lien n'a été suivi")
        return self.opened

    def _twin(self, place: str, good: PlannedExam | None) -> None:
        """The right link.

        Raises:
            CannotVerify: it never opened.
            NotMet: it did, until something was tried.
        """
        words = f"le lien juste, {place}"
        opened = self._open(words, self.link(good))
        fault = self._fault(opened, good or self.exam)
        if fault and not self.attempts:
            raise CannotVerify(f"{words}, n'ouvre pas l'examen : {fault}")
        self._expect(opened, "ouvre l'examen", not fault, "les images de l'examen", fault)

    def _fault(self, opened: Opened, exam: PlannedExam) -> str:
        """Why these are not the images of that exam, "" when they are."""
        if opened.last.status >= 400:
            return opened.told()
        pacs = self.story.pacs_of(exam)
        # That none is missing is for the scenarios on images to say (DB.SO.32).
        if not any(uid.encode() in opened.sent for uid in held(pacs, exam.study_uid)):
            return f"aucune image de l'examen ; {opened.told()}"
        strange = [
            one.study_uid
            for one in (self.exam, self.living.other)
            if one is not None
            and one.study_uid != exam.study_uid
            and any(uid.encode() in opened.sent for uid in held(pacs, one.study_uid))
        ]
        return f"images d'un autre examen ({', '.join(strange)})" if strange else ""

    def _expect_untold(self, one: Opened, what: str) -> None:
        story, patient = self.story, self.story.patient
        assert patient.ins is not None
        assert patient.ipp is not None
        secrets = {
            "nom": patient.family, "matricule INS": patient.ins.value, "IPP": patient.ipp.value,
        }  # fmt: skip
        found = [name for name, value in secrets.items() if value.encode() in one.sent]
        for exam in (self.exam, self.living.other):
            if exam is not None and any(
                uid.encode() in one.sent for uid in held(story.pacs_of(exam), exam.study_uid)
            ):
                found.append("images")
        if shows_stack(one.text):
            found.append("pile d'exécution")
        self._expect(one, what, not found, "ni patient ni image", ", ".join(found) or "rien")

    def _expect(self, one: Opened, what: str, met: bool, expected: str, actual: str) -> None:
        self.story.stage.expect(
            f"{one.words} : {what}",
            met,
            expected=expected,
            actual=actual or "conforme",
            exchanges=one.exchanges,
        )
