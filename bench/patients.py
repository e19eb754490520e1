"""Who plays the patient of a scenario: minted and made known to the DMP, or lent by a real one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bench.cases import CasePatient
from bench.neighbours import Manner, Neighbour
from bench.outcomes import CannotVerify
from bench.ports import Dmp
from simulators.dmp import DmpState
from simulators.dmp import Patient as DmpPatient
from spec.oids import INS_NIR_TEST

__all__ = ["Lent", "Minted", "Register", "TestPatient"]

_STATES = {"ouvert": DmpState.OPEN, "fermé": DmpState.CLOSED, "inexistant": DmpState.NONE}

Word = Annotated[str, Field(min_length=1)]


class TestPatient(BaseModel):
    """A patient that a real DMP knows. Several of each state keep scenarios apart."""

    __test__ = False
    model_config = ConfigDict(extra="forbid", frozen=True)

    ins: Annotated[str, Field(pattern=r"^[0-9AB]{15}$")]
    """Matricule, 13 characters and the key."""
    ins_oid: Annotated[str, Field(pattern=r"^[0-9.]+$")] = INS_NIR_TEST
    family: Word
    given: Word
    givens: str = ""
    """All the first names; by default the one used."""
    birth_date: date
    sex: Literal["F", "M"]
    birthplace: Annotated[str, Field(pattern=r"^[0-9AB]{5}$")] = "75056"
    """INSEE code."""
    birthplace_city: str = "PARIS"
    dmp: Literal["ouvert", "fermé", "inexistant"] = "ouvert"

    def playing(self, part: CasePatient) -> CasePatient:
        """This person under the local number that the scenario minted."""
        return replace(
            part,
            ins=self.ins,
            ins_oid=self.ins_oid,
            family=self.family,
            given=self.given,
            givens=self.givens or self.given,
            sex=self.sex,
            birth_date=self.birth_date,
            birthplace_code=self.birthplace,
            birthplace_city=self.birthplace_city,
        )


class Register(Protocol):
    """Gives scenarios their patients."""

    def admit(self, part: CasePatient, state: DmpState, apart_from: str = "") -> CasePatient:
        """The patient who plays that part, whose DMP is in that state.

        `apart_from` is the matricule of another part of the same scenario.

        Raises:
            CannotVerify: nobody can.
        """

    def know(self, patient: DmpPatient) -> None:
        """The DMP knows this very patient."""

    def undisturbed(self) -> bool:
        """Whether the DMP of an admitted patient holds nothing but what the scenario put there."""


class Minted:
    """Everybody is who the scenario says, and the DMP is told."""

    def __init__(self, dmp: Dmp) -> None:
        self._dmp = dmp

    def admit(self, part: CasePatient, state: DmpState, apart_from: str = "") -> CasePatient:
        """The part's own patient."""
        self.know(
            DmpPatient(
                matricule=part.ins,
                oid=part.ins_oid,
                family=part.family,
                given=part.given,
                birth_date=f"{part.birth_date:%Y%m%d}",
                gender=part.sex,
                state=state,
            )
        )
        return part

    def know(self, patient: DmpPatient) -> None:
        """The DMP is told."""
        self._dmp.register_patient(patient)

    def undisturbed(self) -> bool:
        """Nobody else publishes here."""
        return True


class Lent:
    """A real DMP's test patients, who serve in turn: who served longest ago comes next."""

    def __init__(self, neighbour: Neighbour, patients: Iterable[TestPatient]) -> None:
        self._neighbour = neighbour
        self._waiting = list(patients)

    def admit(self, part: CasePatient, state: DmpState, apart_from: str = "") -> CasePatient:
        """Somebody whose DMP is in that state; where nothing of it is seen, anybody will do."""
        for one in self._waiting:
            if _STATES[one.dmp] is state and one.ins != apart_from:
                self._waiting.remove(one)
                self._waiting.append(one)
                return one.playing(part)
        if self._neighbour.manner is Manner.EXTERNAL:
            return part
        word = next(word for word, known in _STATES.items() if known is state)
        raise CannotVerify(
            self._neighbour.cannot(
                f"ne sait pas y créer de patient, et le profil ([[patients]]) n'en donne pas"
                f" {'un autre ' if apart_from else ''}dont le DMP est {word}"
            )
        )

    def know(self, patient: DmpPatient) -> None:
        """Whoever gives a report of their own knows whom it is about."""

    def undisturbed(self) -> bool:
        """Anybody may publish there, and what is published stays."""
        return False
