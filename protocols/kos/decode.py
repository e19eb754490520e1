"""From the bytes of a file to the manifest that it writes, tolerantly.

An own tag walker: only the elements that a manifest has a name for are kept, in a tree of plain
dicts. What is missing is `None`; what is there but not understood is left out.
"""

from __future__ import annotations

import struct

from protocols.dicom import DicomSyntaxError, codec_of, is_implicit, iter_items, split_part10
from protocols.dicom.elements import UNDEFINED, walk
from protocols.kos.model import (
    Code,
    ContentItem,
    InstanceRef,
    Issuer,
    KeyObjectRef,
    KosSyntaxError,
    Manifest,
    OtherPatientId,
    Request,
    SeriesEvidence,
    StudyEvidence,
    Template,
)

__all__ = ["decode"]

_Tree = dict[int, "bytes | list[_Tree | _Uids]"]
_Uids = tuple[bytes, ...]
"""An item that is a SOP class and a SOP instance: most of a large manifest. Of the root's content,
an item whose first element is one such reference; what follows it comes third, as it is."""

_CLASS, _INSTANCE, _REFERENCED, _CONTENT = 0x00081150, 0x00081155, 0x00081199, 0x0040A730

_SEQUENCES = frozenset(
    {
        0x00080051, 0x00081110, 0x00081111, 0x00081115, 0x00081199, 0x00100024, 0x00101002,
        0x00321064, 0x00400026, 0x00400027, 0x0040A043, 0x0040A370, 0x0040A375, 0x0040A504,
        0x0040A525, 0x0040A730,
    }
)  # fmt: skip
_SHORT_VRS = frozenset((b"AE", b"CS", b"DA", b"IS", b"LO", b"PN", b"SH", b"TM", b"UI"))
_tag_and_length = struct.Struct("<HHL").unpack_from
_tag_vr_length = struct.Struct("<HH2sH").unpack_from
_long = struct.Struct("<L").unpack_from
_OFTEN = 8
"""Bytes of a text that may come in every item: what is longer is not looked up."""
_ALIKE = 64
"""Bytes of what follows the reference of an image in the content, where that is nothing rare."""
_MAX_DEPTH = 12
"""A manifest nests five deep; the evidence of a key image adds three."""


def decode(data: bytes) -> Manifest:
    """The manifest written in a Part 10 file, whatever its SOP class claims to be.

    Raises:
        KosSyntaxError: no Part 10 file, another transfer syntax than the two little endian
            uncompressed ones, or a malformed data set.
    """
    try:
        file = split_part10(data)
        implicit = is_implicit(file.transfer_syntax)
        tree = _read(file.dataset, 0, len(file.dataset), implicit, 0)
    except DicomSyntaxError as error:
        raise KosSyntaxError(str(error), where=error.where, span=error.span) from None
    raw_set = tree.get(0x00080005)
    character_set = raw_set.decode("latin-1").strip(" \0") if isinstance(raw_set, bytes) else None
    return _Reader(codec_of(character_set or ""), implicit=implicit).manifest(tree)


def _read(data: bytes, start: int, end: int, implicit: bool, depth: int) -> _Tree:
    """The elements of `data[start:end]` by tag, known sequences descended."""
    if depth > _MAX_DEPTH:
        raise DicomSyntaxError("séquences trop imbriquées", span=(start, end))
    tree: _Tree = {}
    position = start
    # The hot path: most elements of a large manifest are two UIDs in an item, of defined length.
    # Anything else is left to the general walk, from where it stands.
    if implicit:
        while position + 8 <= end:
            group, number, length = _tag_and_length(data, position)
            tag = group << 16 | number
            past = position + 8 + length
            if past > end or group == 0xFFFE:
                break
            if tag in _SEQUENCES:
                items = _plain_items(data, tag, position + 8, past, implicit, depth)
                if items is None:
                    break
                tree.setdefault(tag, items)
            else:
                tree.setdefault(tag, data[position + 8 : past])
            position = past
    else:
        while position + 8 <= end:
            group, number, vr, length = _tag_vr_length(data, position)
            tag = group << 16 | number
            if vr in _SHORT_VRS:
                past = position + 8 + length
                if past > end:
                    break
                tree.setdefault(tag, data[position + 8 : past])
            elif vr == b"SQ" and tag in _SEQUENCES and position + 12 <= end:
                past = position + 12 + _long(data, position + 8)[0]
                if past > end:
                    break
                items = _plain_items(data, tag, position + 12, past, implicit, depth)
                if items is None:
                    break
                tree.setdefault(tag, items)
            else:
                break
            position = past
    if position == end:
        return tree
    for tag, _vr, _start, value, length, past in walk(data, position, end, implicit=implicit):
        if tag in _SEQUENCES:
            if tag in tree:
                continue
            items = None
            if length != UNDEFINED:
                items = _plain_items(data, tag, value, past, implicit, depth)
            if items is None:
                items = [
                    _read(data, first, last, implicit, depth + 1)
                    for first, last in iter_items(data, value, past, length, implicit=implicit)
                ]
            tree[tag] = items
        elif length != UNDEFINED:
            tree.setdefault(tag, data[value:past])
    return tree


def _plain_items(
    data: bytes, tag: int, position: int, end: int, implicit: bool, depth: int
) -> list[_Tree | _Uids] | None:
    """The items of a sequence when all have a defined length; None to let the general walk see."""
    items: list[_Tree | _Uids] = []
    uids = _uids_implicit if implicit else _uids_explicit
    image = tag == _CONTENT and depth == 0
    while position < end:
        if position + 8 > end:
            return None
        group, element, size = _tag_and_length(data, position)
        past = position + 8 + size
        if group != 0xFFFE or element != 0xE000 or past > end:
            return None
        pair = None
        if tag == _REFERENCED:
            pair = uids(data, position + 8, past)
        elif image:
            pair = _image(data, position + 8, past, implicit)
        items.append(pair or _read(data, position + 8, past, implicit, depth + 1))
        position = past
    return items


def _image(data: bytes, start: int, end: int, implicit: bool) -> _Uids | None:
    """The two UIDs of a content item that begins by one reference, and the rest of the item."""
    head = b"\x08\x00\x99\x11" if implicit else b"\x08\x00\x99\x11SQ\0\0"
    inner = start + len(head) + 12
    if inner > end or data[start : start + len(head)] != head:
        return None
    size = _long(data, inner - 4)[0]
    if data[inner - 8 : inner - 4] != b"\xfe\xff\x00\xe0" or inner + size > end:
        return None
    if _long(data, inner - 12)[0] != size + 8:
        return None
    uids = _uids_implicit if implicit else _uids_explicit
    pair = uids(data, inner, inner + size)
    return pair and (*pair, data[inner + size : end])


def _uids_explicit(data: bytes, start: int, end: int) -> _Uids | None:
    """The two UIDs of an item that has nothing else, in explicit VR."""
    if end - start < 16 or data[start : start + 6] != b"\x08\x00\x50\x11UI":
        return None
    middle = start + 8 + (data[start + 6] | data[start + 7] << 8)
    if middle + 8 > end or data[middle : middle + 6] != b"\x08\x00\x55\x11UI":
        return None
    if middle + 8 + (data[middle + 6] | data[middle + 7] << 8) != end:
        return None
    return data[start + 8 : middle], data[middle + 8 : end]


def _uids_implicit(data: bytes, start: int, end: int) -> _Uids | None:
    """The same in implicit VR."""
    if end - start < 16 or data[start : start + 4] != b"\x08\x00\x50\x11":
        return None
    middle = start + 8 + _long(data, start + 4)[0]
    if middle + 8 > end or data[middle : middle + 4] != b"\x08\x00\x55\x11":
        return None
    if middle + 8 + _long(data, middle + 4)[0] != end:
        return None
    return data[start + 8 : middle], data[middle + 8 : end]


class _Reader:
    """Turns trees into values with one character set."""

    def __init__(self, codec: str, *, implicit: bool) -> None:
        self._codec = codec
        self._implicit = implicit
        self._said: dict[bytes, str] = {}
        self._alike: dict[bytes, ContentItem] = {}

    def text(self, tree: _Tree, tag: int) -> str | None:
        value = tree.get(tag)
        if not isinstance(value, bytes):
            return None
        if len(value) > _OFTEN:
            return value.decode(self._codec, "replace").strip(" \0")
        # The same few codes are in every item.
        said = self._said.get(value)
        if said is None:
            said = self._said[value] = value.decode(self._codec, "replace").strip(" \0")
        return said

    def long_text(self, tree: _Tree, tag: int) -> str | None:
        value = tree.get(tag)
        if not isinstance(value, bytes):
            return None
        return value.decode(self._codec, "replace").rstrip(" \0")

    def manifest(self, tree: _Tree) -> Manifest:
        text = self.text
        names = text(tree, 0x00101001)
        return Manifest(
            specific_character_set=text(tree, 0x00080005),
            instance_creation_date=text(tree, 0x00080012),
            instance_creation_time=text(tree, 0x00080013),
            sop_class=text(tree, 0x00080016),
            sop_instance=text(tree, 0x00080018),
            study_date=text(tree, 0x00080020),
            series_date=text(tree, 0x00080021),
            content_date=text(tree, 0x00080023),
            study_time=text(tree, 0x00080030),
            series_time=text(tree, 0x00080031),
            content_time=text(tree, 0x00080033),
            accession_number=text(tree, 0x00080050),
            modality=text(tree, 0x00080060),
            manufacturer=text(tree, 0x00080070),
            institution_name=text(tree, 0x00080080),
            referring_physician=text(tree, 0x00080090),
            timezone_offset=text(tree, 0x00080201),
            study_description=text(tree, 0x00081030),
            series_description=text(tree, 0x0008103E),
            manufacturer_model=text(tree, 0x00081090),
            performed_procedure_steps=self._pairs(tree, 0x00081111),
            patient_name=text(tree, 0x00100010),
            patient_id=text(tree, 0x00100020),
            issuer_of_patient_id=text(tree, 0x00100021),
            patient_id_qualifiers=self._issuers(tree, 0x00100024),
            birth_date=text(tree, 0x00100030),
            sex=text(tree, 0x00100040),
            other_patient_names=None if names is None else _split(names),
            other_patient_ids=self._other_ids(tree),
            patient_comments=text(tree, 0x00104000),
            software_versions=text(tree, 0x00181020),
            study_uid=text(tree, 0x0020000D),
            series_uid=text(tree, 0x0020000E),
            study_id=text(tree, 0x00200010),
            series_number=text(tree, 0x00200011),
            instance_number=text(tree, 0x00200013),
            value_type=text(tree, 0x0040A040),
            title=self._codes(tree, 0x0040A043),
            continuity=text(tree, 0x0040A050),
            requests=self._requests(tree),
            studies=self._studies(tree, 0x0040A375) or (),
            template=self._templates(tree),
            identical_documents=self._studies(tree, 0x0040A525),
            content=self._contents(tree.get(_CONTENT)),
        )

    def _codes(self, tree: _Tree, tag: int) -> tuple[Code, ...] | None:
        items = _items(tree, tag)
        if items is None:
            return None
        return tuple(
            Code(
                self.text(item, 0x00080100),
                self.text(item, 0x00080102),
                self.text(item, 0x00080104),
            )
            for item in items
        )

    def _issuers(self, tree: _Tree, tag: int) -> tuple[Issuer, ...] | None:
        items = _items(tree, tag)
        if items is None:
            return None
        return tuple(
            Issuer(
                universal_id=self.text(item, 0x00400032),
                universal_id_type=self.text(item, 0x00400033),
                local_id=self.text(item, 0x00400031),
            )
            for item in items
        )

    def _pairs(self, tree: _Tree, tag: int) -> tuple[tuple[str, str], ...] | None:
        items = tree.get(tag)
        return tuple(map(self._pair, items)) if isinstance(items, list) else None

    def _pair(self, item: _Tree | _Uids) -> tuple[str, str]:
        """SOP class and SOP instance: the hot path."""
        if isinstance(item, dict):
            return _uid(item, _CLASS), _uid(item, _INSTANCE)
        sop_class = self._said.get(item[0])
        if sop_class is None:
            sop_class = self._said[item[0]] = _word(item[0])
        return sop_class, _word(item[1])

    def _other_ids(self, tree: _Tree) -> tuple[OtherPatientId, ...] | None:
        items = _items(tree, 0x00101002)
        if items is None:
            return None
        return tuple(
            OtherPatientId(
                patient_id=self.text(item, 0x00100020),
                issuer=self.text(item, 0x00100021),
                type=self.text(item, 0x00100022),
                qualifiers=self._issuers(item, 0x00100024),
            )
            for item in items
        )

    def _requests(self, tree: _Tree) -> tuple[Request, ...] | None:
        items = _items(tree, 0x0040A370)
        if items is None:
            return None
        return tuple(
            Request(
                study_uid=self.text(item, 0x0020000D),
                accession_number=self.text(item, 0x00080050),
                accession_issuer=self._issuers(item, 0x00080051),
                referenced_studies=self._pairs(item, 0x00081110),
                description=self.text(item, 0x00321060),
                procedure_codes=self._codes(item, 0x00321064),
                procedure_id=self.text(item, 0x00401001),
                placer_order_number=self.text(item, 0x00402016),
                placer_issuer=self._issuers(item, 0x00400026),
                filler_order_number=self.text(item, 0x00402017),
                filler_issuer=self._issuers(item, 0x00400027),
            )
            for item in items
        )

    def _templates(self, tree: _Tree) -> tuple[Template, ...] | None:
        items = _items(tree, 0x0040A504)
        if items is None:
            return None
        return tuple(
            Template(self.text(item, 0x00080105), self.text(item, 0x0040DB00)) for item in items
        )

    def _studies(self, tree: _Tree, tag: int) -> tuple[StudyEvidence, ...] | None:
        items = _items(tree, tag)
        if items is None:
            return None
        return tuple(
            StudyEvidence(
                _uid(item, 0x0020000D),
                tuple(self._series(series) for series in _items(item, 0x00081115) or ()),
            )
            for item in items
        )

    def _series(self, tree: _Tree) -> SeriesEvidence:
        items = tree.get(_REFERENCED)
        return SeriesEvidence(
            series_uid=_uid(tree, 0x0020000E),
            instances=tuple(map(self._instance, items if isinstance(items, list) else ())),
            retrieve_url=self.text(tree, 0x00081190),
            retrieve_location_uid=self.text(tree, 0x0040E011),
            retrieve_ae_title=self.text(tree, 0x00080054),
            series_number=self.text(tree, 0x00200011),
            modality=self.text(tree, 0x00080060),
        )

    def _instance(self, item: _Tree | _Uids) -> InstanceRef:
        sop_class, sop_instance = self._pair(item)
        if isinstance(item, tuple):
            return InstanceRef(sop_class, sop_instance)
        return InstanceRef(
            sop_class,
            sop_instance,
            self.text(item, 0x00200013),
            self.text(item, 0x00280008),
            tuple(map(self._key_object, _items(item, _REFERENCED) or ())),
        )

    def _key_object(self, tree: _Tree) -> KeyObjectRef:
        titles = self._codes(tree, 0x0040A043)
        texts = [self.long_text(item, 0x0040A160) for item in _items(tree, 0x0040A730) or ()]
        return KeyObjectRef(
            sop_instance=_uid(tree, 0x00081155),
            sop_class=self.text(tree, 0x00081150),
            series_uid=self.text(tree, 0x0020000E),
            title=titles[0] if titles else None,
            text=next((found for found in texts if found is not None), None),
        )

    def _contents(self, items: bytes | list[_Tree | _Uids] | None) -> tuple[ContentItem, ...]:
        if not isinstance(items, list):
            return ()
        return tuple(
            self._content(item) if isinstance(item, dict) else self._image(item) for item in items
        )

    def _image(self, item: _Uids) -> ContentItem:
        """One of many that differ by their instance alone."""
        rest = item[2]
        like = self._alike.get(rest)
        if like is None:
            try:
                tree = _read(rest, 0, len(rest), self._implicit, 1)
            except DicomSyntaxError as error:
                # Its offsets are those of the rest of an item, which lies anywhere in the file.
                raise KosSyntaxError(str(error), where=error.where) from None
            like = self._content(tree)
            if len(rest) <= _ALIKE:
                self._alike[rest] = like
        return ContentItem(
            value_type=like.value_type,
            relationship=like.relationship,
            concept=like.concept,
            text=like.text,
            references=(self._pair(item),),
        )

    def _content(self, tree: _Tree) -> ContentItem:
        concepts = self._codes(tree, 0x0040A043)
        return ContentItem(
            value_type=self.text(tree, 0x0040A040),
            relationship=self.text(tree, 0x0040A010),
            concept=concepts[0] if concepts else None,
            text=self.long_text(tree, 0x0040A160),
            references=self._pairs(tree, 0x00081199) or (),
        )


def _items(tree: _Tree, tag: int) -> list[_Tree] | None:
    value = tree.get(tag)
    if not isinstance(value, list):
        return None
    return [one if isinstance(one, dict) else {_CLASS: one[0], _INSTANCE: one[1]} for one in value]


def _uid(tree: _Tree, tag: int) -> str:
    value = tree.get(tag)
    return _word(value) if isinstance(value, bytes) else ""


def _word(value: bytes) -> str:
    return value.decode("latin-1").strip(" \0")


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip(" ") for name in names.split("\\"))
