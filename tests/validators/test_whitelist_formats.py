"""Both published signature formats of the white list are verified by the judge."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.whitelist import Format
from validators.api import validate
from validators.examples import whitelist as example
from validators.examples.credential import certificate
from validators.finding import Severity


def fired(data: bytes) -> set[str]:
    found = validate(data).findings
    return {one.rule for one in found if one.severity is not Severity.INFO}


@pytest.mark.parametrize("format", ["A", "B"])
def test_a_right_list_passes(format: Format) -> None:
    assert fired(example.white_list(format=format)) == set()


@pytest.mark.parametrize("format", ["A", "B"])
def test_a_changed_entry_is_seen(format: Format) -> None:
    spoilt = example.tampered(b"<Denomination>CENTRE", b"<Denomination>CENTRF", format=format)
    assert fired(spoilt) == {"LB-023"}


def test_another_filter_is_seen_and_never_run() -> None:
    for expression in (b"/descendant::db", b"document('file:///etc/hostname')"):
        spoilt = example.tampered(b"/descendant::ds:Signature", expression, format="A")
        assert fired(spoilt) == {"LB-023", "LB-024"}


def test_a_filter_and_the_enveloped_transform_are_no_format() -> None:
    spoilt = example.white_list(format="A").replace(
        b"</ds:Transforms>",
        b'<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
        b"</ds:Transforms>",
        1,
    )
    assert fired(spoilt) == {"LB-023", "LB-024"}


def test_a_certificate_that_breaks_when_it_is_read_is_no_certificate() -> None:
    """A subject whose first RDN is no set: it loads, and fails at its first reading."""
    made = certificate(example.SIGNER).public_bytes(Encoding.DER)
    country = bytes.fromhex("310b300906035504061302")
    assert made.count(country) == 2
    spoilt = made[::-1].replace(country[::-1], b"\xff" + country[::-1][1:], 1)[::-1]
    data = example.white_list().replace(base64.b64encode(made), base64.b64encode(spoilt))
    assert "LB-025" in fired(data)
