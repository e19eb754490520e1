"""The façade: decoded images of one series as they arrive, one frame again, its metadata.

Frames are decoded in threads, a few ahead of what the browser has taken: memory holds a handful of
instances, whatever the series. What DICOMweb has a form for has that form (PS3.18 10.4.1.1: frames
and metadata); the stream is ours, because DICOMweb has no way to say "as they come".

The stream is a sequence of records: a length (4 bytes, little endian), that many bytes of JSON,
then the `bytes` of pixels that the JSON announces. `type` is `frame` (one frame, with its
instance's `description` when it is the first), `unshown` (an instance that cannot be displayed),
`failure` (nothing more will come, and why; `erased` when nothing of the series may be shown any
more) or `end`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import struct
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from drimbox_ref.viewer.page import HEADERS
from drimbox_ref.viewer.ports import Arriving, StoredImage
from drimbox_ref.viewer.values import Frame, NotDisplayable

if TYPE_CHECKING:
    from drimbox_ref.viewer.images import OpenedImage

__all__ = ["Facade"]

_log = logging.getLogger(__name__)

_AHEAD = 4
"""Instances that are opened before the browser has taken the current one."""
_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
T = TypeVar("T")


class Facade:
    """Answers for series, which it closes; whoever serves it has checked who asks."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(
            max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="viewer"
        )

    def warm(self) -> None:
        """Images will be asked for soon: load the codecs meanwhile."""
        self._threads.submit(importlib.import_module, "drimbox_ref.viewer.images")

    def stream(self, series: Arriving) -> Response:
        """Every frame of a series in the order of arrival, until the browser leaves."""
        return _Records(self._records(series))

    async def frame(self, series: Arriving, sop_instance: str, number: int) -> Response:
        """One frame again, numbered from 1 (PS3.18 10.4.1.1.6); 404 when there is none."""
        try:
            found = await _awaited(series, sop_instance)
            if found is None:
                return _refusal(404, "Cette image n'est pas dans la série.")
            opened = await self._in_thread(_open, found)
            frame = await self._in_thread(opened.frame, number - 1)
        except IndexError:
            return _refusal(404, "Cette image n'a pas tant de vues.")
        except NotDisplayable as error:
            return _refusal(406, f"Image non affichable : {error}.")
        finally:
            series.close()
        kind = f"application/octet-stream; transfer-syntax={_LITTLE_ENDIAN}"
        return Response(
            bytes(frame.data),
            headers={**HEADERS, "Content-Type": kind, "X-Pixel-Type": frame.type},
        )

    async def metadata(self, series: Arriving) -> Response:
        """The headers of a whole series in the DICOM JSON model (PS3.18 10.4.1.1.5)."""
        models = []
        try:
            while not series.ended:
                await series.changed(len(series.received))
            if series.failure is not None:
                return _refusal(502, str(series.failure))
            for image in series.received:
                with suppress(NotDisplayable):
                    models.append(await self._in_thread(_metadata, image))
        finally:
            series.close()
        return JSONResponse(models, media_type="application/dicom+json", headers=HEADERS)

    # The stream

    async def _records(self, series: Arriving) -> AsyncGenerator[bytes, None]:
        opening: deque[tuple[StoredImage, asyncio.Future[_Opened]]] = deque()
        begun = done = 0
        try:
            while True:
                images = series.received
                if len(images) < begun:
                    # Another patient's: what was on its way stays here.
                    break
                while begun < len(images) and len(opening) < _AHEAD:
                    image = images[begun]
                    opening.append((image, self._submit(_opened, image)))
                    begun += 1
                if opening:
                    image, future = opening.popleft()
                    done += 1
                    place = {
                        "sop": image.sop_instance,
                        "rank": done,
                        "received": len(series.received),
                        "total": series.total,
                    }
                    async for record in self._instance(future, place):
                        yield record
                elif series.ended:
                    break
                else:
                    await series.changed(begun)
            erased = len(series.received) < begun
            if erased or series.failure is not None:
                message = str(series.failure or "Ces images ne peuvent être montrées.")
                yield _record({"type": "failure", "message": message, "erased": erased})
            yield _record({"type": "end", "received": done, "total": series.total})
        finally:
            for _, future in opening:
                future.cancel()
            series.close()

    async def _instance(
        self, opening: asyncio.Future[_Opened], place: Mapping[str, Any]
    ) -> AsyncGenerator[bytes, None]:
        try:
            opened = await opening
            frame, spent = opened.first, opened.spent
            for index in range(opened.image.count):
                if index:
                    frame, spent = await self._in_thread(_timed, opened.image, index)
                head = {
                    **place,
                    "type": "frame",
                    "frame": index + 1,
                    "frames": opened.image.count,
                    "pixels": frame.type,
                    "decodeMs": round(spent * 1000, 2),
                    "bytes": len(frame.data),
                }
                if index == 0:
                    head["description"] = opened.description
                yield _record(head)
                yield bytes(frame.data)
        except NotDisplayable as error:
            yield _unshown(place, str(error))
        except Exception:
            # Images come from outside: whatever one of them provokes, the others are shown.
            _log.exception("visionneuse : image %s", place["sop"])
            yield _unshown(place, "erreur interne.")

    def _submit(self, work: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    async def _in_thread(self, work: Callable[..., T], *args: Any) -> T:
        return await self._submit(work, *args)


class _Opened:
    """An instance whose first frame is decoded, and the seconds that this took."""

    def __init__(self, image: OpenedImage) -> None:
        self.image = image
        self.description = image.description()
        self.first, self.spent = _timed(image, 0)


def _opened(image: StoredImage) -> _Opened:
    return _Opened(_open(image))


def _open(image: StoredImage) -> OpenedImage:
    # Imported here: a box that shows nothing does not load the codecs.
    from drimbox_ref.viewer.images import open_image

    try:
        return open_image(image.path)
    except OSError as error:
        raise NotDisplayable("son fichier n'est plus là") from error


def _metadata(image: StoredImage) -> Mapping[str, Any]:
    return _open(image).metadata()


def _timed(image: OpenedImage, index: int) -> tuple[Frame, float]:
    begun = time.perf_counter()
    frame = image.frame(index)
    return frame, time.perf_counter() - begun


def _record(head: Mapping[str, Any]) -> bytes:
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text


def _unshown(place: Mapping[str, Any], why: str) -> bytes:
    return _record({**place, "type": "unshown", "message": f"Image non affichable : {why}"})


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, headers=HEADERS)


async def _awaited(series: Arriving, sop_instance: str) -> StoredImage | None:
    """The instance, once it is there."""
    seen = 0
    while True:
        images: Sequence[StoredImage] = series.received
        for image in images[seen:]:
            if image.sop_instance == sop_instance:
                return image
        seen = len(images)
        if series.ended:
            return None
        await series.changed(seen)


class _Records(StreamingResponse):
    """A stream that ends its source when the browser leaves."""

    def __init__(self, records: AsyncGenerator[bytes, None]) -> None:
        super().__init__(records, media_type="application/octet-stream", headers=HEADERS)
        self._source = records

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._source.aclose()
