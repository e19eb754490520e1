"""Sources that do not follow what the PACS says of changed exams: IOCM notes, OMI^O23."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Archive, Catalogue, Examinations, Images, Notices, Retrieval
from drimbox_ref.source.values import (
    ArchiveEntry,
    Denied,
    EntryState,
    Fault,
    FoundStudy,
    Notice,
    Order,
    Served,
    StoredObject,
    Wanted,
)
from mutants.registry import mutant
from mutants.source.passing import PassingArchive
from protocols import kos
from protocols.dicomweb import Resource

__all__: list[str] = []

_QUALITY = b"113001"


class PassingNotices:
    """`Notices`; `studies` alters what a notice is about."""

    def __init__(self, inner: Notices) -> None:
        self._inner = inner

    def concerns(self, message: bytes) -> bool:
        """As it should."""
        return self._inner.concerns(message)

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """As it should."""
        return self._inner.examine(message)

    def read(self, message: bytes) -> Notice:
        """As it should, then changed."""
        notice = self._inner.read(message)
        return replace(notice, studies=self.studies(notice, message))

    def studies(self, notice: Notice, message: bytes) -> tuple[str, ...]:
        """All of them."""
        return notice.studies


def _is_note(message: bytes) -> bool:
    return message[128:132] == b"DICM"


# What is taken ---------------------------------------------------------------------------------


class WithoutNotes(PassingNotices):
    """`Notices` that understand no key object."""

    def examine(self, message: bytes) -> tuple[Fault, ...]:
        """Refused, whatever it says."""
        if _is_note(message):
            return (Fault(code="200", where="", text="note inattendue"),)
        return super().examine(message)


@mutant(
    "note-refusee",
    breaks="Une note IOCM n'est pas acceptée en C-STORE.",
    requirements=("DB.SO.25",),
    consequences=("DB.SO.26",),
)
def note_refused(parts: Parts) -> Parts:
    """The PACS tries again, in vain."""
    return replace(parts, notices=WithoutNotes(parts.notices))


class DeafToNotes(PassingNotices):
    """`Notices` for which a note is about nothing."""

    def studies(self, notice: Notice, message: bytes) -> tuple[str, ...]:
        """Those of OMI^O23 alone."""
        return () if _is_note(message) else notice.studies


@mutant(
    "note-sans-suite",
    breaks="Une note IOCM est acceptée, et rien ne s'ensuit.",
    requirements=("DB.SO.26",),
)
def note_without_effect(parts: Parts) -> Parts:
    """What was rejected stays in the DMP."""
    return replace(parts, notices=DeafToNotes(parts.notices))


class QualityAlone(PassingNotices):
    """`Notices` that know one reason for rejection."""

    def studies(self, notice: Notice, message: bytes) -> tuple[str, ...]:
        """Those of the notes titled 113001."""
        return notice.studies if not _is_note(message) or _QUALITY in message else ()


@mutant(
    "note-113001-seule",
    breaks="Seules les notes de motif 113001 (qualité) sont suivies.",
    requirements=("DB.SO.26",),
)
def one_reason(parts: Parts) -> Parts:
    """Images rejected for the safety of patients stay in the DMP."""
    return replace(parts, notices=QualityAlone(parts.notices))


class DeafToOmi(PassingNotices):
    """`Notices` for which OMI^O23 is no message of theirs."""

    def concerns(self, message: bytes) -> bool:
        """A note only."""
        return _is_note(message)


@mutant(
    "omi-refuse",
    breaks="OMI^O23 est refusé : seuls ORU et MDM sont connus.",
    requirements=("KIT-OMI",),
)
def omi_refused(parts: Parts) -> Parts:
    """A PACS without IOCM cannot tell of a change."""
    return replace(parts, notices=DeafToOmi(parts.notices))


class OmiForNothing(PassingNotices):
    """`Notices` for which OMI^O23 is about nothing."""

    def studies(self, notice: Notice, message: bytes) -> tuple[str, ...]:
        """Those of notes alone."""
        return notice.studies if _is_note(message) else ()


@mutant(
    "omi-sans-suite",
    breaks="OMI^O23 est acquitté, et rien ne s'ensuit.",
    requirements=("KIT-OMI",),
)
def omi_without_effect(parts: Parts) -> Parts:
    """The exam in the DMP is not the one of the PACS."""
    return replace(parts, notices=OmiForNothing(parts.notices))


# What is published -----------------------------------------------------------------------------


class Rejecting(PassingNotices):
    """`Notices` that remember what notes reject."""

    def __init__(self, inner: Notices) -> None:
        super().__init__(inner)
        self.rejected: set[str] = set()

    def studies(self, notice: Notice, message: bytes) -> tuple[str, ...]:
        """All of them."""
        if _is_note(message):
            self.rejected.update(one.sop_instance for one in kos.decode(message).instances())
        return notice.studies


class WithoutRejected:
    """`Examinations` that leave out what notes rejected, whatever the PACS shows."""

    def __init__(self, inner: Examinations, notices: Rejecting) -> None:
        self._inner = inner
        self._notices = notices

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """What is left of it."""
        study = self._inner.find(study_uid, orders)
        if study is None:
            return None
        kept = (
            replace(
                one,
                instances=tuple(
                    i for i in one.instances if i.sop_instance not in self._notices.rejected
                ),
            )
            for one in study.series
        )
        return replace(study, series=tuple(one for one in kept if one.instances))


@mutant(
    "note-crue-sur-parole",
    breaks="Ce qu'une note rejette quitte le KOS, même si le PACS le montre encore.",
    requirements=("DB.SO.26",),
)
def note_believed(parts: Parts) -> Parts:
    """The KOS lists less than the exam has."""
    notices = Rejecting(parts.notices)
    return replace(
        parts, notices=notices, examinations=WithoutRejected(parts.examinations, notices)
    )


class NeverGone:
    """`Examinations` where an exam that the PACS has no longer is as it was last."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner
        self._last: dict[str, FoundStudy] = {}

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """What was last seen of it."""
        study = self._inner.find(study_uid, orders)
        if study is not None:
            self._last[study_uid] = study
        return self._last.get(study_uid)


@mutant(
    "examen-vide-oublie",
    breaks="Un examen dont le PACS n'a plus d'image reste publié.",
    requirements=("DB.SO.26", "DB.SO.28", "KIT-OMI"),
)
def empty_exam_kept(parts: Parts) -> Parts:
    """The DMP shows an exam that nobody can open."""
    return replace(parts, examinations=NeverGone(parts.examinations))


class Forgetful(PassingArchive):
    """An `Archive` that does not say which images a KOS lists."""

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """The latest entry, of nothing."""
        entry = self._inner.current(study_uid)
        return entry and replace(entry, series={})


@mutant(
    "avis-republie-toujours",
    breaks="Tout avis du PACS fait republier le KOS, l'examen fût-il inchangé.",
    requirements=("DB.SO.26",),
)
def always_replaced(parts: Parts) -> Parts:
    """Each note is a version more in the DMP."""
    return replace(parts, archive=Forgetful(parts.archive))


class OwnName(PassingArchive):
    """An `Archive` that forgets on whose behalf a KOS was published."""

    def current(self, study_uid: str) -> ArchiveEntry | None:
        """The latest entry, as if the box had published it for itself."""
        entry = self._inner.current(study_uid)
        if entry is None:
            return None
        follow = replace(
            entry.follow, professional="DRIMBOX", family="DRIMBOX", given="DRIMBOX", specialty=""
        )
        return replace(entry, follow=follow)


@mutant(
    "avis-en-son-nom",
    breaks="Sur un avis du PACS, le VIHF ne nomme pas le professionnel du lot précédent.",
    requirements=("DB.SO.26", "KIT-OMI"),
    # What the administrator has looked for in the PACS goes the same way.
    consequences=("DB.SO.28",),
)
def in_its_own_name(parts: Parts) -> Parts:
    """Nobody answers for the new version."""
    return replace(parts, archive=OwnName(parts.archive))


# What is served --------------------------------------------------------------------------------


class AnyVersion:
    """A `Catalogue` that knows every KOS that was ever in force."""

    def __init__(self, inner: Catalogue, archive: Archive) -> None:
        self._inner = inner
        self._archive = archive

    def resolve(self, resource: Resource, kos_uid: str) -> Served | Denied:
        """As that version lists it."""
        entry = self._archive.by_kos(kos_uid)
        if entry is None or entry.state is not EntryState.REPLACED or resource.series is None:
            return self._inner.resolve(resource, kos_uid)
        return Served(
            entry=entry,
            series_uid=resource.series,
            instance_uid=resource.instance,
            instances=frozenset(entry.series.get(resource.series, ())),
        )


class Hoarding:
    """`Images` that keep what they once fetched, and ask the PACS for the rest only."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner
        self._kept: dict[str, StoredObject] = {}

    async def open(self, wanted: Wanted) -> Retrieval:
        """From what is kept, when all is there."""
        if wanted.instances <= self._kept.keys():
            return _Kept([self._kept[uid] for uid in sorted(wanted.instances)])
        return _Keeping(await self._inner.open(wanted), self._kept)


class _Kept:
    def __init__(self, held: Sequence[StoredObject]) -> None:
        self._held = held

    async def objects(self) -> AsyncIterator[StoredObject]:
        for one in self._held:
            yield one

    async def close(self) -> None:
        pass


class _Keeping:
    def __init__(self, inner: Retrieval, kept: dict[str, StoredObject]) -> None:
        self._inner = inner
        self._kept = kept

    async def objects(self) -> AsyncIterator[StoredObject]:
        async for one in self._inner.objects():
            self._kept[one.sop_instance] = one
            yield one

    async def close(self) -> None:
        await self._inner.close()


@mutant(
    "images-rejetees-gardees",
    breaks="Des images rejetées sont encore rendues d'un cache, sous le KOS remplacé.",
    requirements=("DB.SO.26", "DB.SO.37"),
    consequences=("DB.SO.32",),
)
def rejected_images_served(parts: Parts) -> Parts:
    """What endangers the patient goes on leaving."""
    return replace(
        parts,
        catalogue=AnyVersion(parts.catalogue, parts.archive),
        images=Hoarding(parts.images),
    )
