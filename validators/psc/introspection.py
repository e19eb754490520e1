"""PSC introspection answers: `active` first, then what the ANS schema demands of an active one."""

from __future__ import annotations

from spec.psc_messages import INTROSPECTION_OPTIONAL, INTROSPECTION_REQUIRED, POC_SCHEMA
from validators.examples import psc as example
from validators.finding import Severity
from validators.json_document import shown
from validators.psc import claims
from validators.psc.claims import INTROSPECTION_PAGE, Findings, rfc
from validators.psc.reading import Answer
from validators.rule import Broken, RuleSet

__all__ = ["INTROSPECTION"]

INTROSPECTION = RuleSet(
    "introspection",
    good=example.introspection,
    syntax="INTRO-000",
    unreadable=lambda: b'{"active": false, "active": true}',
    reference=rfc(7662, "2.2"),
    requirements=("DB.SO.33",),
)


def _is_active(answer: Answer) -> bool:
    return answer.members.get("active") is True


@INTROSPECTION.rule(
    "INTRO-001",
    "active est un booléen JSON",
    reference=rfc(7662, "2.2"),
    bad=lambda: example.introspection(active="false"),
)
def active(answer: Answer) -> Findings:
    value = answer.members.get("active")
    if not isinstance(value, bool):
        yield Broken(
            message="active doit être le booléen true ou false, rien d'autre.",
            expected="true | false",
            actual=shown(value) if "active" in answer.members else "absent",
            where="active",
        )


@INTROSPECTION.rule(
    "INTRO-002",
    "Une réponse inactive ne dit rien de plus",
    reference=rfc(7662, "2.2"),
    severity=Severity.WARNING,
    good=example.inactive,
    bad=lambda: example.inactive(username="899700990001"),
)
def inactive(answer: Answer) -> Findings:
    others = sorted(set(answer.members) - {"active"})
    if answer.members.get("active") is False and others:
        yield Broken(
            message="Une réponse inactive ne doit rien apprendre sur le jeton.",
            expected='{"active": false}',
            actual=", ".join(others[:20]),
            where="/",
        )


@INTROSPECTION.rule(
    "INTRO-003",
    "Une réponse active porte les membres du schéma",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(client_id=None),
)
def required(answer: Answer) -> Findings:
    if _is_active(answer):
        yield from claims.absent(answer.members, INTROSPECTION_REQUIRED)


@INTROSPECTION.rule(
    "INTRO-004",
    "Une réponse active n'a pas d'autre membre",
    reference=POC_SCHEMA,
    severity=Severity.WARNING,
    bad=lambda: example.introspection(token_type="Bearer"),
)
def others(answer: Answer) -> Findings:
    known = {*INTROSPECTION_REQUIRED, *INTROSPECTION_OPTIONAL}
    if _is_active(answer):
        for name in sorted(set(answer.members) - known)[:20]:
            yield Broken(
                message="Le schéma de l'ANS n'a pas ce membre.",
                actual=shown(answer.members[name]),
                where=name,
            )


@INTROSPECTION.rule(
    "INTRO-005",
    "typ est Bearer ou Refresh : un jeton ID ne se présente pas",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(typ="ID"),
)
def type_(answer: Answer) -> Findings:
    value = answer.members.get("typ", "Bearer")
    if _is_active(answer) and value not in ("Bearer", "Refresh"):
        yield Broken(
            message="Ce type de jeton ne donne accès à rien.",
            expected="Bearer | Refresh",
            actual=shown(value),
            where="typ",
        )


@INTROSPECTION.rule(
    "INTRO-006",
    "Les dates sont des nombres entiers de secondes",
    reference=rfc(7662, "2.2"),
    bad=lambda: example.introspection(iat=True),
)
def dates(answer: Answer) -> Findings:
    if _is_active(answer):
        yield from claims.instants(answer.members, ("exp", "iat", "auth_time"))


@INTROSPECTION.rule(
    "INTRO-007",
    "L'authentification précède l'émission, qui précède l'expiration",
    reference=rfc(7662, "2.2"),
    bad=lambda: example.introspection(auth_time=example.SECONDS + 60),
)
def dates_order(answer: Answer) -> Findings:
    if _is_active(answer):
        yield from claims.order(answer.members)


@INTROSPECTION.rule(
    "INTRO-008",
    "client_id répète azp",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(client_id="un-autre-client"),
)
def client(answer: Answer) -> Findings:
    yield from _repeats(answer, "client_id", "azp")


@INTROSPECTION.rule(
    "INTRO-009",
    "username répète preferred_username",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(username="899700000001"),
)
def username(answer: Answer) -> Findings:
    yield from _repeats(answer, "username", "preferred_username")


def _repeats(answer: Answer, copy: str, original: str) -> Findings:
    values = answer.members
    if copy in values and original in values and values[copy] != values[original]:
        yield Broken(
            message=f"{copy} et {original} diffèrent.",
            expected=shown(values[original]),
            actual=shown(values[copy]),
            where=copy,
        )


@INTROSPECTION.rule(
    "INTRO-010",
    "SubjectNameID n'accompagne qu'un jeton d'accès",
    reference=INTROSPECTION_PAGE,
    severity=Severity.WARNING,
    bad=lambda: example.introspection(typ="Refresh"),
)
def name_id(answer: Answer) -> Findings:
    if "SubjectNameID" in answer.members and answer.members.get("typ") == "Refresh":
        yield Broken(
            message="SubjectNameID n'est rendu que pour un jeton d'accès.",
            expected="typ = Bearer",
            actual="typ = Refresh",
            where="SubjectNameID",
        )


@INTROSPECTION.rule(
    "INTRO-011",
    "sub est un identifiant fédéré, de la personne que nomment les autres membres",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(SubjectNameID="899700000001"),
)
def subject(answer: Answer) -> Findings:
    if _is_active(answer) and "sub" in answer.members:
        yield from claims.person(answer.members, ("preferred_username", "SubjectNameID"))


@INTROSPECTION.rule(
    "INTRO-012",
    "iss est le royaume esante-wallet, en https",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(iss="https://exemple.invalid/auth/realms/master"),
)
def issuer(answer: Answer) -> Findings:
    if _is_active(answer) and "iss" in answer.members:
        yield from claims.issuer(answer.members)


@INTROSPECTION.rule(
    "INTRO-013",
    "scope contient openid et scope_all",
    reference=POC_SCHEMA,
    severity=Severity.WARNING,
    bad=lambda: example.introspection(scope="openid"),
)
def scope(answer: Answer) -> Findings:
    if _is_active(answer) and "scope" in answer.members:
        yield from claims.scope(answer.members)


@INTROSPECTION.rule(
    "INTRO-014",
    "Les identifiants sont des textes non vides",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(jti=""),
)
def texts(answer: Answer) -> Findings:
    if _is_active(answer):
        yield from claims.texts(
            answer.members, ("jti", "azp", "session_state", "client_id", "username", "acr")
        )


@INTROSPECTION.rule(
    "INTRO-015",
    "sid et session_state désignent la même session",
    reference=POC_SCHEMA,
    bad=lambda: example.introspection(sid="00000000-0000-4000-8000-000000000000"),
)
def session(answer: Answer) -> Findings:
    yield from claims.session(answer.members)


@INTROSPECTION.rule(
    "INTRO-016",
    "otherIds, s'il est là, est une liste d'identifiants, et authMode est connu",
    reference=POC_SCHEMA,
    severity=Severity.WARNING,
    bad=lambda: example.introspection(otherIds={}),
)
def optional(answer: Answer) -> Findings:
    yield from claims.other_ids(answer.members)
    yield from claims.auth_mode(answer.members)


@INTROSPECTION.rule(
    "INTRO-020",
    "Un jeton expiré n'est pas dit actif",
    reference=rfc(7662, "4"),
    given=example.AT,
    bad=lambda: example.introspection(iat=example.SECONDS - 500, exp=example.SECONDS - 380),
)
def in_force(answer: Answer) -> Findings:
    end = claims.instant(answer.members, "exp")
    if answer.context.at is None or end is None or not _is_active(answer):
        return
    now = int(answer.context.at.timestamp())
    if end <= now:
        yield Broken(
            message="Ce jeton est dit actif alors qu'il a expiré.",
            expected=f"exp > {now}",
            actual=str(end),
            where="exp",
        )


@INTROSPECTION.rule(
    "INTRO-021",
    "La réponse HTTP est un 200 en application/json",
    reference=rfc(7662, "2.2"),
    good=lambda: example.http(example.introspection()),
    bad=lambda: example.http(example.introspection(), media_type="text/html"),
)
def http(answer: Answer) -> Findings:
    yield from claims.http(answer)
