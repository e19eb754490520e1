"""The DMP, and the structures on whose behalf a DRIMbox speaks to it, their keys loaded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from drimbox_ref.config import ConfigError, Table

__all__ = ["Credentials", "Dmp", "FileDirectory", "Structure", "load_chain", "read_dmp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A health structure that the box speaks for: ORG AUTH_CLI for TLS, ORG SIGN for the VIHF
    (DB.SO.19, DB.SO.89, DB.CO.91). PEM files; a certificate file holds leaf and chain."""

    id: str
    auth_certificate: Path
    auth_key: Path
    sign_certificate: Path
    sign_key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Dmp:
    """The DMP: the root of its services, who may certify its server, and the structures whose
    documents are published or whose professionals consult (DB.SO.89, DB.CO.91)."""

    url: str
    trust: Path
    structures: tuple[Structure, ...]


def read_dmp(root: Table) -> Dmp:
    """The `[dmp]` section and its `[[dmp.structures]]`."""
    table = root.table("dmp")
    dmp = Dmp(
        url=table.url("url"),
        trust=table.path("trust"),
        structures=tuple(_structure(one) for one in table.tables("structures", at_least=1)),
    )
    table.end()
    return dmp


def _structure(table: Table) -> Structure:
    structure = Structure(
        id=table.text("id"),
        auth_certificate=table.path("auth_certificate"),
        auth_key=table.path("auth_key"),
        sign_certificate=table.path("sign_certificate"),
        sign_key=table.path("sign_key"),
    )
    table.end()
    return structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the box holds for one structure; keys are loaded once."""

    structure: str
    tls_certificate: str
    tls_key: str
    """PEM file names, for the TLS context."""
    sign_key: RSAPrivateKey = field(repr=False)
    sign_chain: tuple[x509.Certificate, ...]
    """Signing certificate first."""


class FileDirectory:
    """Credentials by structure, from PEM files (DB.SO.89, DB.CO.91)."""

    def __init__(self, structures: Sequence[Structure], *, file: Path) -> None:
        """Load every key. `file` is the configuration's, for error messages.

        Raises:
            ConfigError: a file is not what the configuration says.
        """
        self._known = {
            structure.id: _credentials(structure, file, f"dmp.structures[{structure.id}]")
            for structure in structures
        }

    def of(self, structure: str) -> Credentials | None:
        """The credentials of a structure, or None when the box has none."""
        return self._known.get(structure)


def load_chain(path: Path) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file, in its order.

    Raises:
        ValueError, OSError: unreadable.
    """
    return tuple(x509.load_pem_x509_certificates(path.read_bytes()))


def _credentials(structure: Structure, file: Path, key: str) -> Credentials:
    try:
        # Its primes are not proven again at each start: it must be the certificate's, as below.
        private = load_pem_private_key(
            structure.sign_key.read_bytes(), password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, OSError) as error:
        raise ConfigError(
            file, f"{key}.sign_key", "une clé privée PEM sans mot de passe", str(error)
        ) from None
    if not isinstance(private, RSAPrivateKey):
        raise ConfigError(file, f"{key}.sign_key", "une clé RSA", type(private).__name__)
    try:
        chain = load_chain(structure.sign_certificate)
    except (ValueError, OSError) as error:
        raise ConfigError(
            file, f"{key}.sign_certificate", "un certificat PEM", str(error)
        ) from None
    if chain[0].public_key() != private.public_key():
        raise ConfigError(
            file, f"{key}.sign_key", "la clé du certificat de signature", "une autre clé"
        )
    return Credentials(
        structure=structure.id,
        tls_certificate=str(structure.auth_certificate),
        tls_key=str(structure.auth_key),
        sign_key=private,
        sign_chain=chain,
    )
