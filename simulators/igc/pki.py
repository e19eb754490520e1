"""Two unrelated authorities and everything they sign: the organisations' PKI and the market's.

The first has the shape of IGC-Santé (root, ORGANISATIONS, then ORG AUTH_CLI and ORG SIGN leaves)
under names of our own; the second issues TLS server certificates. A service that trusts one has
no reason to trust the other: mixing them up is a fault that the bench must be able to show.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal, TypedDict, Unpack
from urllib.parse import urljoin

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from simulators.igc import profiles, revoked
from simulators.igc.authorities import (
    AUTHORITIES,
    CRL_LIFE,
    MARKET,
    ORGANISATIONS,
    Authority,
    certify,
    new_authority,
    new_crl,
    new_key,
)
from simulators.igc.credential import Credential, pem

__all__ = [
    "CRL_PATH",
    "OCSP_PATH",
    "TSA_PATH",
    "Extensions",
    "Issuer",
    "LeafOptions",
    "Pki",
    "PkiFiles",
]

Issuer = Literal["igc", "market"]
Extensions = Callable[
    [rsa.RSAPublicKey, rsa.RSAPublicKey, profiles.Addresses | None], list[profiles.Extension]
]

CRL_PATH = ORGANISATIONS.crl_path
OCSP_PATH = "/ocsp"
TSA_PATH = "/tsa"
ORGANISATION_LIFE = timedelta(days=3 * 365)
SERVER_LIFE = timedelta(days=90)
DAY = timedelta(days=1)

STRUCTURE = "STRUCTURE DE TEST DRIMBENCH"
PLACE = "Paris (75)"


class LeafOptions(TypedDict, total=False):
    """Faults of an organisation's leaf, right in everything else; and its key."""

    expired: bool
    """Ended yesterday."""
    not_yet_valid: bool
    """Begins tomorrow."""
    self_signed: bool
    """Signed by itself."""
    issuer: Issuer
    """`market`: the right subject and usages, under the authority that must not vouch for them."""
    key: rsa.RSAPrivateKey
    """Reuse this key instead of making one (`Pki.throwaway_key`)."""


@dataclass(frozen=True, slots=True)
class PkiFiles:
    """The two trust bundles as PEM files: root first, then intermediate."""

    igc_trust: Path
    market_trust: Path


class Pki:
    """The certificates of one run. Safe from any thread.

    Authorities are made at their first use (an RSA key each, 40 to 100 ms).
    """

    def __init__(
        self, *, clock: Callable[[], datetime], crl_url: str, keep: Path | None = None
    ) -> None:
        self.crl_url = crl_url
        self._keep = keep
        self.clock = clock
        self._lock = threading.RLock()
        self._authorities: dict[str, Credential] = {}
        self._revoked: dict[tuple[str, int], x509.RevokedCertificate] = {}
        """By authority and number."""
        self._served: dict[str, tuple[datetime, bytes]] = {}
        """Authority -> its CRL, and when it was made."""
        self._read = 0
        """What is known of the kept folder's revocations (`revoked.version`)."""

    @classmethod
    def create(
        cls, *, clock: Callable[[], datetime], crl_url: str, keep: Path | None = None
    ) -> Pki:
        """A new PKI, or the one whose authorities a folder keeps.

        Args:
            clock: now, with a time zone; read at each issue.
            crl_url: where the organisations' CRL is served; the other addresses written in
                certificates (root CRL, issuers) are its siblings.
            keep: a folder where the authorities are written, and found again by a later run: a
                product is then configured once.
        """
        return cls(clock=clock, crl_url=crl_url, keep=keep)

    # Issuing

    def auth_cli(
        self, cn: str, ou: str, o: str = STRUCTURE, st: str = PLACE, **options: Unpack[LeafOptions]
    ) -> Credential:
        """ORG AUTH_CLI: what a structure shows in mutual TLS. `ou` is its national identifier."""
        name = profiles.organisation_name(cn=cn, ou=ou, o=o, st=st)
        return self._organisation("auth-cli", name, **options)

    def sign(
        self, cn: str, ou: str, o: str = STRUCTURE, st: str = PLACE, **options: Unpack[LeafOptions]
    ) -> Credential:
        """ORG SIGN: what signs a VIHF, a lot or the white list."""
        name = profiles.organisation_name(cn=cn, ou=ou, o=o, st=st)
        return self._organisation("sign", name, **options)

    def server(
        self,
        *names: str,
        expired: bool = False,
        not_yet_valid: bool = False,
        self_signed: bool = False,
        client_only: bool = False,
        here: bool = True,
        issuer: Issuer = "market",
        key: rsa.RSAPrivateKey | None = None,
    ) -> Credential:
        """A market TLS server certificate for these DNS names and IP addresses, and for 127.0.0.1
        (`here`).

        `client_only` is a fault of its extended usage, `issuer="igc"` one of its authority.

        Raises:
            ValueError: no name was given.
        """
        if not names:
            raise ValueError("a server certificate needs at least one name")
        key = key or new_key()
        signer = None
        if not self_signed:
            signer = self.authority(MARKET if issuer == "market" else ORGANISATIONS)
        signer_key = key if signer is None else signer.key
        certificate = certify(
            subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]),
            public_key=key.public_key(),
            issuer=None if signer is None else signer.certificate.subject,
            issuer_key=signer_key,
            window=self._window(SERVER_LIFE, expired, not_yet_valid),
            extensions=profiles.server_extensions(
                dict.fromkeys((*names, "127.0.0.1") if here else names),
                key.public_key(),
                signer_key.public_key(),
                client_only=client_only,
            ),
        )
        return Credential(key, certificate, () if signer is None else (signer.certificate,))

    def issue(
        self,
        authority: Authority,
        subject: x509.Name,
        extensions: Extensions,
        *,
        life: timedelta = ORGANISATION_LIFE,
        expired: bool = False,
        not_yet_valid: bool = False,
        key: rsa.RSAPrivateKey | None = None,
    ) -> Credential:
        """A certificate of any profile, by any authority.

        `extensions` is told the public key, that of the issuer, and where the issuer publishes.
        """
        key, signer = key or new_key(), self.authority(authority)
        certificate = certify(
            subject=subject,
            public_key=key.public_key(),
            issuer=signer.certificate.subject,
            issuer_key=signer.key,
            window=self._window(life, expired, not_yet_valid),
            extensions=extensions(
                key.public_key(), signer.key.public_key(), self._addresses(authority)
            ),
        )
        return Credential(key, certificate, (signer.certificate,))

    @cached_property
    def throwaway_key(self) -> rsa.RSAPrivateKey:
        """One key shared by leaves whose key does not matter (`key=pki.throwaway_key`)."""
        return new_key()

    def vouches_for(self, credential: Credential) -> bool:
        """Whether one of our authorities issued it, it is in force for a day at least, and the CRL
        that it names, if any, is served: another life of this PKI may have had another address."""
        certificate, now = credential.certificate, self.clock()
        if profiles.crl_address(certificate) not in ("", self.crl_url):
            return False
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - DAY:
            return False
        for authority in map(self.authority, (ORGANISATIONS, MARKET)):
            try:
                certificate.verify_directly_issued_by(authority.certificate)
            except (ValueError, InvalidSignature):
                continue
            return credential.chain == (authority.certificate,)
        return False

    # Revoking

    def revoke(
        self,
        credential: Credential,
        reason: x509.ReasonFlags = x509.ReasonFlags.key_compromise,
    ) -> None:
        """Put a certificate on the CRLs made from now on, and in the answers by OCSP.

        Raises:
            ValueError: none of the authorities that publish issued it.
        """
        certificate = credential.certificate
        which = self.issuer_of(certificate)
        if which is None:
            raise ValueError(f"issued by no authority of this PKI that publishes: {credential.dn}")
        entry = revoked.entry(certificate.serial_number, self.clock(), reason)
        with self._lock:
            self._revoked[which.name, certificate.serial_number] = entry
            self._served.pop(which.name, None)

    def issuer_of(self, certificate: x509.Certificate) -> Authority | None:
        """The authority of that name that signed it, of those that publish."""
        for one in AUTHORITIES:
            if certificate.issuer != one.subject:
                continue
            try:
                certificate.verify_directly_issued_by(self.authority(one).certificate)
            except (ValueError, InvalidSignature):
                continue
            return one
        return None

    def revocation(self, authority: Authority, serial: int) -> x509.RevokedCertificate | None:
        """Its line on that authority's CRL, if it has one."""
        with self._lock:
            self._read_kept()
            return self._revoked.get((authority.name, serial))

    def crl(
        self,
        *,
        authority: Authority = ORGANISATIONS,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        delta_of: x509.CertificateRevocationList | None = None,
    ) -> bytes:
        """An authority's CRL, DER. Valid seven days, unless told otherwise (stale ones).

        `delta_of` makes a delta: what was revoked since that complete one (RFC 5280 5.2.4).

        One made earlier is served again while nothing was revoked since and half of its life is
        left: a download must not cost an RSA signature.
        """
        signer, now = self.authority(authority), self.clock()
        with self._lock:
            self._read_kept()
            taken_back = tuple(
                one for (name, _), one in self._revoked.items() if name == authority.name
            )
            if delta_of is not None:
                known = {entry.serial_number for entry in delta_of}
                taken_back = tuple(one for one in taken_back if one.serial_number not in known)
            if delta_of is not None or this_update is not None or next_update is not None:
                return new_crl(
                    signer,
                    taken_back,
                    now,
                    this_update=this_update,
                    next_update=next_update,
                    base=delta_of,
                )
            made, data = self._served.get(authority.name, (now, b""))
            if not data or abs(now - made) > CRL_LIFE / 2:
                data = new_crl(signer, taken_back, now)
                self._served[authority.name] = (now, data)
            return data

    def _read_kept(self) -> None:
        """What the kept folder says, which another process may have changed."""
        if self._keep is None or revoked.version(self._keep) == self._read:
            return
        self._read = revoked.version(self._keep)
        for authority, one in revoked.read(self._keep):
            self._revoked[authority, one.serial_number] = one
        self._served.clear()

    def root_crl(self) -> bytes:
        """The elementary root's CRL now, DER: nothing is ever revoked there."""
        return self.crl(authority=ORGANISATIONS.parent or ORGANISATIONS)

    @property
    def ocsp_url(self) -> str:
        """Where a status is asked for."""
        return urljoin(self.crl_url, ".." + OCSP_PATH)

    @property
    def tsa_url(self) -> str:
        """Where time stamps are given."""
        return urljoin(self.crl_url, ".." + TSA_PATH)

    # Trust

    @property
    def organisations(self) -> Credential:
        """The organisations' authority with its key, which protects nothing: it certifies tests."""
        return self.authority(ORGANISATIONS)

    @property
    def igc_root(self) -> x509.Certificate:
        """The anchor for clients and signers."""
        return self.root(ORGANISATIONS)

    @property
    def igc_intermediate(self) -> x509.Certificate:
        """The organisations' authority."""
        return self.organisations.certificate

    @property
    def market_root(self) -> x509.Certificate:
        """The anchor for TLS servers."""
        return self.root(MARKET)

    def root(self, authority: Authority) -> x509.Certificate:
        """The anchor of an authority."""
        return self.root_credential(authority).certificate

    def root_credential(self, authority: Authority) -> Credential:
        """The same with its key, which protects nothing either."""
        return self.authority(authority.parent or authority)

    def bundle_pem(self, authority: Authority) -> bytes:
        """Root and authority."""
        return pem(self.root(authority), self.authority(authority).certificate)

    @property
    def igc_bundle_pem(self) -> bytes:
        """Root and organisations' authority."""
        return self.bundle_pem(ORGANISATIONS)

    @property
    def market_bundle_pem(self) -> bytes:
        """Market root and intermediate."""
        return self.bundle_pem(MARKET)

    def write(self, directory: Path) -> PkiFiles:
        """Write `igc-trust.pem` and `market-trust.pem`."""
        directory.mkdir(parents=True, exist_ok=True)
        files = PkiFiles(directory / "igc-trust.pem", directory / "market-trust.pem")
        files.igc_trust.write_bytes(self.igc_bundle_pem)
        files.market_trust.write_bytes(self.market_bundle_pem)
        return files

    # Inside

    def authority(self, which: Authority) -> Credential:
        """An authority with its key: made at first use, or the one that the folder keeps."""
        with self._lock:
            if which.name not in self._authorities:
                parent = None if which.parent is None else self.authority(which.parent)
                made = self._kept(which, parent)
                if made is None:
                    above = None if which.parent is None else self._addresses(which.parent)
                    made = new_authority(which, parent, self.clock(), above)
                    if self._keep is not None:
                        made.write(self._keep, f"ac-{which.name}")
                self._authorities[which.name] = made
            return self._authorities[which.name]

    def _addresses(self, authority: Authority) -> profiles.Addresses | None:
        if not authority.published:
            return None
        # `crl_url` ends with CRL_PATH, perhaps under a prefix: siblings are relative to it.
        return profiles.Addresses(
            crl=self.crl_url
            if authority is ORGANISATIONS
            else urljoin(self.crl_url, "." + authority.crl_path.removeprefix("/CRL")),
            certificate=urljoin(self.crl_url, ".." + authority.certificate_path),
            ocsp=self.ocsp_url if authority.parent else "",
        )

    def _kept(self, which: Authority, parent: Credential | None) -> Credential | None:
        """The authority that the folder keeps; None when it has none, or one of another time.

        Raises:
            ValueError: what it keeps cannot be used.
        """
        name = f"ac-{which.name}"
        if self._keep is None or not (self._keep / f"{name}.key").exists():
            return None
        kept = Credential.read(self._keep, name)
        try:
            kept.certificate.verify_directly_issued_by((parent or kept).certificate)
        except (ValueError, InvalidSignature):  # of a root that was made again
            return None
        end = self.clock() + ORGANISATION_LIFE
        return kept if end < kept.certificate.not_valid_after_utc else None

    def _organisation(
        self,
        profile: str,
        subject: x509.Name,
        *,
        expired: bool = False,
        not_yet_valid: bool = False,
        self_signed: bool = False,
        issuer: Issuer = "igc",
        key: rsa.RSAPrivateKey | None = None,
    ) -> Credential:
        window = self._window(ORGANISATION_LIFE, expired, not_yet_valid)

        def extensions(
            public: rsa.RSAPublicKey,
            issuer_key: rsa.RSAPublicKey,
            addresses: profiles.Addresses | None,
        ) -> list[profiles.Extension]:
            made = profiles.organisation_extensions(profile, public, issuer_key, addresses)
            if profile == "sign":
                made.append((x509.PrivateKeyUsagePeriod(*window), False))
            return made

        if not self_signed:
            return self.issue(
                ORGANISATIONS if issuer == "igc" else MARKET,
                subject,
                extensions,
                expired=expired,
                not_yet_valid=not_yet_valid,
                key=key,
            )
        key = key or new_key()
        public = key.public_key()
        certificate = certify(
            subject=subject,
            public_key=public,
            issuer=None,
            issuer_key=key,
            window=window,
            extensions=extensions(public, public, None),
        )
        return Credential(key, certificate)

    def _window(
        self, life: timedelta, expired: bool, not_yet_valid: bool
    ) -> tuple[datetime, datetime]:
        now = self.clock()
        if expired:
            return now - life - DAY, now - DAY
        if not_yet_valid:
            return now + DAY, now + DAY + life
        # Begins an hour ago: a peer whose clock is a little behind must not refuse it.
        begin = now - timedelta(hours=1)
        return begin, begin + life
