"""The patient's page as its steps speak of it: criteria, reports, refusals, and two tabs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bench.consulting import Consulting
from bench.elsewhere import entry_about
from bench.feed import Seen
from bench.outcomes import CannotVerify, Refused
from bench.submissions import package
from protocols import ebrim, soap
from protocols.ebrim import Code
from protocols.errors import RemoteProtocolError
from simulators.user import Page, UserError
from spec.hl7v2 import IMAGING_REPORT
from wire.http_client import HttpFailure

__all__ = ["Paging"]

_LOINC = "2.16.840.1.113883.6.1"
_EVENT_CODES = "$XDSDocumentEntryEventCodeList"
_REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="{id}"/>
<code code="18748-4" codeSystem="2.16.840.1.113883.6.1"/><title>{title}</title>
<effectiveTime value="{date}"/><recordTarget><patientRole>
<id extension="{ins}" root="{oid}"/><patient><name><given>{given}</given><family>{family}</family>
</name></patient></patientRole></recordTarget>
<component><structuredBody><component><section><title>Conclusion</title>
<text><paragraph>{text}</paragraph></text></section></component></structuredBody></component>
</ClinicalDocument>
"""
"""An N3 reduced to what its reader needs: whose, what, when, and one section."""


@dataclass(slots=True)
class Paging:
    """The radiologist in front of the page, and what the DMP is made to hold or to say."""

    consulting: Consulting
    title: str = ""
    conclusion: str = ""
    searched: int = 0
    """Position in the feed when the radiologist searched."""
    _fault: int | None = None

    # -- Étant donné -------------------------------------------------------------------------

    def hold_report(self) -> None:
        """The DMP holds a report about the exam, of words that nothing else contains."""
        story = self.consulting.story
        exam, patient = story.exams[-1], story.patient
        assert patient.ins is not None
        assert patient.ipp is not None
        self.title = f"Compte rendu {story.case.number('le titre du compte rendu', 'CRT')}"
        self.conclusion = f"Conclusion {story.case.number('sa conclusion', 'CRC')} lue"
        uid = story.case.uid("le compte rendu")
        entry = entry_about(exam, patient, uid, published=story.bed.clock())
        entry = replace(
            entry,
            mime_type="text/xml",
            title=self.title,
            class_code=Code("11", "1.2.250.1.213.1.1.4.1", "Compte rendu"),
            type_code=Code(IMAGING_REPORT, _LOINC, "CR d'imagerie médicale"),
            format_code=Code("urn:ihe:rad:TEXT", "1.3.6.1.4.1.19376.1.2.3", "CDA"),
        )
        content = _REPORT.format(
            id=uid,
            title=self.title,
            date=f"{exam.started:%Y%m%d}",
            ins=patient.ins.value,
            oid=patient.ins.oid,
            given=patient.given,
            family=patient.family,
            text=self.conclusion,
        )
        story.bed.dmp.deposit(entry, content.encode(), patient.ins.value, patient.ins.oid)
        story.stage.publish_case()

    def break_searches(self, code: str) -> None:
        """Every TD3.1 is answered by that error, until `mend`."""
        self._fault = self.consulting.story.bed.dmp.faults.set("erreur-xds", "TD3.1", code=code)

    def halve_searches(self) -> None:
        """Every TD3.1 is answered PartialSuccess, half of what was found missing, until `mend`."""
        self._fault = self.consulting.story.bed.dmp.faults.set("partiel", "TD3.1")

    def mend(self) -> None:
        """The DMP is itself again."""
        if self._fault is not None:
            self.consulting.story.bed.dmp.faults.clear(self._fault)
            self._fault = None

    # -- Quand -------------------------------------------------------------------------------

    def narrow(self, modality: str) -> None:
        """The radiologist ticks one modality and searches."""
        consulting = self.consulting
        self.searched = consulting.story.stage.feed.mark()
        if consulting.user is None:
            raise CannotVerify("aucune page n'est ouverte")
        try:
            consulting.page = consulting.story.bed.call(
                consulting.user.submit, "filtres", {"modality": [modality]}
            )
        except (HttpFailure, UserError) as error:
            raise Refused(f"la recherche n'aboutit pas : {error}") from error

    def open_report(self) -> None:
        """A click on the report's title; what the page shows in a frame is read too."""
        link = next((one for one in self.consulting.shown.links if self.title in one.label), None)
        if link is None:
            raise Refused(f"la page n'annonce pas « {self.title} »")
        page = self._get(link.url)
        shown = [page, *(self._get(url) for url in page.frames)]
        self.consulting.page = next((one for one in shown if self.conclusion in one.text()), page)

    def reload_first_tab(self) -> None:
        """The tab of the patient consulted before is shown again."""
        if not self.consulting.before:
            raise CannotVerify("aucun autre patient n'a été consulté")
        self.consulting.page = self._get(self.consulting.before)

    def _get(self, url: str) -> Page:
        user = self.consulting.user
        if user is None:
            raise CannotVerify("aucune page n'est ouverte")
        try:
            return self.consulting.story.bed.call(user.get, url)
        except (HttpFailure, UserError) as error:
            raise Refused(f"la page ne répond pas : {error}") from error

    # -- Alors -------------------------------------------------------------------------------

    def expect_asked_for(self, modality: str) -> None:
        """A search since then has the modality among its event codes."""
        stage = self.consulting.story.stage
        found = stage.await_exchanges(
            "ITI-18", "la Consommatrice cherche de nouveau dans le DMP", since=self.searched
        )
        asked = sorted({code for seen in found for code in _event_codes(seen)})
        stage.expect(
            f"la recherche demande au DMP la modalité « {modality} »",
            modality in asked,
            expected=f"{modality} dans {_EVENT_CODES}",
            actual=", ".join(asked) or "aucun code",
            exchanges=[seen.id for seen in found],
        )

    def expect_none_shown(self) -> None:
        """No exam is offered any more."""
        offers = _offers(self.consulting.shown)
        self.consulting.story.stage.expect(
            "la page ne présente plus l'examen",
            not offers,
            expected="aucun examen",
            actual=f"{len(offers)} examen(s)",
        )

    def expect_read(self) -> None:
        """The report's own words are on the page, or in a frame of it."""
        text = self.consulting.shown.text()
        self.consulting.story.stage.expect(
            "le texte du compte rendu se lit",
            self.conclusion in text,
            expected=self.conclusion,
            actual=text[:200],
        )

    def expect_shown_again(self) -> None:
        """Once the DMP answers, a new search shows the exam."""
        self.mend()
        self.consulting.call_again()
        self.consulting.expect_exam_shown()

    def expect_first_patient(self) -> None:
        """The first tab says who its patient is, who is not the second one's, and one exam."""
        story, page = self.consulting.story, self.consulting.shown
        text, second = page.text(), story.patient
        first = story.stage.sentinel().patient
        ours, theirs = first.family, second.family
        offers = _offers(page)
        faults = [
            *([] if ours in text else [f"{ours} n'y est pas"]),
            *([f"{theirs} y est"] if theirs in text else []),
            *([] if len(offers) == 1 else [f"{len(offers)} examen(s)"]),
        ]
        story.stage.expect(
            "cet onglet montre toujours l'autre patient et son examen",
            not faults,
            expected=f"{ours}, un examen",
            actual=" ; ".join(faults) or "conforme",
        )


def _offers(page: Page) -> list[str]:
    return [form.id for form in page.forms if form.id.startswith("export-")]


def _event_codes(seen: Seen) -> Iterator[str]:
    """The codes that a TD3.1 asks for, without their schemes."""
    request = package(seen.exchange.request)
    if request is None:
        return
    try:
        body = soap.parse(request.envelope).body
        query = ebrim.parse_query(body) if body is not None else None
    except RemoteProtocolError:
        return
    for parameter in query.all(_EVENT_CODES) if query else ():
        for value in parameter.values:
            yield value.partition("^")[0]
