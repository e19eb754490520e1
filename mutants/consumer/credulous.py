"""Consumers that believe a Source: its certificate, its directions, whatever it returns."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from dataclasses import replace

from drimbox_ref.consumer.images import PROFILES, WadoImages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Images
from drimbox_ref.consumer.values import ExportFailed, Failure, Received, Series
from mutants.consumer.passing import Asked, PassingImages
from mutants.consumer.sources import Rewriting
from mutants.registry import mutant
from spec.dicom import IMPLICIT_VR_LITTLE_ENDIAN
from wire.http_client import HttpClient
from wire.http_transport import Transport

__all__: list[str] = []

_CT = "1.2.840.10008.5.1.4.1.1.2"


# Who answers -----------------------------------------------------------------------------------


def _network(parts: Parts, *, follow_redirects: bool = False) -> HttpClient:
    """Another client with the settings of the right one."""
    right = parts.network
    return HttpClient(
        actor="consumer",
        tls=right.tls,
        connect_to=right.connect_to,
        follow_redirects=follow_redirects,
    )


class Blind(HttpClient):
    """A client that looks at certificates less closely; `mode` is what is left of it."""

    def __init__(self, right: HttpClient, mode: ssl.VerifyMode) -> None:
        super().__init__(actor="consumer", tls=right.tls, connect_to=right.connect_to)
        transport = self._client._transport
        assert isinstance(transport, Transport)
        context = transport._context
        assert context is not None
        context.check_hostname = False
        context.verify_mode = mode


def _blind(parts: Parts, mode: ssl.VerifyMode) -> Parts:
    network = Blind(parts.network, mode)
    return replace(parts, network=network, images=WadoImages(network))


@mutant(
    "certificat-source-non-verifie",
    breaks="Le certificat que montre la Source n'est pas vérifié.",
    requirements=("DB.VI-CO.13",),
    role="consumer",
)
def any_certificate(parts: Parts) -> Parts:
    """Whoever answers gets the token."""
    return _blind(parts, ssl.CERT_NONE)


@mutant(
    "nom-source-non-verifie",
    breaks="Le certificat de la Source est vérifié, non le nom d'hôte qu'il porte.",
    requirements=("DB.VI-CO.13",),
    role="consumer",
)
def any_name(parts: Parts) -> Parts:
    """Whoever bought a certificate for a name of his own gets the token."""
    return _blind(parts, ssl.CERT_REQUIRED)


@mutant(
    "redirection-suivie",
    breaks="Une redirection de la Source est suivie où qu'elle mène.",
    requirements=("KIT-LISTE-BLANCHE",),
    role="consumer",
)
def redirects_followed(parts: Parts) -> Parts:
    """The white list was asked about the first host alone."""
    network = _network(parts, follow_redirects=True)
    return replace(parts, network=network, images=WadoImages(network))


# What is returned ------------------------------------------------------------------------------


class Believing(PassingImages):
    """`Images` of which `forgive` changes what is said of each one before it is looked at."""

    def __init__(self, inner: Images, forgive: Callable[[Received], Received]) -> None:
        super().__init__(inner)
        self._forgive = forgive

    async def fetch(self, asked: Asked) -> None:
        """What comes, as it is taken for."""
        await super().fetch(replace(asked, accept=lambda image: asked.accept(self._forgive(image))))


@mutant(
    "sop-class-non-verifiee",
    breaks="Un objet de SOP Class inconnue est rangé comme une image de scanner.",
    requirements=("DB.VI-CO.27",),
    role="consumer",
)
def any_sop_class(parts: Parts) -> Parts:
    """The PACS is told what it wants to hear."""
    images = Believing(parts.images, lambda image: replace(image, sop_class=_CT))
    return replace(parts, images=images)


@mutant(
    "syntaxe-non-verifiee",
    breaks="Une syntaxe de transfert qui n'a pas été demandée est acceptée.",
    requirements=("DB.VI-CO.27",),
    role="consumer",
)
def any_syntax(parts: Parts) -> Parts:
    """Nobody hears that the Source does not do what it is asked."""

    def unasked(url: str, headers: dict[str, str]) -> str:
        asked = headers["Accept"].split(", ")
        headers["Accept"] = ", ".join(
            one for one in asked if f"={IMPLICIT_VR_LITTLE_ENDIAN};" not in one
        )
        return url

    network = Rewriting(parts.network, unasked)
    taken = {use: (*one, (IMPLICIT_VR_LITTLE_ENDIAN, 0.1)) for use, one in PROFILES.items()}
    return replace(parts, network=network, images=WadoImages(network, profiles=taken))


class Content(PassingImages):
    """`Images` that make do with what came: the series is what the Source gave of it."""

    def __init__(self, inner: Images, *, broken: bool) -> None:
        super().__init__(inner)
        self._broken = broken
        """Even of an answer that was cut."""

    async def fetch(self, asked: Asked) -> None:
        """What came, whatever it lacks or adds."""
        series, came = asked.series, set[str]()

        def note(image: Received) -> None:
            came.add(image.sop_instance)
            _is(series, series.instances | came)
            asked.accept(image)

        try:
            await super().fetch(replace(asked, accept=note))
        except ExportFailed as error:
            if not self._broken or error.failure is not Failure.RETRIEVAL:
                raise
        _is(series, frozenset(came))


def _is(series: Series, instances: frozenset[str]) -> None:
    """The KOS is forgotten: frozen as it is, the series becomes what is said here."""
    object.__setattr__(series, "instances", instances)


@mutant(
    "serie-non-comparee",
    breaks="Ce que rend la Source n'est pas comparé à ce que le KOS référence.",
    requirements=("DB.CO.60",),
    role="consumer",
)
def series_not_compared(parts: Parts) -> Parts:
    """One image more, one less: the export is over and well."""
    return replace(parts, images=Content(parts.images, broken=False))


@mutant(
    "reponse-coupee-acceptee",
    breaks="Une réponse coupée ou illisible passe pour la fin de la série.",
    requirements=("DB.VI-CO.27",),
    consequences=("DB.CO.60",),
    role="consumer",
)
def broken_answer_accepted(parts: Parts) -> Parts:
    """What came before the end is all there is."""
    return replace(parts, images=Content(parts.images, broken=True))


class Vague(PassingImages):
    """`Images` whose every failure is a technical one."""

    async def fetch(self, asked: Asked) -> None:
        """As it should, but for what is said."""
        try:
            await super().fetch(asked)
        except ExportFailed as error:
            if error.failure is Failure.TOKEN:
                raise
            raise ExportFailed(
                Failure.RETRIEVAL, "Erreur de récupération : une erreur est survenue."
            ) from error


@mutant(
    "refus-confondus",
    breaks="La page dit d'une profession refusée qu'une erreur est survenue.",
    requirements=("DB.VI-CO.27",),
    role="consumer",
)
def refusals_confused(parts: Parts) -> Parts:
    """The radiologist calls the hotline."""
    return replace(parts, images=Vague(parts.images))


# How long, how much ----------------------------------------------------------------------------


class Boundless(PassingImages):
    """`Images` of any size: whatever comes goes onto the disk."""

    async def fetch(self, asked: Asked) -> None:
        """As it should, without a limit."""
        await super().fetch(replace(asked, limit=sys.maxsize))


@mutant(
    "taille-non-bornee",
    breaks="La réponse de la Source est prise quelle que soit sa taille.",
    requirements=("KIT-SOURCE-HOSTILE",),
    role="consumer",
)
def any_size(parts: Parts) -> Parts:
    """The disk is full before anybody is told."""
    return replace(parts, images=Boundless(parts.images))


class InTurn(PassingImages):
    """`Images` of one series at a time, whoever asks."""

    def __init__(self, inner: Images) -> None:
        super().__init__(inner)
        self._turn = asyncio.Lock()

    async def fetch(self, asked: Asked) -> None:
        """As it should, when its turn comes."""
        async with self._turn:
            await super().fetch(asked)


@mutant(
    "series-chacune-son-tour",
    breaks="Une série n'est demandée que lorsque la précédente est arrivée, à qui que ce soit.",
    requirements=("KIT-SOURCE-HOSTILE",),
    role="consumer",
)
def one_series_at_a_time(parts: Parts) -> Parts:
    """One slow Source, and everybody waits."""
    return replace(parts, images=InTurn(parts.images))
