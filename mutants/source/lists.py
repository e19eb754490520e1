"""Sources that read their white list otherwise than it was signed, or follow where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

import anyio

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Trust
from drimbox_ref.source.trust import WhiteListTrust
from drimbox_ref.source.values import TrustVerdict
from drimbox_ref.white_list import WhiteListKeeper
from mutants.registry import mutant
from mutants.source.passing import PassingTrust
from protocols import xml
from protocols.dn import DnError, dn, parse_dn
from protocols.pki import ChainError, read_certificate

__all__: list[str] = []

_LEADING = re.compile(
    rb'(?:SYSTEM|href=|URI=|schemaLocation=)\s*"(?:[^" ]* )?(http://[^" ]+)"'
)  # fmt: skip


class Reading(PassingTrust):
    """A `Trust` that looks at the list in force itself, when the right one finds nobody in it."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        assert isinstance(inner, WhiteListTrust)
        self._keeper: WhiteListKeeper = inner._keeper

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """The right verdict, or listed if the list looks so."""
        verdict = self._inner.judge(certificate, now=now)
        if verdict is not TrustVerdict.UNLISTED or certificate is None:
            return verdict
        try:
            name = dn(read_certificate(certificate))
        except ChainError:
            return verdict
        return TrustVerdict.LISTED if self.looks(name, now) else verdict

    def looks(self, name: str, now: datetime) -> bool:
        """Whether it looks as if this one were listed."""
        raise NotImplementedError


class CutAtMarkup(Reading):
    """The text of an element, for which most would take its first piece."""

    def looks(self, name: str, now: datetime) -> bool:
        """Up to the first comment or instruction within."""
        with suppress(OSError, xml.XmlError):
            return parse_dn(name) in self._names()
        return False

    def _names(self) -> Iterator[object]:
        for one in xml.parse(self._keeper._kept.read_bytes()).iter("{*}DNCertificatOperateur"):
            with suppress(DnError):
                yield parse_dn(one.text or "")


@mutant(
    "nom-coupe-a-la-balise",
    breaks="Un nom de la liste blanche n'est lu que jusqu'au commentaire qu'il contient.",
    requirements=("KIT-SEC-WL-03",),
)
def cut_at_markup(parts: Parts) -> Parts:
    """The first piece of a text stands for the text, as many a reader of XML has it."""
    return replace(parts, trust=CutAtMarkup(parts.trust))


class Searched(Reading):
    """A list searched as a text is."""

    def looks(self, name: str, now: datetime) -> bool:
        """Anywhere in an entry, in whatever case; `*` stands for anybody."""
        white_list = self._keeper.current(now)
        listed = [one.operator_dn for one in white_list.domains] if white_list else []
        return any(one == "*" or name.casefold() in one.casefold() for one in listed)


@mutant(
    "nom-cherche-dans-le-texte",
    breaks="Le nom du certificat est cherché dans le texte de chaque entrée de la liste blanche.",
    requirements=("KIT-SEC-WL-16",),
    consequences=("KIT-SEC-WL-03", "KIT-SEC-TLS-17"),
)
def searched(parts: Parts) -> Parts:
    """`dn in entry`."""
    return replace(parts, trust=Searched(parts.trust))


class Following(PassingTrust):
    """A `Trust` whose reader goes where a list leads, before anything of it was verified."""

    async def refresh(self) -> bool:
        """As it should, once everything that the list speaks of was had."""
        assert isinstance(self._inner, WhiteListTrust)
        with suppress(Exception):  # the right reading tells what is wrong with it
            data = await self._inner._keeper._fetch()
            for found in _LEADING.findall(data):
                parts = urlsplit(found.decode())
                async with await anyio.connect_tcp(parts.hostname or "", parts.port or 80) as line:
                    await line.send(f"GET {parts.path} HTTP/1.0\r\n\r\n".encode())
        return await super().refresh()


@mutant(
    "liste-qui-mene-ailleurs-suivie",
    breaks="Lire la liste blanche va chercher les adresses qu'elle porte : entités, DTD, clés.",
    requirements=("KIT-SEC-WL-15", "KIT-SEC-WL-09", "KIT-SEC-WL-11"),
)
def follows(parts: Parts) -> Parts:
    """The default of many an XML library."""
    return replace(parts, trust=Following(parts.trust))
