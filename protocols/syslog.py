"""Syslog messages and their framing over TLS: RFC 5424, RFC 5425 (octet counting)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["Deframer", "Message", "SyslogError", "format_message", "frame", "parse"]

MAX_SIZE = 1 << 20
"""Bytes of one message: RFC 5425 asks for 8,192 at least; an audit message is a few thousand."""

_NIL = "-"
_BOM = b"\xef\xbb\xbf"
_PRINTED = re.compile(r"[!-~]+")
_HEAD = re.compile(
    rb"<(?P<priority>\d{1,3})>(?P<version>[1-9]\d{0,2}) (?P<time>\S+) (?P<host>\S{1,255}) "
    rb"(?P<app>\S{1,48}) (?P<process>\S{1,128}) (?P<id>\S{1,32}) "
)
_ELEMENT = re.compile(
    rb'\[(?P<id>[!#-<>-\\^-~]{1,32})(?P<pairs>(?: [^\s="\]]+="(?:[^"\\\]]|\\.)*")*)\]'
)
_PAIR = re.compile(rb'([^\s="\]]+)="((?:[^"\\\]]|\\.)*)"')
_ESCAPED = re.compile(r'\\([\\"\]])')
_LIMITS = {"host": 255, "app": 48, "process": 128, "id": 32}


class SyslogError(RemoteProtocolError):
    """Bytes that are no syslog message, or no frame of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `time` is an RFC 3339 timestamp; "" stands for what is not said (NILVALUE)."""

    priority: int
    """Facility × 8 + severity."""
    time: str = ""
    host: str = ""
    app: str = ""
    process: str = ""
    id: str = ""
    data: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Structured data: SD-ID to its parameters."""
    text: bytes = b""
    """MSG, without byte order mark."""


def format_message(message: Message) -> bytes:
    """The bytes of a message, its text being UTF-8.

    Raises:
        LocalProtocolError: a header field is too long or not printable ASCII.
    """
    if not 0 <= message.priority <= 191:
        raise LocalProtocolError(f"syslog priority out of 0 to 191: {message.priority}")
    head = [f"<{message.priority}>1", message.time or _NIL]
    for name, limit in _LIMITS.items():
        value = getattr(message, name) or _NIL
        if len(value) > limit or not _PRINTED.fullmatch(value):
            raise LocalProtocolError(f"syslog {name} is not printable ASCII: {value!r}")
        head.append(value)
    elements = "".join(
        f"[{id}" + "".join(f' {key}="{_escape(value)}"' for key, value in pairs.items()) + "]"
        for id, pairs in message.data.items()
    )
    text = b" " + _BOM + message.text if message.text else b""
    return f"{' '.join(head)} {elements or _NIL}".encode() + text


def parse(data: bytes) -> Message:
    """Read one message, without framing.

    Raises:
        SyslogError: not one.
    """
    head = _HEAD.match(data)
    if head is None:
        raise SyslogError("en-tête RFC 5424 attendu", span=(0, min(len(data), 80)))
    if head["version"] != b"1" or int(head["priority"]) > 191:
        raise SyslogError("version 1 et priorité de 0 à 191 attendues", span=(0, head.end()))
    elements: dict[str, dict[str, str]] = {}
    at = head.end()
    if data[at : at + 1] == b"-":
        at += 1
    else:
        while found := _ELEMENT.match(data, at):
            elements[found["id"].decode("ascii")] = {
                key.decode("utf-8", "replace"): _ESCAPED.sub(
                    r"\1", value.decode("utf-8", "replace")
                )
                for key, value in _PAIR.findall(found["pairs"])
            }
            at = found.end()
        if not elements:
            raise SyslogError("données structurées illisibles", span=(at, len(data)))
    if data[at : at + 1] not in (b"", b" "):
        raise SyslogError("un blanc attendu avant le texte", span=(at, at + 1))
    return Message(
        priority=int(head["priority"]),
        time=_said(head["time"]),
        host=_said(head["host"]),
        app=_said(head["app"]),
        process=_said(head["process"]),
        id=_said(head["id"]),
        data=elements,
        text=data[at + 1 :].removeprefix(_BOM),
    )


def frame(data: bytes) -> bytes:
    """A message as RFC 5425 carries it: its length, a blank, its bytes."""
    return b"%d " % len(data) + data


class Deframer:
    """Finds messages in a stream."""

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._buffer = bytearray()
        self._max_size = max_size

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that these bytes complete.

        Raises:
            SyslogError: no length, or one that is too large; the stream is lost then.
        """
        self._buffer += data
        found = []
        while self._buffer:
            head, blank, _ = bytes(self._buffer[:12]).partition(b" ")
            if not head.isdigit() or head.startswith(b"0") or (not blank and len(head) > 8):
                raise SyslogError("longueur de trame attendue (RFC 5425)")
            if not blank:
                break
            size = int(head)
            if size > self._max_size:
                raise SyslogError(f"trame de {size} octets, {self._max_size} au plus")
            begin = len(head) + 1
            if len(self._buffer) < begin + size:
                break
            found.append(bytes(self._buffer[begin : begin + size]))
            del self._buffer[: begin + size]
        return found


def _escape(value: str) -> str:
    return re.sub(r'(["\\\]])', r"\\\1", value)


def _said(value: bytes) -> str:
    text = value.decode("utf-8", "replace")
    return "" if text == _NIL else text
