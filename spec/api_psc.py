"""API Pro Santé Connectées: how a PSC token becomes the token of a target, the DMP among them.

Sources: CI-SIS, "Sécurisation du transport des API REST" v1.2.0, pages "API Pro Santé Connectée"
and "données métiers" (an older service keeps SOAP and VIHF, the API token comes in
`Authorization: Bearer`); RFC 8693, RFC 8705; ANS, psc-edc-proxy-esante for the proxy's contract.
"""

from __future__ import annotations

from spec.grade import Grade, Reference

__all__ = [
    "ACCESS_TOKEN",
    "ACTOR_CLAIMS",
    "AUDIENCE",
    "CI_SIS",
    "JWT",
    "LIFETIME",
    "PROXY",
    "PROXY_COOKIE",
    "SCOPE",
    "SUBJECT_TYPES",
    "THUMBPRINT",
    "TOKEN_EXCHANGE",
    "TOKEN_PATH",
]

CI_SIS = Reference(
    "CI-SIS, Sécurisation du transport des API REST v1.2.0",
    "API Pro Santé Connectée, flux 14 à 17",
    Grade.FAQ,
)
PROXY = Reference("psc-edc-proxy-esante (ANS)", "API-Proxy-eSante.json", Grade.SAMPLE)

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
"""RFC 8693 2.1."""
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
SUBJECT_TYPES = (JWT, ACCESS_TOKEN)
"""Both are named by the volet (CI-SIS)."""

THUMBPRINT = "x5t#S256"
"""Member of `cnf`: SHA-256 of the client certificate (RFC 8705 3.1)."""

ACTOR_CLAIMS = ("lps_nom", "lps_id", "lps_version", "situation_exercice")
"""What an `actor_token` tells of the software and of the practice situation; mutual TLS dispenses
with its signature (CI-SIS, "données métiers")."""

SCOPE = "dmp"
"""The volet leaves business scopes to each target, and that of the DMP is not public. Grade:
inferred."""
AUDIENCE = "dmp"
"""`aud` of the tokens that our authorization server gives. Grade: inferred."""
LIFETIME = 3600
"""Seconds: the volet recommends one to four hours (CI-SIS, "standards")."""
TOKEN_PATH = "/realms/dmp/protocol/openid-connect/token"
"""Ours, of the shape that the configuration of the ANS proxy shows. Grade: inferred."""

PROXY_COOKIE = "proxy_session_id"
"""The proxy's session cookie, and the member of the answer to `/connect` (ANS proxy e-santé)."""
