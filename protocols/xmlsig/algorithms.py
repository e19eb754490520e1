"""The algorithms that a signature of this network may use; every other one is refused unread.

Reading allows RSA with SHA-256 or SHA-512. SHA-1 is read and written only when told so: DMP
samples of 2019-2021 and the ANS demonstrator use it (grade: sample), current ANS examples do not.
Réf. XML Signature Syntax and Processing 1.1, section 6; RFC 6931.
"""

from __future__ import annotations

from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import Certificate

from protocols.xmlsig.errors import SignatureError, SignatureFault

__all__ = [
    "C14N",
    "C14N_COMMENTS",
    "ENVELOPED",
    "EXC_C14N",
    "EXC_C14N_COMMENTS",
    "FILTER2",
    "Hash",
    "digest",
    "digest_uri",
    "fits",
    "sign",
    "signature_uri",
]

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N_COMMENTS = C14N + "#WithComments"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
EXC_C14N_COMMENTS = EXC_C14N + "WithComments"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"

Hash = Literal["sha1", "sha256", "sha512"]

_HASHES: dict[Hash, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}
_DIGESTS: dict[str, Hash] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_SIGNATURES: dict[str, Hash] = {
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": "sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": "sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": "sha512",
}
_DIGEST_URIS = {name: uri for uri, name in _DIGESTS.items()}
_SIGNATURE_URIS = {name: uri for uri, name in _SIGNATURES.items()}

MINIMUM_KEY_SIZE = 2048


def digest_uri(name: Hash) -> str:
    """The DigestMethod identifier."""
    return _DIGEST_URIS[name]


def signature_uri(name: Hash) -> str:
    """The SignatureMethod identifier of RSA PKCS#1 v1.5 with that hash."""
    return _SIGNATURE_URIS[name]


def digest(uri: str, data: bytes, *, legacy: bool) -> bytes:
    """The digest of `data` by the DigestMethod `uri`; SHA-1 only if `legacy`.

    Raises:
        SignatureError: (algorithm) outside the allow-list.
    """
    hasher = hashes.Hash(_HASHES[_allowed(_DIGESTS, uri, legacy)])
    hasher.update(data)
    return hasher.finalize()


def sign(key: rsa.RSAPrivateKey, data: bytes, name: Hash) -> bytes:
    """RSA PKCS#1 v1.5 over the hash of `data`."""
    return key.sign(data, padding.PKCS1v15(), _HASHES[name])


def fits(certificate: Certificate, value: bytes, data: bytes, uri: str, *, legacy: bool) -> bool:
    """Whether `value` is the signature of `data` by the certificate's key.

    Raises:
        SignatureError: (algorithm) method outside the allow-list, or key that is not RSA of at
            least 2048 bits.
    """
    algorithm = _HASHES[_allowed(_SIGNATURES, uri, legacy)]
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MINIMUM_KEY_SIZE:
        raise SignatureError(
            SignatureFault.ALGORITHM, "la clé du certificat n'est pas une clé RSA de 2048 bits"
        )
    try:
        key.verify(value, data, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def _allowed(table: dict[str, Hash], uri: str, legacy: bool) -> Hash:
    name = table.get(uri)
    if name is None:
        raise SignatureError(SignatureFault.ALGORITHM, f"algorithme refusé : {uri!r}")
    if name == "sha1" and not legacy:
        raise SignatureError(SignatureFault.ALGORITHM, "SHA-1 refusé")
    return name
