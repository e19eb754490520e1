"""Consultation as the steps speak of it: the RIS calls, the radiologist reads, a PACS receives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench.browser import Browser
from bench.deadline import until
from bench.elsewhere import publish_at
from bench.feed import Seen
from bench.imagery import export_alterations, held, patient_ids
from bench.outcomes import CannotVerify, NotSendable, Refused
from bench.publishing import Publishing
from bench.story import PlannedExam, Story, people_of, plan_exam
from bench.submissions import names, package
from protocols import kos, saml, soap
from protocols.dicomweb import parse_path
from protocols.errors import RemoteProtocolError
from simulators.peer import PeerSource
from simulators.psc import TEST_PROFESSIONALS, Professional
from simulators.ris.contextual_call import body, parameters
from simulators.ris.people import Identifier, Patient
from simulators.user import Page, UserError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.vihf import AttributeName, AuthenticationMode
from spec.wado import AUTHORIZATION_HEADER, KOS_HEADER, TRANSFER_SYNTAXES
from wire.exchange import Direction
from wire.http_client import HttpFailure

__all__ = ["Consulting", "series_asked"]

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
        self.user = self.story.bed.user()
        self._call(
            patient or self.story.patient, consent=consent, without=without, situation=situation
        )

    def call_again(self) -> None:
        """The RIS opens the Consumer for this patient in the browser that served before.

        The Consumer may ask the radiologist to log in again, and may not.
        """
        self._call(self.story.patient)
        if self._asks_login():
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
        here = replace(patient, ipp=self._local_ipp(patient))
        values = [
            (name, value)
            for name, value in parameters(here, information=consent, situation=situation)
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

    def login(self, professional: str = "") -> None:
        """The radiologist logs in, or another one; what follows is the Consumer's page."""
        bed, reader = self.story.bed, self._somebody_logs_in(professional)
        try:
            self.page = bed.call(self._browser.login, reader.id)
        except (HttpFailure, UserError) as error:
            raise Refused(f"l'authentification n'aboutit pas : {error}") from error
        self._learn()

    def open_elsewhere(self) -> None:
        """Somebody types the page's address in another browser."""
        address, self.user = self._shown.url, self.story.bed.user()
        try:
            self.page = self.story.bed.call(self.user.get, address)
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

    def expect_existence_first(self) -> None:
        """TD0.2 comes before any TD3.1."""
        stage = self.story.stage
        stage.await_exchanges("TD0.2", "la Consommatrice vérifie l'accès au DMP")
        order = [seen.exchange.transaction for seen in self.by_consumer("TD0.2", "ITI-18")]
        stage.expect(
            "la vérification d'accès précède la recherche",
            bool(order) and order[0] == "TD0.2",
            expected="TD0.2 puis ITI-18",
            actual=", ".join(order) or "rien",
        )

    def expect_air(self) -> None:
        """The search carries a VIHF in AIR mode, for the radiologist who logged in."""
        stage, site = self.story.stage, self.story.bed.site
        found = stage.await_exchanges(
            "ITI-18",
            "la Consommatrice cherche dans le DMP",
            where=lambda seen: seen.exchange.detail == "TD3.1a",
        )
        stage.await_exchanges("ITI-43", "la Consommatrice lit le KOS dans le DMP")
        vihf = self._vihf(found[-1])
        wanted = (AuthenticationMode.INDIRECTE_RENFORCEE, site.reader, site.reader_structure)
        said = _says(vihf) if vihf else ("aucun VIHF lisible",)
        stage.expect(
            "le VIHF est en mode AIR, au nom du professionnel",
            said == wanted,
            expected=", ".join(wanted),
            actual=", ".join(said),
            exchanges=[found[-1].id],
        )

    def expect_searched(self) -> None:
        """The DMP was searched for this patient since the RIS called."""
        assert self.story.patient.ins is not None
        ins = self.story.patient.ins.value
        self.story.stage.await_exchanges(
            "ITI-18",
            "la Consommatrice cherche les documents de ce patient",
            where=lambda seen: seen.exchange.detail == "TD3.1a" and names(seen.exchange, ins),
            since=self.called,
        )

    def expect_userinfo_told(self) -> None:
        """The VIHF says of the radiologist what userinfo says."""
        reader = self.story.bed.site.reader
        practice = next(one for one in TEST_PROFESSIONALS if one.id == reader).practices[0]
        wanted = (practice.profession, practice.skill, practice.activities[0].sector)
        found = self.by_consumer("TD0.2", "ITI-18", "ITI-43")
        if not found:
            raise CannotVerify("la Consommatrice n'a rien demandé au DMP")
        said = {_practice(vihf) for seen in found if (vihf := self._vihf(seen)) is not None}
        self.story.stage.expect(
            "le VIHF reprend la profession, le savoir-faire et le secteur que donne UserInfo",
            said == {wanted},
            expected=", ".join(wanted),
            actual=" ; ".join(", ".join(one) for one in sorted(said)) or "aucun VIHF lisible",
            exchanges=[seen.id for seen in found],
        )

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

    def expect_exported(self) -> None:
        """The local PACS holds the images of the exam, no other."""
        exam, bed = self.story.exams[0], self.story.bed
        until(
            lambda: bed.local_pacs.count(exam.study_uid) >= exam.images,
            deadline_s=self.story.stage.profile.timing.effect_s,
        )
        wanted, got = held(bed.pacs, exam.study_uid), held(bed.local_pacs, exam.study_uid)
        self.story.stage.expect(
            "toutes les images de l'examen arrivent dans le PACS local",
            got == wanted,
            expected=f"{len(wanted)} images",
            actual=f"{len(got)} images, dont {len(got - wanted)} d'un autre SOPInstanceUID ; "
            f"la page dit : {self._shown.text()[-200:]}",
            exchanges=[seen.id for seen in self.story.stage.seen("C-STORE", "WADO-RS")],
        )

    def expect_local_ipp(self) -> None:
        """In the local PACS the patient bears the IPP of the call."""
        ipp, archive = self._local_ipp(self.story.patient), self.story.bed.local_pacs
        ids = {id for exam in self.story.exams for id in patient_ids(archive, exam.study_uid)}
        self.story.stage.expect(
            "les images portent l'IPP local du patient",
            ids == {ipp.value},
            expected=ipp.value,
            actual=", ".join(sorted(ids)) or "aucune image",
        )

    def expect_unaltered(self) -> None:
        """But for the patient's identifiers, the images are those of the Source's PACS."""
        exam, bed = self.story.exams[0], self.story.bed
        differences = [
            found
            for one in bed.local_pacs.instances(exam.study_uid)
            if (found := export_alterations(one.file(), bed.pacs, one.sop_instance))
        ]
        self.story.stage.expect(
            "rien d'autre n'est modifié dans les images exportées",
            not differences,
            expected="seuls les identifiants du patient changent",
            actual=" ; ".join(differences[:3]) or "identiques",
        )

    def expect_wado_requests(self) -> None:
        """Each series was asked with a token, the KOS's identifier and the ten syntaxes."""
        stage, exam = self.story.stage, self.story.exams[0]
        found = stage.await_exchanges(
            "WADO-RS", "chaque série est demandée par WADO-RS", count=len(exam.series)
        )
        left = {series.uid for series in exam.series} - set(series_asked(found))
        faults = [f"série {uid} jamais demandée" for uid in sorted(left)]
        kos_uids = {manifest.sop_instance for manifest in self.publishing.manifests()}
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

    def expect_token_kept(self) -> None:
        """No token that the Consumer holds appears in what the browser received."""
        leaked = [
            seen.id
            for seen in self.story.stage.seen("consumer-page", "appel-contextuel", "PSC-login")
            if any(token.encode() in _received(seen) for token in self._access_tokens())
        ]
        self.story.stage.expect(
            "le jeton n'atteint jamais le navigateur",
            bool(self._access_tokens()) and not leaked,
            expected="aucune page, aucun cookie, aucune adresse ne porte un jeton",
            actual=f"{len(leaked)} réponse(s) portent un jeton",
            exchanges=leaked,
        )

    def expect_refreshed(self) -> None:
        """The token was renewed before images were asked for."""
        self.story.stage.await_exchanges("PSC-refresh", "la Consommatrice renouvelle le jeton")
        order = [
            seen.exchange.transaction
            for seen in self.story.stage.seen("PSC-refresh", "WADO-RS")
            if seen.exchange.transaction == "PSC-refresh" or seen.exchange.direction is Direction.IN
        ]
        self.story.stage.expect(
            "le renouvellement précède la demande d'images",
            "PSC-refresh" in order and order[0] == "PSC-refresh",
            expected="PSC-refresh puis WADO-RS",
            actual=", ".join(order),
        )

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

    def expect_export_failed(self) -> None:
        """The page says that the export failed, and why."""
        text = self._shown.text()
        self.story.stage.expect(
            "la page dit que l'export a échoué",
            "échec" in text.lower(),
            expected="un message d'échec",
            actual=" / ".join(self._shown.alerts) or text[-200:],
        )

    def expect_no_consultation(self) -> None:
        """Neither search nor retrieval in the DMP. The page that explains is the sentinel."""
        found = self.by_consumer("ITI-18", "ITI-43")
        self.story.stage.expect(
            "aucun document n'est cherché ni lu dans le DMP",
            not found,
            expected="ni ITI-18 ni ITI-43",
            actual=", ".join(seen.exchange.transaction for seen in found) or "rien",
            exchanges=[seen.id for seen in found],
        )

    def expect_no_dmp(self) -> None:
        """Nothing at all asked of the DMP."""
        found = self.by_consumer("TD0.2", "ITI-18", "ITI-43")
        self.story.stage.expect(
            "le DMP n'est pas consulté",
            not found,
            expected="aucun échange avec le DMP",
            actual=", ".join(seen.exchange.transaction for seen in found) or "rien",
            exchanges=[seen.id for seen in found],
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

    def expect_nothing_sent_to(self, source: str) -> None:
        """That Source received no request at all. The page that says so is the sentinel."""
        mark = self.story.stage.origin
        found = [
            seen
            for seen in self.story.stage.feed.since(mark)
            if seen.exchange.actor == source and seen.exchange.protocol == "HTTP"
        ]
        self.story.stage.expect(
            "aucun jeton n'est envoyé à cette Source",
            not found,
            expected="aucune requête",
            actual=f"{len(found)} requête(s)",
            exchanges=[seen.id for seen in found],
        )

    def expect_none_exported(self) -> None:
        """The local PACS holds nothing of the exam."""
        exam = self.story.exams[-1]
        held = self.story.bed.local_pacs.count(exam.study_uid)
        self.story.stage.expect(
            "aucune image n'arrive dans le PACS local",
            held == 0,
            expected="0 image",
            actual=f"{held} image(s)",
        )

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

    def _asks_login(self) -> bool:
        reader = self.story.bed.site.reader
        return any(value == reader for form in self._shown.forms for _, value in form.choices)

    def _local_ipp(self, patient: Patient) -> Identifier:
        """The patient's number in the hospital that consults; the exam was made in another."""
        story = self.story
        ours = patient.ins == story.patient.ins
        purpose = "l'IPP local" if ours else "l'IPP local de l'autre patient"
        return Identifier(
            story.case.number(purpose, "IPL"), story.bed.site.local_ipp_oid, "KIT-LOCAL"
        )

    def by_consumer(self, *transactions: str) -> list[Seen]:
        """DMP exchanges of this scenario whose VIHF is in AIR mode: the publishing Source's,
        in plain indirect mode, are left out."""
        return [
            seen
            for seen in self.story.stage.seen(*transactions)
            if (vihf := self._vihf(seen)) is None
            or vihf.text(AttributeName.AUTHENTIFICATION_MODE) != AuthenticationMode.INDIRECTE
        ]

    @staticmethod
    def _vihf(seen: Seen) -> saml.Assertion | None:
        request = package(seen.exchange.request)
        if request is None:
            return None
        try:
            security = soap.parse(request.envelope).security
            return saml.parse(security) if security is not None else None
        except RemoteProtocolError:
            return None

    def _access_tokens(self) -> list[str]:
        """The tokens that PSC answered in this scenario."""
        found: list[str] = []
        for seen in self.story.stage.seen("PSC-token", "PSC-refresh"):
            response = seen.exchange.response
            if response is None:
                continue
            try:
                answer = json.loads(response.body)
            except ValueError:
                continue
            found += [
                answer[name]
                for name in ("access_token", "refresh_token", "id_token")
                if isinstance(answer.get(name), str)
            ]
        return found

    def _learn(self) -> None:
        """The Consumer's own session address belongs to this scenario."""
        for number, part in enumerate(urlsplit(self._shown.url).path.split("/")):
            if len(part) >= _SHORTEST_SESSION:
                self.story.case.identifiers[f"la session {number}"] = part
        self.story.stage.publish_case()


def _endings(text: str) -> int:
    """How often that text says that an export is over."""
    return sum(text.lower().count(word) for word in _FINISHED)


def _says(vihf: saml.Assertion) -> tuple[str, ...]:
    """Mode, professional, structure."""
    return (
        vihf.text(AttributeName.AUTHENTIFICATION_MODE),
        vihf.name_id,
        vihf.text(AttributeName.IDENTIFIANT_STRUCTURE),
    )


def _practice(vihf: saml.Assertion) -> tuple[str, str, str]:
    """Profession, know-how, sector: the codes alone."""
    roles = [role.code for role in vihf.codes(AttributeName.ROLE)]
    profession, skill = (*roles, "", "")[:2]
    return profession, skill, vihf.text(AttributeName.SECTEUR_ACTIVITE).partition("^")[0]


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


def _received(seen: Seen) -> bytes:
    response = seen.exchange.response
    if response is None:
        return b""
    return response.body + "\n".join(value for _, value in response.head).encode()
