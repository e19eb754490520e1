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
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from simulators.igc import profiles, revoked
from simulators.igc.credential import Credential, pem

__all__ = ["CRL_PATH", "PUBLISHED", "Issuer", "LeafOptions", "Pki", "PkiFiles"]

Issuer = Literal["igc", "market"]

CRL_PATH = "/CRL/KIT-ACI-EL-ORG.crl"
PUBLISHED = {
    "organisations-crl": CRL_PATH,
    "root-crl": "/CRL/KIT-ACR-EL.crl",
    "organisations": "/AC/KIT-ACI-EL-ORG.cer",
    "root": "/AC/KIT-ACR-EL.cer",
}
"""Paths under which the service publishes; file names follow those of IGC-Santé (sample)."""

ORGANISATION_LIFE = timedelta(days=3 * 365)
SERVER_LIFE = timedelta(days=90)
AUTHORITY_LIFE = timedelta(days=10 * 365)
CRL_LIFE = timedelta(days=7)
CRL_MARGIN = timedelta(minutes=1)
"""How long before it is made a CRL begins, unless something was revoked since: clocks differ."""
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


@dataclass(frozen=True, slots=True)
class _Authority:
    root: Credential
    intermediate: Credential


class Pki:
    """The certificates of one run. Safe from any thread.

    Authorities are made at their first use (two RSA keys each, 40 to 100 ms a key).
    """

    def __init__(
        self, *, clock: Callable[[], datetime], crl_url: str, keep: Path | None = None
    ) -> None:
        self.crl_url = crl_url
        self._keep = keep
        self.clock = clock
        self._lock = threading.RLock()
        self._revoked: dict[int, x509.RevokedCertificate] = {}
        self._served_crl: tuple[datetime, bytes] | None = None
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
        issuer: Issuer = "market",
        key: rsa.RSAPrivateKey | None = None,
    ) -> Credential:
        """A market TLS server certificate for these DNS names and IP addresses, and for 127.0.0.1.

        `client_only` is a fault of its extended usage, `issuer="igc"` one of its authority.

        Raises:
            ValueError: no name was given.
        """
        if not names:
            raise ValueError("a server certificate needs at least one name")
        key = key or _new_key()
        authority = self._market if issuer == "market" else self._igc
        signer = None if self_signed else authority.intermediate
        signer_key = key if signer is None else signer.key
        certificate = _certificate(
            subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]),
            public_key=key.public_key(),
            issuer=None if signer is None else signer.certificate.subject,
            issuer_key=signer_key,
            window=self._window(SERVER_LIFE, expired, not_yet_valid),
            extensions=profiles.server_extensions(
                dict.fromkeys((*names, "127.0.0.1")),
                key.public_key(),
                signer_key.public_key(),
                client_only=client_only,
            ),
        )
        return Credential(key, certificate, () if signer is None else (signer.certificate,))

    @cached_property
    def throwaway_key(self) -> rsa.RSAPrivateKey:
        """One key shared by leaves whose key does not matter (`key=pki.throwaway_key`)."""
        return _new_key()

    def vouches_for(self, credential: Credential) -> bool:
        """Whether one of our authorities issued it, it is in force for a day at least, and the CRL
        that it names, if any, is served: another life of this PKI may have had another address."""
        certificate, now = credential.certificate, self.clock()
        if profiles.crl_address(certificate) not in ("", self.crl_url):
            return False
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc - DAY:
            return False
        for authority in (self._igc.intermediate, self._market.intermediate):
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
        """Put an organisation's certificate on the CRLs made from now on.

        Raises:
            ValueError: another authority issued it.
        """
        certificate = credential.certificate
        if certificate.issuer != self._igc.intermediate.certificate.subject:
            raise ValueError(f"not issued by the organisations' authority: {credential.dn}")
        entry = revoked.entry(certificate.serial_number, self.clock(), reason)
        with self._lock:
            self._revoked[certificate.serial_number] = entry
            self._served_crl = None

    def crl(
        self,
        *,
        this_update: datetime | None = None,
        next_update: datetime | None = None,
        delta_of: x509.CertificateRevocationList | None = None,
    ) -> bytes:
        """The organisations' CRL, DER. Valid seven days, unless told otherwise (stale ones).

        `delta_of` makes a delta: what was revoked since that complete one (RFC 5280 5.2.4).

        One made earlier is served again while nothing was revoked since and half of its life is
        left: a download must not cost an RSA signature.
        """
        authority = self._igc.intermediate
        with self._lock:
            taken_back = self._taken_back()
            if delta_of is not None:
                known = {entry.serial_number for entry in delta_of}
                news = tuple(one for one in taken_back if one.serial_number not in known)
                return self._crl(authority, news, this_update, next_update, delta_of)
            if this_update is not None or next_update is not None:
                return self._crl(authority, taken_back, this_update, next_update)
            now = self.clock()
            if self._served_crl is None or abs(now - self._served_crl[0]) > CRL_LIFE / 2:
                self._served_crl = (now, self._crl(authority, taken_back, None, None))
            return self._served_crl[1]

    def _taken_back(self) -> tuple[x509.RevokedCertificate, ...]:
        """Of this run, and of the kept folder, which another process may have changed."""
        if self._keep is not None and revoked.version(self._keep) != self._read:
            self._read = revoked.version(self._keep)
            self._revoked.update({one.serial_number: one for one in revoked.read(self._keep)})
            self._served_crl = None
        return tuple(self._revoked.values())

    def root_crl(self) -> bytes:
        """The root's CRL now, DER: nothing is ever revoked there."""
        return self._crl(self._igc.root, (), None, None)

    # Trust

    @property
    def organisations(self) -> Credential:
        """The organisations' authority with its key, which protects nothing: it certifies tests."""
        return self._igc.intermediate

    @property
    def igc_root(self) -> x509.Certificate:
        """The anchor for clients and signers."""
        return self._igc.root.certificate

    @property
    def igc_intermediate(self) -> x509.Certificate:
        """The organisations' authority."""
        return self._igc.intermediate.certificate

    @property
    def market_root(self) -> x509.Certificate:
        """The anchor for TLS servers."""
        return self._market.root.certificate

    @property
    def igc_bundle_pem(self) -> bytes:
        """Root and organisations' authority."""
        return pem(self.igc_root, self.igc_intermediate)

    @property
    def market_bundle_pem(self) -> bytes:
        """Market root and intermediate."""
        return pem(self.market_root, self._market.intermediate.certificate)

    def write(self, directory: Path) -> PkiFiles:
        """Write `igc-trust.pem` and `market-trust.pem`."""
        directory.mkdir(parents=True, exist_ok=True)
        files = PkiFiles(directory / "igc-trust.pem", directory / "market-trust.pem")
        files.igc_trust.write_bytes(self.igc_bundle_pem)
        files.market_trust.write_bytes(self.market_bundle_pem)
        return files

    # Inside

    @cached_property
    def _igc_made(self) -> _Authority:
        return self._kept("igc") or self._authority(
            "igc",
            "IGC DE TEST",
            "KIT AC RACINE ELEMENTAIRE",
            "KIT AC ELEMENTAIRE ORGANISATIONS",
            self._addresses("root-crl", "root"),
        )

    @cached_property
    def _market_made(self) -> _Authority:
        return self._kept("marche") or self._authority(
            "marche", "MARCHE DE TEST", "KIT Racine Marche TLS", "KIT Autorite Marche TLS", None
        )

    @property
    def _igc(self) -> _Authority:
        with self._lock:  # cached_property alone would let two threads make two authorities
            return self._igc_made

    @property
    def _market(self) -> _Authority:
        with self._lock:
            return self._market_made

    def _addresses(self, crl: str, certificate: str) -> profiles.Addresses:
        # `crl_url` ends with CRL_PATH, perhaps under a prefix: siblings are relative to it.
        return profiles.Addresses(
            crl=self.crl_url
            if PUBLISHED[crl] == CRL_PATH
            else urljoin(self.crl_url, "." + PUBLISHED[crl].removeprefix("/CRL")),
            certificate=urljoin(self.crl_url, ".." + PUBLISHED[certificate]),
        )

    def _kept(self, name: str) -> _Authority | None:
        """The authority that the folder keeps; None when it has none, or one of another time.

        Raises:
            ValueError: what it keeps cannot be used.
        """
        if self._keep is None or not (self._keep / f"ac-{name}.key").exists():
            return None
        root = Credential.read(self._keep, f"ac-{name}-racine")
        intermediate = Credential.read(self._keep, f"ac-{name}")
        now = self.clock() + ORGANISATION_LIFE
        return (
            _Authority(root, intermediate) if now < root.certificate.not_valid_after_utc else None
        )

    def _authority(
        self,
        name: str,
        unit: str,
        root_cn: str,
        intermediate_cn: str,
        addresses: profiles.Addresses | None,
    ) -> _Authority:
        now = self.clock()
        window = (now - AUTHORITY_LIFE, now + AUTHORITY_LIFE)
        root_key, key = _new_key(), _new_key()
        root_name = _authority_name(unit, root_cn)
        root = _certificate(
            subject=root_name,
            public_key=root_key.public_key(),
            issuer=None,
            issuer_key=root_key,
            window=window,
            extensions=profiles.authority_extensions(
                root_key.public_key(), root_key.public_key(), path_length=None
            ),
        )
        extensions = profiles.authority_extensions(
            key.public_key(), root_key.public_key(), path_length=0
        )
        if addresses is not None:
            extensions += profiles.address_extensions(addresses)
        intermediate = _certificate(
            subject=_authority_name(unit, intermediate_cn),
            public_key=key.public_key(),
            issuer=root_name,
            issuer_key=root_key,
            window=window,
            extensions=extensions,
        )
        made = _Authority(Credential(root_key, root), Credential(key, intermediate))
        if self._keep is not None:
            made.root.write(self._keep, f"ac-{name}-racine")
            made.intermediate.write(self._keep, f"ac-{name}")
        return made

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
        key = key or _new_key()
        if self_signed:
            signer, addresses = None, None
        elif issuer == "market":
            signer, addresses = self._market.intermediate, None
        else:
            signer = self._igc.intermediate
            addresses = self._addresses("organisations-crl", "organisations")
        signer_key = key if signer is None else signer.key
        certificate = _certificate(
            subject=subject,
            public_key=key.public_key(),
            issuer=None if signer is None else signer.certificate.subject,
            issuer_key=signer_key,
            window=self._window(ORGANISATION_LIFE, expired, not_yet_valid),
            extensions=profiles.organisation_extensions(
                profile, key.public_key(), signer_key.public_key(), addresses
            ),
        )
        return Credential(key, certificate, () if signer is None else (signer.certificate,))

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

    def _crl(
        self,
        authority: Credential,
        entries: tuple[x509.RevokedCertificate, ...],
        this_update: datetime | None,
        next_update: datetime | None,
        base: x509.CertificateRevocationList | None = None,
    ) -> bytes:
        # Seconds are all that a CRL tells: one made now would begin after a verification that
        # began before it, and be out of date for that one.
        start = this_update or max(
            [self.clock() - CRL_MARGIN, *(entry.revocation_date_utc for entry in entries)]
        )
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.certificate.subject)
            .last_update(start)
            .next_update(next_update or start + CRL_LIFE)
            .add_extension(x509.CRLNumber(int(start.timestamp() * 1000)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
                critical=False,
            )
        )
        if base is not None:
            number = base.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            builder = builder.add_extension(x509.DeltaCRLIndicator(number), critical=True)
        for entry in entries:
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(authority.key, SHA256()).public_bytes(Encoding.DER)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _authority_name(unit: str, cn: str) -> x509.Name:
    pairs = (
        (NameOID.COUNTRY_NAME, "FR"),
        (NameOID.ORGANIZATION_NAME, "DRIMBENCH"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        (NameOID.COMMON_NAME, cn),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def _certificate(
    *,
    subject: x509.Name,
    public_key: rsa.RSAPublicKey,
    issuer: x509.Name | None,
    issuer_key: rsa.RSAPrivateKey,
    window: tuple[datetime, datetime],
    extensions: list[profiles.Extension],
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(window[0])
        .not_valid_after(window[1])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, SHA256())
