"""The statistics file of a box: one line for each event of its audit trail, nobody named.

Two columns are published, of the file that ANS calls ModelStat: `Nombre_Appel` (column AI, 1 for
each contextual call received) and `Statut_Appel` (`succes` or `erreur`), ANS FAQ, grade: faq. The
file's other columns are not public (Tables 8 and 9 of the draft): those before these two are ours,
and say so by their names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from drimbox_ref.trail import Record

__all__ = ["COLUMNS", "write"]

COLUMNS = (
    "KIT_Date",
    "KIT_Heure_UTC",
    "KIT_Boitier",
    "KIT_Evenement",
    "KIT_Operation",
    "KIT_Statut",
    "Nombre_Appel",
    "Statut_Appel",
)
"""`KIT_Evenement` is the event of the trail (`RAD-128`, `ITI-41`, `ITI-43`...), `KIT_Operation` the
DMP transaction where there is one (`TD2.1a`, `TD2.1b`, `TD3.3c`), `KIT_Statut` `succes` or
`erreur`."""

_CALL = "appel-contextuel"


def write(stream: TextIO, records: Iterable[Record], *, box: str) -> int:
    """Write the lines, semicolons between columns as French spreadsheets read them; how many.

    A line has no patient, no professional and no document.
    """
    writer = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for record in records:
        event = record.event
        status = "erreur" if event.outcome else "succes"
        called = event.event == _CALL
        writer.writerow(
            (
                f"{record.utc:%Y-%m-%d}",
                f"{record.utc:%H:%M:%S}",
                box,
                event.event,
                event.objects.get("operation", ""),
                status,
                "1" if called else "",
                status if called else "",
            )
        )
        count += 1
    return count
