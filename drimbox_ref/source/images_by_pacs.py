"""Each PACS asked for images in its own way: C-MOVE, C-GET or WADO-RS, as configured."""

from __future__ import annotations

from collections.abc import Sequence

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.config import Pacs
from drimbox_ref.source.get_images import GetImages
from drimbox_ref.source.images import DimseImages
from drimbox_ref.source.ports import Images, Retrieval
from drimbox_ref.source.storage import StorageReceiver
from drimbox_ref.source.values import Wanted
from drimbox_ref.source.web_images import WebImages

__all__ = ["ImagesByPacs"]


class ImagesByPacs:
    """`Images` of several PACSs."""

    def __init__(
        self,
        pacs: Sequence[Pacs],
        *,
        storage: StorageReceiver,
        ae_title: str,
        timeout_s: float,
        simultaneous: int,
    ) -> None:
        def those(way: str) -> list[Pacs]:
            return [one for one in pacs if one.retrieve == way]

        self._move = DimseImages(
            those("c-move"),
            storage=storage,
            ae_title=ae_title,
            timeout_s=timeout_s,
            simultaneous=simultaneous,
        )
        self._get = GetImages(
            those("c-get"), ae_title=ae_title, timeout_s=timeout_s, simultaneous=simultaneous
        )
        self._web = WebImages(those("wado-rs"), timeout_s=timeout_s)
        ways: dict[str, Images] = {"c-move": self._move, "c-get": self._get, "wado-rs": self._web}
        self._ways = {one.ae_title: ways[one.retrieve] for one in pacs}

    async def open(self, wanted: Wanted) -> Retrieval:
        """Begin a retrieval.

        Raises:
            PeerUnavailable: the PACS is no longer configured.
        """
        way = self._ways.get(wanted.pacs)
        if way is None:
            raise PeerUnavailable(f"PACS {wanted.pacs} inconnu de la configuration")
        return await way.open(wanted)

    async def close(self) -> None:
        """Wait for no one."""
        await self._move.close()
        await self._get.close()
        await self._web.close()
