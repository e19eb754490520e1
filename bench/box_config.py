"""The configuration files of the reference boxes, as the bench writes them.

A vendor's box is configured by its own people from the same facts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from bench.papers import Papers
from bench.profile import Profile
from bench.site import Site

__all__ = [
    "CONSUMER_LOGOUT",
    "LOCAL_PACS_AE",
    "PACS_AE",
    "PROFESSIONS",
    "SECOND_PACS_AE",
    "Addresses",
    "EXAM_MIB",
    "PROVIDED_MIB",
    "set_options",
    "write_consumer",
    "write_source",
]

PACS_AE, SECOND_PACS_AE, LOCAL_PACS_AE = "KITPACS", "KITPACS2", "KITLOCAL"
"""Titles of the simulated PACS."""

PROFESSIONS = ["10", "40", "50"]
"""Physician, dentist, midwife (TRE_G15): which professions a Source accepts is not public."""


CONSUMER_LOGOUT = "/psc/logout"
"""Path of a Consumer where PSC says that a session is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the simulators are."""

    dmp: str
    psc_issuer: str
    white_list: str
    pacs: tuple[str, int]
    local_pacs: tuple[str, int]
    connect_to: Mapping[str, str]
    pacs_ae: str = PACS_AE
    local_pacs_ae: str = LOCAL_PACS_AE
    second_pacs: tuple[str, int] | None = None
    pacs_web: str = ""
    """Root of the first PACS's DICOMweb service, when it has one."""
    """Where a PACS of the site's second accession authority is, if there is one."""
    dmp_api: str = ""
    """Root of the DMP's services with an API token; "" where there is no API."""
    token_endpoint: str = ""
    """Where tokens are exchanged for it."""
    proxy: str = ""
    """Root of the proxy e-santé, where there is one."""
    trust: Mapping[str, Path] = field(default_factory=dict)
    """Real neighbour -> authorities of its certificate, where they are not the bench's."""


def write_source(
    directory: Path,
    role: str,
    site: Site,
    papers: Papers,
    addresses: Addresses,
    profile: Profile,
    *,
    host: str,
    ae_title: str,
    seed: int,
    journal: Path | None,
    usage: Path | None = None,
    ports: Mapping[str, int],
    hosts: Mapping[str, str] | None = None,
) -> Path:
    """The file of a Source; `role` is `source` or `counterpart`.

    `journal` and `usage` are the run whose journal keeps what it answers, and which parts it uses.
    `hosts` is where each of its doors listens, by default 127.0.0.1.
    """
    state, hosts = directory / role, hosts or {}
    state.mkdir(parents=True, exist_ok=True)
    server = papers.servers[host]
    psc = papers.clients["source-psc"]
    return _write(
        directory / f"{role}.toml",
        {
            "box": {**_box(role, state, seed, journal, usage), **_database(role, profile)},
            "identity": _identity(site),
            "mllp": _door("mllp", ports, hosts),
            "mllps": {
                **_door("mllps", ports, hosts),
                "certificate": str(server.certificate),
                "key": str(server.key),
                "client_ca": str(papers.client_trust),
            },
            "dicom": {"ae_title": ae_title, **_door("dicom", ports, hosts)},
            "admin": _door("admin", ports, hosts),
            "wado": {
                **_door("wado", ports, hosts),
                "public_url": f"https://{host}/drimbox/rs",
                "certificate": str(server.certificate),
                "key": str(server.key),
                "client_ca": str(papers.client_trust),
            },
            **_viewer(role, site, papers, profile, ports, hosts),
            **_pacs(role, site, addresses, profile, ports),
            "dmp": {
                "url": addresses.dmp,
                "trust": _trust(papers, addresses, "dmp"),
                "structures": _structures(papers),
            },
            "psc": {
                "issuer": addresses.psc_issuer,
                "trust": _trust(papers, addresses, "psc"),
                "certificate": str(psc.certificate),
                "key": str(psc.key),
                "professions": PROFESSIONS,
            },
            "whitelist": _whitelist(site, papers, addresses),
            "connect_to": dict(addresses.connect_to),
            "timing": {
                "retry_first_s": 0.2,
                "retry_max_s": 2.0,
                "pacs_timeout_s": 10.0,
                "dmp_timeout_s": 10.0,
                "psc_timeout_s": 5.0,
            },
            "options": {
                # Every public example is rsa-sha1; our own DMP accepts both, and judges warn of it.
                "lot_algorithm": "rsa-sha256",
                # Tokens of our own PSC are bound to nothing, but those of the scenarios about it.
                "cnf": "ans",
                # Nobody publishes the CRL of authorities that are a product's own.
                **({"revocation": "off"} if profile.certificates.client_authorities else {}),
                **{k: v for k, v in profile.options.items() if k in _SOURCE_OPTIONS},
            },
        },
    )


EXAM_MIB = 32
"""What a Consumer that the bench starts takes of one series, unless the profile says otherwise:
exams of scenarios are small, and what does not end is soon seen not to."""
PROVIDED_MIB = 20_480
"""The same where the images are the user's own."""


def write_consumer(
    directory: Path,
    site: Site,
    papers: Papers,
    addresses: Addresses,
    profile: Profile,
    *,
    seed: int,
    usage: Path | None = None,
    ports: Mapping[str, int],
    hosts: Mapping[str, str] | None = None,
) -> Path:
    """The file of a Consumer; `usage` is the run whose journal keeps which parts it uses.
    `hosts` is where each of its doors listens, by default 127.0.0.1.
    """
    hosts = hosts or {}
    state = directory / "consumer"
    state.mkdir(parents=True, exist_ok=True)
    host = site.names.consumer
    server = papers.servers[host]
    psc = papers.clients["consumer-psc"]
    client = papers.clients["consumer"]
    return _write(
        directory / "consumer.toml",
        {
            "box": _box("consumer", state, seed, None, usage),
            "identity": _identity(site),
            "web": {
                **_door("web", ports, hosts),
                "public_url": f"https://{host}",
                "certificate": str(server.certificate),
                "key": str(server.key),
            },
            "admin": _door("admin", ports, hosts),
            "psc": {
                "issuer": addresses.psc_issuer,
                "client_id": site.consumer_client,
                "trust": _trust(papers, addresses, "psc"),
                "certificate": str(psc.certificate),
                "key": str(psc.key),
            },
            "dmp": {
                "url": addresses.dmp,
                "trust": _trust(papers, addresses, "dmp"),
                "structures": _structures(papers),
            },
            **_api(addresses, site, papers),
            "whitelist": _whitelist(site, papers, addresses),
            "wado": {
                "trust": str(papers.server_trust),
                "certificate": str(client.certificate),
                "key": str(client.key),
            },
            "local_pacs": {
                "ae_title": addresses.local_pacs_ae,
                "host": addresses.local_pacs[0],
                "port": addresses.local_pacs[1],
                "calling_ae": profile.consumer.ae_title,
            },
            "connect_to": dict(addresses.connect_to),
            # A scenario of broken transfers must not wait as long as people would.
            "timing": {"retry_wait_s": 0.02},
            "options": {
                **{k: v for k, v in profile.options.items() if k in _CONSUMER_OPTIONS},
                # With an API token, unless told otherwise.
                **({} if addresses.dmp_api else {"acces_dmp": "lps_mtls"}),
                "max_exam_mib": profile.consumer.exam_mib or EXAM_MIB,
            },
        },
    )


def set_options(file: Path, options: Mapping[str, str]) -> None:
    """Write in that file of a Consumer the named options that it reads, of these."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    kept = {k: v for k, v in table["options"].items() if k not in _RESTARTED}
    told = {k: v for k, v in options.items() if k in _RESTARTED}
    _write(file, {**table, "options": {**kept, **told}})


def _api(addresses: Addresses, site: Site, papers: Papers) -> dict[str, dict[str, str]]:
    """Where a Consumer gets the tokens that open the API of the DMP, and that API."""
    if not addresses.dmp_api:
        return {}
    api = {
        "url": addresses.dmp_api,
        "token_endpoint": addresses.token_endpoint,
        "trust": str(papers.market_trust),
        "client_id": site.consumer_client,
    }
    return {"api_psc": api}


def _door(name: str, ports: Mapping[str, int], hosts: Mapping[str, str]) -> dict[str, Any]:
    host = {"host": hosts[name]} if name in hosts else {}
    return {**host, "port": ports.get(name, 0)}


def _viewer(
    role: str,
    site: Site,
    papers: Papers,
    profile: Profile,
    ports: Mapping[str, int],
    hosts: Mapping[str, str],
) -> dict[str, Any]:
    """Where the links of reports lead: of the Source under test alone."""
    if role != "source":
        return {}
    host = site.names.source_viewer
    server = papers.servers[host]
    viewer = {
        **_door("viewer", ports, hosts),
        "public_url": f"https://{host}",
        "certificate": str(server.certificate),
        "key": str(server.key),
        "client_id": site.source_client,
        "redirect": profile.source.viewer_redirect,
    }
    return {"viewer": viewer}


def _pacs(
    role: str, site: Site, addresses: Addresses, profile: Profile, ports: Mapping[str, int]
) -> dict[str, Any]:
    """The PACS that a proxy asks; of a native product, where its own receives images."""
    if role == "source" and profile.claims.mode == "native":
        title, port = profile.source.store_ae_title, ports.get("store", 0)
        return {"store": {"ae_title": title, "port": port}}
    host, port = addresses.pacs
    pacs: list[dict[str, Any]] = [{"ae_title": addresses.pacs_ae, "host": host, "port": port}]
    if role == "source" and (way := profile.options.get(RETRIEVE)):
        pacs[0] |= {"retrieve": way}
        if addresses.pacs_web:
            pacs[0] |= {"dicomweb": addresses.pacs_web}
    if addresses.second_pacs:
        host, port = addresses.second_pacs
        issuers = [site.second_accession_oid]
        pacs.append(
            {"ae_title": SECOND_PACS_AE, "host": host, "port": port, "accession_issuers": issuers}
        )
    return {"pacs": pacs}


RETRIEVE = "pacs_retrieve"
"""The profile's option that says how the embedded Source asks its PACS for images."""
_RESTARTED = ("login_mode",)
"""Those that a scenario may want otherwise."""
_CONSUMER_OPTIONS = ("acces_dmp", "cnf_thumbprint", "login_mode")
_SOURCE_OPTIONS = (
    "vihf_version",
    "signature_algorithm",
    "lot_algorithm",
    "author",
    "study_uid_authority",
    "entry_uuid",
    "event_code_scheme",
    "find_level",
    "without_dmp",
    "kos_transfer_syntax",
    "cnf",
)


def _box(
    name: str, state: Path, seed: int, journal: Path | None, usage: Path | None
) -> dict[str, Any]:
    box: dict[str, Any] = {"name": name, "state": str(state), "seed": seed}
    if journal is not None:
        box["journal"] = str(journal)
    if usage is not None:
        box["usage"] = str(usage)
    return box


def _database(role: str, profile: Profile) -> dict[str, str]:
    """Of the Source under test: the one that plays the missing half has its file."""
    url = profile.source.database
    return {"database": url} if role == "source" and url else {}


def _identity(site: Site) -> dict[str, str]:
    return {
        "installation_oid": site.installation_oid,
        "uid_root": site.installation_oid,
        "lps_name": "drimbench reference",
        "lps_version": "0.1",
        "lps_id": "KIT-1",
        "lps_homologation": "KIT-0000",
    }


def _trust(papers: Papers, addresses: Addresses, neighbour: str) -> str:
    return str(addresses.trust.get(neighbour, papers.market_trust))


def _structures(papers: Papers) -> list[dict[str, str]]:
    return [
        {
            "id": structure,
            "auth_certificate": str(auth.certificate),
            "auth_key": str(auth.key),
            "sign_certificate": str(sign.certificate),
            "sign_key": str(sign.key),
        }
        for structure, (auth, sign) in papers.structures.items()
    ]


def _whitelist(site: Site, papers: Papers, addresses: Addresses) -> dict[str, Any]:
    return {
        "url": addresses.white_list,
        "trust": _trust(papers, addresses, "ans"),
        "igc_trust": str(papers.igc_trust),
        "signer_cn": site.signer_cn,
        "signer_ou": site.signer_ou,
        "retry_s": 1.0,
        "fetch_s": 3.0,
    }


def _write(file: Path, table: Mapping[str, Any]) -> Path:
    file.write_bytes(tomli_w.dumps(dict(table)).encode())
    return file
