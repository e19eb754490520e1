"""Sources that a stranger gets into: a row of the security catalogue each, or several."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Door, Trust
from drimbox_ref.source.values import TrustVerdict
from mutants.registry import mutant
from mutants.source.passing import PassingAlerts, PassingTrust
from protocols.dn import dn
from protocols.pki import ChainError, read_certificate
from wire.tls import ServerTls

__all__: list[str] = []

_LISTS = tuple(
    f"KIT-SEC-WL-{number}"
    for number in ("01", "02", "04", "05", "06", "07", "08", "09", "10", "11", "13", "15")
)
"""The rows of lists that name somebody who must not be let in."""


class Wide:
    """A `Door` that asks nobody for a certificate."""

    def __init__(self, inner: Door) -> None:
        self._inner = inner

    def tls(self) -> ServerTls:
        """TLS in one direction."""
        return replace(self._inner.tls(), require="none")


class Nameless(PassingTrust):
    """A `Trust` that has no name to look up, and lets everybody in."""

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """Listed, always."""
        return TrustVerdict.LISTED


@mutant(
    "sans-tls-mutuel",
    breaks="La Source ne demande à personne de certificat client.",
    requirements=(
        "KIT-SEC-TLS-02",
        "KIT-SEC-TLS-04",
        "KIT-SEC-TLS-05",
        "KIT-SEC-TLS-06",
        "KIT-SEC-TLS-08",
        "KIT-SEC-TLS-14",
        "KIT-SEC-TLS-15",
        "KIT-SEC-TLS-25",
    ),
    consequences=(
        "KIT-SEC-TLS-11",
        "KIT-SEC-TLS-19",
        "DB.SO.98",
        "DB.SO.99",
        "KIT-LISTE-BLANCHE",
        "KIT-REVOCATION",
        "KIT-SEC-TLS-17",
        "KIT-SEC-TLS-18",
        "KIT-SEC-WL-03",
        "KIT-SEC-WL-16",
        *_LISTS,
    ),
)
def one_way(parts: Parts) -> Parts:
    """Whatever is shown, and whatever is wrong with it, nobody has looked."""
    return replace(parts, door=Wide(parts.door), trust=Nameless(parts.trust))


class Approximate(PassingTrust):
    """A `Trust` that looks for something of a name in what it has seen listed."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        self._listed: set[str] = set()

    async def refresh(self) -> bool:
        """As it should; names of the list before are no names of this one."""
        new = await super().refresh()
        if new:
            self._listed.clear()
        return new

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """The right verdict, which teaches a name, or one that a name brings to mind."""
        verdict = self._inner.judge(certificate, now=now)
        name = _name(certificate)
        if verdict is TrustVerdict.LISTED:
            self._listed.add(self.kept(name))
        elif verdict is TrustVerdict.UNLISTED and self.reminds(name):
            return TrustVerdict.LISTED
        return verdict

    def kept(self, name: str) -> str:
        """What is kept of a listed name."""
        return name

    def reminds(self, name: str) -> bool:
        """Whether another name is one of those."""
        raise NotImplementedError


class Caseless(Approximate):
    """The whole name, in any case."""

    def kept(self, name: str) -> str:
        """In small letters."""
        return name.casefold()

    def reminds(self, name: str) -> bool:
        """In small letters too."""
        return name.casefold() in self._listed


@mutant(
    "dn-sans-casse",
    breaks="Le DN du certificat client est comparé à la liste sans égard à la casse.",
    requirements=("KIT-SEC-TLS-17",),
)
def case_ignored(parts: Parts) -> Parts:
    """The directory's rule, which no text of the trust space makes its own."""
    return replace(parts, trust=Caseless(parts.trust))


class ByHost(Approximate):
    """The CN alone."""

    def kept(self, name: str) -> str:
        """As `dn` writes it, the CN comes first."""
        return name.partition(",")[0]

    def reminds(self, name: str) -> bool:
        """Whatever the structure."""
        return name.partition(",")[0] in self._listed


@mutant(
    "cn-seul",
    breaks="Seul le CN du certificat client est comparé à la liste blanche.",
    requirements=("KIT-SEC-TLS-18",),
    consequences=("KIT-SEC-TLS-17",),
)
def host_alone(parts: Parts) -> Parts:
    """A host of the network, of whoever asks for such a certificate."""
    return replace(parts, trust=ByHost(parts.trust))


class Wavering(PassingTrust):
    """A `Trust` that lets in a certificate that it does not know every other time."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        self._first: dict[str, str] = {}
        self._times: Counter[str] = Counter()

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """The first certificate of a name is right each time."""
        verdict = self._inner.judge(certificate, now=now)
        if verdict is not TrustVerdict.LISTED or certificate is None:
            return verdict
        mark = hashlib.sha256(certificate).hexdigest()
        if self._first.setdefault(_name(certificate), mark) == mark:
            return verdict
        self._times[mark] += 1
        return verdict if self._times[mark] % 2 else TrustVerdict.UNLISTED


@mutant(
    "une-fois-sur-deux",
    breaks="Un second certificat du même nom est accepté une fois sur deux.",
    requirements=("KIT-SEC-TLS-07", "KIT-SEC-TLS-12"),
)
def every_other_time(parts: Parts) -> Parts:
    """Two servers behind one name, of two settings."""
    return replace(parts, trust=Wavering(parts.trust))


# What the agency publishes ------------------------------------------------------------------------


class Failing(PassingTrust):
    """A `Trust` that changes its mind when the last list that it fetched was refused."""

    def __init__(self, inner: Trust, instead: TrustVerdict) -> None:
        super().__init__(inner)
        self._instead = instead
        self._good = True

    async def refresh(self) -> bool:
        """As it should, and remembered."""
        self._good = await self._inner.refresh()
        return self._good

    def judge(self, certificate: bytes | None, *, now: datetime) -> TrustVerdict:
        """As it should while all goes well."""
        return self._inner.judge(certificate, now=now) if self._good else self._instead


@mutant(
    "liste-refusee-porte-ouverte",
    breaks="Quand la liste blanche est refusée, la Source ne cherche plus personne dans aucune.",
    requirements=_LISTS,
)
def fails_open(parts: Parts) -> Parts:
    """So that care goes on: of whoever asks."""
    return replace(parts, trust=Failing(parts.trust, TrustVerdict.LISTED))


@mutant(
    "liste-refusee-porte-fermee",
    breaks="Une liste blanche refusée emporte la précédente : plus aucune DRIMbox n'est servie.",
    requirements=("KIT-SEC-WL-13",),
    consequences=_LISTS,
)
def forgets_the_good_one(parts: Parts) -> Parts:
    """One bad night of the agency's stops the network."""
    return replace(parts, trust=Failing(parts.trust, TrustVerdict.NO_LIST))


class Silent(PassingAlerts):
    """`Alerts` that tell nobody of the white list."""

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """All else."""
        return tuple(
            one for one in self._inner.everything(limit) if "liste" not in str(one).casefold()
        )


@mutant(
    "liste-refusee-sans-alerte",
    breaks="Une liste blanche refusée n'est dite à personne.",
    requirements=("KIT-SEC-WL-01",),
    consequences=_LISTS,
)
def refused_in_silence(parts: Parts) -> Parts:
    """The last good list ages, and nobody knows."""
    return replace(parts, alerts=Silent(parts.alerts))


class Once(PassingTrust):
    """A `Trust` that fetches its list when it starts, and never again."""

    def __init__(self, inner: Trust) -> None:
        super().__init__(inner)
        self._good = False

    async def refresh(self) -> bool:
        """Until it went well."""
        self._good = self._good or await self._inner.refresh()
        return self._good


@mutant(
    "liste-jamais-relue",
    breaks="La liste blanche n'est lue qu'au démarrage de la Source.",
    requirements=("KIT-SEC-WL-12",),
)
def read_once(parts: Parts) -> Parts:
    """Who left the network is served until the next start."""
    return replace(parts, trust=Once(parts.trust))


def _name(certificate: bytes | None) -> str:
    try:
        return dn(read_certificate(certificate)) if certificate else ""
    except ChainError:
        return ""
