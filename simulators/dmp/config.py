"""What a DMP is built with: addresses, trust, clock, and what public texts leave open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from simulators.dmp.bearer import ApiAccess
from simulators.dmp.patients import CONFORMITY_PATIENTS, Patient
from wire.tls import ServerTls

__all__ = ["DmpConfig", "DmpOptions", "Trust"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose signatures are believed: the organisations' PKI.

    `crls` is read at each check; None leaves revocation unchecked, and so it is for what the
    `unlisted` authorities issued: nobody gives their CRL.
    """

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    crls: Callable[[], Sequence[x509.CertificateRevocationList]] | None = None
    unlisted: tuple[x509.Certificate, ...] = ()

    def revocation(
        self, certificate: x509.Certificate
    ) -> Sequence[x509.CertificateRevocationList] | None:
        """The lists to look a certificate up in; None when it is not."""
        if self.crls is None or any(_issued(certificate, one) for one in self.unlisted):
            return None
        return self.crls()


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class DmpOptions:
    """Named choices where SEL-MP-037 is not public; every default is grade `inferred`."""

    accept_sha1: bool = True
    """VIHF signed with RSA-SHA1, as the GIE examples of 2019-2021 are."""
    vihf_window: timedelta | None = timedelta(hours=1)
    """Age of IssueInstant; None does not look at it."""
    clock_skew: timedelta = timedelta(minutes=5)
    """How far in the future an instant may be."""
    require_lot_signature: bool = True
    """A lot without signature document is refused; every sample has one, in indirect mode too."""
    check_author: bool = True
    """Rule EX_2.1-1140: who feeds is an author."""
    max_results: int = 1000
    """More results than that: XDSTooManyResults."""
    max_request: int = 100 * 1024 * 1024
    """Bytes of one request."""
    establishments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """EJ/EG mode: the structure of a certificate (OU) to the EG that it may speak for."""
    inactive_structures: frozenset[str] = frozenset()
    """Structures that TD0.2 does not find."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DmpConfig:
    """Everything that a DMP needs from outside."""

    tls: ServerTls
    """Market certificate; `client_ca` the organisations' PKI, `require="required"`."""
    trust: Trust
    database: Path
    """SQLite file; its folder exists. It outlives `kill` and `restart`."""
    clock: Callable[[], datetime]
    """Now, with a time zone."""
    uuid: Callable[[], UUID]
    """Mints entryUUIDs, message ids and boundaries."""
    host: str = "127.0.0.1"
    port: int = 0
    announced: str = ""
    """The host that others are told; by default `host`."""
    patients: tuple[Patient, ...] = CONFORMITY_PATIENTS
    options: DmpOptions = field(default_factory=DmpOptions)
    api: ApiAccess | None = None
    """Whose tokens open the door of the API Pro Santé Connectée; None: there is no such door."""
