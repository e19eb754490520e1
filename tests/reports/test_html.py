"""The page: one offline file, complete, deterministic, without secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import html

from bench.decisions import Attachment
from bench.results import Run
from bench.verdicts import Verdict
from reports import html as page_of_run
from reports.html import render, write_html
from reports.views import view
from spec import socle
from spec.grade import Grade
from validators.finding import Finding, Severity
from wire.exchange import Payload
from wire.shard import BlobStore


@pytest.fixture(scope="module")
def page(run: Run) -> html.HtmlElement:
    return html.document_fromstring(render(run))


def _text(element: html.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


def test_the_same_run_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    first = write_html(run, tmp_path / "sous" / "a.html").read_bytes()
    assert first == write_html(run, tmp_path / "b.html").read_bytes()


def _written(run: Run, copies: int, target: Path) -> tuple[int, int]:
    """Octets of the page of a run whose first scenario is played again, and the peak of memory."""
    many = tuple(replace(run.scenarios[0], id=f"SCN-PUB-{rank:02}") for rank in range(copies))
    tracemalloc.start()
    try:
        size = write_html(replace(run, scenarios=many), target).stat().st_size
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_run_is_written_message_by_message(run: Run, tmp_path: Path) -> None:
    """Its annotated messages never stand in memory together, nor does its page."""
    small, small_peak = _written(run, 2, tmp_path / "small.html")
    large, large_peak = _written(run, 14, tmp_path / "large.html")
    assert large_peak - small_peak < (large - small) / 2


def test_what_breaks_leaves_the_page_that_stood_there(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_html(run, tmp_path / "rapport.html")
    before = target.read_bytes()

    def broken(run: Run) -> Iterator[str]:
        yield "<!DOCTYPE html>"
        raise OSError("disque plein")

    monkeypatch.setattr(page_of_run, "_pieces", broken)
    with pytest.raises(OSError, match="disque plein"):
        write_html(run, target)
    assert target.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["rapport.html"]


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


def test_thresholds_stand_beside_what_was_measured(run: Run, tmp_path: Path) -> None:
    figures = {
        "wire": {"images": 6, "size": 1_250_000, "first_s": 0.25, "whole_s": 1.0,
                 "transfer_syntaxes": []},
        "screen_first_image_s": None, "limits": "1 s (DB.VI-CO.39)", "grading": "dépassé",
        "graded": True,
    }  # fmt: skip
    data = json.dumps(figures).encode()
    measure = Attachment(
        proof="SCN_DB/CO.01.06.01", name="m.json", size=len(data), by="drimbench",
        sha256=BlobStore(tmp_path / "blobs").put(data), utc=run.started,
    )  # fmt: skip
    load = {"series_at_once": 3, "throughput_mbps": 100.0, "first_image_s": 1.0}
    without = replace(run, directory=tmp_path, meta={**run.meta, "load": load})
    assert dict(view(without).facts)["Mesures"] == "rien n'a été mesuré dans cette campagne"
    facts = dict(view(replace(without, attachments=(measure,))).facts)
    assert facts["Seuils de charge"].endswith("100 Mbit/s, première image en 1 s")
    assert facts["Mesures"] == (
        "SCN_DB/CO.01.06.01 : première image en 0.250 s, 6 image(s) et 1250000 octets en 1.000 s, "
        "10.0 Mbit/s (dépassé ; 1 s (DB.VI-CO.39))"
    )


def test_the_matrix_gives_each_requirement_its_verdict(page: html.HtmlElement) -> None:
    rows = {
        row.xpath("string(th/code)"): _text(row)
        for row in page.get_element_by_id("exigences").xpath(".//tbody/tr")
    }
    assert list(rows)[:2] == ["DB.CO.63", "DB.SO.11"]
    assert "échec (exigence de projet 2023)" in rows["DB.SO.12"]
    assert "conforme" in rows["DB.SO.32"]
    assert "non vérifié" in rows["DB.SO.38"]


def test_the_socle_says_what_was_played_and_what_was_attached(run: Run) -> None:
    assert not view(run).socle, "this run says nothing of it"
    id, by_hand = next(
        (id, row) for id, row in socle.ROWS.items() if row.manner is socle.Manner.ATTESTATION
    )
    one = replace(run.scenarios[0], requirements=("DMP/CONF.05",), verdict=Verdict.FAIL)
    file = Attachment(
        proof=by_hand.proofs[0], name="attestation.pdf", size=9, sha256="ab", by="A. Martin",
        utc=run.started,
    )  # fmt: skip
    shown = replace(run, scenarios=(one, *run.scenarios[1:]), attachments=(file,))
    verdicts = {row.row.requirement.id: row.verdict for row in view(shown).socle}
    assert list(verdicts) == list(socle.ROWS)
    assert verdicts["DMP/CONF.05"] is Verdict.FAIL
    assert verdicts["DMP/AIRS.06"] is Verdict.SKIP, "a scenario that was not played"
    assert verdicts[id] is Verdict.REVIEW, "a file is for whoever reads it"
    page = html.document_fromstring(render(shown)).get_element_by_id("socle")
    rows = {row.xpath("string(th/code)"): _text(row) for row in page.xpath(".//tbody/tr")}
    assert "attestation.pdf (A. Martin, 22/11/2026)" in rows[id]
    assert "Non jouée" in rows["DMP/AIRS.06"]
    assert any("rien de joint" in text for text in rows.values())


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
