"""openssl reads and verifies the certificates and lists that we judge."""

from __future__ import annotations

import base64
import re
import subprocess

import pytest

from tests.validators.strangers.model import program
from validators.api import KINDS, validate

pytestmark = pytest.mark.interop


def _openssl(command: str, data: bytes) -> bool:
    done = subprocess.run(
        [program("openssl"), command, "-inform", "DER", "-noout", "-text"],
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
    if kind not in KINDS:
        pytest.skip(f"la sorte {kind} n'est pas jugée")
    syntax = KINDS[kind].rules.syntax.id
    good = _der(KINDS[kind].rules.good())
    assert _openssl(command, good)
    assert syntax not in {found.rule for found in validate(good, kind).findings}
    for cut in (1, 10, 100, len(good) // 2, len(good) - 1):
        damaged = good[:cut]
        assert not _openssl(command, damaged)
        assert syntax in {found.rule for found in validate(damaged, kind).findings}
