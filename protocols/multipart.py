"""MIME multipart bodies, read as they arrive and written as they leave.

One reader for the two families that use it: SOAP with MTOM (a few parts, kept) and DICOMweb
(gigabytes, streamed). The parser holds at most one part header and the few bytes that may begin
a delimiter; everything else leaves in the events of the `feed` that brought it.

Réf. RFC 2046 section 5.1 (multipart), RFC 2387 (multipart/related), RFC 9110 section 8.3.1
(content types). Tolerated beyond them, because peers of the field do it: LF line ends, parts
with a Content-Length, unquoted parameters holding `/` or `:`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "Epilogue",
    "Event",
    "Headers",
    "MultipartError",
    "Parser",
    "PartBegin",
    "PartData",
    "PartEnd",
    "Writer",
    "body_length",
    "boundary_of",
    "format_content_type",
    "header",
    "parse_content_type",
]

Headers = tuple[tuple[str, str], ...]

MAX_HEADER_SIZE = 16 * 1024
"""Bytes of one part's header block: two hundred times what the field sends."""
MAX_BOUNDARY = 200
"""RFC 2046 says 70; longer ones circulate and harm nobody."""
_MAX_PADDING = 256
"""Blanks between a boundary and its line end (RFC 2046 "transport padding")."""


class MultipartError(RemoteProtocolError):
    """A multipart body, or its Content-Type, that cannot be read."""


@dataclass(frozen=True, slots=True)
class PartBegin:
    """The header of a part is complete; names as written, values unfolded."""

    headers: Headers

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name, case-insensitively."""
        return header(self.headers, name, default)


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the current part, never more than one `feed` brought."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The current part is whole; `size` counts its bytes."""

    size: int


@dataclass(frozen=True, slots=True)
class Epilogue:
    """The closing delimiter was met: nothing that follows means anything."""


Event = PartBegin | PartData | PartEnd | Epilogue


def header(headers: Iterable[tuple[str, str]], name: str, default: str = "") -> str:
    """The first header of that name, case-insensitively."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), default)


class _Kind(Enum):
    NONE = auto()
    """No delimiter before the end of what is held."""
    FALSE = auto()
    """The boundary is only the beginning of a longer word: it is data."""
    MORE = auto()
    """The boundary is there, what follows it is not yet."""
    OPEN = auto()
    CLOSE = auto()


_END_OF_HEADERS = re.compile(rb"\n\r?\n")


class Parser:
    """Incremental reader of one multipart body.

    Args:
        boundary: the parameter of the Content-Type, without the leading hyphens.
        max_header_size: bound on one part's header block, in bytes.
        trust_length: a part that announces its Content-Length is not searched for the boundary,
            and is an error when it does not end there. False searches every part.
    """

    def __init__(
        self,
        boundary: str,
        *,
        max_header_size: int = MAX_HEADER_SIZE,
        trust_length: bool = True,
    ) -> None:
        if not boundary or not boundary.isascii():
            raise LocalProtocolError(f"not a boundary: {boundary!r}")
        self._delimiter = b"\n--" + boundary.encode("ascii")
        self._max_header_size = max_header_size
        self._trust_length = trust_length
        # A body may start with its first delimiter: pretend that a line end came before it.
        self._buffer = b"\n"
        self._position = 0
        self._offset = -1
        self._state: Callable[[list[Event]], bool] = self._preamble
        self._in_part = False
        self._first = False
        self._lf_only: bool | None = None
        self._size = 0
        self._remaining = 0
        self.complete = False
        """The closing delimiter was met. False at the end of a stream means truncated."""

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes complete. Bytes after the closing delimiter are dropped.

        Raises:
            MultipartError: a header block is too long or malformed, or a Content-Length lies.
        """
        if self.complete:
            return []
        data = bytes(data)
        self._buffer = self._buffer + data if self._buffer else data
        self._position = 0
        events: list[Event] = []
        while self._state(events):
            pass
        self._offset += self._position
        self._buffer = self._buffer[self._position :]
        return events

    def finish(self) -> None:
        """The stream is over.

        Raises:
            MultipartError: before its closing delimiter.
        """
        if not self.complete:
            raise MultipartError(
                "corps multipart tronqué : frontière de fin absente", span=self._span(0)
            )

    def _span(self, length: int) -> tuple[int, int]:
        start = max(0, self._offset + self._position)
        return start, start + length

    # Each state consumes what it can from `_buffer[_position:]` and says whether to go on.

    def _preamble(self, events: list[Event]) -> bool:
        kind, end, after = self._search()
        self._position = after if kind in (_Kind.OPEN, _Kind.CLOSE) else end
        return self._leave(kind, events)

    def _leave(self, kind: _Kind, events: list[Event]) -> bool:
        """After a delimiter: to the next part, to the end, or nowhere yet."""
        if kind is _Kind.OPEN:
            self._state = self._headers
            return True
        if kind is _Kind.CLOSE:
            self.complete = True
            self._position = len(self._buffer)
            events.append(Epilogue())
        return False

    def _headers(self, events: list[Event]) -> bool:
        # `_position` is on the line end of the delimiter line, so that an empty block matches.
        match = _END_OF_HEADERS.search(self._buffer, self._position)
        size = (match.start() if match else len(self._buffer)) - self._position
        if size > self._max_header_size:
            raise MultipartError(
                f"en-tête de partie de plus de {self._max_header_size} octets",
                span=self._span(size),
            )
        if match is None:
            return False
        block = self._buffer[self._position + 1 : match.start() + 1]
        headers = self._parse_headers(block)
        events.append(PartBegin(headers))
        self._size = 0
        length = self._content_length(headers) if self._trust_length else 0
        if length:
            self._remaining = length
            self._position = match.end()
            self._state = self._counted
        else:
            # Stay on the blank line's end: it may be the one that begins the next delimiter
            # (RFC 2046: a body part may have no body at all).
            self._position = match.end() - 1
            self._first = True
            self._state = self._body
        return True

    def _parse_headers(self, block: bytes) -> Headers:
        headers: list[tuple[str, str]] = []
        for line in block.decode("latin-1").split("\n"):
            line = line.removesuffix("\r")
            if not line:
                continue
            if line[0] in " \t" and headers:
                name, value = headers[-1]
                headers[-1] = name, f"{value} {line.strip()}"
                continue
            name, colon, value = line.partition(":")
            if not colon or not name.strip() or name != name.strip():
                raise MultipartError(
                    f"en-tête de partie mal formé : {line[:80]!r}", span=self._span(len(block))
                )
            headers.append((name, value.strip()))
        return tuple(headers)

    def _content_length(self, headers: Headers) -> int:
        value = header(headers, "Content-Length")
        if not value:
            return 0
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            raise MultipartError(
                f"Content-Length de partie illisible : {value[:40]!r}", where="Content-Length"
            )
        return int(value)

    def _counted(self, events: list[Event]) -> bool:
        """The body of a part whose length is announced."""
        end = min(len(self._buffer), self._position + self._remaining)
        if end > self._position:
            events.append(PartData(self._buffer[self._position : end]))
            self._size += end - self._position
            self._remaining -= end - self._position
            self._position = end
        if self._remaining:
            return False
        self._state = self._counted_end
        return True

    def _counted_end(self, events: list[Event]) -> bool:
        """Right behind an announced body: only a delimiter may stand there."""
        held = self._buffer[self._position : self._position + 1 + len(self._delimiter)]
        skip = 1 if held[:1] == b"\r" else 0
        if held and not skip and not self._lf_only:
            self._lying_length()
        held = held[skip : skip + len(self._delimiter)]
        if held != self._delimiter:
            if self._delimiter.startswith(held):
                return False
            self._lying_length()
        kind, after = self._follows(self._position + skip)
        if kind is _Kind.FALSE:
            self._lying_length()
        if kind is _Kind.MORE:
            return False
        events.append(PartEnd(self._size))
        self._position = after
        return self._leave(kind, events)

    def _lying_length(self) -> None:
        raise MultipartError(
            f"le Content-Length de la partie ({self._size}) ne mène pas à une frontière",
            where="Content-Length",
            span=self._span(1),
        )

    def _body(self, events: list[Event]) -> bool:
        """The body of a part whose end must be searched."""
        start = self._position
        kind, end, after = self._search()
        if self._first:
            if end == start:
                # Nothing but the blank line's end, perhaps itself part of a delimiter.
                if kind in (_Kind.NONE, _Kind.MORE):
                    return False
            else:
                start += 1
                self._first = False
        if end > start:
            events.append(PartData(self._buffer[start:end]))
            self._size += end - start
        self._position = end
        if kind in (_Kind.OPEN, _Kind.CLOSE):
            self._first = False
            events.append(PartEnd(self._size))
            self._position = after
        return self._leave(kind, events)

    def _search(self) -> tuple[_Kind, int, int]:
        """The next delimiter: its kind, where the data before it ends, where to go on.

        Without a delimiter the data ends where one could still begin.
        """
        buffer, start = self._buffer, self._position
        at = buffer.find(self._delimiter, start)
        while at != -1:
            kind, after = self._follows(at)
            if kind is not _Kind.FALSE:
                return kind, self._before(at), after
            at = buffer.find(self._delimiter, at + 1)
        # The delimiter holds one line end, its first byte: only the last one can begin it.
        at = buffer.rfind(b"\n", max(start, len(buffer) - len(self._delimiter)))
        if at != -1 and self._delimiter.startswith(buffer[at:]):
            return _Kind.NONE, self._before(at), 0
        return _Kind.NONE, len(buffer) - (1 if buffer.endswith(b"\r", start) else 0), 0

    def _before(self, at: int) -> int:
        """Where the data before the line end at `at` stops: a CR belongs to the line end.

        In a body that ends its lines with LF alone, a CR there is data.
        """
        first = self._position + (1 if self._first else 0)
        if not self._lf_only and at > first and self._buffer[at - 1] == 0x0D:
            return at - 1
        return at

    def _follows(self, at: int) -> tuple[_Kind, int]:
        """What the boundary found at `at` is, and where to go on.

        After an opening delimiter that is its line end, on which the header block begins.
        """
        buffer = self._buffer
        after = at + len(self._delimiter)
        if buffer.startswith(b"--", after):
            return _Kind.CLOSE, after + 2
        limit = after + _MAX_PADDING
        cursor = after
        while cursor < len(buffer) and cursor < limit and buffer[cursor] in b" \t":
            cursor += 1
        rest = buffer[cursor : cursor + 2]
        if rest[:1] == b"\n" or rest == b"\r\n":
            if self._lf_only is None:
                self._lf_only = rest[:1] == b"\n"
            return _Kind.OPEN, cursor + (0 if rest[:1] == b"\n" else 1)
        if rest in (b"", b"\r") or (rest == b"-" and cursor == after):
            return (_Kind.MORE if cursor < limit else _Kind.FALSE), 0
        return _Kind.FALSE, 0


class Writer:
    """Writer of one multipart body: each method returns the bytes to send.

    A part that announces a Content-Length is held to it.
    """

    def __init__(self, boundary: str) -> None:
        if not 1 <= len(boundary) <= 70 or not _BOUNDARY.fullmatch(boundary):
            raise LocalProtocolError(f"not a boundary (RFC 2046 5.1.1): {boundary!r}")
        self._boundary = boundary.encode("ascii")
        self._prefix = b""
        self._expected: int | None = None
        self._written = 0
        self._ended = False

    def begin_part(self, headers: Iterable[tuple[str, str]] = ()) -> bytes:
        """End the current part, if any, and begin another."""
        self._close_part()
        pairs = tuple(headers)
        announced = header(pairs, "Content-Length")
        self._expected = int(announced) if announced else None
        self._written = 0
        head = _header_block(pairs)
        begun = self._prefix + b"--" + self._boundary + b"\r\n" + head + b"\r\n"
        self._prefix = b"\r\n"
        return begun

    def data(self, data: bytes) -> bytes:
        """Bytes of the current part, unchanged."""
        if not self._prefix or self._ended:
            raise LocalProtocolError("data outside a part")
        self._written += len(data)
        return data

    def end(self) -> bytes:
        """The closing delimiter."""
        self._close_part()
        self._ended = True
        return self._prefix + b"--" + self._boundary + b"--\r\n"

    def _close_part(self) -> None:
        if self._ended:
            raise LocalProtocolError("the multipart body is already ended")
        if self._expected is not None and self._expected != self._written:
            raise LocalProtocolError(
                f"part announced {self._expected} bytes and wrote {self._written}"
            )


def _header_block(headers: Iterable[tuple[str, str]]) -> bytes:
    lines = []
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or "\r" in value or "\n" in value:
            raise LocalProtocolError(f"not a header: {name!r}: {value!r}")
        lines.append(f"{name}: {value}\r\n".encode("latin-1", "replace"))
    return b"".join(lines)


def body_length(boundary: str, parts: Iterable[tuple[Iterable[tuple[str, str]], int]]) -> int:
    """The length that `Writer` gives to a body of these (headers, size) parts, in bytes."""
    mark = len(boundary)
    total = 0
    count = 0
    for headers, size in parts:
        total += (2 if count else 0) + 2 + mark + 2 + len(_header_block(headers)) + 2 + size
        count += 1
    return total + (2 if count else 0) + 2 + mark + 2 + 2


_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]*[0-9A-Za-z'()+_,./:=?-]")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """The media type and the parameters, both names in lower case; the first of two wins.

    Raises:
        MultipartError: no media type, a parameter without name or `=`, an open quotation.
    """
    kind, _, rest = value.partition(";")
    kind = kind.strip().lower()
    main, slash, sub = kind.partition("/")
    if not slash or not _TOKEN.fullmatch(main) or not _TOKEN.fullmatch(sub):
        raise MultipartError(f"type de média illisible : {value[:120]!r}", where="Content-Type")
    parameters: dict[str, str] = {}
    rest = rest.strip()
    while rest:
        if rest[0] == ";":
            rest = rest[1:].lstrip()
            continue
        name, equals, rest = rest.partition("=")
        name = name.strip().lower()
        if not equals or not _TOKEN.fullmatch(name):
            raise MultipartError(f"paramètre illisible dans {value[:120]!r}", where="Content-Type")
        rest = rest.lstrip()
        if rest.startswith('"'):
            match = _QUOTED.match(rest)
            if match is None:
                raise MultipartError(
                    f"guillemet non fermé dans {value[:120]!r}", where="Content-Type"
                )
            text = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
            rest = rest[match.end() :].lstrip()
            if rest and rest[0] != ";":
                raise MultipartError(
                    f"paramètre illisible dans {value[:120]!r}", where="Content-Type"
                )
        else:
            text, _, rest = rest.partition(";")
            text = text.strip()
            rest = rest.lstrip()
        parameters.setdefault(name, text)
    return kind, parameters


def format_content_type(kind: str, parameters: Mapping[str, str]) -> str:
    """A Content-Type value, parameters quoted."""
    quoted = (
        '{}="{}"'.format(name, text.replace("\\", "\\\\").replace('"', '\\"'))
        for name, text in parameters.items()
    )
    return "; ".join((kind, *quoted))


def boundary_of(content_type: str) -> str:
    """The boundary of a `multipart/*` Content-Type.

    Raises:
        MultipartError: another media type, or no usable boundary.
    """
    kind, parameters = parse_content_type(content_type)
    if not kind.startswith("multipart/"):
        raise MultipartError(f"multipart attendu, reçu {kind!r}", where="Content-Type")
    boundary = parameters.get("boundary", "")
    if not 1 <= len(boundary) <= MAX_BOUNDARY or not (
        boundary.isascii() and boundary.isprintable()
    ):
        raise MultipartError("paramètre boundary absent ou illisible", where="Content-Type")
    return boundary
