"""The local PACS: C-STORE of each image over one association to the chosen one (DB.CO.60).

An image goes as the Source gave it where the PACS takes that transfer syntax, else uncompressed.

Réf.: DICOM PS3.4 B.2.3 (C-STORE statuses), grade: standard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drimbox_ref.codecs import CodecError
from drimbox_ref.consumer.config import LocalPacs
from drimbox_ref.consumer.values import ExportFailed, Failure, Received
from drimbox_ref.transcoding import UNDONE, uncompressed
from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED_LITTLE_ENDIAN
from wire.dimse import DimseClient, DimseFailure, DimsePeer, StoreSession, is_failure
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
        if not images:
            raise ExportFailed(Failure.RETRIEVAL, "Erreur de récupération : l'examen est vide.")
        pairs = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in images)
        undone = {name: EXPLICIT_VR_LITTLE_ENDIAN for name, syntax in pairs if syntax in UNDONE}
        try:
            with client.open_store(peer, pairs, also=undone.items()) as session:
                spoken = {pair: _spoken(pair, session, to) for pair in pairs}
                for image in images:
                    syntax, data = spoken[image.sop_class, image.transfer_syntax], load(image)
                    if syntax != image.transfer_syntax:
                        data = uncompressed(data, image.transfer_syntax)
                    status = session.send(
                        data,
                        sop_class=image.sop_class,
                        sop_instance=image.sop_instance,
                        transfer_syntax=syntax,
                    )
                    if is_failure(status):
                        raise _failed(to, f"il a refusé une image (statut {status:04X})")
                    stored(image)
        except DimseFailure as error:
            raise _failed(to, error.comment or error.kind) from error
        except LocalProtocolError as error:
            raise _failed(to, "l'examen a trop de types d'objets différents") from error
        except CodecError as error:
            raise _failed(to, f"il ne prend que des images décompressées, et {error}") from error
        except RemoteProtocolError as error:
            raise ExportFailed(
                Failure.RETRIEVAL, f"Erreur de récupération : image illisible ({error})."
            ) from error


def _spoken(pair: tuple[str, str], session: StoreSession, name: str) -> str:
    """The syntax in which images of that SOP class and that syntax are sent.

    It is asked of every pair before the first image leaves: no half export.

    Raises:
        ExportFailed: the PACS takes them in no form that can be had.
    """
    sop_class, syntax = pair
    forms = (syntax, EXPLICIT_VR_LITTLE_ENDIAN) if syntax in UNDONE else (syntax,)
    for form in forms:
        if session.can_send(sop_class, form):
            return form
    why = f"il n'accepte pas la SOP Class {sop_class} en syntaxe de transfert {syntax}"
    if len(forms) > 1:
        why += ", ni décompressée"
    elif syntax not in UNCOMPRESSED_LITTLE_ENDIAN:
        why += ", que rien ici ne décompresse"
    raise _failed(name, why)


def _failed(name: str, why: str) -> ExportFailed:
    return ExportFailed(Failure.LOCAL_PACS, f"Le PACS local {name} n'a pas tout reçu : {why}.")
