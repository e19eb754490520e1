"""What another Source answers to a retrieval: the series, or what a fault makes of it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from protocols.dicom import (
    encode_element,
    implicit_from_explicit,
    is_implicit,
    replace_elements,
)
from protocols.dicomweb import part_headers, response_content_type
from protocols.multipart import Writer
from simulators.peer.faults import Written
from simulators.peer.hostile import trapped
from simulators.peer.offers import Image, Offer
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from wire.faults import Struck
from wire.http_faults import closing, refusal, turned_away

__all__ = ["answer", "polite"]

_BOUNDARY = "drimbench-voisin"
_CHUNK = 256 * 1024
_MIB = 1024 * 1024
_SOP_CLASS = 0x00080016
_SOP_INSTANCE = 0x00080018
_PRIVATE_SOP_CLASS = "1.2.826.0.1.3680043.8.498.1.1"
"""Of no standard: under the root that pydicom lends to whoever has none."""
_HEADER = 32 * 1024


def polite(offer: Offer, files: tuple[bytes, ...]) -> ASGIApp:
    """The series, whole and in order."""
    return _multipart(_body(offer.image(file) for file in files))


def answer(struck: Struck, offer: Offer, files: tuple[bytes, ...], *, elsewhere: str) -> ASGIApp:
    """What the fault makes of the series; `elsewhere` is where it may redirect."""
    images = (offer.image(file) for file in files)
    match struck.kind:
        case "http":
            return refusal(struck)
        case "redirection":
            return turned_away(struck, elsewhere)
        case "fermeture":
            return closing
        case "tronquee":
            return _multipart(_body(images, closed=False))
        case "frontiere":
            announced = Written(struck.text("annonce"))
            written = response_content_type("ce-n-est-pas-elle")
            if announced is Written.NONE:
                written = 'multipart/related; type="application/dicom"'
            return _multipart(_body(images), media_type=written)
        case "type":
            page = b"<!doctype html><title>Maintenance</title><p>Revenez demain."
            return Response(page, media_type=struck.text("nom"))
        case "en-trop":
            return _multipart(_body(_one_more(images)))
        case "manquante":
            return _multipart(_body(offer.image(file) for file in files[:-1]))
        case "double":
            return _multipart(_body(one for image in images for one in (image, image)))
        case "syntaxe":
            return _multipart(_body(map(_implicit, images)))
        case "sop-class":
            return _multipart(_body(map(_private, images)))
        case "sans-fin":
            return _multipart(_endless(next(images), struck.number("mio")))
        case "bombe":
            body = _compressed(_endless(next(images), struck.number("mio")))
            return _multipart(body, headers={"Content-Encoding": "gzip"})
        case "piege":
            return _multipart(_trapped(images, struck.text("fichier")))
        case "en-tetes":
            count = struck.number("mio") * _MIB // _HEADER
            padding = {f"X-Kit-{number}": "x" * _HEADER for number in range(count)}
            return _multipart(_body(images), headers=padding)
        case _:  # what passes is right, its way is not: `Struck.link`, `Struck.delay_s`
            return _multipart(_body(images))


# Bodies ----------------------------------------------------------------------------------------


def _multipart(
    body: AsyncIterator[bytes],
    *,
    media_type: str = response_content_type(_BOUNDARY),
    headers: dict[str, str] | None = None,
) -> ASGIApp:
    # Starlette would add a charset to a media type that it is given as such.
    return StreamingResponse(body, headers={"Content-Type": media_type, **(headers or {})})


async def _body(images: Iterable[Image], *, closed: bool = True) -> AsyncIterator[bytes]:
    writer = Writer(_BOUNDARY)
    for image in images:
        file = image.file()
        yield writer.begin_part(part_headers(image.transfer_syntax, length=len(file)))
        for start in range(0, len(file), _CHUNK):
            yield writer.data(file[start : start + _CHUNK])
    if closed:
        yield writer.end()


async def _trapped(images: Iterable[Image], trap: str) -> AsyncIterator[bytes]:
    """Each part says of itself what a true one says."""
    writer = Writer(_BOUNDARY)
    for image in images:
        file = await asyncio.to_thread(trapped, image, trap)
        yield writer.begin_part(part_headers(image.transfer_syntax, length=len(file)))
        for start in range(0, len(file), _CHUNK):
            yield writer.data(file[start : start + _CHUNK])
    yield writer.end()


async def _endless(image: Image, mib: int) -> AsyncIterator[bytes]:
    """A true image, then zeros in the same part; who goes on reading has them all."""
    writer = Writer(_BOUNDARY)
    yield writer.begin_part(part_headers(image.transfer_syntax))
    yield writer.data(image.file())
    zeros = bytes(_CHUNK)
    for _ in range(mib * _MIB // _CHUNK):
        yield writer.data(zeros)
        # Once the peer has gone nothing else waits: the loop must be let to notice.
        await asyncio.sleep(0)
    yield writer.end()


async def _compressed(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    async for chunk in body:
        if squeezed := squeeze.compress(chunk):
            yield squeezed
    yield squeeze.flush()


# Images ----------------------------------------------------------------------------------------


def _one_more(images: Iterable[Image]) -> Iterator[Image]:
    """The images, and the last one again under an identifier of its own."""
    last: Image | None = None
    for last in images:
        yield last
    if last is not None:
        yield _renamed(last, _SOP_INSTANCE, f"{last.sop_instance}.1", sop_instance=True)


def _private(image: Image) -> Image:
    return _renamed(image, _SOP_CLASS, _PRIVATE_SOP_CLASS, sop_instance=False)


def _renamed(image: Image, tag: int, uid: str, *, sop_instance: bool) -> Image:
    implicit = is_implicit(image.transfer_syntax)
    value = uid.encode() + b"\0" * (len(uid) % 2)
    dataset = replace_elements(
        image.dataset,
        transfer_syntax=image.transfer_syntax,
        elements={tag: encode_element(tag, "UI", value, implicit=implicit)},
    )
    if sop_instance:
        return replace(image, dataset=dataset, sop_instance=uid)
    return replace(image, dataset=dataset, sop_class=uid)


def _implicit(image: Image) -> Image:
    if image.transfer_syntax != EXPLICIT_VR_LITTLE_ENDIAN:
        return image
    return replace(
        image,
        transfer_syntax=IMPLICIT_VR_LITTLE_ENDIAN,
        dataset=implicit_from_explicit(image.dataset),
    )
