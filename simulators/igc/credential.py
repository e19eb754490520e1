"""A private key with its certificate and the issuers that a peer needs, in memory or as files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from protocols.dn import dn

__all__ = ["Credential", "CredentialFiles", "pem", "read_key", "write_key"]


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """PEM files of a credential: `certificate` holds the leaf, then its chain."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, its certificate, and the intermediate certificates, nearest issuer first.

    The root is never part of `chain`: whoever trusts it has it already.
    """

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def dn(self) -> str:
        """The subject as the white list writes it: `CN=..,OU=..,O=..,ST=..,C=FR`."""
        return dn(self.certificate)

    @classmethod
    def read(cls, directory: Path, name: str) -> Credential:
        """What `write` wrote.

        Raises:
            OSError: no such files.
            ValueError: not a certificate and its RSA key.
        """
        leaf, *chain = x509.load_pem_x509_certificates((directory / f"{name}.pem").read_bytes())
        key = read_key(directory / f"{name}.key")
        if key.public_key() != leaf.public_key():
            raise ValueError(f"{directory / name}.key: not the key of this certificate")
        return cls(key, leaf, tuple(chain))

    def write(self, directory: Path, name: str) -> CredentialFiles:
        """Write `name.pem` (leaf and chain) and `name.key` (PKCS#8, mode 0600), replacing both."""
        directory.mkdir(parents=True, exist_ok=True)
        certificate = directory / f"{name}.pem"
        certificate.write_bytes(pem(self.certificate, *self.chain))
        key = directory / f"{name}.key"
        write_key(key, self.key)
        return CredentialFiles(certificate=certificate, key=key)

    def pkcs12(self, name: str, password: bytes) -> bytes:
        """Key, leaf and chain in one file, under that friendly name."""
        encryption = BestAvailableEncryption(password)
        return serialize_key_and_certificates(
            name.encode(), self.key, self.certificate, list(self.chain), encryption
        )


def read_key(file: Path) -> rsa.RSAPrivateKey:
    """What `write_key` wrote. Its numbers are believed: proving a key's primes takes as long as
    fifty signatures, and a bed has thirty keys.

    Raises:
        OSError: no such file.
        ValueError: not an RSA key.
    """
    key = load_pem_private_key(
        file.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{file}: not an RSA key")
    return key


def write_key(file: Path, key: rsa.RSAPrivateKey) -> None:
    """Write a private key as PKCS#8, mode 0600 from the start, replacing the file."""
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def pem(*certificates: x509.Certificate) -> bytes:
    """The certificates as one PEM bundle, in that order."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
