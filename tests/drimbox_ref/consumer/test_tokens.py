"""Access tokens: renewed when fewer than 30 seconds are left, once for everybody."""

from __future__ import annotations

import asyncio

import pytest

from drimbox_ref.psc_login import LoginExpired
from tests.drimbox_ref.consumer.world import World

pytestmark = pytest.mark.anyio


async def test_a_long_token_is_kept_a_short_one_renewed(world: World) -> None:
    login = world.login(life=60)
    world.clock.advance(30)
    assert await world.parts.tokens.access(login) == "access-0"
    world.clock.advance(1)
    assert await world.parts.tokens.access(login) == "access-1"
    assert await world.parts.tokens.access(login) == "access-1"
    assert world.psc.renewed == 1


async def test_parallel_exports_renew_once(world: World) -> None:
    login = world.login(life=10)
    got = await asyncio.gather(*(world.parts.tokens.access(login) for _ in range(5)))
    assert set(got) == {"access-1"}
    assert world.psc.renewed == 1


async def test_a_refused_token_is_replaced_once(world: World) -> None:
    login = world.login()
    got = await asyncio.gather(*(world.parts.tokens.replace(login, "access-0") for _ in range(3)))
    assert set(got) == {"access-1"}
    assert world.psc.renewed == 1


async def test_the_end_of_the_session_is_said(world: World) -> None:
    login = world.login(life=10)
    world.psc.over = True
    with pytest.raises(LoginExpired):
        await world.parts.tokens.access(login)
    world.psc.over = False
    world.parts.sessions.expire(login)
    with pytest.raises(LoginExpired):
        await world.parts.tokens.access(login)
    assert world.psc.renewed == 0


async def test_an_export_at_work_is_activity(world: World) -> None:
    login = world.login(life=10_000)
    world.clock.advance(1700)
    await world.parts.tokens.access(login)
    world.clock.advance(1700)
    assert world.parts.sessions.login(login.id) is login
