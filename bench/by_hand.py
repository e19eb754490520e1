"""No driver at all: a person is in front of the product's pages.

A scenario that asks persons for gestures does so (`bench.attending`); any other one says that it
cannot be verified, instead of reproaching a page with words that are not its own.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.outcomes import CannotVerify
from simulators.user import Page, UserConfig
from wire.exchange import Observe

__all__ = ["ByHand"]


class ByHand:
    """A browser that only a person can use. Every method but `aclose` raises CannotVerify."""

    def __init__(self, config: UserConfig, observe: Observe) -> None:
        pass

    async def call(self, url: str, body: bytes | Mapping[str, str]) -> Page:
        """For a person."""
        raise _nobody()

    async def get(self, url: str) -> Page:
        """For a person."""
        raise _nobody()

    async def reload(self) -> Page:
        """For a person."""
        raise _nobody()

    async def login(self, professional: str) -> Page:
        """For a person."""
        raise _nobody()

    async def submit(self, form: str, fields: Mapping[str, str | list[str]] | None = None) -> Page:
        """For a person."""
        raise _nobody()

    async def aclose(self) -> None:
        """Nothing was opened."""


def _nobody() -> CannotVerify:
    return CannotVerify(
        "le profil confie les pages à une personne (consumer.driver = personne) : ce scénario "
        "demande un pilote ; les scénarios SCN-PRJ lui demandent ses gestes"
    )
