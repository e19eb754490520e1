"""Distinguished names: every spelling of the field is read, and only the same names are equal."""

from __future__ import annotations

import contextlib

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from protocols.dn import DnError, attribute, parse_dn, same_dn

RFC4514 = "CN=db3.test,OU=318751275100020,O=AGENCE DU NUMERIQUE EN SANTE,ST=Paris (75),C=FR"
TYPES = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
)
values = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    str.strip
)


@pytest.mark.parametrize(
    "spelling",
    [
        "CN=db3.test, OU=318751275100020, O=AGENCE DU NUMERIQUE EN SANTE, ST=Paris (75), C=FR",
        "C=FR, ST=Paris (75), O=AGENCE DU NUMERIQUE EN SANTE, OU=318751275100020, CN=db3.test",
        "cn = db3.test;ou=318751275100020;o=AGENCE DU NUMERIQUE EN SANTE;S=Paris (75);c=FR",
        'OID.2.5.4.3=db3.test,OU=318751275100020,O="AGENCE DU NUMERIQUE EN SANTE",ST=Paris \\2875)'
        ",C=FR",
    ],
)
def test_spellings_of_one_name(spelling: str) -> None:
    assert same_dn(RFC4514, spelling)


@pytest.mark.parametrize(
    "other",
    [
        RFC4514.replace("db3", "db4"),
        RFC4514.replace("db3", "DB3"),
        RFC4514.replace(",ST=Paris (75)", ""),
        RFC4514 + ",OU=1",
        RFC4514.replace("db3.test,", "db3.test\\ ,"),
        RFC4514.replace(",OU=", "+OU="),
    ],
)
def test_other_names(other: str) -> None:
    assert not same_dn(RFC4514, other)


def test_two_units_and_an_apostrophe() -> None:
    one = "CN=X,OU=IGC DE TEST,OU=0002 187512751,O=A\\, B,ST=Côte-d'Or (21),C=FR"
    assert attribute(one, "ou") == ("0002 187512751", "IGC DE TEST")
    assert attribute(one, "O") == ("A, B",)
    assert attribute(one, "L") == ()


@pytest.mark.parametrize(
    "text",
    [
        "bogus",
        "CN",
        "CN=a,",
        "CN=a,,C=FR",
        "=a",
        'CN="a',
        'CN="a"b',
        "CN=a\\",
        "CN=\\zz",
        "CN=\\C3",
    ],
)
def test_what_is_not_a_name(text: str) -> None:
    with pytest.raises(DnError):
        parse_dn(text)


def test_length_is_bounded() -> None:
    with pytest.raises(DnError, match="limite"):
        parse_dn("CN=" + "a" * 5000)


@given(st.lists(st.tuples(st.sampled_from(TYPES), values), min_size=1, max_size=6))
def test_reads_what_cryptography_writes(pairs: list[tuple[x509.ObjectIdentifier, str]]) -> None:
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])
    backwards = x509.Name(list(reversed(list(name))))
    assert sorted(value for rdn in parse_dn(name.rfc4514_string()) for _, value in rdn) == sorted(
        value for _, value in pairs
    )
    assert same_dn(name, backwards.rfc4514_string())


@given(st.text(max_size=60))
def test_hostile_text(text: str) -> None:
    with contextlib.suppress(DnError):
        parse_dn(text)
