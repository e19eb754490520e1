"""The body of a WADO-RS answer, instance after instance: objects, their metadata, or frames.

Réf.: DICOM PS3.18 10.4.3 (payloads), 8.7.3 (media types), annex F (JSON), grade `standard`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol

from pydicom import dcmread

from drimbox_ref.source.ports import Transcoder
from drimbox_ref.source.values import Form, Representation, StoredObject
from protocols.dicom import DicomSyntaxError, file_meta, header_end
from protocols.dicomweb import frame_media_type, part_headers, response_content_type
from protocols.multipart import Writer

__all__ = ["Answer", "NoSuchFrame", "Piece", "answer_to"]


class NoSuchFrame(Exception):
    """The instance has not that many frames."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one instance becomes: the bytes to send, in order, and their transfer syntax."""

    transfer_syntax: str
    buffers: tuple[bytes, ...]


class Answer(Protocol):
    """Writes a body; `piece` is called once for each instance, in the order sent."""

    def content_type(self, first: Piece) -> str:
        """Of the whole answer."""
        ...

    def piece(self, stored: StoredObject) -> Piece:
        """The bytes of one instance; takes time: not for the event loop.

        Raises:
            NotTranscodable: in no form that the client takes.
            NoSuchFrame: fewer frames than asked for.
            RemoteProtocolError: the data set cannot be read.
        """
        ...

    def end(self) -> bytes:
        """What follows the last instance."""
        ...


def answer_to(
    wanted: Representation,
    *,
    transcoder: Transcoder,
    frames: tuple[int, ...],
    new_boundary: Callable[[], str],
) -> Answer:
    """The writer of the form that was negotiated."""
    if wanted.form is Form.METADATA:
        return _Metadata()
    if wanted.form is Form.FRAMES:
        return _Frames(wanted, transcoder, frames, new_boundary())
    return _Instances(wanted, transcoder, new_boundary())


class _Instances:
    """One part for each instance, a DICOM file."""

    def __init__(self, wanted: Representation, transcoder: Transcoder, boundary: str) -> None:
        self._wanted = wanted
        self._transcoder = transcoder
        self._boundary = boundary
        self._writer = Writer(boundary)

    def content_type(self, first: Piece) -> str:
        return response_content_type(self._boundary, transfer_syntax=first.transfer_syntax)

    def piece(self, stored: StoredObject) -> Piece:
        if not self._wanted.takes(stored.transfer_syntax):
            stored = self._transcoder.transcode(stored, self._wanted.syntaxes)
        meta = file_meta(
            sop_class=stored.sop_class,
            sop_instance=stored.sop_instance,
            transfer_syntax=stored.transfer_syntax,
        )
        headers = part_headers(stored.transfer_syntax, length=len(meta) + len(stored.data))
        head = self._writer.begin_part(headers) + self._writer.data(meta)
        return Piece(stored.transfer_syntax, (head, self._writer.data(stored.data)))

    def end(self) -> bytes:
        return self._writer.end()


class _Frames:
    """One part for each frame of an instance, in the order asked for."""

    def __init__(
        self,
        wanted: Representation,
        transcoder: Transcoder,
        frames: tuple[int, ...],
        boundary: str,
    ) -> None:
        self._wanted = wanted
        self._transcoder = transcoder
        self._frames = frames
        self._boundary = boundary
        self._writer = Writer(boundary)

    def content_type(self, first: Piece) -> str:
        media_type = frame_media_type(first.transfer_syntax)
        return f'multipart/related; type="{media_type}"; boundary="{self._boundary}"'

    def piece(self, stored: StoredObject) -> Piece:
        buffers: list[bytes] = []
        syntax = ""
        for number in self._frames:
            try:
                syntax, frame = self._transcoder.frame(stored, number, self._wanted.syntaxes)
            except IndexError:
                raise NoSuchFrame(f"image {number}") from None
            media_type = frame_media_type(syntax)
            headers = (
                ("Content-Type", f"{media_type}; transfer-syntax={syntax}"),
                ("Content-Length", str(len(frame))),
            )
            buffers += (self._writer.begin_part(headers), self._writer.data(frame))
        return Piece(syntax, tuple(buffers))

    def end(self) -> bytes:
        return self._writer.end()


class _Metadata:
    """One JSON object for each instance, pixels left out."""

    def __init__(self) -> None:
        self._begun = False

    def content_type(self, first: Piece) -> str:
        return "application/dicom+json"

    def piece(self, stored: StoredObject) -> Piece:
        separator, self._begun = (b"," if self._begun else b"["), True
        return Piece(stored.transfer_syntax, (separator + _json(stored),))

    def end(self) -> bytes:
        return b"]" if self._begun else b"[]"


_LEFT_OUT = ("FloatPixelData", "DoubleFloatPixelData", "PixelData")


def _json(stored: StoredObject) -> bytes:
    """The data set up to its pixels (PS3.18 annex F)."""
    end = header_end(stored.data, transfer_syntax=stored.transfer_syntax)
    meta = file_meta(
        sop_class=stored.sop_class,
        sop_instance=stored.sop_instance,
        transfer_syntax=stored.transfer_syntax,
    )
    try:
        dataset: Any = dcmread(BytesIO(meta + stored.data[:end]))
        _drop(dataset, _LEFT_OUT)
        found = dataset.to_json_dict(suppress_invalid_tags=True)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        # pydicom raises what its converters met: the header is not what it should be.
        raise DicomSyntaxError(f"en-tête illisible : {error}") from error
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _drop(dataset: Any, names: Iterable[str]) -> None:
    for name in names:
        if name in dataset:
            delattr(dataset, name)
