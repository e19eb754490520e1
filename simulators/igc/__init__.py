"""The test PKI: authorities, leaves, revocation by CRL and OCSP, and what they do wrong."""

from simulators.igc.credential import Credential, CredentialFiles, pem, read_key, write_key
from simulators.igc.faults import MENU
from simulators.igc.pki import Pki, PkiFiles
from simulators.igc.seeded import seeded_signer

__all__ = [
    "MENU",
    "Credential",
    "CredentialFiles",
    "Pki",
    "PkiFiles",
    "pem",
    "read_key",
    "seeded_signer",
    "write_key",
]
