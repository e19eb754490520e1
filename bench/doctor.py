"""What keeps a product and the bench from meeting, found before any scenario, one step at a time.

Each check says who is at fault, and what to do: the box, the profile, the machine, the bench. A
check that an earlier fault makes vain is skipped, so that one cause gives one fault.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from bench.archives import MODALITY
from bench.bed import Bed
from bench.certificates import SHOWN
from bench.checks import Check, State, good, warned
from bench.doctor_listing import examine_listing
from bench.doctor_seen import examine_journal
from bench.doctor_world import Resolve, examine_world, machine_resolver
from protocols.dn import dn
from protocols.pki import ChainError, ChainFault, read_certificate, server_names, verify_chain
from simulators.igc import CredentialFiles
from simulators.peer import Retrieved
from validators.finding import Cause
from wire.dimse import DimseClient, DimseFailure, DimsePeer
from wire.exchange import ignore

__all__ = ["Check", "Given", "State", "examine"]

_TIMEOUT_S = 5.0
_CLOCK_FAULT = timedelta(seconds=60)
"""Beyond, a VIHF or a token is refused somewhere (the DMP's own window is not public)."""
_CLOCK_WARN = timedelta(seconds=5)
_SOON = timedelta(days=15)
_ROOT = "/drimbox/rs"
_HEAD = 16 * 1024
_TITLES = {"source.dicom": "source.ae_title", "source.store": "source.store_ae_title"}
_DATE = re.compile(rb"(?im)^date:[ \t]*([^\r\n]+)")


Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person gives to look at besides the profile."""

    white_list: Path | None = None
    """The list in which the product must be; the simulated one holds it always."""
    certificate: Path | None = None
    """What the product shows to other DRIMboxes: a Consumer is listed by it."""
    journal: Path | None = None
    """The folder of a past `serve`: whom the box has reached."""


def examine(
    bed: Bed,
    given: Given,
    *,
    clock: Clock | None = None,
    resolve: Resolve = machine_resolver,
) -> Iterator[Check]:
    """Every check on the boxes of a profile; the world of the bench stands.

    Args:
        clock: the bench's, by default the bed's; read when an answer comes.
        resolve: what this machine makes of a name.

    Raises:
        BenchError: a file that was given cannot be read.
    """
    now, profile = clock or bed.clock, bed.profile
    if "source" in bed.claimed and profile.external_source():
        yield from _source(bed, now)
    if "consumer" in bed.claimed and profile.external_consumer():
        yield from _consumer(bed, now)
    if not profile.external_source() and not profile.external_consumer():
        yield Check(
            name="adresses",
            state=State.SKIP,
            message="le banc lance lui-même les boîtes de ce profil : rien à joindre",
        )
    else:
        yield from examine_world(bed, resolve)
    yield from _own(bed, now())
    if given.journal is not None:
        yield from examine_journal(bed, given.journal)
    if given.white_list is not None:
        yield from examine_listing(bed, given.white_list, given.certificate)


def _source(bed: Bed, now: Clock) -> Iterator[Check]:
    source = bed.profile.source
    addresses = {
        f"source.{name}": address
        for name, address in (
            ("mllp", source.mllp), ("mllps", source.mllps), ("wado", source.wado),
            ("dicom", source.dicom), ("admin", source.admin), ("viewer", source.viewer),
            ("store", source.store if bed.native else ""),
            ("stow", _authority(source.stow) if bed.native else ""),
        )
        if address
    }  # fmt: skip
    open_, checks = _reach(addresses)
    yield from checks
    if "source.wado" in addresses:
        reachable = "source.wado" in open_
        certificate = _https("source.wado", source.wado, source.host, bed, now(), reachable)
        yield certificate
        yield _images(bed, proven=certificate.state in (State.GOOD, State.WARN))
        yield _clock(bed, now, reachable=reachable)
    if "source.dicom" in addresses:
        yield _entity("source.dicom", source.dicom, source.ae_title, bed.pacs.ae_title, open_)
    if "source.store" in addresses:
        title = source.store_ae_title
        yield _entity("source.store", source.store, title, MODALITY, open_)


def _consumer(bed: Bed, now: Clock) -> Iterator[Check]:
    consumer = bed.profile.consumer
    addresses = {"consumer.web": consumer.web}
    if consumer.admin:
        addresses["consumer.admin"] = consumer.admin
    open_, checks = _reach(addresses)
    yield from checks
    reachable = "consumer.web" in open_
    yield _https("consumer.web", consumer.web, consumer.host, bed, now(), reachable)


# Names and ports ------------------------------------------------------------------------------


def _reach(addresses: dict[str, str]) -> tuple[set[str], list[Check]]:
    """Which addresses answer. A silent one beside others that answer is the profile's mistake."""
    found = {name: _connect(address) for name, address in addresses.items()}
    open_ = {name for name, error in found.items() if error is None}
    return open_, [_reached(name, addresses[name], found[name], bool(open_)) for name in addresses]


def _connect(address: str) -> OSError | None:
    host, _, port = address.rpartition(":")
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S)):
            return None
    except OSError as error:
        return error


def _reached(name: str, address: str, error: OSError | None, others: bool) -> Check:
    title = f"{name} {address}"
    if error is None:
        return Check(name=title, state=State.GOOD, message="répond")
    if isinstance(error, socket.gaierror):
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.PROFILE,
            message="ce nom n'est connu d'aucun résolveur de cette machine",
            advice=f"écrire une adresse IP dans {name}, ou déclarer le nom (fichier hosts)",
        )
    if error.errno == errno.ECONNREFUSED and others:
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.PROFILE,
            message="rien n'écoute à ce port, alors que la boîte répond ailleurs",
            advice=f"corriger le port de {name}",
        )
    if error.errno == errno.ECONNREFUSED:
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.BOX,
            message="rien n'écoute à ce port",
            advice="démarrer la boîte, ou lui faire ouvrir ce port",
        )
    return Check(
        name=title,
        state=State.FAULT,
        cause=Cause.MACHINE,
        message=f"injoignable : {error.strerror or error}",
        advice="vérifier la route et le pare-feu entre cette machine et la boîte",
    )


# TLS ------------------------------------------------------------------------------------------


def _https(name: str, address: str, host: str, bed: Bed, at: datetime, reachable: bool) -> Check:
    title = f"{name} certificat de {host}"
    if not reachable:
        return Check(name=title, state=State.SKIP, message="injoignable")
    try:
        with _session(address, host) as session:
            der = session.getpeercert(binary_form=True)
    except OSError:
        der = None
    if der is None:
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.BOX,
            message="ce port ne parle pas TLS",
            advice="activer TLS 1.2 ou 1.3 sur ce port, ou corriger l'adresse",
        )
    return _certificate(title, der, host, bed, at)


@contextmanager
def _session(
    address: str, host: str, shown: CredentialFiles | None = None
) -> Iterator[ssl.SSLSocket]:
    """A session with whoever answers, whatever its certificate is worth: nothing secret is told.

    Raises:
        OSError: no connection, or no TLS.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    where, _, port = address.rpartition(":")
    with (
        closing(socket.create_connection((where.strip("[]"), int(port)), _TIMEOUT_S)) as raw,
        closing(context.wrap_socket(raw, server_hostname=host)) as session,
    ):
        yield session


def _certificate(title: str, shown: bytes, host: str, bed: Bed, at: datetime) -> Check:
    def fault(message: str, advice: str) -> Check:
        return Check(name=title, state=State.FAULT, cause=Cause.BOX, message=message, advice=advice)

    market = x509.load_pem_x509_certificates(bed.papers.server_trust.read_bytes())
    try:
        leaf = read_certificate(shown)
        verify_chain(leaf, market, [one for one in market if one.subject == one.issuer], at)
    except ChainError as error:
        if error.kind is ChainFault.EXPIRED:
            return fault(str(error), "renouveler le certificat du serveur")
        if error.kind is ChainFault.NOT_YET_VALID:
            return fault(str(error), "vérifier les dates du certificat et l'heure de la machine")
        return fault(
            str(error),
            "installer le certificat que « drimbench serve » a écrit, ou donner l'autorité de "
            "celui-ci ([certificates] server_authorities)",
        )
    if host not in server_names(leaf):
        return fault(
            f"le certificat nomme {', '.join(sorted(server_names(leaf))) or 'personne'}",
            f"un certificat pour {host}, ou un autre host dans le profil",
        )
    return _lasting(title, leaf, at, "renouveler le certificat du serveur")


def _lasting(title: str, leaf: x509.Certificate, at: datetime, advice: str) -> Check:
    left = leaf.not_valid_after_utc - at
    if left < _SOON:
        return warned(title, Cause.BOX, f"expire dans {left.days} jours", advice)
    return good(title, f"valable encore {left.days} jours")


def _own(bed: Bed, at: datetime) -> Iterator[Check]:
    """What the profile says that the product shows: read, in force and vouched for already."""
    given = bed.profile.certificates
    for key in SHOWN:
        if (leaf := given.shown(key)) is not None:
            yield _lasting(f"certificates.{key} {dn(leaf)}", leaf, at, "renouveler ce certificat")


# What a box answers ---------------------------------------------------------------------------


def _images(bed: Bed, *, proven: bool) -> Check:
    """The image service met with a certificate and without."""
    title = "source.wado TLS mutuel"
    if not proven:
        return Check(name=title, state=State.SKIP, message="le serveur n'est pas reconnu")
    source = bed.profile.source
    bed.connect_to[source.host] = source.wado
    url = f"https://{source.host}{_ROOT}"
    known = bed.call(bed.peer(bed.papers.clients["peer"]).capabilities, url)
    unknown = bed.call(bed.peer(None).capabilities, url)
    return _mutual(title, known, unknown)


def _mutual(title: str, known: Retrieved, unknown: Retrieved) -> Check:
    if known.status is None:
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.BOX,
            message=f"refuse une DRIMbox de la liste : {known.tls_reason or known.reason}",
            advice="faire confiance à l'IGC de test (confiance/igc.pem) pour les clients",
        )
    if not unknown.refused:
        return Check(
            name=title,
            state=State.WARN,
            cause=Cause.BOX,
            message="répond aussi à qui ne montre aucun certificat",
            advice="exiger un certificat client de l'IGC-Santé (DB.SO.98), hors de la seule sonde",
        )
    return Check(name=title, state=State.GOOD, message="certificat client exigé et reconnu")


def _clock(bed: Bed, now: Clock, *, reachable: bool) -> Check:
    """What time it is for the box: the Date of any answer, even a refusal (RFC 9110 6.6.1)."""
    title, source = "source horloge", bed.profile.source
    if not reachable:
        return Check(name=title, state=State.SKIP, message="injoignable")
    ask = f"OPTIONS {_ROOT} HTTP/1.1\r\nHost: {source.host}\r\nConnection: close\r\n\r\n"
    try:
        with _session(source.wado, source.host, bed.papers.clients["peer"]) as session:
            session.sendall(ask.encode("ascii"))
            head = session.recv(_HEAD)
        offset = _date(head) - now()
    except (OSError, ValueError):
        return Check(name=title, state=State.SKIP, message="aucune réponse datée")
    seconds = round(offset.total_seconds())
    if abs(offset) > _CLOCK_WARN:
        return Check(
            name=title,
            state=State.FAULT if abs(offset) > _CLOCK_FAULT else State.WARN,
            cause=Cause.BOX,
            message=f"décalée de {seconds} s",
            advice="synchroniser la boîte (NTP) : jetons et VIHF ont une durée de validité",
        )
    return Check(name=title, state=State.GOOD, message=f"à {abs(seconds)} s près")


def _date(head: bytes) -> datetime:
    """The Date of an HTTP answer.

    Raises:
        ValueError: it has none, or one that cannot be read.
    """
    found = _DATE.search(head)
    if found is None:
        raise ValueError("no Date")
    return parsedate_to_datetime(found[1].decode("latin-1")).astimezone(UTC)


def _authority(url: str) -> str:
    """`host:port` of a URL, "" of none."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    return f"{parts.hostname}:{port}" if parts.hostname else ""


def _entity(key: str, address: str, ae_title: str, caller: str, open_: Collection[str]) -> Check:
    """C-ECHO of `caller` to what `key` of the profile names."""
    title = f"{key} AE {ae_title}"
    if key not in open_:
        return Check(name=title, state=State.SKIP, message="injoignable")
    host, _, port = address.rpartition(":")
    client = DimseClient(caller, actor="docteur", observe=ignore, timeout=_TIMEOUT_S)
    try:
        client.echo(DimsePeer(host.strip("[]"), int(port), ae_title))
    except DimseFailure as error:
        wrong = "called ae title" in error.comment.lower()
        return Check(
            name=title,
            state=State.FAULT,
            cause=Cause.PROFILE if wrong else Cause.BOX,
            message=str(error),
            advice=f"corriger {_TITLES[key]}" if wrong else f"déclarer {caller} comme appelant",
        )
    return Check(name=title, state=State.GOOD, message="C-ECHO accepté")
