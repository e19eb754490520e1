"""What a box has already done, from the journal of a `serve`: whom it reached, whom it did not.

Only its own connections say which addresses it was really given: nothing from outside shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.bed import Bed
from bench.checks import Check, State, fault, good
from bench.journal import Event, Journal
from validators.finding import Cause

__all__ = ["examine_journal"]


@dataclass(frozen=True, slots=True)
class _Service:
    """A simulator, as it is called in the journal and for a reader, and who must reach it."""

    actor: str
    name: str
    roles: frozenset[str]


_BOTH = frozenset({"source", "consumer"})
_SERVICES: Final = (
    _Service("ans", "liste blanche", _BOTH),
    _Service("psc", "Pro Santé Connect", _BOTH),
    _Service("dmp", "DMP", _BOTH),
    _Service("pacs", "PACS", frozenset({"source"})),
    _Service("pacs-local", "PACS local", frozenset({"consumer"})),
)
_REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "UNKNOWN_CA": (
        "elle ne reconnaît pas l'autorité du serveur",
        "lui faire connaître confiance/marche.pem",
    ),
    "BAD_CERTIFICATE": (
        "elle refuse le certificat du serveur",
        "lui faire connaître confiance/marche.pem, et joindre le serveur par l'adresse donnée",
    ),
    "CERTIFICATE_UNKNOWN": (
        "elle refuse le certificat du serveur",
        "lui faire connaître confiance/marche.pem, et joindre le serveur par l'adresse donnée",
    ),
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "elle ne montre aucun certificat",
        "lui donner le certificat client que « serve » a écrit",
    ),
    "CERTIFICATE_VERIFY_FAILED": (
        "son certificat n'est pas reconnu",
        "lui donner le certificat client que « serve » a écrit, avec sa chaîne",
    ),
}
"""End of an OpenSSL reason -> what it means, and what to do."""


def examine_journal(bed: Bed, folder: Path) -> Iterator[Check]:
    """One check for each service that the claimed boxes must reach.

    Raises:
        JournalError: no journal in the folder.
    """
    met: dict[str, list[Event]] = {}
    for event in Journal(folder).of("exchange"):
        if event.fields["direction"] == "in":
            met.setdefault(event.fields["actor"], []).append(event)
    for service in _SERVICES:
        if service.roles & bed.claimed and not (service.actor == "pacs" and bed.native):
            yield _check(service.name, met.get(service.actor, []))


def _check(name: str, met: list[Event]) -> Check:
    title = f"vu par {name}"
    answered = [one for one in met if one.fields["outcome"] == "answered"]
    if answered:
        last = answered[-1]
        return good(title, f"{len(answered)} échange(s), le dernier à {last.utc:%H:%M:%S} UTC")
    if not met:
        return Check(
            name=title,
            state=State.WARN,
            cause=Cause.BOX,
            message="la boîte ne s'y est pas encore connectée",
            advice="vérifier l'adresse configurée dans la boîte (configuration.md), ou la route",
        )
    return _refused(title, met[-1].fields)


def _refused(title: str, last: Mapping[str, Any]) -> Check:
    reason = str((last["tls"] or {}).get("reason") or last["reason"] or last["outcome"])
    for end, (meaning, advice) in _REASONS.items():
        if reason.endswith(end):
            return fault(title, Cause.BOX, f"jamais répondu : {meaning} ({reason})", advice)
    return fault(
        title,
        Cause.BOX,
        f"jamais répondu, la dernière fois : {reason}",
        "ouvrir cet échange dans la page locale de « drimbench serve »",
    )
