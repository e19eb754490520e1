"""The test PKI: two unrelated authorities, their leaves, their revocation, their HTTP face."""

from simulators.igc.credential import Credential, CredentialFiles, write_key
from simulators.igc.pki import Pki, PkiFiles

__all__ = ["Credential", "CredentialFiles", "Pki", "PkiFiles", "write_key"]
