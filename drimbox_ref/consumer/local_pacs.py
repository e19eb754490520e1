"""The local PACS: C-STORE of each image over one association to the chosen one (DB.CO.60).

Réf.: DICOM PS3.4 B.2.3 (C-STORE statuses), grade: standard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from drimbox_ref.consumer.config import LocalPacs
from drimbox_ref.consumer.values import ExportFailed, Failure, Received
from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.dicom import UNCOMPRESSED_LITTLE_ENDIAN
from wire.dimse import DimseClient, DimseFailure, DimsePeer, is_failure
from wire.exchange import ignore

__all__ = ["DimseLocalPacs"]


class DimseLocalPacs:
    """Stores with pynetdicom; one instance at a time is in memory."""

    def __init__(self, pacs: Sequence[LocalPacs], *, timeout_s: float) -> None:
        self._known = {one.name: one for one in pacs}
        self._timeout_s = timeout_s

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """C-STORE of what `load` gives for each image; blocks."""
        pacs = self._known.get(to)
        if pacs is None:
            raise ExportFailed(Failure.LOCAL_PACS, f"Le PACS local {to} n'est plus configuré.")
        peer = DimsePeer(pacs.host, pacs.port, pacs.ae_title)
        client = DimseClient(
            pacs.calling_ae, actor="consumer", observe=ignore, timeout=self._timeout_s
        )
        contexts = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in images)
        try:
            with client.open_store(peer, list(contexts)) as session:
                for image in _acceptable(images, session.accepts, to):
                    status = session.send(
                        load(image),
                        sop_class=image.sop_class,
                        sop_instance=image.sop_instance,
                        transfer_syntax=image.transfer_syntax,
                    )
                    if is_failure(status):
                        raise _failed(to, f"il a refusé une image (statut {status:04X})")
                    stored(image)
        except DimseFailure as error:
            raise _failed(to, error.comment or error.kind) from error
        except LocalProtocolError as error:
            raise _failed(to, "l'examen a trop de types d'objets différents") from error
        except RemoteProtocolError as error:
            raise ExportFailed(
                Failure.RETRIEVAL, f"Erreur de récupération : image illisible ({error})."
            ) from error


def _acceptable(
    images: Sequence[Received], accepts: Callable[[str, str], bool], name: str
) -> Iterator[Received]:
    """The images, once the PACS is known to take them all: no half export."""
    for sop_class, syntax in dict.fromkeys((i.sop_class, i.transfer_syntax) for i in images):
        # The adapter rewrites element headers when only the other VR form was accepted.
        forms = UNCOMPRESSED_LITTLE_ENDIAN if syntax in UNCOMPRESSED_LITTLE_ENDIAN else (syntax,)
        if not any(accepts(sop_class, form) for form in forms):
            raise _failed(
                name, f"il n'accepte pas la SOP Class {sop_class} en syntaxe de transfert {syntax}"
            )
    yield from images


def _failed(name: str, why: str) -> ExportFailed:
    return ExportFailed(Failure.LOCAL_PACS, f"Le PACS local {name} n'a pas tout reçu : {why}.")
