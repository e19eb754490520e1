"""The world without a campaign: simulators that stay where they are, for a product to be set up.

What they show and where they are is written for who configures the product: trust bundles, the
addresses, the names that DNS would know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
)

from bench.archives import MODALITY
from bench.bed import Bed
from bench.box_config import CONSUMER_LOGOUT, SECOND_PACS_AE, Addresses
from bench.errors import BenchError
from bench.feed import Feed
from bench.flows import flows
from bench.flows import write as write_flows
from bench.neighbours import Manner
from bench.profile import Profile
from protocols import jks
from protocols.dn import dn
from simulators.igc import CredentialFiles
from wire.exchange import Exchange
from wire.listening import authority
from wire.shard import Shard

__all__ = ["TRUST_PASSWORD", "Line", "hand_over", "standing"]

TRUST_PASSWORD = "changeit"

_FIXED = ("dmp", "psc", "ans", "igc", "pacs", "local_pacs", "neighbour", "stranger", "counterpart")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to configure: what it is, and its value."""

    who: str
    what: str
    value: str


@contextmanager
def standing(
    profile: Profile, directory: Path, seed: int, told: Callable[[Exchange], None]
) -> Iterator[Bed]:
    """The world, until the caller is done.

    Args:
        directory: where the journal and the state of the simulators go.
        told: receives each exchange, from any thread.

    Raises:
        BenchError: a port that is not fixed or is taken, or no folder for certificates.
    """
    _check(profile)
    shard = Shard(directory.absolute(), "bench")
    bed = Bed(profile, _Told(shard, told), directory.absolute(), seed, roles=frozenset())
    try:
        try:
            bed.start()
        except OSError as error:
            raise BenchError(f"le banc n'a pas pu s'installer : {error}") from None
        yield bed
    finally:
        bed.stop()
        shard.close()


def hand_over(bed: Bed, directory: Path) -> tuple[list[Line], list[Path]]:
    """What to configure in a product, and the files written for who does: trust bundles, the flow
    matrix, and the configuration of the reference.

    Raises:
        BenchError: the folder cannot be written.
    """
    try:
        files = [*_trust(bed, directory / "confiance")]
        files += write_flows(flows(bed), directory)
        files += bed.write_box_configs(directory / "boites")
    except OSError as error:
        raise BenchError(f"{error.filename} : ne peut pas être écrit ({error.strerror})") from None
    return _lines(bed), files


class _Told(Feed):
    """A feed that somebody else hears as well."""

    def __init__(self, shard: Shard, told: Callable[[Exchange], None]) -> None:
        super().__init__(shard)
        self._told = told

    def observe(self, exchange: Exchange) -> None:
        super().observe(exchange)
        self._told(exchange)


def _check(profile: Profile) -> None:
    free = [name for name in _needed(profile) if not getattr(profile.world, name)]
    if free:
        raise BenchError(f"profil, [world] : un port fixe est attendu pour {', '.join(free)}")
    if not profile.world.pki:
        raise BenchError("profil, [world] pki : un dossier où garder les certificats est attendu")


def _needed(profile: Profile) -> Iterator[str]:
    """The ports that the bench takes: none for a neighbour that boxes reach without it."""
    manners = {one.name: one.manner for one in profile.neighbours.real}
    yield from (name for name in _FIXED if manners.get(name) is not Manner.EXTERNAL)
    if profile.claims.consumer and manners.keys().isdisjoint(("dmp", "psc")):
        yield "api_psc"
    if manners.get("ris") is Manner.TAPPED:
        yield "ris"


def _trust(bed: Bed, directory: Path) -> Iterator[Path]:
    """Each bundle as PEM, and as the truststores of Java: PKCS#12, and JKS for the older ones."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, source in (("igc", bed.papers.igc_trust), ("marche", bed.papers.market_trust)):
        data = source.read_bytes()
        certificates = x509.load_pem_x509_certificates(data)
        pem, store = directory / f"{name}.pem", directory / f"{name}.p12"
        pem.write_bytes(data)
        entries = [
            PKCS12Certificate(one, f"{name}-{rank}".encode())
            for rank, one in enumerate(certificates)
        ]
        encryption = BestAvailableEncryption(TRUST_PASSWORD.encode())
        store.write_bytes(serialize_java_truststore(entries, encryption))
        old = directory / f"{name}.jks"
        ders = {
            f"{name}-{rank}": one.public_bytes(Encoding.DER)
            for rank, one in enumerate(certificates)
        }
        old.write_bytes(jks.truststore(ders, password=TRUST_PASSWORD, created=bed.clock()))
        yield from (pem, store, old)


def _source_pacs(bed: Bed) -> list[Line]:
    """The PACS to ask; of a native product, what will send images to its own."""
    if not bed.native:
        known = bed.addresses()
        lines = [Line(who="PACS", what=f"AE {known.pacs_ae}", value=authority(*known.pacs))]
        if known.second_pacs:
            what = f"AE {SECOND_PACS_AE}, autorité {bed.site.second_accession_oid}"
            where = authority(*known.second_pacs)
            lines.append(Line(who="Second PACS", what=what, value=where))
        return lines
    given = bed.profile.source
    if given.stow:
        return [Line(who="Son PACS", what="reçoit par STOW-RS", value=given.stow)]
    what = f"reçoit par C-STORE de {MODALITY}, AE {given.store_ae_title}"
    return [Line(who="Son PACS", what=what, value=given.store)]


def _secure_door(bed: Bed) -> list[Line]:
    """What the RIS shows where the Source receives reports over TLS."""
    if not bed.profile.source.mllps:
        return []
    shown = str(bed.papers.ris.certificate)
    return [Line(who="RIS", what="certificat montré (MLLP sur TLS)", value=shown)]


def _server(bed: Bed, host: str) -> str:
    own = bed.profile.certificates.server_authorities
    return f"le sien, pour {host}" if own else str(bed.papers.servers[host].certificate)


def _client(bed: Bed, key: str, issued: CredentialFiles) -> str:
    """What the product shows: its own, by its name, else the file that the bench issued."""
    own = bed.profile.certificates.shown(key)
    return str(issued.certificate) if own is None else f"le sien : {dn(own)}"


def _structure(
    bed: Bed, structure: str, auth: CredentialFiles, sign: CredentialFiles
) -> tuple[str, str]:
    roles = {bed.site.structure.id: "source", bed.site.reader_structure: "consumer"}
    role = roles.get(structure, "")
    return (
        _client(bed, f"{role}_auth", auth) if role else str(auth.certificate),
        _client(bed, f"{role}_sign", sign) if role else str(sign.certificate),
    )


def _api(known: Addresses) -> list[Line]:
    """Where a Consumer exchanges tokens, and reaches the DMP with them."""
    if not known.dmp_api:
        return []
    return [
        Line(who="API PSC du DMP", what="racine des services", value=known.dmp_api),
        Line(who="API PSC du DMP", what="échange de jetons", value=known.token_endpoint),
        *(
            [Line(who="Proxy e-santé", what="/connect, /send/dmp/…", value=known.proxy)]
            if known.proxy
            else []
        ),
    ]


def _lines(bed: Bed) -> list[Line]:
    known, papers = bed.addresses(), bed.papers
    lines = [
        Line(who="DMP", what="racine des services", value=known.dmp),
        Line(who="Pro Santé Connect", what="issuer", value=known.psc_issuer),
        *_api(known),
        Line(who="ANS", what="liste blanche", value=known.white_list),
        Line(who="IGC", what="CRL", value=papers.pki.crl_url),
        Line(who="IGC", what="OCSP", value=papers.pki.ocsp_url),
        Line(who="IGC", what="horodatage", value=papers.pki.tsa_url),
        Line(who="Confiance", what="clients et signataires (IGC)", value=str(papers.igc_trust)),
        Line(who="Confiance", what="serveurs (marché)", value=str(papers.market_trust)),
    ]
    if "source" in bed.claimed:
        host = bed.site.names.source
        psc = papers.clients["source-psc"]
        lines += [
            *_source_pacs(bed),
            *_secure_door(bed),
            Line(who="Source", what="URL de ses images", value=f"https://{host}/drimbox/rs"),
            Line(who="Source", what="certificat db", value=_server(bed, host)),
            Line(who="Source", what="certificat vers PSC", value=_client(bed, "source_psc", psc)),
        ]
    if "consumer" in bed.claimed:
        shown = papers.clients["consumer"]
        lines += [
            Line(
                who="PACS local",
                what=f"AE {known.local_pacs_ae}",
                value=authority(*known.local_pacs),
            ),
            Line(who="Consommatrice", what="client_id PSC", value=bed.site.consumer_client),
            Line(
                who="Consommatrice",
                what="déconnexion venue de PSC (back-channel)",
                value=f"https://{bed.site.names.consumer}{CONSUMER_LOGOUT}",
            ),
            Line(
                who="Consommatrice",
                what="certificat WADO-RS",
                value=_client(bed, "consumer", shown),
            ),
        ]
    lines += [
        Line(
            who=f"Structure {structure}",
            what="AUTH_CLI ; SIGN",
            value=" ; ".join(_structure(bed, structure, auth, sign)),
        )
        for structure, (auth, sign) in papers.structures.items()
    ]
    lines += [
        Line(who="Nom", what=name, value=address) for name, address in bed.fixed_names().items()
    ]
    if port := bed.profile.world.dns:
        value = authority(bed.profile.world.announced, port)
        lines.append(Line(who="DNS", what="ces noms, par UDP et TCP", value=value))
    return lines
