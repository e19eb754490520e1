"""DIMSE command sets: group 0000 in implicit VR little endian, read and written (PS3.7 annex E)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Final

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["NO_DATA_SET", "WITH_DATA_SET", "Command", "Operation"]

NO_DATA_SET, WITH_DATA_SET = 0x0101, 0x0001
"""Command Data Set Type: nothing follows; anything else says that a data set does."""


class Operation:
    """Command Field of the requests; a response sets the highest bit (PS3.7 E.1-1)."""

    C_STORE: Final = 0x0001
    C_GET: Final = 0x0010
    C_FIND: Final = 0x0020
    C_MOVE: Final = 0x0021
    C_ECHO: Final = 0x0030
    C_CANCEL: Final = 0x0FFF
    RESPONSE: Final = 0x8000


_ELEMENTS: Final = {
    0x0002: ("AffectedSOPClassUID", "UI"),
    0x0003: ("RequestedSOPClassUID", "UI"),
    0x0100: ("CommandField", "US"),
    0x0110: ("MessageID", "US"),
    0x0120: ("MessageIDBeingRespondedTo", "US"),
    0x0600: ("MoveDestination", "AE"),
    0x0700: ("Priority", "US"),
    0x0800: ("CommandDataSetType", "US"),
    0x0900: ("Status", "US"),
    0x0901: ("OffendingElement", "AT"),
    0x0902: ("ErrorComment", "LO"),
    0x0903: ("ErrorID", "US"),
    0x1000: ("AffectedSOPInstanceUID", "UI"),
    0x1001: ("RequestedSOPInstanceUID", "UI"),
    0x1002: ("EventTypeID", "US"),
    0x1005: ("AttributeIdentifierList", "AT"),
    0x1008: ("ActionTypeID", "US"),
    0x1020: ("NumberOfRemainingSuboperations", "US"),
    0x1021: ("NumberOfCompletedSuboperations", "US"),
    0x1022: ("NumberOfFailedSuboperations", "US"),
    0x1023: ("NumberOfWarningSuboperations", "US"),
    0x1030: ("MoveOriginatorApplicationEntityTitle", "AE"),
    0x1031: ("MoveOriginatorMessageID", "US"),
}
_TAGS: Final = {name: (tag, vr) for tag, (name, vr) in _ELEMENTS.items()}

_head = struct.Struct("<HHL")
_short = struct.Struct("<H")
_short_element = struct.Struct("<HHLH").pack
_long_element = struct.Struct("<HHLL").pack


class Command(Mapping[str, int | str]):
    """The elements of a command set, by keyword, in the order of their tags. Not to be changed.

    Numbers are `int`; UIDs, titles and comments are texts without padding; attribute tags are
    texts in hexadecimal. Command Group Length is neither kept nor given: it says nothing more.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, int | str]) -> None:
        self._values = dict(sorted(values.items(), key=_rank))

    def __getitem__(self, name: str) -> int | str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Command({self._values!r})"

    def number(self, name: str) -> int:
        """A number that must be there.

        Raises:
            RemoteProtocolError: it is not.
        """
        value = self._values.get(name)
        if not isinstance(value, int):
            raise RemoteProtocolError(f"jeu de commandes sans {name}", where=name)
        return value

    def text(self, name: str) -> str:
        """A text that must be there and not be empty.

        Raises:
            RemoteProtocolError: it is not.
        """
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise RemoteProtocolError(f"jeu de commandes sans {name}", where=name)
        return value

    @property
    def field(self) -> int:
        """Command Field."""
        return self.number("CommandField")

    @property
    def has_data(self) -> bool:
        """Whether a data set follows."""
        return self.number("CommandDataSetType") != NO_DATA_SET

    def encode(self) -> bytes:
        """The bytes of the command set, its group length first.

        Raises:
            LocalProtocolError: an unknown keyword, or a value that its VR cannot hold.
        """
        parts = []
        try:
            for name, value in self._values.items():
                tag, vr = _TAGS[name]
                parts.append(_encoded(tag, vr, value))
        except (KeyError, TypeError, struct.error, UnicodeEncodeError) as error:
            raise LocalProtocolError(f"jeu de commandes : {error}") from None
        body = b"".join(parts)
        return _long_element(0, 0, 4, len(body)) + body

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview) -> Command:
        """Read a command set; elements of no interest to C-services are left out.

        Raises:
            RemoteProtocolError: cut, of another group, with a UID that is no text (PS3.5 9.1), or
                without the two elements that say what it is.
        """
        values: dict[str, int | str] = {}
        position, end = 0, len(data)
        while position < end:
            if position + 8 > end:
                raise RemoteProtocolError("jeu de commandes tronqué", span=(position, end))
            group, element, length = _head.unpack_from(data, position)
            start, position = position, position + 8 + length
            if group != 0 or position > end:
                raise RemoteProtocolError("jeu de commandes illisible", span=(start, end))
            known = _ELEMENTS.get(element)
            if known is not None:
                name, vr = known
                values[name] = _decoded(vr, bytes(data[start + 8 : position]), start)
        command = cls(values)
        for name in ("CommandField", "CommandDataSetType"):
            command.number(name)
        return command


def _rank(element: tuple[str, int | str]) -> int:
    return _TAGS.get(element[0], (0xFFFF, ""))[0]


def _encoded(tag: int, vr: str, value: int | str) -> bytes:
    if vr == "US":
        return _short_element(0, tag, 2, value)
    if vr == "AT" or not isinstance(value, str):
        raise TypeError(f"valeur de {_ELEMENTS[tag][0]} : {value!r}")
    text = value.encode("ascii")
    if len(text) % 2:
        text += b"\0" if vr == "UI" else b" "
    return _head.pack(0, tag, len(text)) + text


def _decoded(vr: str, value: bytes, start: int) -> int | str:
    if vr == "US":
        if len(value) != 2:
            raise RemoteProtocolError("nombre illisible", span=(start, start + 8 + len(value)))
        return int(_short.unpack(value)[0])
    if vr == "AT":
        pairs = struct.unpack(f"<{len(value) // 4 * 2}H", value[: len(value) // 4 * 4])
        return "\\".join(
            f"{group:04X}{element:04X}"
            for group, element in zip(pairs[::2], pairs[1::2], strict=True)
        )
    if vr == "UI" and not value.isascii():
        # Answers repeat it: who took it could not say it again.
        raise RemoteProtocolError("UID illisible", span=(start, start + 8 + len(value)))
    return value.decode("latin-1").strip(" \0")
