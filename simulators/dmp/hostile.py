"""What a DMP gone bad, or somebody in its place, puts into a right answer.

Réf.: SOAP 1.2 part 1, 5 (no document type declaration), grade: standard; XOP 4 and RFC 2392 (one
part for each reference); security catalogue, SML-05.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from protocols.multipart import boundary_of

__all__ = ["ENDLESS", "PARTS", "TRAPS", "poisoned"]

ENDLESS: Final = "sans-fin"
"""The answer goes on after what it should be: `Reply.more_mib`."""
_ENVELOPE: Final = re.compile(rb"<(?:[\w-]+:)?Envelope\b")
_BODY: Final = re.compile(rb"(<(?:[\w-]+:)?Body\b[^>]*>)")
_INCLUDE: Final = re.compile(rb"<(?:[\w-]+:)?Include\b[^>]*/>|<([\w-]+:)?Include\b.*?</\1?Include>")
_BASE64_MIB: Final = 64


def _declared(content: bytes, used: bytes = b"") -> Callable[[str, bytes], bytes]:
    """A DTD before the envelope, and what uses it at the beginning of its body."""

    def change(_: str, body: bytes) -> bytes:
        dtd = b"<!DOCTYPE kit [" + content + b"]>"
        body = _ENVELOPE.sub(lambda found: dtd + found[0], body, count=1)
        return _BODY.sub(lambda found: found[1] + used, body, count=1)

    return change


def _bomb() -> bytes:
    chain = [b'<!ENTITY e0 "kit">']
    for number in range(1, 11):
        chain.append(b'<!ENTITY e%d "%s">' % (number, b"&e%d;" % (number - 1) * 10))
    return b"".join(chain)


def _inline(_: str, body: bytes) -> bytes:
    """The document written where it was referenced: base64 of nothing but zeros."""
    return _INCLUDE.sub(b"A" * (_BASE64_MIB << 20), body, count=1)


def _parts(content_type: str, body: bytes) -> tuple[bytes, list[bytes]]:
    mark = b"--" + boundary_of(content_type).encode()
    first, *rest = body.split(mark)
    return mark, [first, *rest]


def _missing(content_type: str, body: bytes) -> bytes:
    """The root alone, which goes on naming what is not there."""
    mark, parts = _parts(content_type, body)
    return mark.join([*parts[:2], parts[-1]])


def _twice(content_type: str, body: bytes) -> bytes:
    """The last part again under the same Content-ID, its content another's."""
    mark, parts = _parts(content_type, body)
    head, blank, content = parts[-2].partition(b"\r\n\r\n")
    other = head + blank + bytes(len(content) - 2) + b"\r\n"
    return mark.join([*parts[:-1], other, parts[-1]])


PARTS: Final = ("base64", "partie-absente", "partie-double")
"""Those that strike a document, hence an answer that carries one."""

TRAPS: Final[Mapping[str, tuple[str, Callable[[str, bytes], bytes]]]] = {
    "doctype": ("une déclaration de type de document", _declared(b"")),
    "entites": ("une bombe d'entités", _declared(_bomb(), b"&e10;")),
    "externe": (
        "une entité qui mène à un fichier",
        _declared(b'<!ENTITY kit SYSTEM "file:///etc/hostname">', b"&kit;"),
    ),
    "base64": ("64 Mio de base64 à la place d'un document", _inline),
    "partie-absente": ("un document annoncé, sans sa partie MTOM", _missing),
    "partie-double": ("deux parties MTOM du même Content-ID", _twice),
    ENDLESS: ("une réponse qui ne finit pas", lambda _, body: body),
}
"""Name -> what it is, in French; what it makes of (content type, body)."""


def poisoned(trap: str, content_type: str, body: bytes) -> bytes:
    """The body of a right answer under that trap.

    Raises:
        KeyError: there is none of that name.
    """
    return TRAPS[trap][1](content_type, body)
