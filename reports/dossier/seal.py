"""The signature of a manifest: a detached JWS that brings its certificates along.

Réf. RFC 7515 (JWS; x5c, 4.1.6; detached content, appendix F), RFC 7518 3.3 and 3.4. Tokens are
read by `protocols.jose`, where a key brought along is never followed; here the certificate says
who signed, and the authorities that the reader trusts say whether to believe it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bench.errors import BenchError
from protocols.errors import RemoteProtocolError
from protocols.pki import ChainError, key_usage, read_certificate

__all__ = ["SealError", "Signed", "Signer", "open_seal", "read_signer"]

MAX_SEAL: Final = 64 * 1024
_MAX_CHAIN: Final = 5
_TYPE: Final = "drimbench-manifeste"
_P256_BYTES: Final = 32
_SIGNS: Final = frozenset({"digitalSignature", "nonRepudiation"})


class SealError(RemoteProtocolError):
    """A signature that proves nothing; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A private key, its certificate, and those of its issuers, nearest first."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    certificates: tuple[x509.Certificate, ...]

    def sign(self, content: bytes) -> bytes:
        """A compact JWS whose middle part is left out."""
        algorithm = "RS256" if isinstance(self.key, rsa.RSAPrivateKey) else "ES256"
        header = {
            "alg": algorithm,
            "typ": _TYPE,
            "x5c": [
                base64.b64encode(one.public_bytes(Encoding.DER)).decode()
                for one in self.certificates
            ],
        }
        protected = _encode(json.dumps(header, separators=(",", ":")).encode())
        signed = protected + b"." + _encode(content)
        if isinstance(self.key, rsa.RSAPrivateKey):
            value = self.key.sign(signed, padding.PKCS1v15(), SHA256())
        else:
            r, s = decode_dss_signature(self.key.sign(signed, ec.ECDSA(SHA256())))
            value = r.to_bytes(_P256_BYTES) + s.to_bytes(_P256_BYTES)
        return protected + b".." + _encode(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who signed, from a signature that holds; nothing yet says that they are to be believed."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


def read_signer(key: bytes, certificates: bytes, password: bytes | None = None) -> Signer:
    """A signer from PEM texts: its key, then its certificate followed by its issuers'.

    Raises:
        BenchError: not a key that we sign with, or not this certificate's.
    """
    try:
        private = load_pem_private_key(key, password)
        chain = tuple(x509.load_pem_x509_certificates(certificates))
    except TypeError:
        raise BenchError("clé chiffrée : une clé en clair est attendue") from None
    except ValueError as error:
        raise BenchError(f"clé ou certificat illisible (PEM attendu) : {error}") from None
    if isinstance(private, rsa.RSAPrivateKey):
        if private.key_size < 2048:
            raise BenchError(f"clé RSA de {private.key_size} bits, 2048 au moins attendus")
    elif not (
        isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp256r1"
    ):
        raise BenchError("clé RSA ou EC P-256 attendue")
    if private.public_key() != chain[0].public_key():
        raise BenchError("la clé n'est pas celle du premier certificat")
    return Signer(key=private, certificates=chain[:_MAX_CHAIN])


def open_seal(seal: bytes, content: bytes) -> Signed:
    """Who signed this content.

    Raises:
        SealError: not such a JWS, or a signature that does not hold.
    """
    protected, middle, value = _parts(seal)
    if middle:
        raise SealError("signature JWS détachée attendue : sa partie centrale n'est pas vide")
    header = _header(protected)
    certificates = _certificates(header.get("x5c"))
    signed = protected + b"." + _encode(content)
    _check(header.get("alg"), certificates[0], signed, _decode(value))
    usages = key_usage(certificates[0])
    if usages and not usages & _SIGNS:
        raise SealError("le certificat du signataire ne sert pas à signer (keyUsage)")
    return Signed(certificate=certificates[0], chain=tuple(certificates[1:]))


def _check(algorithm: object, certificate: x509.Certificate, signed: bytes, value: bytes) -> None:
    key = certificate.public_key()
    try:
        if algorithm == "RS256" and isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
            key.verify(value, signed, padding.PKCS1v15(), SHA256())
        elif (
            algorithm == "ES256"
            and isinstance(key, ec.EllipticCurvePublicKey)
            and key.curve.name == "secp256r1"
            and len(value) == 2 * _P256_BYTES
        ):
            r, s = value[:_P256_BYTES], value[_P256_BYTES:]
            pair = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
            key.verify(pair, signed, ec.ECDSA(SHA256()))
        else:
            raise SealError(f"algorithme {algorithm!r} refusé, ou qui n'est pas celui de la clé")
    except InvalidSignature:
        raise SealError("la signature n'est pas celle de ce manifeste") from None


def _parts(seal: bytes) -> Sequence[bytes]:
    parts = seal.split(b".")
    if len(seal) > MAX_SEAL or len(parts) != 3:
        raise SealError("un JWS compact a trois parties")
    return parts


def _header(protected: bytes) -> dict[str, Any]:
    try:
        header = json.loads(_decode(protected))
    except (ValueError, RecursionError):
        raise SealError("en-tête JWS illisible") from None
    if not isinstance(header, dict) or header.get("typ") != _TYPE:
        raise SealError(f"en-tête JWS de type {_TYPE} attendu")
    if "crit" in header or "b64" in header:
        # RFC 7515 4.1.11: an extension that we do not understand must be refused.
        raise SealError("extension critique inconnue")
    return header


def _certificates(brought: object) -> list[x509.Certificate]:
    if not isinstance(brought, list) or not 0 < len(brought) <= _MAX_CHAIN:
        raise SealError("x5c absent : personne ne dit avoir signé")
    try:
        return [read_certificate(base64.b64decode(one, validate=True)) for one in brought]
    except (ChainError, ValueError, TypeError) as error:
        raise SealError(f"x5c illisible : {error}") from None


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(part: bytes) -> bytes:
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise SealError("JWS illisible : base64url attendu") from None
