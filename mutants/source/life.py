"""Sources that do not follow the life of a report: replaced, masked, withdrawn, unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.source.catalogue import ArchiveCatalogue
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import (
    Archive,
    Examinations,
    KosBuilder,
    Registry,
)
from drimbox_ref.source.values import (
    Action,
    ArchiveEntry,
    Ban,
    Denied,
    EntryState,
    Fault,
    FoundStudy,
    Kos,
    Operation,
    Order,
    ReportOrder,
    Served,
    Submission,
)
from drimbox_ref.trail import Alert
from mutants.registry import mutant
from mutants.source.passing import (
    PassingAlerts,
    PassingArchive,
    PassingKos,
    PassingMetadata,
    PassingRegistry,
    PassingReports,
)
from protocols.dicomweb import Resource
from protocols.kos import decode, encode
from spec.xds import Status

__all__: list[str] = []


# How it is replaced ----------------------------------------------------------------------------


class Remembering(PassingRegistry):
    """A `Registry` that asks for an entryUUID once, and keeps it."""

    def __init__(self, inner: Registry) -> None:
        super().__init__(inner)
        self._known: dict[str, str] = {}

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        """What the DMP said the first time."""
        if unique_id not in self._known:
            found = await self._inner.reference(
                unique_id, credentials=credentials, assertion=assertion
            )
            if found is None:
                return None
            self._known[unique_id] = found
        return self._known[unique_id]


@mutant(
    "entry-uuid-garde",
    breaks="L'entryUUID conservé sert à remplacer et à dépublier, sans le chercher dans le DMP.",
    requirements=("DB.SO.13", "DB.SO.97"),
    consequences=("DB.SO.26", "DB.SO.28", "KIT-OMI"),
)
def entry_uuid_kept(parts: Parts) -> Parts:
    """Whoever changes the visibility in the DMP locks the KOS."""
    return replace(parts, registry=Remembering(parts.registry))


class AlwaysNew(PassingMetadata):
    """A `Metadata` whose every lot is a first one."""

    def replacing(self, entry_uuid: str | None) -> str | None:
        """Nothing: TD2.1a, whatever is there already."""
        return None


@mutant(
    "cree-au-lieu-de-remplacer",
    breaks="Un KOS corrigé est publié à côté du précédent, qui reste en vigueur.",
    requirements=("DB.SO.13", "DB.SO.97"),
    consequences=("KIT-COMPTE-RENDU",),
)
def created_beside(parts: Parts) -> Parts:
    """Two approved KOS of one exam."""
    return replace(parts, metadata=AlwaysNew(parts.metadata))


class OneUid(PassingKos):
    """A `KosBuilder` that gives all the KOS of an exam the identifier of the first one."""

    def __init__(self, inner: KosBuilder) -> None:
        super().__init__(inner)
        self._uids: dict[tuple[str, ...], str] = {}

    def after(self, kos: Kos, report: ReportOrder) -> Kos:
        """The right KOS under its first SOP Instance UID."""
        manifest = decode(kos.data)
        exam = tuple(study.study_uid for study in manifest.studies)
        uid = self._uids.setdefault(exam, kos.uid)
        return replace(kos, uid=uid, data=encode(replace(manifest, sop_instance=uid)))


@mutant(
    "kos-au-meme-identifiant",
    breaks="Le KOS qui remplace garde le SOP Instance UID de celui qu'il remplace.",
    requirements=("DB.SO.13", "DB.SO.97"),
    consequences=("KIT-COMPTE-RENDU",),
)
def same_sop_instance(parts: Parts) -> Parts:
    """Two contents under one identifier: the DMP takes but the first."""
    return replace(parts, kos=OneUid(parts.kos))


# When it is replaced ---------------------------------------------------------------------------


class Unmasked(PassingReports):
    """`Reports` that leave out who may not see the report."""

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """The confidentiality of the CDA alone."""
        return replace(order, confidentiality=order.confidentiality[:1])


@mutant(
    "visibilite-ignoree",
    breaks="La visibilité que demande le message (MetaDMPMSS) n'est pas reportée sur le KOS.",
    requirements=("DB.SO.97",),
)
def visibility_ignored(parts: Parts) -> Parts:
    """The report is masked, its images are not."""
    return replace(parts, reports=Unmasked(parts.reports))


class AskedOnce:
    """`Examinations` that look in the PACS once for each study."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner
        self._found: dict[str, FoundStudy] = {}

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """What it was when the first report came."""
        if study_uid not in self._found:
            study = self._inner.find(study_uid, orders)
            if study is None:
                return None
            self._found[study_uid] = study
        return self._found[study_uid]


@mutant(
    "examen-relu-jamais",
    breaks="L'examen n'est demandé au PACS qu'une fois : ce qui s'y ajoute est perdu.",
    requirements=("DB.SO.13",),
    # The viewer opens by what is remembered, too, whether the PACS answers or not.
    consequences=("DB.SO.26", "DB.SO.28", "DB.VI_SO.28", "KIT-OMI"),
)
def exam_never_read_again(parts: Parts) -> Parts:
    """The KOS stays as it was first."""
    return replace(parts, examinations=AskedOnce(parts.examinations))


# How it is withdrawn ---------------------------------------------------------------------------


class Keeping(PassingRegistry):
    """A `Registry` that asks the DMP to delete nothing."""

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """Everything but TD3.3c."""
        if submission.operation is not Operation.DELETE:
            await self._inner.submit(submission, credentials=credentials, assertion=assertion)


@mutant(
    "depublication-locale",
    breaks="Ce qui est dépublié ne l'est que dans l'archive locale : le KOS reste dans le DMP.",
    requirements=("DB.SO.97",),
    consequences=("DB.SO.26", "DB.SO.28", "KIT-COMPTE-RENDU", "KIT-OMI"),
)
def withdrawn_here_only(parts: Parts) -> Parts:
    """The DMP shows an exam that nobody can open."""
    return replace(parts, registry=Keeping(parts.registry))


class Archiving(PassingMetadata):
    """A `Metadata` that archives what it should delete."""

    def delete(
        self, report: ReportOrder, entry_uuid: str, *, credentials: Credentials, now: datetime
    ) -> Submission:
        """TD3.3d: the entry goes to Archived."""
        right = self._inner.delete(report, entry_uuid, credentials=credentials, now=now)
        deleted, archived = Status.DELETED.encode(), Status.ARCHIVED.encode()
        return replace(right, request=right.request.replace(deleted, archived))


@mutant(
    "archive-au-lieu-de-depublier",
    breaks="Le KOS d'un compte rendu annulé est archivé dans le DMP (TD3.3d), non supprimé.",
    requirements=("DB.SO.97",),
    consequences=("KIT-COMPTE-RENDU",),
)
def archived_instead(parts: Parts) -> Parts:
    """Whoever asks for archived documents still finds it."""
    return replace(parts, metadata=Archiving(parts.metadata))


class Undying(PassingArchive):
    """An `Archive` where nothing is ever depublished."""

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """The latest entry, in force."""
        entry = self._inner.current(study_uid)
        return entry and replace(entry, state=EntryState.PUBLISHED)


class OfTheUndying:
    """A `Catalogue` of such an archive."""

    def __init__(self, archive: Archive) -> None:
        self._inner = ArchiveCatalogue(Undying(archive))

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """As it should, of another archive."""
        return self._inner.resolve(resource, kos_uid)


@mutant(
    "examen-depublie-servi",
    breaks="Les images d'un examen dépublié sont encore rendues.",
    requirements=("DB.SO.37",),
)
def withdrawn_exam_served(parts: Parts) -> Parts:
    """Who kept the KOS keeps the images."""
    return replace(parts, catalogue=OfTheUndying(parts.archive))


class Unheard(PassingAlerts):
    """`Alerts` that say nothing of an exam without KOS."""

    def raise_(self, alert: Alert, *, now: datetime) -> bool:
        """Kept, unless it is about an unknown KOS."""
        return alert.ban != Ban.UNKNOWN.value and self._inner.raise_(alert, now=now)


@mutant(
    "annulation-inconnue-tue",
    breaks="L'annulation d'un compte rendu jamais reçu passe sans un mot.",
    requirements=("DB.SO.21", "DB.SO.45"),
)
def unknown_withdrawal_silent(parts: Parts) -> Parts:
    """Nobody learns that a KOS may be left in the DMP under another box."""
    return replace(parts, alerts=Unheard(parts.alerts))


# What carries it -------------------------------------------------------------------------------


def _is_mdm(message: bytes) -> bool:
    return b"|MDM^" in message.split(b"\r", 1)[0]


class OruOnly(PassingReports):
    """`Reports` that read an MDM by the rules of an ORU."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """HL7 2.6 is not the 2.5 of an ORU."""
        if _is_mdm(message):
            return (Fault(code="203", where="MSH^1^12", text="version HL7 '2.6'"),)
        return super().examine(message)


@mutant(
    "mdm-lu-comme-oru",
    breaks="Un MDM est lu selon les règles d'un ORU, et refusé pour sa version HL7.",
    requirements=("DB.SO.03",),
)
def mdm_read_as_oru(parts: Parts) -> Parts:
    """Half of the RIS are not understood."""
    return replace(parts, reports=OruOnly(parts.reports))


class EventAlone(PassingReports):
    """`Reports` for which an MDM that deletes is one that replaces."""

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """T04 is taken for a version more."""
        if not _is_mdm(message) or order.action is not Action.DELETE:
            return order
        return replace(order, action=Action.REPLACE)


@mutant(
    "mdm-t04-pour-remplacement",
    breaks="Un MDM^T04 est lu comme un remplacement : le KOS reste dans le DMP.",
    requirements=("DB.SO.97",),
)
def mdm_deletion_misread(parts: Parts) -> Parts:
    """What is withdrawn by MDM stays."""
    return replace(parts, reports=EventAlone(parts.reports))
