"""TLS records made by hand, for what no library of today offers any more; without input or output.

`ClientHello.handshake` and `records` write what an attacker sends; `Answers` reads what comes back
in clear: alerts, and the ServerHello. Réf. RFC 5246 (TLS 1.2), RFC 8446 (TLS 1.3), RFC 6101 (SSL
3.0), RFC 7507 (fallback), RFC 5746 (renegotiation), RFC 6520 (heartbeat).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from protocols.errors import RemoteProtocolError

__all__ = [
    "ALERTS",
    "EMPTY_RENEGOTIATION_INFO",
    "FALLBACK",
    "LARGEST",
    "Alert",
    "Answers",
    "ClientHello",
    "Content",
    "Extension",
    "ServerHello",
    "Version",
    "alpn",
    "extension",
    "key_share",
    "record",
    "records",
    "server_name",
    "supported_versions",
    "usual",
]

LARGEST = 1 << 14
"""Bytes that one record may hold (RFC 8446 5.1)."""
FALLBACK = 0x5600
"""TLS_FALLBACK_SCSV: "I offered more, and was cut off"."""
EMPTY_RENEGOTIATION_INFO = 0x00FF
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV."""


class Version(IntEnum):
    """Of a protocol, as the wire writes it."""

    SSL3 = 0x0300
    TLS1_0 = 0x0301
    TLS1_1 = 0x0302
    TLS1_2 = 0x0303
    TLS1_3 = 0x0304

    @property
    def words(self) -> str:
        """As people write it."""
        return "SSL 3.0" if self is Version.SSL3 else f"TLS 1.{self - Version.TLS1_0}"


class Content(IntEnum):
    """What a record holds."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION = 23
    HEARTBEAT = 24


class Extension(IntEnum):
    """Extensions of a ClientHello (IANA, TLS ExtensionType Values)."""

    SERVER_NAME = 0
    GROUPS = 10
    POINT_FORMATS = 11
    SIGNATURES = 13
    HEARTBEAT = 15
    ALPN = 16
    MASTER_SECRET = 23
    PRE_SHARED_KEY = 41
    EARLY_DATA = 42
    VERSIONS = 43
    PSK_MODES = 45
    KEY_SHARE = 51
    RENEGOTIATION = 0xFF01


ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow",
    40: "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate",
    44: "certificate_revoked", 45: "certificate_expired", 46: "certificate_unknown",
    47: "illegal_parameter", 48: "unknown_ca", 49: "access_denied", 50: "decode_error",
    51: "decrypt_error", 70: "protocol_version", 71: "insufficient_security",
    80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled",
    100: "no_renegotiation", 109: "missing_extension", 110: "unsupported_extension",
    112: "unrecognized_name", 116: "certificate_required", 120: "no_application_protocol",
}  # fmt: skip
"""Number -> name (IANA, TLS Alerts)."""

_CONTENTS = frozenset(int(one) for one in Content)
_WARNING = 1
_HANDSHAKE_HEADER = 4
_CLIENT_HELLO = 1
_SERVER_HELLO = 2
_GROUPS = (0x001D, 0x0017, 0x0018)
"""x25519, secp256r1, secp384r1."""
_SIGNATURES = (0x0403, 0x0503, 0x0804, 0x0805, 0x0401, 0x0501, 0x0201, 0x0203)
"""ECDSA, RSA-PSS, RSA PKCS#1; SHA-1 last, for the oldest."""


def _sized(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width, "big") + body


def _numbers(values: Iterable[int]) -> bytes:
    return b"".join(struct.pack("!H", value) for value in values)


# Writing ------------------------------------------------------------------------------------------


def record(content: int, payload: bytes, version: int = Version.TLS1_0) -> bytes:
    """One record, as large as told: `payload` up to 65535 bytes, whatever the standard allows."""
    return struct.pack("!BHH", content, version, len(payload)) + payload


def records(
    content: int, payload: bytes, version: int = Version.TLS1_0, *, each: int = LARGEST
) -> bytes:
    """As many records as it takes, `each` bytes in one."""
    parts = [payload[start : start + each] for start in range(0, len(payload), each)]
    return b"".join(record(content, part, version) for part in parts or [b""])


def extension(kind: int, body: bytes) -> bytes:
    """One extension of a hello."""
    return struct.pack("!H", kind) + _sized(2, body)


def server_name(name: str) -> bytes:
    """SNI (RFC 6066 3)."""
    return extension(Extension.SERVER_NAME, _sized(2, b"\0" + _sized(2, name.encode("idna"))))


def alpn(*names: str) -> bytes:
    """What will be spoken (RFC 7301)."""
    return extension(
        Extension.ALPN, _sized(2, b"".join(_sized(1, name.encode()) for name in names))
    )


def supported_versions(*versions: int) -> bytes:
    """The versions of who speaks TLS 1.3 (RFC 8446 4.2.1)."""
    return extension(Extension.VERSIONS, _sized(1, _numbers(versions)))


def key_share() -> bytes:
    """A fresh x25519 share, whose private half nobody keeps."""
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    return extension(Extension.KEY_SHARE, _sized(2, _numbers([0x001D]) + _sized(2, public)))


def usual() -> tuple[bytes, ...]:
    """What every client since TLS 1.2 says: curves, their points, signatures."""
    return (
        extension(Extension.GROUPS, _sized(2, _numbers(_GROUPS))),
        extension(Extension.POINT_FORMATS, _sized(1, b"\0")),
        extension(Extension.SIGNATURES, _sized(2, _numbers(_SIGNATURES))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """The first words of a client."""

    version: int
    """The field of that name: who offers TLS 1.3 says 1.2 here, and the rest in an extension."""
    suites: Sequence[int]
    extensions: Sequence[bytes] = ()
    """Each whole (`extension`); without any the field is left out, as SSL 3.0 has it."""
    compressions: bytes = b"\0"
    session: bytes = b""
    random: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def handshake(self) -> bytes:
        """The message, with its header."""
        body = struct.pack("!H", self.version) + self.random + _sized(1, self.session)
        body += _sized(2, _numbers(self.suites)) + _sized(1, self.compressions)
        if self.extensions:
            body += _sized(2, b"".join(self.extensions))
        return bytes([_CLIENT_HELLO]) + _sized(3, body)

    def wire(self, *, each: int = LARGEST) -> bytes:
        """In records: their version is never above TLS 1.0 (RFC 8446 D)."""
        return records(
            Content.HANDSHAKE, self.handshake(), min(self.version, Version.TLS1_0), each=each
        )


# Reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alert:
    """What a peer ends a handshake by."""

    level: int
    number: int

    @property
    def name(self) -> str:
        """`handshake_failure`; a number that has no name is written so."""
        return ALERTS.get(self.number, f"alert {self.number}")

    @property
    def fatal(self) -> bool:
        """It ends the connection: warnings that do are the goodbye and a withdrawal."""
        return self.level != _WARNING or self.number in (0, 90)


@dataclass(frozen=True, slots=True)
class ServerHello:
    """What a server has chosen: it goes on."""

    version: int
    """Of the extension where there is one."""
    suite: int
    compression: int
    extensions: tuple[int, ...] = ()


class Answers:
    """What a server says in clear, event by event. Nothing after an encrypted record is read."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._handshake = bytearray()
        self._shut = False

    def feed(self, data: bytes) -> Iterator[Alert | ServerHello]:
        """The events that these bytes complete.

        Raises:
            RemoteProtocolError: it is no TLS, or a ServerHello that lies about its lengths.
        """
        self._bytes += data
        while len(self._bytes) >= 5 and not self._shut:
            content, version, size = struct.unpack("!BHH", self._bytes[:5])
            if content not in _CONTENTS or version >> 8 != 3:
                raise RemoteProtocolError(f"not a TLS record: {bytes(self._bytes[:5]).hex()}")
            if len(self._bytes) < 5 + size:
                return
            payload = bytes(self._bytes[5 : 5 + size])
            del self._bytes[: 5 + size]
            yield from self._record(content, payload)

    def _record(self, content: int, payload: bytes) -> Iterator[Alert | ServerHello]:
        if content == Content.ALERT and len(payload) == 2:
            yield Alert(payload[0], payload[1])
        elif content == Content.HANDSHAKE:
            self._handshake += payload
            while len(self._handshake) >= _HANDSHAKE_HEADER:
                size = int.from_bytes(self._handshake[1:4], "big")
                if len(self._handshake) < _HANDSHAKE_HEADER + size:
                    return
                message = bytes(self._handshake[: _HANDSHAKE_HEADER + size])
                del self._handshake[: _HANDSHAKE_HEADER + size]
                if message[0] == _SERVER_HELLO:
                    yield _server_hello(message[_HANDSHAKE_HEADER:])
        else:
            # What follows is encrypted, alerts included.
            self._shut = True


def _server_hello(body: bytes) -> ServerHello:
    try:
        (version,) = struct.unpack_from("!H", body)
        start = 35 + body[34]
        suite, compression = struct.unpack_from("!HB", body, start)
        kinds, at = [], start + 5
        end = at + struct.unpack_from("!H", body, start + 3)[0] if len(body) > start + 3 else at
        while at < end:
            kind, size = struct.unpack_from("!HH", body, at)
            kinds.append(kind)
            if kind == Extension.VERSIONS:
                (version,) = struct.unpack_from("!H", body, at + 4)
            at += 4 + size
    except (IndexError, struct.error) as error:
        raise RemoteProtocolError(f"a ServerHello cut short: {body.hex()}") from error
    return ServerHello(version, suite, compression, tuple(kinds))
