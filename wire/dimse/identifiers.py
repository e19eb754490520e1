"""Identifiers of queries, as pydicom data sets and as bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode
from pynetdicom.dsutils import encode as encode_anything

from protocols.dicom import encode_element
from wire.dimse.messages import DimseRefusal

__all__ = ["decoded", "encoded"]

_MISMATCH, _UNABLE_TO_PROCESS = 0xA900, 0xC000
_PLAIN = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UI")
)  # fmt: skip
"""VRs whose values are short texts, and written as pydicom shows them."""


def decoded(data: bytes, *, implicit: bool) -> Dataset:
    """The identifier of a request.

    Raises:
        DimseRefusal: it cannot be decoded.
    """
    try:
        identifier = decode(BytesIO(data), implicit, True)
        # Decoding is lazy: a damaged identifier shows only when it is looked at.
        for _ in identifier:
            pass
    except Exception:
        raise DimseRefusal(_MISMATCH, "identifiant illisible") from None
    return identifier


def encoded(identifier: Any, *, implicit: bool) -> bytes:
    """The identifier of a response.

    Short ASCII texts, which is all that most have, are written here, in a third of the time that
    pydicom takes; it writes every data set that holds anything else.

    Raises:
        DimseRefusal: it cannot be encoded.
    """
    plain = _plainly(identifier, implicit)
    if plain is None:
        plain = encode_anything(identifier, implicit, True)
    if plain is None:
        raise DimseRefusal(_UNABLE_TO_PROCESS, "reponse impossible a ecrire")
    return plain


def _plainly(identifier: Any, implicit: bool) -> bytes | None:
    parts = []
    for element in identifier:
        if element.VR not in _PLAIN:
            return None
        value, count = element.value, element.VM
        if count == 0:
            text = ""
        elif count == 1:
            text = str(value)
        else:
            text = "\\".join(str(one) for one in value)
        if not text.isascii():
            return None
        parts.append(
            encode_element(int(element.tag), element.VR, text.encode("ascii"), implicit=implicit)
        )
    return b"".join(parts)
