"""Bodies that are neither HL7, XML nor DICOM: JSON, forms, plain text, and the rest as hex."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from reports import redact
from reports.annotate.model import Block, Code, Fact, Facts, Token

__all__ = ["form", "hexdump", "json_lines", "plain", "shown", "size", "text_or_hex"]

MAX_LINES = 400
MAX_CHARACTERS = 24_000
HEX_BYTES = 256
_JSON_TOKEN = re.compile(r'("(?:\\.|[^"\\])*")(\s*:)?')
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def size(octets: int) -> str:
    """A size in French, exact under 10 kB: `512 octets`, `12,3 ko`, `4,0 Mo`."""
    if octets < 10_000:
        return f"{octets} octet{'s' if octets > 1 else ''}"
    if octets < 1_000_000:
        return f"{octets / 1000:.1f} ko".replace(".", ",")
    return f"{octets / 1_000_000:.1f} Mo".replace(".", ",")


def shown(content: str, limit: int) -> str:
    """`content` without its secrets; when long, its beginning, full length and digest."""
    if len(content) <= limit:
        return redact.text(content)
    # Enough beyond the limit that a secret which begins before it is seen, and masked, whole.
    kept = redact.text(content[: limit + 4096])[:limit]
    digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kept}… ‹{len(content)} caractères, sha256 {digest[:16]}…›"


def form(body: str) -> tuple[Facts, ...]:
    """The fields of an `application/x-www-form-urlencoded` body."""
    pairs = parse_qsl(body, keep_blank_values=True, errors="replace")
    rows = tuple(
        Fact(redact.text(name), shown(redact.value(name, content), 2000)) for name, content in pairs
    )
    return (Facts(rows),)


def json_lines(body: str) -> tuple[tuple[Block, ...], str]:
    """Indented JSON with its secrets masked, or the text as it is when it is not JSON."""
    try:
        document = json.loads(body)
        written = json.dumps(_masked(document), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return plain(body)
    return _code(written, _json_tokens)


def plain(body: str) -> tuple[tuple[Block, ...], str]:
    """Lines of text, cut to what a page can show."""
    return _code(redact.text(_UNPRINTABLE.sub("·", body)), _one_token)


def hexdump(body: bytes) -> tuple[tuple[Block, ...], str]:
    """The first bytes, sixteen a line."""
    shown = redact.data(body)[:HEX_BYTES]
    lines = []
    for start in range(0, len(shown), 16):
        row = shown[start : start + 16]
        printable = "".join(chr(octet) if 32 <= octet < 127 else "·" for octet in row)
        lines.append((Token("comment", f"{start:06x}  "), Token("", f"{row.hex(' '):<47}  "),
                      Token("string", printable)))  # fmt: skip
    left = len(body) - len(shown)
    return (Code(tuple(lines)),), f"{left} octets de plus non affichés" if left else ""


def text_or_hex(body: bytes, charset: str = "utf-8") -> tuple[tuple[Block, ...], str]:
    """Text when the bytes are decodable, else the beginning in hexadecimal."""
    try:
        decoded = body.decode(charset)
    except (UnicodeDecodeError, LookupError, ValueError):
        return hexdump(body)
    return hexdump(body) if "\x00" in decoded else plain(decoded)


def _masked(document: Any) -> Any:
    match document:
        case dict():
            return {redact.text(key): _member(key, content) for key, content in document.items()}
        case list():
            return [_masked(content) for content in document]
        case str():
            return redact.text(document)
        case _:
            return document


def _member(key: str, content: Any) -> Any:
    # `code` is a secret in a form only: in JSON it is a profession, an error, a unit.
    if isinstance(content, str) and key.lower() != "code":
        return redact.value(key, content)
    return _masked(content)


def _code(
    content: str, tokens: Callable[[str], tuple[Token, ...]]
) -> tuple[tuple[Block, ...], str]:
    shown = content[:MAX_CHARACTERS]
    lines = shown.splitlines()
    kept = lines[:MAX_LINES]
    note = ""
    if len(shown) < len(content) or len(kept) < len(lines):
        displayed = sum(len(line) + 1 for line in kept)
        note = f"affichage coupé : {displayed} caractères sur {len(content)}"
    return (Code(tuple(tokens(line) for line in kept)),), note


def _one_token(line: str) -> tuple[Token, ...]:
    return (Token("", line),)


def _json_tokens(line: str) -> tuple[Token, ...]:
    tokens = []
    end = 0
    for found in _JSON_TOKEN.finditer(line):
        if found.start() > end:
            tokens.append(Token("", line[end : found.start()]))
        tokens.append(Token("name" if found[2] else "string", found[1]))
        end = found.start() + len(found[1])
    if end < len(line) or not line:
        tokens.append(Token("", line[end:]))
    return tuple(tokens)
