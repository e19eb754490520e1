"""The certificates that a kept PKI has taken back: a file beside its authorities.

Whoever serves that folder reads it again when it changes, so that a command can revoke what a
running bench has issued.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

from simulators.igc.authorities import AUTHORITIES, ORGANISATIONS

__all__ = ["add", "entry", "read", "version"]

_FILE = "revoques.txt"
_KNOWN = frozenset(one.name for one in AUTHORITIES)


def add(
    folder: Path,
    serial: int,
    at: datetime,
    *,
    authority: str = ORGANISATIONS.name,
    reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
) -> bool:
    """Take back, from that instant on, a certificate of an authority of `AUTHORITIES`; whether it
    was not yet.

    Raises:
        OSError: the folder cannot be written.
        ValueError: what it keeps already cannot be read.
    """
    if (authority, serial) in {(name, one.serial_number) for name, one in read(folder)}:
        return False
    with (folder / _FILE).open("a", encoding="ascii") as file:
        words = f"{serial:x}", at.isoformat(timespec="seconds"), authority, reason.value
        file.write(" ".join(words) + "\n")
    return True


def read(folder: Path) -> tuple[tuple[str, x509.RevokedCertificate], ...]:
    """Name of the authority and line of its CRL, in the order revoked; none when nothing was.

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
            serial, at, *more = line.split()
            # Folders of former versions say neither: they knew one authority and one reason.
            authority, reason = more or (ORGANISATIONS.name, x509.ReasonFlags.key_compromise)
            if authority not in _KNOWN:
                raise ValueError(f"autorité {authority} inconnue")
            one = entry(int(serial, 16), datetime.fromisoformat(at), x509.ReasonFlags(reason))
            found.append((authority, one))
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
