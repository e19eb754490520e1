"""An instance in a transfer syntax that the client takes, when the PACS has given another.

The PACS is asked first, by negotiation (DB.SO.85): this is what remains to be done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drimbox_ref.codecs import ENCODED, CodecError, decoded, encoded
from drimbox_ref.source.values import NotTranscodable, StoredObject
from drimbox_ref.transcoding import converted, pixel_span
from protocols.dicom.pixels import frames_of, pixel_layout
from protocols.dicomweb import ANY_TRANSFER_SYNTAX
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__ = ["PixelTranscoder"]


class PixelTranscoder:
    """A `Transcoder`: the first syntax of the list that can be produced wins."""

    def transcode(self, stored: StoredObject, wanted: Sequence[str]) -> StoredObject:
        """The instance in one of the syntaxes wanted, best first.

        An instance without pixels goes out in Explicit VR Little Endian: no other syntax applies.

        Raises:
            NotTranscodable: none can be produced; the reason is that of the last one tried.
        """
        try:
            layout = pixel_layout(stored.data, transfer_syntax=stored.transfer_syntax)
            span = pixel_span(stored.data)
        except RemoteProtocolError as error:
            raise NotTranscodable(f"pixels illisibles : {error}") from error
        if layout is None or span is None:
            return replace(stored, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN)
        reason = NotTranscodable("aucune syntaxe admise n'est produite ici")
        for one in wanted:
            target = EXPLICIT_VR_LITTLE_ENDIAN if one == ANY_TRANSFER_SYNTAX else one
            if target not in ENCODED:
                continue
            try:
                data = converted(stored.data, stored.transfer_syntax, target, layout, span)
                return replace(stored, transfer_syntax=target, data=data)
            except CodecError as error:
                reason = NotTranscodable(str(error))
        raise reason

    def frame(self, stored: StoredObject, number: int, wanted: Sequence[str]) -> tuple[str, bytes]:
        """Transfer syntax and bytes of one frame, numbered from 1.

        Raises:
            IndexError: no such frame.
            NotTranscodable: as `transcode`.
        """
        syntax = stored.transfer_syntax
        try:
            layout = pixel_layout(stored.data, transfer_syntax=syntax)
            if layout is None or pixel_span(stored.data) is None or number > layout.frames:
                raise IndexError(number)
            frame = frames_of(stored.data, transfer_syntax=syntax, layout=layout)[number - 1]
        except RemoteProtocolError as error:
            raise NotTranscodable(f"pixels illisibles : {error}") from error
        if syntax in wanted or ANY_TRANSFER_SYNTAX in wanted:
            return syntax, bytes(frame)
        reason = NotTranscodable("aucune syntaxe admise n'est produite ici")
        for target in wanted:
            if target not in ENCODED:
                continue
            try:
                pixels = decoded(bytes(frame), layout, syntax)
                return target, encoded(pixels, layout, target)[0]
            except CodecError as error:
                reason = NotTranscodable(str(error))
        raise reason
