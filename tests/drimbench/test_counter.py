"""The local page of `serve`: what it shows, what it breaks and mends, whom it refuses."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydicom import Dataset
from typer.testing import CliRunner

from bench.bed import Bed
from bench.profile import read
from bench.standing import standing
from bench.verdicts import ExitCode
from bench.watching import weather_of
from drimbench.counter import open_page
from drimbench.counter.faults import WELL, menus
from drimbench.ending import Finished
from drimbench.faults_cli import fault
from simulators.ans import Sky
from simulators.modality import Exam, Patient, make
from tests.bench.test_external import written_profile
from tests.reports.test_page_in_browser import CONTRASTS
from wire.dimse import DimseClient, DimseFailure, DimsePeer
from wire.exchange import Direction, Exchange, Outcome, Payload, ignore, stamp

TOKEN = re.compile(r'name="jeton-page" value="([^"]+)"')
PATIENT = Patient(patient_id="IPP-77", name="PATIENTE^ANNE", birth_date="19700101", sex="F")


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    folder = tmp_path_factory.mktemp("comptoir")
    with standing(read(written_profile(folder)), folder / "banc", 1, ignore) as made:
        yield made


@pytest.fixture(scope="module")
def page(bed: Bed) -> Iterator[str]:
    opened = open_page(bed, 0)
    yield opened.url.rstrip("/")
    opened.close()


@pytest.fixture
def browser(page: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page, trust_env=False) as client:
        yield client


def posted(browser: httpx.Client, menu: str, choice: str, **headers: str) -> httpx.Response:
    found = TOKEN.search(browser.get("/").text)
    assert found is not None
    form = {"jeton-page": found[1], "menu": menu, "choix": choice}
    return browser.post("/pannes", data=form, headers=headers)


def placed(
    browser: httpx.Client, simulator: str, fault: str, service: str, **more: str
) -> httpx.Response:
    return sent(
        browser, "/pannes/poser", simulateur=simulator, panne=fault, service=service, **more
    )


def removed(browser: httpx.Client, simulator: str, number: str = "") -> httpx.Response:
    return sent(browser, "/pannes/oter", simulateur=simulator, numero=number)


def sent(browser: httpx.Client, path: str, **form: str) -> httpx.Response:
    found = TOKEN.search(browser.get("/").text)
    assert found is not None
    return browser.post(path, data={"jeton-page": found[1], **form})


def seen(bed: Bed, **changed: object) -> str:
    """Something that passed, now; the id of its record."""
    utc, mono = stamp()
    facts: dict[str, object] = {
        "protocol": "HTTP", "actor": "psc", "peer": "source", "direction": Direction.IN,
        "outcome": Outcome.ANSWERED, "connection": "t-1", "utc": utc, "mono_start": mono,
        "mono_end": mono, "transaction": "introspection", **changed,
    }  # fmt: skip
    bed.observe(Exchange(**facts))  # type: ignore[arg-type]
    return bed.feed.since()[-1].id


def test_what_the_simulators_hold(bed: Bed, browser: httpx.Client) -> None:
    for file in make(Exam(patient=PATIENT, study_uid="2.25.7701", matrix=64)):
        bed.pacs.load(file)
    who = bed.psc.professionals[0]
    token = bed.psc.issue(who, bed.site.source_client)
    text = browser.get("/").text
    for told in (
        "2.25.7701", "PATIENTE^ANNE", who.display, bed.site.names.neighbour, bed.psc.issuer,
        bed.site.consumer_client, bed.papers.dns["source"], bed.profile.source.mllp,
        bed.dmp.patients()[0].matricule,
    ):  # fmt: skip
        assert told in text, told
    assert token not in text
    assert bed.psc.sessions[-1].sid not in text
    bed.psc.end_session(bed.psc.sessions[-1].sid)
    assert 'Sessions <span class="count">0</span>' in browser.get("/").text


def test_every_fault_is_set_and_cleared(bed: Bed, browser: httpx.Client) -> None:
    known = menus(bed)
    assert {menu.simulator for menu in known} == {"dmp"}
    for menu in known:
        for choice in (*menu.choices, WELL):
            answer = posted(browser, menu.id, choice)
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/#{menu.simulator}"
            assert menu.now() == choice


def test_faults_by_request_are_set_told_and_removed(bed: Bed, browser: httpx.Client) -> None:
    for simulator, faults in bed.simulators.faults.items():
        for kind in faults.menu:
            for service in kind.services:
                answer = placed(browser, simulator, kind.name, service, fois="2", passer="1")
                assert answer.status_code == 303, answer.text
                assert answer.headers["location"] == f"/#{simulator}"
        assert {(one.fault.times, one.fault.skip) for one in faults.placed} == {(2, 1)}
    text = browser.get("/").text
    for told in ("C-FIND : comptes-faux (ecart 1)", "TD2.1 : coupure (moment avant)", "après 1"):
        assert told in text
    (first, *others) = bed.simulators.faults["dmp"].placed
    assert removed(browser, "dmp", str(first.id)).status_code == 303
    assert [one.id for one in bed.dmp.faults.placed] == [one.id for one in others]
    for simulator in bed.simulators.faults:
        removed(browser, simulator)
    assert not any(faults.placed for faults in bed.simulators.faults.values())
    for wrong in (
        {"fois": "0"}, {"fois": "beaucoup"}, {"passer": "-1"}, {"p-statut": "zz"}, {"p-rien": "1"},
        {"simulateur": "psc"}, {"service": "WADO-RS"}, {"panne": "panique"},
    ):  # fmt: skip
        form = {"simulateur": "pacs", "panne": "statut", "service": "C-FIND", **wrong}
        answer = sent(browser, "/pannes/poser", **form)
        assert (answer.status_code, "Panne refusée" in answer.text) == (400, True), wrong
    assert removed(browser, "pacs", "x").status_code == 400
    assert browser.post("/pannes/poser", data={"simulateur": "pacs"}).status_code == 403
    assert browser.post("/pannes/oter", data={"simulateur": "pacs"}).status_code == 403
    assert bed.pacs.faults.placed == ()


def test_faults_by_request_for_a_program(bed: Bed, browser: httpx.Client) -> None:
    told = browser.get("/pannes.json").json()
    assert set(told["simulators"]) == {"pacs", "dmp", "pacs-local", "source", "ans", "psc", "igc"}
    order = {
        "token": told["token"], "simulator": "dmp", "fault": "erreur-xds", "service": "TD2.1",
        "times": 3, "parameters": {"code": "XDSRegistryBusy"},
    }  # fmt: skip
    made = browser.post("/pannes.json", json=order)
    assert made.status_code == 201
    (one,) = browser.get("/pannes.json").json()["simulators"]["dmp"]["set"]
    assert (one["id"], one["times"], one["skip"]) == (made.json()["id"], 3, 0)
    assert one["parameters"] == {"code": "XDSRegistryBusy"}
    for wrong, status in (
        ({"token": "x"}, 403), ({"token": None}, 403), ({"times": "3"}, 400),
        ({"times": True}, 400), ({"skip": 1.5}, 400), ({"parameters": []}, 400),
        ({"parameters": {"code": []}}, 400), ({"parameters": {"code": "XDSRien"}}, 400),
        ({"simulator": "ris"}, 400), ({"fault": 1}, 400),
    ):  # fmt: skip
        answer = browser.post("/pannes.json", json={**order, **wrong})
        assert answer.status_code == status, wrong
        assert answer.json()["error"]
    assert browser.post("/pannes.json", content=b"[").status_code == 400
    away = {"token": told["token"], "simulator": "dmp"}
    assert browser.request("DELETE", "/pannes.json", json={**away, "id": 10**6}).json() == {
        "cleared": 0
    }
    assert browser.request("DELETE", "/pannes.json", json=away).json() == {"cleared": 1}
    assert bed.dmp.faults.placed == ()


def commanded(page: str, *words: str) -> tuple[ExitCode, str]:
    """`drimbench fault`, against the page; what it said on its two outputs."""
    result = CliRunner().invoke(fault, [*words, "--at", page], env={"COLUMNS": "200"})
    assert isinstance(result.exception, Finished), result.output
    return result.exception.code, result.output


def test_faults_from_the_command_line(bed: Bed, page: str) -> None:
    code, said = commanded(page, "set", "pacs", "statut", "C-FIND", "statut=C001", "--skip", "1")
    assert (code, "Posée" in said) == (ExitCode.CONFORM, True)
    (one,) = bed.simulators.faults["pacs"].placed
    assert (one.fault.values["statut"], one.fault.skip, one.fault.times) == (0xC001, 1, None)
    code, said = commanded(page, "list", "pacs", "--menu")
    assert "C-FIND : statut (statut C001, apres 0), toutes les requêtes, après 1" in said
    assert "ecart=1" in said
    assert "dmp" not in said
    listed = json.loads(commanded(page, "list", "--json")[1])
    assert {name: len(one["set"]) for name, one in listed.items()} == {
        "pacs": 1, "dmp": 0, "pacs-local": 0, "source": 0, "ans": 0, "psc": 0, "igc": 0,
    }  # fmt: skip
    for words, told in (
        (("set", "pacs", "statut", "C-FIND", "statut=zz"), "hexadécimal de 0001 à FEFF attendu"),
        (("set", "pacs", "statut", "C-FIND", "statut"), "NOM=VALEUR attendu"),
        (("set", "ris", "retard", "C-FIND"), "simulateur ris inconnu"),
        (("set", "pacs", "retard", "TD2.1"), "service TD2.1 inconnu"),
        (("list", "ris"), "simulateur ris inconnu"),
        (("clear", "dmp", "77"), "aucune panne 77"),
    ):
        code, said = commanded(page, *words)
        assert (code, told in said) == (ExitCode.USAGE, True), said
    code, said = commanded("http://127.0.0.1:1", "list")
    assert (code, "aucune page" in said) == (ExitCode.USAGE, True)
    assert commanded("https://ailleurs", "list")[0] is ExitCode.USAGE
    assert json.loads(commanded(page, "clear", "pacs", str(one.id), "--json")[1]) == {"cleared": 1}
    assert json.loads(commanded(page, "clear", "--json")[1]) == {"cleared": 0}


def test_a_fault_is_felt(bed: Bed, browser: httpx.Client) -> None:
    trust = str(bed.papers.market_trust)

    def status(url: str) -> int:
        context = ssl.create_default_context(cafile=trust)
        with httpx.Client(verify=context, trust_env=False) as stranger:
            return stranger.get(url).status_code

    def found() -> None:
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", "2.25.1"
        client = DimseClient("ESSAI", actor="essai", observe=ignore)
        client.find(DimsePeer("127.0.0.1", bed.pacs.port, "KITPACS"), asked)

    white_list = bed.addresses().white_list
    discovery = f"{bed.psc.issuer}/.well-known/wallet-openid-configuration"
    assert (status(white_list), status(discovery)) == (200, 200)
    assert placed(browser, "ans", "http", "liste").status_code == 303
    assert placed(browser, "psc", "http", "discovery").status_code == 303
    assert placed(browser, "pacs", "statut", "C-FIND", **{"p-statut": "A700"}).status_code == 303
    posted(browser, "dmp-service", "arret")
    try:
        assert (status(white_list), status(discovery)) == (503, 503)
        with pytest.raises(DimseFailure):
            found()
        with pytest.raises(httpx.ConnectError):
            status(bed.dmp.url)
        assert "arrêté" in browser.get("/").text
    finally:
        posted(browser, "dmp-service", WELL)
        for simulator in ("pacs", "ans", "psc"):
            assert removed(browser, simulator).status_code == 303
    assert (status(white_list), status(discovery)) == (200, 200)
    found()


def test_nobody_else_commands_the_bench(bed: Bed, browser: httpx.Client) -> None:
    untouched = {menu.id: menu.now() for menu in menus(bed)}
    form = {"menu": "dmp-service", "choix": "arret"}
    assert browser.post("/pannes", data=form).status_code == 403
    assert browser.post("/pannes", data={**form, "jeton-page": "é"}).status_code == 403
    assert browser.post("/pannes", content=b"x" * 5000).status_code == 413
    assert browser.get("/pannes").status_code == 405
    other = posted(browser, "dmp-service", "arret", origin="https://ailleurs.example")
    assert other.status_code == 403
    assert posted(browser, "dmp-service", "arret", origin="null").status_code == 403
    assert posted(browser, "dmp-service", "pire").status_code == 400
    assert posted(browser, "rien", WELL).status_code == 400
    assert {menu.id: menu.now() for menu in menus(bed)} == untouched
    # DNS rebinding: a name of somebody else's that leads here.
    assert browser.get("/", headers={"host": "piege.example"}).status_code == 421
    answer = browser.get("/")
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_an_exchange_is_found_and_opened(bed: Bed, browser: httpx.Client) -> None:
    secret = bed.psc.issue(bed.psc.professionals[0], bed.site.source_client)
    request = Payload.whole(
        f"token={secret}&token_type_hint=access_token".encode(),
        start_line="POST /introspect?code=un-code-tres-secret HTTP/1.1",
        head=[("Content-Type", "application/x-www-form-urlencoded")],
    )
    good = seen(bed, request=request, response=Payload.whole(b"{}", start_line="HTTP/1.1 200 OK"))
    hostile = "<script>alert(1)</script>"
    bad = seen(bed, outcome=Outcome.REFUSED, reason=hostile, transaction="ITI-41", actor="dmp")
    whole = browser.get("/echanges").text
    assert f"/echanges/{good}" in whole
    assert f"/echanges/{bad}" in whole
    for asked, kept, left in (
        ({"transaction": "ITI-41"}, bad, good),
        ({"acteur": "psc", "issue": "ok"}, good, bad),
        ({"issue": "no"}, bad, good),
        ({"texte": "INTROSPECT?"}, good, bad),
    ):
        text = browser.get("/echanges", params=asked).text
        assert f"/echanges/{kept}" in text
        assert f"/echanges/{left}" not in text
    # A secret can neither be read nor be guessed letter by letter.
    assert f"/echanges/{good}" not in browser.get("/echanges", params={"texte": "tres-secret"}).text
    opened = browser.get(f"/echanges/{good}").text
    assert "token_type_hint" in opened
    assert "jeton masqué" in opened
    shown = [whole, opened, browser.get(f"/echanges/{bad}").text]
    assert not any(told in text for text in shown for told in (secret, "tres-secret", hostile))
    assert browser.get("/echanges/rien").status_code == 404


def test_what_a_box_emitted_is_judged(bed: Bed, browser: httpx.Client) -> None:
    ack = Payload.whole(b"MSH|^~\\&|A|B|C|D|20261122||ACK|1|P|2.5\rMSA|XX|KIT1\r")
    order = Payload.whole(b"MSH|^~\\&|A|B|C|D|20261122||ORU^R01|KIT1|P|2.5\r")
    id = seen(
        bed, protocol="MLLP", actor="ris", direction=Direction.OUT, transaction="ORU^R01",
        request=order, response=ack,
    )  # fmt: skip
    assert re.search(r"Erreur</span> <code>ACK-", browser.get(f"/echanges/{id}").text)


@pytest.mark.slow
def test_in_a_browser(bed: Bed, page: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium n'est pas installé")
    seen(bed)
    told: list[str] = []
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=["--no-sandbox"]
        )
        for width in (390, 1280):
            view = opened.new_page(viewport={"width": width, "height": 900})
            view.on("console", lambda message: told.append(message.text))
            view.on("pageerror", lambda error: told.append(str(error)))
            for path in ("/", "/echanges", f"/echanges/{seen(bed)}"):
                view.goto(page + path)
                assert view.evaluate("document.documentElement.scrollWidth") == width
                assert view.evaluate(CONTRASTS) == []
        view.goto(page + "/")
        view.locator("#dmp-service").select_option("arret")
        view.get_by_role("button", name="Appliquer à : Service").click()
        view.wait_for_selector(".faults li.set")
        assert not bed.dmp.listening
        bed.call(bed.dmp.restart)
        view.goto(page + "/echanges?transaction=suivi")
        view.get_by_text("Aucun échange.").wait_for()
        seen(bed, transaction="suivi")
        view.get_by_role("link", name="ouvrir suivi").wait_for()  # no reload: it follows
        plain = opened.new_context(java_script_enabled=False).new_page()
        plain.goto(page + "/echanges")
        assert plain.get_by_role("link", name="ouvrir suivi").count() == 1
        assert not plain.get_by_role("button", name="Suivre").is_visible()
        opened.close()
    assert told == []


def test_the_weather_of_services_is_shown(bed: Bed) -> None:
    sky = weather_of(bed)
    opened = open_page(bed, 0, sky)
    names = bed.site.names
    bed.call(sky.look)
    first = httpx.get(opened.url, trust_env=False).text
    bed.call(sky.look)
    second = httpx.get(opened.url, trust_env=False).text
    opened.close()
    found = {one.host: one for one in sky.stations}
    assert set(found) == {names.source, names.neighbour}
    assert found[names.source].sky is Sky.DOWN, "no Source runs yet"
    assert Sky.CLOUDED.value in first
    assert Sky.DOWN.value in second
    assert found[names.source].glances[-1].seen in html.unescape(second)


def test_serve_says_where_the_page_is_and_stops_when_told(tmp_path: Path) -> None:
    file = written_profile(tmp_path)
    command = [sys.executable, "-m", "drimbench", "serve", "--profile", str(file)]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "banc")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        line = next(one for one in process.stdout if one.startswith("Page locale"))
        url = line.rpartition(" ")[2].strip()
        assert "Simulateurs" in httpx.get(url, trust_env=False).text
        next(one for one in process.stdout if "Ctrl-C" in one)
        next(one for one in process.stdout if "> meteo" in one)
        assert "Météo des services" in httpx.get(url, trust_env=False).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
