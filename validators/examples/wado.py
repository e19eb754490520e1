"""Example WADO-RS exchanges: a request and a response that are right, and edits that spoil them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from protocols.dicom import build_part10, encode_element, encode_sequence
from protocols.dicomweb import format_accept
from protocols.multipart import Headers, Writer
from spec.oids import INS_NIR_TEST
from spec.wado import KOS_HEADER, LOSSLESS_PROFILE
from validators.examples import kos
from validators.http_message import HttpMessage

__all__ = [
    "FRAMES",
    "INSTANCE",
    "IPP",
    "METADATA",
    "PATH",
    "described",
    "frames",
    "instance",
    "metadata",
    "request",
    "response",
]

PATH = f"/dicom-web/studies/{kos.STUDY}/series/{kos.SERIES}"
INSTANCE = f"{PATH}/instances/{kos.SERIES}.1"
FRAMES = f"{INSTANCE}/frames/1,2"
METADATA = f"{PATH}/metadata"
IPP = "IPP900"
_EXPLICIT = "1.2.840.10008.1.2.1"
_CT = "1.2.840.10008.5.1.4.1.1.2"
_BOUNDARY = "exemple-wado"
_TOKEN = "eyJleGVtcGxlIjoidHJ1ZSJ9.eyJzdWIiOiJleGVtcGxlIn0.c2lnbmF0dXJl"


def request(
    *,
    method: str = "GET",
    path: str = PATH,
    authorization: Sequence[str] = (f"Bearer {_TOKEN}",),
    kos_uid: Sequence[str] = (kos.UID,),
    accept: Sequence[str] | None = None,
    profile: Sequence[tuple[str, float]] = LOSSLESS_PROFILE,
) -> bytes:
    """A consumer's request for the example series."""
    headers = [("Host", "db900.test.mesimagesmedicales.fr")]
    headers += [("Authorization", value) for value in authorization]
    headers += [(KOS_HEADER, value) for value in kos_uid]
    values = format_accept(profile) if accept is None else accept
    headers += [("Accept", value) for value in values]
    return HttpMessage(f"{method} {path} HTTP/1.1", tuple(headers)).encode()


def instance(
    number: int = 1,
    *,
    ins: str = kos.INS,
    oid: str = INS_NIR_TEST,
    patient_id: str = IPP,
    study: str = kos.STUDY,
    series: str = kos.SERIES,
    media_instance: str = "",
    transfer_syntax: str = _EXPLICIT,
    modality: str = "CT",
    id_type: str = "TEXT",
) -> bytes:
    """A CT image of the example series, with four pixels; no other identifier when `ins` is ""."""
    implicit = transfer_syntax == "1.2.840.10008.1.2"

    def element(tag: int, vr: str, value: str) -> bytes:
        return encode_element(tag, vr, value.encode(), implicit=implicit)

    def sequence(tag: int, item: bytes) -> bytes:
        return encode_sequence(tag, [item], implicit=implicit)

    uid = f"{series}.{number}"
    issuer = element(0x00400032, "UT", oid) + element(0x00400033, "CS", "ISO")
    other = (
        element(0x00100020, "LO", ins)
        + element(0x00100022, "CS", id_type)
        + sequence(0x00100024, issuer)
    )
    data = (
        element(0x00080016, "UI", _CT)
        + element(0x00080018, "UI", uid)
        + element(0x00080060, "CS", modality)
        + element(0x00100020, "LO", patient_id)
        + (sequence(0x00101002, other) if ins else b"")
        + element(0x0020000D, "UI", study)
        + element(0x0020000E, "UI", series)
        + encode_element(0x7FE00010, "OW", bytes(8), implicit=implicit)
    )
    return build_part10(
        sop_class=_CT,
        sop_instance=media_instance or uid,
        transfer_syntax=transfer_syntax,
        dataset=data,
    )


def metadata(
    objects: Sequence[Mapping[str, object]] | None = None,
    *,
    content_type: str = "application/dicom+json",
    body: bytes | None = None,
) -> bytes:
    """A source's answer: what the two images of the example series are, without their pixels."""
    listed = [described(1), described(2)] if objects is None else objects
    whole = json.dumps(listed).encode() if body is None else body
    return HttpMessage("HTTP/1.1 200 OK", (("Content-Type", content_type),), whole).encode()


def described(number: int = 1, **changed: Mapping[str, object] | None) -> dict[str, object]:
    """An image of the example series as PS3.18 annex F writes it; None takes an element out."""
    uid = f"{kos.SERIES}.{number}"
    values = {"00080018": uid, "0020000D": kos.STUDY, "0020000E": kos.SERIES}
    found: dict[str, object] = {tag: {"vr": "UI", "Value": [uid]} for tag, uid in values.items()}
    found["00080060"] = {"vr": "CS", "Value": ["CT"]}
    found |= {tag: value for tag, value in changed.items() if value is not None}
    return {tag: value for tag, value in found.items() if changed.get(tag, "") is not None}


def frames(
    pixels: Sequence[bytes] = (bytes(8), bytes(8)),
    *,
    type: str = "application/octet-stream",
    part: str = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1",
) -> bytes:
    """A source's answer: two frames of the first image of the example series."""
    writer = Writer(_BOUNDARY)
    pieces = [
        piece
        for one in pixels
        for piece in (writer.begin_part((("Content-Type", part),)), writer.data(one))
    ]
    typed = (("Content-Type", f'multipart/related; type="{type}"; boundary={_BOUNDARY}'),)
    body = b"".join([*pieces, writer.end()])
    return HttpMessage("HTTP/1.1 200 OK", typed, body).encode()


def _typed(transfer_syntax: str = _EXPLICIT) -> Headers:
    return (("Content-Type", f"application/dicom; transfer-syntax={transfer_syntax}"),)


def response(
    instances: Sequence[bytes] | None = None,
    *,
    status: str = "200 OK",
    content_type: str = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}',
    headers: Headers = (),
    part: Headers | None = None,
    body: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """A source's answer: the two images of the example series."""
    writer = Writer(_BOUNDARY)
    pieces: list[bytes] = []
    for data in (instance(1), instance(2)) if instances is None else instances:
        pieces.append(writer.begin_part(_typed() if part is None else part))
        pieces.append(writer.data(data))
    pieces.append(writer.end())
    whole = b"".join(pieces)
    typed = (("Content-Type", content_type),) if content_type else ()
    return HttpMessage(
        f"HTTP/1.1 {status}", (*typed, *headers), whole if body is None else body(whole)
    ).encode()
