"""Consumers whose viewer asks for images wrongly, or for the wrong ones."""

from __future__ import annotations

from dataclasses import replace

from drimbox_ref.consumer.images import PROFILES, WadoImages
from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import Images
from drimbox_ref.consumer.values import ExportFailed, Failure, Use
from mutants.consumer.passing import Asked, PassingImages
from mutants.registry import mutant
from spec.wado import LOSSLESS_PROFILE

__all__: list[str] = []


@mutant(
    "visionneuse-sans-perte",
    breaks="La visionneuse demande de préférence une syntaxe sans perte.",
    requirements=("DB.VI-CO.15",),
    consequences=("DB.CO.57",),
    role="consumer",
)
def lossless_view(parts: Parts) -> Parts:
    """The profile of an exact copy, for the eye as well."""
    profiles = {**PROFILES, Use.VIEW: LOSSLESS_PROFILE}
    return replace(parts, images=WadoImages(parts.network, profiles=profiles))


class FirstSeries(PassingImages):
    """`Images` that give the first series of the exam to whoever looks at another one."""

    async def fetch(self, asked: Asked) -> None:
        """An export is right."""
        shown = asked.exam.series[0] if asked.use is Use.VIEW else asked.series
        await super().fetch(replace(asked, series=shown))


@mutant(
    "visionneuse-premiere-serie",
    breaks="La visionneuse s'ouvre toujours sur la première série de l'examen.",
    requirements=("DB.CO.57",),
    role="consumer",
)
def first_series(parts: Parts) -> Parts:
    """A viewer that knows exams alone."""
    return replace(parts, images=FirstSeries(parts.images))


class Unseen(PassingImages):
    """`Images` that are exported, and never shown."""

    async def fetch(self, asked: Asked) -> None:
        """Nothing is asked of the Source for the eye."""
        if asked.use is Use.VIEW:
            raise ExportFailed(Failure.INTERNAL, "La visionneuse ne répond pas.")
        await super().fetch(asked)


@mutant(
    "visionneuse-muette",
    breaks="La visionneuse s'ouvre, et ne demande aucune image.",
    requirements=("DB.CO.57",),
    role="consumer",
)
def unseen(parts: Parts) -> Parts:
    """A viewer for show."""
    return replace(parts, images=Unseen(parts.images))


class FirstManifest(PassingImages):
    """`Images` that name, for every exam of the patient, the KOS of the first one that was read."""

    def __init__(self, inner: Images) -> None:
        super().__init__(inner)
        self._first: dict[str, str] = {}

    async def fetch(self, asked: Asked) -> None:
        """Right as long as the patient has a single exam."""
        named = self._first.setdefault(asked.token, asked.exam.kos_uid)
        await super().fetch(replace(asked, exam=replace(asked.exam, kos_uid=named)))


@mutant(
    "kos-du-premier-examen",
    breaks="Les images de tout examen sont demandées avec l'identifiant du premier KOS ouvert.",
    requirements=("DB.VI-CO.14",),
    consequences=("DB.CO.60",),
    role="consumer",
)
def first_manifest(parts: Parts) -> Parts:
    """One identifier for a session."""
    return replace(parts, images=FirstManifest(parts.images))
