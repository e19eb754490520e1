"""STOW-RS as syntax: instances in one multipart request, and what the answer says was not taken.

Réf. PS3.18 10.5 (Store transaction), 10.5.3 (response), PS3.3 C.12.1.1 for the references.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocols.errors import RemoteProtocolError
from protocols.multipart import Writer, format_content_type

__all__ = ["ANSWER_TYPE", "Answer", "StowSyntaxError", "body", "content_type", "read_answer"]

ANSWER_TYPE = "application/dicom+json"
"""What to ask for in Accept: the default is up to the server (PS3.18 8.7.4)."""

_DICOM = "application/dicom"
_STORED = "00081199"  # ReferencedSOPSequence
_FAILED = "00081198"  # FailedSOPSequence
_SOP_INSTANCE = "00081155"  # ReferencedSOPInstanceUID
_REASON = "00081197"  # FailureReason


class StowSyntaxError(RemoteProtocolError):
    """The answer is no store response in DICOM JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says that it did with each instance."""

    stored: tuple[str, ...]
    """SOPInstanceUIDs."""
    failed: Mapping[str, int | None]
    """SOPInstanceUID -> FailureReason, when it gave one."""


def content_type(boundary: str) -> str:
    """The Content-Type of a request."""
    return format_content_type("multipart/related", {"type": _DICOM, "boundary": boundary})


def body(files: Sequence[bytes], boundary: str) -> Iterator[bytes]:
    """The request's body, piece by piece; `boundary` must be in no file.

    Raises:
        LocalProtocolError: `boundary` cannot be one.
    """
    writer = Writer(boundary)
    for file in files:
        yield writer.begin_part((("Content-Type", _DICOM), ("Content-Length", str(len(file)))))
        yield writer.data(file)
    yield writer.end()


def read_answer(data: bytes) -> Answer:
    """Read a response body in DICOM JSON; an empty one says nothing of any instance.

    Raises:
        StowSyntaxError: it is something else.
    """
    if not data.strip():
        return Answer((), {})
    try:
        read = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StowSyntaxError(f"réponse STOW-RS : JSON attendu : {error}") from None
    # A server may answer the data set alone, or in an array as other DICOM JSON is.
    data_set = read[0] if isinstance(read, list) and len(read) == 1 else read
    if not isinstance(data_set, dict):
        raise StowSyntaxError("réponse STOW-RS : un jeu de données est attendu")
    return Answer(
        tuple(uid for uid, _ in _items(data_set, _STORED)), dict(_items(data_set, _FAILED))
    )


def _items(data_set: Mapping[str, Any], tag: str) -> Iterator[tuple[str, int | None]]:
    for item in _values(data_set, tag):
        if not isinstance(item, dict):
            raise StowSyntaxError(f"réponse STOW-RS : {tag} n'est pas une séquence")
        uid = next(iter(_values(item, _SOP_INSTANCE)), None)
        reason = next(iter(_values(item, _REASON)), None)
        if not isinstance(uid, str):
            raise StowSyntaxError(f"réponse STOW-RS : {_SOP_INSTANCE} absent d'un élément de {tag}")
        yield uid, reason if isinstance(reason, int) else None


def _values(data_set: Mapping[str, Any], tag: str) -> list[Any]:
    element = data_set.get(tag, {})
    values = element.get("Value", []) if isinstance(element, dict) else None
    if not isinstance(values, list):
        raise StowSyntaxError(f"réponse STOW-RS : {tag} mal formé")
    return values
