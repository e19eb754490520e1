"""Ce qu'un opérateur fait ou constate, et ce qu'on attend d'une boîte lente."""

from __future__ import annotations

from pytest_bdd import given, parsers, then, when

from bench.attending import ask, await_exchanges, instruct
from bench.stage import Stage

_GESTURE = parsers.re(
    r"l'opérateur (?P<gesture>[^(]+?)"
    r"( \(attente « (?P<name>[\w.-]+) », (?P<seconds>\d+) secondes\))?"
)
_AWAITED = parsers.re(
    r"(?P<count>\d+) échanges? (?P<transaction>\S+) (est|sont) attendus? "
    r"\(attente « (?P<name>[\w.-]+) », (?P<seconds>\d+) secondes\)"
)


@given(_GESTURE)
@when(_GESTURE)
def gesture(stage: Stage, gesture: str, name: str | None, seconds: str | None) -> None:
    """Something only a person can do."""
    what = f"l'opérateur {gesture}"
    instruct(stage, what, identifier=name or "", deadline_s=float(seconds or 0))


@then(parsers.re(r"un opérateur constate (?P<fact>(que |qu').+)"))
def noticed(stage: Stage, fact: str) -> None:
    """Something only a person can judge."""
    ask(stage, f"constater {fact}")


@when(_AWAITED)
@then(_AWAITED)
def awaited(stage: Stage, count: str, transaction: str, name: str, seconds: str) -> None:
    """With a countdown."""
    await_exchanges(stage, transaction, int(count), identifier=name, deadline_s=float(seconds))
