"""Guesses about what trust is made of: tokens and JSON answers, certificates, CRLs, WADL."""

from __future__ import annotations

import re

__all__ = ["guess_demand", "guess_trust"]

_HEAD = 64 * 1024
_TOKEN = re.compile(rb"(Bearer +)?eyJ[\w-]*\.[\w-]+\.[\w-]*\s*", re.ASCII)
_MEMBERS = (
    ("decouverte", re.compile(rb'"authorization_endpoint"\s*:')),
    ("echange-jeton-response", re.compile(rb'"issued_token_type"\s*:')),
    ("introspection", re.compile(rb'"active"\s*:')),
    ("userinfo", re.compile(rb'"Subject(RefPro|NameID|Role)"\s*:')),
    ("capacites", re.compile(rb'"resources"\s*:')),
)
_EXCHANGE = re.compile(rb"(?:^|&)grant_type=[^&]*token-exchange(?:&|$)")
_DEMAND = re.compile(rb"(?:^|&)grant_type=")
_INQUIRY = re.compile(rb"(?:^|&)token=")
_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----")
_SEQUENCE = rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x83...)"
_DER_CERTIFICATE = re.compile(_SEQUENCE * 2 + rb"\xa0\x03\x02\x01", re.DOTALL)
_DER_CRL = re.compile(_SEQUENCE * 2 + rb"\x02\x01\x01\x30", re.DOTALL)
_WADL = b"http://wadl.dev.java.net/"


def guess_trust(data: bytes) -> str | None:
    """The kind's name, None when it is nothing of that family. A body, without HTTP header."""
    start = data[:_HEAD].lstrip()
    if start.startswith(b"{"):
        return next((kind for kind, member in _MEMBERS if member.search(start)), None)
    if start.startswith(b"<"):
        return "capacites" if _WADL in start[:4096] else None
    pem = _PEM.search(start)
    if pem is not None:
        return "certificat" if pem[1] == b"CERTIFICATE" else "crl"
    if _DER_CERTIFICATE.match(data):
        return "certificat"
    if _DER_CRL.match(data):
        return "crl"
    return "jeton-psc" if _TOKEN.fullmatch(start) else None


def guess_demand(body: bytes) -> str | None:
    """The kind of a form posted to a token server, None when it is none."""
    start = body[:_HEAD].strip()
    if _EXCHANGE.search(start):
        return "echange-jeton"
    if _DEMAND.search(start):
        return "demande-jeton"
    return "demande-introspection" if _INQUIRY.search(start) else None
