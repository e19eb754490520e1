"""Contexts and logins: nothing shared, nothing guessed, nothing used twice."""

from __future__ import annotations

from dataclasses import replace

from tests.drimbox_ref.consumer.world import PROFESSIONAL, SITUATION, World, make_grant


def test_two_calls_share_nothing(world: World) -> None:
    sessions = world.parts.sessions
    first = world.context(family="UN", ipp="A")
    second = world.context(family="DEUX", ipp="B")
    first.choose(SITUATION)
    assert first.id != second.id
    assert sessions.context(first.id) is first
    assert sessions.context(first.id).call.family == "UN"
    assert sessions.context(second.id).call.family == "DEUX"
    assert second.situation is None
    assert second.jobs is not first.jobs


def test_a_context_belongs_to_who_opened_it(world: World) -> None:
    sessions = world.parts.sessions
    context = world.context()
    mine = world.login()
    other = sessions.log_in(replace(PROFESSIONAL, id="899700990024"), make_grant(world.clock))
    assert sessions.claim(context, mine)
    assert not sessions.claim(context, other)
    again = world.login()
    assert sessions.claim(context, again)
    assert sessions.contexts_of(other) == ()


def test_a_state_serves_once_and_one_browser(world: World) -> None:
    sessions = world.parts.sessions
    pending = sessions.send_away("browser", "context")
    assert len({pending.state, pending.nonce, pending.verifier}) == 3
    assert sessions.come_back(pending.state, "browser") is pending
    assert sessions.come_back(pending.state, "browser") is None
    stolen = sessions.send_away("browser", "context")
    assert sessions.come_back(stolen.state, "another") is None
    assert sessions.come_back(stolen.state, "browser") is None
    assert sessions.come_back("invented", "browser") is None
    late = sessions.send_away("browser", "context")
    world.clock.advance(601)
    assert sessions.come_back(late.state, "browser") is None


def test_inactivity_ends_a_login_not_its_context(world: World) -> None:
    sessions = world.parts.sessions
    context, login = world.context(), world.login()
    sessions.claim(context, login)
    world.clock.advance(1700)
    assert sessions.login(login.id) is login
    world.clock.advance(1700)
    assert sessions.login(login.id, activity=False) is login
    world.clock.advance(200)
    assert sessions.login(login.id) is None
    assert login.closed
    assert sessions.context(context.id) is context
    assert sessions.login("") is None


def test_logout_forgets_everything_of_the_professional(world: World) -> None:
    sessions = world.parts.sessions
    mine, login = world.context(), world.login()
    unopened = world.context()
    sessions.claim(mine, login)
    sessions.log_out(login)
    assert sessions.login(login.id) is None
    assert sessions.context(mine.id) is None
    assert sessions.context(unopened.id) is unopened


def test_contexts_end_with_the_day(world: World) -> None:
    context = world.context()
    world.clock.advance(12 * 3600 + 1)
    assert world.parts.sessions.context(context.id) is None


def test_a_repr_never_holds_a_secret(world: World) -> None:
    login = world.login()
    pending = world.parts.sessions.send_away("the-browser", "context")
    shown = repr(login) + repr(pending)
    for secret in ("access-0", "refresh", login.id, pending.state, pending.verifier, "the-browser"):
        assert f"'{secret}'" not in shown
