"""The certificates that a kept PKI has taken back: a file beside its authorities.

Whoever serves that folder reads it again when it changes, so that a command can revoke what a
running bench has issued.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

__all__ = ["add", "entry", "read", "version"]

_FILE = "revoques.txt"


def add(folder: Path, certificate: x509.Certificate, at: datetime) -> bool:
    """Take a certificate back from that instant on; whether it was not yet.

    Raises:
        OSError: the folder cannot be written.
        ValueError: what it keeps already cannot be read.
    """
    if certificate.serial_number in {one.serial_number for one in read(folder)}:
        return False
    with (folder / _FILE).open("a", encoding="ascii") as file:
        file.write(f"{certificate.serial_number:x} {at.isoformat(timespec='seconds')}\n")
    return True


def read(folder: Path) -> tuple[x509.RevokedCertificate, ...]:
    """As a CRL has them, in the order revoked; none when nothing was.

    Raises:
        ValueError: the file is not as `add` writes it.
    """
    try:
        lines = (folder / _FILE).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return ()
    found = []
    for number, line in enumerate(lines, 1):
        try:
            serial, at = line.split()
            found.append(entry(int(serial, 16), datetime.fromisoformat(at)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{folder / _FILE}, ligne {number} : {error}") from error
    return tuple(found)


def entry(
    serial: int, at: datetime, reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise
) -> x509.RevokedCertificate:
    """One line of a CRL."""
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(serial)
        .revocation_date(at)
        .add_extension(x509.CRLReason(reason), critical=False)
        .build()
    )


def version(folder: Path) -> int:
    """What changes when something is revoked."""
    try:
        return (folder / _FILE).stat().st_size
    except FileNotFoundError:
        return 0
