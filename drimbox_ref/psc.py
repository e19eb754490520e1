"""Pro Santé Connect as a DRIMbox reaches it: its endpoints, and JSON answers of bounded size.

Réf.: PSC discovery document `wallet-openid-configuration`, grade: sample; OpenID Connect
Discovery 1.0 section 4.3 (the issuer must be the one asked), grade: standard.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from spec.psc import DISCOVERY
from wire.http_client import HttpClient, HttpFailure

__all__ = ["PscChannel", "PscUnavailable"]

_LIMIT = 256 * 1024
"""Bytes of one answer: a hundred times what PSC sends."""


class PscUnavailable(Exception):
    """PSC gave no usable answer."""


class PscChannel:
    """Calls PSC with the box's own ORG AUTH_CLI.

    `deadline_s`: seconds after which an answer that still comes, however little, is given up.
    """

    def __init__(self, issuer: str, *, client: HttpClient, deadline_s: float = 10) -> None:
        self.issuer = issuer
        self.client = client
        self._deadline_s = deadline_s
        self._document: Mapping[str, Any] | None = None

    async def endpoint(self, name: str) -> str:
        """An https endpoint of the discovery document, asked for until it is known to be good.

        Raises:
            PscUnavailable: no document of this issuer, or without that endpoint.
        """
        value = (await self._discovered()).get(name)
        if not isinstance(value, str) or not value.startswith("https://"):
            raise PscUnavailable(f"{name} absent du document de découverte")
        return value

    async def promises(self, name: str) -> bool:
        """Whether the discovery document says true of that feature.

        Raises:
            PscUnavailable: no document of this issuer.
        """
        return (await self._discovered()).get(name) is True

    async def _discovered(self) -> Mapping[str, Any]:
        document = self._document
        if document is None:
            status, document = await self.json(
                "GET", self.issuer + DISCOVERY, transaction="PSC-discovery"
            )
            if status != 200 or document.get("issuer") != self.issuer:
                raise PscUnavailable("document de découverte inutilisable")
            self._document = document
        return document

    async def raw(
        self,
        method: str,
        url: str,
        *,
        transaction: str,
        headers: tuple[tuple[str, str], ...] = (),
        content: bytes = b"",
    ) -> tuple[int, bytes]:
        """Status and body of an answer.

        Raises:
            PscUnavailable: no answer, a cut one, or one beyond any reason.
        """
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                self.client.stream(
                    method,
                    url,
                    headers=headers,
                    content=content,
                    transaction=transaction,
                    peer="psc",
                ) as answer,
            ):
                async for chunk in answer.aiter():
                    body += chunk
                    if len(body) > _LIMIT:
                        raise PscUnavailable("réponse démesurée")
        except HttpFailure as error:
            raise PscUnavailable(str(error)) from error
        except TimeoutError as error:
            raise PscUnavailable("réponse sans fin") from error
        return answer.status, bytes(body)

    async def json(
        self,
        method: str,
        url: str,
        *,
        transaction: str,
        headers: tuple[tuple[str, str], ...] = (),
        content: bytes = b"",
    ) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of an answer; {} for a 401 or 403, whose body may be anything.

        Raises:
            PscUnavailable: as `raw`, or a body that is not a JSON object.
        """
        status, body = await self.raw(
            method,
            url,
            transaction=transaction,
            headers=(("Accept", "application/json"), *headers),
            content=content,
        )
        if status in (401, 403):
            return status, {}
        try:
            # As text: `json` would else take a byte order mark, or UTF-16 (RFC 8259 8.1).
            value = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise PscUnavailable("réponse qui n'est pas du JSON") from error
        if not isinstance(value, dict):
            raise PscUnavailable("réponse qui n'est pas un objet JSON")
        return status, value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object none of whose members comes twice: which of the two would count?"""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("membre JSON en double")
    return value
