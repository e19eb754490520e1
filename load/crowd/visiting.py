"""A member at a workstation: reads the page, the report, the images, tries another's address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from load.crowd.crossing import Watch
from load.crowd.people import IMAGES, Member
from simulators.ris.contextual_call import body, parameters
from simulators.user import Page, User, UserConfig, UserError
from wire.exchange import Exchange
from wire.http_client import HttpFailure

__all__ = ["Visitor"]

_OPENINGS = 5
_EXPORT_TRIES = 600
_BETWEEN_TRIES_S = 0.5


@dataclass(slots=True)
class _Seen:
    """What a member did."""

    rounds: int = 0
    refused: int = 0
    """Attempts at others' pages, all refused."""


class Visitor:
    """A member in front of a browser of his own.

    Args:
        neighbour: gives the address of another member's page, "" while there is none.
    """

    def __init__(
        self,
        member: Member,
        watch: Watch,
        config: UserConfig,
        consumer: str,
        neighbour: Callable[[], str],
    ) -> None:
        self.member = member
        self.address = ""
        """Of the page, once it is open."""
        self.did = _Seen()
        self._watch = watch
        self._consumer = consumer
        self._neighbour = neighbour
        self._user = User(config, self._heard)
        self._page: Page | None = None

    def _heard(self, exchange: Exchange) -> None:
        self._watch.shown(self.member, exchange)

    async def visit(self, until: Callable[[], bool]) -> None:
        """Open the page, then read until it is time; each round is whole, and the first always.

        What is not there as it should is kept apart from what crossed: it may be the machine's
        fault, and whatever of somebody else's stood in its place is found by its marks.
        """
        async with self._user:
            try:
                await self._open()
                while True:
                    await self._round()
                    if until():
                        break
                await self._export()
            except (HttpFailure, UserError) as error:
                self._watch.lacked(f"{self.member.number} n'a pu continuer : {error}")

    async def _open(self) -> None:
        values = parameters(self.member.patient)
        for _ in range(_OPENINGS):
            await self._user.call(f"{self._consumer}/drim", body(values))
            page = await self._user.login(self.member.professional.id)
            if page.status < 500:
                break  # a box too busy to log him in says so, and is called again
        self._expect(page, "page")
        if page.status != 200:
            raise UserError(f"la page ne s'ouvre pas : HTTP {page.status}")
        self.address = page.url

    async def _round(self) -> None:
        number = self.did.rounds % 3
        page = await self._user.get(self.address)
        self._expect(page, "page")
        if number == 1:
            page = await self._user.submit("filtres", {"modality": ["CT", "MR"]})
            self._expect(page, "recherche")
        link = next((one for one in page.links if one.label == self.member.title), None)
        if link is None:
            self._watch.lacked(f"{self.member.number} : son compte rendu n'est pas sur sa page")
        else:
            report = await self._user.get(f"{link.url}/content")
            if self.member.conclusion not in report.text():
                self._watch.lacked(f"{self.member.number} : compte rendu {report.text()[:80]!r}")
        await self._images()
        await self._intrude()
        self.did.rounds += 1

    async def _images(self) -> None:
        member = self.member
        series = f"{self.address}/viewer/{member.kos}/studies/{member.study}/series/{member.series}"
        metadata = await self._user.get(f"{series}/metadata")
        if metadata.body.count(member.study.encode()) < IMAGES:
            self._watch.lacked(f"{member.number} : images {metadata.status} {metadata.body[:60]!r}")
        stream = await self._user.get(f"{series}/stream")
        if stream.body.count(b'"type": "frame"') + stream.body.count(b'"type":"frame"') != IMAGES:
            self._watch.lacked(f"{member.number} : flux {stream.status} de {len(stream.body)}")

    async def _intrude(self) -> None:
        address = self._neighbour()
        if not address:
            return
        page = await self._user.get(address)
        if page.status < 400:
            self._watch.crossed(f"{self.member.number} voit {urlsplit(address).path[:20]}…")
        elif page.status != 403:
            self._watch.lacked(f"{self.member.number} : intrusion, HTTP {page.status}")
        else:
            self.did.refused += 1

    async def _export(self) -> None:
        await self._user.get(self.address)
        await self._user.submit("export-1")
        for _ in range(_EXPORT_TRIES):
            page = await self._user.reload()
            text = page.text()
            if "Export terminé" in text:
                return
            if "Échec" in text:
                break
            await asyncio.sleep(_BETWEEN_TRIES_S)
        self._watch.lacked(f"{self.member.number} : export sans fin ou en échec")

    def _expect(self, page: Page, what: str) -> None:
        text = page.text()
        wanted = (self.member.patient.family, self.member.title)
        if page.status != 200 or not all(one in text for one in wanted):
            said = " / ".join(page.alerts) or text[:120]
            self._watch.lacked(f"{self.member.number} : {what} {page.status} : {said}")
