"""The reference schemas of ebRIM judge our submission, and its alterations, as our judge does."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from tests.alterations import markup
from tests.validators.strangers.model import disagreements, noticed, undeclared
from validators.examples import xds as xds_example

SCHEMAS = Path(__file__).parents[2].parent / "shared/reference/xsd/xds"


@cache
def _schema() -> etree.XMLSchema:
    if not SCHEMAS.is_dir():
        pytest.skip("../shared/reference/xsd n'est pas là : schémas absents")
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "lcm.xsd")))


def _submission() -> bytes:
    found = re.search(
        rb"<lcm:SubmitObjectsRequest.*</lcm:SubmitObjectsRequest>", xds_example.iti41(), re.DOTALL
    )
    assert found is not None
    return found[0]


def _standing_alone(data: bytes) -> bytes:
    """With the namespaces that its ancestors declared."""
    spaces = (
        b'<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0" '
        b'xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"'
    )
    return data.replace(b"<lcm:SubmitObjectsRequest", spaces, 1)


def _valid(data: bytes) -> bool:
    return bool(_schema().validate(etree.fromstring(data)))


def test_the_reference_schema_accepts_our_submission() -> None:
    assert _valid(_standing_alone(_submission()))


@pytest.mark.slow
def test_what_the_reference_schema_refuses_we_notice() -> None:
    good, written = xds_example.iti41(), _submission()
    different = disagreements(
        markup.alterations(_standing_alone(written)),
        refuses=lambda data: not _valid(data),
        accepted=lambda data: not noticed(good.replace(written, undeclared(data)), "iti-41"),
    )
    assert different == []


@pytest.mark.slow
def test_the_schema_and_optimised_documents_differ() -> None:
    """XDS.b_DocumentRepository.xsd types Document as base64: it speaks of what MTOM replaces."""
    if not SCHEMAS.is_dir():
        pytest.skip("../shared/reference/xsd n'est pas là : schémas absents")
    whole = etree.XMLSchema(etree.parse(str(SCHEMAS / "XDS.b_DocumentRepository.xsd")))
    found = re.search(rb"<xdsb:ProvideAnd.*</xdsb:ProvideAnd\w+>", xds_example.iti41(), re.DOTALL)
    assert found is not None
    optimised = etree.fromstring(found[0])
    assert not whole.validate(optimised)
    for include in list(optimised.iter("{http://www.w3.org/2004/08/xop/include}Include")):
        document = include.getparent()
        assert document is not None
        document.remove(include)
        document.text = "S0lU"
    assert whole.validate(optimised), whole.error_log
