"""Demands that tokens, introspection answers and userinfo share: dates, issuer, person, session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from spec import psc
from spec.grade import Grade, Reference
from spec.psc_messages import AUTH_MODES
from validators.json_document import shown
from validators.psc.reading import Answer
from validators.rule import Broken

__all__ = [
    "INTROSPECTION_PAGE",
    "Findings",
    "absent",
    "auth_mode",
    "http",
    "instant",
    "instants",
    "is_realm",
    "issuer",
    "order",
    "other_ids",
    "person",
    "rfc",
    "scope",
    "session",
    "texts",
]

Findings = Iterator[Broken]

INTROSPECTION_PAGE = Reference("Documentation Pro Santé Connect", "L'introspection", Grade.SAMPLE)

_LAST_INSTANT = 10**11
"""Seconds since 1970: in the year 5138. What is beyond is no date."""

_SUBJECT = re.compile(r"f:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:(?P<id>\S+)")


def rfc(number: int, section: str) -> Reference:
    """A clause of an RFC."""
    return Reference(f"RFC {number}", section, Grade.STANDARD)


def instant(members: Mapping[str, Any], name: str) -> int | None:
    """A NumericDate written as an integer, None otherwise (`True` is not one)."""
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if abs(value) < _LAST_INSTANT else None


def absent(members: Mapping[str, Any], names: Iterable[str]) -> Findings:
    """One finding for each member that is not there."""
    for name in names:
        if name not in members:
            yield Broken(message=f"Le membre {name} manque.", expected=name, where=name)


def texts(members: Mapping[str, Any], names: Iterable[str], *, empty: bool = False) -> Findings:
    """One finding for each member that is there and is no text, or an empty one."""
    for name in names:
        value = members.get(name, "-")
        if not isinstance(value, str) or not (value or empty):
            yield Broken(
                message=f"{name} doit être un texte{'' if empty else ' non vide'}.",
                actual=shown(value),
                where=name,
            )


def instants(members: Mapping[str, Any], names: Iterable[str]) -> Findings:
    """Dates are whole numbers of seconds since 1970, and positive."""
    for name in names:
        value = instant(members, name)
        if name in members and (value is None or value < 0):
            yield Broken(
                message=f"{name} doit être un nombre entier de secondes depuis 1970.",
                actual=shown(members[name]),
                where=name,
            )


def order(members: Mapping[str, Any]) -> Findings:
    """Authenticated, then issued, then expired."""
    for first, second, strict in (("iat", "exp", True), ("auth_time", "iat", False)):
        begin, end = instant(members, first), instant(members, second)
        if begin is None or end is None:
            continue
        if begin > end or (strict and begin == end):
            yield Broken(
                message=f"{first} doit précéder {second}.",
                expected=f"{first} {'<' if strict else '<='} {second}",
                actual=f"{first} = {begin}, {second} = {end}",
                where=second,
            )


def is_realm(value: object) -> bool:
    """Whether an issuer is an https address of the realm `esante-wallet`."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    plain = not parts.query and not parts.fragment
    return parts.scheme == "https" and bool(host) and plain and parts.path == psc.REALM_PATH


def issuer(members: Mapping[str, Any]) -> Findings:
    """`iss` is the realm's address."""
    value = members.get("iss")
    if not is_realm(value):
        yield Broken(
            message="iss n'est pas l'adresse du royaume de Pro Santé Connect.",
            expected=f"https://…{psc.REALM_PATH}",
            actual=shown(value),
            where="iss",
        )


def person(members: Mapping[str, Any], names: Iterable[str]) -> Findings:
    """`sub` is Keycloak's federated id, and ends with what the other members `names` hold."""
    value = members.get("sub")
    match = _SUBJECT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        yield Broken(
            message="sub n'a pas la forme des identifiants fédérés de Pro Santé Connect.",
            expected="f:<uuid>:<identifiant national>",
            actual=shown(value),
            where="sub",
        )
        return
    for name in names:
        if name in members and members[name] != match["id"]:
            yield Broken(
                message=f"{name} et sub ne désignent pas la même personne.",
                expected=match["id"],
                actual=shown(members[name]),
                where=name,
            )


def session(members: Mapping[str, Any]) -> Findings:
    """`sid` and `session_state`, when both are there, name the same session."""
    first, second = members.get("session_state"), members.get("sid")
    if second is not None and first is not None and first != second:
        yield Broken(
            message="sid et session_state ne désignent pas la même session.",
            expected=shown(first),
            actual=shown(second),
            where="sid",
        )


def scope(members: Mapping[str, Any]) -> Findings:
    """`scope` holds what a DRIMbox asked for: `openid` and `scope_all`."""
    value = members.get("scope")
    granted = value.split(" ") if isinstance(value, str) else []
    for wanted in psc.SCOPE.split(" "):
        if wanted not in granted:
            yield Broken(
                message=f"La portée {wanted} n'a pas été accordée.",
                expected=psc.SCOPE,
                actual=shown(value),
                where="scope",
            )


def auth_mode(members: Mapping[str, Any]) -> Findings:
    """`authMode`, when it is there, is a known means."""
    value = members.get("authMode", AUTH_MODES[0])
    if value not in AUTH_MODES:
        yield Broken(
            message="Ce moyen d'authentification est inconnu.",
            expected=" | ".join(AUTH_MODES),
            actual=shown(value),
            where="authMode",
        )


def other_ids(members: Mapping[str, Any]) -> Findings:
    """`otherIds`, when it is there, is a list of identifiers with origin and quality."""
    if "otherIds" not in members:
        return
    value = members["otherIds"]
    if not isinstance(value, list) or not value:
        yield Broken(
            message="otherIds doit être une liste non vide.", actual=shown(value), where="otherIds"
        )
        return
    for rank, each in enumerate(value[:50], start=1):
        good = (
            isinstance(each, dict)
            and all(isinstance(each.get(name), str) for name in ("identifiant", "origine"))
            and isinstance(each.get("qualite"), int)
            and not isinstance(each.get("qualite"), bool)
        )
        if not good:
            yield Broken(
                message="Cet identifiant n'a pas identifiant, origine et qualite (un entier).",
                actual=shown(each),
                where=f"otherIds[{rank}]",
            )


def http(answer: Answer) -> Findings:
    """A body that came with its HTTP message came as a 200 of its media type."""
    if answer.status is None:
        return
    if answer.status != 200:
        yield Broken(
            message="Ce statut n'annonce pas une réponse.",
            expected="200",
            actual=str(answer.status),
            where="ligne de statut",
        )
    wanted = "application/jwt" if answer.signed else "application/json"
    if answer.content_type != wanted:
        yield Broken(
            message="Le type de contenu n'est pas celui du corps.",
            expected=wanted,
            actual=answer.content_type or "absent",
            where="Content-Type",
        )
