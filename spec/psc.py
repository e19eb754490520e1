"""Pro Santé Connect: where its endpoints are, what a client asks, how long tokens live.

Sources: ANS, keycloak-prosanteconnect (`psc.properties`) and PSC documentation pages; ANS proofs
of concept (PSC-POC) for real tokens; "Sécurisation du transport des API REST" (CI-SIS volet,
v1.2.0) for lifetimes. Nothing here judges: see `validators` for what a box must do with it.
"""

from __future__ import annotations

from spec.grade import Grade, Reference

__all__ = [
    "ACCESS_TOKEN_LIFETIME",
    "ACR_VALUES",
    "AUTHORIZATION",
    "AUTHORIZATION_CODE_LIFETIME",
    "BACKCHANNEL_LOGOUT_EVENT",
    "BINDING_MESSAGE",
    "CERTS",
    "CHANNELS",
    "CIBA",
    "CIBA_GRANT",
    "CIBA_INTERVAL",
    "CIBA_LIFETIME",
    "DISCOVERY",
    "END_SESSION",
    "INTROSPECTION",
    "LIFETIMES_SOURCE",
    "OIDC",
    "REALM",
    "REALM_PATH",
    "REFRESH_TOKEN_LIFETIME",
    "REVOCATION",
    "SCOPE",
    "SESSION_IDLE",
    "SESSION_LIFETIME",
    "TEST_ID_PREFIX",
    "TOKEN",
    "USERINFO",
    "VANILLA_DISCOVERY",
    "WALLET_AUTHORIZATION",
]

REALM = "esante-wallet"
"""The Keycloak realm, in both environments. Grade: sample (keycloak-prosanteconnect)."""

REALM_PATH = f"/auth/realms/{REALM}"
"""Path of the issuer below its host. Grade: sample (keycloak-prosanteconnect)."""

DISCOVERY = "/.well-known/wallet-openid-configuration"
"""Below the issuer: not the standard name, see `VANILLA_DISCOVERY`. Grade: sample."""

VANILLA_DISCOVERY = "/.well-known/openid-configuration"
"""Keycloak's own document (OpenID Connect Discovery 1.0, 4): its authorization endpoint is not
the wallet's. That PSC serves both is inferred from Keycloak."""

WALLET_AUTHORIZATION = "/auth"
"""Path of the authorization endpoint on the *wallet* host. Grade: sample."""

OIDC = "/protocol/openid-connect"
"""Below the issuer: prefix of the endpoints that follow. Grade: sample (ANS proofs of concept)."""
AUTHORIZATION = OIDC + "/auth"
"""Keycloak's own authorization endpoint, not the one to use."""
TOKEN = OIDC + "/token"
INTROSPECTION = OIDC + "/token/introspect"
USERINFO = OIDC + "/userinfo"
END_SESSION = OIDC + "/logout"
CERTS = OIDC + "/certs"
REVOCATION = OIDC + "/revoke"
CIBA = OIDC + "/ext/ciba/auth"

CIBA_GRANT = "urn:openid:params:grant-type:ciba"
"""CIBA Core 1.0, 10.1. PSC delivers by polling only (PSC documentation page, grade: sample)."""
CHANNELS = ("CARD", "MOBILE")
"""Values of PSC's own parameter `channel`: CPx card or e-CPS telephone. Grade: sample (ANS proxy
e-santé)."""
BINDING_MESSAGE = r"[0-9]{2}"
"""What the user compares on both screens: 00 to 99. Grade: sample (PSC documentation page)."""
CIBA_LIFETIME = 120
"""Seconds that the user has to answer. Grade: sample (tests of the ANS proxy e-santé)."""
CIBA_INTERVAL = 1
"""Seconds between two polls. Grade: sample (mock of the ANS proxy e-santé; CIBA Core says 5)."""

BACKCHANNEL_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
"""Member of `events` in a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4)."""

SCOPE = "openid scope_all"
"""What a DRIMbox asks. Grade: sample (PSC-POC Apache example, DRIM-M demonstrator)."""

ACR_VALUES = "eidas1"
"""Mandatory value of `acr_values`: draft REM 2023, PSC.08, linked to EX PSC 16. Grade: draft."""

ACCESS_TOKEN_LIFETIME = 120
"""Seconds (2 minutes; a 2023 BAS token has exp - iat = 120). Grade: sample."""
REFRESH_TOKEN_LIFETIME = 1800
"""Seconds (30 minutes). Grade: sample."""
SESSION_LIFETIME = 4 * 3600
"""Seconds that the single sign-on session lasts at most (4 hours). Grade: sample."""
SESSION_IDLE = 1800
"""Seconds of inactivity that end the session (30 minutes). Grade: sample."""
AUTHORIZATION_CODE_LIFETIME = 60
"""Seconds; Keycloak's default, RFC 6749 4.1.2 recommends ten minutes at most. Grade: inferred."""

LIFETIMES_SOURCE = Reference(
    "CI-SIS, Sécurisation du transport des API REST v1.2.0",
    "API Pro Santé Connectée, cas d'erreur",
    Grade.SAMPLE,
)

TEST_ID_PREFIX = "8997"
"""How the national identifiers of test professionals begin. Grade: sample (ANS fixtures)."""
