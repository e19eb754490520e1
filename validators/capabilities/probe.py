"""The health check: open to a probe, truthful, and silent on everything else.

The request of the ANS's own client has no Authorization. No text fixes the body: what is said of
it here is our reading, but that a service that is down does not answer 200.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice
from urllib.parse import urlsplit

from spec.grade import Grade, Reference
from validators.capabilities.reading import Capabilities
from validators.capabilities.rules import CAPABILITIES, OWN, Findings
from validators.examples import capabilities as example
from validators.finding import Severity
from validators.identifiers import is_matricule
from validators.json_document import JsonObject
from validators.rule import Broken

__all__: list[str] = []

_DRY_RUN = Reference(
    "DRIM-M_DATA, test à blanc, Simulateur client healthcheck",
    "OK_Healthcheck_Request",
    Grade.SAMPLE,
)
_HEALTH = Reference("Démonstrateur DRIMbox de l'ANS", "/q/health", Grade.DEMONSTRATOR)
_MANY, _SHOWN = 2000, 10
_UID = re.compile(r"\d+(?:\.\d+){5,}", re.ASCII)


@CAPABILITIES.rule(
    "CAPA-020",
    "La sonde est servie sans jeton",
    reference=_DRY_RUN,
    good=lambda: example.http(example.health(), media_type="application/json"),
    bad=lambda: example.http(
        example.health(), status="401 Unauthorized", media_type="application/json"
    ),
)
def open_to_probes(answer: Capabilities) -> Findings:
    # One that filters addresses must follow the list of the probes (ANS FAQ on the météo).
    if answer.status in (401, 403, 407):
        yield Broken(
            message="La météo des services verrait cette DRIMbox hors service.",
            expected="200",
            actual=str(answer.status),
            where="ligne de statut",
        )


@CAPABILITIES.rule(
    "CAPA-021",
    "Un service qui se dit arrêté ne répond pas par un succès",
    reference=_HEALTH,
    severity=Severity.WARNING,
    good=lambda: example.http(example.health(), media_type="application/json"),
    bad=lambda: example.http(example.health("DOWN"), media_type="application/json"),
)
def truthful(answer: Capabilities) -> Findings:
    state = None if answer.document is None else answer.document.get("status")
    if answer.status == 200 and isinstance(state, str) and state.upper() == "DOWN":
        yield Broken(
            message="Qui ne lit que le statut HTTP croit ce service vivant.",
            expected="503",
            actual="200, DOWN",
            where="status",
        )


@CAPABILITIES.rule(
    "CAPA-022",
    "Le corps d'une sonde ne dit ni version, ni adresse interne, ni identifiant de patient",
    reference=OWN,
    severity=Severity.WARNING,
    good=example.health,
    bad=lambda: example.health(version="4.2.1"),
)
def discreet(answer: Capabilities) -> Findings:
    if answer.document is None or answer.describes:
        return
    told = (
        (path, what)
        for path, value in islice(_leaves(answer.document), _MANY)
        if (what := _secret(path.rpartition("/")[2], value))
    )
    for path, what in islice(told, _SHOWN):
        yield Broken(message=f"Une sonde sans jeton apprend {what}.", where=path[:200])


def _leaves(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Path and text of each text of a document."""
    pending: list[tuple[str, object]] = [("", document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((f"{path}/{str(key)[:80]}", inner) for key, inner in value.items())
        elif isinstance(value, list):
            pending.extend((f"{path}/{rank}", inner) for rank, inner in enumerate(value))
        elif isinstance(value, str):
            yield path, value


def _secret(name: str, value: str) -> str:
    """What a text gives away, "" when nothing."""
    if "version" in name.lower():
        return "la version du produit"
    if is_matricule(value):
        return "un matricule"
    if _UID.fullmatch(value):
        return "un identifiant d'objet"
    return "une adresse interne" if _is_internal(value) else ""


def _is_internal(value: str) -> bool:
    try:
        host = urlsplit(value).hostname if "//" in value else value.rpartition(":")[0] or value
        return ip_address(host or "").is_private
    except ValueError:
        return False
