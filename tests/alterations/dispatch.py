"""Which way an artefact is altered, from what its bytes look like."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator

from tests.alterations import archive, der, dicom, form, hl7, http, markup, structured
from tests.alterations.model import ABSENT, DOUBLED, Alteration

__all__ = ["alterations"]


def alterations(good: bytes) -> Iterator[Alteration]:
    """Every single change of a good artefact; those that leave its bytes alone are left out.

    Raises:
        LookupError: no way is known.
    """
    alter = _way(good)
    if alter is None:
        raise LookupError("no way to alter this artefact")
    return (one for one in alter(good) if one.data != good)


def _way(good: bytes) -> http.Body | None:
    if good.startswith(b"MSH"):
        return hl7.alterations
    if good.startswith(b"\x0bMSH"):
        return _framed
    if good.startswith(b"PK"):
        return lambda data: archive.alterations(data, _way)
    if der.is_der(good):
        return der.alterations
    if good.startswith((b"http://", b"https://")):
        return form.of_link
    if good[128:132] == b"DICM":
        return dicom.alterations
    if good.lstrip(b"\xef\xbb\xbf").startswith(b"<"):
        return markup.alterations
    if good.startswith((b"{", b"[")):
        return structured.alterations
    if b" HTTP/1." in good[:4096] or good.startswith(b"HTTP/1."):
        return lambda data: http.alterations(data, _body)
    if good.startswith(b"ey") and good.count(b".") == 2:
        return _token
    return None


def _body(content_type: str) -> http.Body | None:
    """By a media type, or by headers that hold one."""
    kind = content_type.lower()
    if "x-www-form-urlencoded" in kind:
        return form.of_form
    if "application/dicom" in kind:
        return dicom.alterations
    if "json" in kind:
        return structured.alterations
    return markup.alterations if "xml" in kind else None


def _token(good: bytes) -> Iterator[Alteration]:
    """Claims of a compact JWS. Its signature is left: what it says of the change is not counted."""
    pieces = good.split(b".")
    for rank, part in enumerate(("en-tête", "contenu")):
        padded = pieces[rank] + b"=" * (-len(pieces[rank]) % 4)
        content = b64decode(padded, altchars=b"-_")
        for one in structured.alterations(content):
            encoded = binascii.b2a_base64(one.data, newline=False)
            url = encoded.rstrip(b"=").translate(bytes.maketrans(b"+/", b"-_"))
            whole = b".".join([*pieces[:rank], url, *pieces[rank + 1 :]])
            yield Alteration(f"{part}/{one.place}", one.change, whole)


def _framed(good: bytes) -> Iterator[Alteration]:
    """The bytes of the frame; the message within is another kind's affair."""
    yield Alteration("0x0B", ABSENT, good[1:])
    yield Alteration("0x0B", DOUBLED, b"\x0b" + good)
    yield Alteration("0x1C", ABSENT, good.replace(b"\x1c", b""))
    yield Alteration("0x0D", ABSENT, good[:-1])
    yield Alteration("0x1C 0x0D", DOUBLED, good + good[-2:])
    yield Alteration("0x1C 0x0D", ABSENT, good[:-2])
