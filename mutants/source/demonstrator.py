"""Sources with the flaws that the public demonstrator of the ANS has: addresses, identities, codes.

Réf.: source code of the "PoC DRIMbox", read as such; grade: demonstrator. What each breaks is a
requirement, whatever the demonstrator does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import KosBuilder, Metadata
from drimbox_ref.source.values import Exam, FoundStudy, Kos, Order, ReportOrder, Submission
from mutants.registry import mutant
from mutants.source.passing import PassingKos, PassingMetadata, PassingRegistry
from protocols.kos import Manifest, decode, encode

__all__: list[str] = []


# What the KOS says -----------------------------------------------------------------------------


class Rewritten(PassingKos):
    """A `KosBuilder` whose manifest is changed before it is published."""

    def __init__(
        self, inner: KosBuilder, change: Callable[[Manifest, ReportOrder], Manifest]
    ) -> None:
        super().__init__(inner)
        self._change = change

    def after(self, kos: Kos, report: ReportOrder) -> Kos:
        """The right KOS, written again."""
        return replace(kos, data=encode(self._change(decode(kos.data), report)))


def _nowhere(manifest: Manifest, report: ReportOrder) -> Manifest:
    """The prefix was read before it was set: it says `null`."""
    return replace(
        manifest,
        studies=tuple(
            replace(
                study,
                series=tuple(
                    replace(
                        one,
                        retrieve_url="null/api/source/studies/"
                        f"{study.study_uid}/series/{one.series_uid}",
                    )
                    for one in study.series
                ),
            )
            for study in manifest.studies
        ),
    )


@mutant(
    "adresse-sans-hote",
    breaks="Les RetrieveURL du KOS commencent par « null » au lieu d'une adresse.",
    requirements=("DB.SO.18", "DB.SO.90"),
    consequences=("DB.CO.60",),
)
def address_without_host(parts: Parts) -> Parts:
    """A KOS is published whose images nobody can ask for."""
    return replace(parts, kos=Rewritten(parts.kos, _nowhere))


def _local(manifest: Manifest, report: ReportOrder) -> Manifest:
    return replace(manifest, patient_id=report.patient.ipp)


@mutant(
    "kos-sous-ipp",
    breaks="Le KOS identifie le patient par son IPP au lieu de son INS.",
    requirements=("DB.SO.18",),
    consequences=("DB.SO.22", "DB.SO.29"),
)
def kos_under_local_id(parts: Parts) -> Parts:
    """The identity of the PACS leaves the hospital."""
    return replace(parts, kos=Rewritten(parts.kos, _local))


def _all_images(manifest: Manifest, report: ReportOrder) -> Manifest:
    content = tuple(
        replace(item, value_type="IMAGE") if item.references else item for item in manifest.content
    )
    return replace(manifest, content=content)


@mutant(
    "tout-est-image",
    breaks="Tout objet du KOS est référencé comme une image, tracés et documents compris.",
    requirements=("DB.SO.18",),
)
def everything_is_an_image(parts: Parts) -> Parts:
    """A viewer tries to show an ECG as pixels."""
    return replace(parts, kos=Rewritten(parts.kos, _all_images))


class Unassigned(PassingKos):
    """A `KosBuilder` for which an accession number needs no authority."""

    def before(self, orders: Sequence[Order]) -> Sequence[Order]:
        """Orders without authority."""
        return [replace(order, accession_oid="") for order in orders]


@mutant(
    "accession-sans-autorite",
    breaks="Le numéro d'accession est écrit dans le KOS sans l'OID de son autorité.",
    requirements=("DB.SO.18",),
)
def accession_without_authority(parts: Parts) -> Parts:
    """Two sites have the same number for two exams."""
    return replace(parts, kos=Unassigned(parts.kos))


# What the metadata say -------------------------------------------------------------------------


class Misdescribed(PassingMetadata):
    """`Metadata` that describe another exam, or another study, than that of the KOS."""

    def __init__(
        self,
        inner: Metadata,
        change: Callable[[Exam, FoundStudy], tuple[Exam, FoundStudy]],
    ) -> None:
        super().__init__(inner)
        self._change = change

    def about(self, exam: Exam, study: FoundStudy) -> tuple[Exam, FoundStudy]:
        """What was changed."""
        return self._change(exam, study)


def _other_study(exam: Exam, study: FoundStudy) -> tuple[Exam, FoundStudy]:
    return replace(exam, study_uid=f"{study.uid[:60]}.1"), study


@mutant(
    "reference-d-un-autre-examen",
    breaks="Les métadonnées du KOS référencent un autre examen que le sien.",
    requirements=("DB.SO.18", "DB.SO.19"),
    consequences=("KIT-COMPTE-RENDU", "DB.SO.22", "DB.SO.29"),
)
def reference_to_another_study(parts: Parts) -> Parts:
    """Whoever looks the exam up in the DMP does not find it."""
    return replace(parts, metadata=Misdescribed(parts.metadata, _other_study))


def _no_modality(exam: Exam, study: FoundStudy) -> tuple[Exam, FoundStudy]:
    series = tuple(replace(one, modality="error") for one in study.series)
    return replace(exam, modalities=()), replace(study, series=series)


@mutant(
    "modalite-inconnue",
    breaks="La modalité des métadonnées est le mot « error ».",
    requirements=("DB.SO.18", "DB.SO.19"),
    consequences=("DB.SO.22", "DB.SO.29"),
)
def unknown_modality(parts: Parts) -> Parts:
    """A label that no table knows, instead of none."""
    return replace(parts, metadata=Misdescribed(parts.metadata, _no_modality))


# What the DMP answers --------------------------------------------------------------------------


class Deaf(PassingRegistry):
    """A `Registry` for which whatever was sent is published."""

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """No failure is told."""
        try:
            await self._inner.submit(submission, credentials=credentials, assertion=assertion)
        except (Rejected, PeerUnavailable):
            return


@mutant(
    "erreur-du-dmp-avalee",
    breaks="Un KOS que le DMP n'a pas pris est tenu pour publié.",
    requirements=("KIT-REPRISE", "DB.SO.21"),
)
def dmp_errors_swallowed(parts: Parts) -> Parts:
    """The database changes before the DMP has said yes."""
    return replace(parts, registry=Deaf(parts.registry))
