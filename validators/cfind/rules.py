"""C-FIND answers: levels, unique keys, values, and whether they are of the exam in question."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from protocols.dicom import vr_of
from spec.grade import Grade, Reference
from validators.cfind.reading import Answers
from validators.context import Context
from validators.dicom_tree import DataSet, Element
from validators.examples import cfind as example
from validators.examples import kos
from validators.finding import Severity
from validators.identifiers import is_uid
from validators.rule import Broken, RuleSet

__all__ = ["CFIND"]

Findings = Iterator[Broken]

_LEVEL = 0x00080052
_STUDY, _SERIES, _INSTANCE = 0x0020000D, 0x0020000E, 0x00080018
_ACCESSION, _SOP_CLASS = 0x00080050, 0x00080016
_UNIQUE = {
    "PATIENT": (0x00100020,),
    "STUDY": (_STUDY,),
    "SERIES": (_STUDY, _SERIES),
    "IMAGE": (_STUDY, _SERIES, _INSTANCE),
}
"""Level to its unique key and those of the levels above, as far as Study Root has them."""
_COUNTS = (0x00201200, 0x00201202, 0x00201204, 0x00201206, 0x00201208, 0x00201209)
_PATIENT_SEX = 0x00100040
_SEX = re.compile(r"[MFO]")
_FORMS = {"CS": re.compile(r"[A-Z0-9 _]{1,16}"), "DA": re.compile(r"[0-9]{8}")}
_VARIABLE = ("UN", "US", "SS", "OW", "OB")
"""VRs of the dictionary that another attribute decides, or that are not known."""
_UIDS = (_STUDY, _SERIES, _INSTANCE, _SOP_CLASS)


def _dicom(section: str) -> Reference:
    return Reference("DICOM", section, Grade.STANDARD)


CFIND = RuleSet(
    "c-find",
    good=example.answers,
    syntax="CFIND-000",
    unreadable=lambda: b'[{"00080052": "STUDY"}]',
    reference=_dicom("PS3.18 F.2"),
    requirements=("DB.SO.12", "DB.SO.14"),
)


@CFIND.rule(
    "CFIND-001",
    "Chaque réponse dit son niveau, le même pour toutes",
    reference=_dicom("PS3.4 C.4.1.1.3.2"),
    bad=lambda: example.answers([example.image(level="INSTANCE")]),
)
def level(answers: Answers) -> Findings:
    for one in answers.identifiers:
        if one.text(_LEVEL) not in _UNIQUE:
            yield Broken(
                message="Le niveau de la réponse manque ou est inconnu.",
                expected=" | ".join(_UNIQUE),
                actual=one.text(_LEVEL),
                where=one.where(_LEVEL),
            )
    if len(answers.levels) > 1:
        yield Broken(
            message="Une demande est d'un niveau, et ses réponses aussi.",
            expected="un niveau",
            actual=" ".join(sorted(answers.levels)),
        )


@CFIND.rule(
    "CFIND-002",
    "Chaque réponse a les clés uniques de son niveau et des niveaux au-dessus",
    reference=_dicom("PS3.4 C.6.2.1, C.4.1.1.3.2"),
    bad=lambda: example.answers([example.image(series=None)]),
)
def unique_keys(answers: Answers) -> Findings:
    for one in answers.identifiers:
        for tag in _UNIQUE.get(one.text(_LEVEL), ()):
            if not one.text(tag):
                yield Broken(
                    message="Une clé unique manque.", expected="une valeur", where=one.where(tag)
                )


@CFIND.rule(
    "CFIND-003",
    "Les identifiants sont des UID",
    reference=_dicom("PS3.5 9.1"),
    bad=lambda: example.answers([example.study(study="1.02.3")]),
)
def uids(answers: Answers) -> Findings:
    for one in answers.identifiers:
        for tag in _UIDS:
            written = one.text(tag)
            if written and not is_uid(written):
                yield Broken(message="Ce n'est pas un UID.", actual=written, where=one.where(tag))


@CFIND.rule(
    "CFIND-004",
    "Chaque objet n'est répondu qu'une fois",
    reference=_dicom("PS3.4 C.4.1.2.2.1"),
    bad=lambda: example.answers([example.image(1), example.image(1)]),
)
def once(answers: Answers) -> Findings:
    own = [(one, _UNIQUE[one.text(_LEVEL)][-1]) for one in answers.identifiers if _levelled(one)]
    for (tag, value), count in Counter((tag, one.text(tag)) for one, tag in own).items():
        if value and count > 1:
            yield Broken(
                message="Cet objet est répondu plusieurs fois.",
                expected="1",
                actual=f"{value}, {count}",
                where=DataSet().where(tag),
            )


def _levelled(one: DataSet) -> bool:
    return one.text(_LEVEL) in _UNIQUE


@CFIND.rule(
    "CFIND-005",
    "Les décomptes sont des nombres",
    reference=_dicom("PS3.5 6.2 (IS)"),
    bad=lambda: example.answers([example.study(instance_count="deux")]),
)
def counts(answers: Answers) -> Findings:
    for one in answers.identifiers:
        for tag in _COUNTS:
            written = one.text(tag)
            if written and not (written.isascii() and written.isdigit()):
                yield Broken(
                    message="Ce décompte n'est pas un nombre.",
                    actual=written,
                    where=one.where(tag),
                )


@CFIND.rule(
    "CFIND-006",
    "Chaque attribut a la VR du dictionnaire",
    reference=_dicom("PS3.6 6 ; PS3.18 F.2.2"),
    bad=lambda: example.answers().replace(b'"00080060": {"vr": "CS"', b'"00080060": {"vr": "SH"'),
)
def representations(answers: Answers) -> Findings:
    for one in answers.identifiers:
        for owner, element in _elements(one):
            known = vr_of(element.tag)
            expected = (*_VARIABLE, element.vr)
            if known not in expected and element.vr != "UN" and not element.tag >> 16 & 1:
                yield Broken(
                    message="La VR n'est pas celle de l'attribut.",
                    expected=known,
                    actual=element.vr,
                    where=owner.where(element.tag),
                )


def _elements(data: DataSet) -> Iterator[tuple[DataSet, Element]]:
    """Every element and the set that holds it, down the sequences."""
    for element in data.elements.values():
        yield data, element
        for item in element.items:
            yield from _elements(item)


@CFIND.rule(
    "CFIND-010",
    "Les dates, les codes et le sexe ont la forme de DICOM",
    reference=_dicom("PS3.5 6.2 (CS, DA) ; PS3.3 C.7.1.1"),
    bad=lambda: example.answers([example.study(birth_date="28/03/1979")]),
)
def forms(answers: Answers) -> Findings:
    for one in answers.identifiers:
        for owner, element in _elements(one):
            pattern = _SEX if element.tag == _PATIENT_SEX else _FORMS.get(element.vr)
            for value in element.values if pattern else ():
                if value and pattern and pattern.fullmatch(value) is None:
                    yield Broken(
                        message="La valeur n'a pas la forme de sa VR.",
                        expected=pattern.pattern,
                        actual=value,
                        where=owner.where(element.tag),
                    )


@CFIND.rule(
    "CFIND-007",
    "Une réponse de niveau IMAGE dit la classe SOP, que le KOS recopie",
    reference=_dicom("PS3.3 C.17.2.1"),
    severity=Severity.WARNING,
    requirements=("DB.SO.14", "DB.SO.18"),
    bad=lambda: example.answers([example.image(sop_class=None)]),
)
def sop_classes(answers: Answers) -> Findings:
    # PS3.4 makes it an optional key: a PACS may leave it out, and no manifest can then be made.
    for one in answers.identifiers:
        if one.text(_LEVEL) == "IMAGE" and not one.text(_SOP_CLASS):
            yield Broken(
                message="La classe SOP manque.", expected="une valeur", where=one.where(_SOP_CLASS)
            )


@CFIND.rule(
    "CFIND-008",
    "Les réponses sont de l'examen demandé",
    reference=_dicom("PS3.4 C.2.2.2.1"),
    given=Context(study_uid=kos.STUDY),
    bad=lambda: example.answers([example.study(study=f"{kos.STUDY}.2")]),
)
def asked_study(answers: Answers) -> Findings:
    wanted = answers.context.study_uid
    for one in answers.identifiers:
        written = one.text(_STUDY)
        if wanted and written and written != wanted:
            yield Broken(
                message="Cette réponse est d'un autre examen.",
                expected=wanted,
                actual=written,
                where=one.where(_STUDY),
            )


@CFIND.rule(
    "CFIND-009",
    "L'Accession Number est celui de l'examen",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.17", Grade.DRAFT),
    requirements=("DB.SO.17",),
    given=Context(accession=kos.ACCESSION),
    bad=lambda: example.answers([example.study(accession="AUTRE")]),
)
def accession(answers: Answers) -> Findings:
    wanted = answers.context.accession
    for one in answers.identifiers:
        written = one.text(_ACCESSION)
        if wanted and written and written != wanted:
            yield Broken(
                message="L'Accession Number est celui d'un autre examen.",
                expected=wanted,
                actual=written,
                where=one.where(_ACCESSION),
            )
