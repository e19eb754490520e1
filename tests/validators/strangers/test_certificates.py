"""openssl reads the certificates and lists that we judge, and verifies the same chains.

`-x509_strict` asks of every certificate what RFC 5280 asks of authorities that issue them: where
our path check takes what it can verify, a rule of the judge says the rest.
"""

from __future__ import annotations

import base64
import itertools
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.pki import ChainError, verify_chain
from tests.validators.strangers.model import program
from validators.api import KINDS, Context, validate
from validators.examples import pki as example

pytestmark = pytest.mark.interop

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
YEAR = timedelta(days=365)


def _openssl(*arguments: str | Path, data: bytes = b"") -> bool:
    done = subprocess.run(
        [program("openssl"), *map(str, arguments)],
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0


def _der(data: bytes) -> bytes:
    """The first block of a PEM file, or the bytes themselves."""
    found = re.search(rb"-----BEGIN [^-]+-----(.*?)-----END", data, re.DOTALL)
    return base64.b64decode(found[1]) if found else data


@pytest.mark.parametrize(("kind", "command"), [("certificat", "x509"), ("crl", "crl")])
def test_openssl_and_we_read_the_same_bytes(kind: str, command: str) -> None:
    def read(data: bytes) -> bool:
        return _openssl(command, "-inform", "DER", "-noout", "-text", data=data)

    syntax = KINDS[kind].rules.syntax.id
    good = _der(KINDS[kind].rules.good())
    assert read(good)
    assert syntax not in {found.rule for found in validate(good, kind).findings}
    for cut in (1, 10, 100, len(good) // 2, len(good) - 1):
        assert not read(good[:cut])
        assert syntax in {found.rule for found in validate(good[:cut], kind).findings}


# Chains ---------------------------------------------------------------------------------------

Extension = tuple[x509.ExtensionType, bool]


@cache
def _key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Paper:
    """A certificate to make. `key` and `signer` name keys; a look-alike has another's name."""

    subject: str
    issuer: str
    key: str
    signer: str
    ca: bool = False
    path_length: int | None = None
    begin: datetime = NOW - YEAR
    end: datetime = NOW + YEAR
    usage: tuple[str, ...] = ()
    more: tuple[Extension, ...] = ()
    without: tuple[type[x509.ExtensionType], ...] = ()
    serial: int = 77

    def made(self) -> x509.Certificate:
        identifier = x509.SubjectKeyIdentifier.from_public_key
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key
        usage = self.usage or (("key_cert_sign", "crl_sign") if self.ca else ("digital_signature",))
        extensions: list[Extension] = [
            (x509.BasicConstraints(self.ca, self.path_length), True),
            (example.key_usage(*usage), True),
            (identifier(_key(self.key).public_key()), False),
            (authority(_key(self.signer).public_key()), False),
            *self.more,
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(self.subject))
            .issuer_name(_name(self.issuer))
            .public_key(_key(self.key).public_key())
            .serial_number(self.serial)
            .not_valid_before(self.begin)
            .not_valid_after(self.end)
        )
        for value, critical in extensions:
            if not isinstance(value, self.without):
                builder = builder.add_extension(value, critical)
        return builder.sign(_key(self.signer), hashes.SHA256())


ROOT = Paper("AC racine", "AC racine", "root", "root", ca=True, serial=1)
BELOW = Paper("AC fille", "AC racine", "below", "root", ca=True, path_length=0, serial=2)
LEAF = Paper("drimbox", "AC fille", "leaf", "below")


def _list(issuer: str, signer: str, *revoked: int, end: datetime = NOW + YEAR) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(_name(issuer))
        .last_update(NOW - YEAR)
        .next_update(end)
        .add_extension(x509.CRLNumber(1), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(signer).public_key()), False
        )
    )
    for number in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(number)
        builder = builder.add_revoked_certificate(entry.revocation_date(NOW - YEAR).build())
    return builder.sign(_key(signer), hashes.SHA256()).public_bytes(Encoding.DER)


def _with_unused_bits(make: Callable[[int], bytes], signature: Callable[[bytes], bytes]) -> bytes:
    """The BIT STRING of the signature says that its last bit is unused; its octets are the same.

    DER wants that bit to be 0 (X.690 11.2.1), else nobody reads the rest: one try in two serves.
    """
    der = next(der for der in map(make, itertools.count(100)) if not der[-1] & 1)
    place = len(der) - len(signature(der)) - 1
    return der[:place] + b"\x01" + der[place + 1 :]


def _unused_bits_of_leaf() -> Chain:
    def make(serial: int) -> bytes:
        return _bytes(replace(LEAF, serial=serial))

    leaf = _with_unused_bits(make, lambda der: x509.load_der_x509_certificate(der).signature)
    return replace(_chain(), leaf=leaf)


def _unused_bits_of_list(make: Callable[[int], bytes]) -> bytes:
    return _with_unused_bits(make, lambda der: x509.load_der_x509_crl(der).signature)


def _damaged(der: bytes) -> bytes:
    return der[:-1] + bytes((der[-1] ^ 1,))


@dataclass(frozen=True)
class Chain:
    """A leaf, what comes with it, what is trusted and the lists, each as DER."""

    leaf: bytes
    below: tuple[bytes, ...] = ()
    roots: tuple[bytes, ...] = field(default_factory=lambda: (_bytes(ROOT),))
    lists: tuple[bytes, ...] = ()
    at: datetime = NOW


def _bytes(paper: Paper) -> bytes:
    return paper.made().public_bytes(Encoding.DER)


def _chain(
    leaf: Paper = LEAF,
    below: Paper = BELOW,
    root: Paper = ROOT,
    *,
    lists: tuple[bytes, ...] = (),
    at: datetime = NOW,
) -> Chain:
    return Chain(_bytes(leaf), (_bytes(below),), (_bytes(root),), lists, at)


def _by_openssl(chain: Chain, folder: Path) -> bool:
    options: list[str | Path] = ["-x509_strict", "-attime", str(int(chain.at.timestamp()))]
    for name, option, papers, label in (
        ("roots.pem", "-CAfile", chain.roots, "CERTIFICATE"),
        ("below.pem", "-untrusted", chain.below, "CERTIFICATE"),
        ("lists.pem", "-CRLfile", chain.lists, "X509 CRL"),
    ):
        if papers:
            (folder / name).write_bytes(b"".join(_pem(one, label) for one in papers))
            options += [option, folder / name]
    if chain.lists:
        options.append("-crl_check")
    (folder / "leaf.pem").write_bytes(_pem(chain.leaf, "CERTIFICATE"))
    return _openssl("verify", *options, folder / "leaf.pem")


def _pem(der: bytes, label: str) -> bytes:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


def _by_us(chain: Chain) -> bool:
    read = x509.load_der_x509_certificate
    try:
        verify_chain(
            read(chain.leaf),
            [read(one) for one in chain.below],
            [read(one) for one in chain.roots],
            chain.at,
            [x509.load_der_x509_crl(one) for one in chain.lists] if chain.lists else None,
        )
    except ChainError:
        return False
    return True


UNKNOWN = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.250.1.999.9"), b"\5\0"), True)
CURRENT = _list("AC fille", "below", 5)


@pytest.mark.parametrize(
    ("chain", "holds"),
    [
        pytest.param(_chain(), True, id="bonne"),
        pytest.param(replace(_chain(), leaf=_damaged(_bytes(LEAF))), False, id="signature altérée"),
        pytest.param(
            _unused_bits_of_leaf(), False, id="signature aux bits inutilisés"
        ),
        pytest.param(Chain(_bytes(LEAF)), False, id="sans l'autorité intermédiaire"),
        pytest.param(
            _chain(below=replace(BELOW, signer="stranger")), False, id="autorité d'un inconnu"
        ),
        pytest.param(
            _chain(below=replace(BELOW, key="stranger")), False, id="sosie de l'intermédiaire"
        ),
        pytest.param(
            _chain(root=replace(ROOT, key="stranger", signer="stranger")),
            False,
            id="sosie de la racine",
        ),
        pytest.param(
            Chain(
                _bytes(LEAF),
                (_bytes(replace(BELOW, key="stranger", signer="stranger")), _bytes(BELOW)),
            ),
            True,
            id="sosie à côté de la bonne",
        ),
        pytest.param(_chain(below=replace(BELOW, ca=False, path_length=None)), False, id="pas AC"),
        pytest.param(
            _chain(below=replace(BELOW, usage=("digital_signature",))), False, id="sans keyCertSign"
        ),
        pytest.param(
            _chain(root=replace(ROOT, path_length=0)), False, id="plus longue que permis"
        ),
        pytest.param(_chain(at=NOW + 2 * YEAR), False, id="après sa fin"),
        pytest.param(_chain(at=NOW - 2 * YEAR), False, id="avant son début"),
        pytest.param(
            _chain(below=replace(BELOW, end=NOW - timedelta(days=1))),
            False,
            id="intermédiaire expirée",
        ),
        pytest.param(
            _chain(leaf=replace(LEAF, more=(UNKNOWN,))), False, id="extension critique inconnue"
        ),
        pytest.param(
            Chain(_bytes(replace(LEAF, issuer="drimbox", signer="leaf"))),
            False,
            id="signée par elle-même",
        ),
        pytest.param(_chain(lists=(CURRENT,)), True, id="CRL qui ne la nomme pas"),
        pytest.param(
            _chain(lists=(_list("AC fille", "below", LEAF.serial),)), False, id="révoquée"
        ),
        pytest.param(
            _chain(lists=(_list("AC fille", "below", end=NOW - timedelta(days=1)),)),
            False,
            id="CRL périmée",
        ),
        pytest.param(
            _chain(lists=(_list("AC fille", "stranger"),)), False, id="CRL d'un sosie"
        ),
        pytest.param(_chain(lists=(_list("AC racine", "root"),)), False, id="CRL d'une autre"),
        pytest.param(_chain(lists=(_damaged(CURRENT),)), False, id="CRL altérée"),
        pytest.param(
            _chain(
                lists=(_unused_bits_of_list(lambda one: _list("AC fille", "below", one)),)
            ),
            False,
            id="CRL aux bits inutilisés",
        ),
    ],
)  # fmt: skip
def test_openssl_and_we_verify_the_same_chains(tmp_path: Path, chain: Chain, holds: bool) -> None:
    assert _by_openssl(chain, tmp_path) is holds
    assert _by_us(chain) is holds


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        # RFC 5280 4.2.1.1: SHOULD in a leaf; a path is found without it. The judge tells it.
        pytest.param(x509.AuthorityKeyIdentifier, "CERT-011", id="authorityKeyIdentifier"),
    ],
)
def test_what_strictness_refuses_a_rule_tells(
    tmp_path: Path, missing: type[x509.ExtensionType], rule: str
) -> None:
    chain = _chain(leaf=replace(LEAF, without=(missing,)))
    assert not _by_openssl(chain, tmp_path)
    assert _by_us(chain)
    told = {found.rule for found in validate(chain.leaf, "certificat").findings}
    assert rule in told


# Lists, as the judge of a single one says -----------------------------------------------------


def _list_verifies(data: bytes, authority: bytes, folder: Path) -> bool:
    (folder / "authority.pem").write_bytes(authority)
    (folder / "list.crl").write_bytes(data)
    done = subprocess.run(
        [
            program("openssl"), "crl", "-inform", "DER", "-in", str(folder / "list.crl"),
            "-CAfile", str(folder / "authority.pem"), "-noout", "-verify",
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    # Until openssl 3.3, a failed verification still ends with 0.
    return done.returncode == 0 and b"verify OK" in done.stderr


@pytest.mark.parametrize(
    ("data", "verifies"),
    [
        pytest.param(example.crl(), True, id="bonne"),
        pytest.param(_damaged(example.crl()), False, id="altérée"),
        pytest.param(
            example.crl(issuer=example.name(CN="AC ETRANGERE")), False, id="d'une autre autorité"
        ),
        pytest.param(
            _unused_bits_of_list(example.crl),
            False,
            id="bits inutilisés",
        ),
    ],
)  # fmt: skip
def test_openssl_and_the_judge_verify_the_same_lists(
    tmp_path: Path, data: bytes, verifies: bool
) -> None:
    authority = example.authority().public_bytes(Encoding.PEM)
    assert _list_verifies(data, authority, tmp_path) is verifies
    context = Context(at=NOW, authorities=authority)
    told = {found.rule for found in validate(data, "crl", context=context).findings}
    assert ("CRL-041" not in told) is verifies
