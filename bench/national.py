"""The national services around the boxes: ANS, Pro Santé Connect, its API, the DMP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.box_config import CONSUMER_LOGOUT
from bench.ground import Ground
from bench.patients import Lent, Minted
from bench.real import RealAns, RealDmp, RealPsc
from bench.site import professionals
from protocols.dn import dn
from protocols.whitelist import Domain
from simulators import api_psc, dmp, proxy_esante, psc
from simulators.ans import Ans, Signer
from simulators.ans import service as ans_service
from simulators.api_psc import ApiClient, ApiPscConfig
from simulators.dmp import DmpConfig
from simulators.dmp.naming import label as dmp_label
from simulators.proxy_esante import Backend, ProxyConfig
from simulators.psc import Client, PscConfig
from simulators.psc.naming import label as psc_label
from wire.exchange import Exchange
from wire.tls import ClientTls, ServerTls

__all__ = ["NationalServices"]


class NationalServices(Ground):
    """Each one simulated, or reached where the profile says that it is."""

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

    def _psc_config(self, port: int) -> PscConfig:
        site, files = self.site, self.papers.servers[self.site.names.psc]
        tls = ServerTls(files.certificate, files.key, self.papers.client_trust, "optional")
        return PscConfig(
            tls=tls,
            key=self.papers.psc_key,
            clock=self.clock,
            rng=Random(f"psc|{self.seed}"),
            professionals=professionals(site),
            wardrobe={
                shown: replace(tls, certificate=files.certificate, key=files.key)
                for shown, files in self.papers.psc_wardrobe.items()
            },
            elsewhere=site.names.stranger,
            logout_tls=ClientTls(self.papers.server_trust),
            connect_to=self.connect_to,
            clients=(
                Client(
                    client_id=site.source_client,
                    redirect_uris=(
                        f"https://{site.names.source_viewer}{self.profile.source.viewer_redirect}",
                    ),
                ),
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

    def publish_white_list(self, stranger: str = "") -> None:
        """Everybody but the stranger: the boxes, the neighbour, the peer that asks for images.

        `stranger` is the DN under which that one is listed too, "" when it is not.
        """
        names, dns = self.site.names, self.papers.dns
        operators = {
            names.source: dns["source"],
            names.consumer_db: dns["consumer"],
            names.counterpart: dns["counterpart"],
            names.neighbour: dns["peer"],
            **({names.stranger: stranger} if stranger else {}),
        }
        self.ans.publish(
            Domain(
                identifier=str(number),
                db=host,
                vi=names.source_viewer if host == names.source else host.replace("db", "vi", 1),
                operator_dn=dn,
                denomination="DRIMBENCH",
                support_contact="support@drimbench.test",
                updated=self.clock(),
            )
            for number, (host, dn) in enumerate(operators.items(), 1)
        )
