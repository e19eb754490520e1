"""The reference page of the socle: what proves each requirement, and how a proof is attached."""

from __future__ import annotations

from drimbench.coverage import Coverage
from drimbench.markdown import listed, row
from reports.words import MANNERS
from spec.socle import ROWS, Manner, Row

__all__ = ["DEFAULT_PATH", "socle_page"]

DEFAULT_PATH = "docs/reference/socle.md"
_HEAD = """# Exigences du socle rattachées à la DRIMbox

Page produite par `drimbench docs socle` : ne pas la modifier à la main.

{rows} exigences. `drimbench run --suite socle` joue les scénarios que le fil peut montrer :
{scenarios} exigences en ont un, seul ou à côté de ce qu'une personne joint. Le reste se prouve par
un fichier daté, joint à la campagne sous l'identifiant de preuve :

    drimbench attach @1 SSI/GEN.01.01.01 attestation.pdf --by "A. Martin"

Sans identifiant publié, le fichier est joint sous celui de l'exigence. Les textes sont notre
paraphrase de brouillons publics de 2022-2023 ; le niveau de source est celui des règles. Les
attaques éclairent une exigence sans la trancher.

| exigence | profil | demande | source | preuve | ce qu'elle montre | joindre sous | scénarios |
|---|---|---|---|---|---|---|---|"""


def socle_page(coverage: Coverage) -> str:
    """The page, in Markdown."""
    head = _HEAD.format(
        rows=len(ROWS), scenarios=sum(bool(_scenarios(one, coverage)) for one in ROWS.values())
    )
    return "\n".join([head, *(_line(one, coverage) for one in ROWS.values()), ""])


def _scenarios(one: Row, coverage: Coverage) -> list[str]:
    return sorted({name for id in one.played for name in coverage.scenarios_of(id)})


def _line(one: Row, coverage: Coverage) -> str:
    known = one.requirement
    by_hand = one.manner not in (Manner.SCENARIO, Manner.NO_TEXT)
    return row(
        known.id,
        known.profile,
        known.text,
        known.grade,
        MANNERS[one.manner],
        one.proof,
        listed(one.proofs) if by_hand else "",
        listed(_scenarios(one, coverage)),
    )
