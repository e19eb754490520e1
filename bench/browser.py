"""What the bench asks of a professional's browser: the seam where a vendor drives its own pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from simulators.user import Page, UserConfig
from wire.exchange import Observe

__all__ = ["Browser", "BrowserFactory"]


class Browser(Protocol):
    """A professional at a workstation, in front of a Consumer.

    Pages come in the bench's words, whatever the product's own look like: one form `export-…` for
    each exam that can be exported, one form `filtres` whose field `modality` narrows the search,
    "terminé" or "échec" once an export is over, messages to the user in elements of role `alert`,
    a report under a link of its title. In a form `export-…`, the field `syntaxe` chooses the
    transfer syntaxes: `lossless`, `lossy` or `uncompressed`. A driver translates.

    Everything runs in the bench's event loop. A method raises `simulators.user.UserError` when
    the page shown does not offer what is asked: that is the product's failure.
    """

    async def call(self, url: str, body: bytes | Mapping[str, str]) -> Page:
        """The RIS's contextual call, then wherever it leads."""

    async def get(self, url: str) -> Page:
        """Type an address."""

    async def reload(self) -> Page:
        """Ask for the page shown again."""

    async def login(self, professional: str) -> Page:
        """Identify oneself to Pro Santé Connect by that national identifier."""

    async def submit(self, form: str, fields: Mapping[str, str | list[str]] | None = None) -> Page:
        """Fill in a form, named by its id, its name or the label of a button, and send it."""

    async def aclose(self) -> None:
        """Close the browser; cookies are forgotten."""


BrowserFactory = Callable[[UserConfig, Observe], Browser]
"""Makes an empty browser that hands each exchange of its own to the observer."""
