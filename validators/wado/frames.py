"""WADO-RS response: one instance alone, or frames of it."""

from __future__ import annotations

from protocols.dicomweb import FRAME_MEDIA_TYPES, MediaType, parse_media_type
from protocols.errors import RemoteProtocolError
from spec.wado import MULTIPART_RELATED
from validators.context import Context
from validators.examples import wado as example
from validators.rule import Broken
from validators.wado.reading import WadoResponse
from validators.wado.rules import RESPONSE, Findings, dicomweb

__all__: list[str] = []

_ENOUGH = 5
_GIVEN = Context(target=example.FRAMES)


def _media(value: str) -> MediaType | None:
    try:
        return parse_media_type(value)
    except RemoteProtocolError:
        return None


def _has_frames(wado: WadoResponse) -> bool:
    return wado.is_positive and wado.gives == "frames"


@RESPONSE.rule(
    "WADO-126",
    "La demande d'une instance rend celle-là, une fois",
    reference=dicomweb("10.4.3"),
    given=Context(target=example.INSTANCE),
    good=lambda: example.response([example.instance(1)]),
    bad=lambda: example.response([example.instance(1), example.instance(2)]),
)
def one_instance(wado: WadoResponse) -> Findings:
    if not wado.is_success or wado.asked is None or wado.asked.instance is None:
        return
    given = [file.data.text(0x00080018) for _, file in wado.files]
    if given != [wado.asked.instance] or len(wado.parts) != 1:
        yield Broken(
            message="Une seule instance était demandée.",
            expected=wado.asked.instance,
            actual=f"{len(wado.parts)} partie(s) : {' '.join(given[:_ENOUGH])}",
            where="0008,0018",
        )


@RESPONSE.rule(
    "WADO-150",
    "Les images d'une instance sont un multipart/related de pixels",
    reference=dicomweb("10.4.3.3.4, 8.7.3.3"),
    given=_GIVEN,
    good=example.frames,
    bad=lambda: example.frames(type="application/dicom"),
)
def content_type(wado: WadoResponse) -> Findings:
    if not _has_frames(wado):
        return
    media = _media(wado.header("Content-Type"))
    said = None if media is None else media.get("type")
    if media is None or media.type != MULTIPART_RELATED or said not in FRAME_MEDIA_TYPES:
        yield Broken(
            message="La réponse n'est pas un ensemble d'images.",
            expected=f"{MULTIPART_RELATED}; type={' | '.join(FRAME_MEDIA_TYPES)}",
            actual=wado.header("Content-Type"),
            where="Content-Type",
        )


@RESPONSE.rule(
    "WADO-151",
    "Le type de chaque image est celui de sa syntaxe de transfert",
    reference=dicomweb("8.7.3.3"),
    given=_GIVEN,
    good=example.frames,
    bad=lambda: example.frames(
        part="application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.80"
    ),
)
def part_types(wado: WadoResponse) -> Findings:
    if not _has_frames(wado):
        return
    for rank, part in enumerate(wado.parts, start=1):
        media = _media(part.content_type)
        known = FRAME_MEDIA_TYPES.get(media.type) if media else None
        said = media.get("transfer-syntax") if media else None
        if known is None or (said is not None and said not in known):
            yield Broken(
                message="Cette partie n'est pas annoncée comme une image.",
                expected=" | ".join(FRAME_MEDIA_TYPES) if known is None else " | ".join(known),
                actual=part.content_type,
                where=f"partie {rank}, Content-Type",
            )
            return


@RESPONSE.rule(
    "WADO-152",
    "Il y a autant de parties que d'images demandées",
    reference=dicomweb("10.4.3.3.4"),
    given=_GIVEN,
    good=example.frames,
    bad=lambda: example.frames([bytes(8)]),
)
def as_many(wado: WadoResponse) -> Findings:
    if _has_frames(wado) and wado.asked and len(wado.parts) != len(wado.asked.frames):
        yield Broken(
            message="Il manque des images, ou il y en a trop.",
            expected=str(len(wado.asked.frames)),
            actual=str(len(wado.parts)),
        )


@RESPONSE.rule(
    "WADO-153",
    "Une image demandée n'est ni vide, ni un fichier DICOM",
    reference=dicomweb("8.7.3.3"),
    given=_GIVEN,
    good=example.frames,
    bad=lambda: example.frames([example.instance(1), bytes(8)]),
)
def pixels_only(wado: WadoResponse) -> Findings:
    if not _has_frames(wado):
        return
    for rank, part in enumerate(wado.parts, start=1):
        if not part.size or part.head[128:132] == b"DICM":
            yield Broken(
                message="Cette partie n'est pas une image : elle est vide, ou un fichier entier.",
                expected="les pixels d'une image",
                actual=f"{part.size} octets",
                where=f"partie {rank}",
            )
            return
