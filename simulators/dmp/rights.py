"""Who may do what: the matrix that the DMP server enforces, row by row.

Source: information sheets PDT-INF-526 v1.8 (direct modes, indirect "certificat ES") and
PDT-INF-606 v1.3 (AIR) of the GIE SESAM-Vitale, given for information; grade `sample`. A cell that
the sheets leave empty (bris de glace in indirect mode, modes other than normal for staff) is NO.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from spec.vihf import ModeAcces

__all__ = ["MATRIX", "Grant", "Profile", "Transaction", "grant"]


class Profile(StrEnum):
    """Columns: authentication mode, and who the user is where it matters."""

    INDIRECT = "indirecte, certificat ES"
    AIR_PHYSICIAN = "AIR, médecin"
    AIR_PROFESSIONAL = "AIR, professionnel de santé non médecin"
    AIR_STAFF = "AIR, personnel non PS"
    DIRECT_CPS = "directe, CPS"
    DIRECT_CPE = "directe, CPE"


class Transaction(StrEnum):
    """Rows, by DMP name."""

    EXISTENCE = "TD0.2"
    AUTHORISE = "TD0.3 ajout"
    UNAUTHORISE = "TD0.3 suppression"
    FEED = "TD2.1"
    SEARCH = "TD3.1a"
    FIND_REFERENCE = "TD3.1b"
    READ = "TD3.2"
    READ_MASKED = "TD3.2 masqué aux PS"
    READ_HIDDEN = "TD3.2 invisible, archivé, obsolète ou supprimé"
    MASK = "TD3.3a masquer"
    UNMASK = "TD3.3a démasquer"
    MAKE_VISIBLE = "TD3.3b"
    DELETE = "TD3.3c"
    ARCHIVE = "TD3.3d"


class Grant(StrEnum):
    """Cells."""

    YES = "oui"
    NO = "non"
    OWN = "ses propres documents"
    STRUCTURE = "documents de la structure"
    IF_ALLOWED = "si le patient le permet"


_Y, _N, _OWN = Grant.YES, Grant.NO, Grant.OWN
_STRUCTURE, _IF = Grant.STRUCTURE, Grant.IF_ALLOWED

Cells = tuple[Grant, Grant, Grant]
"""normal, centre_15, bris_de_glace"""

_ALL: Final[Cells] = (_Y, _Y, _Y)
_NEVER: Final[Cells] = (_N, _N, _N)
_NORMAL: Final[Cells] = (_Y, _N, _N)
_NOT_IN_EMERGENCY: Final[Cells] = (_Y, _Y, _N)
_OWN_OR_ALLOWED: Final[Cells] = (_OWN, _IF, _IF)
_OWN_NORMAL: Final[Cells] = (_OWN, _N, _N)
_OWN_ALWAYS: Final[Cells] = (_OWN, _OWN, _OWN)
_STRUCTURE_NORMAL: Final[Cells] = (_STRUCTURE, _N, _N)

_COLUMNS = tuple(Profile)

_ROWS: dict[Transaction, tuple[Cells, Cells, Cells, Cells, Cells, Cells]] = {
    # indirecte, AIR médecin, AIR PS, AIR non PS, CPS médecin, CPE
    Transaction.EXISTENCE: (_NOT_IN_EMERGENCY, _ALL, _ALL, _NORMAL, _ALL, _NORMAL),
    Transaction.AUTHORISE: (_NEVER, _NORMAL, _NORMAL, _NORMAL, _NORMAL, _NORMAL),
    Transaction.UNAUTHORISE: (_NEVER, _NORMAL, _NORMAL, _NEVER, _NORMAL, _NEVER),
    Transaction.FEED: (_NOT_IN_EMERGENCY, _NEVER, _NEVER, _NEVER, _ALL, _NEVER),
    Transaction.SEARCH: (_NEVER, _ALL, _ALL, _NEVER, _ALL, _NEVER),
    Transaction.FIND_REFERENCE: (_NOT_IN_EMERGENCY, _ALL, _ALL, _NORMAL, _ALL, _NORMAL),
    Transaction.READ: (_NEVER, _ALL, _ALL, _NEVER, _ALL, _NEVER),
    Transaction.READ_MASKED: (
        _NEVER,
        _OWN_OR_ALLOWED,
        _OWN_OR_ALLOWED,
        _NEVER,
        _OWN_OR_ALLOWED,
        _NEVER,
    ),
    Transaction.READ_HIDDEN: (_NEVER, _ALL, _ALL, _NEVER, _ALL, _NEVER),
    Transaction.MASK: (_NEVER, _NORMAL, _NORMAL, _NEVER, _NORMAL, _NEVER),
    Transaction.UNMASK: (_NEVER, _OWN_NORMAL, _OWN_NORMAL, _NEVER, _OWN_NORMAL, _NEVER),
    Transaction.MAKE_VISIBLE: (_NEVER, _NORMAL, _NORMAL, _NEVER, _NORMAL, _NEVER),
    Transaction.DELETE: (
        (_STRUCTURE, _STRUCTURE, _N),
        _OWN_ALWAYS,
        _OWN_ALWAYS,
        _STRUCTURE_NORMAL,
        _OWN_ALWAYS,
        _STRUCTURE_NORMAL,
    ),
    Transaction.ARCHIVE: (_NEVER, _ALL, _OWN_NORMAL, _NEVER, (_OWN, _Y, _Y), _NEVER),
}

MATRIX: dict[tuple[Transaction, Profile, ModeAcces], Grant] = {
    (transaction, profile, mode): cell
    for transaction, columns in _ROWS.items()
    for profile, cells in zip(_COLUMNS, columns, strict=True)
    for mode, cell in zip(
        (ModeAcces.NORMAL, ModeAcces.CENTRE_15, ModeAcces.BRIS_DE_GLACE), cells, strict=True
    )
}


def grant(transaction: Transaction, profile: Profile, mode: ModeAcces) -> Grant:
    """What the matrix says."""
    return MATRIX[transaction, profile, mode]
