"""PDUs of the DICOM upper layer as values: associations asked, answered, ended (PS3.8 9.3).

What carries data (P-DATA-TF) is cut and put together by `protocols.dimse.association`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.dicom import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

__all__ = [
    "APPLICATION_CONTEXT",
    "HEAD",
    "Abort",
    "AssociateAccept",
    "AssociateReject",
    "AssociateRequest",
    "ContextAnswer",
    "PduType",
    "ProposedContext",
    "ReleaseReply",
    "ReleaseRequest",
    "UserItem",
]

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
"""The only application context name of DICOM (PS3.7 A.2.1)."""

HEAD = struct.Struct(">BxL")
"""Type, reserved, length of what follows."""

MOST_CONTEXTS = 128
_ITEM = struct.Struct(">BxH")
_LENGTH = struct.Struct(">L")
_FIXED = struct.Struct(">HH16s16s32x")


class PduType(IntEnum):
    """First byte of a PDU."""

    REQUEST = 1
    ACCEPT = 2
    REJECT = 3
    DATA = 4
    RELEASE_REQUEST = 5
    RELEASE_REPLY = 6
    ABORT = 7


class UserItem(IntEnum):
    """Types of the user information sub-items that are read here (PS3.7 annex D.3.3)."""

    MAXIMUM_LENGTH = 0x51
    IMPLEMENTATION_CLASS = 0x52
    ASYNCHRONOUS_OPERATIONS = 0x53
    ROLE_SELECTION = 0x54
    IMPLEMENTATION_VERSION = 0x55


_REASONS = {
    (1, 1): "No reason given",
    (1, 2): "Application context name not supported",
    (1, 3): "Calling AE title not recognised",
    (1, 7): "Called AE title not recognised",
    (2, 1): "No reason given",
    (2, 2): "Protocol version not supported",
    (3, 1): "Temporary congestion",
    (3, 2): "Local limit exceeded",
}
"""Source and reason of a refusal, in the words of PS3.8 table 9-21."""


@dataclass(frozen=True, slots=True)
class ProposedContext:
    """A presentation context as proposed: an odd id from 1 to 255, one abstract syntax."""

    id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """What became of a proposed context. `result`: 0 accepted, 1 refused by the user, 2 no reason,
    3 abstract syntax not supported, 4 transfer syntaxes not supported (PS3.8 table 9-18)."""

    id: int
    result: int
    transfer_syntax: str = IMPLICIT_VR_LITTLE_ENDIAN


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateRequest:
    """A-ASSOCIATE-RQ."""

    calling_ae: str
    called_ae: str
    contexts: tuple[ProposedContext, ...]
    maximum_length: int | None
    """Bytes of a P-DATA-TF that the requestor takes, 0 for any; None when it does not say."""
    implementation_class: str = IMPLEMENTATION_CLASS_UID
    implementation_version: str = IMPLEMENTATION_VERSION_NAME
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1
    others: tuple[tuple[int, bytes], ...] = ()
    """The other user information sub-items: type and content."""

    def encode(self) -> bytes:
        """The bytes of the PDU.

        Raises:
            LocalProtocolError: titles too long, or contexts that cannot be.
        """
        if not 0 < len(self.contexts) <= MOST_CONTEXTS:
            raise LocalProtocolError(f"{len(self.contexts)} contextes de présentation")
        contexts = b"".join(
            _item(
                0x20,
                bytes((one.id, 0, 0, 0))
                + _item(0x30, one.abstract_syntax.encode("ascii"))
                + b"".join(_item(0x40, uid.encode("ascii")) for uid in one.transfer_syntaxes),
            )
            for one in self.contexts
        )
        return _associate(PduType.REQUEST, self, contexts)

    @classmethod
    def decode(cls, content: bytes) -> AssociateRequest:
        """Read what follows the head of the PDU.

        Raises:
            RemoteProtocolError: cut, or items that contradict each other.
        """
        version, called, calling = _fixed(content)
        contexts: list[ProposedContext] = []
        name, user = "", _User()
        for kind, value in _items(content, _FIXED.size):
            if kind == 0x10:
                name = _uid(value)
            elif kind == 0x20:
                contexts.append(_proposed(value))
            elif kind == 0x50:
                user.read(value)
        if len({one.id for one in contexts}) != len(contexts):
            raise RemoteProtocolError("deux contextes de présentation de même identifiant")
        return cls(
            calling_ae=calling,
            called_ae=called,
            contexts=tuple(contexts),
            maximum_length=user.maximum_length,
            implementation_class=user.implementation_class,
            implementation_version=user.implementation_version,
            application_context=name,
            protocol_version=version,
            others=tuple(user.others),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociateAccept:
    """A-ASSOCIATE-AC. The titles are those of the request, and not significant."""

    calling_ae: str
    called_ae: str
    contexts: tuple[ContextAnswer, ...]
    maximum_length: int | None
    implementation_class: str = IMPLEMENTATION_CLASS_UID
    implementation_version: str = IMPLEMENTATION_VERSION_NAME
    application_context: str = APPLICATION_CONTEXT
    protocol_version: int = 1
    others: tuple[tuple[int, bytes], ...] = ()

    def encode(self) -> bytes:
        """The bytes of the PDU."""
        contexts = b"".join(
            _item(
                0x21,
                bytes((one.id, 0, one.result, 0)) + _item(0x40, one.transfer_syntax.encode()),
            )
            for one in self.contexts
        )
        return _associate(PduType.ACCEPT, self, contexts)

    @classmethod
    def decode(cls, content: bytes) -> AssociateAccept:
        """Read what follows the head of the PDU.

        Raises:
            RemoteProtocolError: cut, or items that contradict each other.
        """
        version, called, calling = _fixed(content)
        contexts: list[ContextAnswer] = []
        name, user = "", _User()
        for kind, value in _items(content, _FIXED.size):
            if kind == 0x10:
                name = _uid(value)
            elif kind == 0x21:
                contexts.append(_answered(value))
            elif kind == 0x50:
                user.read(value)
        return cls(
            calling_ae=calling,
            called_ae=called,
            contexts=tuple(contexts),
            maximum_length=user.maximum_length,
            implementation_class=user.implementation_class,
            implementation_version=user.implementation_version,
            application_context=name,
            protocol_version=version,
            others=tuple(user.others),
        )


@dataclass(frozen=True, slots=True)
class AssociateReject:
    """A-ASSOCIATE-RJ: result (1 for good, 2 for now), source and reason of PS3.8 9.3.4."""

    result: int
    source: int
    reason: int

    @property
    def words(self) -> str:
        """The reason, as the standard words it."""
        return _REASONS.get((self.source, self.reason), "Reserved")

    def encode(self) -> bytes:
        """The bytes of the PDU."""
        return HEAD.pack(PduType.REJECT, 4) + bytes((0, self.result, self.source, self.reason))


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A-RELEASE-RQ."""

    def encode(self) -> bytes:
        """The bytes of the PDU."""
        return HEAD.pack(PduType.RELEASE_REQUEST, 4) + bytes(4)


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """A-RELEASE-RP."""

    def encode(self) -> bytes:
        """The bytes of the PDU."""
        return HEAD.pack(PduType.RELEASE_REPLY, 4) + bytes(4)


@dataclass(frozen=True, slots=True)
class Abort:
    """A-ABORT: source (0 user, 2 provider) and reason of PS3.8 9.3.8."""

    source: int = 0
    reason: int = 0

    def encode(self) -> bytes:
        """The bytes of the PDU."""
        return HEAD.pack(PduType.ABORT, 4) + bytes((0, 0, self.source, self.reason))


class _User:
    """User information, as its sub-items come."""

    def __init__(self) -> None:
        self.maximum_length: int | None = None
        self.implementation_class = self.implementation_version = ""
        self.others: list[tuple[int, bytes]] = []

    def read(self, content: bytes) -> None:
        for kind, value in _items(content, 0):
            if kind == UserItem.MAXIMUM_LENGTH:
                if len(value) != 4:
                    raise RemoteProtocolError("longueur maximale illisible")
                self.maximum_length = _LENGTH.unpack(value)[0]
            elif kind == UserItem.IMPLEMENTATION_CLASS:
                self.implementation_class = _uid(value)
            elif kind == UserItem.IMPLEMENTATION_VERSION:
                self.implementation_version = value.decode("latin-1").strip(" \0")
            else:
                self.others.append((kind, value))


def _associate(kind: PduType, pdu: AssociateRequest | AssociateAccept, contexts: bytes) -> bytes:
    called, calling = (_title(one) for one in (pdu.called_ae, pdu.calling_ae))
    user = b""
    if pdu.maximum_length is not None:
        user += _item(UserItem.MAXIMUM_LENGTH, _LENGTH.pack(pdu.maximum_length))
    user += _item(UserItem.IMPLEMENTATION_CLASS, pdu.implementation_class.encode("ascii"))
    if pdu.implementation_version:
        version = pdu.implementation_version.encode("ascii")
        user += _item(UserItem.IMPLEMENTATION_VERSION, version)
    user += b"".join(_item(one, value) for one, value in pdu.others)
    content = (
        _FIXED.pack(pdu.protocol_version, 0, called, calling)
        + _item(0x10, pdu.application_context.encode("ascii"))
        + contexts
        + _item(0x50, user)
    )
    return HEAD.pack(kind, len(content)) + content


def _title(title: str) -> bytes:
    encoded = title.encode("latin-1", "replace")
    if len(encoded) > 16:
        raise LocalProtocolError(f"AE title illégal : {title!r}")
    return encoded.ljust(16)


def _item(kind: int, value: bytes) -> bytes:
    return _ITEM.pack(kind, len(value)) + value


def _fixed(content: bytes) -> tuple[int, str, str]:
    """Protocol version, called and calling titles."""
    if len(content) < _FIXED.size:
        raise RemoteProtocolError("PDU d'association tronqué", span=(0, len(content)))
    version, _, called, calling = _FIXED.unpack_from(content)
    return version, _uid(called), _uid(calling)


def _items(content: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """(type, value) of the items from `position` to the end."""
    while position < len(content):
        if position + _ITEM.size > len(content):
            raise RemoteProtocolError("item tronqué", span=(position, len(content)))
        kind, length = _ITEM.unpack_from(content, position)
        start, position = position + _ITEM.size, position + _ITEM.size + length
        if position > len(content):
            raise RemoteProtocolError("item trop long", span=(start, len(content)))
        yield kind, content[start:position]


def _proposed(value: bytes) -> ProposedContext:
    if len(value) < 4 or value[0] % 2 == 0:
        raise RemoteProtocolError("contexte de présentation illisible")
    abstract, transfer = "", []
    for kind, content in _items(value, 4):
        if kind == 0x30:
            abstract = _uid(content)
        elif kind == 0x40:
            transfer.append(_uid(content))
    if not abstract or not transfer:
        raise RemoteProtocolError("contexte de présentation sans syntaxe")
    return ProposedContext(value[0], abstract, tuple(transfer))


def _answered(value: bytes) -> ContextAnswer:
    if len(value) < 4:
        raise RemoteProtocolError("contexte de présentation illisible")
    found = [_uid(content) for kind, content in _items(value, 4) if kind == 0x40]
    if value[2] == 0 and not found:
        raise RemoteProtocolError("contexte accepté sans syntaxe de transfert")
    return ContextAnswer(value[0], value[2], found[0] if found else IMPLICIT_VR_LITTLE_ENDIAN)


def _uid(value: bytes) -> str:
    """A UID or a title, without its padding."""
    return value.decode("latin-1").strip(" \0")
