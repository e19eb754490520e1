"""The reference page of the security catalogue: each attack, and who judges it."""

from __future__ import annotations

from drimbench.coverage import Coverage
from drimbench.markdown import listed, row
from spec.security import FAMILIES, ROWS, Judged, Row

__all__ = ["DEFAULT_PATH", "security_page"]

DEFAULT_PATH = "docs/reference/securite.md"
_HEAD = """# Catalogue de sécurité

Page produite par `drimbench docs security` : ne pas la modifier à la main.

{rows} façons d'entrer par effraction dans une DRIMbox ou chez ses voisins. `drimbench run --suite
securite` joue les {automatic} que le fil peut montrer ; {review} reviennent à une personne, dont le
mode opératoire est écrit ici ; {skip} ne se jouent pas, pour la raison dite. Une ligne jouée qui a
aussi un mode opératoire dit ce que le banc n'en joue pas.

Chaque tentative est encadrée par la même demande, juste, sur le même accès. Refusée dans la poignée
de main ou par HTTP 4xx, c'est tout un ; une Source éteinte, muette, en 5xx (hors 503 quand ce dont
elle dépend est arrêté) ou qui rend 200 sans image n'a rien refusé. Un refus ne livre ni octet
DICOM, ni pile d'exécution, ni version de produit, et laisse une trace.

Gravité : **H**, accès, fuite d'un jeton ou d'images, exécution ; **M**, arrêt du service,
cryptographie faible, trace absente ; **L**, information ou mauvais code. La source du texte est
celle des règles (`inferred` : aucun texte public, c'est notre lecture)."""
_TABLE = """
## {title} ({family})

| ligne | gravité | tentative | attendu | source | scénarios | à la main, ou pourquoi pas |
|---|---|---|---|---|---|---|"""


def security_page(coverage: Coverage) -> str:
    """The page, in Markdown."""
    judged = [one.judged for one in ROWS.values()]
    lines = [
        _HEAD.format(
            rows=len(judged),
            automatic=judged.count(Judged.AUTOMATIC),
            review=judged.count(Judged.REVIEW),
            skip=judged.count(Judged.SKIP),
        )
    ]
    for family, title in FAMILIES.items():
        lines.append(_TABLE.format(title=title, family=family))
        lines += [_line(one, coverage) for one in ROWS.values() if one.family == family]
    return "\n".join([*lines, ""])


def _line(one: Row, coverage: Coverage) -> str:
    return row(
        one.id,
        one.severity,
        one.stimulus,
        one.expected,
        one.grade,
        listed(coverage.scenarios_of(one.requirement_id)),
        one.manual,
    )
