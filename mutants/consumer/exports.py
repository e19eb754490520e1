"""Consumers that spoil what they export: identity, identifiers, missing or altered images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from drimbox_ref.consumer.parts import Parts
from drimbox_ref.consumer.ports import IdentityCheck, Localizer, LocalPacs, Manifests
from drimbox_ref.consumer.values import Call, Exam, ExportFailed, Failure, Ins, Received
from mutants.registry import mutant
from protocols.dicom import encode_element, is_implicit, replace_elements
from protocols.ebrim import DocumentEntry
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN

__all__: list[str] = []

_SOP_INSTANCE = 0x00080018
_ACCESSION = 0x00080050
_PATIENT_NAME = 0x00100010


# Whose images ----------------------------------------------------------------------------------


class AnyPatient:
    """An `IdentityCheck` that finds every image to be the patient's."""

    def check(self, image: Received, ins: Ins) -> str:
        """Nothing differs."""
        return ""


@mutant(
    "ins-non-comparee",
    breaks="L'INS des images reçues n'est pas comparée à celle de l'appel.",
    requirements=("DB.CO.68",),
    role="consumer",
)
def identity_unchecked(parts: Parts) -> Parts:
    """Somebody else's images enter the patient's record."""
    return replace(parts, identity=AnyPatient())


class Later:
    """An `IdentityCheck` whose objections wait until the images are stored."""

    def __init__(self, inner: IdentityCheck) -> None:
        self._inner = inner
        self.objections: dict[str, str] = {}
        """By SOPInstanceUID."""

    def check(self, image: Received, ins: Ins) -> str:
        """Nothing yet."""
        self.objections[image.sop_instance] = self._inner.check(image, ins)
        return ""


class Objecting:
    """A `LocalPacs` that stores, then says what was wrong."""

    def __init__(self, inner: LocalPacs, identity: Later) -> None:
        self._inner = inner
        self._identity = identity

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """Everything, then the objection."""
        self._inner.store(images, load, stored, to=to)
        for image in images:
            differs = self._identity.objections.get(image.sop_instance)
            if differs:
                raise ExportFailed(Failure.IDENTITY, f"Alerte d'identité : {differs}.")


@mutant(
    "ins-comparee-apres",
    breaks="L'écart d'INS est signalé quand les images sont déjà dans le PACS local.",
    requirements=("DB.CO.68",),
    role="consumer",
)
def identity_checked_later(parts: Parts) -> Parts:
    """The message is right, and comes too late."""
    identity = Later(parts.identity)
    return replace(parts, identity=identity, pacs=Objecting(parts.pacs, identity))


class AsReceived:
    """A `Localizer` that changes nothing."""

    def localize(self, dataset: bytes, transfer_syntax: str, call: Call) -> bytes:
        """The data set of the Source, its PatientID with it."""
        return dataset


@mutant(
    "ipp-d-origine",
    breaks="Les images exportées gardent l'IPP de la structure d'origine.",
    requirements=("DB.CO.77",),
    role="consumer",
)
def original_patient_id(parts: Parts) -> Parts:
    """The local PACS makes another patient of them."""
    return replace(parts, localizer=AsReceived())


# Which images ----------------------------------------------------------------------------------


class LastOneLost:
    """A `LocalPacs` that forgets the last image of each export."""

    def __init__(self, inner: LocalPacs) -> None:
        self._inner = inner

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """All but one; the export ends well."""
        self._inner.store(images[:-1], load, stored, to=to)


@mutant(
    "derniere-image-perdue",
    breaks="La dernière image de chaque export n'atteint pas le PACS local.",
    requirements=("DB.CO.60",),
    consequences=("DB.CO.73",),
    role="consumer",
)
def last_image_lost(parts: Parts) -> Parts:
    """The exam is incomplete, and the page says that it is exported."""
    return replace(parts, pacs=LastOneLost(parts.pacs))


class FirstSeries:
    """`Manifests` that stop at the first series."""

    def __init__(self, inner: Manifests) -> None:
        self._inner = inner

    def read(self, entry: DocumentEntry, data: bytes) -> Exam:
        """An exam of one series."""
        exam = self._inner.read(entry, data)
        return replace(exam, series=exam.series[:1])


@mutant(
    "premiere-serie-seule",
    breaks="Seule la première série que le KOS référence est récupérée.",
    requirements=("DB.VI-CO.11", "DB.CO.60"),
    consequences=(
        "DB.CO.57",
        "DB.CO.73",
    ),
    role="consumer",
)
def first_series_only(parts: Parts) -> Parts:
    """The others are neither shown nor asked for."""
    return replace(parts, manifests=FirstSeries(parts.manifests))


# What becomes of them --------------------------------------------------------------------------


class Renumbering:
    """A `LocalPacs` that gives every image an identifier of its own making."""

    def __init__(self, inner: LocalPacs) -> None:
        self._inner = inner

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """As many images, under other names."""

        def renumbered(image: Received) -> bytes:
            implicit = is_implicit(image.transfer_syntax)
            uid = image.sop_instance.encode("ascii")
            return replace_elements(
                load(image),
                transfer_syntax=image.transfer_syntax,
                elements={
                    _SOP_INSTANCE: encode_element(_SOP_INSTANCE, "UI", uid, implicit=implicit)
                },
            )

        renamed = [replace(one, sop_instance=_other(one.sop_instance)) for one in images]
        self._inner.store(renamed, renumbered, stored, to=to)


def _other(uid: str) -> str:
    """Another UID, always the same for this one."""
    return f"2.25.{int.from_bytes(sha256(uid.encode()).digest()[:15])}"


@mutant(
    "sop-instance-uid-change",
    breaks="Les images exportées reçoivent un autre SOPInstanceUID.",
    requirements=("DB.CO.60",),
    # Wherever an exam is exported to see that it comes whole, it does not.
    consequences=("DB.VI-CO.27", "KIT-LISTE-BLANCHE", "KIT-SOURCE-HOSTILE"),
    role="consumer",
)
def instances_renumbered(parts: Parts) -> Parts:
    """The same exam, exported twice, would be two."""
    return replace(parts, pacs=Renumbering(parts.pacs))


class Overwriting:
    """A `Localizer` that also writes the name of the call and drops the accession number."""

    def __init__(self, inner: Localizer) -> None:
        self._inner = inner

    def localize(self, dataset: bytes, transfer_syntax: str, call: Call) -> bytes:
        """The local IPP, and more than that."""
        implicit = is_implicit(transfer_syntax)
        name = f"{call.family}^LOCAL".encode("ascii", "replace")
        return replace_elements(
            self._inner.localize(dataset, transfer_syntax, call),
            transfer_syntax=transfer_syntax,
            elements={
                _PATIENT_NAME: encode_element(_PATIENT_NAME, "PN", name, implicit=implicit),
                _ACCESSION: None,
            },
        )


@mutant(
    "export-remanie",
    breaks="L'export change le nom du patient et efface le numéro d'accession.",
    requirements=("DB.CO.77",),
    role="consumer",
)
def export_rewritten(parts: Parts) -> Parts:
    """More than the PatientID is replaced."""
    return replace(parts, localizer=Overwriting(parts.localizer))


class Mislabelling:
    """A `LocalPacs` told that nothing is compressed, which it never is asked to undo."""

    def __init__(self, inner: LocalPacs) -> None:
        self._inner = inner

    def store(
        self,
        images: Sequence[Received],
        load: Callable[[Received], bytes],
        stored: Callable[[Received], None],
        *,
        to: str,
    ) -> None:
        """The bytes of the Source under another name."""
        named = [replace(one, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN) for one in images]
        self._inner.store(named, load, stored, to=to)


@mutant(
    "compresse-dit-brut",
    breaks="Les images compressées sont envoyées au PACS local comme si elles ne l'étaient pas.",
    requirements=("DB.CO.74",),
    consequences=("DB.CO.60",),
    role="consumer",
)
def compressed_called_raw(parts: Parts) -> Parts:
    """Every PACS takes them, and no workstation shows them."""
    return replace(parts, pacs=Mislabelling(parts.pacs))
