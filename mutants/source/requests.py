"""Sources that a request nobody expects gets into, or stops."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Archive, Negotiator, Paths, Showcase, Tokens
from drimbox_ref.source.values import Denied, Representation, TokenVerdict
from mutants.registry import mutant
from protocols.dicomweb import Resource
from protocols.errors import RemoteProtocolError

__all__: list[str] = []


class Corrected:
    """`Paths` that make something of an address that is none."""

    def __init__(self, inner: Paths) -> None:
        self._inner = inner

    def read(self, path: str) -> Resource:
        """As it should, else what is left of the address once all that is in no UID is gone."""
        try:
            return self._inner.read(path)
        except RemoteProtocolError:
            study, _, series = unquote(path).partition("/series/")
            cleaned = re.sub(r"[^0-9.]|\.\.", "", series.partition("/")[0])
            below = f"/series/{cleaned}" if cleaned else ""
            return self._inner.read(study + below)


@mutant(
    "adresse-corrigee",
    breaks="Une adresse dont l'UID n'en est pas un est corrigée, et ce qu'elle devient est rendu.",
    requirements=("KIT-SEC-DIC-01",),
)
def address_corrected(parts: Parts) -> Parts:
    """A star is the whole exam."""
    return replace(parts, paths=Corrected(parts.paths))


class Talkative:
    """A `Showcase` that shows what is in the shop as well."""

    def __init__(self, inner: Showcase, archive: Archive) -> None:
        self._inner = inner
        self._archive = archive

    def describe(self, *, as_json: bool) -> tuple[str, bytes]:
        """The capabilities, and the latest exams."""
        kind, body = self._inner.describe(as_json=as_json)
        exams = [one.study_uid for one in self._archive.everything(100)]
        if as_json:
            return kind, json.dumps({**json.loads(body), "studies": exams}).encode()
        return kind, body + f"<!-- PACS : {', '.join(exams)} -->".encode()


@mutant(
    "capacites-bavardes",
    breaks="La description du service, que l'on lit sans jeton, nomme les examens publiés.",
    requirements=("KIT-SEC-DIC-05", "KIT-SEC-HLT-01"),
    # The bare root is one of the ways in.
    consequences=("KIT-SEC-HLT-02",),
)
def talkative_capabilities(parts: Parts) -> Parts:
    """Handy for who installs it."""
    return replace(parts, showcase=Talkative(parts.showcase, parts.archive))


class Strict:
    """A `Negotiator` that falls on what it cannot read."""

    def __init__(self, inner: Negotiator) -> None:
        self._inner = inner

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """As it should, of what it reads."""
        read = self._inner.read(resource, accept)
        if isinstance(read, Denied) and read.status == 400:
            raise LookupError(read.message)
        return read


@mutant(
    "accept-illisible-fatal",
    breaks="Un Accept qui ne se lit pas met la Source en erreur (500).",
    requirements=("KIT-SEC-DIC-04",),
)
def unreadable_accept_fatal(parts: Parts) -> Parts:
    """An exception that nobody catches."""
    return replace(parts, negotiator=Strict(parts.negotiator))


class Crowded:
    """`Tokens` that hold so many questions at once, and fall under one more."""

    _HELD = 12

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner
        self._asking = 0

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """As it should, for who came early."""
        if self._asking >= self._HELD:
            raise LookupError("too many")
        self._asking += 1
        try:
            return await self._inner.check(token, now=now)
        finally:
            self._asking -= 1


@mutant(
    "foule-fatale",
    breaks="Au-delà de douze demandes au même instant, la Source répond par une erreur (500).",
    requirements=("KIT-SEC-DIC-06",),
)
def crowd_fatal(parts: Parts) -> Parts:
    """A pool without a queue."""
    return replace(parts, tokens=Crowded(parts.tokens))
