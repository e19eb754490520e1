"""Neighbours that fail on demand, as the steps speak of them: each fault ends with its scenario."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.imaging import Imaging
from bench.outcomes import CannotVerify
from bench.story import Story
from simulators.dmp import Cut
from simulators.pacs.faults import NEGOTIATION
from spec.xds import ErrorCode
from wire.faults import Faults, Value

__all__ = ["Breaking"]

_RETRIEVALS = ("C-MOVE", "C-GET", "WADO-RS")
"""By which of them a Source asks for images is its own choice."""


@dataclass(slots=True)
class Breaking:
    """The faults of one scenario, on the simulators that stand; a real neighbour makes none."""

    story: Story
    _set: list[tuple[Faults, int]] = field(default_factory=list)

    # -- Étant donné -------------------------------------------------------------------------

    def refuse_associations(self, times: int) -> None:
        """The PACS refuses its next associations for the moment, then accepts."""
        self._break(self.story.bed.pacs.faults, "refus", "association", times=times)

    def cut_submission(self, moment: Cut) -> None:
        """The DMP loses the connection of the next submission."""
        self._break(self.story.bed.dmp.faults, "coupure", "TD2.1", times=1, moment=moment)

    def refuse_lots(self) -> None:
        """The DMP refuses whatever it is given from now on."""
        code = ErrorCode.REGISTRY_METADATA_ERROR.value
        self._break(self.story.bed.dmp.faults, "erreur-xds", "TD2.1", code=code)

    def answer_busy(self) -> None:
        """The DMP is busy for the next submission, and out of order for the one after."""
        faults = self.story.bed.dmp.faults
        self._break(faults, "erreur-xds", "TD2.1", times=1, code=ErrorCode.REPOSITORY_BUSY.value)
        self._break(faults, "http", "TD2.1", times=1, code=503)

    def lie_about_counts(self) -> None:
        """The PACS tells one instance less than it has, and one less than it sends."""
        for service in ("C-FIND", "C-MOVE", "C-GET"):
            self._break(self.story.bed.pacs.faults, "comptes-faux", service, ecart=-1)

    def keep_last_image(self) -> None:
        """The PACS does not send the last image of what it is asked for any more."""
        for service in _RETRIEVALS:
            self._break(self.story.bed.pacs.faults, "partiel", service, manque=1)

    def refuse_compression(self) -> None:
        """The local PACS takes uncompressed images alone.

        Raises:
            CannotVerify: it is a real one.
        """
        pacs = self.story.bed.simulators.local_pacs
        if pacs is None:
            raise CannotVerify("le PACS local est réel : le banc ne règle pas ce qu'il accepte")
        self._break(pacs.faults, "sans-compression", NEGOTIATION)

    def _break(
        self, faults: Faults, kind: str, on: str, *, times: int | None = None, **values: Value
    ) -> None:
        self._set.append((faults, faults.set(kind, on, values, times=times)))

    def mend(self) -> None:
        """All of these faults are over."""
        for faults, id in self._set:
            faults.clear(id)
        self._set.clear()

    # -- Alors -------------------------------------------------------------------------------

    def expect_not_whole(self, imaging: Imaging) -> None:
        """What a PACS did not send in full is not given as if it were whole.

        Réf.: PS3.18 10.4.3.3, 206 says that a part is missing (grade `standard`).
        """
        answer, manifest = imaging.answered(), imaging.manifest
        wanted = {
            instance.sop_instance
            for series in manifest.series()
            if series.series_uid == imaging.exam.series[0].uid
            for instance in series.instances
        }
        whole = imaging.instances() == wanted
        said = answer.status is None or answer.status >= 400 or answer.status == 206
        self.story.stage.expect(
            "la Source ne fait pas passer une série incomplète pour entière",
            whole or said or not answer.complete,
            expected="un refus, 206, ou une réponse interrompue",
            actual=imaging.summary(answer),
            exchanges=[seen.id for seen in self.story.stage.seen("WADO-RS")],
        )
