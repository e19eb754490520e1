"""The token that a request to the DMP shows, beside its VIHF, when it goes by the API PSC.

A product that reaches the DMP by mutual TLS alone shows none: its absence is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from protocols.jose import TokenError, peek
from protocols.multipart import Headers
from spec.api_psc import CI_SIS, THUMBPRINT
from validators.examples import oauth as example
from validators.json_document import shown
from validators.psc.claims import is_realm, rfc
from validators.rule import Broken, Example, RuleSet
from validators.xds.rules import Findings

__all__ = ["bearer_rules"]

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/-]+=*)", re.ASCII)


def bearer_rules(
    rules: RuleSet, prefix: str, make: Example, headers_of: Callable[[Any], Headers]
) -> None:
    """Register the rules 090 and 091 of a request that may carry `Authorization`."""

    def shows(value: str) -> bytes:
        first, _, rest = make().partition(b"\r\n")
        return first + b"\r\nAuthorization: " + value.encode() + b"\r\n" + rest

    def good() -> bytes:
        return shows(f"Bearer {example.api_token()}")

    @rules.rule(
        f"{prefix}-090",
        "Authorization, s'il est là, est unique et porte un jeton Bearer",
        reference=rfc(6750, "2.1"),
        requirements=("KIT-API-PSC",),
        good=good,
        bad=lambda: shows("Basic a2l0OmtpdA=="),
    )
    def scheme(message: Any) -> Findings:
        found = _authorizations(headers_of(message))
        if found and (len(found) > 1 or _BEARER.fullmatch(found[0]) is None):
            yield Broken(
                message="Le jeton de l'API se présente une fois, par Bearer.",
                expected="Authorization: Bearer <jeton>",
                actual=f"{len(found)} en-tête(s), schéma {found[0].partition(' ')[0][:20]}",
                where="Authorization",
            )

    @rules.rule(
        f"{prefix}-091",
        "Le jeton montré est celui de l'API, lié au certificat, non celui de Pro Santé Connect",
        reference=CI_SIS,
        requirements=("KIT-API-PSC",),
        good=good,
        bad=lambda: shows(f"Bearer {example.psc_token()}"),
    )
    def token(message: Any) -> Findings:
        for value in _authorizations(headers_of(message)):
            match = _BEARER.fullmatch(value)
            try:
                said = peek(match[1]) if match else None
            except TokenError:
                said = None  # opaque: the DMP introspects it
            if said is None:
                continue
            cnf = said.get("cnf")
            if is_realm(said.get("iss")):
                yield Broken(
                    message="Le jeton de Pro Santé Connect ne sert qu'à l'échange.",
                    expected="le jeton reçu de l'échange (RFC 8693)",
                    actual=shown(said.get("iss")),
                    where="Authorization",
                )
            elif not isinstance(cnf, dict) or not cnf.get(THUMBPRINT):
                yield Broken(
                    message="Ce jeton n'est lié à aucun certificat.",
                    expected='cnf = {"x5t#S256": …}',
                    actual=shown(cnf),
                    where="Authorization",
                )


def _authorizations(headers: Headers) -> list[str]:
    return [value for name, value in headers if name.lower() == "authorization"]
