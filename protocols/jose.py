"""JSON Web Tokens: signed, verified and read, on joserfc, with nothing left to the token to decide.

The caller names the algorithms it accepts and the time it is; a token's header only chooses among
the keys given. Header members that would bring a key along (`jku`, `jwk`, `x5u`, `x5c`) are never
followed. Réf. RFC 7515 (JWS), RFC 7517 (JWK), RFC 7519 (JWT), RFC 8725 (best practices).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey

from protocols.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "MAX_TOKEN_SIZE",
    "Algorithm",
    "KeySet",
    "SigningKey",
    "Token",
    "TokenError",
    "TokenErrorKind",
    "at_hash",
    "check_claims",
    "parse_jwks",
    "peek",
    "read",
    "s256",
    "sign",
    "verify",
]

Algorithm = Literal["RS256", "HS256"]

TokenErrorKind = Literal[
    "malformed",  # not a compact JWS with JSON objects in it
    "algorithm",  # not one of those accepted
    "key",  # no key of that kid, or a key set that cannot be read
    "signature",
    "expired",
    "not-yet-valid",
    "claims",  # issuer, audience or nonce missing or different
]

_RS256: tuple[Algorithm, ...] = ("RS256",)

MAX_TOKEN_SIZE = 64 * 1024
"""Characters: forty times the longest token of the field."""


class TokenError(RemoteProtocolError):
    """A token, or a key set, that cannot be accepted; `kind` says why."""

    def __init__(self, kind: TokenErrorKind, message: str, *, where: str = "") -> None:
        super().__init__(message, where=where)
        self.kind = kind


@dataclass(frozen=True)
class SigningKey:
    """A private key and its id. RSA signs RS256; bytes sign HS256, for its owner's eyes only."""

    kid: str
    key: rsa.RSAPrivateKey | bytes = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """What this key signs with."""
        return "HS256" if isinstance(self.key, bytes) else "RS256"

    @cached_property
    def _jwk(self) -> Any:
        if isinstance(self.key, bytes):
            return OctKey.import_key(self.key, {"kid": self.kid, "use": "sig"})
        return RSAKey(self.key, self.key, {"kid": self.kid, "use": "sig"})

    @cached_property
    def keys(self) -> KeySet:
        """The set with which this key's tokens are verified."""
        if isinstance(self.key, bytes):
            return KeySet({self.kid: (self.algorithm, self._jwk)})
        public = self.key.public_key()
        return KeySet({self.kid: ("RS256", RSAKey(public, public, {"kid": self.kid}))})

    @cached_property
    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK.

        Raises:
            LocalProtocolError: a shared secret is never published.
        """
        if isinstance(self.key, bytes):
            raise LocalProtocolError("a shared secret has no public part")
        numbers = self.key.public_key().public_numbers()
        return {
            "kid": self.kid,
            "kty": "RSA",
            "alg": self.algorithm,
            "use": "sig",
            "n": _unsigned(numbers.n),
            "e": _unsigned(numbers.e),
        }


@dataclass(frozen=True)
class KeySet:
    """Verification keys by kid, each with the one algorithm it serves."""

    by_kid: Mapping[str, tuple[Algorithm, Any]]


@dataclass(frozen=True, slots=True)
class Token:
    """The two readable parts of a JWS."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def sign(claims: Mapping[str, Any], key: SigningKey, *, typ: str = "JWT") -> str:
    """A compact JWS of `claims`, header `alg`, `typ`, `kid`.

    Raises:
        LocalProtocolError: the claims are not JSON.
    """
    header = {"alg": key.algorithm, "typ": typ, "kid": key.kid}
    try:
        payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"claims are not JSON: {error}") from error
    return str(jws.serialize_compact(header, payload, key._jwk, algorithms=[key.algorithm]))


def read(token: str) -> Token:
    """Header and claims without any verification: for display, or to look a key up.

    Raises:
        TokenError: kind `malformed`.
    """
    if len(token) > MAX_TOKEN_SIZE:
        raise TokenError("malformed", f"jeton de plus de {MAX_TOKEN_SIZE} caractères")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("malformed", "un JWS compact a trois parties")
    return Token(_object(parts[0], "header"), _object(parts[1], "payload"))


def peek(token: str) -> Mapping[str, Any]:
    """The claims of `read`: what an unverified token says of itself.

    Raises:
        TokenError: kind `malformed`.
    """
    return read(token).claims


def verify(token: str, keys: KeySet, *, algorithms: Collection[Algorithm] = _RS256) -> Token:
    """Header and claims of a token whose signature holds; claims are not judged here.

    Raises:
        TokenError: kinds `malformed`, `algorithm`, `key`, `signature`.
    """
    parsed = read(token)
    algorithm = parsed.header.get("alg")
    if algorithm not in algorithms:
        raise TokenError("algorithm", f"algorithme {algorithm!r} refusé", where="alg")
    if "crit" in parsed.header:
        # RFC 7515 4.1.11: an extension that we do not understand must be refused.
        raise TokenError("malformed", "extension critique inconnue", where="crit")
    kid = parsed.header.get("kid")
    if kid is None and len(keys.by_kid) == 1:
        kid = next(iter(keys.by_kid))
    served, jwk = keys.by_kid.get(kid, (None, None)) if isinstance(kid, str) else (None, None)
    if served is None:
        raise TokenError("key", f"aucune clé {kid!r}", where="kid")
    if served != algorithm:
        raise TokenError("algorithm", f"la clé {kid!r} ne sert pas {algorithm}", where="alg")
    try:
        jws.deserialize_compact(token, jwk, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError("signature", f"signature invalide : {type(error).__name__}") from None
    return parsed


def check_claims(
    claims: Mapping[str, Any],
    *,
    now: float,
    issuer: str | None = None,
    audience: str | None = None,
    nonce: str | None = None,
    leeway: float = 0.0,
) -> None:
    """Judge time, issuer, audience and nonce; what is None is not looked at. Seconds since 1970.

    Raises:
        TokenError: kinds `expired` (`exp` is mandatory), `not-yet-valid`, `claims`.
    """
    if _seconds(claims, "exp", mandatory=True) <= now - leeway:
        raise TokenError("expired", "jeton expiré", where="exp")
    for name in ("nbf", "iat"):
        if _seconds(claims, name) > now + leeway:
            raise TokenError("not-yet-valid", f"{name} est dans le futur", where=name)
    if issuer is not None and claims.get("iss") != issuer:
        raise TokenError("claims", f"émetteur {claims.get('iss')!r}", where="iss")
    if audience is not None:
        named = claims.get("aud")
        if audience not in (named if isinstance(named, list) else [named]):
            raise TokenError("claims", f"audience {named!r}", where="aud")
    if nonce is not None and claims.get("nonce") != nonce:
        raise TokenError("claims", "nonce différent de celui envoyé", where="nonce")


def parse_jwks(data: bytes) -> KeySet:
    """The RSA signature keys of a JWK Set; keys of other kinds are left out (RFC 7517 section 5).

    Raises:
        TokenError: kind `key`: not a key set, a key without kid, or two of the same kid.
    """
    try:
        keys = json.loads(data)["keys"]
        found: dict[str, tuple[Algorithm, Any]] = {}
        for jwk in keys:
            if jwk.get("kty") != "RSA" or jwk.get("use", "sig") != "sig":
                continue
            if jwk.get("alg", "RS256") != "RS256":
                continue
            kid = jwk["kid"]
            if not isinstance(kid, str) or kid in found:
                raise TokenError("key", f"kid {kid!r} absent ou en double", where="keys")
            public = {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": kid}
            key = RSAKey.import_key(public)
            if key.public_key.key_size < 2048:
                raise TokenError("key", f"clé {kid!r} de moins de 2048 bits", where="keys")
            found[kid] = ("RS256", key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise TokenError("key", f"JWKS illisible : {type(error).__name__}") from None
    return KeySet(found)


def s256(verifier: str) -> str:
    """The PKCE challenge of a verifier, method S256 (RFC 7636 section 4.2)."""
    return _encode(hashlib.sha256(verifier.encode("ascii")).digest())


def at_hash(access_token: str) -> str:
    """The `at_hash` of an RS256 or HS256 ID token (OpenID Connect Core 3.1.3.6)."""
    return _encode(hashlib.sha256(access_token.encode("ascii")).digest()[:16])


def _seconds(claims: Mapping[str, Any], name: str, *, mandatory: bool = False) -> float:
    value = claims.get(name)
    if value is None and not mandatory:
        return float("-inf")
    # bool is an int, and NaN compares false with everything.
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise TokenError("claims", f"{name} n'est pas un nombre", where=name)
    return value


def _object(part: str, where: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenError("malformed", f"{where} illisible : {error}", where=where) from None
    if not isinstance(value, dict):
        raise TokenError("malformed", f"{where} n'est pas un objet JSON", where=where)
    return value


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            # RFC 7519 section 4: names are unique; two readers would not see the same token.
            raise ValueError(f"membre {name!r} en double")
        result[name] = value
    return result


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unsigned(number: int) -> str:
    return _encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
