"""Sources made for one department: one PACS, one domain of identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drimbox_ref.dmp import PeerUnavailable
from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Examinations, Images, Matcher, Retrieval
from drimbox_ref.source.values import FoundStudy, Mismatch, Order, ReportOrder, Wanted
from mutants.registry import mutant

__all__: list[str] = []


class OnePacs:
    """`Examinations` that do not look who gave an accession number: the authority of the first one
    that they see stands for all."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner
        self._first = ""

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """In the PACS where the first exam was."""
        return self._inner.find(study_uid, tuple(self._known(order) for order in orders))

    def _known(self, order: Order) -> Order:
        self._first = self._first or order.accession_oid
        return replace(order, accession_oid=self._first)


@mutant(
    "un-seul-pacs",
    breaks="L'autorité du numéro d'accession n'est pas lue : un seul PACS est interrogé.",
    requirements=("DB.SO.04",),
    consequences=("DB.SO.12", "DB.SO.16", "DB.SO.32"),
)
def one_pacs(parts: Parts) -> Parts:
    """The exams of the other department are all absent."""
    return replace(parts, examinations=OnePacs(parts.examinations))


class FirstThatHas(OnePacs):
    """`Examinations` that ask every PACS, and believe the first that has something."""

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """The PACS of the first exam first, whoever gave the number."""
        return super().find(study_uid, orders) or self._inner.find(study_uid, orders)


@mutant(
    "premier-pacs-venu",
    breaks="Le premier PACS qui connaît l'examen est cru, sans regarder de qui est son numéro.",
    requirements=("DB.SO.04",),
)
def first_pacs_that_answers(parts: Parts) -> Parts:
    """A copy of one image stands for the exam."""
    return replace(parts, examinations=FirstThatHas(parts.examinations))


class AllOrNothing:
    """`Examinations` that go no further than the PACS that does not answer."""

    def __init__(self, inner: Examinations) -> None:
        self._inner = inner
        self._stuck: tuple[str, Sequence[Order]] | None = None

    def find(self, study_uid: str, orders: Sequence[Order]) -> FoundStudy | None:
        """What failed last, first."""
        try:
            if self._stuck is not None:
                self._inner.find(*self._stuck)
            self._stuck = None
            return self._inner.find(study_uid, orders)
        except PeerUnavailable:
            self._stuck = self._stuck or (study_uid, orders)
            raise


@mutant(
    "pacs-arrete-tout",
    breaks="Tant qu'un PACS ne répond pas, aucun examen d'aucun autre n'est publié.",
    requirements=("DB.SO.04",),
)
def one_down_stops_all(parts: Parts) -> Parts:
    """Nothing goes before what waits."""
    return replace(parts, examinations=AllOrNothing(parts.examinations))


class FirstIpp:
    """A `Matcher` for which a patient has one IPP: the first of the message."""

    def __init__(self, inner: Matcher) -> None:
        self._inner = inner

    def match(self, report: ReportOrder, study: FoundStudy) -> tuple[Order, ...] | Mismatch:
        """Without those of other domains."""
        patient = replace(report.patient, other_ipps=())
        return self._inner.match(replace(report, patient=patient), study)


@mutant(
    "premier-ipp-seul",
    breaks="D'un patient qui a plusieurs IPP, seul le premier du message est comparé.",
    requirements=("DB.SO.04", "DB.SO.16"),
)
def first_ipp_only(parts: Parts) -> Parts:
    """What the other department holds is somebody else's."""
    return replace(parts, matcher=FirstIpp(parts.matcher))


class FromTheFirst:
    """`Images` that come from one PACS, whichever had the exam."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner
        self._first = ""

    async def open(self, wanted: Wanted) -> Retrieval:
        """From the PACS of the first exam ever asked for."""
        self._first = self._first or wanted.pacs.rstrip("0123456789")
        return await self._inner.open(replace(wanted, pacs=self._first))


@mutant(
    "images-d-un-seul-pacs",
    breaks="Les images sont demandées à un seul PACS, quel que soit celui de l'examen.",
    requirements=("DB.SO.04",),
    consequences=("DB.SO.32",),
)
def images_of_one_pacs(parts: Parts) -> Parts:
    """The KOS is right, and nothing comes of it."""
    return replace(parts, images=FromTheFirst(parts.images))
