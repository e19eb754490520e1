"""What goes wrong around the Source during a soak, by name: a choice of what the simulators can do,
and what stops listening.

Everything here passes: a Source that tries again gets through. What a Source may believe, such as
a PACS that finds nothing, would change what must be left; it is for scenarios.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators.dmp import Cut, Dmp
from simulators.pacs import Pacs
from wire.faults import Value

__all__ = ["MENU", "UNANSWERED", "Injector"]

_MOST_IN_A_ROW = 3
"""Requests in a row that meet one fault: each costs the Source a longer pause."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A fault of a simulator's menu on one service; without a `kind`, it stops listening."""

    words: str
    of: str
    """`pacs` or `dmp`."""
    kind: str = ""
    on: str = ""
    most: int = _MOST_IN_A_ROW
    values: Mapping[str, Any] = field(default_factory=dict)


def _pacs(words: str, kind: str, on: str = "C-FIND", **values: Value) -> _Entry:
    return _Entry(f"le PACS {words}", "pacs", kind, on, values=values)


def _dmp(
    words: str, kind: str, on: str = "TD2.1", most: int = _MOST_IN_A_ROW, **values: Value
) -> _Entry:
    return _Entry(f"le DMP {words}", "dmp", kind, on, most, values)


_ENTRIES: Mapping[str, _Entry] = {
    "pacs-refuse": _pacs("refuse l'association (congestion)", "refus", "association"),
    "pacs-statut": _pacs("répond au C-FIND par un échec (A700)", "statut", statut=0xA700),
    "pacs-statut-partiel": _pacs(
        "échoue (C001) après une première réponse", "statut", statut=0xC001, apres=1
    ),
    "pacs-abandon": _pacs("abandonne après une première réponse (A-ABORT)", "abandon", apres=1),
    "pacs-coupe": _pacs("coupe la connexion TCP", "coupure", octets=100),
    "pacs-lent": _pacs("fait attendre une seconde", "retard", secondes=1.0),
    "pacs-liaison-lente": _pacs("répond par une liaison lente", "lenteur", debit=4000),
    "pacs-arrete": _Entry("le PACS n'écoute plus", "pacs"),
    "dmp-coupe-avant": _dmp("coupe avant d'enregistrer", "coupure", moment=Cut.BEFORE.value),
    "dmp-coupe-apres": _dmp(
        "enregistre et coupe sans répondre", "coupure", moment=Cut.AFTER.value
    ),
    "dmp-coupe-milieu": _dmp(
        "enregistre et coupe au milieu de sa réponse", "coupure", moment=Cut.HALF.value
    ),
    "dmp-coupe-suppression": _dmp(
        "supprime (TD3.3c) et coupe sans répondre", "coupure", "TD3.3", moment=Cut.AFTER.value
    ),
    "dmp-coupe-recherche": _dmp(
        "coupe une recherche (TD3.1b)", "coupure", "TD3.1", moment=Cut.BEFORE.value
    ),
    "dmp-occupe": _dmp("se dit occupé (XDSRepositoryBusy)", "erreur-xds", code="XDSRepositoryBusy"),
    "dmp-occupe-recherche": _dmp(
        "se dit occupé à une recherche (XDSRegistryBusy)",
        "erreur-xds",
        "TD3.1",
        code="XDSRegistryBusy",
    ),
    "dmp-faute": _dmp("répond par une faute SOAP (Receiver)", "faute-soap", code="Receiver"),
    "dmp-503": _dmp("répond par HTTP 503", "http", code=503),
    "dmp-lent": _dmp("enregistre et fait attendre une seconde", "retard", secondes=1.0),
    "dmp-muet": _dmp(
        "enregistre et ne répond pas avant 12 s", "retard", most=1, secondes=12.0
    ),
    "dmp-refuse-tls": _dmp("refuse la poignée de main TLS", "refus", "TLS"),
    "dmp-arrete": _Entry("le DMP n'écoute plus", "dmp"),
}  # fmt: skip

MENU: Mapping[str, str] = {name: entry.words for name, entry in _ENTRIES.items()}
"""Name -> what happens."""
UNANSWERED = "dmp-coupe-apres"
"""The one that leaves a Source not knowing what the DMP has."""


@dataclass(slots=True)
class _Outage:
    """Something that is down until so many more messages are acknowledged."""

    left: int
    end: Callable[[], Awaitable[object]]


class Injector:
    """Makes the faults of a plan; belongs to one loop. `made` counts them, by name."""

    def __init__(self, pacs: Pacs, dmp: Dmp) -> None:
        self._pacs, self._dmp = pacs, dmp
        self.made: Counter[str] = Counter()
        self._outages: dict[str, _Outage] = {}
        self._turn = asyncio.Lock()

    async def inject(self, name: str, times: int) -> None:
        """Make that fault, as many times as told within what it bears; an outage lasts that many
        acknowledgements.

        Raises:
            KeyError: the menu has none of that name.
        """
        entry = _ENTRIES[name]
        self.made[name] += 1
        if entry.kind:
            faults = self._pacs.faults if entry.of == "pacs" else self._dmp.faults
            faults.set(entry.kind, entry.on, times=min(times, entry.most), **entry.values)
            return
        async with self._turn:
            if name in self._outages:
                self._outages[name].left += times
            else:
                self._outages[name] = _Outage(times, await self._begin(entry.of))

    async def acknowledged(self) -> None:
        """One more message is acknowledged: outages grow shorter."""
        for outage in self._outages.values():
            outage.left -= 1
        await self._end(lambda outage: outage.left <= 0)

    async def relieve(self) -> None:
        """End what is down: nobody sends any more until the Source has worked."""
        await self._end(lambda _: True)

    async def _begin(self, of: str) -> Callable[[], Awaitable[object]]:
        """Take something down; how to bring it back."""
        if of == "dmp":
            await self._dmp.kill()
            return self._dmp.restart
        await asyncio.to_thread(self._pacs.stop)
        return lambda: asyncio.to_thread(self._pacs.start)

    async def _end(self, over: Callable[[_Outage], bool]) -> None:
        if not any(map(over, self._outages.values())):
            return
        async with self._turn:
            for name in [name for name, outage in self._outages.items() if over(outage)]:
                await self._outages.pop(name).end()
