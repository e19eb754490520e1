"""What the bench asks of a professional's browser: the seam where a vendor drives its own pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from simulators.user import Page, UserConfig
from wire.exchange import Observe

__all__ = ["Browser", "BrowserFactory", "Onlooker", "Photograph", "Photographer", "Timekeeper"]


class Browser(Protocol):
    """A professional at a workstation, in front of a Consumer.

    Pages come in the bench's words, whatever the product's own look like: one form `export-…` for
    each exam that can be exported, one form `filtres` whose field `modality` narrows the search,
    "terminé" or "échec" once an export is over, messages to the user in elements of role `alert`,
    a report under a link of its title. In a form `export-…`, the field `syntaxe` chooses the
    transfer syntaxes: `lossless`, `lossy` or `uncompressed`. Where
    `options.login_mode` is "ciba", a form `connexion-ciba` whose field `identifiant` says who logs
    in, then, as long as the telephone is waited for, the two digits in an element of id
    `ciba-chiffres`. A driver translates.

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
        """Identify oneself to Pro Santé Connect by that national identifier; by CIBA, say who one
        is: the page then waits for the telephone."""

    async def submit(self, form: str, fields: Mapping[str, str | list[str]] | None = None) -> Page:
        """Fill in a form, named by its id, its name or the label of a button, and send it."""

    async def aclose(self) -> None:
        """Close the browser; cookies are forgotten."""


@runtime_checkable
class Onlooker(Protocol):
    """A `Browser` that can also look at images; a driver may have this method."""

    async def look(self, series: str = "") -> Page:
        """Open the viewer on the first exam of the page shown, or on the series of that UID, and
        wait until its images are there. From a viewer that is open: show that series in it.

        Raises:
            simulators.user.UserError: the page offers no such thing.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """What a screen showed, whole, with its address and the date, as proofs want it (faq.md 17.2,
    grade: draft)."""

    png: bytes = field(repr=False)
    url: str
    utc: datetime


@runtime_checkable
class Photographer(Protocol):
    """A `Browser` that can also be photographed; a driver may have this method."""

    async def photograph(self) -> Photograph:
        """The page shown, from top to bottom, its address and the date on the picture.

        Raises:
            simulators.user.UserError: no page is shown.
        """


@runtime_checkable
class Timekeeper(Protocol):
    """A `Browser` that knows when an image is on the screen; a driver may have this property."""

    @property
    def first_image_s(self) -> float | None:
        """Seconds from the last gesture that asked for images to the first one on the screen; None:
        not known."""


BrowserFactory = Callable[[UserConfig, Observe], Browser]
"""Makes an empty browser that hands each exchange of its own to the observer."""
