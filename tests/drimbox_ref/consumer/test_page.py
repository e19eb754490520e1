"""The page among real services: criteria, reports, what the DMP refuses, slowness, emergencies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulators.user import User
from spec.dmp import Authorisation
from tests.drimbox_ref.consumer.bed import OID, Sync


def body(exchange: Any) -> str:
    assert exchange.request is not None
    return exchange.request.body.decode()


def refused(bed: Sync, user: User, form: str, fields: dict[str, Any]) -> int:
    async def run() -> int:
        return (await user.submit(form, fields)).status

    return bed.portal.call(run)


def filtered(bed: Sync, user: User, **fields: Any) -> None:
    async def run() -> None:
        await user.submit("filtres", {name.rstrip("_"): value for name, value in fields.items()})

    bed.portal.call(run)


def studies(user: User) -> int:
    return sum(form.id.startswith("export-") for form in user.page.forms)


def test_criteria_reach_the_dmp_and_come_back(bed: Sync) -> None:
    bed.study()
    user = bed.opened()
    assert studies(user) == 1
    since = bed.since()
    filtered(bed, user, modality=["MR"], region=["67734004"], from_="2026-01-01", to="2026-12-31")
    (search,) = bed.searches(since)
    said = body(search)
    assert "MR^^1.2.250.1.213.1.1.5.618" in said
    assert "67734004^^1.2.250.1.213.1.1.5.695" in said
    assert "ServiceStartTimeFrom" in said
    assert "ServiceStartTimeTo" in said
    assert studies(user) == 0
    assert "IRM (MR)" in user.page.text()
    assert "Thorax" in user.page.text()
    bed.submit(user, "recherche-appel")
    assert studies(user) == 1
    assert user.page.form("recherche-appel") is None


def test_an_accession_number_is_asked_for_by_reference(bed: Sync) -> None:
    bed.study()
    user = bed.opened()
    since = bed.since()
    filtered(bed, user, accession="ACC-1", issuer="1.2.250.1.999.8")
    (search,) = bed.searches(since)
    assert "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492" in body(search)
    assert studies(user) == 1
    since = bed.since()
    filtered(bed, user, accession="AUTRE", issuer="1.2.250.1.999.8")
    assert len(bed.searches(since)) == 2  # a publisher may leave referenceIdList empty
    assert studies(user) == 0


def test_a_part_is_shown_as_a_part(bed: Sync) -> None:
    bed.study()
    bed.bed.dmp.faults.set("partiel", "TD3.1", times=2)
    user = bed.opened()
    assert studies(user) == 1
    assert len(user.page.alerts) == 2, "exams, and what is read beside them"
    assert all("qu'une partie" in one for one in user.page.alerts)
    bed.submit(user, "recherche-relancer")
    assert studies(user) == 1
    assert user.page.alerts == ()


def test_a_part_of_nothing_by_reference_is_searched_whole(bed: Sync) -> None:
    bed.study()
    user = bed.opened()
    bed.bed.dmp.faults.set("partiel", "TD3.1", times=1)
    since = bed.since()
    filtered(bed, user, accession="AUTRE", issuer="1.2.250.1.999.8")
    assert len(bed.searches(since)) == 2


def test_a_field_that_makes_no_sense_is_named_and_changes_nothing(bed: Sync) -> None:
    bed.study()
    user = bed.opened()
    since = bed.since()
    assert refused(bed, user, "filtres", {"from": "2026-12-31", "to": "2026-01-01"}) == 400
    assert "début est après la fin" in user.page.alerts[0]
    assert not bed.searches(since)


def test_reports_and_requests_are_listed_by_type(bed: Sync) -> None:
    study = bed.study()
    bed.bed.report("1.2.250.1.999.41.1", b"<x/>", study=study)
    bed.bed.report("1.2.250.1.999.41.2", b"<x/>", code="11502-2", title="Ionogramme")
    since = bed.since()
    user = bed.opened()
    text = user.page.text()
    assert "Comptes rendus d'imagerie (1)" in text
    assert "Comptes rendus de biologie (1)" in text
    assert "Ionogramme" in text
    # The report of an exam is offered beside it too.
    assert [link.label for link in user.page.links].count("Compte rendu de scanner") == 2
    (search,) = bed.searches(since, "18748-4")
    assert "'55115-0^^2.16.840.1.113883.6.1'" in body(search)
    # The whole root: moments in a SOAP message may well end in "41.".
    told = [one.detail for one in bed.bed.exchanges[since:] if "1.2.250.1.999.41." in body(one)]
    assert "TD3.2" not in told


def test_reports_that_do_not_come_hide_no_exam(bed: Sync) -> None:
    bed.study()
    bed.bed.dmp.faults.set("erreur-xds", "TD3.1", times=1, skip=1, code="XDSTooManyResults")
    user = bed.opened()
    said = " ".join(user.page.alerts)
    assert "Trop d'examens" in said
    # Which of the two searches was struck is up to the scheduler: the other was shown.
    assert (studies(user) == 1) == ("Comptes rendus et demandes" in said)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("erreur-xds", "TD3.1", {"code": "XDSTooManyResults"}), "précisez la modalité"),
        (("erreur-xds", "TD3.1", {"code": "XDSRegistryBusy"}), "ne répond pas"),
        (("faute-soap", "TD0.2", {"code": "DMPInvalidCertificate"}), "certificat de votre"),
        (("faute-soap", "TD0.2", {"code": "KIT-DMPExpiredVIHF"}), "reconnectez-vous"),
        (("faute-soap", "TD0.2", {"code": "KIT-DMPRights"}), "ne vous donne pas ce droit"),
        (("http", "TD0.2", {"code": 503}), "ne répond pas"),
        (("coupure", "TD3.1", {"moment": "avant"}), "ne répond pas"),
    ],
)
def test_what_the_dmp_refuses_is_said_in_french(bed: Sync, fault: Any, said: str) -> None:
    bed.study()
    kind, service, values = fault
    bed.bed.dmp.faults.set(kind, service, **values)
    user = bed.opened()
    assert said in " ".join(user.page.alerts)
    assert studies(user) == 0
    bed.bed.dmp.faults.clear()
    bed.submit(user, "recherche-relancer")
    assert studies(user) == 1
    assert user.page.alerts == ()


def test_one_document_that_fails_does_not_hide_the_others(bed: Sync) -> None:
    bed.study()
    bed.study()
    bed.bed.dmp.faults.set("http", "TD3.2", times=1, code=503)
    user = bed.opened()
    assert studies(user) == 1
    assert "n'a pas rendu le document" in user.page.alerts[0]


def test_a_page_does_not_wait_for_a_slow_dmp(bed: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.study()
    faults = bed.bed.dmp.faults
    fault = faults.set("retard", "TD0.2", secondes=600)
    with monkeypatch.context() as patch:
        patch.setattr("simulators.user.browser._MAX_REFRESHES", 0)
        user = bed.opened()
    page = user.page
    assert page.refresh == 1
    assert "les résultats viendront d'eux-mêmes" in page.text()
    assert "PAT-TROIS" in page.text()
    assert studies(user) == 0
    faults.clear(fault)
    bed.portal.call(user.reload)
    assert studies(user) == 1
    assert user.page.refresh is None


def test_a_new_version_is_signalled(bed: Sync) -> None:
    study = bed.study()
    user = bed.opened()
    assert "Nouvelle version" not in user.page.text()
    bed.bed.publish(study, version=1000)
    bed.submit(user, "recherche-relancer")
    assert "Nouvelle version" in user.page.text()
    bed.submit(user, "recherche-relancer")
    assert "Nouvelle version" not in user.page.text()


def test_the_ten_traits_by_a_setting(bed: Sync) -> None:
    bed.study()
    user = bed.opened()
    assert 'id="traits" open' not in user.page.html
    bed.submit(user, "reglage-traits")
    assert 'id="traits" open' in user.page.html
    bed.submit(user, "reglage-traits")
    assert 'id="traits" open' not in user.page.html


def test_an_emergency_is_written_in_the_vihf_and_in_the_trail(bed: Sync) -> None:
    bed.bed.patient(authorisation=Authorisation.NONE)
    bed.study()
    user = bed.opened()
    assert "pas d'autorisation" in user.page.alerts[0]
    assert refused(bed, user, "acces-urgence", {"mode": "bris_de_glace", "reason": "vite"}) == 400
    bed.portal.call(user.get, user.page.url.removesuffix("/emergency"))
    since = bed.since()
    bed.submit(
        user, "acces-urgence", mode="bris_de_glace", reason="Patient inconscient, AVC suspecté"
    )
    assert studies(user) == 1
    assert "Accès d'urgence « bris de glace »" in user.page.text()
    (search,) = bed.searches(since)
    assert 'code="bris_de_glace"' in body(search)
    events = bed.portal.call(bed.bed.admin, "audit")
    (declared,) = [
        one for one in events if one["event"] == "acces-urgence" and one["patient"] == bed.bed.ins
    ]
    assert "AVC" in json.dumps(declared, ensure_ascii=False)
    bed.submit(user, "acces-urgence", mode="normal", reason="")
    assert studies(user) == 0


def test_an_authorisation_is_declared_once_the_patient_gave_it(bed: Sync) -> None:
    bed.bed.patient(authorisation=Authorisation.EXPIRED)
    bed.study()
    user = bed.opened()
    assert "a expiré" in user.page.alerts[0]
    assert refused(bed, user, "autorisation", {}) == 400
    bed.portal.call(user.get, user.page.url.removesuffix("/authorisation"))
    since = bed.since()
    bed.submit(user, "autorisation", consent="oui")
    assert "TD0.3" in bed.asked(since)
    assert studies(user) == 1
    assert bed.bed.dmp.patient(bed.bed.ins, OID) is not None


def test_a_patient_who_refuses_is_obeyed(bed: Sync) -> None:
    bed.bed.patient(authorisation=Authorisation.NONE, refuses=True)
    user = bed.opened()
    bed.submit(user, "autorisation", consent="oui")
    assert "refuse l'autorisation" in user.page.alerts[0]
