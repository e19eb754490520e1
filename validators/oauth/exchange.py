"""The exchange of a PSC token for that of a target's API: what is asked (RFC 8693 2.1)."""

from __future__ import annotations

import base64
import binascii
import re

from protocols.oauth import FormError, confirmation
from spec import api_psc
from spec.api_psc import CI_SIS
from validators.examples import oauth as example
from validators.json_document import shown
from validators.oauth.common import Findings, one_of, present, request_rules
from validators.oauth.reading import FormRequest, claims_of
from validators.psc.claims import is_realm, rfc
from validators.rule import Broken, RuleSet

__all__ = ["EXCHANGE", "in_hexadecimal", "is_thumbprint"]

EXCHANGE = RuleSet(
    "echange-jeton",
    good=example.exchange,
    syntax="ECHJ-000",
    unreadable=lambda: example.exchange() + b"&scope=dmp",
    reference=rfc(6749, "3.2"),
    requirements=("KIT-API-PSC",),
)
_RAW = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_HEX = re.compile(rb"[0-9a-f]{64}")

request_rules(EXCHANGE, "ECHJ", example.exchange)


def in_hexadecimal(value: str) -> bool:
    """Base64, padded, of 64 hexadecimal digits: as the examples of the ANS write a thumbprint."""
    try:
        return _HEX.fullmatch(base64.b64decode(value, validate=True)) is not None
    except (binascii.Error, ValueError):
        return False


def is_thumbprint(value: object) -> bool:
    """Whether it has one of the two forms of an `x5t#S256`."""
    return isinstance(value, str) and (_RAW.fullmatch(value) is not None or in_hexadecimal(value))


@EXCHANGE.rule(
    "ECHJ-010",
    "grant_type est l'échange de jeton",
    reference=rfc(8693, "2.1"),
    bad=lambda: example.exchange(grant_type="client_credentials"),
)
def grant(request: FormRequest) -> Findings:
    yield from present(request.form, "grant_type")
    yield from one_of(request.form, "grant_type", (api_psc.TOKEN_EXCHANGE,))


@EXCHANGE.rule(
    "ECHJ-011",
    "subject_token et son type sont présents",
    reference=rfc(8693, "2.1"),
    bad=lambda: example.exchange(subject_token=None),
)
def subject(request: FormRequest) -> Findings:
    yield from present(request.form, "subject_token", "subject_token_type")


@EXCHANGE.rule(
    "ECHJ-012",
    "subject_token_type est access_token ou jwt",
    reference=CI_SIS,
    bad=lambda: example.exchange(
        subject_token_type="urn:ietf:params:oauth:token-type:refresh_token"
    ),
)
def subject_type(request: FormRequest) -> Findings:
    yield from one_of(request.form, "subject_token_type", api_psc.SUBJECT_TYPES)


@EXCHANGE.rule(
    "ECHJ-013",
    "subject_token est un jeton d'accès de Pro Santé Connect",
    reference=CI_SIS,
    bad=lambda: example.exchange(subject_token=example.psc_token("ID")),
)
def subject_kind(request: FormRequest) -> Findings:
    token = request.form.get("subject_token")
    said = claims_of(token)
    if token is None:
        return
    if said is None or said.get("typ") != "Bearer" or not is_realm(said.get("iss")):
        yield Broken(
            message="Ce n'est pas un jeton d'accès de Pro Santé Connect.",
            expected="un JWS, typ = Bearer, iss = le royaume esante-wallet",
            actual="illisible" if said is None else shown([said.get("typ"), said.get("iss")]),
            where="subject_token",
        )


@EXCHANGE.rule(
    "ECHJ-014",
    "scope nomme ce que demande la cible",
    reference=CI_SIS,
    bad=lambda: example.exchange(scope=None),
)
def scope(request: FormRequest) -> Findings:
    yield from present(request.form, "scope")


@EXCHANGE.rule(
    "ECHJ-015",
    "cnf porte l'empreinte SHA-256 du certificat client",
    reference=CI_SIS,
    bad=lambda: example.exchange(cnf='{"x5t#S256":"abc"}'),
)
def bound(request: FormRequest) -> Findings:
    yield from present(request.form, "cnf")
    if "cnf" in request.form and not is_thumbprint(_thumbprint(request)):
        yield Broken(
            message="cnf ne porte pas l'empreinte d'un certificat.",
            expected='{"x5t#S256": base64url des 32 octets}',
            actual=shown(request.form["cnf"]),
            where="cnf",
        )


@EXCHANGE.rule(
    "ECHJ-016",
    "L'empreinte est en base64url des 32 octets, sans remplissage",
    reference=rfc(8705, "3.1"),
    tolerated=True,
    bad=lambda: example.exchange(cnf=example.cnf_in_hex()),
)
def bound_form(request: FormRequest) -> Findings:
    # The examples of the ANS encode the hexadecimal digits: the field does so as well.
    found = _thumbprint(request)
    if found is not None and in_hexadecimal(found):
        yield Broken(
            message="L'empreinte est écrite comme dans les exemples de l'ANS, non comme la RFC.",
            expected="43 caractères de base64url",
            actual=found,
            where="cnf",
        )


@EXCHANGE.rule(
    "ECHJ-017",
    "actor_token et actor_token_type vont ensemble",
    reference=rfc(8693, "2.1"),
    bad=lambda: example.exchange(actor_token_type=None),
)
def actor_pair(request: FormRequest) -> Findings:
    if ("actor_token" in request.form) != ("actor_token_type" in request.form):
        yield from present(request.form, "actor_token", "actor_token_type")


@EXCHANGE.rule(
    "ECHJ-018",
    "actor_token_type est access_token ou jwt",
    reference=CI_SIS,
    bad=lambda: example.exchange(actor_token_type="jwt"),
)
def actor_type(request: FormRequest) -> Findings:
    yield from one_of(request.form, "actor_token_type", api_psc.SUBJECT_TYPES)


@EXCHANGE.rule(
    "ECHJ-019",
    "actor_token dit le logiciel et la situation d'exercice",
    reference=CI_SIS,
    bad=lambda: example.exchange(actor_token=example.actor(lps_nom=None)),
)
def actor(request: FormRequest) -> Findings:
    token = request.form.get("actor_token")
    if token is None:
        return
    said = claims_of(token)
    if said is None:
        yield Broken(message="actor_token n'est pas un JWT.", where="actor_token")
        return
    for name in api_psc.ACTOR_CLAIMS:
        if not isinstance(said.get(name), str) or not said[name]:
            yield Broken(
                message=f"{name} manque, ou n'est pas un texte.",
                expected=name,
                actual=shown(said[name]) if name in said else "absent",
                where=f"actor_token/{name}",
            )


@EXCHANGE.rule(
    "ECHJ-020",
    "requested_token_type, s'il est là, est access_token ou jwt",
    reference=rfc(8693, "2.1"),
    bad=lambda: example.exchange(
        requested_token_type="urn:ietf:params:oauth:token-type:refresh_token"
    ),
)
def requested(request: FormRequest) -> Findings:
    yield from one_of(request.form, "requested_token_type", api_psc.SUBJECT_TYPES)


def _thumbprint(request: FormRequest) -> str | None:
    try:
        return confirmation(request.form["cnf"]) if "cnf" in request.form else None
    except FormError:
        return None
