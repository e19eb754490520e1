"""The Consumer among real services: call, PSC login, DMP, Source, local PACS, logout."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pydicom
import pytest
from lxml import html

from protocols.jose import read as read_token
from protocols.xml import parse as parse_xml
from simulators.dmp import DmpState
from simulators.user import User
from spec.dmp import Authorisation
from tests.drimbox_ref.consumer.bed import (
    CALL,
    DEADLINE,
    GENERALIST,
    RADIOLOGIST,
    SOURCE,
    STRANGER,
    TWO_SITES,
    WEB,
    Sync,
)


def rank(bed: Sync, user: User, study: str) -> int:
    """The number of an exam on the page."""
    root = parse_html(user)
    (row,) = root.xpath(f"//tr[@data-study='{study}']")
    return int(row.get("id").removeprefix("examen-"))


def parse_html(user: User) -> Any:
    return html.document_fromstring(user.page.html)


def test_from_the_call_to_the_exams(bed: Sync) -> None:
    study = bed.study(series=2, count=3)
    since = bed.since()
    user = bed.opened()
    asked = bed.asked(since)
    assert asked.index("TD0.2") < asked.index("ITI-18") < asked.index("ITI-43")
    assert asked.index("PSC-userinfo") < asked.index("TD0.2")
    page = user.page
    assert page.status == 200
    assert page.alerts == ()
    assert urlsplit(page.url).path.startswith("/session/")
    number = rank(bed, user, study)
    assert page.form(f"export-{number}") is not None
    text = page.text()
    for shown in (
        "PAT-TROIS",
        "DOMINIQUE",
        "28/03/1979",
        "RADIA KITRADIOLOGUE",
        "99700990016",
    ):
        assert shown in text
    assert "Scanner thoracique" in text
    assert "3 image(s)" in text
    call = next(one for one in user.history if one[1] == "POST")
    assert call[0] == 303


def test_the_vihf_of_the_search(bed: Sync) -> None:
    since = bed.since()
    bed.opened()
    (search,) = bed.searches(since)
    assert search.detail == "TD3.1a"
    assert search.request is not None
    envelope = parse_xml(search.request.body)
    values = [
        "".join(value.itertext()) for value in envelope.iter("{*}AttributeValue") if value.text
    ]
    assert "INDIRECTE_RENFORCEE" in values
    query = b"".join(search.request.body.split(b"AdhocQueryRequest")[1:])
    assert b"('IMG-KOS^^1.2.250.1.213.1.1.4.12')" in query
    assert b"StatusType:Approved" in query


def test_an_export_reaches_the_local_pacs(bed: Sync) -> None:
    study = bed.study(series=2, count=3)
    user = bed.opened()
    number = rank(bed, user, study)
    since = bed.since()
    state = bed.portal.call(bed.bed.exported, user, number)
    assert (state["state"], state["stored"], state["total"]) == ("done", 6, 6), state
    assert "Export terminé : 6 images" in user.page.text()
    assert bed.asked(since).count("WADO-RS") == 2
    stored = bed.bed.pacs.instances(study=study)
    assert len(stored) == 6
    held = next(one for one in bed.bed.pacs.received if one.instance in stored)
    assert held.calling_ae == "CONSUMER"
    for exchange in bed.bed.exchanges[since:]:
        if exchange.transaction != "WADO-RS":
            continue
        assert exchange.request is not None
        assert (exchange.request.header("Authorization") or "").startswith("Bearer ey")
        assert exchange.request.header("KOS-SOPInstanceUID") == f"{study}.999"
        accept = exchange.request.header("Accept") or ""
        assert accept.count("transfer-syntax=") == 10
        assert exchange.tls is not None
        assert exchange.tls.peer_chain
    audit = bed.portal.call(bed.bed.admin, "audit")
    assert audit[0]["objects"]["stored"] == "6"


def test_exported_images_differ_by_patient_id_only(bed: Sync) -> None:
    study = bed.study(series=1, count=1)
    user = bed.opened()
    bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    (stored,) = bed.bed.pacs.instances(study=study)
    (files,) = bed.bed.source.offers[study].series.values()
    sent = pydicom.dcmread(BytesIO(files[0]))
    got = pydicom.dcmread(BytesIO(stored.file()))
    assert got.PatientID == CALL["PatientID"]
    (other,) = got.OtherPatientIDsSequence
    assert other.PatientID == bed.bed.ins
    del got.OtherPatientIDsSequence
    got.PatientID = sent.PatientID
    assert got.to_json() == sent.to_json()


def test_no_token_ever_reaches_the_browser(bed: Sync) -> None:
    study = bed.study(series=1, count=1)
    since = bed.since()
    user = bed.opened()
    bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    secrets = []
    for exchange in bed.bed.exchanges[since:]:
        if exchange.transaction in ("PSC-token", "PSC-refresh") and exchange.response:
            answer = json.loads(exchange.response.body)
            secrets += [answer["access_token"], answer["refresh_token"], answer["id_token"]]
    assert len(secrets) >= 3
    cookies = []
    for exchange in bed.bed.exchanges[since:]:
        if exchange.actor != "user" or exchange.response is None:
            continue
        seen = exchange.response.body + repr(exchange.response.head).encode()
        assert not any(secret.encode() in seen for secret in secrets)
        cookies += [v for n, v in exchange.response.head if n.lower() == "set-cookie"]
    ours = [one for one in cookies if one.startswith("__Host-drimbox")]
    assert len(ours) >= 2
    for cookie in ours:
        lower = cookie.lower()
        assert "httponly" in lower
        assert "secure" in lower
        assert "samesite=lax" in lower


def test_a_short_token_is_renewed_before_each_series(bed: Sync) -> None:
    bed.bed.psc.lifetimes.access = 20
    study = bed.study(series=2, count=1)
    user = bed.opened()
    number = rank(bed, user, study)
    since = bed.since()
    state = bed.portal.call(bed.bed.exported, user, number)
    assert state["state"] == "done", state
    order = [one for one in bed.asked(since) if one in ("PSC-refresh", "WADO-RS")]
    # Series are asked for side by side: a renewal for each, before it.
    for rank_, one in enumerate(order):
        if one == "WADO-RS":
            before = order[: rank_ + 1]
            assert before.count("PSC-refresh") >= before.count("WADO-RS"), order
    assert order.count("WADO-RS") == 2


@pytest.mark.parametrize(
    ("value", "said"), [("non", "s'oppose"), ("inconnu", "recueillez son consentement dans le RIS")]
)
def test_without_consent_nothing_is_asked(bed: Sync, value: str, said: str) -> None:
    bed.study()
    since = bed.since()
    user = bed.opened(InformationEtConsentement=value)
    assert any(said in alert for alert in user.page.alerts)
    assert not [form for form in user.page.forms if form.id.startswith("export-")]
    assert not {"TD0.2", "ITI-18", "ITI-43"} & set(bed.asked(since))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": DmpState.CLOSED}, "fermé"),
        ({"state": DmpState.NONE}, "n'a pas de DMP"),
        ({"authorisation": Authorisation.FORBIDDEN}, "interdit"),
        ({"authorisation": Authorisation.EXPIRED}, "expiré"),
        ({"authorisation": Authorisation.NONE}, "pas d'autorisation"),
    ],
)
def test_only_an_open_dmp_is_searched(bed: Sync, changes: dict[str, Any], said: str) -> None:
    bed.study()
    bed.bed.patient(**changes)
    since = bed.since()
    user = bed.opened()
    assert any(said in alert for alert in user.page.alerts), user.page.text()
    assert "TD0.2" in bed.asked(since)
    assert not {"ITI-18", "ITI-43"} & set(bed.asked(since))


def test_an_unlisted_source_hears_nothing(bed: Sync) -> None:
    study = bed.study(host=STRANGER)
    user = bed.opened()
    since = bed.since()
    state = bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    assert (state["state"], state["failure"]) == ("failed", "liste-blanche")
    assert any("liste blanche" in alert for alert in user.page.alerts)
    assert "échec" in user.page.text().lower()
    assert not [one for one in bed.bed.exchanges[since:] if one.actor == "étranger"]
    assert bed.bed.pacs.count(study) == 0
    alerts = bed.portal.call(bed.bed.admin, "alerts")
    assert any(alert["study_uid"] == study for alert in alerts)
    bed.bed.list_hosts(SOURCE, STRANGER)
    state = bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    assert state["state"] == "done", state


def test_images_of_somebody_else_are_not_exported(bed: Sync) -> None:
    study = bed.study(ins="162018885045327")
    user = bed.opened()
    state = bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    assert state["failure"] == "identite"
    assert bed.bed.pacs.count(study) == 0


def test_a_short_series_is_not_exported(bed: Sync) -> None:
    study = bed.study(series=1, count=3, served=2)
    user = bed.opened()
    state = bed.portal.call(bed.bed.exported, user, rank(bed, user, study))
    assert "1 image(s) sur 3" in state["message"]
    assert bed.bed.pacs.count(study) == 0


def test_two_patients_in_two_tabs_are_not_mixed(bed: Sync) -> None:
    user = bed.opened()
    first = user.page.url
    other = bed.bed.call(Patient__name__family="AUTRE", PatientID="IPP-2")

    async def second() -> str:
        await user.call(f"https://{WEB}/drim", other)
        return user.page.url

    assert bed.portal.call(second) != first
    assert "AUTRE" in user.page.text()

    async def back() -> None:
        await user.get(first)

    bed.portal.call(back)
    assert "PAT-TROIS" in user.page.text()
    assert "AUTRE" not in user.page.text()


def test_somebody_else_s_context_is_closed(bed: Sync) -> None:
    url = bed.opened().page.url
    user = bed.opened(TWO_SITES, Situation="10B9900015")

    async def visit() -> None:
        await user.get(url)

    bed.portal.call(visit)
    assert user.page.status == 403
    assert "PAT-TROIS" not in user.page.text()


def test_several_situations_are_a_choice(bed: Sync) -> None:
    study = bed.study()
    since = bed.since()
    user = bed.opened(TWO_SITES)
    assert "TD0.2" not in bed.asked(since)
    form = user.page.form("situation")
    assert form is not None
    assert len(form.choices) == 2
    bed.submit(user, "situation", situation=form.choices[1][1])
    assert "CLINIQUE KIT DES IMAGES" in user.page.text()
    assert rank(bed, user, study)
    (search,) = bed.searches(since)
    assert search.request is not None
    assert b">10B9900023<" in search.request.body
    again = user.page.form("situation")
    assert again is not None
    bed.submit(user, "situation", situation=again.choices[0][1])
    last = bed.searches(since)[-1]
    assert last.request is not None
    assert b">10B9900015<" in last.request.body

    async def next_patient() -> None:
        await user.call(f"https://{WEB}/drim", bed.bed.call(Patient__name__family="AUTRE"))

    bed.portal.call(next_patient)
    assert "Situation d'exercice : CENTRE HOSPITALIER KIT" in user.page.text()
    assert user.page.form("situation") is not None


def test_the_situation_of_the_call_is_taken(bed: Sync) -> None:
    since = bed.since()
    user = bed.opened(TWO_SITES, Situation="10B9900023")
    assert "ITI-18" in bed.asked(since)
    assert "CLINIQUE KIT DES IMAGES" in user.page.text()
    stranger = bed.opened(Situation="30000000000000")
    assert any("30000000000000" in alert for alert in stranger.page.alerts)


def test_a_structure_without_certificate_is_said(bed: Sync) -> None:
    since = bed.since()
    user = bed.opened(GENERALIST)
    assert any("certificat" in alert for alert in user.page.alerts)
    assert "TD0.2" not in bed.asked(since)


def test_a_call_without_a_parameter_names_it(bed: Sync) -> None:
    user = bed.bed.user()

    async def call() -> None:
        values = {name: value for name, value in bed.bed.call().items() if name != "PatientID"}
        await user.call(f"https://{WEB}/drim", values)

    bed.portal.call(call)
    assert user.page.status == 400
    assert user.page.alerts == ("paramètre obligatoire absent : PatientID",)


def test_no_step_can_be_skipped(bed: Sync) -> None:
    user = bed.bed.user()

    async def get(path: str) -> int:
        return (await user.get(f"https://{WEB}{path}")).status

    assert bed.portal.call(get, "/session/invented") == 404
    assert bed.portal.call(get, "/drim") == 405
    assert bed.portal.call(get, "/callback?code=x&state=y") == 400
    assert bed.portal.call(get, "/") == 200
    assert bed.portal.call(get, "/nothing") == 404
    assert bed.portal.call(get, "/assets/style.css") == 200

    async def exports_without_login() -> int:
        context = bed.bed.parts.sessions.open(
            bed.bed.parts.calls.read(
                "", "", "&".join(f"{k}={v.replace('&', '%26')}" for k, v in CALL.items()).encode()
            )
        )
        return (await user.get(f"https://{WEB}/session/{context.id}/exports")).status

    assert bed.portal.call(exports_without_login) == 401


def test_a_cancelled_login_can_be_tried_again(bed: Sync) -> None:
    user = bed.bed.user()

    async def cancel() -> None:
        await user.call(f"https://{WEB}/drim", bed.bed.call())
        await user.submit("psc-login", button="Annuler", professionnel=RADIOLOGIST)

    bed.portal.call(cancel)
    assert user.page.status == 403
    assert user.page.alerts

    async def again() -> None:
        await user.follow("Réessayer")
        await user.login(RADIOLOGIST)

    bed.portal.call(again)
    assert "PAT-TROIS" in user.page.text()


def test_psc_down_is_said(bed: Sync) -> None:
    bed.bed.psc.faults.set("http", "token", code=503)
    user = bed.opened()
    assert user.page.status == 503
    assert any("Pro Santé Connect" in alert for alert in user.page.alerts)
    bed.bed.psc.faults.clear()

    async def again() -> None:
        await user.follow("Réessayer")

    bed.portal.call(again)
    assert "PAT-TROIS" in user.page.text()


def test_the_end_of_the_psc_session_asks_to_log_in(bed: Sync) -> None:
    study = bed.study()
    user = bed.opened()
    number = rank(bed, user, study)
    bed.bed.psc.lifetimes.access = 20
    (login,) = [
        one for one in bed.bed.parts.sessions._logins.values() if one.professional.id == RADIOLOGIST
    ][-1:]
    bed.bed.psc.end_session(sid_of(login.grant.id_token))
    login.grant = replace(login.grant, expires=bed.bed.parts.clock.now())

    async def export() -> None:
        await user.submit(f"export-{number}")

    bed.portal.call(export)
    # The page that follows the export cannot be shown without a session: PSC asks who it is.
    assert user.page.form("psc-login") is not None

    async def login_again() -> None:
        await user.login(RADIOLOGIST)

    assert bed.bed.pacs.count(study) == 0
    bed.portal.call(login_again)

    async def ended() -> None:
        for job in bed.bed.parts.sessions.tasks():
            await asyncio.wait([job], timeout=DEADLINE)

    # It waited for its professional: nobody has to ask for it again.
    bed.portal.call(ended)
    assert bed.bed.pacs.count(study) == 6


def sid_of(token: str) -> str:
    return str(read_token(token).claims["sid"])


def test_logout_ends_everything(bed: Sync) -> None:
    user = bed.opened()
    url = user.page.url
    since = bed.since()
    bed.submit(user, "logout")
    assert user.page.status == 200
    assert "déconnecté" in user.page.text()
    assert user.page.alerts == ()
    assert "PSC-logout" in bed.asked(since)

    async def back() -> None:
        await user.get(url)

    bed.portal.call(back)
    assert user.page.status == 404


def test_pages_are_neither_cached_nor_framed(bed: Sync) -> None:
    since = bed.since()
    bed.opened()
    page = [
        one
        for one in bed.bed.exchanges[since:]
        if one.actor == "user" and one.response is not None and b'id="patient"' in one.response.body
    ][-1]
    assert page.response is not None
    assert page.response.header("cache-control") == "no-store"
    assert "frame-ancestors 'none'" in (page.response.header("content-security-policy") or "")
    assert page.response.header("referrer-policy") == "no-referrer"
