"""WADO-RS about one series that arrives or is here: metadata, frames, bulk values.

For viewers that decode images themselves: a frame leaves in the transfer syntax in which it came
when the viewer takes it, else as Explicit VR Little Endian. A request that comes before its image
waits for it. Files are read in threads, a few at a time.

Réf.: DICOM PS3.18 10.4 (retrieve), 8.7.3 (media types), 10.4.1.1.5 (metadata), 10.4.1.1.6 (frames),
10.4.1.1.4 (bulk data); grade: standard.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from starlette.responses import JSONResponse, Response

from drimbox_ref.viewer.ports import Arriving, StoredImage
from protocols.dicom import Part10, bulk_value, header_end, split_part10, to_json
from protocols.dicom.pixels import NATIVE, PixelLayout, frames_of, pixel_layout
from protocols.dicomweb import (
    ANY_TRANSFER_SYNTAX,
    FRAME_MEDIA_TYPES,
    DicomWebSyntaxError,
    Preference,
    frame_media_type,
    parse_accept,
    ranked,
)
from protocols.errors import RemoteProtocolError
from protocols.multipart import Writer
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["HEADERS", "DicomWeb", "refusal"]

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Strict-Transport-Security": "max-age=31536000",
}
"""On every answer: images of patients are not cached, and are no page."""

_OCTETS = "application/octet-stream"
_AVAILABLE = "00083002"
"""Available Transfer Syntax UID: the one that needs no decoding here."""
_THREADS = 4
T = TypeVar("T")


class DicomWeb:
    """Answers about series, which it closes; whoever serves it has checked who asks.

    Args:
        status_of: the HTTP status of a series' failure.
        patience_s: seconds that a request waits for what it asks for.
    """

    def __init__(self, *, status_of: Callable[[Exception], int], patience_s: float = 600) -> None:
        self._status_of = status_of
        self._patience = patience_s
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="dicomweb")

    async def metadata(self, series: Arriving, *, root: str) -> Response:
        """The headers of a series, once it is whole. `root` is its address."""

        async def answer() -> Response:
            async with asyncio.timeout(self._patience):
                while not series.ended:
                    await series.changed(len(series.received))
            if series.failure is not None:
                return self._failed(series.failure)
            models = [await self._in_thread(_model, image, root) for image in series.received]
            return _json(b"[" + b",".join(models) + b"]")

        return await self._answered(series, answer)

    async def instance_metadata(self, series: Arriving, uid: str, *, root: str) -> Response:
        """The header of one instance, once it is here."""

        async def answer() -> Response:
            image = await self._awaited(series, uid)
            if image is None:
                return self._missing(series)
            return _json(b"[" + await self._in_thread(_model, image, root) + b"]")

        return await self._answered(series, answer)

    async def frames(
        self, series: Arriving, uid: str, numbers: Sequence[int], accept: Sequence[str]
    ) -> Response:
        """Frames of one instance, numbered from 1. `accept` are the lines of that header."""

        async def answer() -> Response:
            try:
                preferences = parse_accept(accept)
            except DicomWebSyntaxError as error:
                return refusal(400, f"En-tête Accept illisible : {error}.")
            image = await self._awaited(series, uid)
            if image is None:
                return self._missing(series)
            return await self._in_thread(_frames, image.path, numbers, preferences)

        return await self._answered(series, answer)

    async def bulk(self, series: Arriving, uid: str, path: str) -> Response:
        """A long value of one instance's header, by the path of its BulkDataURI."""

        async def answer() -> Response:
            image = await self._awaited(series, uid)
            if image is None:
                return self._missing(series)
            value = await self._in_thread(_bulk, image.path, path)
            if value is None:
                return refusal(404, "Cette image n'a pas cette valeur.")
            return _multipart([value], _OCTETS, EXPLICIT_VR_LITTLE_ENDIAN)

        return await self._answered(series, answer)

    async def _answered(self, series: Arriving, answer: Callable[[], Any]) -> Response:
        """The answer, or why there is none; the series is closed in any case."""
        try:
            response: Response = await answer()
            return response
        except TimeoutError:
            return refusal(504, "La Source n'a pas encore rendu ces images : redemandez-les.")
        except RemoteProtocolError as error:
            return refusal(502, f"Objet illisible : {error}.")
        except FileNotFoundError:
            return refusal(410, "Cette série n'est plus ici : rouvrez l'examen.")
        finally:
            series.close()

    async def _awaited(self, series: Arriving, uid: str) -> StoredImage | None:
        """The instance, once it is there."""
        seen = 0
        async with asyncio.timeout(self._patience):
            while True:
                images = series.received
                for image in images[seen:]:
                    if image.sop_instance == uid:
                        return image
                seen = len(images)
                if series.ended:
                    return None
                await series.changed(seen)

    def _missing(self, series: Arriving) -> Response:
        if series.failure is not None:
            return self._failed(series.failure)
        return refusal(404, "Cette image n'est pas dans la série.")

    def _failed(self, failure: Exception) -> Response:
        return refusal(self._status_of(failure), str(failure))

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


def refusal(status: int, message: str) -> Response:
    """Why not, in French, for whoever reads the viewer's console."""
    return JSONResponse({"message": message}, status, headers=HEADERS)


def _json(body: bytes) -> Response:
    return Response(body, headers={**HEADERS, "Content-Type": "application/dicom+json"})


def _model(image: StoredImage, root: str) -> bytes:
    """The header of one instance as JSON, without pixels."""
    part = _read(image.path)
    model = to_json(
        _header(part),
        transfer_syntax=part.transfer_syntax,
        bulk=f"{root}/instances/{image.sop_instance}/bulkdata",
        numbers=True,
    )
    model[_AVAILABLE] = {"vr": "UI", "Value": [_frame_syntax(part)]}
    return json.dumps(model, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _bulk(path: Path, wanted: str) -> bytes | None:
    part = _read(path)
    return bulk_value(_header(part), wanted, transfer_syntax=part.transfer_syntax)


def _frames(path: Path, numbers: Sequence[int], preferences: Sequence[Preference]) -> Response:
    part = _read(path)
    layout = pixel_layout(_header(part), transfer_syntax=part.transfer_syntax)
    if layout is None:
        return refusal(404, "Cet objet n'a pas d'image.")
    if not all(1 <= number <= layout.frames for number in numbers):
        return refusal(404, f"Cet objet a {layout.frames} vue(s).")
    stored = _frame_syntax(part)
    wanted = _chosen(preferences, stored)
    if wanted is None:
        return refusal(406, f"Image en {stored}, que la visionneuse ne demande pas.")
    found = frames_of(part.dataset, transfer_syntax=part.transfer_syntax, layout=layout)
    frames = [bytes(found[number - 1]) for number in numbers]
    if wanted != stored:
        try:
            frames = [_decoded(frame, layout, stored) for frame in frames]
        except _NotDecoded as error:
            return refusal(406, f"Image non décodée : {error}.")
    return _multipart(frames, frame_media_type(wanted), wanted)


class _NotDecoded(Exception):
    """Why a frame leaves in the syntax in which it came, or not at all. French."""


def _decoded(frame: bytes, layout: PixelLayout, syntax: str) -> bytes:
    # Imported here: a box that shows nothing does not load the codecs.
    from drimbox_ref.codecs import CodecError, shown

    try:
        pixels = shown(frame, layout, syntax)
    except CodecError as error:
        raise _NotDecoded(str(error)) from error
    if pixels.photometric != layout.photometric:
        raise _NotDecoded(f"les métadonnées la disent en {layout.photometric}")
    values = pixels.values
    if layout.planar and layout.samples > 1:
        values = values.transpose(2, 0, 1)
    data: bytes = values.tobytes()
    return data


def _chosen(preferences: Sequence[Preference], stored: str) -> str | None:
    """The transfer syntax to answer in: the stored one or Little Endian; None for neither."""
    if not preferences:
        return stored
    for one in ranked(preferences):
        types = {_OCTETS, frame_media_type(stored), "*/*", None}
        if one.media_type not in ("multipart/related", "*/*") or one.part_type not in types:
            continue
        named = one.transfer_syntax
        if named is None:
            known = FRAME_MEDIA_TYPES.get(one.part_type or "", (stored,))
            named = stored if stored in known else known[0]
        if named in (ANY_TRANSFER_SYNTAX, stored):
            return stored
        if named == EXPLICIT_VR_LITTLE_ENDIAN:
            return named
    return None


def _frame_syntax(part: Part10) -> str:
    """The transfer syntax of the frames: implicit or explicit, native ones are the same bytes."""
    return EXPLICIT_VR_LITTLE_ENDIAN if part.transfer_syntax in NATIVE else part.transfer_syntax


def _header(part: Part10) -> bytes:
    return part.dataset[: header_end(part.dataset, transfer_syntax=part.transfer_syntax)]


def _read(path: Path) -> Part10:
    return split_part10(path.read_bytes())


def _multipart(bodies: Sequence[bytes], media_type: str, syntax: str) -> Response:
    boundary = secrets.token_hex(16)
    writer = Writer(boundary)
    kind = f"{media_type}; transfer-syntax={syntax}"
    pieces = []
    for body in bodies:
        headers = (("Content-Type", kind), ("Content-Length", str(len(body))))
        pieces += [writer.begin_part(headers), writer.data(body)]
    pieces.append(writer.end())
    answer = (
        f'multipart/related; type="{media_type}"; transfer-syntax={syntax}; boundary={boundary}'
    )
    return Response(b"".join(pieces), headers={**HEADERS, "Content-Type": answer})
