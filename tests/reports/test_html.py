"""The page: one offline file, complete, deterministic, without secrets."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import html

from bench.results import Run
from bench.verdicts import Verdict
from reports.html import render, write_html
from spec.grade import Grade
from validators.finding import Finding, Severity
from wire.exchange import Payload


@pytest.fixture(scope="module")
def page(run: Run) -> html.HtmlElement:
    return html.document_fromstring(render(run))


def _text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    first = write_html(run, tmp_path / "sous" / "a.html").read_bytes()
    assert first == write_html(run, tmp_path / "b.html").read_bytes()


def test_the_page_is_french_and_needs_nothing_outside(page: html.HtmlElement, run: Run) -> None:
    assert page.get("lang") == "fr"
    assert not page.xpath("//*[@src] | //link | //iframe | //form")
    assert all(link.get("href").startswith("#") for link in page.iter("a"))
    assert "url(" not in render(run)


def test_every_link_leads_somewhere(page: html.HtmlElement) -> None:
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link.get("href")[1:] for link in page.iter("a")} <= set(ids)


def test_only_our_script_may_run(page: html.HtmlElement) -> None:
    policy = page.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    for tag in ("script", "style"):
        digest = hashlib.sha256(page.find(f".//{tag}").text.encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert policy.startswith("default-src 'none'")


def test_the_header_names_the_campaign(page: html.HtmlElement) -> None:
    header, facts = _text(page.find(".//header")), _text(page.get_element_by_id("synthese"))
    assert "DRIMbox de référence" in header
    assert "Échec" in header
    assert "22/11/2026 09:30:00 UTC" in header
    for said in (
        "20261122",
        "draft (exigence de projet 2023)",
        "reference-embarquee (sha256 abab",
        "drimbench 0.1.0, Python 3.11.2, linux",
        "source : oui",
        "DRIMbox de référence, 0.1",
    ):
        assert said in facts


def test_the_matrix_gives_each_requirement_its_verdict(page: html.HtmlElement) -> None:
    rows = {
        row.xpath("string(th/code)"): _text(row)
        for row in page.get_element_by_id("exigences").xpath(".//tbody/tr")
    }
    assert list(rows)[:2] == ["DB.CO.63", "DB.SO.11"]
    assert "échec (exigence de projet 2023)" in rows["DB.SO.12"]
    assert "conforme" in rows["DB.SO.32"]
    assert "non vérifié" in rows["DB.SO.38"]


def test_a_failure_by_a_norm_is_not_excused_by_the_draft(run: Run) -> None:
    first = run.scenarios[0]
    by_norm = Finding(rule="X-1", severity=Severity.ERROR, message="m", grade=Grade.STANDARD,
                      requirements=("DB.SO.12",))  # fmt: skip
    failed = replace(first, findings=(("e1", by_norm),))
    shown = html.document_fromstring(render(replace(run, scenarios=(failed,))))
    badge = shown.get_element_by_id("s1").xpath("string(.//span[contains(@class,'badge')])")
    assert "projet 2023" not in badge


def test_a_scenario_shows_steps_expectations_and_findings(page: html.HtmlElement) -> None:
    shown = _text(page.get_element_by_id("s1"))
    for said in (
        "Quand le RIS envoie le compte rendu d'un scanner",
        "Attendu, pas venu : un dépôt ITI-41 accepté (délai 10,0 s) · message 3",
        "Attendu une réponse Success Constaté SOAP Fault DMPInvalidCertificate",
        "Erreur VIHF-003 Le VIHF est signé par un certificat d'authentification. → message 3",
        "Texte : PAM France 2.11",
        "280025121518958",
    ):
        assert said in shown


def test_a_finding_marks_the_place_that_it_names(page: html.HtmlElement) -> None:
    marked = page.get_element_by_id("m1").xpath(".//tr[contains(@class,'marked')]")
    assert [_text(row) for row in marked] == ["PID-32 Identity Reliability Code PROV"]
    marked = page.get_element_by_id("m3").xpath(".//tr[contains(@class,'marked')]")
    assert [row.xpath("string(th)") for row in marked] == ["Content-Type", "Content-Type"]


def test_ambient_exchanges_and_notes_are_shown(page: html.HtmlElement) -> None:
    assert "refusé : TLSV1_ALERT_UNKNOWN_CA" in _text(page.get_element_by_id("ambiants"))
    assert "dernière ligne incomplète" in _text(page.find(".//footer"))


def test_no_secret_reaches_the_page(run: Run, world: SimpleNamespace) -> None:
    shown = render(run)
    for secret in (world.TOKEN, world.jwt("refresh"), world.jwt("id"), "SplxlOBeZQQYbYS6WxSbIA",
                   "5f2b9f0a77d84c1d9a"):  # fmt: skip
        assert secret not in shown
    assert not re.search(r"eyJ[\w-]{10,}\.[\w-]{10,}\.", shown)


@pytest.mark.parametrize("place", ["reason", "title", "finding", "body", "detail", "meta", "case"])
def test_hostile_text_stays_text_and_tokens_stay_masked(
    run: Run, world: SimpleNamespace, place: str
) -> None:
    evil = f"</script><script>alert(1)</script><img src=x onerror=alert(1)>{world.TOKEN}"
    scenario = run.scenarios[0]
    match place:
        case "finding":
            finding = Finding(rule=evil, severity=Severity.ERROR, message=evil, expected=evil,
                              actual=evil, where=evil, spec=evil, requirements=(evil,))  # fmt: skip
            scenario = replace(scenario, findings=(("e1", finding),))
        case "body" | "detail":
            sent = world.exchange(
                0, detail=evil if place == "detail" else "", reason=evil,
                request=Payload.whole(evil.encode(), start_line=evil, head=[(evil, evil)]),
            )  # fmt: skip
            scenario = replace(scenario, exchanges=(world.recorded("e1", sent),))
        case "case":
            scenario = replace(scenario, case={evil: evil}, requirements=(evil,))
        case "meta":
            run = replace(run, meta={"product": evil, evil: {"x": [evil]}})
        case _:
            scenario = replace(scenario, **{place: evil})
    shown = render(replace(run, scenarios=(scenario,)))
    assert world.TOKEN not in shown
    page = html.document_fromstring(shown)
    assert len(page.xpath("//script")) == 1
    assert not page.xpath("//img | //@onerror")


def test_an_empty_run_has_a_page(run: Run) -> None:
    shown = render(replace(run, scenarios=(), ambient=(), meta={}, verdict=Verdict.ERROR))
    assert "Aucun échange." in shown


def test_a_long_campaign_stays_readable(run: Run, world: SimpleNamespace) -> None:
    stores = tuple(world.recorded(f"s{n}", world.c_store(n / 100)) for n in range(1300))
    crowded = replace(run.scenarios[1], exchanges=stores)
    assert len(render(replace(run, scenarios=(crowded,)))) < 300_000
