"""Example tokens and answers of Pro Santé Connect: right ones, and changes that spoil them.

The people, structures and addresses are ours; shapes are those of the ANS proofs of concept.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from protocols import jose
from protocols.jose import SigningKey
from spec import psc
from spec.psc_messages import PROFESSION_OID, SECTOR_OID
from validators.context import Context
from validators.examples.credential import NOW, key

__all__ = [
    "AT",
    "KEYS",
    "SECONDS",
    "discovery",
    "forged",
    "http",
    "inactive",
    "introspection",
    "profile",
    "token",
    "userinfo",
]

SECONDS = int(NOW.timestamp())
"""When the example tokens are issued."""

_PERSON = "899700990001"
_HOST = "https://auth.psc.exemple.invalid"
_ISSUER = _HOST + psc.REALM_PATH
_WALLET = "https://wallet.psc.exemple.invalid"
_SESSION = "5b0c9d1e-6f2a-4c3b-8d4e-7a1b2c3d4e5f"
_CLIENT = "drimbox-exemple"


@cache
def _signing_key() -> SigningKey:
    return SigningKey("kit-exemple", key())


@cache
def _secret() -> SigningKey:
    return SigningKey("kit-secret", b"published with the source: it protects nothing")


AT = Context(at=NOW)
"""The moment of issue."""
KEYS = Context(jwks=json.dumps({"keys": [_signing_key().public_jwk]}).encode())
"""The example issuer's keys."""


def claims(typ: str = "Bearer") -> dict[str, Any]:
    """The claims of an example token."""
    life = psc.REFRESH_TOKEN_LIFETIME if typ == "Refresh" else psc.ACCESS_TOKEN_LIFETIME
    found: dict[str, Any] = {
        "exp": SECONDS + life,
        "iat": SECONDS,
        "auth_time": SECONDS - 30,
        "jti": f"0d5f2b6c-3a17-4e8b-9c41-6f70a2d1e3b{len(typ)}",
        "iss": _ISSUER,
        "sub": f"f:1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e5f:{_PERSON}",
        "typ": typ,
        "azp": _CLIENT,
        "nonce": "kit-nonce",
        "session_state": _SESSION,
        "sid": _SESSION,
    }
    if typ == "Refresh":
        found["aud"] = _ISSUER
    else:
        found |= {"acr": "eidas3", "preferred_username": _PERSON}
    if typ == "ID":
        found |= {
            "aud": _CLIENT,
            "SubjectNameID": _PERSON,
            "at_hash": jose.at_hash("kit"),
            "email_verified": False,
        }
    else:
        found["scope"] = "openid profile scope_all identity"
    if typ == "Bearer":
        found |= {"authMode": "CARD", "otherIds": _other_ids()}
    return found


def token(kind: str = "Bearer", /, **changes: Any) -> bytes:
    """A signed token; `changes` replace claims, None takes one out."""
    signer = _secret() if kind == "Refresh" else _signing_key()
    return jose.sign(_changed(claims(kind), changes), signer).encode()


def forged(header: Mapping[str, Any]) -> bytes:
    """A token with another header (None takes a member out), hence a signature that fits not."""
    written = {"alg": "RS256", "typ": "JWT", "kid": "kit-exemple"}
    parts = (_changed(written, header), claims())
    encoded = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in parts]
    return b".".join([*encoded, b"AAAA"])


def introspection(**changes: Any) -> bytes:
    """An active answer about the access token; `changes` replace members, None takes one out."""
    found = claims() | {
        "SubjectNameID": _PERSON,
        "client_id": _CLIENT,
        "username": _PERSON,
        "active": True,
    }
    return _document(_changed(found, changes))


def inactive(**more: Any) -> bytes:
    """What is said of a token that is expired, revoked or unknown."""
    return _document({"active": False} | more)


def http(body: bytes, media_type: str = "application/json", status: str = "200 OK") -> bytes:
    """The HTTP answer that carries a body."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\n\r\n"
    return head.encode("ascii") + body


def userinfo(**changes: Any) -> bytes:
    """A professional of two activities; `changes` replace members, None takes one out."""
    return _document(_changed(_userinfo(), changes))


def profile(
    practice: Mapping[str, Any] | None = None, activity: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`SubjectRefPro`, with changes to its practice and to its first activity."""
    activities = [
        _changed(_activity("R99001", "CABINET EXEMPLE", "499700990001001", "SA07"), activity or {}),
        _activity("F0B9900015", "CENTRE HOSPITALIER EXEMPLE", "10B9900015", "SA01", "0B9900015"),
    ]
    return {
        "codeCivilite": "M",
        "exercices": [
            _changed(
                {
                    "codeProfession": "10",
                    "codeCategorieProfessionnelle": "C",
                    "codeCiviliteDexercice": "DR",
                    "nomDexercice": "EXEMPLE",
                    "prenomDexercice": "CAMILLE",
                    "codeTypeSavoirFaire": "S",
                    "codeSavoirFaire": "SM26",
                    "activities": activities,
                },
                practice or {},
            )
        ],
    }


def discovery(**changes: Any) -> bytes:
    """The wallet's document; `changes` replace members, None takes one out."""
    back = {
        "token_endpoint": _ISSUER + psc.TOKEN,
        "revocation_endpoint": _ISSUER + psc.REVOCATION,
        "introspection_endpoint": _ISSUER + psc.INTROSPECTION,
        "userinfo_endpoint": _ISSUER + psc.USERINFO,
    }
    methods = ["private_key_jwt", "client_secret_basic", "client_secret_post", "tls_client_auth"]
    found = {
        "issuer": _ISSUER,
        "authorization_endpoint": _WALLET + psc.WALLET_AUTHORIZATION,
        **back,
        "end_session_endpoint": _ISSUER + psc.END_SESSION,
        "jwks_uri": _ISSUER + psc.CERTS,
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "response_types_supported": ["code", "none", "id_token", "token"],
        "subject_types_supported": ["public", "pairwise"],
        "scopes_supported": ["openid", "rpps", "identity", "eidas1", "scope_all"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "tls_client_certificate_bound_access_tokens": True,
        "id_token_signing_alg_values_supported": ["PS256", "RS256", "ES256"],
        "mtls_endpoint_aliases": back,
    }
    return _document(_changed(found, changes))


def _userinfo() -> dict[str, Any]:
    return {
        "sub": f"f:1c2d3e4f-5a6b-4c7d-8e9f-0a1b2c3d4e5f:{_PERSON}",
        "SubjectNameID": _PERSON,
        "preferred_username": _PERSON,
        "given_name": "CAMILLE",
        "family_name": "EXEMPLE",
        "email_verified": False,
        "SubjectRole": [f"10^{PROFESSION_OID}"],
        "SubjectOrganization": "CABINET EXEMPLE",
        "SubjectOrganizationID": "R99001",
        "Secteur_Activite": f"SA07^{SECTOR_OID}",
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "FAUX",
        "UITVersion": "1.0",
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "authMode": "CARD",
        "otherIds": _other_ids(),
        "SubjectRefPro": profile(),
    }


def _activity(
    technical: str, name: str, structure: str, sector: str, finess: str = ""
) -> dict[str, Any]:
    return {
        "codeModeExercice": "S" if finess else "L",
        "codeSecteurDactivite": sector,
        "codeRole": "",
        "numeroSiretSite": "",
        "numeroSirenSite": "",
        "numeroFinessSite": finess,
        "numeroFinessetablissementJuridique": "",
        "identifiantTechniqueDeLaStructure": technical,
        "raisonSocialeSite": name,
        "ancienIdentifiantDeLaStructure": structure,
        "autoriteDenregistrement": "CNOM/CNOM/CNOM",
    }


def _other_ids() -> list[dict[str, Any]]:
    return [{"identifiant": _PERSON, "origine": "RPPS", "qualite": 1}]


def _changed(found: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def _document(found: Mapping[str, Any]) -> bytes:
    return json.dumps(found, ensure_ascii=False, indent=1).encode()
