"""The switches: what is wrong with a simulator until it is put right again.

The PACS, the DMP and the agency fail besides request by request: `wire.faults`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bench.bed import Bed
from bench.world import Simulators
from simulators.dmp import Dmp
from simulators.psc import Psc
from simulators.psc.oauth import Fault

__all__ = ["WELL", "Menu", "menus"]

WELL: Final = "aucune"
"""The choice that makes nothing wrong, first in every menu."""

_ENDPOINTS: Final = {
    "discovery": "Découverte (wallet)",
    "certs": "Clés (JWKS)",
    "authorization": "Autorisation",
    "token": "Jetons",
    "introspection": "Introspection",
    "userinfo": "Userinfo",
}
_ANSWERS: Final = {
    "503": ("HTTP 503", Fault()),
    "coupure": ("connexion coupée", Fault(kind="cut")),
    "silence": ("aucune réponse", Fault(kind="silence")),
}


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
    if here.psc is not None:
        yield from (_endpoint(here.psc, name, words) for name, words in _ENDPOINTS.items())
    if here.dmp is not None:
        yield _dmp_down(here.dmp)


def _endpoint(psc: Psc, name: str, words: str) -> Menu:
    faults = psc.faults

    def now() -> str:
        present = faults.get(name)
        return next((key for key, (_, one) in _ANSWERS.items() if one == present), WELL)

    async def put(choice: str) -> None:
        if choice == WELL:
            faults.pop(name, None)
        else:
            faults[name] = _ANSWERS[choice][1]

    return Menu(
        id=f"psc-{name}",
        simulator="psc",
        title=words,
        choices=_choices({key: text for key, (text, _) in _ANSWERS.items()}),
        now=now,
        set=put,
    )


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
