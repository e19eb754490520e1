"""OHIF in a real browser on the Consumer's DICOMweb: opened from the page, scrolled, windowed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from tests.drimbox_ref.consumer.bed import RADIOLOGIST, WEB, Bed

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BUILT = Path(__file__).parents[2] / "ohif" / "dist"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium n'est pas installé"),
    pytest.mark.skipif(not BUILT.is_dir(), reason="OHIF n'est pas construit (make viewer)"),
]
expect = sync_api.expect
JPEG_LS = "1.2.840.10008.1.2.4.80"
PATIENCE_MS = 60_000
"""Seventeen megabytes of script on a busy machine."""
LIT = """(canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height)
    .getContext('2d', {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let lit = 0;
  for (let at = 0; at < data.length; at += 4) lit += data[at] > 128;
  return lit / (data.length / 4);
}"""
"""The part of a canvas that is more white than black."""


class OhifBed(Bed):
    """A bed whose Consumer has the viewer that was built."""

    def configuration(self, addresses: dict[str, str]) -> dict[str, Any]:
        return {**super().configuration(addresses), "viewer": {"folder": str(BUILT)}}


@pytest.fixture(scope="module")
def bed(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    made = OhifBed(tmp_path_factory.mktemp("ohif"))
    portal.call(made.start)
    yield made
    portal.call(made.stop)


@pytest.fixture(scope="module")
def browser(bed: Bed) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--enable-unsafe-swiftshader",
                f"--host-resolver-rules=MAP {WEB}:443 {bed.addresses['web']}",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, bed: Bed) -> Iterator[Any]:
    """The page of a patient of this test, after call and login; what it says is kept."""
    context = browser.new_context(
        ignore_https_errors=True, locale="fr-FR", viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    opened.said = []
    opened.asked = []
    opened.on("console", lambda one: opened.said.append(one.text) if one.type == "error" else None)
    opened.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.on("request", lambda request: opened.asked.append(request.url))
    yield opened
    context.close()


def enter(page: Any, bed: Bed) -> None:
    fields = "".join(f'<input name="{k}" value="{v}">' for k, v in bed.call().items())
    page.set_content(f'<form method=post action="https://{WEB}/drim">{fields}<button></form>')
    page.click("button")
    if page.locator(f'input[value="{RADIOLOGIST}"]').count():
        page.check(f'input[value="{RADIOLOGIST}"]')
        page.click("button[value=confirmer]")
    page.locator("#examens").wait_for()
    page.said.clear()
    page.asked.clear()


def test_an_exam_is_opened_scrolled_and_windowed(page: Any, bed: Bed, tmp_path: Path) -> None:
    bed.ins = "279035121700001"
    bed.patient()
    study = "1.2.250.1.999.70"
    bed.publish(study, series=2, count=6, matrix=128, transfer_syntax=JPEG_LS)
    enter(page, bed)
    page.click("text=Ouvrir dans OHIF")
    image = page.locator("[data-viewportid] canvas.cornerstone-canvas").first
    body = page.locator("body")
    expect(body).to_contain_text(re.compile(r"1 \(1/6\)"), timeout=PATIENCE_MS)
    expect(page.locator("#drimbox-mention")).to_have_text(
        "PAT-TROIS DOMINIQUE 28/03/1979 · F · 51215 Usage non diagnostique"
    )
    canvas = image.element_handle()
    page.wait_for_function(f"canvas => ({LIT})(canvas) > 0.02", arg=canvas)
    image.hover()
    page.mouse.wheel(0, 120)
    expect(body).to_contain_text(re.compile(r"2 \(2/6\)"))
    before = page.evaluate(LIT, canvas)
    box = image.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 200, steps=5)
    page.mouse.up()
    # Dragged down, the centre of the window rises: the image darkens.
    page.wait_for_function(f"([canvas, than]) => ({LIT})(canvas) < than", arg=[canvas, before])
    page.screenshot(path=tmp_path / "ohif.png")
    # Nothing from elsewhere, nothing that the policy forbids, no token (DB.VI-CO.12).
    own = (f"https://{WEB}/", "blob:", "data:")
    assert [url for url in page.asked if not url.startswith(own)] == []
    assert page.said == []
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert [word for word in ("eyJ", bed.ins, "PAT-TROIS", study) if word in stored] == []
    # Its language, which it remembers.
    assert page.evaluate("document.cookie") == "i18next=fr-FR"


def test_a_source_that_refuses_is_said_in_french(page: Any, bed: Bed, tmp_path: Path) -> None:
    bed.ins = "279035121700002"
    bed.patient()
    bed.publish("1.2.250.1.999.71", series=1, count=2)
    bed.source.faults.set("http", "WADO-RS", code=410)
    try:
        enter(page, bed)
        page.click("text=Ouvrir dans OHIF")
        said = page.locator("#drimbox-alerte")
        expect(said).to_contain_text("ne sont plus disponibles (410)", timeout=PATIENCE_MS)
        assert said.locator("p").count() == 1
        page.screenshot(path=tmp_path / "refusal.png")
    finally:
        bed.source.faults.clear()
