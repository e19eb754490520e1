"""What a token exchange must say, and the token that it gives. No HTTP here.

Réf.: RFC 8693 2.1 and 2.2, RFC 8705 2.1 and 3.1, grade: standard; parameters that the target
wants, subject DN mapped to `Client_ID_AS`: CI-SIS, "API Pro Santé Connectée", flows 14 to 16,
grade: faq.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocols.dn import DnError, dn, same_dn
from protocols.jose import TokenError, peek
from protocols.oauth import FormError, confirmation, thumbprint, thumbprint_in_hex
from protocols.pki import ChainError, read_certificate
from spec import api_psc as spec

__all__ = ["ApiClient", "Demand", "ExchangeError", "claims", "client_of", "read_demand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiClient:
    """An enrolled client: its `Client_ID_AS`, and the subject DNs that it may show."""

    client_id: str
    dns: tuple[str, ...]
    scopes: tuple[str, ...] = (spec.SCOPE,)


class ExchangeError(Exception):
    """A refusal of RFC 6749 5.2 or RFC 8693 2.2.2."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A request that says all that it must."""

    subject_token: str
    scope: str
    thumbprint: str
    """In the form that the client wrote."""
    actor: Mapping[str, Any]
    """Claims of the actor token; {} without."""


def client_of(
    certificate: bytes, form: Mapping[str, str], clients: tuple[ApiClient, ...]
) -> ApiClient:
    """The client whose certificate this is.

    Raises:
        ExchangeError: `invalid_client`: an unknown DN, or another client's `client_id`.
    """
    try:
        subject = dn(read_certificate(certificate))
        found = next((c for c in clients if any(same_dn(subject, one) for one in c.dns)), None)
    except (ChainError, DnError):
        subject, found = "illisible", None
    if found is None:
        raise ExchangeError(401, "invalid_client", f"aucun client enregistré pour {subject}")
    if form.get("client_id", found.client_id) != found.client_id:
        raise ExchangeError(401, "invalid_client", "client_id d'un autre certificat")
    return found


def read_demand(form: Mapping[str, str], client: ApiClient, certificate: bytes) -> Demand:
    """What is asked for.

    Raises:
        ExchangeError: `invalid_request`, `unsupported_grant_type`, `invalid_target` or
            `invalid_scope`.
    """
    grant = form.get("grant_type", "")
    if not grant:
        raise ExchangeError(400, "invalid_request", "grant_type absent")
    if grant != spec.TOKEN_EXCHANGE:
        raise ExchangeError(400, "unsupported_grant_type", f"grant_type {grant} refusé")
    token = _required(form, "subject_token")
    kind = _required(form, "subject_token_type")
    if kind not in spec.SUBJECT_TYPES:
        raise ExchangeError(400, "invalid_request", f"subject_token_type {kind} refusé")
    if form.get("requested_token_type", spec.ACCESS_TOKEN) not in spec.SUBJECT_TYPES:
        raise ExchangeError(400, "invalid_request", "requested_token_type refusé")
    if form.get("audience", spec.AUDIENCE) != spec.AUDIENCE or "resource" in form:
        raise ExchangeError(400, "invalid_target", "cible inconnue de ce serveur")
    asked = form.get("scope", "").split()
    if not asked or not set(asked) <= set(client.scopes):
        raise ExchangeError(
            400, "invalid_scope", f"scope accordé à ce client : {' '.join(client.scopes)}"
        )
    return Demand(
        subject_token=token,
        scope=" ".join(asked),
        thumbprint=_bound(_required(form, "cnf"), certificate),
        actor=_actor(form),
    )


def _bound(value: str, certificate: bytes) -> str:
    """The thumbprint, which is that of the certificate shown, in one of its two known forms."""
    try:
        said = confirmation(value)
    except FormError as error:
        raise ExchangeError(400, "invalid_request", str(error)) from None
    for form in (thumbprint, thumbprint_in_hex):
        if hmac.compare_digest(said.encode(), form(certificate).encode()):
            return said
    raise ExchangeError(400, "invalid_request", "cnf n'est pas l'empreinte du certificat présenté")


def _actor(form: Mapping[str, str]) -> Mapping[str, Any]:
    if ("actor_token" in form) != ("actor_token_type" in form):
        raise ExchangeError(400, "invalid_request", "actor_token et actor_token_type vont ensemble")
    if "actor_token" not in form:
        return {}
    if form["actor_token_type"] not in spec.SUBJECT_TYPES:
        raise ExchangeError(400, "invalid_request", "actor_token_type refusé")
    try:
        said = peek(form["actor_token"])
    except TokenError as error:
        raise ExchangeError(400, "invalid_request", f"actor_token : {error}") from None
    return {name: said[name] for name in spec.ACTOR_CLAIMS if name in said}


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name)
    if value is None:
        raise ExchangeError(400, "invalid_request", f"{name} absent")
    return value


def claims(
    demand: Demand,
    client: ApiClient,
    subject: Mapping[str, Any],
    *,
    issuer: str,
    now: int,
    lifetime: int,
    jti: str,
) -> dict[str, Any]:
    """The API token of a demand whose PSC token is active; `subject` is PSC's introspection."""
    person = str(subject.get("SubjectNameID") or subject.get("preferred_username", ""))
    return {
        "exp": now + lifetime,
        "iat": now,
        "jti": jti,
        "iss": issuer,
        "aud": [spec.AUDIENCE, client.client_id],
        "sub": person,
        "typ": "Bearer",
        "azp": client.client_id,
        "sid": str(subject.get("sid", "")),
        "acr": "1",
        "scope": demand.scope,
        "SubjectNameID": person,
        "cnf": {spec.THUMBPRINT: demand.thumbprint},
        **demand.actor,
    }
