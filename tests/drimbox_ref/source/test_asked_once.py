"""How often Pro Santé Connect is asked about one token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from drimbox_ref.source.asked_once import AskedOnce
from drimbox_ref.source.values import Accepted, Denied, TokenVerdict

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOOD = Accepted(subject="8997", professions=("10",), expires=NOW + timedelta(seconds=60))
REFUSED = Denied(status=401, error="invalid_token", message="non")


@dataclass
class Slow:
    """Answers once `go` is set."""

    verdict: TokenVerdict = GOOD
    go: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        self.asked.append(token)
        await self.go.wait()
        return self.verdict


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_who_asks_meanwhile_gets_the_same_answer() -> None:
    psc = Slow()
    tokens = AskedOnce(psc)
    asking = [asyncio.create_task(tokens.check("a", now=NOW)) for _ in range(200)]
    other = asyncio.create_task(tokens.check("b", now=NOW))
    await settle()
    asking[0].cancel()  # whoever asked first leaves: the others are answered all the same
    await settle()
    psc.go.set()
    assert await asyncio.gather(*asking[1:], other) == [GOOD] * 200
    assert sorted(psc.asked) == ["a", "b"]


@pytest.mark.anyio
async def test_nothing_is_kept_unless_it_is_configured() -> None:
    psc = Slow()
    psc.go.set()
    tokens = AskedOnce(psc)
    for _ in range(3):
        assert await tokens.check("a", now=NOW) == GOOD
    assert len(psc.asked) == 3


@pytest.mark.anyio
@pytest.mark.parametrize(("keep_s", "holds"), [(10, 10), (3600, 60)])
async def test_an_acceptance_is_kept_for_a_while_and_never_beyond_exp(
    keep_s: float, holds: int
) -> None:
    psc = Slow()
    psc.go.set()
    tokens = AskedOnce(psc, keep_s=keep_s)
    assert await tokens.check("a", now=NOW) == GOOD
    psc.verdict = REFUSED
    assert await tokens.check("a", now=NOW + timedelta(seconds=holds - 1)) == GOOD
    assert await tokens.check("a, and more", now=NOW) == REFUSED, "known by the whole of it"
    assert await tokens.check("a", now=NOW + timedelta(seconds=holds)) == REFUSED


@pytest.mark.anyio
@pytest.mark.parametrize("verdict", [REFUSED, Accepted(subject="8997", professions=("10",))])
async def test_refusals_and_what_has_no_end_are_never_kept(verdict: TokenVerdict) -> None:
    psc = Slow(verdict)
    psc.go.set()
    tokens = AskedOnce(psc, keep_s=60)
    for _ in range(2):
        assert await tokens.check("a", now=NOW) == verdict
    assert len(psc.asked) == 2


@pytest.mark.anyio
async def test_a_failure_is_everybodys_and_is_over() -> None:
    class Broken:
        async def check(self, token: str, *, now: datetime) -> TokenVerdict:
            raise OSError("panne")

    tokens = AskedOnce(Broken())
    for _ in range(2):
        with pytest.raises(OSError, match="panne"):
            await tokens.check("a", now=NOW)
