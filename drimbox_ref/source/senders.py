"""Which RIS sent a report: the one that the configuration declares under its MSH-3 and MSH-4.

DB.SO.04 asks for several RISs (grade: draft). How a Source recognises one was asked by vendors, who
proposed MSH-3, and never answered: grade `inferred`.
"""

from __future__ import annotations

from collections.abc import Sequence

from drimbox_ref.source.config import Ris
from drimbox_ref.source.values import Fault
from drimbox_ref.trail import Alert
from protocols.errors import RemoteProtocolError
from protocols.hl7v2 import parse

__all__ = ["Senders", "Unknown"]

BAN = "ris-non-declare"


class Unknown:
    """A RIS that is not declared, by the names that it gives itself."""

    def __init__(self, application: str, facility: str) -> None:
        self._names = f"MSH-3 {_shown(application)}, MSH-4 {_shown(facility)}"

    def fault(self) -> Fault:
        """What its message is refused for. Table 0357 has no better code than 207; of 0533 the
        volet leaves 906, « autre »."""
        text = f"RIS non déclaré : {self._names}"
        return Fault(code="207", where="MSH^1^3", text=text, application="906")

    def alert(self, control_id: str, *, refused: bool) -> Alert:
        """What the administrator is told: of each message refused, of a RIS that is heard once."""
        outcome = "est refusé" if refused else "est pris"
        return Alert(
            ban=BAN,
            message=f"Un message d'un RIS non déclaré ({self._names}) {outcome}.",
            advice="Si ce RIS est de l'établissement, le déclarer dans une section [[ris]] de la "
            "configuration" + (", puis renvoyer le message." if refused else "."),
            control_id=control_id if refused else "",
        )


def _shown(name: str) -> str:
    """On one line, whatever it holds."""
    return repr(name) if name else "absent"


class Senders:
    """The declared RISs; without any, everybody is one."""

    def __init__(self, declared: Sequence[Ris]) -> None:
        self._declared = tuple(declared)

    def recognise(self, message: bytes) -> Ris | Unknown | None:
        """Who sent it; None when none is declared, or when it says nothing that can be read.

        A declared name is the first component of the field or, when that is how the site names its
        applications, its universal id (HD.2). A RIS declared with its MSH-4 goes before one that is
        declared without.
        """
        if not self._declared:
            return None
        try:
            parsed = parse(message)
        except RemoteProtocolError:
            return None  # its form is at fault, and says so better
        names = [
            tuple(parsed.value(f"MSH-{field}.{part}").strip() for part in (1, 2))
            for field in (3, 4)
        ]
        application, facility = names
        for ris in sorted(self._declared, key=lambda one: not one.facility):
            if ris.application in application and ris.facility in ("", *facility):
                return ris
        return Unknown(*(local or universal for local, universal in names))
