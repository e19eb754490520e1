"""Sources that spoil the images they serve: identity, encoding, missing instances."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from drimbox_ref.source.parts import Parts
from drimbox_ref.source.ports import Images, Retrieval, Stamper
from drimbox_ref.source.values import Ins, StoredObject, Wanted
from mutants.registry import mutant
from protocols.dicom import encode_element, replace_elements
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

__all__: list[str] = []

_PATIENT_ID = 0x00100020
_SOMEBODY_ELSE = "160012B98765488"
"""A matricule that no scenario mints: those end in a computed key."""


class SomebodyElse:
    """A `Stamper` that stamps another patient's INS."""

    def __init__(self, inner: Stamper) -> None:
        self._inner = inner

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """The right authority, another matricule."""
        return self._inner.stamp(stored, replace(ins, value=_SOMEBODY_ELSE))


@mutant(
    "ins-d-un-autre",
    breaks="L'INS portée dans les images est celle d'un autre patient.",
    requirements=("DB.SO.39",),
    consequences=("DB.CO.60",),
)
def another_ins(parts: Parts) -> Parts:
    """The images of one patient go out under the identity of another."""
    return replace(parts, stamper=SomebodyElse(parts.stamper))


class InsAsPatientId:
    """A `Stamper` that also writes the INS over the local identifier."""

    def __init__(self, inner: Stamper) -> None:
        self._inner = inner

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """PatientID becomes the matricule."""
        stamped = self._inner.stamp(stored, ins)
        element = encode_element(_PATIENT_ID, "LO", ins.value.encode("ascii"), implicit=False)
        data = replace_elements(
            stamped.data,
            transfer_syntax=stamped.transfer_syntax,
            elements={_PATIENT_ID: element},
        )
        return replace(stamped, data=data)


@mutant(
    "ins-dans-patient-id",
    breaks="L'INS remplace l'IPP dans PatientID au lieu de s'ajouter à côté.",
    requirements=("DB.SO.39",),
)
def ins_over_patient_id(parts: Parts) -> Parts:
    """The local identity of the exam is lost."""
    return replace(parts, stamper=InsAsPatientId(parts.stamper))


class Mislabelled:
    """A `Stamper` that says Explicit VR of what it leaves in Implicit VR."""

    def __init__(self, inner: Stamper) -> None:
        self._inner = inner

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """Nothing but another label for implicit data sets."""
        if stored.transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN:
            return replace(stored, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN)
        return self._inner.stamp(stored, ins)


@mutant(
    "implicit-vr-mal-dit",
    breaks="Les objets en Implicit VR sont annoncés en Explicit VR sans être convertis.",
    requirements=("DB.SO.41",),
)
def implicit_left(parts: Parts) -> Parts:
    """The reader cannot decode what it gets."""
    return replace(parts, stamper=Mislabelled(parts.stamper))


class SyntaxLost:
    """A `Stamper` that says Explicit VR Little Endian of every image."""

    def __init__(self, inner: Stamper) -> None:
        self._inner = inner

    def stamp(self, stored: StoredObject, ins: Ins) -> StoredObject:
        """Compressed pixels under the name of uncompressed ones."""
        stamped = self._inner.stamp(stored, ins)
        return replace(stamped, transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN)


@mutant(
    "syntaxe-perdue",
    breaks="Les images compressées sont annoncées sans compression.",
    requirements=("DB.SO.85",),
)
def syntax_lost(parts: Parts) -> Parts:
    """The transfer syntax of the PACS is forgotten on the way."""
    return replace(parts, stamper=SyntaxLost(parts.stamper))


class LastOneLost:
    """`Images` of which the last never leaves, though the answer ends cleanly."""

    def __init__(self, inner: Images) -> None:
        self._inner = inner

    async def open(self, wanted: Wanted) -> Retrieval:
        """A retrieval that stops one instance early."""
        return _Shortened(await self._inner.open(wanted), len(wanted.instances) - 1)


class _Shortened:
    """A `Retrieval` of so many instances."""

    def __init__(self, inner: Retrieval, count: int) -> None:
        self._inner = inner
        self._count = count

    async def objects(self) -> AsyncIterator[StoredObject]:
        """The first ones."""
        left = self._count
        async for stored in self._inner.objects():
            if left <= 0:
                continue
            left -= 1
            yield stored

    async def close(self) -> None:
        """As it should."""
        await self._inner.close()


@mutant(
    "serie-tronquee",
    breaks="La dernière image de chaque série n'est pas rendue, sans que rien ne le dise.",
    requirements=("DB.SO.32",),
    consequences=("DB.CO.60",),
)
def series_shortened(parts: Parts) -> Parts:
    """A complete answer of an incomplete series."""
    return replace(parts, images=LastOneLost(parts.images))
