"""What an exchange with Pro Santé Connect is called, read from its bytes: a real one does not
tell us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from protocols.jose import TokenError, read
from spec import psc
from wire.exchange import Exchange, Payload

__all__ = ["label"]

_NAMES = (
    (psc.DISCOVERY, "PSC-discovery"),
    (psc.VANILLA_DISCOVERY, "PSC-discovery"),
    (psc.CERTS, "PSC-JWKS"),
    (psc.INTROSPECTION, "introspection"),
    (psc.TOKEN, "PSC-token"),
    (psc.USERINFO, "PSC-userinfo"),
    (psc.REVOCATION, "PSC-revoke"),
    (psc.END_SESSION, "PSC-logout"),
    (psc.CIBA, "PSC-CIBA"),
    (psc.AUTHORIZATION, "PSC-authorize"),
    (psc.WALLET_AUTHORIZATION, "PSC-authorize"),
)
"""How a path ends -> the name that our own PSC gives; the first that fits."""


def label(exchange: Exchange) -> Exchange:
    """The exchange under the name, and with the keys, that our own PSC gives it; its peer is the
    client that says who it is."""
    request = exchange.request
    words = request.start_line.split(" ") if request else []
    if request is None or len(words) < 2:
        return exchange
    target = urlsplit(words[1])
    name = next((name for end, name in _NAMES if target.path.endswith(end)), "")
    if not name:
        return exchange
    form = _form(request)
    if name == "PSC-token" and form.get("grant_type") == "refresh_token":
        name = "PSC-refresh"
    if name == "PSC-token" and form.get("grant_type") == psc.CIBA_GRANT:
        name = "PSC-CIBA-poll"
    asked = {key: values[0] for key, values in parse_qs(target.query).items()}
    keys = [one for given in (form, asked) for one in _carried(given)]
    keys += _answered(exchange.response)
    bearer = (request.header("authorization") or "").partition(" ")[2]
    keys += _names(bearer)
    named = exchange.labelled(transaction=name, keys=keys)
    client = form.get("client_id", "")
    return replace(named, peer=client) if client else named


def _form(payload: Payload) -> dict[str, str]:
    if not (payload.header("content-type") or "").startswith("application/x-www-form-urlencoded"):
        return {}
    found = parse_qs(payload.body.decode("latin-1"))
    return {key: values[0] for key, values in found.items()}


def _carried(given: dict[str, str]) -> Iterator[str]:
    """What one exchange of a login hands to the next: state, code, tokens."""
    yield from (given[name] for name in ("state", "code", "auth_req_id") if given.get(name))
    for name in ("token", "refresh_token", "id_token_hint"):
        yield from _names(given.get(name, ""))


def _answered(payload: Payload | None) -> list[str]:
    """The tokens that an answer gives."""
    try:
        answer = json.loads(payload.body) if payload and payload.body else {}
    except ValueError:
        return []
    if not isinstance(answer, dict):
        return []
    tokens = (answer.get(name) for name in ("access_token", "refresh_token", "id_token"))
    return [key for token in tokens if isinstance(token, str) for key in _names(token)]


def _names(token: str) -> tuple[str, ...]:
    """The identifiers that a token, good or not, carries."""
    try:
        claims = read(token).claims
    except TokenError:
        return ()
    return tuple(str(claims[name]) for name in ("jti", "sid") if claims.get(name))
