"""Each trap of the agency's: no right reader finds in it whom it is to let in."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from protocols import whitelist, xml
from protocols.errors import RemoteProtocolError
from protocols.whitelist import Domain, Format
from simulators.ans import LIST, Ans, Signer
from simulators.ans.hostile import TRAPS
from simulators.igc import Pki

NOW = datetime.now(UTC).replace(microsecond=0)
DN = "CN={0},OU=3101235550001,O=CENTRE EXEMPLE,ST=Paris (75),C=FR"
DOMAINS = tuple(
    Domain(
        identifier=str(number), db=f"db{number}.test", vi=f"vi{number}.test", denomination="KIT",
        operator_dn=DN.format(f"db{number}.test"), support_contact="support@exemple.invalid",
        updated=NOW,
    )
    for number in (1, 2)
)  # fmt: skip
HARMLESS = {
    "commentaire", "instruction", "cdata", "caractere", "schema", "xinclude",
    *(one for one in TRAPS if one.startswith(("hote-", "nom-"))), "script",
}  # fmt: skip
"""The agency did sign them: whether they are in force is nothing to whom they do not name."""


@pytest.fixture(scope="module", params=["A", "B"])
def ans(request: pytest.FixtureRequest) -> Ans:
    pki = Pki.create(clock=lambda: NOW, crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl")
    signer = pki.sign("KIT Liste Blanche", "318751275100020")
    format: Format = request.param
    return Ans(
        signer=Signer(signer.key, signer.certificate), clock=lambda: NOW, domains=DOMAINS,
        format=format,
    )  # fmt: skip


def trap(ans: Ans, name: str) -> bytes:
    ans.faults.set("piege", LIST, times=1, quoi=name)
    return ans.document(ans.faults.strike(LIST))


@pytest.mark.parametrize("name", TRAPS)
def test_nobody_is_let_in(ans: Ans, name: str) -> None:
    try:
        verified = whitelist.verify(trap(ans, name))
    except RemoteProtocolError:
        assert name not in {"commentaire", "cdata", "caractere"}, "the agency did sign that"
        return
    if verified.certificate != ans._signer.certificate:
        assert name in {"agence-devant", "agence-derriere"}, "anybody's path leads nowhere"
        return
    listed = {one.operator_dn for one in verified.white_list.domains}
    assert DOMAINS[1].operator_dn not in listed
    assert DOMAINS[0].operator_dn in listed
    assert name in HARMLESS


@pytest.mark.parametrize(
    "name",
    ["leurre", "xslt", "xpath", "filtre-autre", "base64", "sans-c14n", "uri-http", "md5",
     "commentaire", "dtd-externe", "signature-devant", "id-double"],
)  # fmt: skip
def test_the_agency_itself_has_signed(ans: Ans, name: str) -> None:
    """Whoever looks at the signature's value alone finds it right."""
    key = ans._signer.key.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    root = etree.fromstring(trap(ans, name), etree.XMLParser(resolve_entities=False))
    signature = next(root.iter(f"{{{xml.NS['ds']}}}Signature"))
    signed = signature.find(f"{{{xml.NS['ds']}}}SignedInfo")
    value = signature.findtext(f"{{{xml.NS['ds']}}}SignatureValue")
    assert signed is not None
    assert value is not None
    octets = etree.tostring(
        etree.fromstring(etree.tostring(signed, with_tail=False)), method="c14n", exclusive=True
    )
    key.verify(b64decode(value), octets, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(b64decode(value), octets + b" ", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    "name", ["entite-externe", "dtd-externe", "entite-parametre", "uri-http", "xinclude", "schema",
             "cle-ailleurs"],
)  # fmt: skip
def test_what_leads_elsewhere_leads_where_it_is_told(ans: Ans, name: str) -> None:
    ans.elsewhere = "192.0.2.7:8080"
    assert b"http://192.0.2.7:8080/" in trap(ans, name)
