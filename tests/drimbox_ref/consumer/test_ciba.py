"""Logging in on a telephone: the page waits, and opens to the browser that asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from anyio.from_thread import BlockingPortal

from drimbox_ref.psc_login import LoginRefused
from simulators.psc import TEST_PROFESSIONALS, Answer
from simulators.psc.realm import Realm
from simulators.user import User
from spec.psc import CIBA_INTERVAL
from tests.drimbox_ref.consumer.bed import RADIOLOGIST, SOURCE, WEB, Bed

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def running(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("bed"), options={"login_mode": "ciba"})
    portal.call(bed.start)
    yield bed
    portal.call(bed.stop)


@pytest.fixture
def bed(running: Bed) -> Iterator[Bed]:
    running.ins = f"2790353{next(NUMBERS):08d}"
    running.patient()
    running.list_hosts(SOURCE)
    running.exchanges.clear()
    phone = running.psc.phone
    yield running
    phone.habit = Answer.ACCEPT
    phone.asked.clear()


@pytest.fixture
def called(portal: BlockingPortal, bed: Bed) -> Callable[[], User]:
    """A browser on the page where somebody says who they are."""

    async def call() -> User:
        user = bed.user()
        await user.call(f"https://{WEB}/drim", bed.call())
        return user

    return lambda: portal.call(call)


def ask(portal: BlockingPortal, user: User, person: str = RADIOLOGIST) -> None:
    portal.call(user.login, person)


def wait(portal: BlockingPortal, user: User) -> None:
    """Until the page says something else than to wait."""

    async def until() -> None:
        while "en attente" in user.page.title:
            await user.reload()

    portal.call(until)


def test_who_accepts_is_let_in(
    portal: BlockingPortal, bed: Bed, called: Callable[[], User]
) -> None:
    phone = bed.psc.phone
    phone.habit = Answer.IGNORE
    user = called()
    assert user.page.form("connexion-ciba") is not None
    assert bed.ins not in user.page.html
    ask(portal, user)
    digits = bed.psc.phone.asked[-1].message
    assert f">{digits}</strong>" in user.page.html
    phone.answer(RADIOLOGIST, Answer.ACCEPT)
    wait(portal, user)
    assert bed.ins in user.page.html
    assert user.page.alerts == ()
    counts = bed.counts()
    assert counts["PSC-CIBA"] == 1
    assert "PSC-authorize" not in counts
    # Nothing of the request, and no token, ever reached the browser.
    [asked] = [one for one in bed.exchanges if one.transaction == "PSC-CIBA"]
    pages = [one for one in bed.exchanges if one.actor == "user" and one.response]
    assert pages
    for page in pages:
        head = str(page.response and page.response.head)
        body = page.response.body if page.response else b""
        for secret in (*asked.keys, "eyJ"):
            assert secret not in head
            assert secret.encode() not in body


def test_who_refuses_or_does_not_answer_is_not(
    portal: BlockingPortal, bed: Bed, called: Callable[[], User]
) -> None:
    bed.psc.phone.habit = Answer.IGNORE
    user = called()
    ask(portal, user)
    portal.call(user.reload)
    assert "en attente" in user.page.title
    bed.psc.phone.answer(RADIOLOGIST, Answer.REFUSE)
    wait(portal, user)
    assert "refusé" in " ".join(user.page.alerts)
    portal.call(user.follow, "Réessayer")
    ask(portal, user)
    portal.call(user.submit, "ciba-abandonner")
    assert user.page.form("connexion-ciba") is not None
    assert "TD0.2" not in bed.counts()


def test_another_browser_does_not_get_in_by_the_same_request(
    portal: BlockingPortal, bed: Bed, called: Callable[[], User]
) -> None:
    user = called()
    ask(portal, user)
    other = bed.user()
    portal.call(other.get, user.page.url)
    assert other.page.form("connexion-ciba") is not None
    wait(portal, user)
    portal.call(other.reload)
    assert bed.ins not in other.page.html


@pytest.mark.parametrize(
    ("person", "said"), [("899700000000", "ne connaît pas"), ("<script>", "Saisissez")]
)
def test_who_is_unknown_is_told_so(
    portal: BlockingPortal, bed: Bed, called: Callable[[], User], person: str, said: str
) -> None:
    user = called()
    ask(portal, user, person)
    assert said in user.page.html
    assert bed.psc.phone.asked == []


def test_the_identity_of_somebody_else_opens_nothing(
    portal: BlockingPortal,
    bed: Bed,
    called: Callable[[], User],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # CIB-05: PSC answers by a valid ID token, of another than `login_hint`.
    other = next(one for one in TEST_PROFESSIONALS if one.id != RADIOLOGIST)
    log_in = Realm.log_in
    monkeypatch.setattr(Realm, "log_in", lambda realm, _, *rest: log_in(realm, other, *rest))
    user = called()
    ask(portal, user)
    wait(portal, user)
    assert "quelqu'un d'autre" in user.page.text()
    assert bed.ins not in user.page.html
    portal.call(user.reload)
    assert user.page.form("connexion-ciba") is not None
    assert "TD0.2" not in bed.counts()


def test_psc_is_asked_no_faster_than_it_wants(portal: BlockingPortal, bed: Bed) -> None:
    async def play() -> None:
        bed.psc.phone.habit = Answer.IGNORE
        bed.psc.ciba.interval = 60  # however slow the machine, the next request comes too soon
        psc = bed.parts.psc
        ring = await psc.ring(RADIOLOGIST, message="07")
        slower = await psc.answered(ring)  # at once: too soon
        assert not isinstance(slower, type(None))
        assert slower.interval == ring.interval + timedelta(seconds=5)  # type: ignore[union-attr]
        assert not slower.due(slower.asked + timedelta(seconds=64))  # type: ignore[union-attr]
        assert slower.due(slower.asked + timedelta(seconds=66))  # type: ignore[union-attr]
        bed.psc.ciba.lifetime = 0
        try:
            dead = await psc.ring(RADIOLOGIST, message="08")
            with pytest.raises(LoginRefused, match="à temps"):
                await psc.answered(dead)
        finally:
            bed.psc.ciba.lifetime = 120
            bed.psc.ciba.interval = CIBA_INTERVAL

    portal.call(play)


def test_nobody_waits_for_longer_than_psc_said(
    portal: BlockingPortal, bed: Bed, called: Callable[[], User]
) -> None:
    bed.psc.phone.habit = Answer.IGNORE
    bed.psc.ciba.lifetime = 1
    user = called()
    # Whatever PSC goes on answering.
    placed = bed.psc.faults.set("interrogation", "token", erreur="authorization_pending")
    try:
        ask(portal, user)
        assert user.page.digits
        wait(portal, user)
    finally:
        bed.psc.faults.clear(placed)
        bed.psc.ciba.lifetime = 120
    assert "à temps" in " ".join(user.page.alerts)
