"""Faults that a simulator makes on demand: a menu, what was asked of it, and whom it strikes next.

What a fault means is its simulator's business. Here are its name, its parameters with their bounds,
and its plan: the next association or request of a service, the next N, the k-th, or all of them
until it is removed. What any answer can suffer on its way is here too: a wait, a cut, a slow line.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wire.impairment import Impairment, Link, Release

__all__ = [
    "BadFault",
    "Fault",
    "FaultKind",
    "Faults",
    "Parameter",
    "Placed",
    "Struck",
    "Value",
    "cut_after",
    "delay",
    "slow",
]

Value = int | float | str

_REMEMBERED = 50
"""How many faults that are over a simulator still tells of."""
_MOST_TIMES = 1_000_000


class BadFault(ValueError):
    """A fault that the menu does not have, or a parameter out of its bounds; in French."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One thing that a fault may be told: a number within bounds, or one of `choices`."""

    name: str
    words: str
    """What it is, in French."""
    default: Value
    unit: str = ""
    low: float = 0
    high: float = math.inf
    choices: Mapping[str, str] = field(default_factory=dict)
    """Value -> words; empty for a number."""
    hexadecimal: bool = False

    def read(self, given: Value) -> Value:
        """The value that somebody gives, written or not.

        Raises:
            BadFault: it is none.
        """
        if self.choices:
            if str(given) not in self.choices:
                raise BadFault(f"{self.name} : {self.expected} attendu, « {given} » donné")
            return str(given)
        try:
            value = self._number(given)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise BadFault(f"{self.name} : {self.expected} attendu, « {given} » donné")
        return value

    def _number(self, given: Value) -> int | float:
        whole = isinstance(self.default, int)
        if isinstance(given, str):
            text = given.strip()
            if self.hexadecimal:
                return int(text, 16)
            return int(text) if whole else float(text.replace(",", "."))
        if whole and given != int(given):
            raise ValueError(given)
        return int(given) if whole else float(given)

    def show(self, value: Value) -> str:
        """As `read` takes it back."""
        if self.hexadecimal and isinstance(value, int):
            return f"{value:04X}"
        return f"{value:g}" if isinstance(value, float) else str(value)

    @property
    def expected(self) -> str:
        """What may be given, in French."""
        if self.choices:
            return "un de " + ", ".join(self.choices)
        low, high = (
            self.show(int(one) if isinstance(self.default, int) and math.isfinite(one) else one)
            for one in (self.low, self.high)
        )
        kind = "hexadécimal" if self.hexadecimal else "nombre"
        return " ".join(filter(None, (f"{kind} de {low} à {high}", self.unit)))


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One line of a menu. `services` are those that it can strike."""

    name: str
    words: str
    """What happens, in French."""
    meaning: str
    """What happens, in English."""
    services: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()

    def read(self, given: Mapping[str, Value]) -> dict[str, Value]:
        """Every parameter: what is given, else its default.

        Raises:
            BadFault: an unknown parameter, or a value out of its bounds.
        """
        known = {one.name: one for one in self.parameters}
        for name in given:
            if name not in known:
                wanted = ", ".join(known) or "aucun"
                raise BadFault(f"{self.name} : paramètre {name} inconnu (attendu : {wanted})")
        return {name: one.read(given.get(name, one.default)) for name, one in known.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault as it was asked for: it lets `skip` associations or requests of `service` pass, then
    strikes `times` of them, all when None."""

    kind: str
    service: str
    values: Mapping[str, Value]
    skip: int = 0
    times: int | None = None


@dataclass(slots=True)
class Placed:
    """A fault at its place; `seen` and `struck` count what came to it and what it struck."""

    id: int
    fault: Fault
    seen: int = 0
    struck: int = 0
    release: Release = field(default_factory=Release)

    @property
    def over(self) -> bool:
        """Whether it strikes no more."""
        times = self.fault.times
        return times is not None and self.struck >= times


@dataclass(frozen=True, slots=True)
class Struck:
    """The fault that strikes one association or request. `release` is set when it is removed."""

    fault: Fault
    release: Release

    @property
    def kind(self) -> str:
        """Its name in the menu."""
        return self.fault.kind

    def number(self, name: str) -> int:
        """A parameter that is a whole number."""
        return int(self.fault.values[name])

    def seconds(self, name: str) -> float:
        """A parameter that is a duration."""
        return float(self.fault.values[name])

    def text(self, name: str) -> str:
        """A parameter that is one of its choices."""
        return str(self.fault.values[name])

    @property
    def delay_s(self) -> float:
        """Seconds that the answer waits."""
        return self.seconds("secondes") if self.kind == _DELAY else 0.0

    def link(self) -> Link | None:
        """What the answer goes out through; None when nothing happens to it on its way."""
        if self.kind == _SLOW:
            return Link(Impairment(rate=self.number("debit")), self.release)
        if self.kind == _CUT and "octets" in self.fault.values:
            return Link(Impairment(drop_after=self.number("octets")), self.release)
        return None


class Faults:
    """The faults of one simulator. Every method may be called from any thread.

    Each association or request of a service counts for every fault that was set on it; the first
    set of those that are due strikes it, alone.
    """

    def __init__(self, menu: Iterable[FaultKind]) -> None:
        self.menu = tuple(menu)
        self._lock = threading.Lock()
        self._placed: list[Placed] = []
        self._over: deque[Placed] = deque(maxlen=_REMEMBERED)
        self._next = 1

    @property
    def services(self) -> tuple[str, ...]:
        """Everything that can be struck, in the menu's order."""
        return tuple(dict.fromkeys(one for kind in self.menu for one in kind.services))

    def kind(self, name: str) -> FaultKind:
        """A line of the menu.

        Raises:
            BadFault: there is none of that name.
        """
        for one in self.menu:
            if one.name == name:
                return one
        raise BadFault(f"panne {name} inconnue (au menu : {', '.join(o.name for o in self.menu)})")

    def set(
        self,
        kind: str,
        on: str,
        asked: Mapping[str, Value] | None = None,
        *,
        times: int | None = None,
        skip: int = 0,
        **values: Value,
    ) -> int:
        """Make a fault from the next association or request of the service `on`; its number.

        Args:
            asked: parameters; so are `values`.
            times: how many it strikes; None: all, until it is removed.
            skip: how many pass before; `skip=2, times=1` strikes the third.

        Raises:
            BadFault: the menu has no such fault, or a value is out of its bounds.
        """
        line = self.kind(kind)
        if on not in line.services:
            raise BadFault(f"{kind} : service {on} inconnu (attendu : {', '.join(line.services)})")
        if times is not None and not 1 <= times <= _MOST_TIMES:
            raise BadFault(f"fois : nombre de 1 à {_MOST_TIMES} attendu, « {times} » donné")
        if not 0 <= skip <= _MOST_TIMES:
            raise BadFault(f"après : nombre de 0 à {_MOST_TIMES} attendu, « {skip} » donné")
        fault = Fault(
            kind=kind,
            service=on,
            values=line.read({**(asked or {}), **values}),
            skip=skip,
            times=times,
        )
        with self._lock:
            placed = Placed(self._next, fault)
            self._next += 1
            self._placed.append(placed)
        return placed.id

    def clear(self, id: int | None = None) -> int:
        """Remove one fault, or all; what they hold back goes on. How many were there."""
        with self._lock:
            gone = [one for one in (*self._placed, *self._over) if id in (None, one.id)]
            present = [one for one in self._placed if id in (None, one.id)]
            self._placed = [one for one in self._placed if one not in present]
            for one in gone:
                if one in self._over:
                    self._over.remove(one)
        for one in gone:
            one.release.set()
        return len(present)

    @property
    def placed(self) -> tuple[Placed, ...]:
        """Those that are still to strike, in the order set."""
        with self._lock:
            return tuple(self._placed)

    @property
    def over(self) -> tuple[Placed, ...]:
        """The last of those that have struck as often as they were to."""
        with self._lock:
            return tuple(self._over)

    def strike(self, service: str) -> Struck | None:
        """An association or a request of that service comes: what strikes it, if anything does."""
        with self._lock:
            found: Placed | None = None
            for one in self._placed:
                if one.fault.service != service:
                    continue
                one.seen += 1
                if found is None and one.seen > one.fault.skip:
                    found = one
            if found is None:
                return None
            found.struck += 1
            if found.over:
                self._placed.remove(found)
                if len(self._over) == _REMEMBERED:
                    self._over[0].release.set()
                self._over.append(found)
            return Struck(found.fault, found.release)


_DELAY, _SLOW, _CUT = "retard", "lenteur", "coupure"


def delay(services: tuple[str, ...], words: str, meaning: str) -> FaultKind:
    """A wait of `Struck.delay_s`, ended by `Struck.release`."""
    return FaultKind(
        name=_DELAY,
        words=words,
        meaning=meaning,
        services=services,
        parameters=(
            Parameter(
                name="secondes", words="durée", default=5.0, unit="s", low=0.001, high=86_400.0
            ),
        ),
    )


def slow(services: tuple[str, ...], words: str, meaning: str) -> FaultKind:
    """A slow line; `Struck.link` makes it."""
    return FaultKind(
        name=_SLOW,
        words=words,
        meaning=meaning,
        services=services,
        parameters=(
            Parameter(
                name="debit", words="débit", default=10_000, unit="octets/s", low=1,
                high=1_000_000_000,
            ),
        ),
    )  # fmt: skip


def cut_after(services: tuple[str, ...], words: str, meaning: str) -> FaultKind:
    """A connection that is reset once so many bytes have left; `Struck.link` makes it."""
    return FaultKind(
        name=_CUT,
        words=words,
        meaning=meaning,
        services=services,
        parameters=(
            Parameter(
                name="octets", words="octets partis avant", default=0, unit="octets", low=0,
                high=1_000_000_000_000,
            ),
        ),
    )  # fmt: skip
