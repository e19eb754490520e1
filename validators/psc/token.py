"""PSC tokens: access, refresh and ID, told apart by their claim `typ`."""

from __future__ import annotations

import base64
import binascii
import re

from protocols import jose
from protocols.jose import TokenError
from spec import psc
from spec.grade import Grade, Reference
from spec.psc_messages import POC_TOKEN, TOKEN_TYPES
from validators.examples import psc as example
from validators.finding import Severity
from validators.json_document import shown
from validators.psc import claims
from validators.psc.claims import Findings, rfc
from validators.psc.reading import PscToken
from validators.rule import Broken, RuleSet

__all__ = ["TOKEN"]

TOKEN = RuleSet(
    "jeton-psc",
    good=example.token,
    syntax="JETON-000",
    unreadable=lambda: b"eyJhbGciOiJub25lIn0.W10",
    reference=rfc(7515, "7.1"),
    requirements=("DB.SO.33", "DB.CO.63"),
)
_ALGORITHMS: dict[str, tuple[str, ...]] = {
    "Bearer": ("RS256",),
    "ID": ("RS256",),
    "Refresh": ("HS256", "HS512"),
}
_LIFETIMES = {
    "Bearer": psc.ACCESS_TOKEN_LIFETIME,
    "ID": psc.ACCESS_TOKEN_LIFETIME,
    "Refresh": psc.REFRESH_TOKEN_LIFETIME,
}
_LEADING = ("jku", "jwk", "x5u", "x5c")
_HASH = re.compile(r"[A-Za-z0-9_-]{22}")
_OIDC = Reference("OpenID Connect Core 1.0", "3.1.3.7", Grade.STANDARD)


@TOKEN.rule(
    "JETON-001",
    "Le jeton est signé : alg n'est pas none",
    reference=rfc(8725, "3.1, 3.2"),
    bad=lambda: example.forged({"alg": "none"}),
)
def signed(token: PscToken) -> Findings:
    algorithm = token.header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() in ("", "none"):
        yield Broken(
            message="Un jeton sans signature ne prouve rien.",
            expected="RS256",
            actual=shown(algorithm),
            where="en-tête alg",
        )


@TOKEN.rule(
    "JETON-002",
    "alg est celui de Pro Santé Connect pour ce type de jeton",
    reference=POC_TOKEN,
    bad=lambda: example.forged({"alg": "HS256"}),
)
def algorithm(token: PscToken) -> Findings:
    allowed = _ALGORITHMS.get(token.type, ("RS256",))
    if token.header.get("alg") not in allowed:
        yield Broken(
            message="Cet algorithme n'est pas celui de ces jetons.",
            expected=" | ".join(allowed),
            actual=shown(token.header.get("alg")),
            where="en-tête alg",
        )


@TOKEN.rule(
    "JETON-003",
    "typ de l'en-tête vaut JWT et kid nomme la clé",
    reference=POC_TOKEN,
    severity=Severity.WARNING,
    bad=lambda: example.forged({"kid": None}),
)
def header(token: PscToken) -> Findings:
    if token.header.get("typ") != "JWT":
        yield Broken(
            message="Le type de l'en-tête n'est pas celui attendu.",
            expected="JWT",
            actual=shown(token.header.get("typ")),
            where="en-tête typ",
        )
    kid = token.header.get("kid")
    if not isinstance(kid, str) or not kid:
        yield Broken(message="La clé n'est pas nommée.", actual=shown(kid), where="en-tête kid")


@TOKEN.rule(
    "JETON-004",
    "L'en-tête n'apporte ni clé, ni adresse de clé, ni extension critique",
    reference=rfc(8725, "3.10"),
    severity=Severity.WARNING,
    bad=lambda: example.forged({"jku": "https://ailleurs.invalid/certs"}),
)
def leading_header(token: PscToken) -> Findings:
    for name in (*_LEADING, "crit"):
        if name in token.header:
            yield Broken(
                message="Ce membre choisirait la clé à la place de qui vérifie.",
                expected="absent",
                actual=shown(token.header[name]),
                where=f"en-tête {name}",
            )


@TOKEN.rule(
    "JETON-010",
    "typ dit de quel jeton il s'agit : Bearer, Refresh ou ID",
    reference=POC_TOKEN,
    bad=lambda: example.token(typ="at+jwt"),
)
def type_(token: PscToken) -> Findings:
    if token.type not in TOKEN_TYPES:
        yield Broken(
            message="Ce type de jeton est inconnu.",
            expected=" | ".join(TOKEN_TYPES),
            actual=shown(token.claims.get("typ")),
            where="typ",
        )


@TOKEN.rule(
    "JETON-011",
    "Le jeton porte les membres de son type",
    reference=POC_TOKEN,
    bad=lambda: example.token(jti=None),
)
def members(token: PscToken) -> Findings:
    names = ["exp", "iat", "jti", "iss", "sub", "typ", "azp", "session_state"]
    if token.type != "Refresh":
        names += ["auth_time", "acr", "preferred_username", "nonce"]
    if token.type != "ID":
        names.append("scope")
    if token.type != "Bearer":
        names.append("aud")
    yield from claims.absent(token.claims, names)


@TOKEN.rule(
    "JETON-012",
    "Les dates sont des nombres entiers de secondes",
    reference=rfc(7519, "2, 4.1"),
    bad=lambda: example.token(exp="1795342620"),
)
def dates(token: PscToken) -> Findings:
    yield from claims.instants(token.claims, ("exp", "iat", "auth_time", "nbf"))


@TOKEN.rule(
    "JETON-013",
    "L'authentification précède l'émission, qui précède l'expiration",
    reference=rfc(7519, "4.1.4, 4.1.6"),
    bad=lambda: example.token(exp=example.SECONDS - 1),
)
def dates_order(token: PscToken) -> Findings:
    yield from claims.order(token.claims)


@TOKEN.rule(
    "JETON-014",
    "La durée de vie ne dépasse pas celle annoncée : 2 minutes, 30 pour un Refresh",
    reference=psc.LIFETIMES_SOURCE,
    severity=Severity.WARNING,
    bad=lambda: example.token(exp=example.SECONDS + 3600),
)
def lifetime(token: PscToken) -> Findings:
    begin, end = claims.instant(token.claims, "iat"), claims.instant(token.claims, "exp")
    longest = _LIFETIMES.get(token.type)
    if begin is None or end is None or longest is None:
        return
    if end - begin > longest:
        yield Broken(
            message="Ce jeton vit plus longtemps qu'annoncé.",
            expected=f"<= {longest} s",
            actual=f"{end - begin} s",
            where="exp",
        )


@TOKEN.rule(
    "JETON-015",
    "jti, azp et session_state sont des textes non vides",
    reference=POC_TOKEN,
    bad=lambda: example.token(azp=""),
)
def identifiers(token: PscToken) -> Findings:
    yield from claims.texts(token.claims, ("jti", "azp", "session_state"))


@TOKEN.rule(
    "JETON-016",
    "iss est le royaume esante-wallet, en https",
    reference=POC_TOKEN,
    bad=lambda: example.token(iss="http://auth.exemple.invalid/auth/realms/esante-wallet"),
)
def issuer(token: PscToken) -> Findings:
    yield from claims.issuer(token.claims)


@TOKEN.rule(
    "JETON-017",
    "sub est un identifiant fédéré, de la personne que nomment les autres membres",
    reference=POC_TOKEN,
    bad=lambda: example.token(preferred_username="899700000001"),
)
def subject(token: PscToken) -> Findings:
    yield from claims.person(token.claims, ("preferred_username", "SubjectNameID"))


@TOKEN.rule(
    "JETON-018",
    "nonce est un texte, peut-être vide",
    reference=POC_TOKEN,
    bad=lambda: example.token(nonce=7),
)
def nonce(token: PscToken) -> Findings:
    if token.claims.get("nonce") is not None:
        yield from claims.texts(token.claims, ("nonce",), empty=True)


@TOKEN.rule(
    "JETON-019",
    "sid et session_state désignent la même session",
    reference=POC_TOKEN,
    bad=lambda: example.token(sid="00000000-0000-4000-8000-000000000000"),
)
def session(token: PscToken) -> Findings:
    yield from claims.session(token.claims)


@TOKEN.rule(
    "JETON-020",
    "acr donne un niveau eIDAS",
    reference=POC_TOKEN,
    severity=Severity.WARNING,
    bad=lambda: example.token(acr="0"),
)
def level(token: PscToken) -> Findings:
    value = token.claims.get("acr", "eidas1")
    if not isinstance(value, str) or re.fullmatch(r"eidas[1-3]", value) is None:
        yield Broken(
            message="Ce niveau d'authentification n'est pas un niveau eIDAS.",
            expected="eidas1, eidas2 ou eidas3",
            actual=shown(value),
            where="acr",
        )


@TOKEN.rule(
    "JETON-021",
    "scope contient openid et scope_all",
    reference=POC_TOKEN,
    severity=Severity.WARNING,
    bad=lambda: example.token(scope="openid profile"),
)
def scope(token: PscToken) -> Findings:
    if token.type != "ID":
        yield from claims.scope(token.claims)


@TOKEN.rule(
    "JETON-022",
    "authMode, s'il est là, est connu",
    reference=POC_TOKEN,
    severity=Severity.WARNING,
    bad=lambda: example.token(authMode="PASSWORD"),
)
def auth_mode(token: PscToken) -> Findings:
    yield from claims.auth_mode(token.claims)


@TOKEN.rule(
    "JETON-023",
    "otherIds, s'il est là, est une liste d'identifiants",
    reference=POC_TOKEN,
    bad=lambda: example.token(otherIds=[{"identifiant": 899700}]),
)
def other_ids(token: PscToken) -> Findings:
    yield from claims.other_ids(token.claims)


@TOKEN.rule(
    "JETON-024",
    "cnf, s'il est là, porte l'empreinte SHA-256 d'un certificat",
    reference=rfc(8705, "3.1"),
    severity=Severity.WARNING,
    bad=lambda: example.token(cnf={"x5t#S256": "MmJjZmI3ZWM="}),
)
def confirmation(token: PscToken) -> Findings:
    if "cnf" not in token.claims:
        return
    cnf = token.claims["cnf"]
    value = cnf.get("x5t#S256") if isinstance(cnf, dict) else None
    if not isinstance(value, str) or not _is_thumbprint(value):
        yield Broken(
            message="L'empreinte du certificat n'est pas celle de 32 octets en base64url.",
            expected='{"x5t#S256": <43 caractères>}',
            actual=shown(cnf),
            where="cnf",
        )


def _is_thumbprint(value: str) -> bool:
    try:
        return len(value) == 43 and len(base64.b64decode(value + "=", b"-_", True)) == 32
    except (binascii.Error, ValueError):
        return False


@TOKEN.rule(
    "JETON-030",
    "aud d'un jeton ID est son client, celui d'un Refresh son émetteur",
    reference=_OIDC,
    requirements=("DB.CO.63",),
    good=lambda: example.token("ID"),
    bad=lambda: example.token("ID", aud="un-autre-client"),
)
def audience(token: PscToken) -> Findings:
    wanted = {"ID": "azp", "Refresh": "iss"}.get(token.type)
    if wanted is None or "aud" not in token.claims:
        return
    value = token.claims["aud"]
    if token.claims.get(wanted) not in (value if isinstance(value, list) else [value]):
        yield Broken(
            message="Ce jeton n'est pas destiné à qui doit le recevoir.",
            expected=shown(token.claims.get(wanted)),
            actual=shown(value),
            where="aud",
        )


@TOKEN.rule(
    "JETON-031",
    "at_hash d'un jeton ID est la moitié d'une empreinte SHA-256",
    reference=Reference("OpenID Connect Core 1.0", "3.1.3.6", Grade.STANDARD),
    requirements=("DB.CO.63",),
    good=lambda: example.token("ID"),
    bad=lambda: example.token("ID", at_hash="AAAA"),
)
def access_token_hash(token: PscToken) -> Findings:
    if token.type != "ID":
        return
    value = token.claims.get("at_hash", "-" * 22)
    if not isinstance(value, str) or _HASH.fullmatch(value) is None:
        yield Broken(
            message="Cette empreinte du jeton d'accès n'est pas de 16 octets.",
            expected="22 caractères base64url",
            actual=shown(value),
            where="at_hash",
        )


@TOKEN.rule(
    "JETON-040",
    "Le jeton est en cours de validité",
    reference=rfc(7519, "4.1.4, 4.1.5"),
    given=example.AT,
    bad=lambda: example.token(iat=example.SECONDS - 500, exp=example.SECONDS - 380),
)
def in_force(token: PscToken) -> Findings:
    if token.context.at is None:
        return
    now = int(token.context.at.timestamp())
    end = claims.instant(token.claims, "exp")
    if end is not None and end <= now:
        yield Broken(
            message="Ce jeton a expiré.", expected=f"> {now}", actual=str(end), where="exp"
        )
    for name in ("nbf", "iat"):
        begin = claims.instant(token.claims, name)
        if begin is not None and begin > now:
            yield Broken(
                message="Ce jeton vient du futur.",
                expected=f"<= {now}",
                actual=str(begin),
                where=name,
            )


@TOKEN.rule(
    "JETON-041",
    "La signature est celle d'une clé du fournisseur",
    reference=rfc(7515, "5.2"),
    given=example.KEYS,
    bad=lambda: example.token()[:-8] + b"AAAAAAAA",
)
def signature(token: PscToken) -> Findings:
    # A refresh token is signed with the realm's own secret: nobody else can verify it.
    if not token.context.jwks or token.type == "Refresh":
        return
    try:
        jose.verify(token.text, jose.parse_jwks(token.context.jwks))
    except TokenError as error:
        yield Broken(
            message=f"La signature n'est pas valable : {error}.",
            actual=error.kind,
            where=error.where or "signature",
        )
