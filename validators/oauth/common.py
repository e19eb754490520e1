"""Rules of every request to a token server, and the references that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import parse_qsl

from validators.json_document import shown
from validators.oauth.reading import FormRequest
from validators.psc.claims import rfc
from validators.rule import Broken, RuleSet

__all__ = ["Findings", "one_of", "present", "request_rules"]

Findings = Iterator[Broken]
_SECRET = frozenset(
    {"token", "subject_token", "actor_token", "access_token", "refresh_token", "code",
     "code_verifier", "client_secret", "auth_req_id"}
)  # fmt: skip


def request_rules(rules: RuleSet, prefix: str, good: Callable[[], bytes]) -> None:
    """Register the rules 001 to 004 of a form sent to a token server."""

    @rules.rule(
        f"{prefix}-001",
        "La demande est un POST",
        reference=rfc(6749, "3.2"),
        bad=lambda: good().replace(b"POST ", b"PUT ", 1),
    )
    def method(request: FormRequest) -> Findings:
        if request.method != "POST":
            yield Broken(
                message="Un serveur de jetons se demande par POST.",
                expected="POST",
                actual=request.method,
                where="ligne de requête",
            )

    @rules.rule(
        f"{prefix}-002",
        "Aucun jeton, code ni secret n'est dans l'adresse",
        reference=rfc(6749, "2.3.1"),
        bad=lambda: good().replace(b" HTTP/1.1", b"?token=abc HTTP/1.1", 1),
    )
    def address(request: FormRequest) -> Findings:
        query = request.target.partition("?")[2]
        named = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        for name in sorted(named & _SECRET):
            yield Broken(
                message="Une adresse finit dans des journaux : ce paramètre va dans le corps.",
                expected="dans le corps",
                actual="dans l'adresse",
                where=name,
            )

    @rules.rule(
        f"{prefix}-003",
        "La demande ne porte pas de secret : le certificat client en tient lieu",
        reference=rfc(8705, "2"),
        bad=lambda: good() + b"&client_secret=abc",
    )
    def secret(request: FormRequest) -> Findings:
        basic = request.message.header("Authorization").lower().startswith("basic")
        if "client_secret" in request.form or basic:
            yield Broken(
                message="En TLS mutuel, un secret ne prouve rien de plus et peut se perdre.",
                expected="aucun secret",
                actual="Authorization: Basic" if basic else "client_secret",
                where="Authorization" if basic else "client_secret",
            )


def present(form: Mapping[str, str], *names: str) -> Findings:
    """One finding for each parameter that is not there."""
    for name in names:
        if name not in form:
            yield Broken(message=f"Le paramètre {name} manque.", expected=name, where=name)


def one_of(form: Mapping[str, str], name: str, known: tuple[str, ...]) -> Findings:
    """A parameter that is there has one of these values."""
    if name in form and form[name] not in known:
        yield Broken(
            message=f"{name} n'a pas une valeur connue.",
            expected=" | ".join(known),
            actual=shown(form[name]),
            where=name,
        )
