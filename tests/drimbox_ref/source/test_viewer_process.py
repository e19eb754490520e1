"""A Source in its own process shows the images of a report's link, in a browser, to a professional
who logs in at Pro Santé Connect.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from simulators import psc
from spec.viewer import PATH
from tests.drimbox_ref.source.bed import HOST, Bed, publish, running
from wire.http_client import HttpClient, Response
from wire.tls import ClientTls

pytestmark = pytest.mark.slow

STUDY = "1.2.250.1.999.1.61"
GOOD = {
    "requestType": "STUDY", "studyUID": STUDY, "accessionNumber": "ACC-1",
    "idCDA": "1.2.250.1.999.5.1",
}  # fmt: skip
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class WithViewer(Bed):
    """Its viewer's address is open."""

    async def start(self) -> None:
        await super().start()
        back = f"https://{HOST}/psc/retour"
        self.psc.register(psc.Client(client_id="kit-source", redirect_uris=(back,)))

    def configuration(self) -> dict[str, Any]:
        files = self.server_files["db1"]
        viewer = {
            "certificate": str(files.certificate), "key": str(files.key),
            "public_url": f"https://{HOST}", "client_id": "kit-source",
        }  # fmt: skip
        return {**super().configuration(), "viewer": viewer}


def follow(bed: Bed, path: str = PATH, **changed: str) -> Response:
    """The link of the published report, without a client certificate."""

    async def request() -> Response:
        tls, at = ClientTls(bed.trust.market_trust), {HOST: bed.addresses["viewer"]}
        async with HttpClient(actor="user", tls=tls, connect_to=at) as client:
            query = urlencode({**GOOD, **changed})
            return await client.request("GET", f"https://{HOST}{path}?{query}")

    answer: Response = bed.call(request)
    return answer


def test_nobody_learns_anything_before_login(tmp_path: Path) -> None:
    with running(tmp_path, WithViewer) as bed:
        bed.load(STUDY, series=1, instances=1)
        publish(bed, STUDY, "V1")
        asked = bed.counts()["C-FIND"]
        good, stray = follow(bed), follow(bed, accessionNumber="ACC-2")
        assert (good.status, stray.status) == (200, 200)
        assert good.body == stray.body.replace(b"ACC-2", b"ACC-1")
        assert follow(bed, requestType="SERIES").status == 400
        assert follow(bed, "/connexion").status == 302
        assert bed.counts()["C-FIND"] == asked


@pytest.mark.skipif(CHROMIUM is None, reason="chromium n'est pas installé")
def test_a_professional_sees_the_images_in_a_browser(tmp_path: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright n'est pas installé")
    with running(tmp_path, WithViewer) as bed, sync_api.sync_playwright() as playwright:
        bed.load(STUDY, series=2, instances=3, side=64)
        publish(bed, STUDY, "V1")
        port = bed.addresses["viewer"].rpartition(":")[2]
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST}:443 127.0.0.1:{port}"],
        )
        page = browser.new_page(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
        page.goto(f"https://{HOST}{PATH}?{urlencode(GOOD)}")
        _photograph(page, "profil")
        page.locator("#professionnel").click()
        _photograph(page, "psc")
        page.locator('[name=professionnel][value="899700990016"]').check()
        page.locator("button[value=confirmer]").click()
        page.wait_for_selector("#images")
        _photograph(page, "examen")
        page.locator("#images").click()
        page.wait_for_selector(".pane.active[data-ready=yes]")
        sync_api.expect(page.locator("[aria-current=true]").first).to_contain_text("reçue")
        _photograph(page, "images")
        page.locator("#back").click()
        page.locator("#logout button").click()
        sync_api.expect(page.locator("h1")).to_have_text("Session terminée")
        browser.close()
        traced = [row["event"] for row in bed.admin("audit")]
        assert {"IID", "UserAuthentication", "UserLogout"} <= set(traced)


def _photograph(page: Any, name: str) -> None:
    """For whoever asks to see: the folder that DRIMBENCH_CAPTURES names."""
    if folder := os.environ.get("DRIMBENCH_CAPTURES"):
        page.screenshot(path=str(Path(folder) / f"source-{name}.png"))
