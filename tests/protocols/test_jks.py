"""The truststore, read by the program that it is meant for, and by hand where there is none."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import LocalProtocolError
from protocols.jks import truststore
from simulators.igc import Pki

WHEN = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)


def read(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Alias -> date in ms and DER: another reading of the layout."""
    assert data[:8] == bytes.fromhex("feedfeed00000002")
    count, at, found = int.from_bytes(data[8:12]), 12, {}
    for _ in range(count):
        assert int.from_bytes(data[at : at + 4]) == 2
        length = int.from_bytes(data[at + 4 : at + 6])
        alias = data[at + 6 : at + 6 + length].decode()
        at += 6 + length
        date = int.from_bytes(data[at : at + 8])
        assert data[at + 8 : at + 15] == b"\0\x05X.509"
        size = int.from_bytes(data[at + 15 : at + 19])
        found[alias] = (date, data[at + 19 : at + 19 + size])
        at += 19 + size
    assert len(data) == at + 20
    return found


names = st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True)


@given(st.dictionaries(names, st.binary(max_size=300)))
def test_what_is_written_is_there(certificates: dict[str, bytes]) -> None:
    data = truststore(certificates, password="changeit", created=WHEN)
    moment = int(WHEN.timestamp() * 1000)
    assert read(data) == {name: (moment, der) for name, der in certificates.items()}
    keyed = b"".join(bytes((0, ord(letter))) for letter in "changeit") + b"Mighty Aphrodite"
    assert data[-20:] == hashlib.sha1(keyed + data[:-20]).digest()


@pytest.mark.parametrize("wrong", [{"": b""}, {"é": b""}, {"A": b"1", "a": b"2"}, {"a\n": b""}])
def test_aliases_that_java_would_not_find(wrong: dict[str, bytes]) -> None:
    with pytest.raises(LocalProtocolError, match="JKS"):
        truststore(wrong, password="changeit", created=WHEN)


@pytest.mark.interop
def test_java_reads_it(tmp_path: Path) -> None:
    keytool = shutil.which("keytool")
    if keytool is None:
        pytest.skip("programme absent : keytool")
    pki = Pki.create(clock=lambda: WHEN, crl_url="http://127.0.0.1:1/crl")
    store = tmp_path / "igc.jks"
    der = {
        f"igc-{rank}": one.public_bytes(Encoding.DER)
        for rank, one in enumerate((pki.igc_root, pki.igc_intermediate))
    }
    store.write_bytes(truststore(der, password="changeit", created=WHEN))

    def listed(password: str) -> subprocess.CompletedProcess[str]:
        command = [keytool, "-J-Duser.language=en", "-list", "-v", "-storetype", "JKS"]
        return subprocess.run(
            [*command, "-keystore", str(store), "-storepass", password],
            capture_output=True,
            text=True,
            timeout=60,
        )

    told = listed("changeit")
    assert told.returncode == 0, told.stdout
    assert "contains 2 entries" in told.stdout
    assert told.stdout.count("trustedCertEntry") == 2
    for one in der.values():
        assert hashlib.sha256(one).digest().hex(":").upper() in told.stdout
    refused = listed("autre-chose")
    assert refused.returncode != 0
    assert "password was incorrect" in refused.stdout
