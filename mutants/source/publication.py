"""Sources that publish wrongly: another number of KOS, other contents, other checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lxml import etree

from drimbox_ref.credentials import Credentials
from drimbox_ref.dmp import PeerUnavailable, Rejected
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import (
    Directory,
    Examinations,
    Matcher,
    Registry,
    Reports,
    Vihf,
)
from drimbox_ref.source.values import (
    ArchiveEntry,
    Follow,
    FoundSeries,
    FoundStudy,
    Mismatch,
    Order,
    ReportOrder,
    Submission,
)
from mutants.registry import mutant
from mutants.source.passing import PassingArchive, PassingRegistry, PassingReports
from protocols.xml import NS
from spec.dicom import value_type_of

__all__: list[str] = []

_SIGNATURE = f"{{{NS['ds']}}}Signature"


# How many KOS ----------------------------------------------------------------------------------


class FirstExam(PassingReports):
    """`Reports` that keep a report's first exam and note the others as parts of it."""

    def __init__(self, inner: Reports) -> None:
        super().__init__(inner)
        self.others: dict[str, tuple[str, ...]] = {}

    def change(self, order: ReportOrder, message: bytes) -> ReportOrder:
        """One exam."""
        first, *others = order.exams
        self.others[first.study_uid] = tuple(exam.study_uid for exam in others)
        return replace(order, exams=(first,))


class MergedExams:
    """`Examinations` that give all exams of a report as one."""

    def __init__(self, inner: Examinations, reports: FirstExam) -> None:
        self._inner = inner
        self._reports = reports

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The first study with the series and accession numbers of all."""
        study = self._inner.find(study_uid, orders)
        for uid in self._reports.others.get(study_uid, ()):
            other = self._inner.find(uid, orders)
            if study is not None and other is not None:
                study = replace(
                    study,
                    series=(*study.series, *other.series),
                    accessions=tuple(dict.fromkeys((*study.accessions, *other.accessions))),
                )
        return study


@mutant(
    "un-seul-kos",
    breaks="Un compte rendu de plusieurs examens donne un seul KOS, qui les référence tous.",
    requirements=("DB.SO.12",),
    # The second exam's KOS is not there to be compared with the report.
    consequences=("KIT-COMPTE-RENDU",),
)
def one_kos_per_report(parts: Parts) -> Parts:
    """One manifest per report instead of one per study."""
    reports = FirstExam(parts.reports)
    return replace(parts, reports=reports, examinations=MergedExams(parts.examinations, reports))


# What it holds ---------------------------------------------------------------------------------


class ImageForgotten:
    """`Examinations` that lose the last image of each series."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The study without them."""
        study = self._inner.find(study_uid, orders)
        if study is None:
            return None
        return replace(study, series=tuple(_shortened(one) for one in study.series))


def _shortened(series: FoundSeries) -> FoundSeries:
    """All but the last image; an only image stays, an empty KOS would be another defect."""
    return replace(series, instances=series.instances[:-1] or series.instances)


@mutant(
    "image-oubliee",
    breaks="La dernière image de chaque série manque dans le KOS.",
    requirements=("DB.SO.14",),
    # Wherever a KOS is compared with the images of its exam, one is missing.
    consequences=("DB.SO.04", "DB.SO.15", "DB.SO.26", "KIT-OMI"),
)
def image_forgotten(parts: Parts) -> Parts:
    """A C-FIND of which one answer is lost."""
    return replace(parts, examinations=ImageForgotten(parts.examinations))


class ImagesAlone:
    """`Examinations` that keep what is an image."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The study without its other objects."""
        study = self._inner.find(study_uid, orders)
        if study is None:
            return None
        series = [
            replace(one, instances=tuple(i for i in one.instances if _is_image(i.sop_class)))
            for one in study.series
        ]
        return replace(study, series=tuple(one for one in series if one.instances))


def _is_image(sop_class: str) -> bool:
    return value_type_of(sop_class) == "IMAGE"


@mutant(
    "images-seules",
    breaks="Ce qui n'est pas une image (tracé, document, note) manque dans le KOS.",
    requirements=("DB.SO.14", "DB.SO.18"),
)
def images_alone(parts: Parts) -> Parts:
    """What the radiologist marked as key is lost."""
    return replace(parts, examinations=ImagesAlone(parts.examinations))


class EveryOrder:
    """A `Matcher` for which an exam fulfils all that the report was asked for."""

    def __init__(self, inner: Matcher) -> None:
        self._inner = inner

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """All of its orders, when one is right."""
        found = self._inner.match(report, study)
        return found if isinstance(found, Mismatch) else report.orders


@mutant(
    "toutes-les-demandes",
    breaks="Chaque KOS porte toutes les demandes du compte rendu, non celle de son examen.",
    requirements=("DB.SO.17", "DB.SO.18"),
    consequences=("DB.SO.04",),
)
def every_order(parts: Parts) -> Parts:
    """An exam is found under the number of another."""
    return replace(parts, matcher=EveryOrder(parts.matcher))


# What is checked first -------------------------------------------------------------------------


class Inventive:
    """`Examinations` that invent the study that no PACS has."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The study, or an empty one."""
        return self._inner.find(study_uid, orders) or FoundStudy(
            uid=study_uid,
            pacs="",
            patient_ids=(),
            accessions=(),
            date="",
            time="",
            description="",
            study_id="",
            referring="",
            series=(),
        )


class Indifferent:
    """A `Matcher` that has nothing to compare in an empty study."""

    def __init__(self, inner: Matcher) -> None:
        self._inner = inner

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """All the report's orders for an empty study."""
        return self._inner.match(report, study) if study.series else report.orders


@mutant(
    "examen-absent-publie",
    breaks="Un KOS sans image est publié pour un examen absent du PACS.",
    requirements=("DB.SO.15",),
)
def absent_exam_published(parts: Parts) -> Parts:
    """No answer to the C-FIND is taken for an answer."""
    return replace(
        parts,
        examinations=Inventive(parts.examinations),
        matcher=Indifferent(parts.matcher),
    )


class AbsentForGood:
    """`Examinations` that remember what no PACS had."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner
        self._absent: set[str] = set()

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """None, once it was None."""
        study = None if study_uid in self._absent else self._inner.find(study_uid, orders)
        if study is None:
            self._absent.add(study_uid)
        return study


@mutant(
    "absence-retenue",
    breaks="Un examen qui manquait au PACS n'y est plus jamais cherché.",
    requirements=("DB.SO.15",),
)
def absent_for_good(parts: Parts) -> Parts:
    """A report that came before its images is lost."""
    return replace(parts, examinations=AbsentForGood(parts.examinations))


class PatientNotCompared:
    """A `Matcher` that believes the report about the patient."""

    def __init__(self, inner: Matcher) -> None:
        self._inner = inner

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """As if the PACS had said the report's IPP."""
        return self._inner.match(report, replace(study, patient_ids=(report.patient.ipp,)))


@mutant(
    "ipp-non-compare",
    breaks="L'IPP du PACS n'est pas comparé à celui du compte rendu.",
    requirements=("DB.SO.16",),
)
def patient_not_compared(parts: Parts) -> Parts:
    """The exam of somebody else is published."""
    return replace(parts, matcher=PatientNotCompared(parts.matcher))


class AccessionNotCompared:
    """A `Matcher` that believes the report about the accession numbers."""

    def __init__(self, inner: Matcher) -> None:
        self._inner = inner

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """As if the PACS had said the first of the report's when it said an unknown one."""
        known = tuple(order.accession for order in report.orders)
        written = tuple(one for one in study.accessions if one in known) or known[:1]
        return self._inner.match(report, replace(study, accessions=written))


@mutant(
    "accession-non-compare",
    breaks="L'accession number du PACS n'est pas cherché dans le compte rendu.",
    requirements=("DB.SO.17",),
)
def accession_not_compared(parts: Parts) -> Parts:
    """An exam made for another order is published."""
    return replace(parts, matcher=AccessionNotCompared(parts.matcher))


class AnyStructure:
    """A `Directory` that lends the certificates of one structure to all others."""

    def __init__(self, inner: Directory) -> None:
        self._inner = inner
        self._last: Credentials | None = None

    def of(self, structure: str) -> Credentials | None:
        """Those of the structure, else those that were used last."""
        self._last = self._inner.of(structure) or self._last
        return self._last


@mutant(
    "certificat-prete",
    breaks="Faute de certificats pour une structure, ceux d'une autre sont employés.",
    requirements=("DB.SO.19", "DB.SO.89"),
)
def certificates_lent(parts: Parts) -> Parts:
    """One structure speaks in the name of another."""
    return replace(parts, directory=AnyStructure(parts.directory))


# In whose name -----------------------------------------------------------------------------------


class Unsigned:
    """A `Vihf` without signature."""

    def __init__(self, inner: Vihf) -> None:
        self._inner = inner

    def assertion(
        self, follow: Follow, credentials: Credentials, *, now: datetime
    ) -> etree._Element:
        """The right assertion, its signature removed."""
        assertion = self._inner.assertion(follow, credentials, now=now)
        for signature in assertion.findall(_SIGNATURE):
            assertion.remove(signature)
        return assertion


@mutant(
    "vihf-sans-signature",
    breaks="Le VIHF n'est pas signé : le DMP refuse tout.",
    requirements=("DB.SO.19",),
    consequences=(
        "DB.SO.03",
        "DB.SO.04",
        "DB.SO.12",
        "DB.SO.14",
        "DB.SO.15",
        "DB.SO.18",
        "KIT-COMPTE-RENDU",
        "KIT-LIAISON",
        "KIT-MLLP-TLS",
        "KIT-ORDRE",
        "KIT-REPRISE",
    ),
)
def vihf_unsigned(parts: Parts) -> Parts:
    """Nothing is ever published: most scenarios are starved."""
    return replace(parts, vihf=Unsigned(parts.vihf))


# What becomes of it ----------------------------------------------------------------------------


class Discouraged:
    """`Examinations` for which a PACS that does not answer has no exam."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """What it has, nothing when it is out of reach."""
        try:
            return self._inner.find(study_uid, orders)
        except PeerUnavailable:
            return None


@mutant(
    "pacs-injoignable-vide",
    breaks="Un PACS qui refuse l'association est pris pour un PACS qui n'a pas l'examen.",
    requirements=("KIT-REPRISE", "DB.SO.14"),
    # The PACS that is down is asked once, and its exam never published.
    consequences=("DB.SO.04",),
)
def unreachable_is_empty(parts: Parts) -> Parts:
    """An alert, and no second try."""
    return replace(parts, examinations=Discouraged(parts.examinations))


class Faint(PassingRegistry):
    """A `Registry` that gives up at the first failure of the DMP."""

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """A failure is taken for a refusal."""
        try:
            await self._inner.submit(submission, credentials=credentials, assertion=assertion)
        except PeerUnavailable as reason:
            raise Rejected(str(reason)) from reason


@mutant(
    "sans-reprise",
    breaks="Une publication que le DMP interrompt n'est jamais tentée de nouveau.",
    requirements=("KIT-REPRISE",),
)
def never_again(parts: Parts) -> Parts:
    """A KOS is lost when the DMP fails once."""
    return replace(parts, registry=Faint(parts.registry))


class Unasking(PassingRegistry):
    """A `Registry` that does not look for what an interrupted submission may have left."""

    def __init__(self, inner: Registry) -> None:
        super().__init__(inner)
        self._cut: dict[str, bytes] = {}
        """UniqueId of the lot -> its metadata, which name the document."""

    async def submit(
        self, submission: Submission, *, credentials: Credentials, assertion: etree._Element
    ) -> None:
        """As it should, and an interruption is remembered."""
        try:
            await super().submit(submission, credentials=credentials, assertion=assertion)
        except PeerUnavailable:
            self._cut[submission.set_uid] = submission.metadata
            raise

    async def reference(
        self, unique_id: str, *, credentials: Credentials, assertion: etree._Element
    ) -> str | None:
        """None, without a question, of what was interrupted."""
        if any(unique_id.encode() in metadata for metadata in self._cut.values()):
            return None
        return await super().reference(unique_id, credentials=credentials, assertion=assertion)


@mutant(
    "reprise-sans-recherche",
    breaks="Après une coupure, la Source publie de nouveau sans chercher ce que le DMP a déjà.",
    requirements=("KIT-REPRISE",),
)
def retried_blindly(parts: Parts) -> Parts:
    """The DMP refuses its own document as a duplicate, and the Source holds it for lost."""
    return replace(parts, registry=Unasking(parts.registry))


class ReportForgotten(PassingArchive):
    """An `Archive` that does not keep which report made a KOS."""

    def record(self, entry: ArchiveEntry) -> None:
        """The entry without its reports."""
        self._inner.record(replace(entry, reports=()))

    def add_report(self, kos_uid: str, report: str, *, now: datetime) -> None:
        """Nothing."""


@mutant(
    "declencheur-oublie",
    breaks="L'archive locale ne conserve pas l'identifiant du compte rendu déclencheur.",
    requirements=("DB.SO.22",),
    consequences=("DB.VI_SO.07", "DB.SO.46"),
)
def report_forgotten(parts: Parts) -> Parts:
    """Nobody can tell which report published a KOS."""
    return replace(parts, archive=ReportForgotten(parts.archive))


class FirstReport(PassingArchive):
    """An `Archive` that knows the report that made a KOS, and no other."""

    def add_report(self, kos_uid: str, report: str, *, now: datetime) -> None:
        """Nothing."""


@mutant(
    "second-compte-rendu-oublie",
    breaks="Un second compte rendu du même examen ne laisse aucune trace dans l'archive locale.",
    requirements=("DB.SO.22",),
)
def second_report_forgotten(parts: Parts) -> Parts:
    """Its withdrawal will be that of a stranger."""
    return replace(parts, archive=FirstReport(parts.archive))
