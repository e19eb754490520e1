"""The exchange of a PSC token for that of a target's API: what is answered (RFC 8693 2.2)."""

from __future__ import annotations

from collections.abc import Mapping

from spec import api_psc
from spec.api_psc import CI_SIS
from validators.examples import oauth as example
from validators.finding import Severity
from validators.json_document import shown
from validators.oauth.common import Findings
from validators.oauth.exchange import is_thumbprint
from validators.oauth.reading import TokenAnswer, claims_of
from validators.psc.claims import is_realm, rfc
from validators.rule import Broken, RuleSet

__all__ = ["EXCHANGE_ANSWER"]

EXCHANGE_ANSWER = RuleSet(
    "echange-jeton-response",
    good=example.exchanged,
    syntax="ECHR-000",
    unreadable=lambda: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[]",
    reference=rfc(8693, "2.2.1"),
    requirements=("KIT-API-PSC",),
)
_LONGEST_S = 4 * 3600
_ERRORS = (
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
    "unsupported_grant_type", "invalid_scope", "invalid_target", "temporarily_unavailable",
)  # fmt: skip


@EXCHANGE_ANSWER.rule(
    "ECHR-001",
    "La réponse est un 200 ou une erreur 4xx ou 5xx, en application/json",
    reference=rfc(6749, "5.1, 5.2"),
    bad=lambda: example.exchanged().replace(b"application/json", b"text/html"),
)
def http(answer: TokenAnswer) -> Findings:
    if answer.message is None or answer.status is None:
        return
    if answer.status != 200 and not 400 <= answer.status < 600:
        yield Broken(
            message="Ce statut n'est ni une réponse ni une erreur.",
            expected="200 | 4xx | 5xx",
            actual=str(answer.status),
            where="ligne de statut",
        )
    kind = answer.message.header("Content-Type").partition(";")[0].strip().lower()
    if kind != "application/json":
        yield Broken(
            message="Le type de contenu n'est pas celui du corps.",
            expected="application/json",
            actual=kind or "absent",
            where="Content-Type",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-002",
    "La réponse interdit d'être gardée",
    reference=rfc(6749, "5.1"),
    bad=lambda: example.exchanged().replace(b"no-store", b"max-age=60"),
)
def kept(answer: TokenAnswer) -> Findings:
    if answer.message is None or answer.is_refusal:
        return
    said = answer.message.header("Cache-Control")
    if "no-store" not in {one.strip().lower() for one in said.split(",")}:
        yield Broken(
            message="Un jeton ne doit être gardé par aucun intermédiaire.",
            expected="no-store",
            actual=said or "absent",
            where="Cache-Control",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-003",
    "access_token est un texte non vide",
    reference=rfc(8693, "2.2.1"),
    bad=lambda: example.exchanged(access_token=""),
)
def token(answer: TokenAnswer) -> Findings:
    value = answer.members.get("access_token")
    if not answer.is_refusal and (not isinstance(value, str) or not value):
        yield Broken(message="Il n'y a pas de jeton.", actual=shown(value), where="access_token")


@EXCHANGE_ANSWER.rule(
    "ECHR-004",
    "issued_token_type est access_token ou jwt",
    reference=rfc(8693, "2.2.1"),
    bad=lambda: example.exchanged(issued_token_type=None),
)
def issued(answer: TokenAnswer) -> Findings:
    value = answer.members.get("issued_token_type")
    if not answer.is_refusal and value not in api_psc.SUBJECT_TYPES:
        yield Broken(
            message="Le type du jeton rendu n'est pas connu.",
            expected=" | ".join(api_psc.SUBJECT_TYPES),
            actual=shown(value),
            where="issued_token_type",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-005",
    "token_type est Bearer",
    reference=CI_SIS,
    bad=lambda: example.exchanged(token_type="N_A"),
)
def kind(answer: TokenAnswer) -> Findings:
    value = answer.members.get("token_type")
    if not answer.is_refusal and (not isinstance(value, str) or value.lower() != "bearer"):
        yield Broken(
            message="Le jeton ne se présente pas comme un Bearer.",
            expected="Bearer",
            actual=shown(value),
            where="token_type",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-006",
    "expires_in est un nombre entier de secondes, quatre heures au plus",
    reference=CI_SIS,
    severity=Severity.WARNING,
    bad=lambda: example.exchanged(expires_in=86400),
)
def lifetime(answer: TokenAnswer) -> Findings:
    value = answer.members.get("expires_in")
    whole = value if isinstance(value, int) and not isinstance(value, bool) else 0
    if not answer.is_refusal and not 0 < whole <= _LONGEST_S:
        yield Broken(
            message="La durée de vie n'est pas celle d'un jeton d'API.",
            expected=f"1 à {_LONGEST_S}",
            actual=shown(value) if "expires_in" in answer.members else "absent",
            where="expires_in",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-007",
    "Le jeton rendu est lié au certificat du client (cnf)",
    reference=CI_SIS,
    bad=lambda: example.exchanged(access_token=example.api_token(cnf=None)),
)
def bound(answer: TokenAnswer) -> Findings:
    said = claims_of(answer.members.get("access_token"))
    if said is None:  # an opaque one is introspected
        return
    cnf = said.get("cnf")
    found = cnf.get(api_psc.THUMBPRINT) if isinstance(cnf, Mapping) else None
    if not is_thumbprint(found):
        yield Broken(
            message="Qui vole ce jeton peut s'en servir : aucun certificat n'y est nommé.",
            expected='cnf = {"x5t#S256": …}',
            actual=shown(cnf),
            where="access_token/cnf",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-008",
    "Le jeton rendu n'est pas un jeton de Pro Santé Connect",
    reference=CI_SIS,
    bad=lambda: example.exchanged(access_token=example.psc_token()),
)
def other(answer: TokenAnswer) -> Findings:
    said = claims_of(answer.members.get("access_token"))
    if said is not None and is_realm(said.get("iss")):
        yield Broken(
            message="Le jeton de Pro Santé Connect est rendu tel quel : rien n'a été échangé.",
            expected="iss du serveur d'autorisation de la cible",
            actual=shown(said.get("iss")),
            where="access_token/iss",
        )


@EXCHANGE_ANSWER.rule(
    "ECHR-010",
    "Un refus nomme une erreur connue, et ne rend aucun jeton",
    reference=rfc(8693, "2.2.2"),
    good=example.refused,
    bad=lambda: example.refused(error="refus"),
)
def refusal(answer: TokenAnswer) -> Findings:
    if not answer.is_refusal:
        return
    if answer.members.get("error") not in _ERRORS:
        yield Broken(
            message="Cette erreur n'est pas de celles d'un échange.",
            expected=" | ".join(_ERRORS),
            actual=shown(answer.members.get("error")),
            where="error",
        )
    if "access_token" in answer.members:
        yield Broken(message="Un refus ne rend pas de jeton.", where="access_token")
