"""Who and what the bench's little France is made of: names and numbers.

Professionals and structures are the official test identities that ANS material publishes (RPPS
beginning with 8997, grade `sample`); OIDs under 2.25 are ours, minted from a hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace

from bench.certificates import Certificates
from bench.errors import BenchError
from bench.profile import Profile
from simulators.psc.professionals import TEST_PROFESSIONALS, Activity
from simulators.psc.professionals import Professional as PscProfessional
from simulators.ris.people import Professional, Structure

__all__ = ["REAL", "Names", "Site", "actors", "professionals", "site_of"]


def _oid(name: str) -> str:
    digest = hashlib.sha256(f"drimbench|{name}".encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


_STRUCTURE = Structure(id="499700367909006", name="CABINET M DOC0036790")
_UNKNOWN_STRUCTURE = Structure(id="499700999999006", name="CABINET SANS CERTIFICAT")
_RADIOLOGIST = Professional(id="899700367909", family="DOC0036790", given="KIT", prefix="DR")


_READERS = "10B9900015"
"""The structure where our PSC's test users consult."""


@dataclass(frozen=True, slots=True)
class Names:
    """Host names of the trust space. `.test` is reserved: no resolver knows them."""

    source: str = "db1.drimbench.test"
    source_viewer: str = "vi1.drimbench.test"
    """Where the links of its reports lead."""
    consumer: str = "consumer.drimbench.test"
    consumer_db: str = "db2.drimbench.test"
    counterpart: str = "db3.drimbench.test"
    neighbour: str = "db4.drimbench.test"
    stranger: str = "db9.drimbench.test"
    """Reachable, rightly certified, but not on the white list."""
    psc: str = "psc.drimbench.test"
    api_psc: str = "api-psc.drimbench.test"
    """The authorization server of the DMP's API."""
    proxy_esante: str = "proxy.drimbench.test"
    dmp: str = "dmp.drimbench.test"
    ans: str = "ans.drimbench.test"

    @classmethod
    def under(cls, domain: str) -> Names:
        """The same hosts in another domain."""
        usual = cls()
        hosts = {one.name: getattr(usual, one.name).partition(".")[0] for one in fields(cls)}
        return cls(**{name: f"{host}.{domain}" for name, host in hosts.items()})


@dataclass(frozen=True, slots=True)
class Site:
    """The hospital's identifiers."""

    names: Names = Names()
    structure: Structure = _STRUCTURE
    unknown_structure: Structure = _UNKNOWN_STRUCTURE
    radiologist: Professional = _RADIOLOGIST
    reader: str = "899700990016"
    """National id of the radiologist who consults, a test user of our PSC."""
    reader_structure: str = _READERS
    reader_structure_name: str = "CENTRE HOSPITALIER KIT"
    outsider: str = "899700990040"
    """National id of a pharmacist: a profession that is not served."""
    operator: str = "318751275100020"
    """OU of the certificates by which boxes speak to each other and to PSC."""
    ipp_oid: str = field(default_factory=lambda: _oid("ipp"))
    accession_oid: str = field(default_factory=lambda: _oid("accession"))
    second_ipp_oid: str = field(default_factory=lambda: _oid("second ipp"))
    second_accession_oid: str = field(default_factory=lambda: _oid("second accession"))
    """Those of the second PACS: another department's, or another site's."""
    placer_oid: str = field(default_factory=lambda: _oid("placer"))
    installation_oid: str = field(default_factory=lambda: _oid("installation"))
    ris_oid: str = field(default_factory=lambda: _oid("ris"))
    """sourceId of what the RIS publishes."""
    local_ipp_oid: str = field(default_factory=lambda: _oid("local-ipp"))
    signer_cn: str = "KIT Liste Blanche"
    signer_ou: str = "318751275100020"
    consumer_client: str = "kit-drimbox-consumer"
    source_client: str = "kit-drimbox-source"
    source_cn: str = "KIT-SOURCE"
    ris_cn: str = "KIT-RIS"
    consumer_cn: str = "KIT-CONSUMER"
    peer_client: str = "kit-drimbox-pair"
    api_psc_client: str = "kit-api-psc"
    """As which the authorization server of the DMP's API introspects at PSC."""


def site_of(profile: Profile) -> Site:
    """The site, its boxes under the names that the profile gives them.

    Raises:
        BenchError: a name that is somebody else's already.
    """
    names = replace(
        Names.under(profile.world.domain),
        source=profile.source.host,
        consumer=profile.consumer.host,
    )
    names = replace(names, source_viewer=_viewer_host(profile, names))
    every = [getattr(names, one.name) for one in fields(Names)]
    for host in (names.source, names.source_viewer, names.consumer):
        if every.count(host) > 1:
            raise BenchError(f"profil : l'hôte {host} est déjà celui d'un service du banc")
    return _certified(Site(names=names), profile.certificates)


def _viewer_host(profile: Profile, names: Names) -> str:
    """The profile's; else the `vi` twin of the Source's `db` name, as white lists pair them."""
    twin = re.sub(r"^db(?=\d)", "vi", names.source)
    return profile.source.viewer_host or (twin if twin != names.source else names.source_viewer)


def _certified(site: Site, own: Certificates) -> Site:
    """The site whose structures are those that the product's own certificates name.

    Raises:
        BenchError: one cannot be read any more.
    """
    try:
        if own.source_auth:
            site = replace(
                site,
                structure=Structure(
                    id=own.name("source_auth", "OU"),
                    name=own.name("source_auth", "O") or site.structure.name,
                ),
                source_cn=own.name("source_auth", "CN"),
            )
        if own.consumer_auth:
            site = replace(
                site,
                reader_structure=own.name("consumer_auth", "OU"),
                reader_structure_name=own.name("consumer_auth", "O") or site.reader_structure_name,
                consumer_cn=own.name("consumer_auth", "CN"),
            )
        # PSC knows a service by the CN of its certificate (ANS FAQ on the e-santé proxy).
        return replace(
            site,
            source_client=own.name("source_psc", "CN") or site.source_client,
            consumer_client=own.name("consumer_psc", "CN") or site.consumer_client,
        )
    except ValueError as error:
        raise BenchError(f"profil, [certificates] : {error}") from None


def professionals(site: Site) -> tuple[PscProfessional, ...]:
    """The test users of PSC; those of the structure that consults work there, whichever it is."""
    return tuple(
        replace(
            one,
            practices=tuple(
                replace(practice, activities=tuple(_at(a, site) for a in practice.activities))
                for practice in one.practices
            ),
        )
        for one in TEST_PROFESSIONALS
    )


def _at(activity: Activity, site: Site) -> Activity:
    if activity.structure != _READERS or site.reader_structure == _READERS:
        return activity
    # 1 + FINESS; other kinds of identifiers have none (national structure identifiers).
    finess = site.reader_structure[1:] if site.reader_structure.startswith("1") else ""
    technical = f"F{finess}" if finess else f"R{site.reader_structure}"
    return replace(
        activity,
        structure=site.reader_structure,
        name=site.reader_structure_name,
        technical_id=technical,
        finess=finess,
        legal_finess="",
    )


REAL = " (réel)"
"""What marks the actor that a real neighbour is."""


def actors(site: Site, profile: Profile) -> dict[str, str]:
    """Every name that the wire may record -> the actor that a reader knows it by."""
    return {**_own(profile.certificates), **_simulated(site, profile), **dict(_real(profile))}


def _own(given: Certificates) -> dict[str, str]:
    """The names by which the white list knows the product; the Consumer's last, who shows it."""
    return {name: role for role in ("source", "consumer") if (name := given.name(role, "CN"))}


def _real(profile: Profile) -> Iterator[tuple[str, str]]:
    """A neighbour that the bench does not play is another actor than its simulator."""
    for one in profile.neighbours.real:
        actor = one.name.replace("local_pacs", "pacs-local")
        yield from ((name, actor + REAL) for name in (actor, one.ae_title, one.host) if name)


def _simulated(site: Site, profile: Profile) -> dict[str, str]:
    names = site.names
    return {
        profile.source.ae_title: "source",
        "COUNTERPART": "counterpart",
        profile.consumer.ae_title: "consumer",
        "KITPACS": "pacs",
        "KITPACS2": "pacs-2",
        "KITLOCAL": "pacs-local",
        names.source: "source",
        names.source_viewer: "source",
        names.consumer: "consumer",
        names.consumer_db: "consumer",
        names.counterpart: "counterpart",
        names.neighbour: "voisin",
        names.stranger: "étranger",
        names.psc: "psc",
        names.api_psc: "api-psc",
        names.proxy_esante: "proxy-esante",
        names.dmp: "dmp",
        names.ans: "ans",
        site.source_client: "source",
        site.consumer_client: "consumer",
        site.peer_client: "pair",
        site.api_psc_client: "api-psc",
        site.source_cn: "source",
        site.consumer_cn: "consumer",
    }
