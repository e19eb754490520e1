"""Editing the header of a data set without touching any other byte of it.

Only the elements before the pixel data are parsed: what follows passes unchanged, so an instance
can be edited while it streams.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from protocols.dicom.charset import codec_of
from protocols.dicom.elements import PIXEL_DATA_TAGS, Element, is_implicit, walk

__all__ = ["header_end", "read_texts", "read_values", "replace_elements"]


def header_end(data: bytes, *, transfer_syntax: str, complete: bool = True) -> int | None:
    """Where the pixel data element begins, or the length of a data set without any.

    With `complete=False`, `data` is the beginning of a data set and the answer is None as long as
    more of it is needed.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    position = 0
    for element in walk(data, implicit=is_implicit(transfer_syntax), cut=True):
        if element.tag in PIXEL_DATA_TAGS:
            return element.start
        if element.end > len(data):
            break
        position = element.end
    if not complete:
        return None
    if position != len(data):
        # Not a clean end: let the strict walk say where.
        for _ in walk(data, position, implicit=is_implicit(transfer_syntax)):
            pass
    return len(data)


def read_values(data: bytes, *, transfer_syntax: str, tags: Collection[int]) -> dict[int, bytes]:
    """The raw values of top-level elements, padding included; absent ones are left out.

    Stops at the last wanted tag, so `data` may be a beginning that holds them.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    wanted = set(tags)
    last = max(wanted, default=0)
    found: dict[int, bytes] = {}
    for element in walk(data, implicit=is_implicit(transfer_syntax), cut=True):
        if element.tag > last or element.tag in PIXEL_DATA_TAGS or element.end > len(data):
            break
        if element.tag in wanted:
            found.setdefault(element.tag, data[element.value : element.end])
    return found


def read_texts(data: bytes, *, transfer_syntax: str, tags: Collection[int]) -> dict[int, str]:
    """The same as text, decoded by the data set's own character set and without padding."""
    values = read_values(data, transfer_syntax=transfer_syntax, tags={*tags, 0x00080005})
    codec = codec_of(values.get(0x00080005, b"").decode("latin-1"))
    return {
        tag: value.decode(codec, "replace").strip(" \0")
        for tag, value in values.items()
        if tag in tags
    }


def replace_elements(
    data: bytes, *, transfer_syntax: str, elements: Mapping[int, bytes | None]
) -> bytes:
    """The data set with top-level elements replaced, inserted where they belong, or removed.

    Each value is a whole encoded element (`encode_element`, `encode_sequence`) in the same
    transfer syntax, or None to remove it. All other bytes are those of `data`, except a retired
    group length (gggg,0000) of an edited group, which would become wrong and is removed.

    Raises:
        DicomSyntaxError: not a data set of that transfer syntax.
    """
    implicit = is_implicit(transfer_syntax)
    pending = sorted(elements.items(), reverse=True)
    edited = set(elements) | {tag & 0xFFFF0000 for tag in elements}
    pieces: list[bytes | memoryview] = []
    view = memoryview(data)
    kept = 0
    """Where the run of unchanged bytes not yet in `pieces` begins."""

    def insert_before(tag: int, position: int) -> None:
        nonlocal kept
        while pending and pending[-1][0] <= tag:
            encoded = pending.pop()[1]
            if encoded is not None:
                pieces.extend((view[kept:position], encoded))
                kept = position

    end = len(data)
    for element in _header_elements(data, implicit):
        if element.tag in PIXEL_DATA_TAGS:
            end = element.start
            break
        insert_before(element.tag, element.start)
        if element.tag in edited:
            pieces.append(view[kept : element.start])
            kept = element.end
    insert_before(0x7FE00007, end)
    pieces.append(view[kept:])
    return b"".join(pieces)


def _header_elements(data: bytes, implicit: bool) -> list[Element]:
    """The elements up to the pixel data included, whose value may be cut."""
    elements = []
    for element in walk(data, implicit=implicit, cut=True):
        elements.append(element)
        if element.tag in PIXEL_DATA_TAGS:
            return elements
    position = elements[-1].end if elements else 0
    if position != len(data):
        for _ in walk(data, elements[-1].start if elements else 0, implicit=implicit):
            pass
    return elements
