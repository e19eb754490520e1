"""The switches: what is wrong with a simulator until it is put right again.

Simulators fail besides request by request: `wire.faults`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bench.bed import Bed
from bench.ground import Simulators
from simulators.dmp import Dmp

__all__ = ["WELL", "Menu", "menus"]

WELL: Final = "aucune"
"""The choice that makes nothing wrong, first in every menu."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """One thing that can be wrong with a simulator, and in which ways.

    `set` is called in the bed's loop with a key of `choices`; `now` may be called from any thread.
    """

    id: str
    simulator: str
    title: str
    choices: Mapping[str, str]
    """Key -> words; `WELL` comes first."""
    now: Callable[[], str]
    set: Callable[[str], Awaitable[None]]


def menus(bed: Bed) -> tuple[Menu, ...]:
    """Every menu of a bed, simulator by simulator; a real neighbour has none."""
    return tuple(_menus(bed.simulators))


def _menus(here: Simulators) -> Iterator[Menu]:
    if here.dmp is not None:
        yield _dmp_down(here.dmp)


def _dmp_down(dmp: Dmp) -> Menu:
    async def put(choice: str) -> None:
        if choice == WELL:
            await dmp.restart()
        else:
            await dmp.kill()

    return Menu(
        id="dmp-service",
        simulator="dmp",
        title="Service",
        choices=_choices({"arret": "arrêté : connexions refusées"}),
        now=lambda: WELL if dmp.listening else "arret",
        set=put,
    )


def _choices(faults: Mapping[str, str]) -> dict[str, str]:
    return {WELL: "aucune panne", **faults}
