"""From the contextual call to the list of exams, through a real login, and what comes after."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from simulators.user import UserError
from wire.http_client import Unreachable

CALL = {"Patient.name.family": "DÉ ROSIER", "PatientID": "A&B"}


async def arrive(world: Any) -> Any:
    await world.user.call(world.consumer.url + "/drim", CALL)
    return await world.user.login(world.psc.professionals[1].id)


def test_from_the_call_to_the_page(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        login = await world.user.call(world.consumer.url + "/drim", CALL)
        assert (login.status, login.title) == (200, "Connexion · Pro Santé Connect (simulateur)")
        page = await world.user.login(world.psc.professionals[0].id)
        assert page is world.user.page
        assert (page.status, page.url) == (200, world.consumer.url + "/list")
        assert "Examens de KITRADIOLOGUE" in page.text()

    world = visit(scenario)
    assert parse_qs(world.consumer.calls[0].decode()) == {
        name: [value] for name, value in CALL.items()
    }
    assert [(status, method) for status, method, _ in world.user.history] == [
        (303, "POST"),
        (200, "GET"),
        (302, "POST"),
        (302, "GET"),
        (200, "GET"),
    ]
    assert [each.transaction for each in world.seen] == [
        "appel-contextuel",
        "consumer-page",
        "consumer-page",
    ]
    assert world.seen[0].keys == ("state-abcdef", "nonce-abcdef")
    assert "state-abcdef" in world.seen[1].keys
    assert len(world.seen[1].keys) == 3


def test_without_a_service_that_records_it_the_login_is_observed_too(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await arrive(world)

    world = visit(scenario, forget_psc=False)
    assert [each.transaction for each in world.seen] == [
        "appel-contextuel",
        "PSC-login",
        "PSC-login",
        "consumer-page",
        "consumer-page",
    ]


def test_a_307_keeps_method_and_body(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await world.user.call(world.consumer.url + "/keep", b"a=1", content_type="text/plain")

    assert visit(scenario).consumer.calls == [b"a=1"]


def test_a_page_is_read_as_a_person_reads_it(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        page = await arrive(world)
        assert page.alerts == ("Un examen trouvé",)
        assert page.tables == ((("Date", "Examen"), ("2026-11-20", "Scanner")),)
        assert "color" not in page.text()
        assert "document" not in page.text()
        assert page.text().startswith("Examens de KITDEUXSITES Un examen trouvé Date Examen")
        form = page.form("export")
        assert form is not None
        assert form.fields == (("csrf", "c1"), ("pacs", "B"), ("note", "rien"))
        assert [button.label for button in form.buttons] == ["Exporter", "Voir"]
        assert page.form("search") is not None
        assert page.form("voir") is form

    visit(scenario)


def test_forms_send_what_browsers_send(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await arrive(world)
        await world.user.submit("export", exam=["1", "2"], pacs="A")
        await world.user.reload_list()
        await world.user.submit("Voir", {"note": "é"})
        await world.user.reload_list()
        page = await world.user.submit("search", q="a b")
        assert page.body == b"q=a+b"
        assert page.html == ""

    def with_list(world: Any) -> Any:
        async def reload_list() -> Any:
            return await world.user.get(world.consumer.url + "/list")

        world.user.reload_list = reload_list
        return scenario(world)

    world = visit(with_list)
    assert [parse_qs(body) for body in world.consumer.exports] == [
        {"csrf": ["c1"], "note": ["rien"], "exam": ["1", "2"], "pacs": ["A"], "do": ["export"]},
        {"csrf": ["c1"], "pacs": ["B"], "note": ["é"], "do": ["Voir"]},
    ]


def test_nobody_does_what_the_page_does_not_offer(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        user = world.user
        with pytest.raises(UserError, match="aucune page"):
            assert user.page
        await user.call(world.consumer.url + "/drim", CALL)
        with pytest.raises(UserError, match="ne propose pas de s'identifier"):
            await user.login("123")
        await user.login(world.psc.professionals[0].id)
        with pytest.raises(UserError, match="ne propose pas de s'identifier"):
            await user.login(world.psc.professionals[0].id)
        for form, fields, button in (
            ("absent", {}, ""),
            ("export", {"unknown": "1"}, ""),
            ("export", {"exam": "3"}, ""),
            ("export", {"off": "y"}, ""),
            ("export", {}, "Effacer"),
        ):
            with pytest.raises(UserError):
                await user.submit(form, fields, button=button)
        with pytest.raises(UserError):
            await user.follow("Ailleurs")
        with pytest.raises(UserError, match="redirections"):
            await user.follow("Boucle")

    assert visit(scenario).consumer.exports == []


def test_what_is_pressed_in_a_viewer_is_found_by_how_it_begins(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await arrive(world)
        user = world.user
        await user.arrive(world.consumer.url + "/list")
        with pytest.raises(UserError, match="commence par"):
            await user.choose("patient")
        await user.choose("EXPO")
        await user.arrive(world.consumer.url + "/list")
        assert (await user.choose("se déco")).body == b"adieu"

    world = visit(scenario)
    assert len(world.consumer.exports) == 1
    assert [one.transaction for one in world.seen][-4:] == [
        "IID", "source-viewer", "IID", "source-viewer",
    ]  # fmt: skip


def test_cancelling_the_login(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await world.user.call(world.consumer.url + "/drim", CALL)
        page = await world.user.submit("psc-login", button="Annuler")
        assert (page.status, page.alerts) == (403, ("Connexion annulée",))

    visit(scenario)


def test_links_and_failures(visit: Any) -> None:
    async def scenario(world: Any) -> None:
        await arrive(world)
        page = await world.user.follow("se déconnecter")
        assert page.body == b"adieu"
        assert (await world.user.reload()).body == b"adieu"
        with pytest.raises(Unreachable):
            await world.user.get("https://127.0.0.1:1/")

    visit(scenario)
