"""What Pro Santé Connect can do wrong, handshake by handshake and request by request.

A fault that alters an answer alters a right one, in one thing: whoever is not entitled to an
answer is refused as ever. `active` was met as a text in a mock of the ANS (grade `sample`).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from wire.faults import FaultKind, Parameter, cut_after, delay, slow
from wire.http_faults import Shown, certificate, redirection, status

__all__ = [
    "TLS",
    "Acknowledged",
    "Active",
    "Body",
    "Forged",
    "Given",
    "Identity",
    "Keys",
    "Leads",
    "Person",
    "Polled",
    "Returned",
    "Said",
    "Stranger",
    "Who",
    "menu",
]

TLS: Final = "TLS"
INTROSPECTION: Final = ("introspection",)
USERINFO: Final = ("userinfo",)
_JSON: Final = ("discovery", "certs", "token", "introspection", "userinfo", "ciba")
_ALL: Final = (*_JSON, "authorization")


class Active(StrEnum):
    """What `active` is instead of a boolean."""

    TEXT_TRUE = "texte-true"
    TEXT_FALSE = "texte-false"
    ONE = "un"
    ZERO = "zero"
    NULL = "null"
    LIST = "liste"
    ABSENT = "absent"
    TWICE = "deux-fois"
    """False, then true."""


class Said(StrEnum):
    """What else an introspection says wrongly of an active token."""

    EXPIRED = "exp-passe"
    EXPIRY_TEXT = "exp-texte"
    EXPIRY_ENDLESS = "exp-infini"
    NO_EXPIRY = "exp-absent"
    NOT_BEFORE = "nbf-futur"
    ISSUED_LATER = "iat-futur"
    ISSUER = "iss-autre"
    REFRESH = "typ-refresh"
    IDENTITY = "typ-id"
    NO_TYPE = "typ-absent"
    OTHER_PERSON = "autre-personne"
    OTHER_CLIENT = "autre-client"
    NO_ACR = "sans-acr"
    NO_OPENID = "sans-openid"
    NO_NAME = "sans-nom"


class Who(StrEnum):
    """Whom userinfo speaks of."""

    OTHER = "autre"
    NOBODY = "absent"


class Leads(StrEnum):
    """Where the discovery document leads wrongly."""

    CLEAR = "http"
    """Every endpoint, in clear."""
    KEYS = "jwks-etranger"
    """The keys, on a host that is not PSC's."""


class Person(StrEnum):
    """What is odd in what userinfo says of the right person."""

    NO_ACTIVITY = "aucune-activite"
    ONE = "une-activite"
    FIFTY = "cinquante-activites"
    EMPTY = "textes-vides"
    NO_REFERENCE = "sans-refpro"
    MARKUP = "nom-html"
    REVERSED = "nom-renverse"
    LINES = "nom-lignes"
    LONG = "nom-10ko"


class Identity(StrEnum):
    """What is wrong with the ID token."""

    ISSUER = "iss"
    AUDIENCE = "aud"
    PARTY = "azp"
    NO_SUBJECT = "sub-absent"
    EXPIRED = "exp-passe"
    NO_EXPIRY = "exp-absent"
    ISSUED_LATER = "iat-futur"
    NONCE = "nonce"
    NO_NONCE = "nonce-absent"
    SIGNATURE = "signature"
    UNSIGNED = "alg-none"
    SYMMETRIC = "hs256"
    """Signed by the public key taken for a secret."""
    HASH = "at-hash"


class Given(StrEnum):
    """What is odd in the answer of the token endpoint."""

    NO_EXPIRY = "expires-absent"
    NEGATIVE = "expires-negatif"
    TEXT = "expires-texte"
    CAPITALS = "type-capitales"
    UNKNOWN = "type-inconnu"
    NO_REFRESH = "sans-refresh"


class Acknowledged(StrEnum):
    """What is odd in the acknowledgement of a CIBA request (CIBA Core 7.3)."""

    NO_ID = "auth-req-id-absent"
    NO_EXPIRY = "expires-absent"
    NO_INTERVAL = "interval-absent"
    ZERO = "interval-nul"
    NEGATIVE = "interval-negatif"
    HUGE = "interval-enorme"


class Polled(StrEnum):
    """The error that answers who polls (CIBA Core 11)."""

    PENDING = "authorization_pending"
    SLOWER = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    INVALID = "invalid_grant"


class Stranger(StrEnum):
    """What is somebody else's in the tokens that a CIBA request gives."""

    SESSION = "session"
    """All of them, and userinfo."""
    IDENTITY = "jeton-id"
    """The ID token alone."""


class Returned(StrEnum):
    """How the browser is sent back to the service."""

    NO_STATE = "state-absent"
    STATE = "state-autre"
    OTHER_BROWSER = "state-autre-navigateur"
    NO_ISSUER = "iss-absent"
    ISSUER = "iss-autre"
    NO_CODE = "code-absent"
    CODE = "code-inconnu"
    USED = "code-servi"
    OTHER_CLIENT = "code-autre-client"
    NEW_LINE = "code-retour-chariot"
    ERROR = "erreur-html"
    KEPT = "retenue"


class Forged(StrEnum):
    """What is wrong with a logout token that is posted to a service."""

    UNSIGNED = "alg-none"
    SIGNATURE = "signature"
    ISSUER = "iss"
    AUDIENCE = "aud"
    NONCE = "nonce"
    NO_EVENTS = "events-absent"
    OTHER_EVENT = "events-autre"
    NOBODY = "sans-sub-ni-sid"
    OTHER_SESSION = "autre-sid"


class Body(StrEnum):
    """What the body is instead of the JSON object."""

    PAGE = "page"
    EMPTY = "vide"
    HALF = "tronque"
    LIST = "liste"
    MARKED = "bom"
    DEEP = "profond"


class Keys(StrEnum):
    """What the JWKS publishes."""

    ROTATED = "autres"
    """A new key under a new kid; the old one is gone."""
    SAME_KID = "meme-kid"
    """Another key under the kid in force."""
    NO_KID = "sans-kid"
    """Two keys, the right one among them, without kid."""
    SYMMETRIC = "symetrique"
    """A secret, for HS256."""
    NONE = "aucune"


_MIB = Parameter(name="mio", words="taille", default=10, unit="Mio", low=1, high=10_000)


def menu(shown: Iterable[Shown] = ()) -> tuple[FaultKind, ...]:
    """Every fault of a PSC, that of certificates if it holds some to show instead of its own."""
    return (
        *((certificate(TLS),) if tuple(shown) else ()),
        status(
            _ALL,
            words="répond par ce code HTTP, et rien d'autre",
            meaning="answers by this HTTP status, and nothing else",
        ),
        redirection(_ALL),
        _body(),
        *_large(),
        *_introspection(),
        *_userinfo(),
        *_login(),
        *_ciba(),
        _clock(),
        FaultKind(
            name="emetteur",
            words="décrit un autre émetteur que lui",
            meaning="describes another issuer than itself",
            services=("discovery",),
        ),
        FaultKind(
            name="adresses",
            words="décrit des adresses qui ne sont pas les siennes",
            meaning="describes addresses that are not its own",
            services=("discovery",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="adresses",
                    default=Leads.CLEAR.value,
                    choices={
                        Leads.CLEAR: "toutes en http",
                        Leads.KEYS: "celle de ses clés (jwks_uri), chez un autre",
                    },
                ),
            ),
        ),
        FaultKind(
            name="cles",
            words="publie d'autres clés que celle qui signe",
            meaning="publishes other keys than the one that signs",
            services=("certs",),
            parameters=(
                Parameter(
                    name="publie",
                    words="clés publiées",
                    default=Keys.ROTATED.value,
                    choices={
                        Keys.ROTATED: "une nouvelle, l'ancienne retirée",
                        Keys.SAME_KID: "une autre, sous le même kid",
                        Keys.NO_KID: "deux, sans kid",
                        Keys.SYMMETRIC: "un secret (HS256)",
                        Keys.NONE: "aucune",
                    },
                ),
            ),
        ),
        delay(_ALL, words="attend avant de répondre", meaning="waits before answering"),
        cut_after(
            _ALL,
            words="coupe la connexion une fois ces octets partis",
            meaning="resets the connection once these bytes left",
        ),
        slow(_ALL, words="répond par une liaison lente", meaning="answers through a slow line"),
    )


def _body() -> FaultKind:
    return FaultKind(
        name="corps",
        words="répond 200 et un corps qui n'est pas l'objet JSON attendu",
        meaning="answers 200 and a body that is not the expected JSON object",
        services=_JSON,
        parameters=(
            Parameter(
                name="quoi",
                words="corps",
                default=Body.PAGE.value,
                choices={
                    Body.PAGE: "une page HTML",
                    Body.EMPTY: "rien",
                    Body.HALF: "la première moitié de l'objet",
                    Body.LIST: "l'objet dans une liste",
                    Body.MARKED: "l'objet derrière une marque d'ordre (BOM)",
                    Body.DEEP: "l'objet, et un membre de 10 000 listes imbriquées",
                },
            ),
        ),
    )


def _large() -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="enorme",
            words="ajoute à son objet JSON un membre de cette taille",
            meaning="adds a member of this size to its JSON object",
            services=_JSON,
            parameters=(_MIB,),
        ),
        FaultKind(
            name="bombe",
            words="comprime cet énorme objet sans qu'on l'ait demandé (Content-Encoding: gzip)",
            meaning="compresses that huge object unasked (Content-Encoding: gzip)",
            services=_JSON,
            parameters=(_MIB,),
        ),
        FaultKind(
            name="sans-fin",
            words="envoie des espaces, un par un, et jamais la fin de l'objet",
            meaning="sends spaces, one by one, and never the end of the object",
            services=_JSON,
            parameters=(
                Parameter(
                    name="secondes", words="un espace toutes les", default=0.5, unit="s",
                    low=0.01, high=3600.0,
                ),
            ),
        ),
    )  # fmt: skip


def _introspection() -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="inactif",
            words="dit inactif un jeton qui est bon : session fermée, jeton révoqué",
            meaning="says inactive of a good token: session closed, token revoked",
            services=INTROSPECTION,
        ),
        FaultKind(
            name="active",
            words="donne d'un jeton actif un « active » qui n'est pas le booléen vrai",
            meaning="of an active token, gives an `active` that is not the boolean true",
            services=INTROSPECTION,
            parameters=(
                Parameter(
                    name="vaut",
                    words="active",
                    default=Active.TEXT_TRUE.value,
                    choices={
                        Active.TEXT_TRUE: 'le texte "true"',
                        Active.TEXT_FALSE: 'le texte "false"',
                        Active.ONE: "le nombre 1",
                        Active.ZERO: "le nombre 0",
                        Active.NULL: "null",
                        Active.LIST: "une liste vide",
                        Active.ABSENT: "absent",
                        Active.TWICE: "deux fois : false, puis true",
                    },
                ),
            ),
        ),
        FaultKind(
            name="mention",
            words="dit d'un jeton actif une chose fausse",
            meaning="says one wrong thing of an active token",
            services=INTROSPECTION,
            parameters=(
                Parameter(
                    name="quoi",
                    words="mention",
                    default=Said.EXPIRED.value,
                    choices={
                        Said.EXPIRED: "exp passé d'une heure",
                        Said.EXPIRY_TEXT: "exp en texte",
                        Said.EXPIRY_ENDLESS: "exp infini (1e400)",
                        Said.NO_EXPIRY: "sans exp",
                        Said.NOT_BEFORE: "nbf dans une heure",
                        Said.ISSUED_LATER: "iat dans une heure",
                        Said.ISSUER: "iss d'un autre environnement",
                        Said.REFRESH: "typ Refresh",
                        Said.IDENTITY: "typ ID",
                        Said.NO_TYPE: "sans typ",
                        Said.OTHER_PERSON: "sub et nom d'une autre personne",
                        Said.OTHER_CLIENT: "azp et client_id d'un autre service",
                        Said.NO_ACR: "sans acr",
                        Said.NO_OPENID: "scope sans openid",
                        Said.NO_NAME: "sans SubjectNameID ni autre nom",
                    },
                ),
            ),
        ),
    )


def _userinfo() -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="sub",
            words="parle d'une autre personne que le jeton",
            meaning="speaks of another person than the token",
            services=USERINFO,
            parameters=(
                Parameter(
                    name="qui",
                    words="sub",
                    default=Who.OTHER.value,
                    choices={Who.OTHER: "celui d'un autre", Who.NOBODY: "absent"},
                ),
            ),
        ),
        FaultKind(
            name="personne",
            words="décrit la bonne personne d'une façon inattendue",
            meaning="describes the right person in an unexpected way",
            services=USERINFO,
            parameters=(
                Parameter(
                    name="quoi",
                    words="personne",
                    default=Person.NO_ACTIVITY.value,
                    choices={
                        Person.NO_ACTIVITY: "sans activité",
                        Person.ONE: "une seule activité",
                        Person.FIFTY: "cinquante activités, la sienne d'abord",
                        Person.EMPTY: "tous ses textes vides, hors sub et identifiant",
                        Person.NO_REFERENCE: "sans SubjectRefPro",
                        Person.MARKUP: "des noms qui portent du HTML",
                        Person.REVERSED: "des noms qui renversent le sens d'écriture",
                        Person.LINES: "des noms sur plusieurs lignes",
                        Person.LONG: "des noms de 10 Ko",
                    },
                ),
            ),
        ),
        FaultKind(
            name="jwt",
            words="répond par un JWT au lieu de l'objet JSON",
            meaning="answers by a JWT instead of the JSON object",
            services=USERINFO,
            parameters=(
                Parameter(
                    name="signe",
                    words="signature",
                    default="aucune",
                    choices={"aucune": "alg none", "autre-cle": "une clé inconnue, sous le kid"},
                ),
            ),
        ),
        FaultKind(
            name="tout-jeton",
            words="accepte un jeton de rafraîchissement ou d'identité comme jeton d'accès",
            meaning="takes a refresh or ID token for an access token",
            services=USERINFO,
        ),
    )


def _login() -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="jeton-id",
            words="donne un jeton d'identité faux",
            meaning="gives a wrong ID token",
            services=("token",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="jeton",
                    default=Identity.NONCE.value,
                    choices={
                        Identity.ISSUER: "iss d'un autre environnement",
                        Identity.AUDIENCE: "aud et azp d'un autre service",
                        Identity.PARTY: "deux aud, azp d'un autre service",
                        Identity.NO_SUBJECT: "sans sub",
                        Identity.EXPIRED: "exp passé d'une heure",
                        Identity.NO_EXPIRY: "sans exp",
                        Identity.ISSUED_LATER: "iat dans une heure",
                        Identity.NONCE: "un autre nonce",
                        Identity.NO_NONCE: "sans nonce",
                        Identity.SIGNATURE: "signé d'une autre clé, sous le même kid",
                        Identity.UNSIGNED: "non signé (alg none)",
                        Identity.SYMMETRIC: "signé HS256 de la clé publique",
                        Identity.HASH: "at_hash d'un autre jeton",
                    },
                ),
            ),
        ),
        FaultKind(
            name="reponse",
            words="répond au point de jetons une chose inattendue",
            meaning="answers one odd thing at the token endpoint",
            services=("token",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="réponse",
                    default=Given.NO_EXPIRY.value,
                    choices={
                        Given.NO_EXPIRY: "sans expires_in",
                        Given.NEGATIVE: "expires_in négatif",
                        Given.TEXT: "expires_in en texte",
                        Given.CAPITALS: "token_type BEARER",
                        Given.UNKNOWN: "token_type inconnu",
                        Given.NO_REFRESH: "sans refresh_token",
                    },
                ),
            ),
        ),
        FaultKind(
            name="retour",
            words="renvoie le navigateur au service par une adresse fausse",
            meaning="sends the browser back to the service by a wrong address",
            services=("login",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="adresse",
                    default=Returned.STATE.value,
                    choices={
                        Returned.NO_STATE: "sans state",
                        Returned.STATE: "un state inconnu",
                        Returned.OTHER_BROWSER: "le state d'un autre navigateur qui attend",
                        Returned.NO_ISSUER: "sans iss",
                        Returned.ISSUER: "iss d'un autre fournisseur",
                        Returned.NO_CODE: "sans code",
                        Returned.CODE: "un code inconnu",
                        Returned.USED: "un code déjà servi",
                        Returned.OTHER_CLIENT: "le code d'un autre client",
                        Returned.NEW_LINE: "un code suivi d'un retour chariot",
                        Returned.ERROR: "une erreur dont la description porte du HTML",
                        Returned.KEPT: "la bonne, montrée dans une page où rien n'y mène",
                    },
                ),
            ),
        ),
    )


def _ciba() -> tuple[FaultKind, ...]:
    return (
        FaultKind(
            name="accuse-ciba",
            words="accuse réception d'une demande CIBA d'une façon inattendue",
            meaning="acknowledges a CIBA request in an odd way",
            services=("ciba",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="accusé",
                    default=Acknowledged.NO_INTERVAL.value,
                    choices={
                        Acknowledged.NO_ID: "sans auth_req_id",
                        Acknowledged.NO_EXPIRY: "sans expires_in",
                        Acknowledged.NO_INTERVAL: "sans interval",
                        Acknowledged.ZERO: "interval nul",
                        Acknowledged.NEGATIVE: "interval négatif",
                        Acknowledged.HUGE: "interval d'un jour",
                    },
                ),
            ),
        ),
        FaultKind(
            name="interrogation",
            words="répond par cette erreur à qui attend par CIBA",
            meaning="answers by this error to who polls for a CIBA request",
            services=("token",),
            parameters=(
                Parameter(
                    name="erreur",
                    words="erreur",
                    default=Polled.DENIED.value,
                    choices={
                        Polled.PENDING: "pas encore de réponse",
                        Polled.SLOWER: "cinq secondes de plus entre deux interrogations",
                        Polled.DENIED: "refusé, la demande est close",
                        Polled.EXPIRED: "trop tard, la demande est close",
                        Polled.INVALID: "demande inconnue, et close",
                    },
                ),
            ),
        ),
        FaultKind(
            name="autre-identite",
            words="donne à qui attend par CIBA l'identité d'un autre que login_hint",
            meaning="gives who polls for a CIBA request the identity of another than login_hint",
            services=("token",),
            parameters=(
                Parameter(
                    name="quoi",
                    words="identité",
                    default=Stranger.SESSION.value,
                    choices={
                        Stranger.SESSION: "tous les jetons et userinfo",
                        Stranger.IDENTITY: "le jeton d'identité seul",
                    },
                ),
            ),
        ),
    )


def _clock() -> FaultKind:
    return FaultKind(
        name="horloge",
        words="date d'une horloge décalée (exp, iat, nbf, auth_time)",
        meaning="dates by a clock that is off (exp, iat, nbf, auth_time)",
        services=("token", "introspection"),
        parameters=(
            Parameter(
                name="secondes", words="décalage", default=-300, unit="s",
                low=-86_400, high=86_400,
            ),
        ),
    )  # fmt: skip
