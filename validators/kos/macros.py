"""KOS: the macros that it includes (codes, requests, other identifiers), as DICOM writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from protocols.kos import Code
from spec.dicom import KEY_OBJECT_DESCRIPTION
from validators.dicom_tree import DataSet
from validators.examples import kos as example
from validators.kos.reading import Kos
from validators.kos.rules import KOS, Findings, dicom, filled, present
from validators.rule import Broken

__all__: list[str] = []

_REQUEST_TYPE_2 = {
    0x00080050: "AccessionNumber",
    0x00081110: "ReferencedStudySequence",
    0x00321060: "RequestedProcedureDescription",
    0x00321064: "RequestedProcedureCodeSequence",
    0x00401001: "RequestedProcedureID",
    0x00402016: "PlacerOrderNumberImagingServiceRequest",
    0x00402017: "FillerOrderNumberImagingServiceRequest",
}
_CODED = (0x0040A043, 0x0040A168)
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
"""CodeValue, LongCodeValue, URNCodeValue: one of the three."""
_PATIENT_ID_TYPES = ("TEXT", "RFID", "BARCODE")
_CHARACTER_SET = 0x00080005
_CHARACTER_SETS = re.compile(
    r"ISO_IR (6|13|100|101|109|110|126|127|138|144|148|166|192|203)"
    r"|ISO 2022 IR [0-9]{1,3}|GB18030|GBK"
)
"""Defined terms of PS3.3 C.12.1.1.2."""
_SEXES = ("M", "F", "O")


@KOS.rule(
    "KOS-019",
    "Une demande nomme son examen, et porte les attributs de type 2 de sa macro",
    reference=dicom("PS3.3 C.17.2, table C.17-3"),
    bad=lambda: example.with_request(procedure_id=None),
)
def request_macro(kos: Kos) -> Findings:
    for request in kos.requests:
        yield from filled(request, 0x0020000D, "StudyInstanceUID")
        for tag, name in _REQUEST_TYPE_2.items():
            yield from present(request, tag, name)


@KOS.rule(
    "KOS-020",
    "Un code porte sa valeur, son système et son libellé",
    reference=dicom("PS3.3 8.8, table 8.8-1"),
    bad=lambda: example.kos(title=(Code("113030", "DCM", ""),)),
)
def coded_entries(kos: Kos) -> Findings:
    for item in _codes(kos.root):
        values = [tag for tag in _CODE_VALUES if item.text(tag)]
        if len(values) != 1:
            yield Broken(
                message="Un code a une valeur et une seule.",
                expected="CodeValue",
                actual=str(len(values)),
                where=item.where(_CODE_VALUES[0]),
            )
        # A URN needs no scheme.
        if 0x00080120 not in values:
            yield from filled(item, 0x00080102, "CodingSchemeDesignator")
        yield from filled(item, 0x00080104, "CodeMeaning")


def _codes(level: DataSet) -> Iterator[DataSet]:
    """Every coded entry that the document title and its content carry."""
    for tag in _CODED:
        yield from level.items(tag)
    for item in level.items(0x0040A730):
        yield from _codes(item)


def _other_concept() -> bytes:
    content = example.manifest().content or ()
    wrong = replace(content[-1], concept=Code("113012", "99KIT", KEY_OBJECT_DESCRIPTION.meaning))
    return example.kos(content=(*content[:-1], wrong))


@KOS.rule(
    "KOS-022",
    "Un item TEXT du contenu est une description d'objets clés (113012, DCM)",
    reference=dicom("PS3.16 TID 2010"),
    bad=_other_concept,
)
def text_concept(kos: Kos) -> Findings:
    for item in kos.root.items(0x0040A730):
        if item.text(0x0040A040) != "TEXT":
            continue
        codes = [(one.text(0x00080100), one.text(0x00080102)) for one in item.items(0x0040A043)]
        if codes != [KEY_OBJECT_DESCRIPTION[:2]]:
            yield Broken(
                message="Le gabarit 2010 n'admet pas ce concept pour un texte.",
                expected=", ".join(KEY_OBJECT_DESCRIPTION[:2]),
                actual=" | ".join(", ".join(code) for code in codes),
                where=item.where(0x0040A043),
            )


def _silent() -> bytes:
    content = example.manifest().content or ()
    return example.kos(content=(*content[:-1], replace(content[-1], text="")))


@KOS.rule(
    "KOS-026",
    "Un item TEXT du contenu a un texte",
    reference=dicom("PS3.3 C.17.3, table C.17-5"),
    bad=_silent,
)
def text_value(kos: Kos) -> Findings:
    for item in kos.root.items(0x0040A730):
        if item.text(0x0040A040) == "TEXT":
            yield from filled(item, 0x0040A160, "TextValue")


@KOS.rule(
    "KOS-021",
    "SpecificCharacterSet annonce les caractères que le document emploie",
    reference=dicom("PS3.5 6.1.2"),
    bad=lambda: example.kos().replace(b"ISO_IR 100", b" " * 10),
)
def character_set(kos: Kos) -> Findings:
    written = kos.root.values(_CHARACTER_SET)
    for term in written:
        if term and _CHARACTER_SETS.fullmatch(term) is None:
            yield Broken(
                message="Ce n'est pas un jeu de caractères de DICOM.",
                expected="ISO_IR 192 ou ISO_IR 100",
                actual=term,
                where="0008,0005",
            )
    if written:
        return
    for where, text in _texts(kos.root):
        # The default repertoire is ISO IR 6.
        if not text.isascii():
            yield Broken(
                message="Sans SpecificCharacterSet, seul l'ASCII est permis.",
                expected="ISO_IR 192 ou ISO_IR 100",
                actual=text[:40],
                where=where,
            )
            return


def _texts(level: DataSet) -> Iterator[tuple[str, str]]:
    for element in level.elements.values():
        yield level.where(element.tag), element.text
        for item in element.items:
            yield from _texts(item)


@KOS.rule(
    "KOS-041",
    "TypeOfPatientID qualifie chaque autre identifiant (TEXT, RFID ou BARCODE)",
    reference=dicom("PS3.3 C.7.1.1, Type of Patient ID"),
    bad=lambda: example.kos(
        other_patient_ids=tuple(
            replace(one, type=None) for one in example.manifest().other_patient_ids or ()
        )
    ),
)
def patient_id_type(kos: Kos) -> Findings:
    for item in kos.root.items(0x00101002):
        written = item.text(0x00100022)
        if written not in _PATIENT_ID_TYPES:
            yield Broken(
                message="Le type de l'identifiant est absent ou inconnu.",
                expected=" | ".join(_PATIENT_ID_TYPES),
                actual=written,
                where=item.where(0x00100022),
            )


@KOS.rule(
    "KOS-042",
    "PatientSex vaut M, F ou O, quand il est écrit",
    reference=dicom("PS3.3 C.7.1.1, Patient's Sex"),
    bad=lambda: example.kos(sex="I"),
)
def sex(kos: Kos) -> Findings:
    written = kos.root.text(0x00100040)
    if written and written not in _SEXES:
        yield Broken(
            message="Cette valeur n'est pas permise.",
            expected=" | ".join(_SEXES),
            actual=written,
            where="0010,0040",
        )
