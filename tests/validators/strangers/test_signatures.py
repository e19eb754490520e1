"""xmlsec1 verifies the signatures of our examples, and refuses their alterations as we do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.alterations import markup
from tests.alterations.model import Alteration
from tests.validators.strangers.model import disagreements, program, undeclared
from validators.api import KINDS, validate
from validators.examples import lot as lot_example
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
LOT_ID = (
    "--ignore-manifests",
    "--id-attr:Id",
    "http://uri.etsi.org/01903/v1.1.1#:SignedProperties",
    "--id-attr:Id",
    f"{DSIG}:Manifest",
)
NAMES = ["liste blanche A", "liste blanche B", "lot", "VIHF"]


def _white_list(form: Literal["A", "B"]) -> Signed:
    return Signed(
        "liste-blanche",
        list_example.white_list(format=form),
        XADES_ID,
        lambda data: data,
        frozenset({"LB-020", "LB-021", "LB-022", "LB-023", "LB-024"}),
    )


@cache
def _signed() -> dict[str, Signed]:
    return {
        "liste blanche A": _white_list("A"),
        "liste blanche B": _white_list("B"),
        # xmlsec1 leaves aside the manifest's documents: their OIDs mean something to the receiver
        # of the lot only. It verifies the signature of the manifest itself.
        "lot": Signed(
            "lot",
            lot_example.lot(),
            LOT_ID,
            lambda data: data,
            frozenset({"LOT-001", "LOT-002", "LOT-010", "XDS-115"}),
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


@pytest.mark.parametrize("name", NAMES)
def test_xmlsec1_verifies_what_we_sign(tmp_path: Path, name: str) -> None:
    one = _signed()[name]
    assert _xmlsec1(one.data, tmp_path, *one.options)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
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
