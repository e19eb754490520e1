"""Distinguished names as text: read whatever order and spacing, compared as sets of RDNs.

RFC 4514 writes `CN=..,OU=..,C=FR`; DMP samples also write `CN=.., OU=..` with spaces and the
reverse order `C=FR, ST=..`. Two texts name the same entity when their RDNs are the same.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from cryptography import x509

from protocols.errors import RemoteProtocolError

__all__ = ["DistinguishedName", "DnError", "attribute", "dn", "parse_dn", "same_dn"]

Rdn: TypeAlias = tuple[tuple[str, str], ...]
DistinguishedName: TypeAlias = tuple[Rdn, ...]
"""RDNs sorted, so that equality ignores their order; each RDN holds sorted (type, value) pairs."""

MAX_LENGTH = 4096

_TYPE = re.compile(r"(?:OID\.)?([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)[ \t]*=[ \t]*")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_ESCAPABLE = frozenset('\\"#+,;<=> ')

_SHORT_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "GN",
    "2.5.4.97": "ORGANIZATIONIDENTIFIER",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
    # Other spellings of the same types, from OpenSSL and Java.
    "S": "ST",
    "TITLE": "T",
    "GIVENNAME": "GN",
    "SURNAME": "SN",
    "EMAILADDRESS": "E",
}


class DnError(RemoteProtocolError):
    """Not the text of a distinguished name."""


def dn(certificate: x509.Certificate) -> str:
    """The subject in RFC 4514 order and form, as the white list writes it.

    Raises:
        DnError: the certificate's subject cannot be decoded.
    """
    try:
        return certificate.subject.rfc4514_string()
    except ValueError as error:
        raise DnError(f"sujet de certificat illisible : {error}") from None


def parse_dn(text: str) -> DistinguishedName:
    """The RDNs of a distinguished name, sorted; an empty text has none.

    Values are compared as they are: case and inner spaces count, unescaped spaces around do not.

    Raises:
        DnError: a type or a value is missing, an escape or quote is wrong, or over 4096 characters.
    """
    if len(text) > MAX_LENGTH:
        raise DnError(f"nom distinctif de {len(text)} caractères (limite {MAX_LENGTH})")
    rdns: list[Rdn] = []
    pairs: list[tuple[str, str]] = []
    position = _skip_blanks(text, 0)
    if position == len(text):
        return ()
    while True:
        match = _TYPE.match(text, position)
        if match is None:
            raise DnError("type d'attribut attendu", span=(position, len(text)))
        name = match[1].upper()
        value, position = _value(text, match.end())
        pairs.append((_SHORT_NAMES.get(name, name), value))
        if position < len(text) and text[position] == "+":
            position = _skip_blanks(text, position + 1)
            continue
        rdns.append(tuple(sorted(pairs)))
        pairs = []
        if position == len(text):
            return tuple(sorted(rdns))
        position = _skip_blanks(text, position + 1)


def same_dn(
    one: str | x509.Name | x509.Certificate, other: str | x509.Name | x509.Certificate
) -> bool:
    """Whether two names hold the same RDNs, in any order (a certificate stands for its subject).

    Raises:
        DnError: one of them is not a distinguished name.
    """
    return parse_dn(_text(one)) == parse_dn(_text(other))


def attribute(name: str | x509.Name | x509.Certificate, type_name: str) -> tuple[str, ...]:
    """The values of one type (`OU`, `CN`...) in a name; `()` when it has none.

    Raises:
        DnError: `name` is not a distinguished name.
    """
    wanted = _SHORT_NAMES.get(type_name.upper(), type_name.upper())
    return tuple(value for rdn in parse_dn(_text(name)) for kind, value in rdn if kind == wanted)


def _text(name: str | x509.Name | x509.Certificate) -> str:
    if isinstance(name, str):
        return name
    return dn(name) if isinstance(name, x509.Certificate) else name.rfc4514_string()


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _value(text: str, start: int) -> tuple[str, int]:
    if start < len(text) and text[start] == '"':
        return _quoted(text, start)
    raw = bytearray()
    kept = 0  # trailing blanks go, unless they were escaped
    position = start
    while position < len(text) and text[position] not in ",;+":
        if text[position] == "\\":
            octets, position = _escape(text, position)
            raw += octets
            kept = len(raw)
        else:
            if text[position] in '"<>':
                raise DnError("caractère à échapper", span=(position, position + 1))
            raw += text[position].encode("utf-8", "surrogatepass")
            if text[position] not in " \t\r\n":
                kept = len(raw)
            position += 1
    return _decode(bytes(raw[:kept]), start, position), position


def _quoted(text: str, start: int) -> tuple[str, int]:
    raw = bytearray()
    position = start + 1
    while position < len(text) and text[position] != '"':
        if text[position] == "\\":
            octets, position = _escape(text, position)
            raw += octets
        else:
            raw += text[position].encode("utf-8", "surrogatepass")
            position += 1
    end = _skip_blanks(text, position + 1)
    if position >= len(text) or (end < len(text) and text[end] not in ",;+"):
        raise DnError("guillemet non fermé", span=(start, len(text)))
    return _decode(bytes(raw), start, end), end


def _escape(text: str, position: int) -> tuple[bytes, int]:
    following = text[position + 1 : position + 2]
    if following in _ESCAPABLE and following:
        return following.encode(), position + 2
    pair = _HEX_PAIR.match(text, position + 1)
    if pair is None:
        raise DnError("échappement inconnu", span=(position, position + 2))
    return bytes.fromhex(pair[0]), position + 3


def _decode(raw: bytes, start: int, end: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise DnError("valeur qui n'est pas de l'UTF-8", span=(start, end)) from None
