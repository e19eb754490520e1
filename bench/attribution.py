"""Which scenario an exchange belongs to.

To the one whose Case it names, also through what was derived from it (a token's `jti`, an OIDC
state, an entryUUID: `Exchange.keys`); else to that of another exchange on the same connection;
else it is ambient. No mark is ever sent to the box for this purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from wire.exchange import Direction, Exchange, Payload

__all__ = ["Attributor", "Owner"]

_SHORTEST_KEY = 6
"""A shorter identifier would be found by chance in unrelated bytes."""


class Owner:
    """A scenario and every identifier that leads to it."""

    def __init__(self, scenario: str, identifiers: dict[str, str]) -> None:
        self.scenario = scenario
        self.names = {
            value: name for name, value in identifiers.items() if len(value) >= _SHORTEST_KEY
        }
        self._needles = {value: value.encode() for value in self.names}

    def learn(self, key: str, name: str) -> None:
        """Add an identifier derived from this scenario's exchanges."""
        if len(key) >= _SHORTEST_KEY and key not in self.names:
            self.names[key] = name
            self._needles[key] = key.encode()

    def recognise(self, exchange: Exchange) -> str | None:
        """The name of the first identifier that the exchange carries, or None."""
        for key in exchange.keys:
            if key in self.names:
                return self.names[key]
        texts = list(_bytes_of(exchange))
        for value, needle in self._needles.items():
            if any(needle in text for text in texts):
                return self.names[value]
        return None


class Attributor:
    """Attributes exchanges one by one, in time order, learning as it goes."""

    def __init__(self) -> None:
        self._owners: list[Owner] = []
        self._connections: dict[str, Owner] = {}

    def open(self, scenario: str, identifiers: dict[str, str]) -> Owner:
        """A scenario starts (or mints more identifiers)."""
        for owner in self._owners:
            if owner.scenario == scenario:
                for name, value in identifiers.items():
                    owner.learn(value, name)
                return owner
        owner = Owner(scenario, identifiers)
        self._owners.insert(0, owner)
        return owner

    def forget_connections(self) -> None:
        """Another process records from now on: its connections may bear the same names."""
        self._connections.clear()

    def attribute(self, exchange: Exchange) -> tuple[str | None, str]:
        """The scenario's id (or None: ambient), and why, in French."""
        for owner in self._owners:
            name = owner.recognise(exchange)
            if name is not None:
                self._connections[exchange.connection] = owner
                _teach(owner, exchange)
                return owner.scenario, f"nomme {name}"
        known = self._connections.get(exchange.connection)
        if known is not None and exchange.protocol != "TLS":
            if exchange.direction is Direction.OUT:
                # A connection that the bench opened serves one scenario; a box may pool its own.
                _teach(known, exchange)
            return known.scenario, "même connexion qu'un échange du scénario"
        return None, "ambiant"


def _teach(owner: Owner, exchange: Exchange) -> None:
    for key in exchange.keys:
        owner.learn(key, f"identifiant dérivé ({exchange.transaction})")


def _bytes_of(exchange: Exchange) -> Iterator[bytes]:
    for payload in (exchange.request, exchange.response):
        if payload is not None:
            yield from _payload_bytes(payload)


def _payload_bytes(payload: Payload) -> Iterator[bytes]:
    yield payload.start_line.encode()
    yield "\n".join(value for _, value in payload.head).encode()
    yield payload.body
    for part in payload.parts:
        yield part.head
