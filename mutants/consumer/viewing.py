"""Consumers whose viewer asks for images wrongly, or for the wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drimbox_ref.consumer.images import PROFILES, WadoImages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Images
from drimbox_ref.consumer.values import Exam, ExportFailed, Failure, Received, Series, Use
from mutants.registry import mutant
from spec.wado import LOSSLESS_PROFILE

__all__: list[str] = []


@mutant(
    "visionneuse-sans-perte",
    breaks="La visionneuse demande de préférence une syntaxe sans perte.",
    requirements=("DB.VI-CO.15",),
    role="consumer",
)
def lossless_view(parts: Parts) -> Parts:
    """The profile of an exact copy, for the eye as well."""
    profiles = {**PROFILES, Use.VIEW: LOSSLESS_PROFILE}
    return replace(parts, images=WadoImages(parts.network, profiles=profiles))


class FirstSeries:
    """`Images` that give the first series of the exam to whoever looks at another one."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def retrieve(
        self,
        exam: Exam,
        series: Series,
        token: str,
        *,
        use: Use,
        into: Path,
        limit: int,
        accept: Callable[[Received], None],
    ) -> None:
        """An export is right."""
        shown = exam.series[0] if use is Use.VIEW else series
        await self._inner.retrieve(
            exam, shown, token, use=use, into=into, limit=limit, accept=accept
        )


@mutant(
    "visionneuse-premiere-serie",
    breaks="La visionneuse s'ouvre toujours sur la première série de l'examen.",
    requirements=("DB.CO.57",),
    role="consumer",
)
def first_series(parts: Parts) -> Parts:
    """A viewer that knows exams alone."""
    return replace(parts, images=FirstSeries(parts.images))


class Unseen:
    """`Images` that are exported, and never shown."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def retrieve(
        self,
        exam: Exam,
        series: Series,
        token: str,
        *,
        use: Use,
        into: Path,
        limit: int,
        accept: Callable[[Received], None],
    ) -> None:
        """Nothing is asked of the Source for the eye."""
        if use is Use.VIEW:
            raise ExportFailed(Failure.INTERNAL, "La visionneuse ne répond pas.")
        await self._inner.retrieve(
            exam, series, token, use=use, into=into, limit=limit, accept=accept
        )


@mutant(
    "visionneuse-muette",
    breaks="La visionneuse s'ouvre, et ne demande aucune image.",
    requirements=("DB.CO.57",),
    role="consumer",
)
def unseen(parts: Parts) -> Parts:
    """A viewer for show."""
    return replace(parts, images=Unseen(parts.images))
