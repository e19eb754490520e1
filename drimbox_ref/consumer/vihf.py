"""The VIHF of a Consumer: AIR mode, from what Pro Santé Connect says of the professional.

Réf.: mode by transaction, PDT-INF-606 (AIR searches and reads), grade: sample; mapping of
userinfo to VIHF attributes, ANS demonstrator, grade: demonstrator (DB.CO.67, DB.CO.92, draft).
"""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from drimbox_ref.consumer.ports import Uids
from drimbox_ref.consumer.values import Behalf
from drimbox_ref.vihf import Speaker, VihfWriter, professional_roles
from spec.vihf import AUTHN_CONTEXTS, AuthenticationMode

__all__ = ["AirVihf"]

_SECTOR_SYSTEM = "1.2.250.1.71.4.2.4"
"""R02, sectors of activity (JDV_J61)."""


class AirVihf:
    """Writes assertions in mode INDIRECTE_RENFORCEE."""

    def __init__(self, writer: VihfWriter, *, uids: Uids, context: str, declaration: str) -> None:
        self._writer = writer
        self._uids = uids
        self._context = AUTHN_CONTEXTS[context]
        self._declaration = declaration or None

    def assertion(self, behalf: Behalf, *, now: datetime) -> etree._Element:
        """A VIHF signed by the ORG SIGN certificate of the situation's structure."""
        situation = behalf.situation
        speaker = Speaker(
            mode=AuthenticationMode.INDIRECTE_RENFORCEE,
            name_id=behalf.professional.id,
            name=f"{situation.family} {situation.given}".strip(),
            sector=f"{situation.sector}^{_SECTOR_SYSTEM}",
            roles=professional_roles(situation.profession, situation.specialty),
            patient=behalf.patient.value,
            patient_oid=behalf.patient.oid,
            authenticated=behalf.authenticated,
            context_class=self._context,
            context_decl=self._declaration,
            purpose=behalf.mode,
        )
        return self._writer.write(speaker, behalf.credentials, id=self._uids.uuid(), now=now)
