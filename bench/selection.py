"""Which scenarios a user asks for: ids, requirements, tags, domains, roles, suites.

Every word must name something: a campaign that plays nothing of what was asked is no campaign.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from bench.errors import BenchError
from bench.gate import ROLES, SECURITY, Pickle
from spec.requirements import resolve
from spec.security import ROWS
from spec.socle import ROWS as SOCLE_ROWS

__all__ = ["SUITES", "SelectionError", "select"]

SOCLE = "socle"

SUITES: Mapping[str, Sequence[str]] = {name: (name,) for name in sorted({*ROLES, SECURITY, SOCLE})}
"""Those that need no profile: what judges a Source, or a Consumer; what attacks either; what the
wire shows of the socle."""


_ATTACKS = frozenset(row.requirement_id for row in ROWS.values())
_SOCLE = frozenset(id for row in SOCLE_ROWS.values() for id in row.played)


class SelectionError(BenchError):
    """A word that names no scenario."""


def select(
    pickles: Iterable[Pickle],
    words: Sequence[str],
    *,
    suites: Mapping[str, Sequence[str]] | None = None,
    suite: str = "",
) -> frozenset[str]:
    """The ids of the scenarios that one word at least names; without words all of them, but the
    attacks, which are played when they are asked for.

    Args:
        words: scenario ids, or what several begin with up to a hyphen (an outline's rows, a
            family); requirements in any spelling, tags, domains or roles.
        suites: the profile's, name -> words; one of theirs hides one of `SUITES`.
        suite: one of either; words beside it add to it.

    Raises:
        SelectionError: a word, or the suite, names nothing.
    """
    asked = [*words, *_words_of(suite, {**SUITES, **(suites or {})})]
    named = [(pickle, _names(pickle)) for pickle in pickles]
    if not asked:
        return frozenset(pickle.scenario for pickle, _ in named if pickle.domain != SECURITY)
    found: set[str] = set()
    for word in asked:
        requirement = resolve(word)
        name = (requirement.id if requirement else word).removeprefix("@")
        matched = {
            pickle.scenario
            for pickle, names in named
            if name in names or pickle.scenario.startswith(f"{name}-")
        }
        if not matched:
            raise SelectionError(_nothing(word, name, requirement is not None, named))
        found |= matched
    return frozenset(found)


def _words_of(suite: str, suites: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if not suite:
        return ()
    if suite not in suites:
        known = ", ".join(sorted(suites))
        raise SelectionError(f"suite « {suite} » inconnue ; celles-ci le sont : {known}")
    return suites[suite]


def _names(pickle: Pickle) -> frozenset[str]:
    """Everything by which a scenario may be called: an attack by no role, and whatever plays a row
    of the security catalogue, or of the socle, by its suite."""
    tags = frozenset(pickle.tags) - (ROLES if pickle.domain == SECURITY else frozenset())
    attack = {SECURITY} if not _ATTACKS.isdisjoint(tags) else set()
    socle = {SOCLE} if not _SOCLE.isdisjoint(tags) else set()
    return tags | {pickle.domain} | attack | socle


def _nothing(
    word: str, name: str, known: bool, named: Sequence[tuple[Pickle, frozenset[str]]]
) -> str:
    if known:
        return f"aucun scénario ne porte l'exigence {name} (drimbench req show {name})"
    every = sorted({one for _, names in named for one in names})
    near = get_close_matches(name, every, n=3, cutoff=0.6)
    advice = f" ; peut-être {', '.join(near)}" if near else ""
    return f"« {word} » ne nomme aucun scénario{advice} (drimbench list)"
