"""The report as its RIS publishes it in the DMP, beside the KOS that the Source publishes.

The RIS publishes, replaces and deletes its own report, then sends the copy: the Source makes KOS of
it and nothing else. What both say of one exam is found by the same numbers.

Réf.: REM vague 2, DB/RIS.09, DB/RIS.10 and DB/RIS.12, grade: draft.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.holdings import kos_of
from bench.living import Living
from bench.outcomes import NotSendable
from bench.story import Story
from bench.submissions import entries
from protocols.ebrim import DocumentEntry
from protocols.hl7types import CXi, DataTypeError
from simulators.ris.depositing import Depositor
from simulators.ris.dmp_client import DmpRefusal
from spec.dmp import KOS_TYPE_CODE, SIGNATURE_CLASS_CODE
from spec.hl7v2 import IMAGING_REPORT
from spec.xds import ReferenceType, Status

__all__ = ["Depositing"]

_NUMBERS = (
    ReferenceType.ACCESSION,
    ReferenceType.ORDER,
    ReferenceType.STUDY_INSTANCE_UID,
)


@dataclass(slots=True)
class Depositing:
    """The report of the scenario, in the DMP before the Source hears of it."""

    living: Living

    # -- Quand -------------------------------------------------------------------------------

    def deposit(self) -> None:
        """TD2.1a by the RIS."""
        self._at_dmp(lambda ris: ris.deposit(self._story.report()))

    def publish(self) -> None:
        """TD2.1a by the RIS, then the copy."""
        self.deposit()
        self.living.send()

    def replace(self) -> None:
        """A version with another order number: TD2.1b by the RIS, then the copy."""
        self._story.correct_order()
        self._story.version += 1
        self.deposit()
        self.living.send("RO")

    def delete(self) -> None:
        """TD3.3c by the RIS, then the copy."""
        self._at_dmp(lambda ris: ris.delete(self._story.report()))
        self.living.cancel()

    def _at_dmp(self, do: Callable[[Depositor], Awaitable[None]]) -> None:
        story = self._story
        story.stage.publish_case()

        async def done() -> None:
            async with story.bed.depositor() as ris:
                await do(ris)

        try:
            story.bed.call(done)
        except DmpRefusal as error:
            raise NotSendable(f"le RIS du banc n'a pas pu écrire dans le DMP : {error}") from error

    # -- Alors -------------------------------------------------------------------------------

    def expect_same_numbers(self) -> None:
        """Each KOS in force gives numbers of the report in force, and together all of them."""
        report = self._report()
        wanted = _numbers(report) if report else set()
        found = [
            _numbers(one.entry)
            for exam in self._story.exams
            for one in kos_of(self._story, exam)
            if one.approved
        ]
        told = set().union(*found)
        self._story.stage.expect(
            "le compte rendu et ses KOS portent dans le DMP les mêmes numéros",
            bool(wanted) and told == wanted and all(found),
            expected="; ".join(sorted(map(_told, wanted))) or "un compte rendu en vigueur",
            actual="; ".join(sorted(map(_told, told))) or "aucun numéro",
        )

    def expect_alone(self) -> None:
        """The DMP has the RIS's versions of the report, and the Source tried to write none."""
        stage = self._story.stage
        lots = [seen for seen in stage.seen("ITI-41") if _strangers(entries(seen.exchange))]
        others = [
            one.unique_id
            for one in self._reports()
            if one.unique_id not in self._story.case.identifiers.values()
        ]
        stage.expect(
            "la Source ne publie que ses KOS, pas le compte rendu",
            not lots and not others,
            expected="des lots d'un KOS et de sa signature, rien d'autre",
            actual=f"{len(lots)} lot(s) avec un autre document, "
            f"{len(others)} compte(s) rendu(s) d'un autre que le RIS",
            exchanges=[seen.id for seen in lots],
        )

    # -- reading -----------------------------------------------------------------------------

    @property
    def _story(self) -> Story:
        return self.living.imaging.story

    def _reports(self) -> list[DocumentEntry]:
        """Every version of an imaging report that the DMP holds of the patient."""
        ins = self._story.patient.ins
        assert ins is not None
        held = (one.entry for one in self._story.bed.dmp.documents(ins.value, ins.oid))
        return [one for one in held if one.type_code and one.type_code.code == IMAGING_REPORT]

    def _report(self) -> DocumentEntry | None:
        """The one in force."""
        found = [one for one in self._reports() if one.status == Status.APPROVED]
        return found[0] if len(found) == 1 else None


def _strangers(lot: tuple[DocumentEntry, ...]) -> list[DocumentEntry]:
    """What is neither a KOS nor the signature of a lot."""
    return [
        one
        for one in lot
        if not (one.type_code and one.type_code.code == KOS_TYPE_CODE[0])
        and not (one.class_code and one.class_code.code == SIGNATURE_CLASS_CODE)
    ]


def _numbers(entry: DocumentEntry) -> set[tuple[str, str, str]]:
    """(type, number, authority) of accessions, orders and studies; a study has no authority."""
    found = set()
    for value in entry.reference_ids:
        try:
            one = CXi.parse(value)
        except DataTypeError:
            continue
        if one.type in _NUMBERS:
            study = one.type == ReferenceType.STUDY_INSTANCE_UID
            authority = one.authority.universal_id if one.authority and not study else ""
            found.add((one.type, one.id, authority))
    return found


def _told(number: tuple[str, str, str]) -> str:
    kind, value, _ = number
    return f"{kind.rpartition(':')[2]} {value}"
