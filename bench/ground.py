"""What all that stands around the boxes stands on: the loop, the clock, papers, names, taps."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from anyio.from_thread import BlockingPortal

from bench import ports
from bench.browser import BrowserFactory
from bench.feed import Feed
from bench.neighbours import Manner, Neighbour
from bench.papers import Papers
from bench.patients import Register
from bench.profile import Profile
from bench.site import site_of
from bench.tapping import tap_https
from simulators.ans import Ans
from simulators.api_psc import ApiPsc
from simulators.dmp import Dmp
from simulators.igc.service import IgcServer
from simulators.pacs import Pacs
from simulators.peer import PeerSource
from simulators.proxy_esante import ProxyEsante
from simulators.psc import Psc
from simulators.ris.service import Link
from simulators.user import User
from wire.exchange import Exchange, Label
from wire.faults import Faults
from wire.listening import authority
from wire.tap import Tap
from wire.tls import ServerTls

__all__ = ["Ground", "Simulators"]

T = TypeVar("T")


class Where(TypedDict):
    """Where a service listens, and what others are told."""

    host: str
    announced: str


@dataclass(slots=True)
class Simulators:
    """Those that stand, for what no real neighbour lets one see or do; None: that one is real."""

    ans: Ans | None = None
    psc: Psc | None = None
    api_psc: ApiPsc | None = None
    """Where both PSC and the DMP are simulated, and a Consumer is claimed."""
    proxy_esante: ProxyEsante | None = None
    dmp: Dmp | None = None
    pacs: Pacs | None = None
    local_pacs: Pacs | None = None
    neighbour: PeerSource | None = None
    igc: IgcServer | None = None

    @property
    def faults(self) -> dict[str, Faults]:
        """Simulator -> the faults that it makes on demand, request by request."""
        standing = {
            "pacs": self.pacs,
            "dmp": self.dmp,
            "pacs-local": self.local_pacs,
            "source": self.neighbour,
            "ans": self.ans,
            "psc": self.psc,
            "igc": self.igc,
        }
        return {name: one.faults for name, one in standing.items() if one is not None}


class Ground:
    """The same arguments as the world's. What is started here is stopped in the other order."""

    def __init__(
        self,
        profile: Profile,
        feed: Feed,
        directory: Path,
        seed: int,
        *,
        structures: Mapping[str, str] | None = None,
        workplace: Path | None = None,
        browser: BrowserFactory = User,
    ) -> None:
        self._browser = browser
        self._workplace = workplace or directory
        self._structures = dict(structures or {})
        self.profile = profile
        self.feed = feed
        self.site = site_of(profile)
        self.directory = directory
        self.seed = seed
        self._random = Random(f"bed|{seed}")
        self._stack = ExitStack()
        self._portal: BlockingPortal
        self._numbers = itertools.count(1)
        self.papers: Papers
        self.ans: ports.Ans
        self._white_list = ""
        self.psc: ports.Psc
        self.dmp: ports.Dmp
        self.pacs: ports.Pacs
        self.second_pacs: Pacs | None = None
        """Of the site's second accession authority; None where the Source knows of none."""
        self._pacs_web = ""
        self.local_pacs: ports.Pacs
        self.ris: ports.Ris
        self.intake: Link
        """How the Source under test is sent messages."""
        self.simulators = Simulators()
        self.register: Register
        self.taps: dict[str, Tap] = {}
        """Real neighbour -> what it is reached through."""
        self.neighbour = PeerSource(elsewhere=self.site.names.stranger)
        self.simulators.neighbour = self.neighbour
        self.stranger = PeerSource("étranger")
        self._started: list[Callable[[], Awaitable[None]]] = []
        """How to stop what was started, last one first."""
        self.connect_to: dict[str, str] = {}
        """Name -> address of every `db`: what DNS would say. Boxes read it when they start."""

    # -- the loop and what is given to everybody ---------------------------------------------

    def call(self, function: Callable[..., Awaitable[T]], *args: Any) -> T:
        """Run a coroutine function in the bed's loop and wait for it."""
        return self._portal.call(function, *args)

    def clock(self) -> datetime:
        """Now: features never move a clock."""
        return datetime.now(UTC)

    def uuid(self) -> UUID:
        """A fresh UUID from the bed's seed."""
        return UUID(int=self._random.getrandbits(128), version=4)

    def control_id(self) -> str:
        """A fresh MSH-10, of this run alone."""
        return f"KIT{self.seed:08x}{next(self._numbers):06d}".upper()

    def observe(self, exchange: Exchange) -> None:
        """What every simulator is given."""
        self.feed.observe(exchange)

    # -- where it listens, and behind what ---------------------------------------------------

    async def _tap_https(self, neighbour: Neighbour, label: Label) -> None:
        """When it is listened to: its name leads to the tap, as DNS would be told."""
        if neighbour.manner is not Manner.TAPPED:
            return
        tap = await tap_https(
            neighbour,
            self.observe,
            label,
            getattr(self.profile.world, neighbour.name),
            self.profile.papers_of(neighbour.name),
            self.papers.servers[neighbour.host] if self._shows(neighbour) else None,
            self.papers.client_trust,
            **self._where,
        )
        self._tapped(neighbour, tap)
        known = authority(neighbour.host, neighbour.port)
        self.connect_to[known] = authority(tap.host, tap.port)

    def _tapped(self, neighbour: Neighbour, tap: Tap) -> Tap:
        self.taps[neighbour.name] = tap
        self._started.append(tap.stop)
        return tap

    def _shows(self, neighbour: Neighbour) -> bool:
        """Whether a tap shows a certificate of the bench's in its name."""
        papers = self.profile.papers_of(neighbour.name)
        return neighbour.manner is Manner.TAPPED and papers is not None

    @property
    def _where(self) -> Where:
        """Where what stands for the world listens, and what is told of it."""
        world = self.profile.world
        return {"host": world.address, "announced": world.announced}

    def _server_tls(self, host: str, *, clients: bool = False) -> ServerTls:
        files = self.papers.servers[host]
        if not clients:
            return ServerTls(files.certificate, files.key)
        return ServerTls(files.certificate, files.key, self.papers.client_trust, "required")
