"""Sources that tell nobody: alerts and audit events that never come, or say nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Audit
from drimbox_ref.trail import Alert, AuditEvent
from mutants.registry import mutant
from mutants.source.passing import PassingAlerts

__all__: list[str] = []


class Silent(PassingAlerts):
    """`Alerts` that keep none."""

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Said to be kept."""
        return True


@mutant(
    "sans-alerte",
    breaks="L'administrateur n'est jamais alerté.",
    requirements=("DB.SO.21",),
    consequences=("DB.SO.15", "KIT-SEC-HL7-03"),
)
def without_alert(parts: Parts) -> Parts:
    """Failures are traced, nobody is told."""
    return replace(parts, alerts=Silent(parts.alerts))


class Edited:
    """An `Audit` whose events are changed, or dropped when the change gives None."""

    def __init__(self, inner: Audit, change: Callable[[AuditEvent], AuditEvent | None]) -> None:
        self._inner = inner
        self._change = change

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """Keep what the change leaves of the event."""
        changed = self._change(event)
        if changed is not None:
            self._inner.record(changed, now=now)

    def everything(self, limit: int) -> tuple[Mapping[str, object], ...]:
        """As it should."""
        return self._inner.everything(limit)


def _without(name: str) -> Callable[[AuditEvent], AuditEvent | None]:
    """Drop the successes of that event."""
    return lambda event: None if event.event == name and event.outcome == 0 else event


@mutant(
    "reception-non-tracee",
    breaks="La réception du compte rendu n'est pas tracée.",
    requirements=("DB.SO.43",),
)
def reception_untraced(parts: Parts) -> Parts:
    """No RAD-128 event."""
    return replace(parts, audit=Edited(parts.audit, _without("RAD-128")))


@mutant(
    "publication-non-tracee",
    breaks="La publication du KOS n'est pas tracée.",
    requirements=("DB.SO.44",),
)
def publication_untraced(parts: Parts) -> Parts:
    """No ITI-41 event of outcome 0."""
    return replace(parts, audit=Edited(parts.audit, _without("ITI-41")))


@mutant(
    "acces-non-trace",
    breaks="Les images rendues ne sont pas tracées.",
    requirements=("DB.SO.46",),
)
def access_untraced(parts: Parts) -> Parts:
    """No ITI-43 event of outcome 0."""
    return replace(parts, audit=Edited(parts.audit, _without("ITI-43")))


@mutant(
    "echec-sans-raison",
    breaks="Les échecs sont tracés sans EventOutcomeDescription.",
    requirements=("DB.SO.45",),
    consequences=("DB.SO.47",),
)
def failure_without_reason(parts: Parts) -> Parts:
    """An outcome, and nothing to understand it by."""
    return replace(parts, audit=Edited(parts.audit, lambda event: replace(event, description="")))


@mutant(
    "acces-anonyme",
    breaks="Les images rendues sont tracées sans le nom de qui les a demandées.",
    requirements=("KIT-SEC-TRC-02",),
    consequences=("DB.SO.46", "DB.SO.47"),
)
def access_unnamed(parts: Parts) -> Parts:
    """Somebody saw them."""
    return replace(parts, audit=Edited(parts.audit, lambda event: replace(event, subject="")))


class Lined(Edited):
    """An `Audit` that keeps a line of text for each event: what goes on behind the end of a line is
    the next event."""

    def __init__(self, inner: Audit) -> None:
        super().__init__(inner, lambda event: event)

    def record(self, event: AuditEvent, *, now: datetime) -> None:
        """The event, then whatever its address goes on with."""
        super().record(event, now=now)
        for line in unquote(event.objects.get("path", "")).splitlines()[1:]:
            super().record(replace(event, event=line, outcome=0, objects={}), now=now)


@mutant(
    "trace-en-lignes",
    breaks="Un retour à la ligne dans ce qui est demandé commence un autre événement de la trace.",
    requirements=("KIT-SEC-TRC-01",),
)
def forged_lines(parts: Parts) -> Parts:
    """What a log file does that escapes nothing."""
    return replace(parts, audit=Lined(parts.audit))
