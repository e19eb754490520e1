"""Every field of a certificate or a CRL, altered one at a time, and the whole signed again.

The few tags of X.509 are read and written here: `cryptography`, which the judge reads with, could
not write most of these faults. What is signed again is so by the published key of the examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding

from tests.alterations.model import ABSENT, EMPTY, OTHER, Alteration
from validators.examples.credential import key

__all__ = ["alterations", "is_der"]

_INTEGER, _BIT_STRING, _OCTET_STRING, _OID = 0x02, 0x03, 0x04, 0x06
_SEQUENCE, _SET, _VERSION = 0x30, 0x31, 0xA0
_OTHERS = {
    0x01: lambda old: bytes((old[0] ^ 0xFF,)),
    _INTEGER: lambda old: b"\x7f" if old != b"\x7f" else b"\x01",
    _BIT_STRING: lambda old: old[:-1] + bytes((old[-1] ^ 0x80,)),
    _OCTET_STRING: lambda old: old[:-1] + bytes((old[-1] ^ 0xFF,)),
    _OID: lambda old: bytes((0x2A, 0x03, 0x04)),
    0x0C: lambda old: b"KIT",
    0x13: lambda old: b"KI",
    0x17: lambda old: b"010203040506Z",
    0x18: lambda old: b"20010203040506Z",
    0x82: lambda old: b"kit.invalid",
    0x86: lambda old: b"kit:rien",
}
"""Another value that the tag allows, by tag."""
_TBS = {
    "certificat": (
        "version",
        "serialNumber",
        "signature",
        "issuer",
        "validity",
        "subject",
        "subjectPublicKeyInfo",
        "extensions",
    ),
    "crl": (
        "version",
        "signature",
        "issuer",
        "thisUpdate",
        "nextUpdate",
        "revokedCertificates",
        "crlExtensions",
    ),
}
_NAMES = {
    bytes((0x55, 0x04, 3)): "CN",
    bytes((0x55, 0x04, 6)): "C",
    bytes((0x55, 0x04, 8)): "ST",
    bytes((0x55, 0x04, 10)): "O",
    bytes((0x55, 0x04, 11)): "OU",
    bytes((0x55, 0x1D, 14)): "subjectKeyIdentifier",
    bytes((0x55, 0x1D, 15)): "keyUsage",
    bytes((0x55, 0x1D, 17)): "subjectAltName",
    bytes((0x55, 0x1D, 19)): "basicConstraints",
    bytes((0x55, 0x1D, 20)): "cRLNumber",
    bytes((0x55, 0x1D, 31)): "cRLDistributionPoints",
    bytes((0x55, 0x1D, 32)): "certificatePolicies",
    bytes((0x55, 0x1D, 35)): "authorityKeyIdentifier",
    bytes((0x55, 0x1D, 37)): "extendedKeyUsage",
    bytes.fromhex("2a817a01470102 05"): "catégorie",
}
"""Content of an OID -> its short name."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A tag with its bytes, or with what is in it: an OCTET STRING of DER has something in it."""

    tag: int
    content: bytes = b""
    children: tuple[_Node, ...] | None = None

    def encode(self) -> bytes:
        data = self.content
        if self.children is not None:
            data = b"".join(child.encode() for child in self.children)
        size = len(data)
        if size < 0x80:
            return bytes((self.tag, size)) + data
        length = size.to_bytes((size.bit_length() + 7) // 8)
        return bytes((self.tag, 0x80 | len(length))) + length + data


def is_der(data: bytes) -> bool:
    """Whether these bytes look like a certificate or a CRL, in PEM or in DER."""
    return data.startswith((b"-----BEGIN CERTIFICATE", b"-----BEGIN X509 CRL", b"\x30\x82"))


def alterations(good: bytes) -> Iterator[Alteration]:
    """Fields left out, emptied or replaced, at every depth of what is signed."""
    if good.startswith(b"-----"):
        good = x509.load_pem_x509_certificate(good).public_bytes(Encoding.DER)
    (whole,) = _parse(good)
    assert whole.children is not None
    signed, algorithm, signature = whole.children
    kind = "certificat" if signed.children and signed.children[0].tag == _VERSION else "crl"
    for place, change, edited in _edits(signed, "", _TBS[kind]):
        yield Alteration(place, change, _signed_again(edited, algorithm))
    for place, change, edited in _edits(algorithm, "signatureAlgorithm/"):
        pieces = (signed, edited, signature)
        yield Alteration(place, change, replace(whole, children=pieces).encode())
    other = replace(signature, content=_OTHERS[_BIT_STRING](signature.content))
    pieces = (signed, algorithm, other)
    yield Alteration("signatureValue", OTHER, replace(whole, children=pieces).encode())


def _signed_again(signed: _Node, algorithm: _Node) -> bytes:
    proof = key().sign(signed.encode(), PKCS1v15(), hashes.SHA256())
    return _Node(
        _SEQUENCE, children=(signed, algorithm, _Node(_BIT_STRING, b"\x00" + proof))
    ).encode()


def _parse(data: bytes) -> tuple[_Node, ...]:
    """The nodes of some DER.

    Raises:
        ValueError: it is something else.
    """
    found: list[_Node] = []
    at = 0
    while at < len(data):
        if len(data) - at < 2:
            raise ValueError("truncated")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count])
            at += count
        content = data[at : at + size]
        if len(content) != size:
            raise ValueError("truncated")
        at += size
        found.append(_node(tag, content))
    return tuple(found)


def _node(tag: int, content: bytes) -> _Node:
    if tag & 0x20:
        return _Node(tag, children=_parse(content))
    if tag == _OCTET_STRING:
        try:
            inner = _parse(content)
        except ValueError:
            inner = ()
        # Twenty octets of a key's digest could read as DER by chance: one known tag, whole.
        if len(inner) == 1 and (inner[0].tag in _OTHERS or inner[0].children is not None):
            return _Node(tag, children=inner)
    return _Node(tag, content)


def _edits(
    node: _Node, prefix: str, names: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, _Node]]:
    """Place, change and the whole node, for each change of what is in it."""
    children = node.children or ()
    for rank, child in enumerate(children):
        before, after = children[:rank], children[rank + 1 :]
        place = prefix + (names[rank] if names else _named(child) or str(rank + 1))
        yield place, ABSENT, replace(node, children=(*before, *after))
        if child.children is None:
            if child.content:
                emptied = replace(child, content=b"")
                yield place, EMPTY, replace(node, children=(*before, emptied, *after))
            if other := _OTHERS.get(child.tag):
                changed = replace(child, content=other(child.content))
                yield place, OTHER, replace(node, children=(*before, changed, *after))
            continue
        for inner_place, change, inner in _edits(child, f"{place}/"):
            yield inner_place, change, replace(node, children=(*before, inner, *after))


def _named(node: _Node) -> str:
    """The name of what a SEQUENCE says by its first OID, a SET of one of them included."""
    inner = node.children or ()
    if node.tag == _SET and len(inner) == 1:
        return _named(inner[0])
    if node.tag == _SEQUENCE and inner and inner[0].tag == _OID:
        return _NAMES.get(inner[0].content, "")
    return ""
