"""What a box will meet: the services of the world, at the addresses and under the names that it is
given, looked at as it will see them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
from cryptography import x509

from bench.bed import Bed
from bench.checks import Check, fault, good, skipped, warned
from bench.neighbours import TLS_NEIGHBOURS, Manner
from validators.finding import Cause
from wire.dimse import DimseClient, DimseFailure, DimsePeer
from wire.exchange import ignore
from wire.listening import authority

__all__ = ["Resolve", "examine_world", "machine_resolver"]

_TIMEOUT_S = 5.0

Resolve = Callable[[str], set[str]]
"""Name -> addresses; none when nobody knows it."""


def machine_resolver(host: str) -> set[str]:
    """What this machine makes of a name."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def examine_world(bed: Bed, resolve: Resolve = machine_resolver) -> Iterator[Check]:
    """Names, PSC, DMP, white list and archives, one check each."""
    if exposure := bed.profile.world.exposure:
        advice = "n'ouvrir ces ports qu'à la boîte (pare-feu)"
        yield warned("adresse du banc", Cause.BENCH, exposure, advice)
    yield from _names(bed, resolve)
    known = bed.addresses()
    yield from _crl(bed)
    yield _service("dmp", "DMP", known.dmp, bed)
    yield _service("psc", "Pro Santé Connect", known.psc_issuer, bed)
    if known.token_endpoint:
        yield _service("api_psc", "API PSC du DMP", known.token_endpoint, bed)
    if known.proxy:
        yield _service("proxy_esante", "Proxy e-santé", known.proxy, bed)
    yield _service("ans", "liste blanche", known.white_list, bed)
    if "source" in bed.claimed and not bed.native:
        calling = bed.profile.source.ae_title
        yield _archive("pacs", "PACS", DimsePeer(*known.pacs, known.pacs_ae), calling, bed)
    if "consumer" in bed.claimed:
        calling, called = bed.profile.consumer.ae_title, known.local_pacs_ae
        peer = DimsePeer(*known.local_pacs, called)
        yield _archive("local_pacs", "PACS local", peer, calling, bed)


def _names(bed: Bed, resolve: Resolve) -> Iterator[Check]:
    """Each name leads where the bench says, for whoever asks the bench, and for this machine."""
    world, places = bed.profile.world, bed.places()
    port = world.dns
    known, astray = set(), False
    for host, place in places.items():
        wanted, here = str(place.address), resolve(host)
        if port and (found := _asked(host, world.announced, port)) != {wanted}:
            astray = True
            yield fault(
                f"nom {host}",
                Cause.BENCH,
                f"le DNS du banc répond {_told(found)}, {wanted} attendu",
                "donner un autre port à [world] dns : quelqu'un d'autre répond à celui-là",
            )
        elif here and wanted not in here:
            astray = True
            yield fault(
                f"nom {host}",
                Cause.MACHINE,
                f"mène ici à {_told(here)}, alors que le banc est à {wanted}",
                "ôter ce nom du fichier hosts ou du résolveur, ou changer [world] domain",
            )
        elif here:
            known.add(host)
    if astray:
        return
    if port:
        at = authority(world.announced, port)
        yield good("noms", f"{len(places)} noms justes au DNS du banc, {at}")
    elif known == set(places):
        yield good("noms", f"{len(places)} noms connus de cette machine, et justes")
    else:
        yield skipped("noms", "la boîte a sa propre table : le banc n'a pas de DNS ([world] dns)")


def _crl(bed: Bed) -> Iterator[Check]:
    """Kept certificates say where their CRL is; the bench may have moved since."""
    served = urlsplit(bed.papers.pki.crl_url).netloc
    points = bed.papers.pki.igc_intermediate.extensions.get_extension_for_class(
        x509.CRLDistributionPoints
    ).value
    said = {urlsplit(name.value).netloc for one in points for name in one.full_name or ()}
    if said != {served}:
        message = f"les certificats gardés la disent à {_told(said)}, le banc la sert à {served}"
        advice = "vider le dossier [world] pki, puis configurer de nouveau la boîte"
        yield warned("CRL", Cause.PROFILE, message, advice)


def _asked(host: str, server: str, port: int) -> set[str]:
    stranger = dns.resolver.Resolver(configure=False)
    stranger.nameservers, stranger.port, stranger.lifetime = [server], port, _TIMEOUT_S
    try:
        # The addresses of both families, whichever the host has.
        return set(stranger.resolve_name(host).addresses())
    except dns.exception.DNSException:
        return set()


def _told(addresses: set[str]) -> str:
    return ", ".join(sorted(addresses)) or "rien"


def _service(key: str, name: str, url: str, bed: Bed) -> Check:
    """The server at its address, its certificate proven by the trust that the box is given."""
    real = key in TLS_NEIGHBOURS and not bed.profile.neighbours.of(key).simulated
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    known = authority(host, port)
    title = f"{name} {known}"
    where, _, door = bed.connect_to.get(known, known).rpartition(":")
    try:
        with (
            closing(socket.create_connection((where.strip("[]"), int(door)), _TIMEOUT_S)) as raw,
            closing(_trusting(key, bed).wrap_socket(raw, server_hostname=host)) as session,
        ):
            version = session.version()
    except ssl.SSLCertVerificationError as error:
        return fault(
            title,
            Cause.PROFILE if real else Cause.BENCH,
            f"certificat non reconnu : {error.verify_message}",
            f"donner ses autorités : [[papers]] neighbour = « {key} », trust"
            if real
            else "effacer ce certificat du dossier [world] pki : il sera refait",
        )
    except OSError as error:
        return _silent(title, f"ne répond pas : {error.strerror or error}", real=real)
    return good(title, f"répond en {version}, certificat reconnu")


def _trusting(key: str, bed: Bed) -> ssl.SSLContext:
    """What a box believes: the bench's authorities, those given for a real service, else those of
    the machine."""
    papers = bed.profile.papers_of(key)
    manner = Manner.SIMULATED  # that of a service which has no real one
    if key in TLS_NEIGHBOURS:
        manner = bed.profile.neighbours.of(key).manner
    if manner is Manner.SIMULATED or (papers and manner is Manner.TAPPED):
        context = ssl.create_default_context(cafile=str(bed.papers.market_trust))
        client = bed.papers.clients["peer"]
        context.load_cert_chain(client.certificate, client.key)
        return context
    return ssl.create_default_context(cafile=papers.trust if papers else None)


def _archive(key: str, name: str, peer: DimsePeer, calling: str, bed: Bed) -> Check:
    """C-ECHO as the box will call: under its own application entity title."""
    title = f"{name} AE {peer.ae_title}, appelé par {calling}"
    real = not bed.profile.neighbours.of(key).simulated
    client = DimseClient(calling, actor="docteur", observe=ignore, timeout=_TIMEOUT_S)
    try:
        client.echo(peer)
    except DimseFailure as error:
        if real and "called ae title" in error.comment.lower():
            advice = f"corriger le titre dans [neighbours] {key}"
            return fault(title, Cause.PROFILE, str(error), advice)
        if real and "calling ae title" in error.comment.lower():
            return fault(title, Cause.MACHINE, str(error), f"déclarer {calling} dans ce {name}")
        return _silent(title, str(error), real=real)
    return good(title, f"C-ECHO accepté à {authority(peer.host, peer.port)}")


def _silent(title: str, message: str, *, real: bool) -> Check:
    """Nobody there: a port of ours that somebody holds, or a site that cannot be reached."""
    if real:
        advice = "vérifier l'adresse dans [neighbours], la route et le pare-feu vers ce service"
        return fault(title, Cause.MACHINE, message, advice)
    advice = "arrêter ce qui tient ce port, ou en changer dans [world]"
    return fault(title, Cause.BENCH, message, advice)
