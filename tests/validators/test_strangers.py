"""Other people's programs judge our examples, and their alterations, as our judges do.

What a stranger refuses and we accept is a mistake of ours. Where they differ for a reason, a test
says which. What we refuse and they accept proves nothing: no stranger knows the French profile.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from protocols import hl7v2
from tests.alterations import dicom, markup
from tests.alterations.hl7 import alterations as hl7_alterations
from tests.alterations.model import Alteration
from validators.api import KINDS, validate
from validators.examples import hl7v2 as hl7_example
from validators.examples import kos as kos_example
from validators.examples import whitelist as list_example
from validators.examples import xds as xds_example
from validators.examples.credential import certificate
from validators.finding import Severity

SCHEMAS = Path(__file__).parents[2].parent / "shared/reference/xsd/xds"
DSIG = "http://www.w3.org/2000/09/xmldsig#"


def program(name: str) -> str:
    """Its path, from the system or from the interop extra; skips by its name."""
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"programme absent : {name}")
    return found


def noticed(data: bytes, kind: str) -> bool:
    """Whether our judge warns of anything."""
    return any(f.severity is not Severity.INFO for f in validate(data, kind).findings)


def disagreements(
    altered: Iterable[Alteration],
    refuses: Callable[[bytes], bool],
    accepted: Callable[[bytes], bool],
) -> list[str]:
    """What a stranger refuses and we accept."""

    def differs(one: Alteration) -> str | None:
        return one.name if refuses(one.data) and accepted(one.data) else None

    with ThreadPoolExecutor(2) as pool:
        return [name for name in pool.map(differs, altered) if name]


# dciodvfy: DICOM's own information object definitions ----------------------------------------


def _dciodvfy(data: bytes, folder: Path) -> list[str]:
    path = folder / f"{hash(data):x}.dcm"
    path.write_bytes(data)
    done = subprocess.run(
        [program("dciodvfy"), str(path)], capture_output=True, timeout=60, check=False
    )
    path.unlink()
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith("Error")]


@pytest.mark.interop
@pytest.mark.parametrize("kind", [name for name in ("kos", "iocm") if name in KINDS])
def test_dciodvfy_accepts_our_documents(tmp_path: Path, kind: str) -> None:
    assert _dciodvfy(KINDS[kind].rules.good(), tmp_path) == []


@pytest.mark.interop
@pytest.mark.slow
def test_what_dciodvfy_refuses_of_a_manifest_we_refuse(tmp_path: Path) -> None:
    different = disagreements(
        dicom.alterations(kos_example.kos()),
        refuses=lambda data: bool(_dciodvfy(data, tmp_path)),
        accepted=lambda data: not noticed(data, "kos"),
    )
    assert different == []


@pytest.mark.interop
def test_what_dciodvfy_does_not_see(tmp_path: Path) -> None:
    """A title of another kind of document: we are not its echo."""
    untitled = kos_example.kos().replace(b"113030", b"113000")
    assert _dciodvfy(untitled, tmp_path) == []
    assert noticed(untitled, "kos")


# xmlsec1: signatures -------------------------------------------------------------------------


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


@pytest.mark.interop
@pytest.mark.parametrize("name", ["liste blanche", "VIHF"])
def test_xmlsec1_verifies_what_we_sign(tmp_path: Path, name: str) -> None:
    one = _signed()[name]
    assert _xmlsec1(one.data, tmp_path, *one.options)


@pytest.mark.interop
@pytest.mark.slow
@pytest.mark.parametrize("name", ["liste blanche", "VIHF"])
def test_a_signature_that_xmlsec1_refuses_we_refuse(tmp_path: Path, name: str) -> None:
    one = _signed()[name]

    def accepted(data: bytes) -> bool:
        fired = {found.rule for found in validate(one.wrap(data), one.kind).findings}
        return not fired & (one.rules | {KINDS[one.kind].rules.syntax.id})

    different = disagreements(
        _every(markup.alterations(one.data), 4),
        refuses=lambda data: not _xmlsec1(_undeclared(data), tmp_path, *one.options),
        accepted=lambda data: accepted(_undeclared(data)),
    )
    assert different == []


def _every(altered: Iterator[Alteration], step: int) -> Iterator[Alteration]:
    """One in some: each costs a process. Those of the signature itself all stay."""
    for rank, one in enumerate(altered):
        if rank % step == 0 or "Signature" in one.place:
            yield one


def _undeclared(data: bytes) -> bytes:
    """Without XML declaration: an assertion goes back into its envelope."""
    return data.partition(b"?>\n")[2] if data.startswith(b"<?xml") else data


@pytest.mark.interop
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


# openssl: certificates -----------------------------------------------------------------------


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


@pytest.mark.interop
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


# python-hl7: the syntax of messages ----------------------------------------------------------


@pytest.mark.interop
@pytest.mark.parametrize("data", [hl7_example.oru(), hl7_example.ack("AE")], ids=["oru", "ack"])
def test_another_parser_finds_the_same_values(data: bytes) -> None:
    other = pytest.importorskip("hl7", reason="bibliothèque absente : hl7 (extra interop)")
    assert _values_agree(other, data) > 20


@pytest.mark.interop
@pytest.mark.slow
def test_another_parser_reads_alterations_alike() -> None:
    other = pytest.importorskip("hl7", reason="bibliothèque absente : hl7 (extra interop)")
    for one in hl7_alterations(hl7_example.oru()):
        if not one.place.startswith("MSH"):
            _values_agree(other, one.data)


def _values_agree(other: object, data: bytes) -> int:
    """Compare every segment, field, repetition and component; how many values."""
    ours = hl7v2.parse(data)
    theirs = other.parse(data.decode())  # type: ignore[attr-defined]
    assert [str(segment[0]) for segment in theirs] == [part.name for part in ours.segments]
    count = 0
    for part, segment in zip(ours.segments, theirs, strict=True):
        first = 3 if part.name == "MSH" else 1
        for number in range(first, len(segment)):
            written = str(segment[number])
            assert part.field(number).text == written, f"{part.name}-{number}"
            count += 1
            if not written:
                continue
            for rank, repetition in enumerate(segment[number], start=1):
                found = part.field(number).repetitions[rank - 1]
                pieces = repetition if isinstance(repetition, list) else [repetition]
                for component, piece in enumerate(pieces, start=1):
                    assert found.component(component).text == str(piece)
                    count += 1
    return count


# The reference schemas of ebRIM --------------------------------------------------------------


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
        accepted=lambda data: not noticed(good.replace(written, _undeclared(data)), "iti-41"),
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
