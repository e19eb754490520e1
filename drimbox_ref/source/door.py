"""The listener of the image service: a market certificate, mutual TLS with IGC-Santé clients."""

from __future__ import annotations

from drimbox_ref.source.config import Wado
from wire.tls import ServerTls

__all__ = ["MutualTls"]


class MutualTls:
    """A `Door` that opens to whoever shows a certificate of the pinned authority."""

    def __init__(self, wado: Wado) -> None:
        self._wado = wado

    def tls(self) -> ServerTls:
        """A handshake without certificate, or with one of another authority, is refused."""
        return ServerTls(
            certificate=self._wado.certificate,
            key=self._wado.key,
            client_ca=self._wado.client_ca,
            require="required",
        )
