"""The VIHF of a Source: mode INDIRECTE, on behalf of the professional who validated the report.

Réf.: mode by transaction, PDT-INF-526 (indirect mode feeds, searches references and deletes),
grade: sample; AuthnContext of the ANS publication samples, grade: sample.
"""

from __future__ import annotations

from datetime import datetime

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.ports import Uids
from drimbox_ref.source.values import Follow
from drimbox_ref.vihf import Speaker, VihfWriter, professional_roles
from protocols.saml import CodedValue
from spec.vihf import AUTHN_CONTEXTS, AuthenticationMode

__all__ = ["IndirectVihf"]

_AUTOMATON = CodedValue("Role", "AUTOMATE", "1.2.250.1.213.1.1.4.6", "", "Automate")
"""Fallback of the ANS mapping page when the professional has no profession code."""


class IndirectVihf:
    """Writes the assertion of the Source's DMP transactions."""

    def __init__(self, writer: VihfWriter, *, uids: Uids) -> None:
        self._writer = writer
        self._uids = uids

    def assertion(
        self, follow: Follow, credentials: Credentials, *, now: datetime
    ) -> etree._Element:
        """A signed VIHF in mode INDIRECTE."""
        speaker = Speaker(
            mode=AuthenticationMode.INDIRECTE,
            name_id=follow.professional,
            name=f"{follow.family} {follow.given}".strip(),
            sector=follow.sector,
            roles=professional_roles(follow.profession, follow.specialty, follow.specialty_label)
            if follow.profession
            else (_AUTOMATON,),
            patient=follow.ins.value,
            patient_oid=follow.ins.oid,
            authenticated=now,
            context_class=AUTHN_CONTEXTS["TLSClient"],
        )
        return self._writer.write(speaker, credentials, id=self._uids.uuid(), now=now)
