"""What a request accepts: which form of the resource, in which transfer syntaxes, best first.

Réf.: RFC 9110 12.5.1, DICOM PS3.18 8.7.3 (media types) and 8.7.8 (choice), grade `standard`.
"""

from __future__ import annotations

from collections.abc import Sequence

from drimbox_ref.source.values import Denied, Form, Representation
from protocols.dicomweb import (
    ANY_TRANSFER_SYNTAX,
    FRAME_MEDIA_TYPES,
    Preference,
    Resource,
    parse_accept,
)
from protocols.errors import RemoteProtocolError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.wado import MEDIA_TYPE, MULTIPART_RELATED

__all__ = ["AcceptNegotiator"]

_JSON = ("application/dicom+json", "application/json", "application/*", "*/*")
_ANYTHING = ("*/*", "multipart/*")
_OCTETS = "application/octet-stream"


class AcceptNegotiator:
    """A `Negotiator`."""

    def read(self, resource: Resource, accept: Sequence[str]) -> Representation | Denied:
        """What these Accept header lines take of that resource.

        No Accept means the default: JSON for metadata, else Explicit VR Little Endian.
        """
        form = _form(resource)
        try:
            preferences = parse_accept(accept)
        except RemoteProtocolError as error:
            return Denied(status=400, error="", message=f"En-tête Accept illisible : {error}")
        if form is Form.METADATA:
            wanted = [one for one in preferences if one.media_type in _JSON and one.q > 0]
            if wanted or not preferences:
                return Representation(form, ())
            return _none("application/dicom+json")
        taken = _taken(preferences, form)
        if not preferences:
            taken = (EXPLICIT_VR_LITTLE_ENDIAN,)
        if not taken:
            served = MEDIA_TYPE if form is Form.INSTANCES else _OCTETS
            return _none(f'{MULTIPART_RELATED}; type="{served}"')
        refused = frozenset(_syntax(one, form) for one in preferences if one.q == 0)
        return Representation(form, taken, refused - {""})


def _form(resource: Resource) -> Form:
    if resource.suffix == "metadata":
        return Form.METADATA
    return Form.FRAMES if resource.frames else Form.INSTANCES


def _none(served: str) -> Denied:
    return Denied(
        status=406, error="", message=f"Aucune représentation acceptable : {served} est servi."
    )


def _taken(preferences: Sequence[Preference], form: Form) -> tuple[str, ...]:
    """The transfer syntaxes, the best first, as written among equals."""
    ranked = sorted((one for one in preferences if one.q > 0), key=lambda preference: -preference.q)
    return tuple(dict.fromkeys(filter(None, (_syntax(one, form) for one in ranked))))


def _syntax(preference: Preference, form: Form) -> str:
    """The transfer syntax that an element of Accept names or implies; "" for another resource."""
    if preference.media_type in _ANYTHING:
        return EXPLICIT_VR_LITTLE_ENDIAN
    if preference.media_type != MULTIPART_RELATED:
        return ""
    if form is Form.INSTANCES:
        if preference.part_type not in (None, MEDIA_TYPE):
            return ""
        return preference.transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN
    known = FRAME_MEDIA_TYPES.get(preference.part_type or _OCTETS)
    if known is None:
        return ""
    named = preference.transfer_syntax
    if named is None:
        return known[0]
    return named if named in known or named == ANY_TRANSFER_SYNTAX else ""
