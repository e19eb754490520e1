"""Fetching a series from a Source: WADO-RS over mutual TLS, part by part onto disk.

Memory does not grow with the series: bytes go from the wire to a file as they come.

Réf.: DICOM PS3.18 10.4 (retrieve), 8.7 (media types), grade: standard; headers and both q profiles
of DRIM-M_DATA WADO-RS samples, grade: sample; messages, DB.VI-CO.27, grade: draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.files import check_whole, read_head
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Received, Series, Use
from protocols.dicomweb import format_accept
from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartBegin, PartData, PartEnd, boundary_of
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.wado import (
    AUTHORIZATION_HEADER,
    KOS_HEADER,
    LOSSLESS_PROFILE,
    LOSSY_PROFILE,
    Q_MAXIMUM,
)
from wire.http_client import HttpClient, HttpFailure, StreamedResponse

__all__ = ["PROFILES", "Profile", "WadoImages", "accept_header"]

Profile = Sequence[tuple[str, float]]
"""`(transfer syntax UID, q)` in the order to write them."""

PROFILES: Mapping[Use, Profile] = {
    Use.VIEW: LOSSY_PROFILE,
    Use.EXPORT: LOSSLESS_PROFILE,
    Use.EXPORT_LOSSY: LOSSY_PROFILE,
    # No sample shows this one: the lossless profile, what is not compressed above all else.
    Use.EXPORT_UNCOMPRESSED: tuple(
        (uid, Q_MAXIMUM if uid == EXPLICIT_VR_LITTLE_ENDIAN else q) for uid, q in LOSSLESS_PROFILE
    ),
}

_SOP_INSTANCE = 0x00080018
_SUCCESS = (200, 206)


def accept_header(profile: Profile) -> str:
    """The Accept value of a profile, on one line as in the accepted samples.

    Every sample proposes a boundary, and the demonstrator's Source refuses a request without one.
    """
    return ", ".join(f"{value}; boundary=**" for value in format_accept(profile))


class WadoImages:
    """Retrieves with the profile of what the images are for."""

    def __init__(
        self,
        client: HttpClient,
        *,
        profiles: Mapping[Use, Profile] = PROFILES,
        check: Callable[[Path], None] = check_whole,
    ) -> None:
        self._client = client
        self._profiles = profiles
        self._check = check

    async def retrieve(
        self,
        exam: Exam,
        series: Series,
        token: str,
        *,
        use: Use,
        into: Path,
        limit: int,
        accept: Callable[[Received], None],
    ) -> None:
        """One GET; every instance of the answer checked as it is complete."""
        address = address_of(exam, series)
        profile = self._profiles[use]
        headers = (
            (AUTHORIZATION_HEADER, f"Bearer {token}"),
            (KOS_HEADER, exam.kos_uid),
            ("Accept", accept_header(profile)),
        )
        answered = False
        try:
            async with self._client.stream(
                "GET",
                address.url,
                headers=headers,
                transaction="WADO-RS",
                keys=(exam.kos_uid,),
                peer="source",
            ) as answer:
                answered = True
                _check_status(answer, address.host)
                asked = frozenset(uid for uid, q in profile if q > 0)
                spool = _Spool(into, asked, limit, accept, self._check)
                await _receive(answer, spool)
        except HttpFailure as error:
            if answered:
                raise _retrieval(
                    f"la Source {address.host} a interrompu l'envoi", again=0
                ) from error
            raise ExportFailed(
                Failure.CONNECTION,
                f"Connexion impossible à la DRIMbox Source {address.host}.",
                # A certificate that was refused will be refused again.
                again=None if error.tls_reason else 0,
            ) from error


async def _receive(answer: StreamedResponse, spool: _Spool) -> None:
    try:
        parser = Parser(boundary_of(answer.headers.get("Content-Type")))
        async for chunk in answer.aiter():
            for event in parser.feed(chunk):
                match event:
                    case PartBegin():
                        spool.begin()
                    case PartData():
                        spool.data(event.data)
                    case PartEnd():
                        spool.end()
        parser.finish()
    except RemoteProtocolError as error:
        raise _retrieval(f"la réponse de la Source est illisible ({error})") from error
    finally:
        spool.close()


class _Spool:
    """Writes parts to numbered files and shows each complete one."""

    def __init__(
        self,
        directory: Path,
        syntaxes: frozenset[str],
        limit: int,
        accept: Callable[[Received], None],
        check: Callable[[Path], None],
    ) -> None:
        self._check = check
        self._directory = directory
        self._syntaxes = syntaxes
        self._left = limit
        self._accept = accept
        self._number = 0
        self._file: BinaryIO | None = None

    def begin(self) -> None:
        """A part begins."""
        self._number += 1
        self._file = self._path().open("wb")

    def data(self, data: bytes) -> None:
        """Some bytes of the current part."""
        self._left -= len(data)
        if self._left < 0:
            raise _retrieval("l'examen dépasse la taille admise")
        if self._file is not None:
            self._file.write(data)

    def end(self) -> None:
        """The part is whole: read its header and show it."""
        self.close()
        path = self._path()
        head = read_head(path, upto=_SOP_INSTANCE)
        if head.transfer_syntax not in self._syntaxes:
            raise ExportFailed(
                Failure.TRANSFER_SYNTAX,
                "La Source a rendu les images dans une syntaxe de transfert qui n'a pas été "
                f"demandée ({head.transfer_syntax}).",
            )
        self._check(path)
        self._accept(
            Received(
                path=path,
                sop_class=head.sop_class,
                sop_instance=head.sop_instance,
                transfer_syntax=head.transfer_syntax,
                size=path.stat().st_size,
            )
        )

    def close(self) -> None:
        """No file stays open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _path(self) -> Path:
        return self._directory / f"{self._number:06d}.dcm"


def _check_status(answer: StreamedResponse, host: str) -> None:
    """What a refusal means for the user. The Source's own text is not repeated: it may be
    anything."""
    status = answer.status
    if status in _SUCCESS:
        return
    if status == 401:
        raise ExportFailed(
            Failure.TOKEN,
            f"La Source {host} a refusé votre jeton d'accès Pro Santé Connect (401) : "
            "reconnectez-vous.",
        )
    if status == 403:
        raise ExportFailed(
            Failure.PROFESSION,
            f"La Source {host} a refusé l'accès (403) : votre profession n'est pas autorisée à "
            "obtenir ces images.",
        )
    reasons = {
        404: "elle ne connaît pas ces images sous ce KOS ; relancez la recherche (404)",
        406: "elle ne sait les rendre dans aucune syntaxe de transfert demandée (406)",
        410: "ces images ne sont plus disponibles (410)",
        503: "elle est momentanément indisponible (503)",
    }
    raise _retrieval(
        f"réponse de la Source {host} : {reasons.get(status, f'HTTP {status}')}",
        again=_retry_after(answer) if status == 503 else None,
        status=status,
    )


def _retry_after(answer: StreamedResponse) -> float | None:
    """The seconds of Retry-After (RFC 9110 10.2.3); None without it, or when it gives a date."""
    written = answer.headers.get("Retry-After").strip()
    return float(written) if written.isascii() and written.isdigit() else None


def _retrieval(why: str, *, again: float | None = None, status: int = 0) -> ExportFailed:
    message = f"Erreur de récupération : {why}."
    return ExportFailed(Failure.RETRIEVAL, message, again=again, status=status)
