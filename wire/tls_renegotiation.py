"""A client that asks, inside a TLS 1.2 session of its own, for another handshake.

No library of ours can ask. The session is made by OpenSSL; its secret, which it logs, then writes
one record more by hand: a ClientHello that binds itself to the session (RFC 5746 3.5), encrypted as
the session's next record would be (RFC 5288).
"""

from __future__ import annotations

import ssl
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocols.errors import RemoteProtocolError
from wire.tls import ClientTls, client_context
from wire.tls_records import (
    Alert,
    Answers,
    ClientHello,
    Content,
    Extension,
    ServerHello,
    Version,
    extension,
    record,
    server_name,
    usual,
)

__all__ = ["renegotiate"]

_SUITES = (0xC02B, 0xC02F, 0xC02C, 0xC030)
_CHUNK = 65536


async def renegotiate(
    where: tuple[str, int],
    *,
    tls: ClientTls,
    host: str,
    silence: float = 10.0,
) -> str:
    """What ends the request: the name of an alert, or `closed`; "" when the server goes on.

    A server that does not speak TLS 1.2, with the suites that ANSSI advises, is asked nothing:
    TLS 1.3 has no renegotiation. The answer is `TLS 1.3` then.

    Raises:
        OSError: the server cannot be reached (`ssl.SSLError`: or refuses the session itself).
        TimeoutError: it says nothing for `silence` seconds.
        RemoteProtocolError: it says what is no TLS.
    """
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "secrets")
        context = client_context(tls)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE+AESGCM")
        context.keylog_filename = str(log)
        with anyio.fail_after(silence):
            stream = await anyio.connect_tcp(*where)
        async with stream:
            try:
                spoken = await _shake(stream, context, host, silence)
            except ssl.SSLError as error:
                if error.reason and "PROTOCOL_VERSION" in error.reason:
                    return "TLS 1.3"
                raise
            session = _Session(spoken, _secret(await anyio.Path(log).read_text(encoding="ascii")))
            return await _ask(stream, session, host, silence)


@dataclass(slots=True)
class _Spoken:
    """What both have sent of the handshake, and the suite that they agreed on."""

    sent: bytearray
    received: bytearray
    suite: str


async def _shake(
    stream: anyio.abc.ByteStream, context: ssl.SSLContext, host: str, silence: float
) -> _Spoken:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=host)
    sent, received = bytearray(), bytearray()
    while True:
        try:
            session.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        with anyio.fail_after(silence):
            if data := outgoing.read():
                sent += data
                await stream.send(data)
            if done:
                cipher = session.cipher()
                return _Spoken(sent, received, cipher[0] if cipher else "")
            try:
                data = await stream.receive(_CHUNK)
            except anyio.EndOfStream as error:
                raise ssl.SSLEOFError("closed in the handshake") from error
        received += data
        incoming.write(data)


async def _ask(stream: anyio.abc.ByteStream, session: _Session, host: str, silence: float) -> str:
    hello = ClientHello(
        version=Version.TLS1_2,
        suites=_SUITES,
        extensions=(
            server_name(host),
            *usual(),
            # A session that was made with it is not renegotiated without (RFC 7627 5.2).
            extension(Extension.MASTER_SECRET, b""),
            extension(Extension.RENEGOTIATION, bytes([len(session.finished)]) + session.finished),
        ),
    )
    try:
        await stream.send(session.seal(Content.HANDSHAKE, hello.handshake()))
    except anyio.BrokenResourceError:
        return "closed"
    while True:
        try:
            with anyio.fail_after(silence):
                data = await stream.receive(_CHUNK)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return "closed"
        for event in session.feed(data):
            if isinstance(event, ServerHello):
                return ""
            return event.name


class _Session:
    """The keys of a TLS 1.2 session in AES-GCM, seen from the client."""

    def __init__(self, spoken: _Spoken, secret: bytes) -> None:
        sha384 = spoken.suite.endswith("SHA384")
        size = 32 if "AES256" in spoken.suite else 16
        ours, theirs = _random(spoken.sent), _random(spoken.received)
        block = _prf(
            hashes.SHA384() if sha384 else hashes.SHA256(),
            secret,
            b"key expansion" + theirs + ours,
            2 * size + 8,
        )
        self._ours, self._theirs = AESGCM(block[:size]), AESGCM(block[size : 2 * size])
        self._our_salt, self._their_salt = block[2 * size : -4], block[-4:]
        self._sealed = self._opened = 0
        self._answers = Answers()
        self._pending = bytearray()
        self._encrypted = False
        # The client's Finished is the first record that it encrypted.
        encrypted = False
        self.finished = b""
        for content, payload in _records(spoken.sent):
            if encrypted:
                self.finished = self._open(self._ours, self._our_salt, 0, content, payload)[4:]
                self._sealed += 1
            encrypted = encrypted or content == Content.CHANGE_CIPHER_SPEC
        for _ in self.feed(bytes(spoken.received)):
            pass

    def seal(self, content: int, plain: bytes) -> bytes:
        """The next record of the client."""
        number = struct.pack("!Q", self._sealed)
        self._sealed += 1
        about = number + struct.pack("!BHH", content, Version.TLS1_2, len(plain))
        cipher = self._ours.encrypt(self._our_salt + number, plain, about)
        return record(content, number + cipher, Version.TLS1_2)

    def feed(self, data: bytes) -> Iterator[Alert | ServerHello]:
        """What the server says: in clear until it changes its cipher, decrypted after."""
        self._pending += data
        for content, payload in _records(self._pending):
            if content == Content.CHANGE_CIPHER_SPEC:
                self._encrypted = True
                continue
            plain = payload
            if self._encrypted:
                plain = self._open(self._theirs, self._their_salt, self._opened, content, payload)
                self._opened += 1
            yield from self._answers.feed(record(content, plain, Version.TLS1_2))

    @staticmethod
    def _open(key: AESGCM, salt: bytes, number: int, content: int, payload: bytes) -> bytes:
        about = struct.pack("!QBHH", number, content, Version.TLS1_2, len(payload) - 24)
        try:
            return key.decrypt(salt + payload[:8], payload[8:], about)
        except (InvalidTag, ValueError) as error:
            raise RemoteProtocolError("a record that its session does not decrypt") from error


def _records(data: bytearray) -> Iterator[tuple[int, bytes]]:
    """Whole records, taken away from `data`."""
    while len(data) >= 5:
        size = struct.unpack_from("!H", data, 3)[0]
        if len(data) < 5 + size:
            return
        content, payload = data[0], bytes(data[5 : 5 + size])
        del data[: 5 + size]
        yield content, payload


def _random(spoken: bytearray) -> bytes:
    """Of the hello that begins it: after the headers of record and message, and the version."""
    return bytes(spoken[11:43])


def _secret(log: str) -> bytes:
    for line in log.splitlines():
        if line.startswith("CLIENT_RANDOM "):
            return bytes.fromhex(line.split()[2])
    raise RemoteProtocolError("the session has no master secret: it is not of TLS 1.2")


def _prf(algorithm: hashes.HashAlgorithm, secret: bytes, seed: bytes, size: int) -> bytes:
    """RFC 5246 5."""

    def mac(data: bytes) -> bytes:
        one = hmac.HMAC(secret, algorithm)
        one.update(data)
        return one.finalize()

    found, link = b"", seed
    while len(found) < size:
        link = mac(link)
        found += mac(link + seed)
    return found[:size]
