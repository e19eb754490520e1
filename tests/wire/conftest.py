"""A tiny PKI for the tests of the wire: two unrelated authorities, one leaf of each kind."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from wire.exchange import Exchange
from wire.tls import ClientTls, ServerTls

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Leaf:
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """One self-signed authority; EC keys, because these tests are not about RSA."""

    directory: Path
    trust: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def leaf(self, cn: str, *names: str, expired: bool = False) -> Leaf:
        key = ec.generate_private_key(ec.SECP256R1())
        end = NOW - DAY if expired else NOW + DAY
        sans: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        sans += [x509.DNSName(name) for name in names]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 10 * DAY)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName(sans), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _write(self.directory, cn + ("-expired" if expired else ""), key, certificate)


def _write(
    directory: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> Leaf:
    leaf = Leaf(directory / f"{name}.crt", directory / f"{name}.key")
    leaf.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    leaf.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return leaf


def _authority(directory: Path, cn: str) -> Authority:
    directory.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 10 * DAY)
        .not_valid_after(NOW + 10 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(
        directory, _write(directory, "ca", key, certificate).certificate, key, certificate
    )


@dataclass(frozen=True)
class TinyPki:
    market: Authority
    organisations: Authority
    server: Leaf
    """`127.0.0.1`, `localhost` and `db.kit.test`, from the market authority."""
    client: Leaf
    stranger: Leaf
    """A client certificate of the wrong authority."""

    def serving(self, require: str = "none") -> ServerTls:
        return ServerTls(
            self.server.certificate,
            self.server.key,
            None if require == "none" else self.organisations.trust,
            require,  # type: ignore[arg-type]
        )

    def calling(self, leaf: Leaf | None = None) -> ClientTls:
        return ClientTls(
            self.market.trust, leaf.certificate if leaf else None, leaf.key if leaf else None
        )


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TinyPki:
    directory = tmp_path_factory.mktemp("pki")
    market = _authority(directory / "market", "KIT MARKET")
    organisations = _authority(directory / "org", "KIT ORGANISATIONS")
    return TinyPki(
        market,
        organisations,
        market.leaf("db.kit.test", "localhost", "db.kit.test"),
        organisations.leaf("consumer.kit.test"),
        market.leaf("stranger.kit.test"),
    )


@pytest.fixture
def seen() -> list[Exchange]:
    return []


@pytest.fixture
def observe(seen: list[Exchange]) -> Callable[[Exchange], None]:
    return seen.append
