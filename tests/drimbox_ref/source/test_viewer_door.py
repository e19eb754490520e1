"""The Source's viewer as a browser meets it: profile, login, exam, images, and who gets none."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from drimbox_ref.psc_login import Grant, LoginRefused
from drimbox_ref.source.values import (
    Accepted,
    ArchiveEntry,
    Denied,
    RetrievalFailed,
    StoredObject,
)
from drimbox_ref.source.viewer_door import ViewerDoor
from drimbox_ref.source.viewer_people import People
from drimbox_ref.source.viewer_shelf import ViewerShelf
from protocols.dicom import split_part10
from spec.viewer import PATH
from tests.drimbox_ref.source.bed import image
from tests.drimbox_ref.source.test_publication import Box
from tests.drimbox_ref.source.world import INS, IPP, STUDIES, World, oru

pytestmark = pytest.mark.anyio

STUDY = STUDIES[0]
GOOD = {
    "requestType": "STUDY", "studyUID": STUDY, "accessionNumber": "ACC-1",
    "idCDA": "1.2.250.1.999.5.1",
}  # fmt: skip
BACK = "/psc/retour"


@dataclass
class FakePsc:
    """Knows one professional."""

    world: World
    asked: list[Mapping[str, str]] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    async def authorization_url(self, **asked: str) -> str:
        self.asked.append(asked)
        return "https://psc.test/auth"

    async def redeem(self, code: str, *, nonce: str, verifier: str, issuer: str) -> Grant:
        if (nonce, verifier) != (self.asked[-1]["nonce"], self.asked[-1]["verifier"]):
            raise LoginRefused("autre navigateur")
        return Grant(
            access_token=code, expires=self.world.clock.now(), refresh_token="r", id_token="i",
            subject="s", authenticated=self.world.clock.now(),
        )  # fmt: skip

    async def userinfo(self, grant: Grant) -> Mapping[str, Any]:
        return {"given_name": "KIT", "family_name": "DOCTEUR"}

    async def log_out(self, grant: Grant) -> None:
        self.out.append(grant.access_token)


@dataclass
class Vi:
    """A door, and browsers in front of it."""

    world: World
    psc: FakePsc
    shelf: ViewerShelf
    app: Any

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="https://vi1.test"
        )

    async def log_in(self, browser: httpx.AsyncClient, **changed: str) -> httpx.Response:
        """Follow the link, say to be a professional, come back from PSC; what is shown then."""
        query = urlencode({**GOOD, **changed})
        assert (await browser.get(f"/connexion?{query}")).status_code == 302
        state = self.psc.asked[-1]["state"]
        answer = await browser.get(BACK, params={"state": state, "code": "jeton"})
        while answer.status_code == 303:
            answer = await browser.get(answer.headers["Location"])
        return answer


@pytest.fixture
async def vi(world: World) -> AsyncIterator[Vi]:
    await Box(world).publish(oru())
    world.pacs.asked.clear()
    shelf = ViewerShelf(world.images, folder=world.state / "viewer", patience_s=5)
    minted = itertools.count()
    people = People(
        mint=lambda: f"{next(minted):043}", now=world.clock.now, idle_s=1800, gone=shelf.forget
    )
    psc = FakePsc(world)
    door = ViewerDoor(
        world.parts, psc=psc, people=people, shelf=shelf, redirect=BACK, professions=("10",)
    )  # type: ignore[arg-type]
    yield Vi(world, psc, shelf, door.app)
    await shelf.close()


def entry_of(world: World) -> ArchiveEntry:
    entry = world.parts.archive.current(STUDY)
    assert entry is not None
    return entry


def series_of(world: World) -> str:
    return f"/examen/{entry_of(world).kos_uid}/series/{STUDY}.1"


def held(world: World, *numbers: int) -> None:
    for number in numbers:
        part = split_part10(image(STUDY, 1, number))
        world.images.held.append(
            StoredObject(
                sop_class=part.sop_class,
                sop_instance=part.sop_instance,
                transfer_syntax=part.transfer_syntax,
                data=part.dataset,
            )
        )


async def test_before_login_every_link_that_is_well_written_gets_the_same_answer(vi: Vi) -> None:
    async with vi.browser() as browser:
        good = await browser.get(PATH, params=GOOD)
        assert good.status_code == 200
        assert "Professionnel de santé" in good.text
        assert "Patient" in good.text
        for name, value in (
            ("studyUID", "1.2.3"), ("accessionNumber", "AUTRE"), ("idCDA", "1.2.3"),
        ):  # fmt: skip
            stray = await browser.get(PATH, params={**GOOD, name: value})
            assert stray.status_code == 200
            assert stray.text.replace(value, GOOD[name]) == good.text
        entry = entry_of(vi.world)
        vi.world.parts.archive.depublish(entry.kos_uid, now=vi.world.clock.now())
        assert (await browser.get(PATH, params=GOOD)).text == good.text
        wrong = await browser.get(PATH, params={**GOOD, "idCDA": "<script>"})
        assert (wrong.status_code, "<script>" in wrong.text) == (400, False)
        assert "idCDA" in wrong.text
        assert (await browser.post(PATH, params=GOOD)).status_code == 405
        for answer in (good, wrong):
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            for secret in (INS, IPP, "PAT-TROIS"):
                assert secret not in answer.text
    assert vi.world.pacs.asked == []
    # Whoever follows a link leaves a trace, which is no success and names nobody.
    kept = [row for row in vi.world.parts.audit.everything(20) if row["event"] == "IID"]
    assert len(kept) == 6
    assert {row["EventOutcomeIndicator"] for row in kept} == {4}
    assert {row["patient"] for row in kept} == {""}
    assert sum(STUDY in str(row) for row in kept) == 4


async def test_a_professional_sees_the_exam_and_its_images(vi: Vi) -> None:
    held(vi.world, 1, 2, 3)
    async with vi.browser() as browser:
        shown = await vi.log_in(browser)
        assert shown.status_code == 200
        assert "KIT DOCTEUR" in shown.text
        assert "899700000009" in shown.text
        page = await browser.get(f"/examen/{entry_of(vi.world).kos_uid}/images")
        assert "PAT-TROIS" in page.text
        assert "Usage non diagnostique" in page.text
        stream = await browser.get(f"{series_of(vi.world)}/stream")
        assert stream.status_code == 200
        for number in (1, 2, 3):
            assert f"{STUDY}.1.{number}".encode() in stream.content
        frame = await browser.get(f"{series_of(vi.world)}/instances/{STUDY}.1.2/frames/1")
        assert len(frame.content) == 2 * 8 * 8
        # The PACS was asked once, for what the KOS lists and nothing else.
        (wanted,) = vi.world.images.wanted
        assert wanted.instances == frozenset(entry_of(vi.world).series[f"{STUDY}.1"])
        assert (await browser.get(f"/examen/{entry_of(vi.world).kos_uid}/series/1.2/stream")
                ).status_code == 404  # fmt: skip
    cookies = vi.world.parts.audit.everything(10)
    assert [row["event"] for row in cookies[:2]] == ["IID", "UserAuthentication"]
    assert INS in str(cookies[0])


async def test_the_cookie_is_for_this_server_and_no_script(vi: Vi) -> None:
    async with vi.browser() as browser:
        await browser.get("/connexion", params=GOOD)
        answer = await browser.get(
            BACK, params={"state": vi.psc.asked[-1]["state"], "code": "jeton"}
        )
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-")
        for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert word in cookie
        assert "jeton" not in cookie


async def test_a_state_serves_once_and_one_browser(vi: Vi) -> None:
    async with vi.browser() as browser, vi.browser() as other:
        await browser.get("/connexion", params=GOOD)
        given = {"state": vi.psc.asked[-1]["state"], "code": "jeton"}
        assert (await other.get(BACK, params=given)).status_code == 400
        assert (await browser.get(BACK, params=given)).status_code == 400


async def test_what_a_login_was_not_led_to_stays_closed(vi: Vi) -> None:
    held(vi.world, 1, 2, 3)
    kos = entry_of(vi.world).kos_uid
    async with vi.browser() as browser, vi.browser() as nobody, vi.browser() as other:
        await vi.log_in(browser)
        assert (await nobody.get(f"/examen/{kos}")).status_code == 403
        assert (await nobody.get(f"{series_of(vi.world)}/stream")).status_code == 401
        stray = await vi.log_in(other, accessionNumber="ACC-2")
        assert stray.status_code == 404
        assert (await other.get(f"/examen/{kos}/images")).status_code == 404
        assert (await other.get(f"{series_of(vi.world)}/stream")).status_code == 404
    assert vi.world.images.wanted == []


@pytest.mark.parametrize(
    "verdict",
    [
        Accepted(subject="899700000009", professions=("60",)),
        Denied(status=401, error="invalid_token", message="Le jeton est expiré."),
    ],
)
async def test_who_may_not_see_images_is_not_let_in(vi: Vi, verdict: Accepted | Denied) -> None:
    vi.world.tokens.verdict = verdict
    async with vi.browser() as browser:
        answer = await vi.log_in(browser)
        assert answer.status_code == 403
        assert "__Host-drimbox-vi" not in dict(browser.cookies)
        assert (await browser.get(f"/examen/{entry_of(vi.world).kos_uid}")).status_code == 403


async def test_patients_are_told_that_their_access_is_closed(vi: Vi) -> None:
    async with vi.browser() as browser:
        answer = await browser.get("/patient", params=GOOD)
        assert (answer.status_code, "des patients" in answer.text) == (403, True)


async def test_depublished_while_somebody_looks(vi: Vi) -> None:
    held(vi.world, 1, 2, 3)
    async with vi.browser() as browser:
        await vi.log_in(browser)
        entry = entry_of(vi.world)
        vi.world.parts.archive.depublish(entry.kos_uid, now=vi.world.clock.now())
        assert (await browser.get(f"{series_of(vi.world)}/stream")).status_code == 410


async def test_the_end_of_a_session(vi: Vi) -> None:
    held(vi.world, 1, 2, 3)
    folder = vi.world.state / "viewer"
    async with vi.browser() as browser:
        await vi.log_in(browser)
        await browser.get(f"{series_of(vi.world)}/stream")
        assert len(list(folder.rglob("*.dcm"))) == 3
        assert "déconnecté" in (await browser.post("/deconnexion")).text
        assert vi.psc.out == ["jeton"]
        assert list(folder.rglob("*.dcm")) == []
        assert (await browser.get(f"{series_of(vi.world)}/stream")).status_code == 401
        await vi.log_in(browser)
        vi.world.clock.advance(1801)
        assert (await browser.get(f"/examen/{entry_of(vi.world).kos_uid}")).status_code == 403


async def test_a_pacs_that_does_not_give_everything_is_asked_again(vi: Vi) -> None:
    held(vi.world, 1)
    vi.world.images.end = RetrievalFailed("2 manquent", gone=False)
    async with vi.browser() as browser:
        await vi.log_in(browser)
        part = await browser.get(f"{series_of(vi.world)}/stream")
        assert f"{STUDY}.1.1".encode() in part.content
        assert b"n'a pas rendu toutes les images" in part.content
        held(vi.world, 2, 3)
        vi.world.images.end = None
        whole = await browser.get(f"{series_of(vi.world)}/stream")
        assert f"{STUDY}.1.3".encode() in whole.content
        assert b'"failure"' not in whole.content
