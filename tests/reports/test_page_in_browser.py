"""The page in a real browser: silent console, arrows that open messages, keyboard, contrast."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from bench.results import Run
from reports.html import write_html

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium n'est pas installé")

# WCAG 2.1, 1.4.3: contrast of every visible text against what is behind it, 4.5 for plain text.
CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
  };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 0.99) return c; }
    return [255, 255, 255, 1]; };
  const poor = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('svg, script, style, .hidden, .skip')) continue;
    if (!e.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(walk.currentNode.data.trim().slice(0, 40));
  }
  return [...new Set(poor)];
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox"]
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def url(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_html(run, tmp_path_factory.mktemp("page") / "rapport.html").as_uri()


@pytest.fixture
def page(browser: Any, url: str) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: said.append(request.url) if request.url != url else None)
    opened.goto(url)
    yield opened
    opened.close()
    assert said == []


def test_an_arrow_opens_its_annotated_message(page: Any) -> None:
    page.click("#s1 svg a[href='#m3'] >> nth=0")
    panel = page.locator("#m3")
    assert panel.is_visible()
    assert "DMPInvalidCertificate" in panel.inner_text()
    assert page.evaluate("location.hash") == "#m3"
    page.keyboard.press("Escape")
    assert panel.is_hidden()


def test_the_keyboard_is_enough(page: Any) -> None:
    page.focus("#s1 svg a[href='#m1'] >> nth=0")
    page.keyboard.press("Enter")
    assert page.locator("#m1").is_visible()
    page.keyboard.press("ArrowRight")
    assert page.locator("#m2").is_visible()
    assert page.locator("#m1").is_hidden()
    page.keyboard.press("Escape")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == "#m1"


def test_a_link_with_a_fragment_opens_the_message(page: Any, url: str) -> None:
    page.goto(f"{url}#m2")
    assert page.locator("#m2").is_visible()


def test_a_link_to_a_folded_scenario_unfolds_it(page: Any) -> None:
    assert page.locator("#s2 .steps").is_hidden()
    page.click("nav a[href='#s2']")
    page.wait_for_selector("#s2 .steps", state="visible")


def test_scenarios_are_filtered_by_verdict(page: Any) -> None:
    page.check("#f-fail")
    assert page.locator("article.scenario:visible").count() == 1
    page.check("#f-all")
    assert page.locator("article.scenario:visible").count() == 5


def test_without_script_everything_can_still_be_read(browser: Any, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.click("#s1 a.message-link[href='#m3'] >> nth=0")
    assert page.locator("#m3").is_visible()
    page.click("#m3 a.close")
    assert page.locator("#m3").is_hidden()
    page.click("#s2 summary >> nth=0")
    assert page.locator("#s2 .steps").is_visible()
    page.click("label:has(#f-fail)")
    assert page.locator("article.scenario:visible").count() == 1
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("shown", ["", "#m1", "#m3", "#m5", "#m6"])
def test_contrast_is_sufficient(browser: Any, url: str, scheme: str, shown: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(url + shown)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate(CONTRASTS) == []
    page.close()


@pytest.mark.parametrize("width", [390, 1024, 1920])
def test_no_width_makes_the_page_scroll_sideways(browser: Any, url: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(url)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_printing_unfolds_and_leaves_the_tools_out(browser: Any, url: str) -> None:
    page = browser.new_page()
    page.goto(url)
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert page.locator("#s2 .steps").is_visible()
    page.close()
