"""Every fault of a soak is one that the simulators can make, and what is down comes back."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from load.soak.faults import MENU, UNANSWERED, Injector
from simulators.dmp import Dmp
from simulators.dmp.faults import MENU as DMP_MENU
from simulators.pacs import PacsConfig, build
from wire.exchange import ignore
from wire.faults import Faults


class Switch:
    """A DMP of which only this is looked at: its faults, and whether it listens."""

    def __init__(self) -> None:
        self.faults = Faults(DMP_MENU)
        self.up = True

    async def kill(self) -> None:
        self.up = False

    async def restart(self) -> None:
        self.up = True


def world() -> tuple[Injector, Any, Switch]:
    pacs, dmp = build(PacsConfig(), ignore), Switch()
    return Injector(pacs, cast(Dmp, dmp)), pacs, dmp


@pytest.mark.parametrize("name", MENU)
def test_each_fault_is_made_as_often_as_it_bears(name: str) -> None:
    async def main() -> None:
        injector, pacs, dmp = world()
        with pacs:
            await injector.inject(name, 9)
            placed = [*pacs.faults.placed, *dmp.faults.placed]
            if name.endswith("-arrete"):
                assert placed == []
                await injector.relieve()
            else:
                (one,) = placed
                assert 1 <= (one.fault.times or 0) <= 3
                assert name.startswith("pacs") == bool(pacs.faults.placed)
        assert injector.made == {name: 1}

    asyncio.run(main())


def test_an_outage_lasts_so_many_acknowledgements() -> None:
    async def main() -> None:
        injector, _, dmp = world()
        await injector.inject("dmp-arrete", 2)
        await injector.inject("dmp-arrete", 1)
        for left in (2, 1, 0):
            assert not dmp.up
            await injector.acknowledged()
            assert dmp.up == (left == 0)

    asyncio.run(main())


def test_an_outage_ends_when_nobody_sends_any_more() -> None:
    async def main() -> None:
        injector, pacs, dmp = world()
        with pacs:
            port = pacs.port
            await injector.inject("dmp-arrete", 100)
            await injector.inject("pacs-arrete", 100)
            await asyncio.gather(injector.relieve(), injector.relieve())
            assert dmp.up
            assert pacs.port == port
        assert injector.made == {"dmp-arrete": 1, "pacs-arrete": 1}

    asyncio.run(main())


def test_a_fault_that_is_not_on_the_menu() -> None:
    injector, _, _ = world()
    with pytest.raises(KeyError, match="pacs-poli"):
        asyncio.run(injector.inject("pacs-poli", 1))
    assert UNANSWERED in MENU
