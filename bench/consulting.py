"""The radiologist at the Consumer's page, as the steps say it: called, logged in, exporting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench.browser import Browser
from bench.deadline import until
from bench.elsewhere import publish_at
from bench.outcomes import CannotVerify, NotSendable, Refused
from bench.publishing import Publishing
from bench.story import PlannedExam, Story, people_of, plan_exam
from protocols import kos
from simulators.peer import PeerSource
from simulators.psc import Professional
from simulators.ris.contextual_call import body, parameters
from simulators.ris.people import Identifier, Patient
from simulators.user import CIBA_FORM, Page, UserError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.http_client import HttpFailure

__all__ = ["TELEPHONE_S", "Consulting"]

TELEPHONE_S = 10.0
"""How long Pro Santé Connect may have a Consumer wait that logs in by CIBA: the usual interval
twice, or a short one that it lengthened once (CIBA Core 7.3, 11)."""
_FINISHED = ("terminé", "échec")
_SHORTEST_SESSION = 20
"""A shorter path segment is a word of the product, not a session of ours."""


@dataclass(slots=True)
class Consulting:
    """The RIS, the radiologist's browser and the local PACS around a Consumer."""

    story: Story
    publishing: Publishing
    user: Browser | None = None
    page: Page | None = None
    called: int = 0
    """Position in the feed when the RIS called last."""
    _asked: str = ""
    """The form of the export asked for last."""
    _told: int = 0
    """How often the page said then that an export was over."""
    before: str = ""
    """Address of the page of the patient consulted before, "" without one."""

    # -- Étant donné -------------------------------------------------------------------------

    def publish_elsewhere(self, exam: PlannedExam) -> None:
        """Another Source, right in everything, has published the exam: during the run, or before
        it where the profile says that the Consumer starts from preloaded KOS."""
        bed, profile = self.story.bed, self.story.stage.profile
        if profile.consumer.start == "preloaded":
            self.story.rely_on_white_list()
            self.preload(exam, bed.site.names.neighbour, bed.neighbour, wrong_ins=False)
            return
        self.story.rely_on_white_list("counterpart")
        self.publishing.send()
        try:
            self.publishing.expect_published(1)
        except Exception as error:
            raise CannotVerify(f"l'examen n'a pas pu être publié : {error}") from error

    def preload(self, exam: PlannedExam, host: str, source: PeerSource, *, wrong_ins: bool) -> None:
        """The DMP holds a KOS whose images are at `host`; the INS in them may be wrong."""
        story = self.story
        held = publish_at(
            story,
            story.case,
            story.patient,
            exam,
            host=host,
            source=source,
            stamped=story.stage.sentinel().patient.ins if wrong_ins else "",
        )
        self.publishing.preloaded.append(kos.decode(held))
        story.stage.publish_case()

    def consult_another(self) -> None:
        """The radiologist has just consulted another patient, who has an exam too."""
        story, bed = self.story, self.story.bed
        case = story.stage.sentinel()
        other = people_of(case, bed.site.ipp_oid)
        exam = plan_exam(
            case, 1, bed.site.accession_oid, bed.site.placer_oid,
            modality="CT", series=1, images=1, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
        )  # fmt: skip
        publish_at(story, case, other, exam, host=bed.site.names.neighbour, source=bed.neighbour)
        story.stage.adopt(case, "l'autre patient")
        self.open_page(other)
        self.before = self.shown.url

    def open_page(self, patient: Patient | None = None) -> None:
        """Call and login; the page offers an exam, else nothing that follows can be verified."""
        self.call(patient=patient)
        self.login()
        if not self._offers():
            raise CannotVerify(f"la page n'offre aucun examen : {self._shown.text()[:300]}")

    # -- Quand -------------------------------------------------------------------------------

    def call(
        self,
        *,
        consent: str | None = None,
        without: str = "",
        patient: Patient | None = None,
        situation: str | None = None,
    ) -> None:
        """The RIS opens the Consumer for a patient, this one by default, in an empty browser.

        `situation` is the structure that the RIS says the professional works in.
        """
        self._sit_down()
        self._call(
            patient or self.story.patient, consent=consent, without=without, situation=situation
        )

    def call_again(self) -> None:
        """The RIS opens the Consumer for this patient in the browser that served before.

        The Consumer may ask the radiologist to log in again, and may not.
        """
        self._call(self.story.patient)
        if self.asks_login:
            self.login()

    def _call(
        self,
        patient: Patient,
        *,
        consent: str | None = None,
        without: str = "",
        situation: str | None = None,
    ) -> None:
        bed = self.story.bed
        if not bed.consumer:
            raise NotSendable("aucune Consommatrice dans ce banc")
        values = [
            (name, value)
            for name, value in parameters(
                self.here(patient), information=consent, situation=situation
            )
            if name != without
        ]
        self.called = self.story.stage.feed.mark()
        url = f"https://{bed.site.names.consumer}/drim"
        try:
            self.page = bed.call(self._browser.call, url, body(values))
        except (HttpFailure, UserError) as error:
            self._somebody_logs_in()
            raise Refused(f"l'appel contextuel n'aboutit pas : {error}") from error
        self._learn()

    def here(self, patient: Patient) -> Patient:
        """The patient as the hospital that consults knows them."""
        return replace(patient, ipp=self.local_ipp(patient))

    def login(self, professional: str = "") -> None:
        """The radiologist logs in, or another one; what follows is the Consumer's page."""
        self._say_who(professional)
        try:
            until(self._let_in, deadline_s=TELEPHONE_S + self.story.stage.profile.timing.effect_s)
        except (HttpFailure, UserError) as error:
            raise Refused(f"l'attente du téléphone n'aboutit pas : {error}") from error
        self._learn()

    def _let_in(self) -> bool:
        """By CIBA, whether the page waits for the telephone no more."""
        if self._shown.digits:
            self.page = self.story.bed.call(self._browser.reload)
        return not self._shown.digits

    def _say_who(self, professional: str) -> None:
        bed, reader = self.story.bed, self._somebody_logs_in(professional)
        feed = self.story.stage.feed
        begun = feed.mark()
        try:
            self.page = bed.call(self._browser.login, reader.id)
        except (HttpFailure, UserError) as error:
            raise Refused(f"l'authentification n'aboutit pas : {error}") from error
        # Nothing that a telephone is asked names the patient, nor do the tokens that come of it.
        asked = [
            one.exchange for one in feed.since(begun) if one.exchange.transaction == "PSC-CIBA"
        ]
        for number, key in enumerate(key for one in asked for key in one.keys):
            self.story.case.identifiers[f"la demande CIBA {number}"] = key
        self._learn()

    def open_elsewhere(self) -> None:
        """Somebody types the page's address in another browser."""
        address, user = self._shown.url, self._sit_down()
        try:
            self.page = self.story.bed.call(user.get, address)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la page ne répond pas : {error}") from error
        self._learn()

    def export(self, number: int = 0, fields: Mapping[str, str] | None = None) -> None:
        """The radiologist asks for the export of that exam of the page, and waits for its end.

        `fields` is what they choose in its form.
        """
        self.begin_export(number, fields)
        self.finish_export()

    def begin_export(self, number: int = 0, fields: Mapping[str, str] | None = None) -> None:
        """The radiologist asks for the export of that exam of the page, and waits for nothing."""
        offers = self._offers()
        if number >= len(offers):
            raise Refused(f"la page n'offre pas cet export : {self._shown.text()[:300]}")
        self._submit(offers[number], fields)

    def finish_export(self) -> None:
        """The page is looked at until it says that the export is over."""
        try:
            until(self._export_over, deadline_s=self.story.stage.profile.timing.effect_s)
        except (HttpFailure, UserError) as error:
            raise Refused(f"l'export n'aboutit pas : {error}") from error

    def export_all(self) -> None:
        """Every exam of the page, one after the other."""
        for form in self._offers():
            self._submit(form)
            self.finish_export()

    def _offers(self) -> list[str]:
        return [form.id for form in self._shown.forms if form.id.startswith("export-")]

    def _submit(self, form: str, fields: Mapping[str, str] | None = None) -> None:
        self._asked, self._told = form, _endings(self._shown.text())
        try:
            self.page = self.story.bed.call(self._browser.submit, form, fields)
        except (HttpFailure, UserError) as error:
            raise Refused(f"l'export n'aboutit pas : {error}") from error

    def _export_over(self) -> bool:
        """The exam's own place says so; a page that shows none there any more says it once more
        than before."""
        self.page = self.story.bed.call(self._browser.reload)
        place = self.page.around(self._asked)
        if place is not None:
            return _endings(place) > 0
        return _endings(self.page.text()) > self._told

    @property
    def export_told(self) -> str:
        """What the page says of the export asked for last, in small letters."""
        place = self._shown.around(self._asked)
        return (self._shown.text() if place is None else place).lower()

    # -- Alors -------------------------------------------------------------------------------

    def expect_exam_shown(self) -> None:
        """The page offers the exam.

        Raises:
            CannotVerify: it offers more, in a DMP where others publish for this patient too.
        """
        forms = self._offers()
        if len(forms) > len(self.story.exams) and not self.story.bed.register.undisturbed():
            raise CannotVerify(f"le DMP réel tient d'autres examens de ce patient ({len(forms)})")
        self.story.stage.expect(
            "la page présente l'examen",
            len(forms) == len(self.story.exams),
            expected=f"{len(self.story.exams)} examen(s)",
            actual=f"{len(forms)} examen(s) : {self._shown.text()[:200]}",
        )

    @property
    def offered(self) -> int:
        """How many exams the page offers to export."""
        return len(self._offers())

    def expect_explained(self) -> None:
        """The page says why, and shows no exam."""
        alerts = self._shown.alerts
        offers = self._offers()
        self.story.stage.expect(
            "la page dit pourquoi rien n'est montré",
            bool(alerts) and not offers,
            expected="un message, aucun examen",
            actual=f"{' / '.join(alerts) or 'aucun message'} ; {len(offers)} examen(s)",
        )

    def expect_partial_told(self) -> None:
        """The page shows what came, and says that it is not all."""
        alerts = self._shown.alerts
        offers = self._offers()
        self.story.stage.expect(
            "la page montre ce qui est venu, et dit que ce n'est pas tout",
            bool(alerts) and bool(offers),
            expected="un message, et l'examen",
            actual=f"{' / '.join(alerts) or 'aucun message'} ; {len(offers)} examen(s)",
        )

    def expect_export_failed(self) -> None:
        """The page says that the export failed, and why."""
        text = self._shown.text()
        self.story.stage.expect(
            "la page dit que l'export a échoué",
            "échec" in text.lower(),
            expected="un message d'échec",
            actual=" / ".join(self._shown.alerts) or text[-200:],
        )

    def expect_nothing_without_login(self) -> None:
        """Whoever has not logged in sees neither the patient nor an exam."""
        page, patient = self._shown, self.story.patient
        assert patient.ins is not None
        text = page.body.decode(errors="replace")
        offers = self._offers()
        seen = [said for said in (patient.family, patient.ins.value) if said in text]
        self.story.stage.expect(
            "rien n'est montré à qui ne s'est pas authentifié",
            page.status < 500 and not seen and not offers,
            expected="Pro Santé Connect, ou un refus ; ni patient, ni examen",
            actual=f"HTTP {page.status} de {urlsplit(page.url).netloc} ; {len(offers)} examen(s) ; "
            f"du patient : {', '.join(seen) or 'rien'}",
        )

    def expect_call_refused(self, parameter: str) -> None:
        """HTTP 400 that names the parameter."""
        page = self._shown
        self.story.stage.expect(
            f"l'appel est refusé et « {parameter} » est nommé",
            page.status == 400 and parameter in page.body.decode(errors="replace"),
            expected=f"HTTP 400 qui nomme {parameter}",
            actual=f"HTTP {page.status} : {page.body.decode(errors='replace')[:200]}",
        )

    # -- the workstation ---------------------------------------------------------------------

    def _sit_down(self) -> Browser:
        """An empty browser, instead of the one before."""
        self.leave()
        self.user = self.story.bed.user()
        return self.user

    def leave(self) -> None:
        """Close the browser, if there is one."""
        if self.user is not None:
            user, self.user = self.user, None
            self.story.bed.call(user.aclose)

    # -- reading -----------------------------------------------------------------------------

    @property
    def _browser(self) -> Browser:
        if self.user is None:
            raise CannotVerify("le RIS n'a pas appelé la Consommatrice")
        return self.user

    @property
    def _shown(self) -> Page:
        if self.page is None:
            raise CannotVerify("aucune page n'est affichée")
        return self.page

    @property
    def shown(self) -> Page:
        """The page that the radiologist has in front of them.

        Raises:
            CannotVerify: there is none.
        """
        return self._shown

    def _somebody_logs_in(self, professional: str = "") -> Professional:
        """The radiologist, or another one.

        Raises:
            CannotVerify: nobody of ours can log in at this PSC; without, nothing is reproached.
        """
        return self.story.bed.psc.professional(professional or self.story.bed.site.reader)

    @property
    def asks_login(self) -> bool:
        """Whether the page wants somebody to log in."""
        reader = self.story.bed.site.reader
        forms = self._shown.forms
        by_ciba = any(form.id == CIBA_FORM for form in forms)
        return by_ciba or any(value == reader for form in forms for _, value in form.choices)

    def local_ipp(self, patient: Patient) -> Identifier:
        """The patient's number in the hospital that consults; the exam was made in another."""
        story = self.story
        ours = patient.ins == story.patient.ins
        purpose = "l'IPP local" if ours else "l'IPP local de l'autre patient"
        return Identifier(
            story.case.number(purpose, "IPL"), story.bed.site.local_ipp_oid, "KIT-LOCAL"
        )

    def _learn(self) -> None:
        """The Consumer's own session address belongs to this scenario."""
        for number, part in enumerate(urlsplit(self._shown.url).path.split("/")):
            if len(part) >= _SHORTEST_SESSION:
                self.story.case.identifiers[f"la session {number}"] = part
        self.story.stage.publish_case()


def _endings(text: str) -> int:
    """How often that text says that an export is over."""
    return sum(text.lower().count(word) for word in _FINISHED)
