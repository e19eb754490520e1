"""The project's first draft scenario in a real browser, and what it leaves in the evidence."""

from __future__ import annotations

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bench.by_hand import ByHand
from bench.campaign import Options, play
from bench.outcomes import CannotVerify
from bench.photograph import framed
from bench.profile import Claims, Profile
from bench.verdicts import Verdict
from features import FEATURES, STEP_MODULES
from simulators.user import UserConfig
from wire.exchange import ignore, stamp
from wire.shard import BlobStore


def driven(driver: str, runs: Path) -> Options:
    base = Profile()
    profile = base.model_copy(
        update={
            "claims": Claims(source=False),
            "consumer": base.consumer.model_copy(update={"driver": driver}),
        }
    )
    return Options(
        features=FEATURES, steps=STEP_MODULES, runs=runs, profile=profile, only=("SCN-PRJ-01",)
    )


@pytest.mark.slow
def test_the_first_draft_scenario_is_photographed(tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="playwright n'est pas installé")
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        pytest.skip("chromium n'est pas installé")
    run = play(driven("chromium", tmp_path))
    (scenario,) = run.scenarios
    assert scenario.verdict is Verdict.PASS, scenario.reason
    pictures = {one.proof: one for one in run.attachments}
    assert set(pictures) == {"SCN_DB/CO.01.02.01", "SCN_DB/CO.01.04.01"}
    blobs = BlobStore(run.directory / "blobs")
    for one in pictures.values():
        picture = Image.open(BytesIO(blobs.get(one.sha256)))
        assert (picture.format, picture.width) == ("PNG", 1280)
        assert picture.height > 800
        # The band above the screen, then a page that shows something.
        assert picture.getpixel((2, 2)) == (0x1D, 0x2B, 0x4F)
        shown = picture.crop((0, 120, picture.width, picture.height)).convert("L")
        assert len(set(shown.tobytes())) > 10


@pytest.mark.slow
def test_where_a_person_drives_each_gesture_is_asked_for(tmp_path: Path) -> None:
    (scenario,) = play(driven("personne", tmp_path)).scenarios
    assert scenario.verdict is Verdict.SKIP
    assert "presse « Appeler »" in scenario.reason
    (page,) = tmp_path.glob("*/appel-SCN-PRJ-01.html")
    assert "/drim" in page.read_text(encoding="utf-8")


def test_a_long_address_is_written_whole() -> None:
    shot = BytesIO()
    Image.new("RGB", (400, 100), "white").save(shot, "PNG")
    short = framed(shot.getvalue(), "https://a/", stamp()[0])
    long = framed(shot.getvalue(), "https://a/" + "x" * 200, stamp()[0])
    heights = [Image.open(BytesIO(one.png)).height for one in (short, long)]
    assert 100 < heights[0] < heights[1]


@pytest.mark.anyio
async def test_no_program_takes_the_place_of_a_person() -> None:
    with pytest.raises(CannotVerify, match="SCN-PRJ"):
        await ByHand(UserConfig(), ignore).login("1")
