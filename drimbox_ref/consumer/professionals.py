"""Who a userinfo answer describes: identity, and every exercise situation (DB.CO.49, DB.CO.92).

Réf.: userinfo schema of the ANS proofs of concept (`SubjectRefPro`), grade: sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drimbox_ref.consumer.values import Professional, Situation
from drimbox_ref.psc_login import LoginRefused

__all__ = ["UserinfoSituations"]

_ALIASES = (
    "identifiantTechniqueDeLaStructure",
    "numeroSiretSite",
    "numeroFinessSite",
    "numeroFinessetablissementJuridique",
)
"""Other names of a structure that a RIS may know it by."""


class UserinfoSituations:
    """Reads `SubjectRefPro`; top-level members describe one activity only and are not used."""

    def read(self, userinfo: Mapping[str, Any]) -> Professional:
        """The professional of a userinfo answer."""
        identifier = _text(userinfo, "SubjectNameID") or _text(userinfo, "preferred_username")
        if not identifier:
            raise LoginRefused("Pro Santé Connect n'a pas donné l'identifiant du professionnel.")
        found: dict[str, Situation] = {}
        for situation in _situations(userinfo):
            found.setdefault(situation.key, situation)
        return Professional(
            id=identifier,
            family=_text(userinfo, "family_name"),
            given=_text(userinfo, "given_name"),
            situations=tuple(found.values()),
        )

    def match(self, professional: Professional, wanted: str) -> tuple[Situation, ...]:
        """The situations in the structure of that identifier."""
        return tuple(
            situation
            for situation in professional.situations
            if wanted == situation.structure or wanted in situation.aliases
        )


def _situations(userinfo: Mapping[str, Any]) -> Iterator[Situation]:
    """Situations that name a structure and a profession: the DMP lets nobody else search."""
    reference = userinfo.get("SubjectRefPro")
    for exercise in _objects(reference, "exercices"):
        profession = _text(exercise, "codeProfession")
        for activity in _objects(exercise, "activities"):
            structure = _text(activity, "ancienIdentifiantDeLaStructure")
            if not structure or not profession:
                continue
            aliases = (_text(activity, name) for name in _ALIASES)
            yield Situation(
                structure=structure,
                aliases=frozenset(alias for alias in aliases if alias),
                label=_text(activity, "raisonSocialeSite") or structure,
                sector=_text(activity, "codeSecteurDactivite"),
                profession=profession,
                specialty=_text(exercise, "codeSavoirFaire"),
                family=_text(exercise, "nomDexercice") or _text(userinfo, "family_name"),
                given=_text(exercise, "prenomDexercice") or _text(userinfo, "given_name"),
            )


def _objects(parent: object, name: str) -> Iterator[Mapping[str, Any]]:
    values = parent.get(name) if isinstance(parent, Mapping) else None
    for value in values if isinstance(values, list) else ():
        if isinstance(value, Mapping):
            yield value


def _text(parent: Mapping[str, Any], name: str) -> str:
    value = parent.get(name)
    return value.strip() if isinstance(value, str) else ""
