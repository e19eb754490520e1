"""The wallet's discovery document: the doors a DRIMbox needs, and where they are.

It says what Keycloak can do, not what Pro Santé Connect grants: only a client's needs count here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from spec import psc
from spec.grade import Grade, Reference
from validators.examples import psc as example
from validators.finding import Severity
from validators.json_document import shown
from validators.psc import claims, registries
from validators.psc.claims import Findings
from validators.psc.reading import Answer
from validators.rule import Broken, RuleSet

__all__ = ["DISCOVERY"]

_DISCOVERY = Reference("OpenID Connect Discovery 1.0", "3", Grade.STANDARD)
_PLUGIN = Reference("keycloak-prosanteconnect (ANS)", "psc.properties", Grade.SAMPLE)
_POC = Reference("PSC-POC (ANS)", "exemple de configuration Apache", Grade.SAMPLE)
_RECORDED = Reference(
    "Démonstrateur DRIM-M et proxy e-santé (ANS)", "documents de découverte", Grade.DEMONSTRATOR
)
_TRUST_SPACE = Reference("FAQ industriels ANS", "Espace de Confiance, mTLS", Grade.FAQ)

DISCOVERY = RuleSet(
    "decouverte",
    good=example.discovery,
    syntax="DECOUV-000",
    unreadable=lambda: b"<html/>",
    reference=_DISCOVERY,
    requirements=("DB.CO.63",),
)
_REQUIRED = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
)
_PATHS = {
    "token_endpoint": psc.TOKEN,
    "introspection_endpoint": psc.INTROSPECTION,
    "userinfo_endpoint": psc.USERINFO,
    "end_session_endpoint": psc.END_SESSION,
    "jwks_uri": psc.CERTS,
    "revocation_endpoint": psc.REVOCATION,
}
_LISTS = tuple(name for name in _REQUIRED if name.endswith("_supported"))


def _addresses(answer: Answer) -> Iterator[tuple[str, Any]]:
    """Every address of the document and its path, mutual TLS aliases included."""
    for name, value in answer.members.items():
        if name.endswith("_endpoint") or name in ("issuer", "jwks_uri"):
            yield name, value
    aliases = answer.members.get("mtls_endpoint_aliases")
    for name, value in (aliases if isinstance(aliases, dict) else {}).items():
        yield f"mtls_endpoint_aliases.{name}", value


def _is_https(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme == "https" and bool(parts.hostname) and not parts.fragment
    except ValueError:
        return False


def _listed(answer: Answer, name: str) -> list[Any]:
    value = answer.members.get(name)
    return value if isinstance(value, list) else []


_DEFAULTS: dict[str, list[str]] = {
    "grant_types_supported": ["authorization_code", "implicit"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "code_challenge_methods_supported": [],
}
"""What a list that is left out stands for (RFC 8414 section 2); of the others nothing is known."""


def _offers(answer: Answer, name: str, *wanted: str) -> Findings:
    """One finding for each value that a list, written or by default, is without."""
    if name not in answer.members and name not in _DEFAULTS:
        return
    listed = answer.members.get(name, _DEFAULTS.get(name))
    for value in wanted:
        if not isinstance(listed, list) or value not in listed:
            yield Broken(
                message=f"{value} n'est pas annoncé.",
                expected=value,
                actual=shown(listed) if name in answer.members else f"absent, soit {shown(listed)}",
                where=name,
            )


@DISCOVERY.rule(
    "DECOUV-001",
    "Le document porte les membres obligatoires",
    reference=_DISCOVERY,
    bad=lambda: example.discovery(jwks_uri=None),
)
def required(answer: Answer) -> Findings:
    yield from claims.absent(answer.members, _REQUIRED)


@DISCOVERY.rule(
    "DECOUV-002",
    "Introspection, userinfo et fin de session sont annoncées",
    reference=_PLUGIN,
    bad=lambda: example.discovery(introspection_endpoint=None),
)
def services(answer: Answer) -> Findings:
    wanted = ("introspection_endpoint", "userinfo_endpoint", "end_session_endpoint")
    yield from claims.absent(answer.members, wanted)


@DISCOVERY.rule(
    "DECOUV-003",
    "Toutes les adresses sont en https, sans fragment",
    reference=_DISCOVERY,
    bad=lambda: example.discovery(token_endpoint="http://auth.psc.exemple.invalid/token"),
)
def addresses(answer: Answer) -> Findings:
    for name, value in _addresses(answer):
        if not _is_https(value):
            yield Broken(
                message="Ce n'est pas une adresse https.",
                expected="https://…",
                actual=shown(value),
                where=name,
            )


@DISCOVERY.rule(
    "DECOUV-004",
    "issuer est le royaume esante-wallet",
    reference=_PLUGIN,
    bad=lambda: example.discovery(issuer="https://auth.psc.exemple.invalid/auth/realms/master"),
)
def issuer(answer: Answer) -> Findings:
    if "issuer" in answer.members and not claims.is_realm(answer.members["issuer"]):
        yield Broken(
            message="Cet émetteur n'est pas le royaume de Pro Santé Connect.",
            expected=f"https://…{psc.REALM_PATH}",
            actual=shown(answer.members["issuer"]),
            where="issuer",
        )


@DISCOVERY.rule(
    "DECOUV-005",
    "Les services sont sous l'émetteur, aux chemins de Keycloak",
    reference=_PLUGIN,
    severity=Severity.WARNING,
    bad=lambda: example.discovery(jwks_uri="https://ailleurs.invalid/certs"),
)
def paths(answer: Answer) -> Findings:
    base = answer.members.get("issuer")
    for name, path in _PATHS.items():
        value = answer.members.get(name)
        if isinstance(base, str) and isinstance(value, str) and value != base + path:
            yield Broken(
                message="Ce service n'est pas où Pro Santé Connect le place.",
                expected=base + path,
                actual=shown(value),
                where=name,
            )


@DISCOVERY.rule(
    "DECOUV-006",
    "L'autorisation se demande au wallet, pas à Keycloak",
    reference=_PLUGIN,
    bad=lambda: example.discovery(
        authorization_endpoint="https://auth.psc.exemple.invalid"
        + psc.REALM_PATH
        + psc.AUTHORIZATION
    ),
)
def wallet(answer: Answer) -> Findings:
    value = answer.members.get("authorization_endpoint")
    if not isinstance(value, str):
        return
    try:
        path = urlsplit(value).path
    except ValueError:
        return
    if path != psc.WALLET_AUTHORIZATION:
        yield Broken(
            message="Ce document n'est pas celui du wallet : il mène à la porte de Keycloak.",
            expected=f"https://wallet…{psc.WALLET_AUTHORIZATION}",
            actual=shown(value),
            where="authorization_endpoint",
        )


@DISCOVERY.rule(
    "DECOUV-007",
    "Les listes sont des listes de textes",
    reference=_DISCOVERY,
    bad=lambda: example.discovery(response_types_supported="code"),
)
def lists(answer: Answer) -> Findings:
    for name, value in answer.members.items():
        if not name.endswith("_supported") or (isinstance(value, bool) and name not in _LISTS):
            continue
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            yield Broken(
                message="Une liste de textes est attendue.", actual=shown(value), where=name
            )


@DISCOVERY.rule(
    "DECOUV-008",
    "Le flux par code d'autorisation est offert, et le rafraîchissement",
    reference=_POC,
    bad=lambda: example.discovery(response_types_supported=["token"]),
)
def code_flow(answer: Answer) -> Findings:
    yield from _offers(answer, "response_types_supported", "code")
    yield from _offers(answer, "grant_types_supported", "authorization_code", "refresh_token")


@DISCOVERY.rule(
    "DECOUV-009",
    "PKCE est offert par S256",
    reference=_POC,
    severity=Severity.WARNING,
    bad=lambda: example.discovery(code_challenge_methods_supported=["plain"]),
)
def pkce(answer: Answer) -> Findings:
    yield from _offers(answer, "code_challenge_methods_supported", "S256")


@DISCOVERY.rule(
    "DECOUV-010",
    "Le client peut s'authentifier par son certificat",
    reference=_TRUST_SPACE,
    bad=lambda: example.discovery(token_endpoint_auth_methods_supported=["client_secret_post"]),
)
def mutual_tls(answer: Answer) -> Findings:
    for service in ("token", "introspection"):
        yield from _offers(answer, f"{service}_endpoint_auth_methods_supported", "tls_client_auth")


@DISCOVERY.rule(
    "DECOUV-011",
    "RS256 signe les jetons ID, et aucun n'est sans signature",
    reference=_DISCOVERY,
    bad=lambda: example.discovery(id_token_signing_alg_values_supported=["none"]),
)
def algorithms(answer: Answer) -> Findings:
    name = "id_token_signing_alg_values_supported"
    yield from _offers(answer, name, "RS256")
    if "none" in _listed(answer, name):
        yield Broken(
            message="Un jeton ID sans signature ne prouve rien.",
            actual=shown(_listed(answer, name)),
            where=name,
        )


@DISCOVERY.rule(
    "DECOUV-012",
    "Les portées demandées sont offertes : openid et scope_all",
    reference=_POC,
    severity=Severity.WARNING,
    bad=lambda: example.discovery(scopes_supported=["openid"]),
)
def scopes(answer: Answer) -> Findings:
    yield from _offers(answer, "scopes_supported", *psc.SCOPE.split(" "))


@DISCOVERY.rule(
    "DECOUV-013",
    "Les valeurs des listes sont de celles que l'IANA enregistre",
    reference=Reference("RFC 8414", "2", Grade.STANDARD),
    severity=Severity.WARNING,
    bad=lambda: example.discovery(subject_types_supported=["publik"]),
)
def registered(answer: Answer) -> Findings:
    # A warning: registries grow.
    for name in registries.LISTS:
        for value in _listed(answer, name):
            if isinstance(value, str) and not registries.is_registered(name, value):
                yield Broken(
                    message="Cette valeur n'est d'aucun registre.", actual=value[:80], where=name
                )


@DISCOVERY.rule(
    "DECOUV-014",
    "Les listes obligatoires ont au moins une valeur",
    reference=Reference("OpenID Connect Discovery 1.0", "4.2", Grade.STANDARD),
    bad=lambda: example.discovery(subject_types_supported=[]),
)
def filled(answer: Answer) -> Findings:
    for name in _LISTS:
        if answer.members.get(name) == []:
            yield Broken(message="Un membre sans valeur est à omettre.", actual="[]", where=name)


@DISCOVERY.rule(
    "DECOUV-015",
    "Les jetons d'accès sont liés au certificat du client",
    reference=_RECORDED,
    severity=Severity.WARNING,
    bad=lambda: example.discovery(tls_client_certificate_bound_access_tokens=False),
)
def bound_tokens(answer: Answer) -> Findings:
    name = "tls_client_certificate_bound_access_tokens"
    value = answer.members.get(name)
    if value is not True:
        yield Broken(
            message="Les documents connus de Pro Santé Connect annoncent des jetons liés.",
            expected="true",
            actual="absent" if value is None else shown(value),
            where=name,
        )


@DISCOVERY.rule(
    "DECOUV-021",
    "La réponse HTTP est un 200 en application/json",
    reference=Reference("OpenID Connect Discovery 1.0", "4.2", Grade.STANDARD),
    good=lambda: example.http(example.discovery()),
    bad=lambda: example.http(example.discovery(), status="302 Found"),
)
def http(answer: Answer) -> Findings:
    yield from claims.http(answer)
