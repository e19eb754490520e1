"""The reference and the judge agree with xmlsec1 on 200 white lists, good and bad, of both formats.

xmlsec1 verifies the signature and the signer's path; who signs, with which usages, and where the
signature stands is policy, which it has none of: those lists are apart.
"""

from __future__ import annotations

import base64
import random
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drimbox_ref.config import WhiteListSource
from drimbox_ref.white_list import WhiteListKeeper
from protocols import whitelist
from protocols.whitelist import Domain, Format, WhiteList
from simulators.igc import Credential, Pki, pem
from spec.whitelist import NAMESPACES
from tests.validators.strangers.model import program
from validators.api import Context, validate
from validators.finding import Severity
from wire.http_client import HttpClient
from wire.http_server import serve_http
from wire.tls import ClientTls, ServerTls

pytestmark = [pytest.mark.interop, pytest.mark.anyio]

NOW = datetime.now(UTC).replace(microsecond=0)
CN, OU = "KIT Liste Blanche", "318751275100020"
SIGNED = ("--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties")
TRUST_RULES = frozenset({"LB-060", "LB-061"})
"""Of the judge: the signer's path and dates; its others are about the signature, or the form."""

Change = Callable[[bytes, random.Random], bytes]


@cache
def pki() -> Pki:
    return Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")


@cache
def signers() -> dict[str, Credential]:
    """By what becomes of what they sign."""
    key, made = pki().throwaway_key, pki()
    other = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")
    return {
        "good": made.sign(CN, OU),
        "expired": made.sign(CN, OU, key=key, expired=True),
        "not yet valid": made.sign(CN, OU, key=key, not_yet_valid=True),
        "signed by itself": made.sign(CN, OU, key=key, self_signed=True),
        "of the market": made.sign(CN, OU, key=key, issuer="market"),
        "of an authority of the same name": other.sign(CN, OU, key=key),
        "client certificate": made.auth_cli(CN, OU, key=key),
        "of another name": made.sign("KIT Autre", OU, key=key),
    }


def _flip(name: bytes) -> Change:
    """One character of the Base64 text of a random element of that name."""

    def change(data: bytes, rng: random.Random) -> bytes:
        found = rng.choice(list(re.finditer(rb"<(?:ds:)?" + name + rb"[ >][^<]*", data)))
        text = found.end() - rng.randrange(4, 20)
        old = data[text : text + 1]
        return data[:text] + (b"A" if old != b"A" else b"B") + data[text + 1 :]

    return change


def _replace(old: bytes, new: bytes) -> Change:
    def change(data: bytes, rng: random.Random) -> bytes:
        assert old in data, old
        return data.replace(old, new, 1)

    return change


def _swapped(data: bytes, rng: random.Random) -> bytes:
    other = base64.b64encode(signers()["expired"].certificate.public_bytes(Encoding.DER))
    return re.sub(rb"(X509Certificate>)[^<]+", rb"\g<1>" + other, data, count=1)


def _without_signature(data: bytes, rng: random.Random) -> bytes:
    return re.sub(rb"<(ds:)?Signature .*</(ds:)?Signature>", b"", data, flags=re.DOTALL)


def _other_transform(data: bytes, rng: random.Random) -> bytes:
    return data.replace(b"2001/10/xml-exc-c14n#", b"2006/12/xml-c14n11", 1)


SAME: dict[str, Change] = {
    "as signed": lambda data, rng: data,
    "comment in a text": _replace(b"<db>", b"<db><!-- db9.test -->"),
    "character reference": _replace(b"<db>d", b"<db>&#100;"),
    "CDATA": _replace(b"<db>d", b"<db><![CDATA[d]]>"),
    "byte order mark": lambda data, rng: b"\xef\xbb\xbf" + data,
    "attribute's quotes": _replace(b'versionFormat="1.0.0"', b"versionFormat = '1.0.0'"),
    "carriage returns between tags' names": _replace(b"<ListeDomaines>", b"<ListeDomaines\r\n>"),
}
"""Other bytes, the same canonical form."""

SPOILT: dict[str, Change] = {
    "host": _replace(b"<db>d", b"<db>e"),
    "name": _replace(b"OU=", b"OU=1"),
    "date": _replace(b"<DateDeGeneration>2", b"<DateDeGeneration>1"),
    "space": _replace(b"<ListeDomaines>", b"<ListeDomaines> "),
    "attribute": _replace(b'versionFormat="1.0.0"', b'versionFormat="1.0.1"'),
    "entry added": _replace(b"</ListeDomaines>", b"<Domaine/></ListeDomaines>"),
    "digest": _flip(b"DigestValue"),
    "value": _flip(b"SignatureValue"),
    "signing time": _replace(b"SigningTime>2", b"SigningTime>1"),
    "certificate": _swapped,
    "no signature": _without_signature,
    "method": _replace(b"xmldsig-more#rsa-sha256", b"xmldsig-more#rsa-sha512"),
    "transform": _other_transform,
    "half of it": lambda data, rng: data[: len(data) // 2],
}


@dataclass(frozen=True)
class Made:
    """A list, and what was done to it."""

    what: str
    data: bytes


def generated(number: int) -> Made:
    """The list of that number: a third are right, a third altered, a third of wrong signers."""
    rng = random.Random(f"white-list|{number}")
    format: Format = "A" if number % 2 else "B"
    domains = tuple(
        Domain(
            identifier=str(one),
            db=f"db{rng.randrange(1000)}.test.mesimagesmedicales.fr",
            vi=rng.choice(("", f"vi{one}.test.mesimagesmedicales.fr")),
            denomination=rng.choice(("CHU de Côte-d'Or", "GIE <IMAGERIE> & Cie", "ANS")),
            operator_dn=f"CN=db{one},OU=1{one:09d},O=X,ST=Côte-d'Or (21),C=FR",
            support_contact="support@exemple.invalid",
            updated=NOW - timedelta(days=rng.randrange(300)),
        )
        for one in range(1, rng.randrange(2, 40))
    )
    white_list = WhiteList(generated=NOW, domains=domains, namespace=rng.choice(NAMESPACES))
    kind = rng.choice(("right", "altered", "wrong signer"))
    wrong = list(signers())[1:6]
    name = rng.choice(wrong) if kind == "wrong signer" else "good"
    what = rng.choice(list(SPOILT)) if kind == "altered" else rng.choice(list(SAME))
    signer = signers()[name]
    shown = (signer.certificate, *(signer.chain if rng.random() < 0.5 else ()))
    data = whitelist.build(
        white_list, key=signer.key, certificate=shown, signing_time=NOW, format=format
    )
    change = SPOILT[what] if kind == "altered" else SAME[what]
    return Made(f"{number} {format}, {name}, {what}", change(data, rng))


def xmlsec1(data: bytes, folder: Path) -> bool:
    root, intermediate, file = folder / "root.pem", folder / "aci.pem", folder / "list.xml"
    root.write_bytes(pem(pki().igc_root))
    intermediate.write_bytes(pem(pki().igc_intermediate))
    file.write_bytes(data)
    done = subprocess.run(
        [program("xmlsec1"), "--verify", "--trusted-pem", str(root), "--untrusted-pem",
         str(intermediate), "--enabled-key-data", "x509", *SIGNED, str(file)],
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode == 0


def judged(data: bytes) -> bool:
    """Whether our judge finds the signature and its signer right."""
    context = Context(at=NOW, authorities=pem(pki().igc_root, pki().igc_intermediate))
    report = validate(data, "liste-blanche", context=context)
    rules = {one.rule for one in report.findings if one.severity is Severity.ERROR}
    return not any(
        one in TRUST_RULES or one == "LB-000" or one.startswith("LB-02") for one in rules
    )


@dataclass
class Shelf:
    """What is published, and the box that asks for it."""

    source: WhiteListSource
    client: HttpClient
    folder: Path
    data: bytes = b""

    async def kept(self, data: bytes) -> bool:
        """Whether a box that has no list yet puts this one in force."""
        self.data = data
        keeper = WhiteListKeeper(
            self.source,
            client=self.client,
            now=lambda: NOW,
            state=self.folder,
            file=self.folder / "box.toml",
        )
        accepted = await keeper.refresh() == ""
        (self.folder / "liste-blanche.xml").unlink(missing_ok=True)
        return accepted


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async def publish(request: Request) -> Response:
        return Response(made.data)

    files = pki().server("localhost", key=pki().throwaway_key).write(tmp_path, "ans")
    trust = pki().write(tmp_path)
    server = await serve_http(
        Starlette(routes=[Route("/liste.xml", publish)]),
        actor="ans",
        tls=ServerTls(certificate=files.certificate, key=files.key),
    )
    source = WhiteListSource(
        url=server.url + "/liste.xml", trust=trust.market_trust, igc_trust=trust.igc_trust,
        signer_cn=CN, signer_ou=OU, refresh_s=1.0, retry_s=1.0, max_age_s=60.0, revocation="off",
    )  # fmt: skip
    async with HttpClient(actor="box", tls=ClientTls(trust=trust.market_trust)) as client:
        made = Shelf(source, client, tmp_path)
        yield made
    await server.stop()


@pytest.mark.parametrize("count", [24, pytest.param(200, marks=pytest.mark.whole)])
async def test_they_agree_with_xmlsec1(shelf: Shelf, tmp_path: Path, count: int) -> None:
    seen: Counter[bool] = Counter()
    for number in range(count):
        made = generated(number)
        theirs = xmlsec1(made.data, tmp_path)
        assert await shelf.kept(made.data) == theirs, made.what
        assert judged(made.data) == theirs, made.what
        seen[theirs] += 1
    assert min(seen.values()) > count // 4, seen


@pytest.mark.parametrize("format", ["A", "B"])
async def test_they_are_stricter_where_xmlsec1_has_no_policy(
    shelf: Shelf, tmp_path: Path, format: Format
) -> None:
    white_list = WhiteList(generated=NOW, domains=())

    def signed(signer: Credential) -> bytes:
        return whitelist.build(
            white_list, key=signer.key, certificate=signer.certificate, signing_time=NOW,
            format=format,
        )  # fmt: skip

    right = signed(signers()["good"])
    found = re.search(rb"<(ds:)?Signature .*</(ds:)?Signature>", right, re.DOTALL)
    assert found is not None
    first = right.replace(found[0], b"").replace(b"<DateDe", found[0] + b"<DateDe", 1)
    client = signed(signers()["client certificate"])
    for data in (client, signed(signers()["of another name"]), first):
        assert xmlsec1(data, tmp_path)
        assert not await shelf.kept(data)
    # Whose name it should be is an affair of the profile: to the judge, information (LB-027).
    assert not judged(client)
    assert not judged(first)
    assert xmlsec1(right, tmp_path)
    assert await shelf.kept(right)
