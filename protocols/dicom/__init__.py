"""DICOM data sets as bytes: files, headers edited in place, VR conversion, JSON, UIDs.

Sans-IO plumbing for whoever moves instances without decoding their pixels.
"""

from __future__ import annotations

from protocols.dicom.charset import codec_of
from protocols.dicom.convert import explicit_from_implicit, implicit_from_explicit, vr_of
from protocols.dicom.dicomjson import bulk_value, json_line, to_json
from protocols.dicom.edit import header_end, read_texts, read_values, replace_elements
from protocols.dicom.elements import (
    DicomSyntaxError,
    Element,
    encode_element,
    encode_item,
    encode_sequence,
    is_implicit,
    iter_items,
    tag_name,
    walk,
)
from protocols.dicom.part10 import Part10, build_part10, file_meta, split_part10
from protocols.dicom.uid import is_uid

__all__ = [
    "DicomSyntaxError",
    "Element",
    "Part10",
    "build_part10",
    "bulk_value",
    "codec_of",
    "encode_element",
    "encode_item",
    "encode_sequence",
    "explicit_from_implicit",
    "file_meta",
    "header_end",
    "implicit_from_explicit",
    "is_implicit",
    "is_uid",
    "iter_items",
    "json_line",
    "read_texts",
    "read_values",
    "replace_elements",
    "split_part10",
    "tag_name",
    "to_json",
    "vr_of",
    "walk",
]
