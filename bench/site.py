"""Who and what the bench's little France is made of: names, numbers, certificates.

Professionals and structures are the official test identities that ANS material publishes (RPPS
beginning with 8997, grade `sample`); OIDs under 2.25 are ours, minted from a hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from bench.profile import Profile
from simulators.igc import Credential, CredentialFiles, Pki
from simulators.ris.people import Professional, Structure

__all__ = ["Names", "Papers", "Site", "actors", "papers"]


def _oid(name: str) -> str:
    digest = hashlib.sha256(f"drimbench|{name}".encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


_STRUCTURE = Structure(id="499700367909006", name="CABINET M DOC0036790")
_UNKNOWN_STRUCTURE = Structure(id="499700999999006", name="CABINET SANS CERTIFICAT")
_RADIOLOGIST = Professional(id="899700367909", family="DOC0036790", given="KIT", prefix="DR")


@dataclass(frozen=True, slots=True)
class Names:
    """Host names of the trust space. `.test` is reserved: no resolver knows them."""

    source: str = "db1.drimbench.test"
    consumer: str = "consumer.drimbench.test"
    consumer_db: str = "db2.drimbench.test"
    counterpart: str = "db3.drimbench.test"
    neighbour: str = "db4.drimbench.test"
    stranger: str = "db9.drimbench.test"
    """Reachable, rightly certified, but not on the white list."""
    psc: str = "psc.drimbench.test"
    dmp: str = "dmp.drimbench.test"
    ans: str = "ans.drimbench.test"


@dataclass(frozen=True, slots=True)
class Site:
    """The hospital's identifiers."""

    names: Names = Names()
    structure: Structure = _STRUCTURE
    unknown_structure: Structure = _UNKNOWN_STRUCTURE
    radiologist: Professional = _RADIOLOGIST
    reader: str = "899700990016"
    """National id of the radiologist who consults, a test user of our PSC."""
    reader_structure: str = "10B9900015"
    reader_structure_name: str = "CENTRE HOSPITALIER KIT"
    outsider: str = "899700990040"
    """National id of a pharmacist: a profession that is not served."""
    operator: str = "318751275100020"
    """OU of the certificates by which boxes speak to each other and to PSC."""
    ipp_oid: str = field(default_factory=lambda: _oid("ipp"))
    accession_oid: str = field(default_factory=lambda: _oid("accession"))
    placer_oid: str = field(default_factory=lambda: _oid("placer"))
    installation_oid: str = field(default_factory=lambda: _oid("installation"))
    local_ipp_oid: str = field(default_factory=lambda: _oid("local-ipp"))
    signer_cn: str = "KIT Liste Blanche"
    signer_ou: str = "318751275100020"
    consumer_client: str = "kit-drimbox-consumer"
    source_client: str = "kit-drimbox-source"
    source_cn: str = "KIT-SOURCE"
    consumer_cn: str = "KIT-CONSUMER"
    peer_client: str = "kit-drimbox-pair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Every certificate of the bed, on disk, and the DNs that the white list names."""

    directory: Path
    pki: Pki
    igc_trust: Path
    market_trust: Path
    servers: dict[str, CredentialFiles]
    """By host name."""
    clients: dict[str, CredentialFiles]
    """`source`, `counterpart`, `consumer`, `peer`: ORG AUTH_CLI towards other boxes and PSC."""
    structures: dict[str, tuple[CredentialFiles, CredentialFiles]]
    """Struct_IdNat -> (AUTH_CLI, SIGN)."""
    dns: dict[str, str]
    rogues: dict[str, CredentialFiles]
    """`unlisted`: IGC, but not on the list; `market`: from the wrong authority."""
    list_signer: Credential
    psc_key: rsa.RSAPrivateKey


def papers(pki: Pki, site: Site, directory: Path, structures: dict[str, tuple[str, str]]) -> Papers:
    """Issue everything. `structures` maps each Struct_IdNat to its name and to the CN of the box
    that speaks for it."""
    trust = pki.write(directory)
    names = site.names
    clients = {
        "source": pki.auth_cli(names.source, site.operator),
        "counterpart": pki.auth_cli(names.counterpart, site.operator),
        "consumer": pki.auth_cli(names.consumer_db, site.operator),
        "peer": pki.auth_cli(names.neighbour, site.operator),
        "source-psc": pki.auth_cli(site.source_client, site.operator),
        "consumer-psc": pki.auth_cli(site.consumer_client, site.operator),
    }
    rogues = {
        "unlisted": pki.auth_cli(names.stranger, site.operator, key=pki.throwaway_key),
        "market": pki.auth_cli(
            names.neighbour, site.operator, issuer="market", key=pki.throwaway_key
        ),
    }
    hosts = (
        names.source,
        names.counterpart,
        names.consumer,
        names.neighbour,
        names.stranger,
        names.psc,
        names.dmp,
        names.ans,
    )
    return Papers(
        directory=directory,
        pki=pki,
        igc_trust=trust.igc_trust,
        market_trust=trust.market_trust,
        servers={host: pki.server(host).write(directory, f"server-{host}") for host in hosts},
        clients={
            name: credential.write(directory, f"client-{name}")
            for name, credential in clients.items()
        },
        structures={
            structure: (
                pki.auth_cli(cn, structure, o=name).write(directory, f"auth-{structure}"),
                pki.sign(cn, structure, o=name).write(directory, f"sign-{structure}"),
            )
            for structure, (name, cn) in structures.items()
        },
        dns={name: credential.dn for name, credential in clients.items()},
        rogues={
            name: credential.write(directory, f"rogue-{name}")
            for name, credential in rogues.items()
        },
        list_signer=pki.sign(site.signer_cn, site.signer_ou),
        psc_key=rsa.generate_private_key(65537, 2048),
    )


def actors(site: Site, profile: Profile) -> dict[str, str]:
    """Every name that the wire may record -> the actor that a reader knows it by."""
    names = site.names
    return {
        profile.source.ae_title: "source",
        "COUNTERPART": "counterpart",
        profile.consumer.ae_title: "consumer",
        "KITPACS": "pacs",
        "KITLOCAL": "pacs-local",
        names.source: "source",
        names.consumer: "consumer",
        names.consumer_db: "consumer",
        names.counterpart: "counterpart",
        names.neighbour: "voisin",
        names.stranger: "étranger",
        names.psc: "psc",
        names.dmp: "dmp",
        names.ans: "ans",
        site.source_client: "source",
        site.consumer_client: "consumer",
        site.peer_client: "pair",
        site.source_cn: "source",
        site.consumer_cn: "consumer",
    }
