"""The test PKI: two unrelated authorities, their leaves, their revocation, their HTTP face."""

from simulators.igc.credential import Credential, CredentialFiles, pem, read_key, write_key
from simulators.igc.pki import Pki, PkiFiles
from simulators.igc.seeded import seeded_signer

__all__ = [
    "Credential",
    "CredentialFiles",
    "Pki",
    "PkiFiles",
    "pem",
    "read_key",
    "seeded_signer",
    "write_key",
]
