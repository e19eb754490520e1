"""Sources that serve whom or what they should not: peers, tokens, professions, KOS, series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from drimbox_ref.revocation import Standing
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import (
    Archive,
    Bearer,
    Catalogue,
    Door,
    Examinations,
    Revocation,
    Tokens,
)
from drimbox_ref.source.values import Accepted, Denied, Served, TokenVerdict, TrustVerdict
from mutants.registry import mutant
from mutants.source.passing import PassingTrust
from protocols import jose
from protocols.dicomweb import Resource
from protocols.errors import RemoteProtocolError
from wire.tls import ServerTls

__all__: list[str] = []

_PHYSICIAN = "10"
"""Médecin (TRE_G15-ProfessionSante)."""
_BELIEVED_DECODED = tuple(f"KIT-SEC-TOK-{row:02}" for row in (6, 7, 8, 9, 10, 11, 24, 25, 28))
"""Rows of tokens that are right in what they say, while PSC does not vouch for them."""
_BELIEVED_UNREAD = (
    *_BELIEVED_DECODED,
    *(f"KIT-SEC-TOK-{row:02}" for row in (12, 16, 17, 18, 19, 20, 22)),
    # Nobody said who asks: the trail cannot name them.
    "KIT-SEC-TRC-02",
)
"""... and of those that say what a right one does not."""
_RADIOLOGIST = Accepted(subject="un médecin", professions=(_PHYSICIAN,))


# Who asks --------------------------------------------------------------------------------------


class Trusting(PassingTrust):
    """A `Trust` for which everybody is on the list."""

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Listed, always."""
        return TrustVerdict.LISTED


@mutant(
    "liste-blanche-ignoree",
    breaks="Le DN du certificat client n'est pas cherché dans la liste blanche.",
    requirements=("KIT-LISTE-BLANCHE",),
    # Whoever the catalogue's attackers are named, and whoever lists them.
    consequences=(
        "KIT-SEC-TLS-19",
        "KIT-SEC-TLS-17",
        "KIT-SEC-TLS-18",
        "KIT-SEC-TLS-25",
        *(f"KIT-SEC-WL-{number}" for number in ("01", "02", "04", "05", "06", "07", "13")),
    ),
)
def white_list_ignored(parts: Parts) -> Parts:
    """Any IGC-Santé client certificate opens the door."""
    return replace(parts, trust=Trusting(parts.trust))


class Ajar:
    """A `Door` that opens without a certificate too."""

    def __init__(self, inner: Door) -> None:
        self._inner = inner

    def tls(self) -> ServerTls:
        """One that is shown is still verified."""
        return replace(self._inner.tls(), require="optional")


class Stranger(PassingTrust):
    """A `Trust` that takes who shows nothing for somebody."""

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Listed when there is nothing to look up."""
        return (
            TrustVerdict.LISTED if certificate is None else self._inner.judge(certificate, now=now)
        )


@mutant(
    "certificat-client-facultatif",
    breaks="Les images sont servies à qui ne montre aucun certificat client.",
    requirements=("DB.SO.98", "DB.SO.99"),
    consequences=("KIT-SEC-TLS-25",),
)
def client_certificate_optional(parts: Parts) -> Parts:
    """Mutual TLS, for those who like."""
    return replace(parts, door=Ajar(parts.door), trust=Stranger(parts.trust))


class Credulous:
    """A `Door` that trusts the authority of its own certificate for those of its clients."""

    def __init__(self, inner: Door) -> None:
        self._inner = inner

    def tls(self) -> ServerTls:
        """The pinned authority, and the issuers that the server's own certificate brings."""
        right = self._inner.tls()
        assert right.client_ca is not None
        pinned = right.client_ca.read_bytes()
        both = right.client_ca.with_name(f"{right.certificate.stem}-autorites.pem")
        # The market's bundle stands beside IGC-Santé's, as the bench writes them.
        market = right.client_ca.with_name("market-trust.pem").read_bytes()
        both.write_bytes(pinned + market)
        return replace(right, client_ca=both)


class Credited:
    """A `Revocation` for which a certificate without a path to IGC-Santé is good."""

    def __init__(self, inner: Revocation) -> None:
        self._inner = inner

    async def judge(self, certificate: bytes) -> Standing:
        """Right of what IGC-Santé signed."""
        standing = await self._inner.judge(certificate)
        return Standing.GOOD if standing is Standing.BROKEN else standing


@mutant(
    "autorite-du-marche-admise",
    breaks="Un certificat client du marché ouvre la porte comme un certificat de l'IGC-Santé.",
    requirements=("DB.SO.98",),
    # A person's authority is no pinned one either.
    consequences=("KIT-SEC-TLS-06",),
)
def market_clients_accepted(parts: Parts) -> Parts:
    """The wrong authority vouches for a DN of the list."""
    return replace(parts, door=Credulous(parts.door), revocation=Credited(parts.revocation))


class Forgetful:
    """A `Revocation` that never reads a CRL."""

    def __init__(self, inner: Revocation) -> None:
        self._inner = inner

    async def judge(self, certificate: bytes) -> Standing:
        """What TLS let in is good, whatever its authority said since."""
        standing = await self._inner.judge(certificate)
        return Standing.GOOD if standing is Standing.REVOKED else standing


@mutant(
    "revocation-ignoree",
    breaks="Les images sont servies à un certificat client que son autorité a révoqué.",
    requirements=("KIT-REVOCATION",),
    consequences=("KIT-SEC-TLS-11",),
)
def revocation_ignored(parts: Parts) -> Parts:
    """A stolen key opens the door until its certificate expires."""
    return replace(parts, revocation=Forgetful(parts.revocation))


class Shy:
    """A `Showcase` that shows nothing readable."""

    def describe(self, *, as_json: bool) -> tuple[str, bytes]:
        """A page for people."""
        return "text/html", b"<html><body>DRIMbox</body></html>"


@mutant(
    "capacites-illisibles",
    breaks="La demande de capacités rend une page HTML au lieu du WADL ou de sa forme JSON.",
    requirements=("DB.SO.103",),
)
def capabilities_unreadable(parts: Parts) -> Parts:
    """Whoever watches over the network cannot tell that the service lives."""
    return replace(parts, showcase=Shy())


# With which token ------------------------------------------------------------------------------


class Tolerant:
    """A `Bearer` for which no token is one too."""

    def __init__(self, inner: Bearer) -> None:
        self._inner = inner

    def read(self, authorization: Sequence[str]) -> str | Denied:
        """ "" when nothing is shown."""
        return self._inner.read(authorization) if authorization else ""


class Anonymous:
    """`Tokens` that take who shows none for a radiologist."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """PSC is asked about tokens only."""
        return await self._inner.check(token, now=now) if token else _RADIOLOGIST


@mutant(
    "jeton-facultatif",
    breaks="Une demande sans jeton est servie ; ceux que l'on montre sont vérifiés.",
    requirements=("DB.SO.33", "KIT-SEC-TOK-04", "KIT-SEC-HLT-02"),
    consequences=("KIT-SEC-HLT-03",),
)
def token_optional(parts: Parts) -> Parts:
    """The trust space is thought to be proof enough."""
    return replace(parts, bearer=Tolerant(parts.bearer), tokens=Anonymous(parts.tokens))


class NeverAsked:
    """`Tokens` that are believed without asking PSC."""

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """Accepted, whatever it is."""
        return _RADIOLOGIST


@mutant(
    "jeton-non-verifie",
    breaks="Le jeton n'est soumis à aucune introspection : il est cru, et son porteur avec lui.",
    requirements=("DB.SO.33", "DB.SO.34"),
    # The viewer's sessions have no name either.
    consequences=("DB.SO.46", "DB.SO.47", "KIT-SEC-TOK-29", *_BELIEVED_UNREAD),
)
def token_not_introspected(parts: Parts) -> Parts:
    """A header that looks right is enough."""
    return replace(parts, tokens=NeverAsked())


class Believed:
    """`Tokens` that PSC is asked about, and that are believed all the same on what they say."""

    def __init__(self, inner: Tokens, believes: Callable[[dict[str, object], datetime], bool]):
        self._inner = inner
        self._believes = believes

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """PSC's verdict, unless it is a refusal and the token's own claims convince."""
        verdict = await self._inner.check(token, now=now)
        if isinstance(verdict, Accepted):
            return verdict
        try:
            claims = dict(jose.read(token).claims)
        except RemoteProtocolError:
            return verdict
        return _RADIOLOGIST if self._believes(claims, now) else verdict


def _expired(claims: dict[str, object], now: datetime) -> bool:
    expiry = claims.get("exp")
    return isinstance(expiry, int | float) and expiry <= now.timestamp()


@mutant(
    "jeton-decode",
    breaks="Un jeton bien formé et non expiré est accepté contre l'avis de l'introspection.",
    requirements=("DB.SO.33", "KIT-SEC-TOK-18", "KIT-SEC-TOK-19"),
    consequences=("KIT-SEC-TOK-29", *_BELIEVED_DECODED),
)
def token_only_decoded(parts: Parts) -> Parts:
    """A forged token passes: its signature is nobody's business."""
    return replace(
        parts,
        tokens=Believed(
            parts.tokens,
            lambda claims, now: claims.get("typ") == "Bearer" and not _expired(claims, now),
        ),
    )


@mutant(
    "jeton-expire-accepte",
    breaks="Un jeton expiré est accepté.",
    requirements=("DB.SO.33",),
)
def expired_token_accepted(parts: Parts) -> Parts:
    """`active` false is forgiven to an old token."""
    return replace(parts, tokens=Believed(parts.tokens, _expired))


@mutant(
    "type-de-jeton-ignore",
    breaks="Un jeton de rafraîchissement vaut un jeton d'accès.",
    requirements=("DB.SO.33",),
)
def token_type_ignored(parts: Parts) -> Parts:
    """`typ` is not read."""
    return replace(
        parts, tokens=Believed(parts.tokens, lambda claims, now: claims.get("typ") == "Refresh")
    )


class AnyProfession:
    """`Tokens` whose holders are all physicians."""

    def __init__(self, inner: Tokens) -> None:
        self._inner = inner

    async def check(self, token: str, *, now: datetime) -> TokenVerdict:
        """The right verdict, with one more profession."""
        verdict = await self._inner.check(token, now=now)
        if isinstance(verdict, Denied) or _PHYSICIAN in verdict.professions:
            return verdict
        return replace(verdict, professions=(*verdict.professions, _PHYSICIAN))


@mutant(
    "profession-ignoree",
    breaks="La profession du porteur du jeton n'est pas vérifiée.",
    requirements=("DB.SO.34",),
)
def profession_ignored(parts: Parts) -> Parts:
    """Every professional sees every image."""
    return replace(parts, tokens=AnyProfession(parts.tokens))


# For what --------------------------------------------------------------------------------------


class OutsideKos:
    """A `Catalogue` that serves any series of a published study."""

    def __init__(self, inner: Catalogue, examinations: Examinations) -> None:
        self._inner = inner
        self._examinations = examinations

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """What the KOS lets out, else what the PACS holds of that series."""
        served = self._inner.resolve(resource, kos_uid)
        study = self._inner.resolve(replace(resource, series=None, instance=None), kos_uid)
        if isinstance(served, Served) or isinstance(study, Denied):
            return served
        found = _in_pacs(self._examinations, resource)
        return replace(study, series_uid=resource.series, instances=found) if found else served


@mutant(
    "serie-hors-kos",
    breaks="Une série du PACS que le KOS ne référence pas est rendue.",
    requirements=("DB.SO.32",),
)
def series_outside_kos(parts: Parts) -> Parts:
    """What came into the study after its publication is served too."""
    return replace(parts, catalogue=OutsideKos(parts.catalogue, parts.examinations))


class StaleKos:
    """A `Catalogue` that takes any KOS identifier for that in force."""

    def __init__(self, inner: Catalogue, archive: Archive) -> None:
        self._inner = inner
        self._archive = archive

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """As if the current KOS had been named."""
        current = self._archive.current(resource.study)
        return self._inner.resolve(resource, current.kos_uid if current else kos_uid)


@mutant(
    "kos-perime-accepte",
    breaks="L'en-tête KOS-SOPInstanceUID n'est pas comparé au KOS conservé.",
    requirements=("DB.SO.38",),
)
def stale_kos_accepted(parts: Parts) -> Parts:
    """Any identifier opens the exam."""
    return replace(parts, catalogue=StaleKos(parts.catalogue, parts.archive))


class Unpublished:
    """A `Catalogue` that serves studies of the PACS that no KOS ever named."""

    def __init__(self, inner: Catalogue, archive: Archive, examinations: Examinations) -> None:
        self._inner = inner
        self._archive = archive
        self._examinations = examinations

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """The right answer, but for a study without KOS: it borrows the entry of the KOS named."""
        served = self._inner.resolve(resource, kos_uid)
        entry = self._archive.by_kos(kos_uid)
        if self._archive.current(resource.study) is not None or entry is None:
            return served
        found = _in_pacs(self._examinations, resource)
        if not found:
            return served
        return Served(
            entry=replace(entry, study_uid=resource.study),
            series_uid=resource.series,
            instance_uid=resource.instance,
            instances=found,
        )


@mutant(
    "examen-jamais-publie",
    breaks="Les images d'un examen qui n'a donné lieu à aucun KOS sont rendues.",
    requirements=("DB.SO.37",),
)
def unpublished_exam_served(parts: Parts) -> Parts:
    """The PACS is open to who holds any KOS."""
    return replace(parts, catalogue=Unpublished(parts.catalogue, parts.archive, parts.examinations))


def _in_pacs(examinations: Examinations, resource: Resource) -> frozenset[str]:
    """The instances of a series that the PACS holds."""
    study = examinations.find(resource.study, ())
    return frozenset(
        instance.sop_instance
        for series in (study.series if study else ())
        if series.uid == resource.series
        for instance in series.instances
    )
