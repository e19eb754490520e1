"""Whether a box is in a white list: a Source by its name, a Consumer by its certificate."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from bench.bed import Bed
from bench.checks import Check, fault, good
from bench.errors import BenchError
from protocols import whitelist
from protocols.dn import DnError, dn, same_dn
from protocols.errors import RemoteProtocolError
from protocols.pki import ChainError, read_certificate
from protocols.whitelist import WhiteList
from validators.finding import Cause

__all__ = ["examine_listing"]


def examine_listing(bed: Bed, file: Path, certificate: Path | None) -> list[Check]:
    """A check for each claimed role.

    Args:
        file: the signed list.
        certificate: what the product shows to other DRIMboxes; by default, what the profile
            gives, else what the bench issued.

    Raises:
        BenchError: a file cannot be read.
    """
    title = f"liste blanche {file.name}"
    try:
        found = whitelist.verify(_read(file)).white_list
    except RemoteProtocolError as error:
        advice = "donner la liste signée que publie l'ANS"
        return [fault(title, Cause.PROFILE, f"illisible : {error}", advice)]
    checks = []
    if "source" in bed.claimed:
        checks.append(_by_name(title, bed.profile.source.host, found))
    if "consumer" in bed.claimed and (certificate is not None or "source" not in bed.claimed):
        subject = _subject(certificate) if certificate else bed.papers.dns["consumer"]
        checks.append(_by_certificate(title, subject, found))
    return checks


def _by_name(title: str, host: str, found: WhiteList) -> Check:
    if any(domain.db.lower() == host.lower() for domain in found.domains):
        return good(title, f"{host} y est")
    advice = "faire inscrire la DRIMbox par l'ANS, ou corriger source.host"
    return fault(title, Cause.BOX, f"{host} n'y est pas", advice)


def _subject(file: Path) -> str:
    try:
        return dn(_leaf(file))
    except (ChainError, DnError, ValueError) as error:
        raise BenchError(f"{file} : certificat PEM ou DER attendu ({error})") from None


def _by_certificate(title: str, subject: str, found: WhiteList) -> Check:
    for domain in found.domains:
        if _same(subject, domain.operator_dn):
            return good(title, f"{subject} y est, pour {domain.db}")
    return fault(
        title,
        Cause.BOX,
        f"aucune entrée ne porte le certificat {subject}",
        "faire inscrire ce certificat par l'ANS (DNCertificatOperateur), ou donner celui qui l'est "
        "(--certificate)",
    )


def _same(subject: str, listed: str) -> bool:
    try:
        return same_dn(subject, listed)
    except DnError:
        return False


def _leaf(file: Path) -> x509.Certificate:
    data = _read(file)
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)[0]
    return read_certificate(data)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BenchError(f"{file} : illisible ({error.strerror})") from None
