"""A signing key and its certificate that depend on nothing but a seed: for test data.

Test data must be the same bytes each time, signatures included. Such a key protects nothing:
whoever has the seed has the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from math import gcd, lcm, prod

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256

from simulators.igc import profiles
from simulators.igc.credential import Credential
from simulators.igc.pki import ORGANISATION_LIFE, PLACE

__all__ = ["seeded_signer"]

_EXPONENT = 65537
_HALF = 1024
"""Bits of each prime."""
_SMALL = prod(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))
"""The product of the small odd primes: sieves nine candidates in ten."""


def seeded_signer(seed: str, *, cn: str, ou: str, o: str, begin: datetime) -> Credential:
    """An ORG SIGN credential of that structure, certified by itself, in force from `begin`."""
    key = _key(seed)
    name = profiles.organisation_name(cn=cn, ou=ou, o=o, st=PLACE)
    serial = int.from_bytes(hashlib.sha256(f"{seed}|{name.rfc4514_string()}".encode()).digest()[:8])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial + 1)
        .not_valid_before(begin)
        .not_valid_after(begin + ORGANISATION_LIFE)
    )
    public = key.public_key()
    for extension, critical in profiles.organisation_extensions("sign", public, public, None):
        builder = builder.add_extension(extension, critical=critical)
    return Credential(key, builder.sign(key, SHA256()))


@lru_cache(maxsize=8)
def _key(seed: str) -> rsa.RSAPrivateKey:
    primes = _primes(seed)
    p, q = next(primes), next(primes)
    d = pow(_EXPONENT, -1, lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=d % (p - 1),
        dmq1=d % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
    )
    return numbers.private_key()  # OpenSSL checks the primes


def _primes(seed: str) -> Iterator[int]:
    """Primes of `_HALF` bits, their two highest set, that fit the public exponent."""
    number = 0
    while True:
        drawn = hashlib.shake_256(f"{seed}|{number}".encode()).digest(_HALF // 8)
        number += 1
        candidate = int.from_bytes(drawn) | (3 << (_HALF - 2)) | 1
        if (
            gcd(candidate, _SMALL) == 1
            and gcd(candidate - 1, _EXPONENT) == 1
            and all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5))
        ):
            yield candidate
