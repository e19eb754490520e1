"""The viewer in a real browser: what is shown, by mouse and keyboard, and what fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anyio.from_thread import BlockingPortal

from protocols.dicom import split_part10
from simulators.modality import exam as modality
from simulators.modality import images
from tests.drimbox_ref.consumer.bed import RADIOLOGIST, WEB, Bed
from tests.drimbox_ref.viewer.coming import Coming
from tests.drimbox_ref.viewer.datasets import colour, grey, part10
from tests.drimbox_ref.viewer.stage import Stage

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium n'est pas installé"),
]
expect = sync_api.expect
expect.set_options(timeout=30_000)  # a loaded machine draws late
PIXELS = """(pane) => {
  const canvas = pane.querySelector('canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height)
    .getContext('2d', {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const middle = 4 * ((canvas.height >> 1) * canvas.width + (canvas.width >> 1));
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += data[at];
  return {mean: sum / (data.length / 4), middle: [...data.slice(middle, middle + 4)]};
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
def stage(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    portal.call(made.start)
    yield made
    portal.call(made.stop)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page; nothing may be said in its console, nothing asked of another host."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    said: list[str] = []
    hosts: set[str] = set()
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    yield opened
    opened.close()
    assert said == []
    assert len(hosts) == 1


def ct(count: int, *, study: str = "1.2.3", matrix: int = 64) -> list[bytes]:
    made = modality.Exam(
        patient=modality.Patient(name="PAT-TROIS^DOMINIQUE", patient_id="LOCAL-77"),
        study_uid=study,
        series=(modality.Series(count=count, description="Thorax"),),
        matrix=matrix,
    )
    return list(images.make(made))


def pane(page: Any, number: int = 1) -> Any:
    return page.locator(".pane").nth(number - 1)


def shown(page: Any, place: str, number: int = 1) -> None:
    """That view shows an image, at that place."""
    expect(pane(page, number)).to_have_attribute("data-ready", "yes")
    expect(pane(page, number).locator(".at-series")).to_contain_text(place)


def brightness(page: Any, number: int = 1) -> float:
    found: float = pane(page, number).evaluate(PIXELS)["mean"]
    return found


def drag(page: Any, x: int, y: int) -> None:
    box = pane(page).locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] + 300 + x, box["y"] + 300 + y, steps=3)
    page.mouse.up()


def test_images_are_shown_as_they_come(page: Any, portal: BlockingPortal, stage: Stage) -> None:
    files = [stage.stored(file) for file in ct(4)]
    series = Coming(4)
    page.goto(stage.show({"Scanner": {"A": series}}))
    expect(pane(page)).to_contain_text("En attente de la première image")
    portal.call(series.come, files[2])
    shown(page, "Image 1/4 (n° 3)")
    expect(pane(page).locator(".received")).to_contain_text("25 % reçus, 3 image(s) à venir")
    portal.call(series.come, files[0])
    expect(pane(page).locator(".received")).to_contain_text("50 %")
    page.keyboard.press("ArrowDown")
    shown(page, "Image 2/4 (n° 1)")
    for file in (files[1], files[3]):
        portal.call(series.come, file)
    portal.call(series.end)
    expect(pane(page).locator(".received")).to_contain_text("4 image(s) reçue(s), 100 %")
    page.keyboard.press("o")
    page.keyboard.press("Home")
    shown(page, "Image 1/4 (n° 1)")


def test_who_and_what_is_written_on_the_image(page: Any, stage: Stage) -> None:
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3))}}))
    shown(page, "Image 1/3")
    view = pane(page)
    for text in ("PAT-TROIS DOMINIQUE", "ID LOCAL-77", "20/11/2026 09:30", "C 40", "L 400"):
        expect(view).to_contain_text(text)
    assert view.locator(".letter").all_inner_texts() == ["A", "L", "P", "R"]
    expect(view).to_contain_text("Usage non diagnostique")
    expect(view.locator(".ruler")).to_have_text("5 cm")
    expect(page.locator("#traits")).to_contain_text("PAT-TROIS")
    expect(page.locator("#details dl")).to_be_hidden()
    page.click("#details summary")
    expect(page.locator("#details dl")).to_contain_text("279035121518989")


def test_slices_by_wheel_keys_slider_and_drag(page: Any, stage: Stage) -> None:
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(30))}}))
    shown(page, "Image 1/30")
    pane(page).locator(".stage").hover()
    page.mouse.wheel(0, 100)
    shown(page, "Image 2/30")
    page.keyboard.press("PageDown")
    shown(page, "Image 12/30")
    page.keyboard.press("End")
    shown(page, "Image 30/30")
    pane(page).locator(".slider").fill("5")
    shown(page, "Image 5/30")
    page.check("input[value=scroll]", force=True)
    drag(page, 0, 40)
    shown(page, "Image 15/30")


def test_window_zoom_and_pan(page: Any, stage: Stage) -> None:
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3))}}))
    shown(page, "Image 1/3")
    before = brightness(page)
    page.keyboard.press("3")
    view = pane(page).locator(".at-view")
    expect(view).to_contain_text("C -600  L 1500")
    assert brightness(page) > before
    drag(page, 60, 0)
    expect(view).to_contain_text("L 1800")
    page.select_option("#preset", label="Os (C 400, L 1800)")
    expect(view).to_contain_text("C 400  L 1800")
    bones = brightness(page)
    page.keyboard.press("i")
    expect(view).to_contain_text("(inversé)")
    assert brightness(page) > bones
    page.keyboard.press("+")
    expect(view).to_contain_text("Zoom 115 %")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("0")
    expect(view).to_contain_text("Zoom 100 %")
    page.keyboard.press("r")
    expect(view).to_contain_text("C 40  L 400")


def test_three_planes_and_projections(page: Any, stage: Stage) -> None:
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(40))}}))
    expect(pane(page).locator(".received")).to_contain_text("100 %")
    page.select_option("#layout", "mpr")
    for number, place in enumerate(("Axial 21/40", "Coronal 33/64", "Sagittal 33/64"), 1):
        shown(page, place, number)
        assert brightness(page, number) > 1
    sides = [pane(page, number).locator(".letter").all_inner_texts() for number in (1, 2, 3)]
    assert sides == [["A", "L", "P", "R"], ["H", "L", "F", "R"], ["H", "P", "F", "A"]]
    slice_only = brightness(page, 2)
    pane(page, 2).locator(".stage").focus()
    page.select_option("#slab", "all")
    shown(page, "MIP entière", 2)
    expect(pane(page, 2)).to_have_attribute("data-ready", "yes")
    assert brightness(page, 2) > slice_only


def test_the_axial_plane_is_what_was_received(page: Any, stage: Stage) -> None:
    files = ct(9)
    page.goto(stage.show({"Scanner": {"A": stage.whole(files[::-1])}}))
    expect(pane(page).locator(".received")).to_contain_text("100 %")
    page.keyboard.press("o")
    page.keyboard.press("PageUp")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    shown(page, "(n° 4)")
    stack = brightness(page)
    page.keyboard.press("a")
    shown(page, "Axial 5/9")
    page.keyboard.press("ArrowUp")
    shown(page, "Axial 4/9")
    assert brightness(page) == pytest.approx(stack, abs=1e-6)


def moved(file: bytes, rank: int, **attributes: Any) -> bytes:
    import io

    import pydicom

    dataset = pydicom.dcmread(io.BytesIO(file))
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return part10(dataset, uid=f"1.2.9.{rank}")


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([0, 1], "moins de trois coupes"),
        ([0, 1, 2, 5], "inégalement espacées"),
        ([0, 1, 1, 2], "même position"),
    ],
)
def test_what_makes_no_volume_says_why(
    page: Any, stage: Stage, places: list[int], said: str
) -> None:
    files = [
        moved(file, rank, ImagePositionPatient=[0, 0, place])
        for rank, (file, place) in enumerate(zip(ct(len(places)), places, strict=True))
    ]
    page.goto(stage.show({"Scanner": {"A": stage.whole(files)}}))
    expect(pane(page).locator(".received")).to_contain_text("100 %")
    page.keyboard.press("f")
    expect(pane(page).locator(".message")).to_contain_text(said)
    page.keyboard.press("p")
    shown(page, "Image 1/")


def test_a_tilted_gantry_makes_no_volume(page: Any, stage: Stage) -> None:
    files = [
        moved(file, rank, ImagePositionPatient=[0, 3 * rank, 5 * rank])
        for rank, file in enumerate(ct(5))
    ]
    page.goto(stage.show({"Scanner": {"A": stage.whole(files)}}))
    expect(pane(page).locator(".received")).to_contain_text("100 %")
    page.keyboard.press("s")
    expect(pane(page).locator(".message")).to_contain_text("statif incliné")


def test_two_exams_side_by_side_scroll_together(page: Any, stage: Stage) -> None:
    exams = {
        "Récent": {"A": stage.whole(ct(12))},
        "Ancien": {"B": stage.whole(ct(12, study="1.2.4"))},
    }
    page.goto(stage.show(exams))
    shown(page, "Image 1/12")
    page.select_option("#layout", "2")
    page.click("[data-exam=Ancien] .series")
    shown(page, "Image 1/12", 2)
    page.check("#link")
    pane(page, 1).locator(".stage").focus()
    page.keyboard.press("PageDown")
    shown(page, "Image 11/12", 1)
    shown(page, "Image 11/12", 2)
    page.keyboard.press("k")
    page.keyboard.press("ArrowUp")
    shown(page, "Image 10/12", 1)
    shown(page, "Image 11/12", 2)
    assert stage.asked == ["A", "B"]


def test_a_series_that_fails_says_so_and_the_others_go_on(page: Any, stage: Stage) -> None:
    broken = Coming(3, [stage.stored(ct(1)[0])])
    broken.end(RuntimeError("Erreur de récupération : la Source a interrompu l'envoi."))
    page.goto(stage.show({"Scanner": {"A": broken, "B": stage.whole(ct(3))}}))
    expect(page.locator("#alerts")).to_contain_text("Scanner, A : Erreur de récupération")
    expect(pane(page).locator(".message")).to_contain_text("interrompu l'envoi")
    page.click("[data-series=B]")
    shown(page, "Image 1/3")
    expect(pane(page).locator(".message")).to_be_hidden()
    page.click("#alerts button")
    expect(page.locator("#alerts")).to_contain_text("interrompu")
    assert stage.asked == ["A", "B", "A"]


def test_images_of_somebody_else_leave_the_screen(
    page: Any, portal: BlockingPortal, stage: Stage
) -> None:
    series = Coming(3)
    page.goto(stage.show({"Scanner": {"A": series}}))
    portal.call(series.come, stage.stored(ct(1)[0]))
    shown(page, "Image 1/3")
    portal.call(series.withdraw, RuntimeError("Alerte d'identité."))
    expect(pane(page).locator(".message")).to_contain_text("Alerte d'identité")
    expect(pane(page)).to_have_attribute("data-ready", "no")
    assert brightness(page) == 0
    assert pane(page).locator(".at-patient").inner_text() == ""


def test_colours_loops_and_inverted_greys(page: Any, stage: Stage) -> None:
    red = np.zeros((16, 16, 3), dtype="u1")
    red[:, :, 0] = 200
    loop = grey(np.arange(3 * 256, dtype="<u2").reshape(3, 16, 16), FrameTime=20)
    white = grey(
        np.zeros((16, 16), dtype="<u2"),
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter=2000,
        WindowWidth=4000,
    )
    exams = {
        "Divers": {
            "rouge": stage.whole([part10(colour(red))]),
            "boucle": stage.whole([part10(loop)]),
            "blanc": stage.whole([part10(white)]),
        }
    }
    page.goto(stage.show(exams))
    shown(page, "Image 1/1")
    expect(page.locator("#preset")).to_be_disabled()
    pixel = pane(page).evaluate(PIXELS)["middle"]
    assert pixel == [200, 0, 0, 255]
    page.click("[data-series=boucle]")
    shown(page, "vue 1/3")
    page.keyboard.press(" ")
    expect(page.locator("#cine")).to_have_attribute("aria-pressed", "true")
    expect(pane(page).locator(".at-series")).to_contain_text("vue 3/3")
    page.keyboard.press(" ")
    expect(page.locator("#cine")).to_have_attribute("aria-pressed", "false")
    page.click("[data-series=blanc]")
    shown(page, "Image 1/1")
    assert brightness(page) > 100


def test_pixels_that_left_the_memory_are_asked_again(page: Any, stage: Stage) -> None:
    files = ct(6)
    page.route(
        "**/memory.js",
        lambda route: route.fulfill(
            body=route.fetch().text().replace("1024 * 1024 * 1024", "3 * 64 * 64 * 2"),
            content_type="text/javascript",
        ),
    )
    page.goto(stage.show({"Scanner": {"A": stage.whole(files)}}))
    expect(pane(page).locator(".received")).to_contain_text("100 %")
    for place in range(2, 7):
        page.keyboard.press("ArrowDown")
        shown(page, f"Image {place}/6")
    again = {one for one in stage.asked if "/" in one}
    assert f"{split_part10(files[1]).sop_instance}/1" in again


def test_who_looks_at_images_stays_logged_in(page: Any, stage: Stage) -> None:
    page.route(
        "**/presence.js",
        lambda route: route.fulfill(
            body=route.fetch().text().replace("4 * 60 * 1000", "0"),
            content_type="text/javascript",
        ),
    )
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3))}}))
    shown(page, "Image 1/3")
    assert "alive" not in stage.asked
    with page.expect_response("**/alive"):
        page.keyboard.press("ArrowDown")
    shown(page, "Image 2/3")
    expect(page.locator("#alerts")).to_be_empty()
    assert stage.asked == ["A", "alive"]


def test_everything_by_keyboard_and_help(page: Any, stage: Stage) -> None:
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3)), "B": stage.whole(ct(2))}}))
    shown(page, "Image 1/3")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.series") == "B":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    shown(page, "Image 1/2")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    shown(page, "Image 1/2")


def test_a_login_that_ended_is_said(browser: Any, stage: Stage) -> None:
    page = browser.new_page()
    page.route("**/alive", lambda route: route.fulfill(status=401))
    page.route(
        "**/presence.js",
        lambda route: route.fulfill(
            body=route.fetch().text().replace("4 * 60 * 1000", "0"),
            content_type="text/javascript",
        ),
    )
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3))}}))
    shown(page, "Image 1/3")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#alerts")).to_contain_text("Votre session est terminée")
    shown(page, "Image 2/3")
    page.close()


def test_nothing_serious_bars_the_page(page: Any, stage: Stage) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python n'est pas installé"
    )
    broken = Coming(1)
    broken.end(RuntimeError("Connexion impossible."))
    page.goto(stage.show({"Scanner": {"A": stage.whole(ct(3)), "B": broken}}))
    shown(page, "Image 1/3")
    page.select_option("#layout", "2")
    page.click("[data-series=B]")
    expect(page.locator("#alerts")).to_contain_text("Connexion impossible")
    for _ in range(2):
        found = axe.Axe().run(page).response["violations"]
        serious = [
            (one["id"], [node["html"] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        page.keyboard.press("?")


def test_from_the_search_page_to_an_export(
    browser: Any, portal: BlockingPortal, tmp_path: Path
) -> None:
    bed = Bed(tmp_path)
    portal.call(bed.start)
    web = bed.addresses["web"]
    mapped = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", f"--host-resolver-rules=MAP {WEB}:443 {web}"],
    )
    try:
        bed.patient()
        bed.publish("1.2.250.1.999.60", series=2, count=5, matrix=64)
        context = mapped.new_context(ignore_https_errors=True)
        page = context.new_page()
        fields = "".join(f'<input name="{k}" value="{v}">' for k, v in bed.call().items())
        page.set_content(f'<form method=post action="https://{WEB}/drim">{fields}<button></form>')
        page.click("button")
        page.check(f'input[value="{RADIOLOGIST}"]')
        page.click("button[value=confirmer]")
        page.click("#voir-1")
        shown(page, "Image 1/5")
        expect(pane(page).locator(".received")).to_contain_text("100 %")
        expect(page.locator("#traits")).to_contain_text("28/03/1979")
        # No token reaches the browser (DB.VI-CO.12): neither cookie nor storage says anything.
        stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert stored == '[{},{},""]'
        page.click("#back")
        page.click("#export-1 button")
        expect(page.locator("#export-etat-1")).to_contain_text("10 images dans le PACS local")
    finally:
        mapped.close()
        portal.call(bed.stop)
