"""Consumers that ask Sources wrongly: trust, tokens, certificates, headers, levels, syntaxes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.files import read_head
from drimbox_ref.consumer.images import WadoImages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import ApiTokens, Clock, Images, LocalPacs, Manifests, Tokens, Trust
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import (
    Authorization,
    Exam,
    ExportFailed,
    Failure,
    Received,
    Situation,
    TrustVerdict,
    Use,
)
from drimbox_ref.credentials import Credentials
from mutants.consumer.passing import Asked, PassingImages
from mutants.registry import mutant
from protocols.dicom import read_values
from protocols.ebrim import DocumentEntry
from spec.wado import LOSSLESS_PROFILE, LOSSY_PROFILE
from wire.http_client import HttpClient, StreamedResponse
from wire.tls import ClientTls

__all__: list[str] = []

_PATIENT_NAME, _ROWS = 0x00100010, 0x00280010
_PIXELS = (_ROWS,)
_JPEG_2000 = "1.2.840.10008.1.2.4.91"


# Whom to ask -----------------------------------------------------------------------------------


class Trusting:
    """A `Trust` for which every host is on the list."""

    def __init__(self, inner: Trust) -> None:
        self._inner = inner

    async def refresh(self) -> bool:
        """As it should."""
        return await self._inner.refresh()

    def judge(self, host: str, *, now: datetime) -> TrustVerdict:
        """Listed, always."""
        return TrustVerdict.LISTED


@mutant(
    "source-non-verifiee",
    breaks="L'hôte de RetrieveURL n'est pas cherché dans la liste blanche.",
    requirements=("KIT-LISTE-BLANCHE",),
    role="consumer",
)
def any_source(parts: Parts) -> Parts:
    """A KOS decides where the token goes."""
    return replace(parts, trust=Trusting(parts.trust))


class CheckedAfterwards(PassingImages):
    """`Images` that are refused to an unlisted Source once it has given them."""

    def __init__(self, inner: Images, trust: Trust, clock: Clock) -> None:
        super().__init__(inner)
        self._trust = trust
        self._clock = clock

    async def fetch(self, asked: Asked) -> None:
        """The images, then the list."""
        await super().fetch(asked)
        host = address_of(asked.exam, asked.series).host
        if self._trust.judge(host, now=self._clock.now()) is not TrustVerdict.LISTED:
            raise ExportFailed(Failure.UNTRUSTED, f"{host} n'est pas dans la liste blanche.")


@mutant(
    "source-verifiee-apres",
    breaks="La liste blanche n'est consultée qu'après l'envoi du jeton à la Source.",
    requirements=("KIT-LISTE-BLANCHE",),
    role="consumer",
)
def source_checked_afterwards(parts: Parts) -> Parts:
    """The export fails as it should, the token is gone all the same."""
    return replace(
        parts,
        trust=Trusting(parts.trust),
        images=CheckedAfterwards(parts.images, parts.trust, parts.clock),
    )


class OnlyListed:
    """`Manifests` without the series that an unlisted Source holds."""

    def __init__(self, inner: Manifests, trust: Trust, clock: Clock) -> None:
        self._inner = inner
        self._trust = trust
        self._clock = clock

    def read(self, entry: DocumentEntry, data: bytes) -> Exam:
        """What is left of the exam."""
        exam = self._inner.read(entry, data)
        now = self._clock.now()
        return replace(
            exam,
            series=tuple(
                one
                for one in exam.series
                if self._trust.judge(address_of(exam, one).host, now=now) is TrustVerdict.LISTED
            ),
        )


class NothingIsWell:
    """A `LocalPacs` that has stored nothing when there is nothing to store."""

    def __init__(self, inner: LocalPacs) -> None:
        self._inner = inner

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """As it should, but of no image."""
        if images:
            self._inner.store(images, load, stored, to=to)


@mutant(
    "echec-tu",
    breaks="Un export que la liste blanche interdit est dit terminé, sans une image.",
    requirements=("DB.VI-CO.27",),
    role="consumer",
)
def failure_unsaid(parts: Parts) -> Parts:
    """No token is sent, and nobody knows why there is nothing."""
    return replace(
        parts,
        manifests=OnlyListed(parts.manifests, parts.trust, parts.clock),
        pacs=NothingIsWell(parts.pacs),
    )


# With what -------------------------------------------------------------------------------------


@mutant(
    "sans-certificat-client",
    breaks="La Source est appelée sans certificat client.",
    requirements=("DB.VI-CO.13",),
    consequences=(
        "DB.CO.60",
        "DB.CO.57",
        "DB.CO.73",
    ),
    role="consumer",
)
def without_certificate(parts: Parts) -> Parts:
    """Plain TLS: no Source answers, nothing is ever exported."""
    assert parts.network.tls is not None
    network = HttpClient(
        actor="consumer",
        tls=ClientTls(parts.network.tls.trust),
        connect_to=parts.network.connect_to,
    )
    return replace(parts, network=network, images=WadoImages(network))


class IdToken:
    """`Tokens` that hand out the ID token for the access token."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def access(self, login: Login) -> str:
        """Who logged in, instead of what was granted."""
        await self._inner.access(login)
        return login.grant.id_token

    async def replace(self, login: Login, refused: str) -> str:
        """The same again."""
        return await self.access(login)


class AskedWith:
    """`ApiTokens` exchanged for the tokens of its own: what is wrong elsewhere starves no DMP."""

    def __init__(self, inner: ApiTokens, tokens: Tokens) -> None:
        self._inner = inner
        self._tokens = tokens

    def authorize(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> Authorization:
        """The tokens of that login, whatever the box hands out to Sources."""
        return self._inner.authorize(login, situation, credentials, self._tokens)

    async def close(self) -> None:
        """Close every connection."""
        await self._inner.close()


@mutant(
    "jeton-d-identite",
    breaks="Le jeton d'identité est envoyé à la Source à la place du jeton d'accès.",
    requirements=("DB.VI-CO.14",),
    consequences=("DB.CO.60",),
    role="consumer",
)
def identity_token_sent(parts: Parts) -> Parts:
    """It is well signed, and no Source accepts it."""
    return replace(parts, tokens=IdToken(parts.tokens), api=AskedWith(parts.api, parts.tokens))


class NeverRenewed:
    """`Tokens` that are used until they are refused."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def access(self, login: Login) -> str:
        """The token of the login, however little it has left."""
        return login.grant.access_token

    async def replace(self, login: Login, refused: str) -> str:
        """As it should."""
        return await self._inner.replace(login, refused)


@mutant(
    "jeton-non-renouvele",
    breaks="Un jeton d'accès qui va expirer n'est pas renouvelé.",
    requirements=("DB.CO.65",),
    role="consumer",
)
def token_never_renewed(parts: Parts) -> Parts:
    """Whether it still lives when it arrives is luck."""
    return replace(parts, tokens=NeverRenewed(parts.tokens))


class WrongKos(PassingImages):
    """`Images` asked for under another identifier than that of the KOS."""

    async def fetch(self, asked: Asked) -> None:
        """As if the study were its own KOS."""
        named = replace(asked.exam, kos_uid=asked.exam.study_uid)
        await super().fetch(replace(asked, exam=named))


@mutant(
    "kos-mal-nomme",
    breaks="KOS-SOPInstanceUID porte l'identifiant de l'examen, non celui du KOS.",
    requirements=("DB.VI-CO.14",),
    consequences=(
        "DB.CO.60",
        "DB.CO.57",
    ),
    role="consumer",
)
def wrong_kos(parts: Parts) -> Parts:
    """The Source knows no such KOS."""
    return replace(parts, images=WrongKos(parts.images))


# What to ask for -------------------------------------------------------------------------------


class Rewriting(HttpClient):
    """The right client's settings, each request changed before it leaves.

    `change` has the URL and the headers, which it may alter, and returns the URL.
    """

    def __init__(self, right: HttpClient, change: Callable[[str, dict[str, str]], str]) -> None:
        super().__init__(actor="consumer", tls=right.tls, connect_to=right.connect_to)
        self._change = change

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        content: bytes | AsyncIterator[bytes] = b"",
        transaction: str = "",
        detail: str = "",
        keys: Iterable[str] = (),
        peer: str = "",
    ) -> AsyncIterator[StreamedResponse]:
        """The request as changed."""
        changed = dict(headers)
        url = self._change(url, changed)
        async with super().stream(
            method,
            url,
            headers=changed,
            content=content,
            transaction=transaction,
            detail=detail,
            keys=keys,
            peer=peer,
        ) as answer:
            yield answer


class Sifted(PassingImages):
    """`Images` of which those of other series are dropped as they come."""

    async def fetch(self, asked: Asked) -> None:
        """The images of the series among those that come."""

        def sift(image: Received) -> None:
            if image.sop_instance in asked.series.instances:
                asked.accept(image)

        await super().fetch(replace(asked, accept=sift))


@mutant(
    "examen-entier-demande",
    breaks="Chaque demande WADO-RS porte sur tout l'examen, non sur une série.",
    requirements=("DB.VI-CO.11",),
    consequences=(
        "DB.CO.57",
        "DB.CO.60",
        "DB.CO.73",
        "DB.CO.74",
    ),
    role="consumer",
)
def whole_study(parts: Parts) -> Parts:
    """The exam comes as many times as it has series; what is stored is right."""
    network = Rewriting(parts.network, lambda url, headers: url.rpartition("/series/")[0])
    return replace(parts, network=network, images=Sifted(WadoImages(network)))


@mutant(
    "syntaxe-oubliee",
    breaks="JPEG 2000 manque aux syntaxes de transfert demandées.",
    requirements=("DB.CS.83",),
    consequences=(
        "DB.CO.57",
        "DB.CO.73",
    ),
    role="consumer",
)
def syntax_left_out(parts: Parts) -> Parts:
    """Nine of the ten."""
    profile = tuple(one for one in LOSSLESS_PROFILE if one[0] != _JPEG_2000)
    return replace(parts, images=WadoImages(parts.network, profiles=dict.fromkeys(Use, profile)))


@mutant(
    "perte-preferee",
    breaks="L'export demande de préférence une syntaxe avec perte.",
    requirements=("DB.CO.74",),
    role="consumer",
)
def lossy_export(parts: Parts) -> Parts:
    """The profile of a viewer."""
    return replace(
        parts, images=WadoImages(parts.network, profiles=dict.fromkeys(Use, LOSSY_PROFILE))
    )


@mutant(
    "sans-facteur-q",
    breaks="Les syntaxes de transfert sont demandées sans facteur q.",
    requirements=("DB.CO.84",),
    consequences=("DB.CO.57",),
    role="consumer",
)
def without_q(parts: Parts) -> Parts:
    """Ten syntaxes, all the same to the Consumer."""

    def change(url: str, headers: dict[str, str]) -> str:
        headers["Accept"] = re.sub(r";\s*q=[0-9.]+", "", headers["Accept"])
        return url

    network = Rewriting(parts.network, change)
    return replace(parts, network=network, images=WadoImages(network))


# What comes ------------------------------------------------------------------------------------


@mutant(
    "fichier-lu-a-moitie",
    breaks="Seul le début d'un fichier reçu est lu : coupé ou mal fermé, il part au PACS local.",
    requirements=("KIT-SEC-DIC-07",),
    role="consumer",
)
def half_read(parts: Parts) -> Parts:
    """UIDs are in the beginning, and nothing else is looked at."""
    return replace(parts, images=WadoImages(parts.network, check=lambda _: None))


_EXPORTED_LATER = ("DB.CO.60", "DB.CO.73", "DB.CO.74", "DB.CO.77")
"""What no scenario sees of a box that has fallen: it stays so until it is started again."""


class Decoding(PassingImages):
    """`Images` that hold in this very process a decoder that falls once for all."""

    def __init__(self, inner: Images) -> None:
        super().__init__(inner)
        self._fallen = False

    async def fetch(self, asked: Asked) -> None:
        """As it should, as long as pixels are what is said of them."""

        def accept(one: Received) -> None:
            values = _texts(one, _PIXELS)
            self._fallen = self._fallen or values.get(_ROWS) == b"\xff\xff"
            if self._fallen:
                raise ExportFailed(Failure.RETRIEVAL, "Le décodeur ne répond plus.")
            asked.accept(one)

        await super().fetch(replace(asked, accept=accept))


@mutant(
    "decodeur-tombe-pour-tous",
    breaks="Une image dont les dimensions mentent arrête tous les exports qui suivent.",
    requirements=("KIT-SEC-DIC-08",),
    consequences=("KIT-SEC-DIC-07", "KIT-SEC-DIC-09", *_EXPORTED_LATER),
    role="consumer",
)
def decoder_falls(parts: Parts) -> Parts:
    """One process for the decoder and for everybody."""
    return replace(parts, images=Decoding(parts.images))


class Reading(PassingImages):
    """`Images` whose reader of names falls once for all on one that it cannot decode."""

    def __init__(self, inner: Images) -> None:
        super().__init__(inner)
        self._fallen = False

    async def fetch(self, asked: Asked) -> None:
        """As it should, of people whose name is of letters."""

        def accept(one: Received) -> None:
            name = _texts(one, (_PATIENT_NAME,)).get(_PATIENT_NAME, b"")
            self._fallen = self._fallen or b"\x1b" in name
            if self._fallen:
                raise ExportFailed(Failure.RETRIEVAL, "Le nom ne se lit pas.")
            asked.accept(one)

        await super().fetch(replace(asked, accept=accept))


def _texts(one: Received, tags: tuple[int, ...]) -> dict[int, bytes]:
    head = read_head(one.path, upto=max(tags))
    return read_values(head.dataset, transfer_syntax=head.transfer_syntax, tags=tags)


@mutant(
    "nom-illisible-pour-tous",
    breaks="Un nom aux échappements ISO 2022 bancals arrête tous les exports qui suivent.",
    requirements=("KIT-SEC-DIC-09",),
    consequences=("KIT-SEC-DIC-07", *_EXPORTED_LATER),
    role="consumer",
)
def unreadable_name_for_all(parts: Parts) -> Parts:
    """A converter that keeps its state from one patient to the next."""
    return replace(parts, images=Reading(parts.images))
