"""The TLS session of an exchange: version, suite, and who the peer says it is."""

from __future__ import annotations

import hashlib

from cryptography import x509

from protocols.pki import ChainError, read_certificate
from reports.annotate.model import Fact, Facts, Section
from wire.exchange import TlsInfo

__all__ = ["common_name", "section"]


def section(tls: TlsInfo) -> Section:
    """Everything known of the session; a refusal says its reason, never a guess."""
    rows = [
        Fact(name, value)
        for name, value in (
            ("Version", tls.version),
            ("Suite", tls.cipher),
            ("Nom demandé (SNI)", tls.server_name),
            ("Motif", tls.reason),
        )
        if value
    ]
    for rank, der in enumerate(tls.peer_chain):
        prefix = "Certificat du pair" if rank == 0 else f"Autorité {rank}"
        rows += [Fact(f"{prefix} · {name}", value) for name, value in _certificate(der)]
    if not tls.peer_chain:
        rows.append(Fact("Certificat du pair", "aucun"))
    return Section("TLS", (Facts(tuple(rows)),), folded=True)


def common_name(tls: TlsInfo | None) -> str:
    """The common name of the peer's certificate, "" when there is none."""
    if tls is None or not tls.peer_chain:
        return ""
    try:
        subject = read_certificate(tls.peer_chain[0]).subject
        names = subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ChainError:
        return ""
    return str(names[0].value) if names else ""


def _certificate(der: bytes) -> list[tuple[str, str]]:
    digest = hashlib.sha256(der).hexdigest()
    try:
        certificate = read_certificate(der)
        return [
            ("sujet", certificate.subject.rfc4514_string()),
            ("émetteur", certificate.issuer.rfc4514_string()),
            ("numéro de série", f"{certificate.serial_number:x}"),
            (
                "validité",
                f"{certificate.not_valid_before_utc:%d/%m/%Y %H:%M} à "
                f"{certificate.not_valid_after_utc:%d/%m/%Y %H:%M} UTC",
            ),
            ("SHA-256", digest),
        ]
    except ChainError as error:
        return [("état", f"{error} ({len(der)} octets, sha256 {digest[:16]}…)")]
