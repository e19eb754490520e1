"""xmlsec1 verifies the signatures of our examples, and refuses their alterations as we do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.alterations import markup
from tests.alterations.model import Alteration
from tests.validators.strangers.model import disagreements, program, undeclared
from validators.api import KINDS, validate
from validators.examples import kos as kos_example
from validators.examples import whitelist as list_example
from validators.examples import xds as xds_example
from validators.examples.credential import certificate

pytestmark = pytest.mark.interop

DSIG = "http://www.w3.org/2000/09/xmldsig#"


@dataclass(frozen=True)
class Signed:
    """A signed document, how xmlsec1 is told of its identifiers, and what our judge calls it."""

    kind: str
    data: bytes
    options: tuple[str, ...]
    wrap: Callable[[bytes], bytes]
    rules: frozenset[str]


def _assertion() -> bytes:
    found = re.search(rb"<saml:Assertion.*</saml:Assertion>", xds_example.iti41(), re.DOTALL)
    assert found is not None
    return found[0]


def _in_envelope(assertion: bytes) -> bytes:
    return xds_example.iti41().replace(_assertion(), assertion)


SAML_ID = ("--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion")
XADES_ID = ("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties")


@cache
def _signed() -> dict[str, Signed]:
    return {
        "liste blanche": Signed(
            "liste-blanche",
            list_example.white_list(),
            XADES_ID,
            lambda data: data,
            frozenset({"LB-020", "LB-021", "LB-022", "LB-023", "LB-024"}),
        ),
        "VIHF": Signed(
            "iti-41",
            _assertion(),
            SAML_ID,
            _in_envelope,
            # VIHF-009 warns when no certificate is readable: there is nothing to verify with.
            frozenset({"VIHF-003", "VIHF-007", "VIHF-008", "VIHF-009", "XDS-016"}),
        ),
    }


def _xmlsec1(data: bytes, folder: Path, *options: str) -> bool:
    """Whether the signature verifies with the key of our example certificates."""
    pem = folder / "certificate.pem"
    if not pem.exists():
        pem.write_bytes(certificate().public_bytes(Encoding.PEM))
    path = folder / f"{hash(data):x}.xml"
    path.write_bytes(data)
    done = subprocess.run(
        [program("xmlsec1"), "--verify", "--pubkey-cert-pem", str(pem), *options, str(path)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    path.unlink()
    return done.returncode == 0


@pytest.mark.parametrize("name", ["liste blanche", "VIHF"])
def test_xmlsec1_verifies_what_we_sign(tmp_path: Path, name: str) -> None:
    one = _signed()[name]
    assert _xmlsec1(one.data, tmp_path, *one.options)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["liste blanche", "VIHF"])
def test_a_signature_that_xmlsec1_refuses_we_refuse(tmp_path: Path, name: str) -> None:
    one = _signed()[name]

    def accepted(data: bytes) -> bool:
        fired = {found.rule for found in validate(one.wrap(data), one.kind).findings}
        return not fired & (one.rules | {KINDS[one.kind].rules.syntax.id})

    different = disagreements(
        _every(markup.alterations(one.data), 4),
        refuses=lambda data: not _xmlsec1(undeclared(data), tmp_path, *one.options),
        accepted=lambda data: accepted(undeclared(data)),
    )
    assert different == []


def _every(altered: Iterator[Alteration], step: int) -> Iterator[Alteration]:
    """One in some: each costs a process. Those of the signature itself all stay."""
    for rank, one in enumerate(altered):
        if rank % step == 0 or "Signature" in one.place:
            yield one


def test_xmlsec1_verifies_the_signature_of_a_lot(tmp_path: Path) -> None:
    """Its manifest names documents by OID, which only the receiver of the lot resolves."""
    data = xds_example.lot({kos_example.UID: kos_example.kos()})
    options = (
        "--ignore-manifests",
        "--id-attr:Id",
        "http://uri.etsi.org/01903/v1.1.1#:SignedProperties",
        "--id-attr:Id",
        f"{DSIG}:Manifest",
    )
    assert _xmlsec1(data, tmp_path, *options)
