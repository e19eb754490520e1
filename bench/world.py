"""The world around the boxes, in this process: services, taps to real ones, names, papers.

Steps are synchronous: what is asynchronous runs in one asyncio loop behind a blocking portal.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

from bench.box_config import Addresses
from bench.browser import Browser
from bench.national import NationalServices
from bench.outcomes import CannotVerify
from bench.papers import papers
from bench.real import RealRis
from bench.site_pacs import SitePacs
from simulators.ans import names as name_service
from simulators.igc import CredentialFiles
from simulators.igc import service as igc_service
from simulators.peer import PeerDrimbox
from simulators.ris.depositing import Depositor
from simulators.ris.depositing import Papers as DepositPapers
from simulators.ris.service import Link, Ris
from simulators.user import User, UserConfig
from wire.exchange import ignore
from wire.listening import authority
from wire.tls import ClientTls

__all__ = ["World"]


class World(NationalServices, SitePacs):
    """What stands around the boxes. `start` once, `stop` once.

    `structures` (Struct_IdNat -> name) are certified besides the site's own; `browser` makes the
    professional's. State is kept in `workplace`, by default the run's `directory`, where journals
    are.
    """

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Make it."""
        self._workplace.mkdir(parents=True, exist_ok=True)
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        self.call(self._start_services)

    def stop(self) -> None:
        """End all that was started, whatever its state."""
        while self._started:
            self.call(self._started.pop())
        self._stack.close()

    # -- its services ------------------------------------------------------------------------

    async def _start_services(self) -> None:
        site, world = self.site, self.profile.world
        observe = self.observe
        kept = Path(world.pki) if world.pki else None
        if kept is not None:
            # Private keys: nobody else's, and nothing to commit.
            kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            (kept / ".gitignore").write_text("*\n")
        self._igc = await igc_service.start(
            clock=self.clock, observe=observe, port=world.igc, keep=kept, **self._where
        )
        self._started.append(self._igc.stop)
        self.simulators.igc = self._igc
        self.papers = papers(
            self._igc.pki,
            site,
            kept or self._workplace / "pki",
            {
                site.structure.id: (site.structure.name, site.source_cn),
                site.reader_structure: (site.reader_structure_name, site.consumer_cn),
                **{id: (name, site.source_cn) for id, name in self._structures.items()},
            },
            (
                *(one.host for one in self.profile.neighbours.real if self._shows(one)),
                *((site.names.proxy_esante,) if world.proxy_esante else ()),
            ),
            world.announced,
            self.profile.certificates,
        )
        await self._start_ans()
        await self._start_psc()
        await self._start_api_psc()
        await self._start_dmp()
        await self._start_proxy()
        self.pacs = await self._start_pacs()
        if self._has_second_pacs:
            self.second_pacs = self._start_second_pacs()
        self.local_pacs = await self._start_local_pacs()
        ris = self.profile.neighbours.of("ris")
        only_tls = bool(self.profile.source.mllps) and not self.profile.source.mllp
        self.intake = self.ris_link(self.papers.ris) if only_tls else Link()
        writer = Ris(observe=observe, clock=self.clock, ids=self.control_id, link=self.intake)
        self.ris = writer if ris.simulated else RealRis(ris, writer)
        tls = self._server_tls(site.names.neighbour, clients=True)
        wardrobe = {
            shown: replace(tls, certificate=files.certificate, key=files.key)
            for shown, files in self.papers.wardrobe.items()
        }
        self.connect_to[site.names.neighbour] = await self.neighbour.start(
            observe=observe, tls=tls, wardrobe=wardrobe, port=world.neighbour, **self._where
        )
        self._started.append(self.neighbour.stop)
        tls = self._server_tls(site.names.stranger, clients=True)
        self.connect_to[site.names.stranger] = await self.stranger.start(
            observe=observe, tls=tls, port=world.stranger, **self._where
        )
        self._started.append(self.stranger.stop)

        if world.dns:
            directory = name_service.Directory(self.places)
            dns = await name_service.start(
                directory, observe=observe, host=world.address, port=world.dns
            )
            self._started.append(dns.stop)

    def _announced(self, address: str) -> str:
        """That of a Source of the bench's own, as a box is told."""
        return authority(self.profile.world.announced, int(address.rpartition(":")[2]))

    # -- where it is -------------------------------------------------------------------------

    def addresses(self) -> Addresses:
        """Where everything is, for a box's configuration."""
        server = self.simulators.api_psc
        return Addresses(
            dmp=self.dmp.url,
            psc_issuer=self.psc.issuer,
            white_list=self._white_list,
            pacs=(self.pacs.host, self.pacs.port),
            local_pacs=(self.local_pacs.host, self.local_pacs.port),
            connect_to=dict(self.connect_to),
            pacs_ae=self.pacs.ae_title,
            second_pacs=(self.second_pacs.host, self.second_pacs.port)
            if self.second_pacs
            else None,
            pacs_web=self._pacs_web,
            dmp_api=self.simulators.dmp.api_url if self.simulators.dmp else "",
            token_endpoint=server.token_endpoint if server else "",
            proxy=self.simulators.proxy_esante.url if self.simulators.proxy_esante else "",
            local_pacs_ae=self.local_pacs.ae_title,
            trust={
                one.name: Path(papers.trust)
                for one in self.profile.neighbours.real
                if (papers := self.profile.papers_of(one.name)) and not self._shows(one)
            },
        )

    def fixed_names(self) -> dict[str, str]:
        """Name -> address, as DNS would say; with the healthy Source, which only runs in a
        campaign, at its fixed port."""
        world = self.profile.world
        counterpart = authority(world.announced, world.counterpart)
        return {**self.connect_to, self.site.names.counterpart: counterpart}

    def places(self) -> dict[str, name_service.Place]:
        """Every host of the bed, as its DNS answers; not a box that is itself known by a name."""
        hosts, known = self.site.names, self.profile
        at = {
            hosts.dmp: urlsplit(self.dmp.url).netloc,
            hosts.psc: urlsplit(self.psc.url).netloc,
            hosts.ans: urlsplit(self._white_list).netloc,
            hosts.source: known.source.wado,
            hosts.source_viewer: known.source.viewer,
            hosts.consumer: known.consumer.web,
            **self.fixed_names(),
        }
        if self.simulators.api_psc is not None:
            at[hosts.api_psc] = urlsplit(self.simulators.api_psc.url).netloc
        if self.simulators.proxy_esante is not None:
            at[hosts.proxy_esante] = urlsplit(self.simulators.proxy_esante.url).netloc
        found = {}
        for host, address in at.items():
            where, _, port = address.rpartition(":")
            with suppress(ValueError):
                # A neighbour behind a tap is known by its port as well; a name has none.
                found[host.partition(":")[0]] = name_service.Place(
                    ip_address(where.strip("[]")), int(port)
                )
        return found

    # -- who lives in it ---------------------------------------------------------------------

    def ris_link(self, papers: CredentialFiles | None) -> Link:
        """How a RIS that shows these papers, or none, speaks TLS with the Source."""
        shown = (papers.certificate, papers.key) if papers else (None, None)
        return Link(
            tls=ClientTls(self.papers.server_trust, *shown), server_name=self.site.names.source
        )

    def peer(self, papers: CredentialFiles | None, *, feeble: bool = False) -> PeerDrimbox:
        """A DRIMbox of the network that shows these papers, or none; `feeble` ones too."""
        return PeerDrimbox(
            observe=self.observe,
            tls=ClientTls(
                self.papers.server_trust,
                papers.certificate if papers else None,
                papers.key if papers else None,
                feeble=feeble,
            ),
            connect_to=self.connect_to,
        )

    def depositor(self) -> Depositor:
        """The RIS at the DMP, where it publishes its own reports (DB/RIS.09).

        Raises:
            CannotVerify: the RIS or the DMP is a real one, and does it itself.
        """
        for name in ("ris", "dmp"):
            neighbour = self.profile.neighbours.of(name)
            if not neighbour.simulated:
                raise CannotVerify(neighbour.cannot("ne publie pas de compte rendu à sa place"))
        sign = self.papers.ris_sign
        return Depositor(
            self.dmp.url,
            papers=DepositPapers.read(
                ClientTls(
                    self.papers.server_trust, self.papers.ris.certificate, self.papers.ris.key
                ),
                sign.certificate,
                sign.key,
            ),
            installation=self.site.ris_oid,
            observe=ignore,
            clock=self.clock,
            uuid=self.uuid,
            connect_to=self.connect_to,
        )

    def user(self) -> Browser:
        """A professional at a workstation, with an empty browser."""
        return self._browser(self._workstation(), self.observe)

    def reader(self) -> User:
        """Somebody who holds a report, anywhere, with an empty browser that runs no script."""
        return User(self._workstation(), self.observe)

    def _workstation(self) -> UserConfig:
        seen = self.simulators.psc is not None or "psc" in self.taps
        psc_host = self.psc.url.removeprefix("https://")
        return UserConfig(
            tls=ClientTls(self.papers.server_trust),
            connect_to=self.connect_to,
            recorded_elsewhere=frozenset({psc_host} if seen else ()),
        )
