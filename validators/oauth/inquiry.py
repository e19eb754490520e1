"""What is asked of Pro Santé Connect about a token (RFC 7662 2.1)."""

from __future__ import annotations

from validators.examples import oauth as example
from validators.finding import Severity
from validators.json_document import shown
from validators.oauth.common import Findings, one_of, present, request_rules
from validators.oauth.reading import FormRequest
from validators.psc.claims import rfc
from validators.rule import Broken, RuleSet

__all__ = ["INQUIRY"]

INQUIRY = RuleSet(
    "demande-introspection",
    good=example.asked_about,
    syntax="DINT-000",
    unreadable=lambda: example.asked_about() + b"&token=autre",
    reference=rfc(7662, "2.1"),
    requirements=("DB.SO.33",),
)

request_rules(INQUIRY, "DINT", example.asked_about)


@INQUIRY.rule(
    "DINT-010",
    "Une introspection nomme un jeton",
    reference=rfc(7662, "2.1"),
    bad=lambda: example.asked_about(token=None),
)
def introspected(request: FormRequest) -> Findings:
    yield from present(request.form, "token")


@INQUIRY.rule(
    "DINT-011",
    "Le jeton introspecté est celui de l'en-tête, sans son schéma",
    reference=rfc(6750, "2.1"),
    bad=lambda: example.asked_about(token="Bearer abc"),
)
def bare(request: FormRequest) -> Findings:
    token = request.form.get("token", "")
    # A token may begin by these letters: only the scheme has a blank after it.
    if token.lower().startswith("bearer "):
        yield Broken(
            message="Le schéma Bearer est resté devant le jeton.",
            expected="le jeton seul",
            actual=shown(token[:20]),
            where="token",
        )


@INQUIRY.rule(
    "DINT-012",
    "token_type_hint, s'il est là, est access_token",
    reference=rfc(7662, "2.1"),
    severity=Severity.WARNING,
    bad=lambda: example.asked_about(token_type_hint="bearer"),
)
def hint(request: FormRequest) -> Findings:
    yield from one_of(request.form, "token_type_hint", ("access_token",))
