"""What a Consumer makes of answers of the DMP that are traps, as the steps speak of it.

The page is opened once under each, in an empty browser, between two that show the exam. Whatever
the answer was, the page says why nothing is shown; an answer without end is not read to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.consulting import Consulting
from bench.deadline import until
from bench.outcomes import CannotVerify, Refused
from simulators.dmp import TRAPPED_PARTS, TRAPS
from wire.faults import Value

__all__ = ["SoapAttacks"]

_ENDLESS = "sans-fin"
_MIB = 1 << 20
_ENDLESS_MIB = 1024
_SEARCH, _FETCH = "TD3.1", "TD3.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The page, opened once."""

    words: str
    status: int
    alerts: tuple[str, ...]
    exams: int
    refused: str = ""


@dataclass(slots=True)
class SoapAttacks:
    """A DMP that answers by traps, and a radiologist who does not know it."""

    consulting: Consulting
    opened: list[_Opened] = field(default_factory=list)
    taken_mib: int | None = None
    """Of the answer without end."""

    # -- Quand -------------------------------------------------------------------------------

    def open_under(self, words: Iterable[str]) -> None:
        """The page under each of these answers: to the search, or to the retrieval of a KOS where
        the trap is in a part.

        Raises:
            CannotVerify: the page does not offer the exam while all is well.
        """
        names = {told: name for name, (told, _) in TRAPS.items()}
        self.consulting.open_page()
        for one in words:
            name = names[one]
            with self._answering(name):
                self.opened.append(self._open(one))
                if name == _ENDLESS:
                    self.taken_mib = self._taken()

    # -- Alors -------------------------------------------------------------------------------

    def expect_explained(self) -> None:
        """Each time a message, and no exam."""
        if not self.opened:
            raise CannotVerify("la page n'a pas été ouverte")
        for one in self.opened:
            self.consulting.story.stage.expect(
                f"sous « {one.words} », la page dit pourquoi rien n'est montré",
                bool(one.alerts) and not one.exams and not one.refused,
                expected="un message, aucun examen",
                actual=one.refused
                or f"{' / '.join(one.alerts) or 'aucun message'} ; {one.exams} examen(s)",
            )

    def expect_cut(self) -> None:
        """The answer without end was left by whoever asked, long before its end."""
        if self.taken_mib is None:
            raise CannotVerify("aucune réponse sans fin n'a été rendue")
        self.consulting.story.stage.expect(
            "la réponse sans fin est coupée par la Consommatrice",
            self.taken_mib < _ENDLESS_MIB,
            expected=f"moins de {_ENDLESS_MIB} Mio",
            actual=f"{self.taken_mib} Mio",
        )

    def expect_shown_again(self) -> None:
        """A new call shows the exam."""
        self.consulting.call()
        self.consulting.login()
        self.consulting.expect_exam_shown()

    # -- inside ------------------------------------------------------------------------------

    @contextmanager
    def _answering(self, name: str) -> Iterator[None]:
        faults = self.consulting.story.bed.dmp.faults
        on = _FETCH if name in TRAPPED_PARTS else _SEARCH
        values: dict[str, Value] = {"reponse": name, "mio": _ENDLESS_MIB}
        fault = faults.set("piege", on, values)
        try:
            yield
        finally:
            faults.clear(fault)

    def _open(self, words: str) -> _Opened:
        consulting = self.consulting
        try:
            consulting.call()
            consulting.login()
        except Refused as error:
            return _Opened(words=words, status=0, alerts=(), exams=0, refused=str(error))
        page = consulting.shown
        return _Opened(
            words=words, status=page.status, alerts=page.alerts, exams=consulting.offered
        )

    def _taken(self) -> int:
        """Megabytes of the largest answer to a search, once it is over."""
        stage = self.consulting.story.stage

        def largest() -> int:
            sizes = [
                seen.exchange.response.size
                for seen in stage.seen("ITI-18")
                if seen.exchange.response is not None
            ]
            return max(sizes, default=0) // _MIB

        until(lambda: largest() > 0, deadline_s=stage.profile.timing.effect_s)
        return largest()
