"""What Pro Santé Connect, or who plays it, makes of the tokens and addresses of one login.

Réf.: OpenID Connect Core 1.0 3.1.3.7, RFC 9207, RFC 6749 5.1, OpenID Connect Back-Channel Logout
1.0 2.4, grade: standard: each lie is against one sentence of them.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols.jose import SigningKey, read, sign
from simulators.psc.faults import Forged, Given, Identity, Person, Returned
from simulators.psc.realm import Realm

__all__ = [
    "ELSEWHERE",
    "HOSTILE",
    "answered",
    "described",
    "identity_token",
    "logout_token",
    "returned",
    "unknown_key",
    "unsigned",
]

ELSEWHERE = "https://auth.autre.drimbench.test/auth/realms/esante-wallet"
HOSTILE = "<script>kit()</script>"
"""What a page that shows it must escape."""
_AN_HOUR = 3600
_OTHER = "kit-autre-service"


@cache
def unknown_key() -> rsa.RSAPrivateKey:
    """A key that PSC does not publish; it protects nothing, so that it may be made once."""
    return rsa.generate_private_key(65537, 2048)


def unsigned(claims: Mapping[str, Any], typ: str = "JWT") -> str:
    """A JWT of algorithm `none`."""
    return ".".join((_part({"alg": "none", "typ": typ}), _part(claims), ""))


def _part(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _symmetric(claims: Mapping[str, Any], realm: Realm) -> str:
    """HS256 by the public key in PEM, which a library that signs refuses to take for a secret."""
    header = {"alg": "HS256", "typ": "JWT", "kid": realm.key.kid}
    signed = f"{_part(header)}.{_part(claims)}"
    return f"{signed}.{_text(hmac.digest(_public(realm), signed.encode(), 'sha256'))}"


def _by(realm: Realm, key: rsa.RSAPrivateKey) -> SigningKey:
    """That key under the kid in force."""
    return SigningKey(realm.key.kid, key)


def _public(realm: Realm) -> bytes:
    key = realm.key.key
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# The ID token ----------------------------------------------------------------------------------


def identity_token(token: str, lie: Identity, realm: Realm) -> str:
    """The right ID token, wrong in that one thing."""
    claims = dict(read(token).claims)
    match lie:
        case Identity.UNSIGNED:
            return unsigned(claims)
        case Identity.SIGNATURE:
            return sign(claims, _by(realm, unknown_key()))
        case Identity.SYMMETRIC:
            return _symmetric(claims, realm)
        case _:
            _IDENTITIES[lie](claims, realm)
            return sign(claims, realm.key)


def _put(**members: Any) -> Callable[[dict[str, Any], Realm], None]:
    return lambda claims, realm: claims.update(members)


def _drop(name: str) -> Callable[[dict[str, Any], Realm], None]:
    return lambda claims, realm: claims.pop(name, None)


def _later(name: str, seconds: int) -> Callable[[dict[str, Any], Realm], None]:
    return lambda claims, realm: claims.update({name: realm.now() + seconds})


_IDENTITIES: Mapping[Identity, Callable[[dict[str, Any], Realm], None]] = {
    Identity.ISSUER: _put(iss=ELSEWHERE),
    Identity.AUDIENCE: _put(aud=_OTHER, azp=_OTHER),
    Identity.PARTY: lambda claims, realm: claims.update(aud=[claims["aud"], _OTHER], azp=_OTHER),
    Identity.NO_SUBJECT: _drop("sub"),
    Identity.EXPIRED: _later("exp", -_AN_HOUR),
    Identity.NO_EXPIRY: _drop("exp"),
    Identity.ISSUED_LATER: _later("iat", _AN_HOUR),
    Identity.NONCE: _put(nonce="kit-autre-nonce"),
    Identity.NO_NONCE: _drop("nonce"),
    Identity.HASH: _put(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


# Userinfo --------------------------------------------------------------------------------------

_NAMES = ("given_name", "family_name", "SubjectOrganization")
_EXERCISE_NAMES = ("nomDexercice", "prenomDexercice")
_FIFTY = 50
_HOSTILE_NAMES: Mapping[Person, str] = {
    Person.MARKUP: HOSTILE,
    Person.REVERSED: "KIT\u202eEUGOLOIDAR\u2066\u200f",
    Person.LINES: "KIT\r\nKIT-LIGNE UserAuthentication 0\u2028KIT",
    Person.LONG: "KIT" * 3400,
}


def described(claims: dict[str, Any], odd: Person) -> dict[str, Any]:
    """Userinfo of the right person, odd in that one thing; who they are does not change."""
    exercises: list[dict[str, Any]] = claims["SubjectRefPro"]["exercices"]
    match odd:
        case Person.NO_ACTIVITY:
            for one in exercises:
                one["activities"] = []
        case Person.ONE:
            del exercises[1:]
            del exercises[0]["activities"][1:]
        case Person.FIFTY:
            first = exercises[0]["activities"][0]
            exercises[0]["activities"] = [first, *(_another(first, n) for n in range(1, _FIFTY))]
        case Person.EMPTY:
            kept = {name: claims[name] for name in ("sub", "SubjectNameID", "preferred_username")}
            return {**_emptied(claims), **kept}
        case Person.NO_REFERENCE:
            del claims["SubjectRefPro"]
        case _:
            _rename(claims, _NAMES, _HOSTILE_NAMES[odd])
            for one in exercises:
                _rename(one, _EXERCISE_NAMES, _HOSTILE_NAMES[odd])
                for activity in one["activities"]:
                    _rename(activity, ("raisonSocialeSite",), _HOSTILE_NAMES[odd])
    return claims


def _another(activity: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {
        **activity,
        "ancienIdentifiantDeLaStructure": f"10B99{number:05d}",
        "identifiantTechniqueDeLaStructure": f"F0B99{number:05d}",
        "raisonSocialeSite": f"KIT SITE {number}",
    }


def _emptied(value: Any) -> Any:
    """The same object, every text of which is empty."""
    if isinstance(value, dict):
        return {name: _emptied(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_emptied(one) for one in value]
    return "" if isinstance(value, str) else value


def _rename(where: dict[str, Any], names: Iterable[str], value: str) -> None:
    where.update(dict.fromkeys(names, value))


# The token endpoint ----------------------------------------------------------------------------


def answered(answer: dict[str, Any], lie: Given) -> dict[str, Any]:
    """The answer of the token endpoint, odd in that one thing."""
    match lie:
        case Given.NO_EXPIRY:
            answer.pop("expires_in", None)
        case Given.NEGATIVE:
            answer["expires_in"] = -1
        case Given.TEXT:
            answer["expires_in"] = "bientôt"
        case Given.CAPITALS:
            answer["token_type"] = "BEARER"
        case Given.UNKNOWN:
            answer["token_type"] = "kit"
        case Given.NO_REFRESH:
            answer.pop("refresh_token", None)
    return answer


# The way back to the service -------------------------------------------------------------------


def returned(parameters: dict[str, str], lie: Returned, *, other: str) -> dict[str, str]:
    """The parameters of a right authorization response, wrong in that one thing.

    `other` is the state that another browser, sent away by the same service, waits with.
    """
    match lie:
        case Returned.NO_STATE | Returned.NO_ISSUER | Returned.NO_CODE:
            parameters.pop(_LOST[lie], None)
        case Returned.ERROR:
            parameters.pop("code", None)
            parameters |= {"error": "access_denied", "error_description": HOSTILE}
        case Returned.OTHER_BROWSER:
            parameters["state"] = other
        case Returned.NEW_LINE:
            parameters["code"] += "\r\nX-Kit: 1"
        case _:
            name, value = _REPLACED[lie]
            parameters[name] = value
    return parameters


_LOST = {
    Returned.NO_STATE: "state",
    Returned.NO_ISSUER: "iss",
    Returned.NO_CODE: "code",
}
_REPLACED = {
    Returned.STATE: ("state", "kit-autre-state"),
    Returned.ISSUER: ("iss", ELSEWHERE),
    Returned.CODE: ("code", "kit-code-inconnu"),
}


# The end of a session --------------------------------------------------------------------------


def logout_token(token: str, lie: Forged, realm: Realm, other: str) -> str:
    """The right logout token, wrong in that one thing; `other` is another `sub`."""
    claims = dict(read(token).claims)
    typ = "logout+jwt"
    match lie:
        case Forged.UNSIGNED:
            return unsigned(claims, typ)
        case Forged.SIGNATURE:
            return sign(claims, _by(realm, unknown_key()), typ=typ)
        case Forged.ISSUER:
            claims["iss"] = ELSEWHERE
        case Forged.AUDIENCE:
            claims["aud"] = _OTHER
        case Forged.NONCE:
            claims["nonce"] = "kit"
        case Forged.NO_EVENTS:
            claims.pop("events")
        case Forged.OTHER_EVENT:
            claims["events"] = {"https://drimbench.test/autre": {}}
        case Forged.NOBODY:
            del claims["sid"], claims["sub"]
        case Forged.OTHER_SESSION:
            claims |= {"sid": realm.new_id(), "sub": other}
    return sign(claims, realm.key, typ=typ)
