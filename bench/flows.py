"""The flow matrix: who opens which connection to whom, how it is protected, who trusts what.

What an installer opens in a firewall and configures in a product, written from the same facts as
the configuration of the reference; one row for each kind of connection.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from urllib.parse import urlsplit

from bench.bed import Bed
from bench.box_config import SECOND_PACS_AE
from bench.profile import ConsumerBox, SourceBox
from wire.listening import authority

__all__ = ["Flow", "as_csv", "as_markdown", "flows", "write"]

_CLEAR, _SERVER, _MUTUAL = "non", "serveur", "mutuel"
_IGC, _MARKET = "confiance/igc.pem", "confiance/marche.pem"
_ITS_OWN = "du voisin réel"
_PRODUCT_S, _ITS_AUTHORITIES = "du produit", "autorités du produit ([certificates])"
_HTTPS_NEIGHBOURS = {"DMP": "dmp", "Pro Santé Connect": "psc", "ANS": "ans"}
_TO_GIVE = "à donner"
"""The address of a box that the profile does not say: the bench starts it, or it has no such."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One kind of connection. Certificates are file names; "" where there is none."""

    caller: str
    callee: str
    purpose: str
    address: str
    protocol: str
    tls: str
    """`non`, `serveur` or `mutuel`."""
    server_certificate: str = ""
    client_trusts: str = ""
    client_certificate: str = ""
    server_trusts: str = ""


_COLUMNS = {
    "caller": "De",
    "callee": "Vers",
    "purpose": "Pour",
    "address": "Adresse",
    "protocol": "Protocole",
    "tls": "TLS",
    "server_certificate": "Certificat du serveur",
    "client_trusts": "Confiance du client",
    "client_certificate": "Certificat du client",
    "server_trusts": "Confiance du serveur",
}
_SOURCE, _CONSUMER = "DRIMbox Source", "DRIMbox Consommatrice"


def flows(bed: Bed) -> list[Flow]:
    """Every flow of the boxes that the profile claims; the world of the bench stands."""
    found = _Flows(bed)
    rows: list[Flow] = []
    if "source" in bed.claimed:
        rows += found.of_source(bed.profile.source)
        rows += found.of_any_box(_SOURCE)
    if "consumer" in bed.claimed:
        rows += found.of_consumer(bed.profile.consumer)
        rows += found.of_any_box(_CONSUMER)
    return rows


class _Flows:
    """The rows, from where things are and which papers they show."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._known = bed.addresses()
        self._names = bed.site.names
        self._own = bed.profile.certificates

    def of_source(self, source: SourceBox) -> Iterator[Flow]:
        """What a Source receives and sends."""
        yield Flow(
            caller="RIS", callee=_SOURCE, purpose="comptes rendus (ORU^R01, MDM)",
            address=_where(source, "mllp"), protocol="MLLP", tls=_CLEAR,
        )  # fmt: skip
        if source.mllps or source.ports.get("mllps"):
            yield replace(
                self._https(
                    "RIS", _SOURCE, "comptes rendus (ORU^R01, MDM)", _where(source, "mllps"),
                    source.host, self._bed.papers.ris.certificate.name,
                ),
                protocol="MLLP",
            )  # fmt: skip
        if self._bed.profile.claims.mode == "proxy":
            yield Flow(
                caller=_SOURCE, callee="PACS",
                purpose=f"recherche et demande d'images (AE {self._known.pacs_ae})",
                address=_joined(self._known.pacs), protocol="DICOM C-FIND, C-MOVE", tls=_CLEAR,
            )  # fmt: skip
            if self._known.second_pacs:
                yield Flow(
                    caller=_SOURCE, callee="Second PACS",
                    purpose=f"recherche et demande d'images (AE {SECOND_PACS_AE})",
                    address=_joined(self._known.second_pacs), protocol="DICOM C-FIND, C-MOVE",
                    tls=_CLEAR,
                )  # fmt: skip
            yield Flow(
                caller="PACS", callee=_SOURCE, purpose=f"images (AE {source.ae_title})",
                address=_where(source, "dicom"), protocol="DICOM C-STORE", tls=_CLEAR,
            )  # fmt: skip
        elif source.stow:
            secure = urlsplit(source.stow).scheme == "https"
            yield Flow(
                caller="modalité", callee=_SOURCE, purpose="images, dans son PACS",
                address=_authority(source.stow), protocol="HTTPS" if secure else "HTTP",
                tls=_CLEAR if not secure else _MUTUAL if source.stow_certificate else _SERVER,
            )  # fmt: skip
        else:
            yield Flow(
                caller="modalité", callee=_SOURCE,
                purpose=f"images, dans son PACS (AE {source.store_ae_title})",
                address=_where(source, "store"), protocol="DICOM C-STORE", tls=_CLEAR,
            )  # fmt: skip
        yield self._https(
            _SOURCE, "Pro Santé Connect", "introspection des jetons", self._known.psc_issuer,
            self._names.psc, self._client("source-psc"),
        )  # fmt: skip
        yield self._dmp(
            _SOURCE,
            "publication et mise à jour des KOS (ITI-41, ITI-57)",
            self._bed.site.structure.id,
        )
        yield self._https(
            "DRIMbox du réseau", _SOURCE, "images (WADO-RS)", _where(source, "wado"),
            source.host, self._client("peer"),
        )  # fmt: skip
        if source.viewer:
            yield self._https(
                "Navigateur", _SOURCE, "visionneuse, par le lien d'un compte rendu",
                _where(source, "viewer"), self._names.source_viewer,
            )  # fmt: skip
        if source.admin:
            yield _admin(_SOURCE, source.admin)

    def of_consumer(self, consumer: ConsumerBox) -> Iterator[Flow]:
        """What a Consumer receives and sends."""
        web = _where(consumer, "web")
        yield self._https(
            "Navigateur", _CONSUMER, "appel contextuel, page", web, self._names.consumer
        )
        yield self._https(
            "Navigateur", "Pro Santé Connect", "authentification", self._known.psc_issuer,
            self._names.psc,
        )  # fmt: skip
        yield self._https(
            _CONSUMER, "Pro Santé Connect", "jetons", self._known.psc_issuer, self._names.psc,
            self._client("consumer-psc"),
        )  # fmt: skip
        yield self._dmp(
            _CONSUMER,
            "recherche et lecture des KOS en mode AIR (ITI-18, ITI-43)",
            self._bed.site.reader_structure,
        )
        if self._known.token_endpoint:
            auth, _ = self._bed.papers.structures[self._bed.site.reader_structure]
            shown = _PRODUCT_S if self._own.consumer_auth else auth.certificate.name
            yield self._https(
                _CONSUMER, "API PSC du DMP", "échange de jetons (RFC 8693)",
                self._known.token_endpoint, self._names.api_psc, shown,
            )  # fmt: skip
            if self._known.proxy:
                yield self._https(
                    _CONSUMER, "Proxy e-santé", "session par CIBA, requêtes au DMP",
                    self._known.proxy, self._names.proxy_esante,
                )  # fmt: skip
            yield self._https(
                "Pro Santé Connect", _CONSUMER, "fin de session (back-channel logout)", web,
                self._names.consumer,
            )  # fmt: skip
        for host, address in self._bed.fixed_names().items():
            if host in (self._names.neighbour, self._names.stranger, self._names.counterpart):
                yield self._https(
                    _CONSUMER, f"DRIMbox {host}", "images (WADO-RS)", address, host,
                    self._client("consumer"),
                )  # fmt: skip
        yield Flow(
            caller=_CONSUMER, callee="PACS local",
            purpose=f"export d'images (AE {self._known.local_pacs_ae})",
            address=_joined(self._known.local_pacs), protocol="DICOM C-STORE", tls=_CLEAR,
        )  # fmt: skip
        if consumer.admin:
            yield _admin(_CONSUMER, consumer.admin)

    def of_any_box(self, box: str) -> Iterator[Flow]:
        """What every box asks of the trust space."""
        yield self._https(box, "ANS", "liste blanche", self._known.white_list, self._names.ans)
        crl = self._bed.papers.pki.crl_url
        yield Flow(
            caller=box, callee="IGC", purpose="CRL : données signées, en clair",
            address=_authority(crl), protocol="HTTP", tls=_CLEAR,
        )  # fmt: skip
        if port := self._bed.profile.world.dns:
            yield Flow(
                caller=box, callee="DNS du banc", purpose="noms de l'espace de confiance",
                address=authority(self._bed.profile.world.announced, port),
                protocol="DNS (UDP et TCP)", tls=_CLEAR,
            )  # fmt: skip

    def _dmp(self, box: str, purpose: str, structure: str) -> Flow:
        auth, _ = self._bed.papers.structures[structure]
        key = "source_auth" if box == _SOURCE else "consumer_auth"
        client = _PRODUCT_S if getattr(self._own, key) else auth.certificate.name
        return self._https(box, "DMP", purpose, self._known.dmp, self._names.dmp, client)

    def _https(
        self, caller: str, callee: str, purpose: str, where: str, host: str, client: str = ""
    ) -> Flow:
        """A market certificate in front; with `client`, one of the organisations' opposite.

        What a real neighbour shows and trusts is for its own people to say.
        """
        name = _HTTPS_NEIGHBOURS.get(callee, "")
        tap, given = self._bed.taps.get(name), self._bed.profile.papers_of(name)
        if tap is not None:
            where = authority(tap.host, tap.port)
        if name and not self._bed.profile.neighbours.of(name).simulated and not (tap and given):
            return Flow(
                caller=caller, callee=callee, purpose=purpose, address=_authority(where),
                protocol="HTTPS", tls=_MUTUAL if client else _SERVER, server_certificate=_ITS_OWN,
                client_trusts=_ITS_OWN, client_certificate=client and _ITS_OWN,
                server_trusts=client and _ITS_OWN,
            )  # fmt: skip
        if tap is not None:
            host = self._bed.profile.neighbours.of(name).host
        product = host in (self._names.source, self._names.consumer)
        own = product and bool(self._own.server_authorities)
        return Flow(
            caller=caller,
            callee=callee,
            purpose=purpose,
            address=_authority(where),
            protocol="HTTPS",
            tls=_MUTUAL if client else _SERVER,
            server_certificate=_PRODUCT_S
            if own
            else self._bed.papers.servers[host].certificate.name,
            client_trusts=_ITS_AUTHORITIES if own else _MARKET,
            client_certificate=client,
            server_trusts=_ITS_AUTHORITIES if client == _PRODUCT_S else _IGC if client else "",
        )

    def _client(self, name: str) -> str:
        if getattr(self._own, name.replace("-", "_"), ""):
            return _PRODUCT_S
        return self._bed.papers.clients[name].certificate.name


def _admin(box: str, address: str) -> Flow:
    return Flow(
        caller="banc", callee=box, purpose="alertes et traces (facultatif)",
        address=address, protocol="HTTP", tls=_CLEAR,
    )  # fmt: skip


def _where(box: SourceBox | ConsumerBox, name: str) -> str:
    address: str = getattr(box, name)
    if address:
        return address
    port = box.ports.get(name, 0)
    return f"127.0.0.1:{port}" if port else _TO_GIVE


def _joined(address: tuple[str, int]) -> str:
    return authority(*address)


def _authority(where: str) -> str:
    return urlsplit(where).netloc if "://" in where else where


def _values(flow: Flow) -> list[str]:
    return [str(getattr(flow, one.name)) for one in fields(Flow)]


def as_markdown(rows: Iterable[Flow]) -> str:
    """The matrix as a table."""
    titles = [_COLUMNS[one.name] for one in fields(Flow)]
    lines = [titles, ["---"] * len(titles), *map(_values, rows)]
    written = "\n".join(f"| {' | '.join(cell or '—' for cell in line)} |" for line in lines)
    return (
        "# Matrice des flux\n\n"
        "Une ligne par sorte de connexion, celui qui l'ouvre d'abord. Les certificats et les clés "
        "sont dans le dossier `[world] pki` du profil. Les autorités de `confiance/` y sont "
        "en PEM, en PKCS#12 et en JKS.\n\n"
        f"{written}\n"
    )


def as_csv(rows: Iterable[Flow]) -> str:
    """The matrix as CSV, `;` between cells: what French spreadsheets open. No cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([_COLUMNS[one.name] for one in fields(Flow)])
    writer.writerows([_plain(cell) for cell in _values(row)] for row in rows)
    return text.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def write(rows: Iterable[Flow], directory: Path) -> tuple[Path, Path]:
    """Both forms, as `flux.md` and `flux.csv`.

    Raises:
        OSError: the folder cannot be written.
    """
    kept = list(rows)
    page, sheet = directory / "flux.md", directory / "flux.csv"
    page.write_text(as_markdown(kept), encoding="utf-8")
    # With a byte order mark, without which Excel reads another encoding.
    sheet.write_text(as_csv(kept), encoding="utf-8-sig", newline="")
    return page, sheet
