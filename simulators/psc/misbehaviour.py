"""What a fault makes of an answer of Pro Santé Connect: instead of it, or out of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from protocols.jose import SigningKey, at_hash, read, sign
from simulators.psc.faults import (
    Acknowledged,
    Active,
    Body,
    Given,
    Identity,
    Keys,
    Leads,
    Person,
    Said,
    Who,
)
from simulators.psc.forging import (
    ELSEWHERE,
    answered,
    described,
    identity_token,
    unknown_key,
    unsigned,
)
from simulators.psc.oauth import NO_STORE
from simulators.psc.realm import Realm
from wire.faults import Struck
from wire.http_faults import refusal, turned_away

__all__ = ["alter", "instead"]

_MIB = 1024 * 1024
_DEPTH = 10_000
_AN_HOUR = 3600
_DATES = ("exp", "iat", "nbf", "auth_time")


def instead(struck: Struck, elsewhere: str) -> ASGIApp | None:
    """What answers without the request being looked at; None when it is, and its answer altered.

    `elsewhere` is the host that a redirection to another one names.
    """
    match struck.kind:
        case "http":
            return refusal(struck)
        case "redirection":
            return turned_away(struck, elsewhere)
        case _:
            return None


def alter(struck: Struck, answer: Response, realm: Realm) -> Response:
    """What the fault makes of a right answer; any other passes unaltered."""
    if answer.status_code != 200:
        return answer
    data = bytes(answer.body)
    match struck.kind:
        case "corps":
            page = struck.text("quoi") == Body.PAGE
            body = _BODIES[Body(struck.text("quoi"))](data)
            return Response(
                body, media_type="text/html" if page else "application/json", headers=NO_STORE
            )
        case "enorme":
            return _streamed(_huge(data, struck.number("mio")))
        case "bombe":
            return _streamed(_squeezed(_huge(data, struck.number("mio"))), gzip=True)
        case "sans-fin":
            return _streamed(_endless(data, struck))
        case "jwt":
            return _as_jwt(json.loads(data), struck, realm)
        case _:
            change = _CHANGES.get(struck.kind)
            if change is None:
                return answer
            return Response(
                change(json.loads(data), struck, realm),
                media_type="application/json",
                headers=NO_STORE,
            )


# Bodies ----------------------------------------------------------------------------------------

_BODIES: Mapping[Body, Callable[[bytes], bytes]] = {
    Body.PAGE: lambda _: b"<!doctype html><title>Maintenance</title><p>Revenez demain.",
    Body.EMPTY: lambda _: b"",
    Body.HALF: lambda data: data[: len(data) // 2],
    Body.LIST: lambda data: b"[" + data + b"]",
    Body.MARKED: lambda data: b"\xef\xbb\xbf" + data,
    Body.DEEP: lambda data: data.rstrip()[:-1] + b',"kit":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}",
}


def _streamed(body: AsyncIterator[bytes], *, gzip: bool = False) -> Response:
    encoding = {"Content-Encoding": "gzip"} if gzip else {}
    return StreamingResponse(body, media_type="application/json", headers=NO_STORE | encoding)


async def _huge(data: bytes, mib: int) -> AsyncIterator[bytes]:
    yield data.rstrip()[:-1] + b',"kit":"'
    filling = b"x" * _MIB
    for _ in range(mib):
        yield filling
    yield b'"}'


async def _squeezed(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    async for chunk in body:
        if squeezed := squeeze.compress(chunk):
            yield squeezed
    yield squeeze.flush()


async def _endless(data: bytes, struck: Struck) -> AsyncIterator[bytes]:
    """All but the end, then spaces until the client leaves or the fault is removed."""
    yield data.rstrip()[:-1]
    while not await struck.release.pause(struck.seconds("secondes")):
        yield b" "
    yield b"}"


# Objects ---------------------------------------------------------------------------------------


def _inactive(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    return _json({"active": False})


def _active(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    """Only of a token that is active: the lie is in the type."""
    if not answer.pop("active"):
        return _json({"active": False})
    lie = Active(struck.text("vaut"))
    if lie is Active.ABSENT:
        return _json(answer)
    if lie is Active.TWICE:
        return b'{"active":false,' + _json({**answer, "active": True})[1:]
    return _json({**answer, "active": _LIES[lie]})


_LIES: Mapping[Active, Any] = {
    Active.TEXT_TRUE: "true",
    Active.TEXT_FALSE: "false",
    Active.ONE: 1,
    Active.ZERO: 0,
    Active.NULL: None,
    Active.LIST: [],
}


def _said(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    said = Said(struck.text("quoi"))
    if answer.get("active") is not True:
        return _json(answer)
    if said is Said.EXPIRY_ENDLESS:  # JSON knows the number, `json` would write Infinity
        return _json({**answer, "exp": "\0"}).replace(b'"\\u0000"', b"1e400")
    _SAID[said](answer, realm)
    return _json(answer)


def _put(**members: Any) -> Callable[[dict[str, Any], Realm], None]:
    return lambda answer, realm: answer.update(members)


def _later(name: str, seconds: int) -> Callable[[dict[str, Any], Realm], None]:
    return lambda answer, realm: answer.update({name: realm.now() + seconds})


def _drop(*names: str) -> Callable[[dict[str, Any], Realm], None]:
    def drop(answer: dict[str, Any], realm: Realm) -> None:
        for name in names:
            answer.pop(name, None)

    return drop


def _somebody_else(answer: dict[str, Any], realm: Realm) -> None:
    other = _other_than(answer, realm)
    answer.update(
        sub=realm.sub(other),
        preferred_username=other.id,
        username=other.id,
        SubjectNameID=other.id,
        otherIds=other.other_ids,
    )


_SAID: Mapping[Said, Callable[[dict[str, Any], Realm], None]] = {
    Said.EXPIRED: _later("exp", -_AN_HOUR),
    Said.EXPIRY_TEXT: lambda answer, realm: answer.update(exp=str(answer["exp"])),
    Said.NO_EXPIRY: _drop("exp"),
    Said.NOT_BEFORE: _later("nbf", _AN_HOUR),
    Said.ISSUED_LATER: _later("iat", _AN_HOUR),
    Said.ISSUER: _put(iss=ELSEWHERE),
    Said.REFRESH: _put(typ="Refresh"),
    Said.IDENTITY: _put(typ="ID"),
    Said.NO_TYPE: _drop("typ"),
    Said.OTHER_PERSON: _somebody_else,
    Said.OTHER_CLIENT: _put(azp="kit-autre-service", client_id="kit-autre-service"),
    Said.NO_ACR: _drop("acr"),
    Said.NO_OPENID: _put(scope="profile"),
    Said.NO_NAME: _drop("SubjectNameID", "preferred_username", "username", "otherIds"),
}


def _other_than(answer: Mapping[str, Any], realm: Realm) -> Any:
    return next(one for one in realm.professionals.values() if realm.sub(one) != answer.get("sub"))


def _sub(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    if struck.text("qui") == Who.NOBODY:
        answer.pop("sub", None)
    else:
        answer["sub"] = realm.sub(_other_than(answer, realm))
    return _json(answer)


def _person(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    return _json(described(answer, Person(struck.text("quoi"))))


def _as_jwt(claims: dict[str, Any], struck: Struck, realm: Realm) -> Response:
    """OpenID Connect Core 5.3.2: a signed answer has iss and aud, and its own media type."""
    claims["iss"] = realm.issuer
    if struck.text("signe") == "aucune":
        token = unsigned(claims)
    else:
        token = sign(claims, SigningKey(realm.key.kid, unknown_key()))
    return Response(token, media_type="application/jwt", headers=NO_STORE)


def _identity(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    lie = Identity(struck.text("quoi"))
    return _json({**answer, "id_token": identity_token(answer["id_token"], lie, realm)})


def _given(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    return _json(answered(answer, Given(struck.text("quoi"))))


_LOST = {
    Acknowledged.NO_ID: "auth_req_id",
    Acknowledged.NO_EXPIRY: "expires_in",
    Acknowledged.NO_INTERVAL: "interval",
}
_INTERVALS = {Acknowledged.ZERO: 0, Acknowledged.NEGATIVE: -5, Acknowledged.HUGE: 86_400}


def _acknowledged(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    odd = Acknowledged(struck.text("quoi"))
    if odd in _INTERVALS:
        return _json({**answer, "interval": _INTERVALS[odd]})
    return _json({name: value for name, value in answer.items() if name != _LOST[odd]})


def _clock(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    """The dates of an introspection, or of the tokens that are given, signed again."""
    off = struck.number("secondes")
    if "access_token" not in answer:
        return _json(_shifted(answer, off))
    access = realm.sign(_shifted(read(answer["access_token"]).claims, off))
    identity = _shifted(read(answer["id_token"]).claims, off)
    identity["at_hash"] = at_hash(access)
    refresh = realm.sign(_shifted(read(answer["refresh_token"]).claims, off))
    tokens = {"access_token": access, "id_token": realm.sign(identity), "refresh_token": refresh}
    return _json(answer | tokens)


def _shifted(claims: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    return {
        name: value + seconds if name in _DATES and isinstance(value, int) else value
        for name, value in claims.items()
    }


def _issuer(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    return _json({**answer, "issuer": ELSEWHERE})


def _led(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    if struck.text("quoi") == Leads.KEYS:
        return _json({**answer, "jwks_uri": f"{ELSEWHERE}/certs"})
    clear = {
        name: value.replace("https://", "http://", 1)
        for name, value in answer.items()
        if isinstance(value, str) and (name.endswith("_endpoint") or name == "jwks_uri")
    }
    return _json(answer | clear)


def _keys(answer: dict[str, Any], struck: Struck, realm: Realm) -> bytes:
    (right,) = answer["keys"]
    secret = {"kty": "oct", "kid": right["kid"], "alg": "HS256", "k": "a2l0LXNlY3JldA"}
    other = SigningKey("kit-autre-cle", unknown_key()).public_jwk
    published: Mapping[Keys, list[dict[str, Any]]] = {
        Keys.ROTATED: [dict(other)],
        Keys.SAME_KID: [{**other, "kid": right["kid"]}],
        Keys.NO_KID: [_unnamed(other), _unnamed(right)],
        Keys.SYMMETRIC: [secret],
        Keys.NONE: [],
    }
    return _json({"keys": published[Keys(struck.text("publie"))]})


def _unnamed(key: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name != "kid"}


_CHANGES: Mapping[str, Callable[[dict[str, Any], Struck, Realm], bytes]] = {
    "inactif": _inactive,
    "active": _active,
    "mention": _said,
    "sub": _sub,
    "personne": _person,
    "horloge": _clock,
    "jeton-id": _identity,
    "reponse": _given,
    "accuse-ciba": _acknowledged,
    "emetteur": _issuer,
    "adresses": _led,
    "cles": _keys,
}
"""What each fault of an object makes of it."""


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
