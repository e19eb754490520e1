"""Example WADO-RS exchanges: a request and a response that are right, and edits that spoil them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocols.dicom import build_part10, encode_element, encode_sequence
from protocols.dicomweb import format_accept
from protocols.multipart import Headers, Writer
from spec.oids import INS_NIR_TEST
from spec.wado import KOS_HEADER, LOSSLESS_PROFILE
from validators.examples import kos
from validators.http_message import HttpMessage

__all__ = ["IPP", "PATH", "instance", "request", "response"]

PATH = f"/dicom-web/studies/{kos.STUDY}/series/{kos.SERIES}"
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
