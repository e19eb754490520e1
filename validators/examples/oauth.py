"""Example requests to token servers and their answers: right ones, and changes that spoil them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from protocols import jose
from protocols.jose import SigningKey
from protocols.oauth import FORM_TYPE, build_form, thumbprint, thumbprint_in_hex, unsigned
from spec import api_psc, psc
from validators.examples import psc as psc_example
from validators.examples.credential import key

__all__ = [
    "actor",
    "api_token",
    "asked_about",
    "cnf_in_hex",
    "demand",
    "exchange",
    "exchanged",
    "psc_token",
    "refused",
]

_CERTIFICATE = b"the certificate of an example"
_CLIENT = "drimbox-exemple"
_ACTOR = {
    "lps_nom": "DRIMBOX EXEMPLE",
    "lps_id": "KIT-0001",
    "lps_version": "1.0",
    "situation_exercice": "499700990001001",
}


def psc_token(kind: str = "Bearer") -> str:
    """The token of the example professional."""
    return psc_example.token(kind).decode("ascii")


def actor(**changes: Any) -> str:
    """What the actor token says of the software; None takes a claim out."""
    return unsigned(_changed(_ACTOR, changes))


def cnf_in_hex() -> str:
    """The confirmation as the ANS writes it."""
    return json.dumps({api_psc.THUMBPRINT: thumbprint_in_hex(_CERTIFICATE)})


def exchange(**changes: str | None) -> bytes:
    """The exchange of a token (HTTP request); `changes` replace parameters."""
    form = {
        "grant_type": api_psc.TOKEN_EXCHANGE,
        "subject_token": psc_token(),
        "subject_token_type": api_psc.ACCESS_TOKEN,
        "scope": api_psc.SCOPE,
        "cnf": json.dumps({api_psc.THUMBPRINT: thumbprint(_CERTIFICATE)}),
        "actor_token": actor(),
        "actor_token_type": api_psc.JWT,
    }
    return _post("api-psc.exemple.invalid", api_psc.TOKEN_PATH, _changed(form, changes))


def api_token(**changes: Any) -> str:
    """A token of the API of the DMP; None takes a claim out."""
    said = {
        "iss": "https://api-psc.exemple.invalid/realms/dmp",
        "aud": [api_psc.AUDIENCE],
        "azp": _CLIENT,
        "exp": psc_example.SECONDS + api_psc.LIFETIME,
        "iat": psc_example.SECONDS,
        "typ": "Bearer",
        "SubjectNameID": "899700990001",
        "cnf": {api_psc.THUMBPRINT: thumbprint(_CERTIFICATE)},
    }
    return jose.sign(_changed(said, changes), SigningKey("kit-api", key()))


def exchanged(**changes: Any) -> bytes:
    """The answer to an exchange (HTTP); `changes` replace members."""
    said = {
        "access_token": api_token(),
        "issued_token_type": api_psc.ACCESS_TOKEN,
        "token_type": "Bearer",
        "expires_in": api_psc.LIFETIME,
        "scope": api_psc.SCOPE,
    }
    return _answer("200 OK", _changed(said, changes))


def refused(error: str = "invalid_request") -> bytes:
    """An exchange refused."""
    return _answer("400 Bad Request", {"error": error, "error_description": "cnf absent"})


def demand(**changes: str | None) -> bytes:
    """A code exchanged for tokens (HTTP request); `changes` replace parameters."""
    form = {
        "grant_type": "authorization_code",
        "code": "0d5f2b6c-3a17-4e8b-9c41-6f70a2d1e3b5",
        "redirect_uri": "https://drimbox.exemple.invalid/callback",
        "client_id": _CLIENT,
        "code_verifier": "kit" * 20,
    }
    return _post("auth.psc.exemple.invalid", psc.REALM_PATH + psc.TOKEN, _changed(form, changes))


def asked_about(**changes: str | None) -> bytes:
    """An introspection (HTTP request); `changes` replace parameters."""
    form = {"token": psc_token()}
    path = psc.REALM_PATH + psc.INTROSPECTION
    return _post("auth.psc.exemple.invalid", path, _changed(form, changes))


def _post(host: str, path: str, form: Mapping[str, str]) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM_TYPE}\r\n\r\n"
    return head.encode("ascii") + build_form(form)


def _answer(status: str, said: Mapping[str, Any]) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\r\n"
    return head.encode("ascii") + json.dumps(said).encode()


def _changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**values, **changes}
    return {name: value for name, value in merged.items() if value is not None}
