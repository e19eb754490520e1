"""From a notice of the PACS to submissions on disk: ask again, compare, replace or withdraw.

Whatever the notice says, the PACS is asked what it holds of the exam now: changed, the KOS is
replaced (TD2.1b); without an image left, it is withdrawn (TD3.3c); unchanged, that is traced. The
report is what it was, so all that does not come from the PACS comes from the local archive, the
identity that acts included.

Réf.: ANS FAQ 8801 and life cycle of a KOS, grade: faq; DB.SO.25, DB.SO.26, grade: draft.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import datetime

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.source.backoff import Postponed
from drimbox_ref.source.desk import DmpDesk
from drimbox_ref.source.orders import addressed
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Examinations
from drimbox_ref.source.values import (
    ArchiveEntry,
    Ban,
    EntryState,
    FoundStudy,
    InboxItem,
    Mismatch,
    Notice,
    Order,
)
from drimbox_ref.trail import Alert, AuditEvent
from protocols import kos
from protocols.errors import RemoteProtocolError
from protocols.kos import Manifest
from spec.dicom import KEY_OBJECT_SELECTION_STORAGE

__all__ = ["Renewal", "is_empty", "orders_of", "outlook"]

_log = logging.getLogger(__name__)


class Renewal:
    """Follows the notices of the PACS."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._desk = DmpDesk(parts)

    async def follow(self, item: InboxItem, notice: Notice) -> tuple[str, str]:
        """The final state of a notice and the word to keep about it.

        Raises:
            Postponed, PeerUnavailable: it must be taken up again later.
        """
        words: dict[str, str] = {}
        later: Postponed | PeerUnavailable | None = None
        for study in notice.studies:
            try:
                words[study] = await self._exam(item, notice, study)
            except (Postponed, PeerUnavailable) as reason:
                later = reason
            except Rejected as refusal:
                await self._alert(
                    item,
                    notice,
                    study,
                    Ban.DMP,
                    f"Le DMP refuse la recherche du KOS de l'examen {study} : {refusal}",
                    "Lire le motif du DMP, corriger, puis renvoyer l'avis du PACS.",
                )
                words[study] = Ban.DMP.value
            except RemoteProtocolError as error:
                await self._alert(
                    item,
                    notice,
                    study,
                    Ban.UNREADABLE,
                    f"L'archive locale de l'examen {study} est illisible : {error}",
                    "Renvoyer le compte-rendu de cet examen.",
                )
                words[study] = Ban.UNREADABLE.value
        if later:
            raise later
        failed = {ban.value for ban in Ban} & set(words.values())
        return (
            "stopped" if failed else "done",
            "; ".join(f"{uid} : {word}" for uid, word in words.items()),
        )

    async def _exam(self, item: InboxItem, notice: Notice, study_uid: str) -> str:
        """What was done about one exam, in a word; a `Ban` when it ended in an alert."""
        parts = self._parts
        if await asyncio.to_thread(parts.outbox.has, item.id, study_uid):
            return "transmis"
        if await asyncio.to_thread(parts.outbox.pending, study_uid):
            raise Postponed(f"une publication de {study_uid} n'est pas encore confirmée")
        current = await asyncio.to_thread(parts.archive.current, study_uid)
        if current is None or current.state is not EntryState.PUBLISHED:
            return await self._nothing(item, notice, study_uid, "aucun KOS publié")
        former = await asyncio.to_thread(kos.decode, current.kos)
        orders = orders_of(former)
        study = await asyncio.to_thread(parts.examinations.find, study_uid, orders)
        moved = notice.address and not await asyncio.to_thread(
            addressed, current.kos, notice.address
        )
        if study is not None and _listed(study) == current.series and not moved:
            return await self._nothing(item, notice, study_uid, "examen inchangé dans le PACS")
        if study is None and notice.address:
            # A change of address withdraws nothing: what left the PACS is for a resynchronisation.
            return await self._alert(
                item,
                notice,
                study_uid,
                Ban.ABSENT,
                f"L'examen {study_uid} est absent du PACS : son KOS garde son adresse.",
                "Vérifier le PACS, puis lancer une resynchronisation.",
            )
        credentials = parts.directory.of(current.follow.structure)
        if credentials is None:
            return await self._alert(
                item,
                notice,
                study_uid,
                Ban.CERTIFICATE,
                f"L'examen {study_uid} a changé dans le PACS, et aucun certificat de la structure "
                f"{current.follow.structure} n'est installé.",
                "Installer les certificats de cette structure dans la DRIMbox, puis renvoyer "
                "l'avis du PACS.",
            )
        if study is not None and (wrong := _incoherent(current, orders, study)):
            return await self._alert(
                item, notice, study_uid, wrong.ban, wrong.message, wrong.advice
            )
        target = await self._desk.reference(current.kos_uid, current.follow)
        if target is None:
            return await self._alert(
                item,
                notice,
                study_uid,
                Ban.UNKNOWN,
                f"Le DMP ne connaît pas le KOS {current.kos_uid} publié pour l'examen {study_uid}.",
                "Vérifier dans le DMP si le document a été supprimé, puis renvoyer le "
                "compte-rendu.",
            )
        now = parts.clock.now()
        if study is None or is_empty(study):
            withdrawal = await asyncio.to_thread(parts.metadata.withdraw, current, target, now=now)
            await asyncio.to_thread(
                parts.outbox.put, item.id, withdrawal, current.follow, current, now=now
            )
            return "dépublié"
        return await self._replace(item, notice, current, former, study, target, credentials, now)

    async def _replace(
        self,
        item: InboxItem,
        notice: Notice,
        current: ArchiveEntry,
        former: Manifest,
        study: FoundStudy,
        target: str,
        credentials: Credentials,
        now: datetime,
    ) -> str:
        parts, version = self._parts, current.version + 1
        study = await parts.key_notes.read(study)
        made = await asyncio.to_thread(parts.kos.renew, former, study, version=version, now=now)
        if notice.address and not await asyncio.to_thread(addressed, made.data, notice.address):
            return await self._alert(
                item,
                notice,
                study.uid,
                Ban.ADDRESS,
                f"La Source publie sous une autre adresse que {notice.address}.",
                "La redémarrer avec cette adresse (wado.public_url), puis relancer le changement.",
            )
        submission = await asyncio.to_thread(
            parts.metadata.renew,
            current,
            made,
            study,
            replaces=target,
            credentials=credentials,
            now=now,
        )
        entry = replace(
            current,
            kos_uid=made.uid,
            set_uid=submission.set_uid,
            entry_uuid="",
            version=version,
            fingerprint=f"{made.fingerprint}:{submission.fingerprint}",
            pacs=study.pacs,
            series=_listed(study),
            kos=made.data,
            metadata=submission.metadata,
            signature=submission.signature,
            updated=now,
        )
        await asyncio.to_thread(
            parts.outbox.put, item.id, submission, current.follow, entry, now=now
        )
        return "remplacé"

    async def _nothing(self, item: InboxItem, notice: Notice, study_uid: str, why: str) -> str:
        """Nothing is to be done; that is told, once."""
        await self._record(item, notice, study_uid, outcome=0, description=f"Sans effet : {why}.")
        return why

    async def _alert(
        self, item: InboxItem, notice: Notice, study_uid: str, ban: Ban, message: str, advice: str
    ) -> str:
        fresh = await asyncio.to_thread(
            self._parts.alerts.raise_,
            Alert(
                ban=ban.value,
                message=message,
                advice=advice,
                control_id=item.control_id,
                study_uid=study_uid,
            ),
            now=self._parts.clock.now(),
        )
        if fresh:
            await self._record(item, notice, study_uid, outcome=8, description=message)
            _log.warning("avis %s : %s", item.control_id, ban.value)
        return ban.value

    async def _record(
        self, item: InboxItem, notice: Notice, study_uid: str, *, outcome: int, description: str
    ) -> None:
        known = await asyncio.to_thread(self._parts.archive.current, study_uid)
        await asyncio.to_thread(
            self._parts.audit.record,
            AuditEvent(
                event=notice.transaction,
                outcome=outcome,
                description=description,
                patient=known.ins.value if known else "",
                peer="PACS",
                objects={"message": item.control_id, "study": study_uid},
            ),
            now=self._parts.clock.now(),
        )


def outlook(entry: ArchiveEntry, examinations: Examinations) -> str:
    """What a resynchronisation would do of an entry in force, in a word; asks the PACS alone."""
    try:
        former = kos.decode(entry.kos)
        study = examinations.find(entry.study_uid, orders_of(former))
    except RemoteProtocolError:
        return "archive illisible"
    except PeerUnavailable:
        return "PACS injoignable"
    if study is None or is_empty(study):
        return "à dépublier"
    if _listed(study) == entry.series:
        return "inchangé"
    return (
        "à vérifier par une personne"
        if _incoherent(entry, orders_of(former), study)
        else "à remplacer"
    )


def orders_of(former: Manifest) -> tuple[Order, ...]:
    """Those of the report, as the KOS keeps them."""
    return tuple(
        Order(
            placer=one.placer_order_number or "",
            placer_oid=(one.placer_issuer[0].universal_id or "") if one.placer_issuer else "",
            accession=one.accession_number or "",
            accession_oid=(
                (one.accession_issuer[0].universal_id or "") if one.accession_issuer else ""
            ),
        )
        for one in former.requests or ()
    )


def _listed(study: FoundStudy) -> dict[str, tuple[str, ...]]:
    return {one.uid: tuple(i.sop_instance for i in one.instances) for one in study.series}


def is_empty(study: FoundStudy) -> bool:
    """Whether no image is left: key objects alone only point at what is gone."""
    return all(
        instance.sop_class == KEY_OBJECT_SELECTION_STORAGE
        for series in study.series
        for instance in series.instances
    )


def _incoherent(
    current: ArchiveEntry, orders: tuple[Order, ...], study: FoundStudy
) -> Mismatch | None:
    """Why what the PACS now holds may not go under the patient and the orders of the KOS.

    Réf.: DB.SO.16, DB.SO.17 say so of a report, grade: draft; of a notice, inferred.
    """
    advice = (
        "Vérifier l'examen dans le PACS et dans le RIS, corriger, puis renvoyer le compte-rendu."
    )
    # An imported KOS tells one IPP, which may not be of the PACS's domain.
    known = current.pacs_ipp or ("" if study.patient_domains else current.ipp)
    strangers = [one for one in study.patient_ids if known and one != known]
    if strangers:
        return Mismatch(
            ban=Ban.IPP,
            message=f"L'examen {study.uid} a changé de patient dans le PACS : IPP "
            f"{', '.join(map(repr, strangers))} ; IPP du KOS publié : {known!r}.",
            advice=advice,
        )
    wanted = {order.accession for order in orders}
    unknown = [one for one in study.accessions if one not in wanted]
    if unknown:
        return Mismatch(
            ban=Ban.ACCESSION,
            message=f"L'examen {study.uid} a changé de demande dans le PACS : accession "
            f"{', '.join(map(repr, unknown))}, inconnue du KOS publié.",
            advice=advice,
        )
    return None
