"""Wrong Consumers that log their users in by CIBA: pace, ends, bounds, digits, identity."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Situations
from drimbox_ref.consumer.values import Professional, Ring, Situation
from drimbox_ref.psc_login import Grant, LoginRefused
from mutants.registry import mutant

__all__: list[str] = []


class Telephone:
    """A `Psc` that is a copy of the right one, some of its methods set aside."""

    def __init__(self, parts: Parts) -> None:
        self._right: Any = copy(parts.psc)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._right, name)


# Pace ------------------------------------------------------------------------------------------


class Impatient(Telephone):
    """Asks whenever the page is asked for."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """Due at once."""
        ring: Ring = await self._right.ring(national_id, message=message)
        return replace(ring, interval=timedelta())


@mutant(
    "interroge-sans-attendre",
    breaks="Pro Santé Connect est interrogé chaque fois que la page l'est, sans intervalle.",
    requirements=("KIT-SEC-CIB-01",),
    consequences=("KIT-SEC-CIB-03",),
    role="consumer",
)
def impatient(parts: Parts) -> Parts:
    """Whoever accepts is let in sooner."""
    return replace(parts, psc=Impatient(parts))


class Steady(Telephone):
    """Keeps its pace."""

    async def answered(self, ring: Ring) -> Grant | Ring:
        """The ring under the interval that it had."""
        found: Grant | Ring = await self._right.answered(ring)
        return replace(found, interval=ring.interval) if isinstance(found, Ring) else found


@mutant(
    "slow-down-sans-effet",
    breaks="slow_down est pris pour authorization_pending : l'intervalle ne change pas.",
    requirements=("KIT-SEC-CIB-01",),
    role="consumer",
)
def steady(parts: Parts) -> Parts:
    """Neither of them says no."""
    return replace(parts, psc=Steady(parts))


# Ends ------------------------------------------------------------------------------------------


class Insistent(Telephone):
    """Takes no for not yet."""

    async def answered(self, ring: Ring) -> Grant | Ring:
        """The ring to ask about next, whatever was refused."""
        try:
            found: Grant | Ring = await self._right.answered(ring)
        except LoginRefused as refused:
            if "refusé la connexion sur" not in str(refused):
                raise
            return ring.waited(self._right._clock.now())
        return found


@mutant(
    "access-denied-sans-fin",
    breaks="access_denied ne met pas fin à l'attente : la demande est interrogée de nouveau.",
    requirements=("KIT-SEC-CIB-02",),
    role="consumer",
)
def insistent(parts: Parts) -> Parts:
    """As the loop of the example does."""
    return replace(parts, psc=Insistent(parts))


# Bounds ----------------------------------------------------------------------------------------


class Obedient(Telephone):
    """Waits for as long as it is told, be it nothing or a day."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """Under the interval that was acknowledged, as it is."""
        said: dict[str, Any] = {}
        channel: Any = copy(self._right._channel)
        right = channel.json

        async def json(*given: Any, **named: Any) -> tuple[int, Mapping[str, Any]]:
            status, answer = await right(*given, **named)
            said.update(answer)
            return status, answer

        channel.json = json
        caller: Any = copy(self._right)
        caller._channel = channel
        ring: Ring = await caller.ring(national_id, message=message)
        return replace(ring, interval=timedelta(seconds=said.get("interval", 0)))


@mutant(
    "interval-sans-bornes",
    breaks="interval est cru tel quel : absent, nul ou négatif, rien n'est attendu.",
    requirements=("KIT-SEC-CIB-03",),
    role="consumer",
)
def obedient(parts: Parts) -> Parts:
    """Pro Santé Connect knows what it wants."""
    return replace(parts, psc=Obedient(parts))


class Nameless(Telephone):
    """Does not look at what it was given."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """One to wait for, whatever the acknowledgement says."""
        try:
            ring: Ring = await self._right.ring(national_id, message=message)
        except LoginRefused as refused:
            if "n'a pas accepté" not in str(refused):
                raise
            now = self._right._clock.now()
            return Ring(
                id="None",
                message=message,
                asked=now,
                expires=now + timedelta(seconds=120),
                interval=timedelta(seconds=1),
            )
        return ring


@mutant(
    "demande-sans-identifiant",
    breaks="Une demande dont l'accusé n'a pas d'auth_req_id est attendue et interrogée.",
    requirements=("KIT-SEC-CIB-03",),
    role="consumer",
)
def nameless(parts: Parts) -> Parts:
    """It has always been there."""
    return replace(parts, psc=Nameless(parts))


# Digits ----------------------------------------------------------------------------------------


class Constant(Telephone):
    """One message for everybody."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """With that message, on both screens."""
        ring: Ring = await self._right.ring(national_id, message="42")
        return ring


@mutant(
    "chiffres-constants",
    breaks="Les deux chiffres sont les mêmes à chaque connexion.",
    requirements=("KIT-SEC-CIB-04",),
    role="consumer",
)
def constant(parts: Parts) -> Parts:
    """The screens agree, and that is what is asked."""
    return replace(parts, psc=Constant(parts))


class Counted(Telephone):
    """One message after the other."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self._next = itertools.count()

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """With the next number."""
        counted = f"{next(self._next) % 100:02d}"
        ring: Ring = await self._right.ring(national_id, message=counted)
        return ring


@mutant(
    "chiffres-comptes",
    breaks="Les deux chiffres se suivent d'une connexion à l'autre.",
    requirements=("KIT-SEC-CIB-04",),
    role="consumer",
)
def counted(parts: Parts) -> Parts:
    """Never the same twice in a row."""
    return replace(parts, psc=Counted(parts))


class Mistaken(Telephone):
    """Shows something else than it sends."""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """As it should, the digits of the page turned round by one."""
        ring: Ring = await self._right.ring(national_id, message=message)
        return replace(ring, message=f"{(int(message) + 1) % 100:02d}")


@mutant(
    "chiffres-d-un-autre-ecran",
    breaks="La page ne montre pas les deux chiffres qui sont sur le téléphone.",
    requirements=("KIT-SEC-CIB-04",),
    role="consumer",
)
def mistaken(parts: Parts) -> Parts:
    """Nobody compares them anyway."""
    return replace(parts, psc=Mistaken(parts))


# Identity --------------------------------------------------------------------------------------


class Hinted(Telephone):
    """Remembers whom it asked for last."""

    hint = ""

    async def ring(self, national_id: str, *, message: str) -> Ring:
        """As it should."""
        self.hint = national_id
        ring: Ring = await self._right.ring(national_id, message=message)
        return ring


class Trusting:
    """`Situations` of whoever was asked for."""

    def __init__(self, inner: Situations, psc: Hinted) -> None:
        self._inner = inner
        self._psc = psc

    def read(self, userinfo: Mapping[str, Any]) -> Professional:
        """As it should, under the identifier that was typed."""
        right = self._inner.read(userinfo)
        return replace(right, id=self._psc.hint) if self._psc.hint else right

    def match(self, professional: Professional, wanted: str) -> tuple[Situation, ...]:
        """As it should."""
        return self._inner.match(professional, wanted)


@mutant(
    "login-hint-cru",
    breaks="La session est à qui s'est annoncé, non à qui Pro Santé Connect a authentifié.",
    requirements=("KIT-SEC-CIB-05",),
    role="consumer",
)
def hint_believed(parts: Parts) -> Parts:
    """They said who they are, and somebody accepted."""
    psc = Hinted(parts)
    return replace(parts, psc=psc, situations=Trusting(parts.situations, psc))
