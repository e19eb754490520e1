"""Consumers that take identity lightly: tokens of the DMP's API, sessions that PSC ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from lxml import etree

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import ApiTokens, Documents, Psc, Registry, Tokens
from drimbox_ref.consumer.sessions import Login
from drimbox_ref.consumer.values import Access, Authorization, Behalf, Document, Search, Situation
from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import Rejected
from drimbox_ref.psc_login import Ended
from mutants.registry import mutant
from protocols.ebrim import DocumentEntry

__all__: list[str] = []


class Forgetful:
    """An `ApiTokens` that keeps no token: each request to the DMP has an exchange of its own."""

    def __init__(self, inner: ApiTokens) -> None:
        self._inner = inner

    def authorize(
        self, login: Login, situation: Situation, credentials: Credentials, tokens: Tokens
    ) -> Authorization:
        """As it should, but nothing is remembered."""
        return _Forgotten(self._inner.authorize(login, situation, credentials, tokens), login)

    async def close(self) -> None:
        """Close every connection."""
        await self._inner.close()


class _Forgotten:
    def __init__(self, inner: Authorization, login: Login) -> None:
        self._inner = inner
        self._login = login

    async def token(self) -> str:
        self._login.api_tokens.clear()
        return await self._inner.token()

    async def replace(self, refused: str) -> str:
        return await self._inner.replace(refused)


@mutant(
    "jeton-psc-a-chaque-fois",
    breaks="Le jeton Pro Santé Connect est échangé à chaque demande au DMP, et non une fois.",
    requirements=("KIT-API-PSC",),
    role="consumer",
)
def exchanged_each_time(parts: Parts) -> Parts:
    """The PSC token, which lives two minutes, travels again and again."""
    return replace(parts, api=Forgetful(parts.api))


class Mute:
    """A `Registry` that says nothing of an exchange that was refused: as if there were no exam."""

    def __init__(self, inner: Registry) -> None:
        self._inner = inner

    async def access(self, behalf: Behalf, assertion: etree._Element, *, now: datetime) -> Access:
        """TD0.2, which opens whatever happened to the token."""
        if await _refused(behalf):
            return Access(granted=True)
        return await self._inner.access(behalf, assertion, now=now)

    async def find(
        self, behalf: Behalf, assertion: etree._Element, search: Search
    ) -> tuple[DocumentEntry, ...]:
        """TD3.1, of which nothing comes without a token."""
        if await _refused(behalf):
            return ()
        return await self._inner.find(behalf, assertion, search)

    async def fetch(self, behalf: Behalf, assertion: etree._Element, entry: DocumentEntry) -> bytes:
        """TD3.2."""
        return await self._inner.fetch(behalf, assertion, entry)


class MuteDocuments:
    """A `Documents` that finds nothing where an exchange was refused."""

    def __init__(self, inner: Documents) -> None:
        self._inner = inner

    async def find(self, behalf: Behalf, assertion: etree._Element) -> tuple[Document, ...]:
        """TD3.1: reports and requests."""
        return () if await _refused(behalf) else await self._inner.find(behalf, assertion)


async def _refused(behalf: Behalf) -> bool:
    try:
        await behalf.authorization.token()
    except Rejected:
        return True
    return False


@mutant(
    "echange-refuse-tu",
    breaks="Un échange de jeton refusé n'est pas dit : la page paraît simplement vide.",
    requirements=("KIT-API-PSC",),
    role="consumer",
)
def refused_in_silence(parts: Parts) -> Parts:
    """The radiologist believes that the patient has no exam."""
    return replace(parts, registry=Mute(parts.registry), documents=MuteDocuments(parts.documents))


class Deaf:
    """A `Psc` that understands logout tokens, and ends nobody's session."""

    def __init__(self, inner: Psc) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def ended(self, token: str) -> Ended:
        """The token is validated, and the session lost on the way."""
        await self._inner.ended(token)
        return Ended(subject="", session="aucune")


@mutant(
    "fin-de-session-ignoree",
    breaks="La fin de session annoncée par Pro Santé Connect est acceptée, et sans effet.",
    requirements=("KIT-FIN-SESSION",),
    role="consumer",
)
def logout_unheard(parts: Parts) -> Parts:
    """Whoever sits down at the workstation reads on."""
    return replace(parts, psc=Deaf(parts.psc))
