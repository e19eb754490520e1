"""DICOMweb retrieve, as text: resource paths, `Accept` preferences, media types of the parts.

Sources: PS3.18 8.7 (media types), 10.4 (retrieve), RFC 9110 12.5.1 (`Accept`), with what the ANS
validator samples add: `boundary=**` in `Accept`, a trailing comma, one header line or several.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from protocols.dicom import is_uid
from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "ANY_TRANSFER_SYNTAX",
    "FRAME_MEDIA_TYPES",
    "DicomWebSyntaxError",
    "MediaType",
    "Preference",
    "Resource",
    "format_accept",
    "format_path",
    "frame_media_type",
    "parse_accept",
    "parse_media_type",
    "parse_path",
    "part_headers",
    "ranked",
    "response_content_type",
]

ANY_TRANSFER_SYNTAX = "*"
"""`transfer-syntax=*`: whatever the server has (PS3.18 8.7.3.5.2)."""

FRAME_MEDIA_TYPES = {
    "application/octet-stream": ("1.2.840.10008.1.2.1",),
    "image/jpeg": (
        "1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.50",
        "1.2.840.10008.1.2.4.51",
        "1.2.840.10008.1.2.4.57",
    ),
    "image/dicom-rle": ("1.2.840.10008.1.2.5",),
    "image/jls": ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"),
    "image/jp2": ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"),
    "video/mpeg": ("1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.101"),
    "video/mp4": ("1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.103"),
}
"""Of frames: media type -> its transfer syntaxes, the default one first (PS3.18 8.7.3.3)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_QVALUE = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_PATH = re.compile(
    r"(?P<prefix>.*?)/studies/(?P<study>[^/]*)"
    r"(?:/series/(?P<series>[^/]*)"
    r"(?:/instances/(?P<instance>[^/]*)"
    r"(?:/frames/(?P<frames>[^/]*))?)?)?"
    r"(?:/(?P<suffix>metadata|rendered|thumbnail|bulkdata(?:/.*)?))?/?",
    re.DOTALL,
)


class DicomWebSyntaxError(RemoteProtocolError):
    """A path, a media type or an `Accept` header that cannot be read."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or range with its parameters, names in lower case, values unquoted."""

    type: str
    parameters: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The first parameter of that lower-case name, or None."""
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(frozen=True, slots=True)
class Preference:
    """One acceptable representation, as a client wrote it."""

    transfer_syntax: str | None
    """A UID, `*`, or None when the client names none (Explicit VR Little Endian is meant)."""
    q: float = 1.0
    media_type: str = "multipart/related"
    part_type: str | None = "application/dicom"
    """The `type` parameter of `multipart/related`, unquoted."""
    boundary: str | None = None
    """Some clients propose one; a server chooses its own."""
    q_written: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Resource:
    """A retrieve resource: what lies between `/studies/` and the end of a path."""

    study: str
    series: str | None = None
    instance: str | None = None
    frames: tuple[int, ...] = ()
    prefix: str = ""
    """The service root, without trailing slash."""
    suffix: str = ""
    """`metadata`, `rendered`, `thumbnail`, `bulkdata...` or ""."""

    @property
    def level(self) -> str:
        """`study`, `series`, `instance` or `frames`."""
        if self.frames:
            return "frames"
        if self.instance is not None:
            return "instance"
        return "study" if self.series is None else "series"


def parse_path(path: str) -> Resource:
    """The resource that a path (no query string) names.

    Raises:
        DicomWebSyntaxError: not a retrieve path, or a UID that is not one.
    """
    matched = _PATH.fullmatch(path)
    if matched is None:
        raise DicomWebSyntaxError(f"chemin DICOMweb inconnu : {path!r}", where="path")
    for name in ("study", "series", "instance"):
        uid = matched[name]
        if uid is not None and not is_uid(uid):
            raise DicomWebSyntaxError(f"UID illégal : {uid!r}", where=name, span=matched.span(name))
    frames: tuple[int, ...] = ()
    if matched["frames"] is not None:
        numbers = matched["frames"].split(",")
        if not all(
            number.isascii() and number.isdigit() and len(number) < 10 for number in numbers
        ):
            raise DicomWebSyntaxError(
                f"numéros d'images illisibles : {matched['frames']!r}",
                where="frames",
                span=matched.span("frames"),
            )
        frames = tuple(map(int, numbers))
    return Resource(
        matched["study"],
        matched["series"],
        matched["instance"],
        frames,
        matched["prefix"],
        matched["suffix"] or "",
    )


def format_path(
    study: str, series: str | None = None, instance: str | None = None, *, prefix: str = ""
) -> str:
    """`{prefix}/studies/{study}[/series/{series}[/instances/{instance}]]`.

    Raises:
        LocalProtocolError: an illegal UID, or an instance without a series.
    """
    uids = [uid for uid in (study, series, instance) if uid is not None]
    if not all(map(is_uid, uids)) or (instance is not None and series is None):
        raise LocalProtocolError(f"UID illégal ou série absente : {uids}")
    names = ("studies", "series", "instances")
    return prefix.rstrip("/") + "".join(
        f"/{name}/{uid}" for name, uid in zip(names, uids, strict=False)
    )


def parse_media_type(value: str) -> MediaType:
    """A `Content-Type` value, or one element of `Accept`.

    Raises:
        DicomWebSyntaxError: no type, an unbalanced quote, a parameter without value.
    """
    pieces = list(_split(value, ";"))
    media_type = pieces[0].strip().lower()
    if media_type.count("/") != 1 or not all(map(_TOKEN.fullmatch, media_type.split("/"))):
        raise DicomWebSyntaxError(f"type de média illisible : {value!r}")
    parameters = []
    for piece in pieces[1:]:
        if not piece.strip():
            continue
        name, found, text = piece.partition("=")
        if not found or not name.strip():
            raise DicomWebSyntaxError(f"paramètre sans valeur : {piece.strip()!r}")
        parameters.append((name.strip().lower(), _unquote(text.strip())))
    return MediaType(media_type, tuple(parameters))


def parse_accept(values: Iterable[str]) -> tuple[Preference, ...]:
    """All the preferences of the `Accept` header lines `values`, in the order written.

    Empty list elements are skipped (a trailing comma is in an accepted sample); a missing `q`
    counts 1. An element that accepts whole `multipart/related`, `*/*` or single `application/dicom`
    is kept with its own media type: the server decides what it makes of it.

    Raises:
        DicomWebSyntaxError: an unreadable element, or a `q` out of RFC 9110's form.
    """
    preferences = []
    for line in values:
        for element in _split(line, ","):
            if not element.strip():
                continue
            try:
                media = parse_media_type(element)
            except DicomWebSyntaxError as error:
                raise DicomWebSyntaxError(str(error), where="Accept") from None
            written = media.get("q")
            if written is not None and _QVALUE.fullmatch(written) is None:
                raise DicomWebSyntaxError(f"q illisible : {written!r}", where="Accept")
            preferences.append(
                Preference(
                    transfer_syntax=media.get("transfer-syntax"),
                    q=1.0 if written is None else float(written),
                    media_type=media.type,
                    part_type=media.get("type"),
                    boundary=media.get("boundary"),
                    q_written=written,
                )
            )
    return tuple(preferences)


def ranked(preferences: Iterable[Preference]) -> tuple[Preference, ...]:
    """Those that are not refused (`q=0`), the best first, as written among equals."""
    wanted = [preference for preference in preferences if preference.q > 0]
    return tuple(sorted(wanted, key=lambda preference: -preference.q))


def format_accept(preferences: Sequence[tuple[str, float]]) -> tuple[str, ...]:
    """One `Accept` header value per `(transfer syntax, q)`, in the order given.

    Join them with `", "` for a single header line: both forms are in the accepted samples.

    Raises:
        LocalProtocolError: a transfer syntax that is neither a UID nor `*`, a q out of 0..1.
    """
    values = []
    for transfer_syntax, q in preferences:
        if transfer_syntax != ANY_TRANSFER_SYNTAX and not is_uid(transfer_syntax):
            raise LocalProtocolError(f"syntaxe de transfert illégale : {transfer_syntax!r}")
        if not 0 <= q <= 1:
            raise LocalProtocolError(f"q hors de 0..1 : {q}")
        weight = f"{q:.3f}".rstrip("0")
        weight += "0" if weight.endswith(".") else ""
        values.append(
            'multipart/related; type="application/dicom"; '
            f"transfer-syntax={transfer_syntax}; q={weight}"
        )
    return tuple(values)


def response_content_type(boundary: str, *, transfer_syntax: str | None = None) -> str:
    """The `Content-Type` of a multipart answer; the parts carry their own transfer syntax."""
    value = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
    if transfer_syntax is not None:
        value += f"; transfer-syntax={transfer_syntax}"
    return value


def part_headers(
    transfer_syntax: str, *, length: int | None = None, location: str | None = None
) -> tuple[tuple[str, str], ...]:
    """The headers of one part holding one instance, in that transfer syntax.

    Raises:
        LocalProtocolError: `transfer_syntax` is not a UID (a part never says `*`).
    """
    if not is_uid(transfer_syntax):
        raise LocalProtocolError(f"syntaxe de transfert illégale : {transfer_syntax!r}")
    headers = [("Content-Type", f"application/dicom; transfer-syntax={transfer_syntax}")]
    if length is not None:
        headers.append(("Content-Length", str(length)))
    if location is not None:
        headers.append(("Content-Location", location))
    return tuple(headers)


def frame_media_type(transfer_syntax: str) -> str:
    """The media type of a frame in that transfer syntax; octets for one that has none."""
    return next(
        (name for name, known in FRAME_MEDIA_TYPES.items() if transfer_syntax in known),
        "application/octet-stream",
    )


def _split(text: str, separator: str) -> Iterator[str]:
    """The pieces of `text` between separators that are not in a quoted string.

    Raises:
        DicomWebSyntaxError: a quoted string has no end.
    """
    start = 0
    quoted = escaped = False
    for index, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == separator and not quoted:
            yield text[start:index]
            start = index + 1
    if quoted:
        raise DicomWebSyntaxError("guillemet sans fin", span=(start, len(text)))
    yield text[start:]


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text
