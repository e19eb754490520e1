"""The errand to the DMP: whose certificates, which VIHF, then the registry."""

from __future__ import annotations

import asyncio

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import Rejected
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.values import Follow, Submission

__all__ = ["DmpDesk"]


class DmpDesk:
    """Makes each DMP transaction on behalf of somebody; a fresh VIHF each time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def submit(self, submission: Submission, follow: Follow) -> None:
        """TD2.1a, TD2.1b or TD3.3c.

        Raises:
            Rejected: refused, or no certificate for the structure any more.
            PeerUnavailable: see `Registry.submit`.
        """
        credentials, assertion = await self._identify(follow)
        await self._parts.registry.submit(submission, credentials=credentials, assertion=assertion)

    async def reference(self, unique_id: str, follow: Follow) -> str | None:
        """TD3.1b: the entryUUID of a document, None when the DMP has none. Raises as `submit`."""
        credentials, assertion = await self._identify(follow)
        return await self._parts.registry.reference(
            unique_id, credentials=credentials, assertion=assertion
        )

    async def _identify(self, follow: Follow) -> tuple[Credentials, etree._Element]:
        credentials = self._parts.directory.of(follow.structure)
        if credentials is None:
            raise Rejected(f"aucun certificat pour la structure {follow.structure}")
        assertion = await asyncio.to_thread(
            self._parts.vihf.assertion, follow, credentials, now=self._parts.clock.now()
        )
        return credentials, assertion
