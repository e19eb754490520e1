"""One document of the DMP, from TD3.2 to what the frame shows."""

from __future__ import annotations

import asyncio
import hashlib
import logging

from drimbox_ref.consumer.consultation import NO_DMP, Consulting
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.refusals import explain_document
from drimbox_ref.consumer.reports.rendering import (
    MAX_BYTES,
    Rendering,
    Written,
    noted,
    present,
    read,
    whose,
)
from drimbox_ref.consumer.reports.styling import StyleRefused, apply
from drimbox_ref.consumer.sessions import Context, Login
from drimbox_ref.consumer.values import Behalf, Document, Ins
from drimbox_ref.dmp import PeerUnavailable, Rejected
from protocols.errors import RemoteProtocolError

__all__ = ["Reading", "ReportUnreadable"]

_log = logging.getLogger(__name__)

_NO_INS = "Ce document ne porte pas l'INS du patient : vérifiez son identité."
_STYLE_LOST = (
    "La feuille de style du producteur ne peut être utilisée : présentation de la DRIMbox."
)


class ReportUnreadable(Exception):
    """A document that cannot be shown. French, for the user."""


class Reading:
    """Fetches documents and makes them readable."""

    def __init__(self, parts: Parts, *, consulting: Consulting) -> None:
        self._parts = parts
        self._consulting = consulting

    async def open(self, context: Context, login: Login, document: Document) -> Rendering:
        """What to show of a document; audited like any retrieval (DB.CO.81).

        Raises:
            ReportUnreadable: not had, not this patient's, or not to be shown.
        """
        situation = context.situation
        behalf = situation and self._consulting.behalf(context, login, situation)
        if not behalf:
            raise ReportUnreadable("Aucune situation d'exercice n'est choisie.")
        try:
            rendering = await self._render(await self._fetch(behalf, document), context.call.ins)
        except ReportUnreadable as error:
            await self._audit(behalf, document, str(error))
            raise
        await self._audit(behalf, document, "")
        return rendering

    async def _fetch(self, behalf: Behalf, document: Document) -> bytes:
        entry = document.entry
        assertion = self._parts.vihf.assertion(behalf, now=self._parts.clock.now())
        try:
            data = await self._parts.registry.fetch(behalf, assertion, entry)
        except Rejected as error:
            said = explain_document(error)
            raise ReportUnreadable(f"{said[:1].upper()}{said[1:]}.") from error
        except PeerUnavailable as error:
            _log.warning("DMP : TD3.2 : %s", error)
            raise ReportUnreadable(NO_DMP) from error
        if len(data) > MAX_BYTES:
            raise ReportUnreadable("Document trop volumineux pour être affiché.")
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        if entry.hash and entry.hash.lower() != digest:
            raise ReportUnreadable("Le document n'est pas celui que le DMP décrit (empreinte).")
        return data

    async def _render(self, data: bytes, ins: Ins) -> Rendering:
        try:
            written = await asyncio.to_thread(read, data)
        except RemoteProtocolError as error:
            raise ReportUnreadable(f"Document illisible : {error}.") from error
        this_patient = whose(written.report, ins)
        if this_patient is False:
            raise ReportUnreadable("Ce document porte l'INS d'un autre patient : non affiché.")
        note = _NO_INS if this_patient is None else ""
        if written.styled:
            try:
                return noted(Rendering("text/html", await apply(data)), note)
            except StyleRefused as error:
                _log.warning("feuille de style d'un compte rendu : %s", error)
                note = f"{note} {_STYLE_LOST}".strip()
        return await self._ours(written, note)

    @staticmethod
    async def _ours(written: Written, note: str) -> Rendering:
        try:
            return await asyncio.to_thread(present, written, note=note)
        except RemoteProtocolError as error:
            raise ReportUnreadable(f"Document non affichable : {error}.") from error

    async def _audit(self, behalf: Behalf, document: Document, failure: str) -> None:
        await self._consulting.audit(behalf, "ITI-43", failure, document=document.entry.unique_id)
