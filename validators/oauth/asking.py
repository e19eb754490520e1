"""The tokens that are asked of Pro Santé Connect (RFC 6749 4.1.3 and 6, CIBA Core 10.1)."""

from __future__ import annotations

import re

from spec import psc
from validators.examples import oauth as example
from validators.finding import Severity
from validators.oauth.common import Findings, one_of, present, request_rules
from validators.oauth.reading import FormRequest
from validators.psc.claims import rfc
from validators.rule import Broken, RuleSet

__all__ = ["DEMAND"]

DEMAND = RuleSet(
    "demande-jeton",
    good=example.demand,
    syntax="DPSC-000",
    unreadable=lambda: example.demand() + b"&code=autre",
    reference=rfc(6749, "3.2"),
    requirements=("DB.CO.63",),
)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_GRANTS = ("authorization_code", "refresh_token", psc.CIBA_GRANT)
_NEEDED = {
    "authorization_code": ("code", "redirect_uri"),
    "refresh_token": ("refresh_token",),
    psc.CIBA_GRANT: ("auth_req_id",),
}

request_rules(DEMAND, "DPSC", example.demand)


@DEMAND.rule(
    "DPSC-010",
    "grant_type est un de ceux que Pro Santé Connect accorde",
    reference=rfc(6749, "4.1.3, 6"),
    bad=lambda: example.demand(grant_type="password"),
)
def grant(request: FormRequest) -> Findings:
    yield from present(request.form, "grant_type")
    yield from one_of(request.form, "grant_type", _GRANTS)


@DEMAND.rule(
    "DPSC-011",
    "Les paramètres de cette demande de jeton sont présents",
    reference=rfc(6749, "4.1.3, 6"),
    bad=lambda: example.demand(code=None),
)
def parameters(request: FormRequest) -> Findings:
    yield from present(request.form, *_NEEDED.get(request.form.get("grant_type", ""), ()))


@DEMAND.rule(
    "DPSC-012",
    "code_verifier, s'il est là, a de 43 à 128 caractères permis",
    reference=rfc(7636, "4.1"),
    bad=lambda: example.demand(code_verifier="court"),
)
def verifier(request: FormRequest) -> Findings:
    found = request.form.get("code_verifier")
    if found is not None and _VERIFIER.fullmatch(found) is None:
        yield Broken(
            message="Ce n'est pas un vérifieur PKCE.",
            expected="43 à 128 lettres, chiffres et - . _ ~",
            actual=f"{len(found)} caractère(s)",
            where="code_verifier",
        )


@DEMAND.rule(
    "DPSC-013",
    "client_id nomme le client, même en TLS mutuel",
    reference=rfc(8705, "2"),
    severity=Severity.WARNING,
    bad=lambda: example.demand(client_id=None),
)
def client(request: FormRequest) -> Findings:
    yield from present(request.form, "client_id")
