"""`python -m load.viewer_speed`: how soon the viewer shows a long series, and what took the time.

The campaign's own bed, a neighbouring Source that holds the series, the reference Consumer, and
the system's Chromium: the page is opened twice, first from the Source, then from the local copy.
Everything is on loopback; nothing is judged.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.elsewhere import publish_at
from bench.story import Story
from load.benchmarks.workbench import Workbench, workbench
from simulators import modality
from simulators.ris.contextual_call import parameters

__all__ = ["IMAGES", "Opened", "main", "measure"]

IMAGES = 1300
"""Of the reference CT series of DB.VI-CO.39 and DB.VI-CO.40, 512 × 512."""
_MATRIX = 512
_PATIENCE_MS = 600_000
_USAGE = 64
_MARKS = """() => Object.fromEntries(performance.getEntriesByType('mark').map(
  (mark) => [mark.name, {at: mark.startTime, detail: mark.detail}]))"""
_PAGE = "() => performance.getEntriesByType('navigation')[0].responseEnd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One opening of the viewer. Times are milliseconds since the click, but where said."""

    where: str
    images: int
    page: float
    """The document is here."""
    first_received: float
    """The first image is in the browser, decoded."""
    first_shown: float
    """It is on the screen."""
    first_decode: float
    """What decoding it took, of that."""
    first_draw: float
    """What painting it took, of that."""
    whole: float
    """Every image is in the browser."""
    decode: float
    """What decoding all took, threads added up."""
    source: float
    """What the WADO-RS answer took, from the Source to the Consumer; 0 when none was asked for."""
    mebibytes: float
    """Decoded pixels."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and say; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m load.viewer_speed",
        description="Première image et série entière dans la visionneuse embarquée, en boucle "
        "locale, avec la part du réseau, du décodage et du dessin.",
        epilog="exemple : python -m load.viewer_speed --images 200 --json",
    )
    parser.add_argument("--images", type=int, default=IMAGES, help=f"{IMAGES} par défaut")
    parser.add_argument("--json", action="store_true", help="un seul document JSON")
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or options.images < 1:
        reason = "chromium n'est pas installé" if chromium is None else "--images : 1 au moins"
        sys.stderr.write(f"{reason}\n")
        return _USAGE
    found = measure(options.images, chromium)
    if options.json:
        document = [asdict(one) for one in found]
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        Console().print(_table(found))
    return 0


def measure(images: int, chromium: str) -> list[Opened]:
    """Open a series of that many images twice."""
    from playwright.sync_api import sync_playwright

    with workbench() as bench, sync_playwright() as playwright:
        story = _held(bench, images)
        names = bench.bed.site.names
        hosts = ", ".join(f"MAP {name}:443 {to}" for name, to in bench.bed.connect_to.items())
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", f"--host-resolver-rules={hosts}"]
        )
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.set_default_timeout(_PATIENCE_MS)
        fields = "".join(
            f'<input name="{escape(name)}" value="{escape(value)}">'
            for name, value in parameters(story.patient)
        )
        page.set_content(
            f'<form method="post" action="https://{names.consumer}/drim">{fields}<button></form>'
        )
        page.click("button")
        page.check(f'input[value="{bench.bed.site.reader}"]')
        page.click("button[value=confirmer]")
        page.wait_for_selector("#voir-1")
        back = page.url
        found = []
        for where in ("Source", "copie locale"):
            page.goto(back)
            before = len(story.stage.seen("WADO-RS"))
            page.click("#voir-1")
            page.wait_for_selector('.received:has-text("100 %")')
            answers = story.stage.seen("WADO-RS")[before:]
            spent = sum(one.exchange.mono_end - one.exchange.mono_start for one in answers)
            found.append(_opened(where, page.evaluate(_MARKS), page.evaluate(_PAGE), spent * 1000))
        browser.close()
    return found


def _opened(where: str, marks: dict[str, Any], page: float, source: float) -> Opened:
    received, shown = marks["drimbox-first-received"], marks["drimbox-first-painted"]
    whole = marks["drimbox-series-received"]
    return Opened(
        where=where,
        images=whole["detail"]["images"],
        page=page,
        first_received=received["at"],
        first_shown=shown["at"],
        first_decode=received["detail"],
        first_draw=shown["detail"],
        whole=whole["at"],
        decode=whole["detail"]["decodeMs"],
        source=source,
        mebibytes=whole["detail"]["bytes"] / 1024**2,
    )


def _held(bench: Workbench, images: int) -> Story:
    """An exam of one series in the DMP, whose full-size images the neighbouring Source gives."""
    bed = bench.bed
    story = bench.story(f"VIEWER-{images}", f"Une série de {images} images à voir")
    exam = story.plan("CT", images=images)
    host = bed.site.names.neighbour
    publish_at(story, story.case, story.patient, exam, host=host, source=bed.neighbour)
    offer = bed.neighbour.offers[exam.study_uid]
    files = tuple(modality.make(bench.acquired(exam, story)))
    (uid,) = offer.series
    bed.neighbour.offer(replace(offer, series={uid: files}))
    return story


def _table(found: Sequence[Opened]) -> Table:
    first = found[0]
    table = Table(
        title=f"{first.images} images de {_MATRIX} × {_MATRIX}, "
        f"{first.mebibytes:.0f} Mio décodés, en boucle locale (ms depuis le clic)"
    )
    table.add_column("Mesure")
    for one in found:
        table.add_column(one.where, justify="right")
    rows = (
        ("page", "page"),
        ("première image dans le navigateur", "first_received"),
        ("première image à l'écran", "first_shown"),
        ("  dont décodage", "first_decode"),
        ("  dont dessin", "first_draw"),
        ("série entière", "whole"),
        ("  réponse WADO-RS de la Source", "source"),
        ("  décodage, fils additionnés", "decode"),
    )
    for label, name in rows:
        table.add_row(label, *(f"{getattr(one, name):.0f}" for one in found))
    return table


if __name__ == "__main__":
    sys.exit(main())
