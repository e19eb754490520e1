"""The two discovery documents: the wallet's, and Keycloak's own that leads to the wrong door.

Values as the ANS proofs of concept show them (grade sample): they say what Keycloak can do, not
what PSC grants a client. Endpoints that this simulator does not serve (device, PAR, dynamic
registration) are left out.
"""

from __future__ import annotations

from typing import Any

from spec import psc

__all__ = ["document"]

_AUTH_METHODS = [
    "private_key_jwt",
    "client_secret_basic",
    "client_secret_post",
    "tls_client_auth",
    "client_secret_jwt",
]
_SIGNATURES = ["PS384", "ES384", "RS384", "HS256", "HS512", "ES256", "RS256", "HS384", "ES512"]
_SIGNATURES += ["PS256", "PS512", "RS512"]


def document(issuer: str, authorization_endpoint: str) -> dict[str, Any]:
    """A discovery document of that issuer, advertising that authorization endpoint."""
    back = {
        "token_endpoint": issuer + psc.TOKEN,
        "revocation_endpoint": issuer + psc.REVOCATION,
        "introspection_endpoint": issuer + psc.INTROSPECTION,
        "userinfo_endpoint": issuer + psc.USERINFO,
        "backchannel_authentication_endpoint": issuer + psc.CIBA,
    }
    return {
        "issuer": issuer,
        "authorization_endpoint": authorization_endpoint,
        **back,
        "end_session_endpoint": issuer + psc.END_SESSION,
        "jwks_uri": issuer + psc.CERTS,
        "grant_types_supported": [
            "authorization_code",
            "implicit",
            "refresh_token",
            "password",
            "client_credentials",
            psc.CIBA_GRANT,
        ],
        "backchannel_token_delivery_modes_supported": ["poll", "ping"],
        "acr_values_supported": ["0", "0"],
        "response_types_supported": [
            "code",
            "none",
            "id_token",
            "token",
            "id_token token",
            "code id_token",
            "code token",
            "code id_token token",
        ],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["public", "pairwise"],
        "scopes_supported": [
            "openid",
            "rpps",
            "referentiel",
            "identity",
            "acr",
            "eidas1",
            "profile",
            "scope_all",
            "scope_1",
            "scope_2",
        ],
        "claims_supported": [
            "aud",
            "sub",
            "iss",
            "auth_time",
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "email",
            "acr",
        ],
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
        "require_request_uri_registration": True,
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "tls_client_certificate_bound_access_tokens": True,
        "id_token_signing_alg_values_supported": _SIGNATURES,
        "userinfo_signing_alg_values_supported": [*_SIGNATURES, "none"],
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "require_pushed_authorization_requests": False,
        "authorization_response_iss_parameter_supported": True,
        "mtls_endpoint_aliases": back,
    }
