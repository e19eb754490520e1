"""Requests to the DMP on a professional's behalf: the structure's certificate, the API token.

An API token that the DMP refuses is replaced once: it may have been revoked before its time.
"""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from drimbox_ref.consumer.values import Behalf
from drimbox_ref.dmp import Answer, DmpChannel, TokenRefused

__all__ = ["BehalfChannel"]


class BehalfChannel:
    """A DMP channel that speaks for somebody."""

    def __init__(self, channel: DmpChannel) -> None:
        self._channel = channel

    async def call(
        self,
        service: str,
        action: str,
        element: etree._Element,
        *,
        behalf: Behalf,
        assertion: etree._Element,
        transaction: str,
        detail: str = "",
    ) -> Answer:
        """What the DMP answers to one request.

        Raises:
            Rejected, PeerUnavailable: as `DmpChannel.call`, or no token is to be had.
        """

        async def attempt(bearer: str) -> Answer:
            # An element belongs to one envelope, and there may be a second attempt.
            return await self._channel.call(
                service,
                action,
                deepcopy(element) if bearer else element,
                credentials=behalf.credentials,
                assertion=deepcopy(assertion) if bearer else assertion,
                transaction=transaction,
                detail=detail,
                bearer=bearer,
            )

        token = await behalf.authorization.token()
        try:
            return await attempt(token)
        except TokenRefused:
            return await attempt(await behalf.authorization.replace(token))
