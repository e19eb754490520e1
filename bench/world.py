"""The world around the boxes, in this process: services, taps to real ones, names, papers.

Steps are synchronous: what is asynchronous runs in one asyncio loop behind a blocking portal.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any, TypedDict, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench import ports
from bench.archives import by_c_get, by_c_store
from bench.box_config import (
    CONSUMER_LOGOUT,
    LOCAL_PACS_AE,
    PACS_AE,
    RETRIEVE,
    SECOND_PACS_AE,
    Addresses,
)
from bench.browser import Browser, BrowserFactory
from bench.changes import ByProgram
from bench.feed import Feed
from bench.launching import with_python
from bench.neighbours import Manner, Neighbour
from bench.outcomes import CannotVerify
from bench.papers import Papers, papers
from bench.patients import Lent, Minted, Register
from bench.profile import Profile
from bench.real import RealAns, RealDmp, RealLocalPacs, RealPacs, RealPsc, RealRis
from bench.site import professionals, site_of
from bench.tapping import tap_dicom, tap_https
from protocols.dn import dn
from protocols.whitelist import Domain
from simulators import api_psc, dmp, pacs, proxy_esante, psc
from simulators.ans import Ans, Signer
from simulators.ans import names as name_service
from simulators.ans import service as ans_service
from simulators.api_psc import ApiClient, ApiPsc, ApiPscConfig
from simulators.dmp import Dmp, DmpConfig
from simulators.dmp.naming import label as dmp_label
from simulators.igc import CredentialFiles
from simulators.igc import service as igc_service
from simulators.pacs import Pacs, PacsConfig
from simulators.peer import PeerDrimbox, PeerSource
from simulators.proxy_esante import Backend, ProxyConfig, ProxyEsante
from simulators.psc import Client, Psc, PscConfig
from simulators.psc.naming import label as psc_label
from simulators.ris.depositing import Depositor
from simulators.ris.depositing import Papers as DepositPapers
from simulators.ris.service import Link, Ris
from simulators.user import User, UserConfig
from wire.dimse import DimsePeer
from wire.exchange import Exchange, Label, ignore
from wire.faults import Faults
from wire.listening import authority
from wire.tap import Tap
from wire.tls import ClientTls, ServerTls

__all__ = ["Simulators", "World"]

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

    @property
    def faults(self) -> dict[str, Faults]:
        """Simulator -> the faults that it makes on demand, request by request."""
        standing = {
            "pacs": self.pacs,
            "dmp": self.dmp,
            "pacs-local": self.local_pacs,
            "source": self.neighbour,
            "ans": self.ans,
        }
        return {name: one.faults for name, one in standing.items() if one is not None}


class World:
    """What stands around the boxes. `start` once, `stop` once.

    `structures` (Struct_IdNat -> name) are certified besides the site's own; `browser` makes the
    professional's. State is kept in `workplace`, by default the run's `directory`, where journals
    are.
    """

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
        self._pacs_web = ""
        """Of the site's second accession authority; None where the Source knows of none."""
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

    async def _start_ans(self) -> None:
        neighbour = self.profile.neighbours.of("ans")
        if not neighbour.simulated:
            self.ans, self._white_list = RealAns(neighbour), neighbour.url
            await self._tap_https(neighbour, lambda one: one.labelled(transaction="liste-blanche"))
            return
        signer, world = self.papers.list_signer, self.profile.world
        self.ans = self.simulators.ans = made = Ans(
            signer=Signer(signer.key, signer.certificate),
            others={
                name: Signer(one.key, one.certificate)
                for name, one in self.papers.list_others.items()
            },
            clock=self.clock,
            format=world.white_list_format,
        )
        # Before anybody can ask: a box that already runs keeps what it is given first.
        self.publish_white_list()
        tls = self._server_tls(self.site.names.ans)
        server = await ans_service.start(
            made, observe=self.observe, tls=tls, port=world.ans, **self._where
        )
        self._started.append(server.stop)
        self._white_list = server.url + ans_service.WHITE_LIST_PATH

    async def _start_psc(self) -> None:
        neighbour = self.profile.neighbours.of("psc")
        if not neighbour.simulated:
            self.psc = RealPsc(neighbour)
            await self._tap_https(neighbour, psc_label)
            return
        made = psc.build(self._psc_config(self.profile.world.psc), self.observe)
        self.psc = self.simulators.psc = made
        await made.start()
        self._started.append(made.stop)

    async def _start_api_psc(self) -> None:
        """Its tokens open our DMP alone, and are given for those of our PSC."""
        played = all(self.profile.neighbours.of(name).simulated for name in ("psc", "dmp"))
        if not played or not self.profile.claims.consumer:
            return
        shown = self.papers.clients["api-psc"]
        made = api_psc.build(
            ApiPscConfig(
                tls=self._server_tls(self.site.names.api_psc, clients=True),
                key=self.papers.api_psc_key,
                clock=self.clock,
                rng=Random(f"api-psc|{self.seed}"),
                clients=(
                    ApiClient(client_id=self.site.consumer_client, dns=tuple(self._consumer_dns())),
                ),
                psc_issuer=lambda: self.psc.issuer,
                psc_tls=ClientTls(self.papers.server_trust, shown.certificate, shown.key),
                port=self.profile.world.api_psc,
                **self._where,
            ),
            self.observe,
        )
        self.simulators.api_psc = made
        await made.start()
        self._started.append(made.stop)

    async def _start_proxy(self) -> None:
        """Where the profile asks for one: it shows the certificate that the bench issued to the
        Consumer for PSC, hence not where the product's is its own."""
        api, held = self.simulators.api_psc, self.simulators.dmp
        own = self.profile.certificates.consumer_psc
        port = self.profile.world.proxy_esante
        if not port or api is None or held is None or own:
            return
        files = self.papers.servers[self.site.names.proxy_esante]
        shown = self.papers.clients["consumer-psc"]
        backend = Backend(url=held.api_url, token_endpoint=api.token_endpoint)
        made = proxy_esante.build(
            ProxyConfig(
                tls=ServerTls(files.certificate, files.key),
                clients={
                    self.site.consumer_client: ClientTls(
                        self.papers.server_trust, shown.certificate, shown.key
                    )
                },
                psc_issuer=lambda: self.psc.issuer,
                backends=lambda: {"dmp": backend},
                clock=self.clock,
                rng=Random(f"proxy|{self.seed}"),
                port=port,
                **self._where,
            ),
            self.observe,
        )
        self.simulators.proxy_esante = made
        await made.start()
        self._started.append(made.stop)

    def _consumer_dns(self) -> Iterator[str]:
        """What the Consumer may show there: what it shows to the DMP, or to PSC."""
        for auth, _ in self.papers.structures.values():
            yield dn(x509.load_pem_x509_certificates(auth.certificate.read_bytes())[0])
        yield self.papers.dns["consumer-psc"]
        for key in ("consumer_auth", "consumer_psc"):
            own = self.profile.certificates.shown(key)
            if own is not None:
                yield dn(own)

    async def _start_dmp(self) -> None:
        neighbour = self.profile.neighbours.of("dmp")
        if not neighbour.simulated:
            self.dmp = RealDmp(neighbour)
            self.register = Lent(neighbour, self.profile.patients)
            await self._tap_https(neighbour, dmp_label)
            return
        leaf = x509.load_pem_x509_certificates(self.papers.ris.certificate.read_bytes())[0]
        self._ris_certificate = leaf.public_bytes(Encoding.DER)
        made = dmp.build(self._dmp_config(self.profile.world.dmp), self._observe_dmp)
        self.dmp = self.simulators.dmp = made
        await made.start()
        self._started.append(made.stop)
        self.register = Minted(made)

    def _observe_dmp(self, exchange: Exchange) -> None:
        """What the RIS publishes itself is under names of its own: it is none of the box's."""
        shown = exchange.tls.peer_chain if exchange.tls else ()
        if shown and shown[0] == self._ris_certificate:
            name = f"{exchange.transaction} du RIS"
            exchange = replace(exchange, peer="ris", transaction=name)
        self.observe(exchange)

    async def _start_pacs(self) -> ports.Pacs:
        neighbour, port = self.profile.neighbours.of("pacs"), self.profile.world.pacs
        if not neighbour.simulated:
            at, timeout = (neighbour.host, neighbour.port), self.profile.timing.effect_s
            peer = DimsePeer(*at, neighbour.ae_title, "pacs")
            send = by_c_store(peer, self.observe, timeout=timeout)
            ask = by_c_get(peer, timeout=timeout)
            program = with_python(self.profile.source.pacs_changes)
            changes = ByProgram(program, timeout, "source.pacs_changes") if program else None
            if neighbour.manner is Manner.TAPPED:
                opened = await tap_dicom(neighbour, "pacs", self.observe, port, **self._where)
                tap = self._tapped(neighbour, opened)
                at = tap.host, tap.port
            return RealPacs(neighbour, at, send, ask, changes)
        made = pacs.build(PacsConfig(ae_title=PACS_AE, port=port, **self._where), self.observe)
        self.simulators.pacs = made
        self._started.append(_later(made.start().stop))
        if self.profile.options.get(RETRIEVE) == "wado-rs":
            self._pacs_web = await made.start_web()
            self._started.append(made.stop_web)
        return made

    @property
    def _has_second_pacs(self) -> bool:
        """Beside a real first one too: it is of another accession authority."""
        claims = self.profile.claims
        told = bool(self.profile.world.second_pacs) or not self.profile.external_source()
        return claims.source and claims.mode == "proxy" and told

    def _start_second_pacs(self) -> Pacs:
        config = PacsConfig(
            ae_title=SECOND_PACS_AE,
            actor="pacs-2",
            port=self.profile.world.second_pacs,
            **self._where,
        )
        made = pacs.build(config, self.observe).start()
        self._started.append(_later(made.stop))
        return made

    async def _start_local_pacs(self) -> ports.Pacs:
        neighbour, port = self.profile.neighbours.of("local_pacs"), self.profile.world.local_pacs
        actor = "pacs-local"
        if not neighbour.simulated:
            made = RealLocalPacs(neighbour, (neighbour.host, neighbour.port))
            if neighbour.manner is Manner.TAPPED:
                opened = await tap_dicom(
                    neighbour, actor, self.observe, port, made.passed, **self._where
                )
                tap = self._tapped(neighbour, opened)
                made.host, made.port = tap.host, tap.port
            return made
        config = PacsConfig(ae_title=LOCAL_PACS_AE, actor=actor, port=port, **self._where)
        simulated = pacs.build(config, self.observe)
        self.simulators.local_pacs = simulated
        self._started.append(_later(simulated.start().stop))
        return simulated

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

    def _announced(self, address: str) -> str:
        """That of a Source of the bench's own, as a box is told."""
        return authority(self.profile.world.announced, int(address.rpartition(":")[2]))

    def _server_tls(self, host: str, *, clients: bool = False) -> ServerTls:
        files = self.papers.servers[host]
        if not clients:
            return ServerTls(files.certificate, files.key)
        return ServerTls(files.certificate, files.key, self.papers.client_trust, "required")

    def _psc_config(self, port: int) -> PscConfig:
        site, files = self.site, self.papers.servers[self.site.names.psc]
        return PscConfig(
            tls=ServerTls(files.certificate, files.key, self.papers.client_trust, "optional"),
            key=self.papers.psc_key,
            clock=self.clock,
            rng=Random(f"psc|{self.seed}"),
            professionals=professionals(site),
            logout_tls=ClientTls(self.papers.server_trust),
            connect_to=self.connect_to,
            clients=(
                Client(client_id=site.source_client),
                Client(
                    client_id=site.consumer_client,
                    redirect_uris=(f"https://{site.names.consumer}/callback",),
                    post_logout_redirect_uris=(f"https://{site.names.consumer}/",),
                    ciba=True,
                    backchannel_logout_uri=f"https://{site.names.consumer}{CONSUMER_LOGOUT}",
                ),
                Client(client_id=site.api_psc_client),
                Client(client_id=site.peer_client, may_introspect=False),
            ),
            port=port,
            **self._where,
        )

    def _dmp_config(self, port: int) -> DmpConfig:
        pki, own = self.papers.pki, self.profile.certificates.authorities("client_authorities")
        return DmpConfig(
            tls=self._server_tls(self.site.names.dmp, clients=True),
            trust=dmp.Trust(
                roots=(pki.igc_root, *(one for one in own if one.subject == one.issuer)),
                intermediates=(pki.igc_intermediate, *own),
                unlisted=own,
                crls=lambda: [x509.load_der_x509_crl(pki.crl())],
            ),
            database=self._workplace / "dmp.sqlite",
            clock=self.clock,
            uuid=self.uuid,
            port=port,
            api=self._api_access(),
            **self._where,
        )

    def _api_access(self) -> dmp.ApiAccess | None:
        server = self.simulators.api_psc
        if server is None:
            return None
        return dmp.ApiAccess(keys=lambda: server.keys, issuer=lambda: server.issuer)

    def publish_white_list(self) -> None:
        """Everybody but the stranger: the boxes, the neighbour, the peer that asks for images."""
        names, dns = self.site.names, self.papers.dns
        operators = {
            names.source: dns["source"],
            names.consumer_db: dns["consumer"],
            names.counterpart: dns["counterpart"],
            names.neighbour: dns["peer"],
        }
        self.ans.publish(
            Domain(
                identifier=str(number),
                db=host,
                vi=host.replace("db", "vi", 1),
                operator_dn=dn,
                denomination="DRIMBENCH",
                support_contact="support@drimbench.test",
                updated=self.clock(),
            )
            for number, (host, dn) in enumerate(operators.items(), 1)
        )

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

    def peer(self, papers: CredentialFiles | None) -> PeerDrimbox:
        """A DRIMbox of the network that shows these papers, or none."""
        return PeerDrimbox(
            observe=self.observe,
            tls=ClientTls(
                self.papers.server_trust,
                papers.certificate if papers else None,
                papers.key if papers else None,
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
        seen = self.simulators.psc is not None or "psc" in self.taps
        psc_host = self.psc.url.removeprefix("https://")
        return self._browser(
            UserConfig(
                tls=ClientTls(self.papers.server_trust),
                connect_to=self.connect_to,
                recorded_elsewhere=frozenset({psc_host} if seen else ()),
            ),
            self.observe,
        )


def _later(stop: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """A threaded service's stop, off the loop."""

    async def stopping() -> None:
        await to_thread.run_sync(stop)

    return stopping
