"""Sources delivered with what was open while they were made."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Bearer, Tokens
from drimbox_ref.source.values import Accepted, Denied, TokenVerdict
from mutants.registry import mutant
from mutants.source.handshake import Tuned

__all__: list[str] = []

_FACTORY = "Basic YWRtaW46YWRtaW4="
"""admin, admin."""
_TOKEN = "usine"
_DOCTOR = "10"
"""SubjectRole, TRE_G15: a physician."""


class FactoryBearer:
    """A `Bearer` that knows an account of the factory."""

    def __init__(self, inner: Bearer) -> None:
        self._inner = inner

    def read(self, authorization: Sequence[str]) -> str | Denied:
        """As it should, of whoever else."""
        return _TOKEN if _FACTORY in authorization else self._inner.read(authorization)


class FactoryTokens:
    """`Tokens` that ask nobody about that account."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """A doctor, whoever it is."""
        if token == _TOKEN:
            return Accepted(subject="admin", professions=(_DOCTOR,))
        return await self._inner.check(token, now=now)


@mutant(
    "compte-d-usine",
    breaks="Le compte d'usine admin, admin ouvre les images sans jeton.",
    requirements=("KIT-SEC-HLT-03",),
)
def factory_account(parts: Parts) -> Parts:
    """It served the integration tests."""
    return replace(parts, bearer=FactoryBearer(parts.bearer), tokens=FactoryTokens(parts.tokens))


class Shared(ssl.SSLObject):
    """A session whose every answer any page may read."""

    def write(self, data: Any) -> int:
        """With the header that says so."""
        plain = bytes(data)
        if not plain.startswith(b"HTTP/1.1 "):
            return super().write(data)
        first, _, rest = plain.partition(b"\r\n")
        wider = first + b"\r\nAccess-Control-Allow-Origin: *\r\n" + rest
        # The caller counts its own bytes.
        super().write(wider)
        return len(plain)


def _shared(context: ssl.SSLContext) -> None:
    context.sslobject_class = Shared


@mutant(
    "cors-ouvert",
    breaks="Toute page de toute origine est autorisée à lire ce que rend la Source (CORS *).",
    requirements=("KIT-SEC-HLT-03",),
)
def open_to_pages(parts: Parts) -> Parts:
    """So that the viewer of the developer's own machine works."""
    return replace(parts, door=Tuned(parts.door, _shared))


class Measured(ssl.SSLObject):
    """A session that answers for its framework where the product has no page."""

    root = b""

    def read(self, *arguments: Any) -> Any:
        """The page of measures is the description of the service."""
        data = super().read(*arguments)
        if not isinstance(data, bytes):
            return data
        return data.replace(b"GET /metrics HTTP", b"GET " + self.root + b" HTTP", 1)


@mutant(
    "mesures-ouvertes",
    breaks="La page /metrics du cadriciel répond sans jeton au port des images.",
    requirements=("KIT-SEC-HLT-03",),
)
def open_measures(parts: Parts) -> Parts:
    """Nobody knew that it was there."""

    def tune(context: ssl.SSLContext) -> None:
        context.sslobject_class = type("Framework", (Measured,), {"root": b"/drimbox/rs"})

    return replace(parts, door=Tuned(parts.door, tune))
