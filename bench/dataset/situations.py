"""The catalogue of situations: what each one shows, sends, and must cause. Data only.

Names are the bench's own. What must happen comes from the texts named beside each effect, with
their grade; requirements are those of the catalogue, with theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench.errors import BenchError
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from spec.grade import Grade, Reference

__all__ = ["SITUATIONS", "Act", "Effect", "ExamPlan", "Names", "Situation", "Step", "named"]

_JPEG_LS = "1.2.840.10008.1.2.4.80"


class Act(StrEnum):
    """What happens to a published exam."""

    CREATE = "création"
    REPLACE = "remplacement"
    HIDE = "visibilité"
    DELETE = "dépublication"
    REJECT = "rejet"
    """The PACS tells of withdrawn images: an IOCM note, or OMI^O23."""


class Names(StrEnum):
    """Which used names the patient has beside those of birth."""

    NONE = "aucun nom"
    FAMILY = "nom"
    GIVEN = "prénom"
    BOTH = "nom et prénom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a conform DRIMbox then does.

    `count` is how often, None when the texts do not say. `transaction` is named as the journal
    names it, or says in French what is seen otherwise.
    """

    transaction: str
    text: str
    count: int | None = 1
    requirements: tuple[str, ...] = ()
    source: Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamPlan:
    """One exam of the report. `images` is of each series."""

    modality: str = "CT"
    series: int = 2
    images: int = 3
    body_part: str = "HEAD"
    transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN
    matrix: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message, or one note of the PACS, and what it must cause.

    `report` counts from 1: which of the reports it carries, when there are several.
    `rejected` names the series that a note withdraws, from 1; all of them when empty.
    `forms` are the ways in which it is written.
    """

    act: Act
    effects: tuple[Effect, ...]
    report: int = 1
    rejected: tuple[int, ...] = ()
    forms: tuple[str, ...] = ("ORU", "MDM")


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A named exam. `reports` groups its exams, by number from 1, in reports."""

    name: str
    title: str
    shows: str
    steps: tuple[Step, ...]
    exams: tuple[ExamPlan, ...] = (ExamPlan(),)
    reports: tuple[tuple[int, ...], ...] = ()
    names: Names = Names.NONE
    note: str = ""
    """What the texts leave open, or what is told apart."""

    @property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The exams of each report, by number from 1: all in one unless told otherwise."""
        return self.reports or (tuple(range(1, len(self.exams) + 1)),)

    @property
    def images(self) -> int:
        """How many images in all."""
        return sum(exam.series * exam.images for exam in self.exams)


_LIFE = Reference("FAQ ANS, cycle de vie d'un KOS", grade=Grade.FAQ)
_TRIGGER = Reference("FAQ ANS 8801", grade=Grade.FAQ)
_ACK = Reference("CI-SIS, CDA-R2 en HL7v2 2.1", "acquittement", Grade.STANDARD)
_DRAFT = Reference("REM DRIM-M", "exports de 2022-2023", Grade.DRAFT)
_NAMES = Reference("DRIM-M_DATA, essai à blanc du cross-validateur", grade=Grade.SAMPLE)
_RAD_66 = Reference("IHE RAD TF", "Vol. 2, 4.66", Grade.STANDARD)

_ACKED: Final = Effect(
    transaction="ACK",
    text="acquittement MSA-1 = AA : la Source prend le message en charge",
    requirements=("DB.SO.03",),
    source=_ACK,
)


def _published(exams: int = 1, *more: Effect) -> tuple[Effect, ...]:
    """What a created report causes."""
    return (
        _ACKED,
        Effect(
            transaction="C-FIND",
            text="une recherche dans le PACS par StudyInstanceUID de l'en-tête CDA",
            count=exams,
            requirements=("DB.SO.12", "DB.SO.14"),
            source=_DRAFT,
        ),
        Effect(
            transaction="ITI-41 (TD2.1a)",
            text="un KOS publié par examen, en authentification indirecte",
            count=exams,
            requirements=("DB.SO.11", "DB.SO.12", "DB.SO.18", "DB.SO.19"),
            source=_LIFE,
        ),
        Effect(
            transaction="archive locale",
            text="le KOS, ses métadonnées et l'identifiant du compte rendu y sont gardés",
            count=exams,
            requirements=("DB.SO.22",),
            source=_LIFE,
        ),
        Effect(
            transaction="traces",
            text="la réception du compte rendu et la publication sont tracées",
            count=None,
            requirements=("DB.SO.43", "DB.SO.44"),
            source=_DRAFT,
        ),
        *more,
    )


def _replaced(text: str, *requirements: str) -> Effect:
    return Effect(
        transaction="ITI-41 (TD2.1b)",
        text=text,
        requirements=requirements,
        source=_LIFE,
    )


def _depublished(*requirements: str) -> tuple[Effect, ...]:
    return (
        Effect(
            transaction="ITI-57 (TD3.3c)",
            text="le KOS est dépublié du DMP : son statut devient Deleted",
            requirements=requirements,
            source=_LIFE,
        ),
        Effect(
            transaction="archive locale",
            text="le KOS y est marqué dépublié ; son identification et son état y restent",
            requirements=("DB.SO.22",),
            source=_LIFE,
        ),
        Effect(
            transaction="WADO-RS",
            text="une demande d'images sous ce KOS reçoit un refus précis",
            count=None,
            requirements=("DB.SO.37",),
            source=_LIFE,
        ),
    )


_ARCHIVE_REPLACED: Final = Effect(
    transaction="archive locale",
    text="le nouveau KOS et son lot y prennent la place des anciens",
    requirements=("DB.SO.22",),
    source=_LIFE,
)
_NOTE_TAKEN: Final = Effect(
    transaction="C-STORE",
    text="la note de rejet est acceptée (statut 0000)",
    requirements=("DB.SO.25",),
    source=_RAD_66,
)
_ASKED_AGAIN: Final = Effect(
    transaction="C-FIND",
    text="la Source interroge de nouveau le PACS, où les images rejetées ne sont plus",
    requirements=("DB.SO.26",),
    source=_TRIGGER,
)
_FROM_ARCHIVE: Final = Effect(
    transaction="VIHF",
    text="le VIHF reprend la structure et le professionnel du lot précédent de l'archive locale",
    requirements=("DB.SO.26",),
    source=_TRIGGER,
)
_CREATED: Final = Step(act=Act.CREATE, effects=_published())


def _named(name: str, names: Names, says: str) -> Situation:
    return Situation(
        name=name,
        title=f"OtherPatientNames : {names}",
        shows=f"Un patient dont l'identité d'usage a : {names}.",
        names=names,
        steps=(
            Step(
                act=Act.CREATE,
                effects=_published(
                    1,
                    Effect(
                        transaction="KOS",
                        text=f"OtherPatientNames (0010,1001) vaut {says}",
                        requirements=("DB.SO.18",),
                        source=_NAMES,
                    ),
                ),
            ),
        ),
    )


_ALL: tuple[Situation, ...] = (
    Situation(
        name="nominal",
        title="Un compte rendu, un examen",
        shows="Un compte rendu valide, d'identité qualifiée, dont l'examen est dans le PACS.",
        steps=(_CREATED,),
    ),
    Situation(
        name="remplacement",
        title="Compte rendu remplacé",
        shows="Le compte rendu est remplacé : nouvelle version, numéro de demande corrigé.",
        steps=(
            _CREATED,
            Step(
                act=Act.REPLACE,
                effects=(
                    _ACKED,
                    _replaced(
                        "un KOS remplace le précédent (association RPLC) et porte le numéro de "
                        "demande corrigé ; le VIHF vient du nouveau compte rendu",
                        "DB.SO.13",
                    ),
                    _ARCHIVE_REPLACED,
                ),
            ),
        ),
    ),
    Situation(
        name="visibilite",
        title="Visibilité modifiée",
        shows="Le compte rendu publié devient invisible au patient (MODIF_CONF_CODE = Y).",
        steps=(
            _CREATED,
            Step(
                act=Act.HIDE,
                effects=(
                    _ACKED,
                    _replaced(
                        "le KOS est remplacé, avec le confidentialityCode INVISIBLE_PATIENT",
                        "DB.SO.97",
                    ),
                    _ARCHIVE_REPLACED,
                ),
            ),
        ),
    ),
    Situation(
        name="depublication",
        title="Compte rendu dépublié",
        shows="Le compte rendu publié est retiré (ORC-1 = CA, OBX-11 = D).",
        steps=(
            _CREATED,
            Step(act=Act.DELETE, effects=(_ACKED, *_depublished("DB.SO.97"))),
        ),
    ),
    Situation(
        name="trois-examens",
        title="Trois examens dans un compte rendu",
        shows="L'en-tête CDA nomme trois StudyInstanceUID : deux scanners et une IRM.",
        exams=(ExamPlan(), ExamPlan(modality="MR"), ExamPlan(body_part="CHEST", series=1)),
        steps=(Step(act=Act.CREATE, effects=_published(3)),),
    ),
    Situation(
        name="iocm-partiel",
        title="Une série retirée du PACS",
        shows="Le PACS retire une série sur deux, et le dit par une note de rejet ou par OMI^O23.",
        note="Aucun texte public ne dit quel titre porte la note officielle : celle-ci dit 113001 "
        "(qualité). OMI^O23 est l'autre déclencheur admis : jouer l'un ou l'autre.",
        steps=(
            _CREATED,
            Step(
                act=Act.REJECT,
                rejected=(2,),
                forms=("IOCM", "OMI"),
                effects=(
                    _NOTE_TAKEN,
                    _ASKED_AGAIN,
                    _replaced(
                        "un KOS sans les images rejetées remplace le précédent",
                        "DB.SO.26",
                        "DB.SO.27",
                    ),
                    _FROM_ARCHIVE,
                    _ARCHIVE_REPLACED,
                ),
            ),
        ),
    ),
    Situation(
        name="iocm-total",
        title="Tout l'examen retiré du PACS",
        shows="Le PACS retire toutes les images, et le dit par une note de rejet ou par OMI^O23.",
        note="Titre de la note : 113001 (qualité), comme pour le retrait partiel. Jouer la note "
        "ou OMI^O23.",
        steps=(
            _CREATED,
            Step(
                act=Act.REJECT,
                forms=("IOCM", "OMI"),
                effects=(
                    _NOTE_TAKEN,
                    _ASKED_AGAIN,
                    *_depublished("DB.SO.26", "DB.SO.27"),
                    _FROM_ARCHIVE,
                ),
            ),
        ),
    ),
    _named("noms-absents", Names.NONE, "^<prénoms de naissance>"),
    _named("noms-famille", Names.FAMILY, "^<prénoms de naissance>\\<nom utilisé>^"),
    _named("noms-prenom", Names.GIVEN, "^<prénoms de naissance>\\^<prénom utilisé>"),
    _named("noms-complets", Names.BOTH, "^<prénoms de naissance>\\<nom utilisé>^<prénom utilisé>"),
    Situation(
        name="pfi",
        title="Paire d'une plateforme d'intermédiation",
        shows="Deux comptes rendus du même patient : l'un par ORU^R01, l'autre par MDM^T02.",
        exams=(ExamPlan(), ExamPlan(modality="MR")),
        reports=((1,), (2,)),
        note="Le scénario SC.DB/PFI.01 a ses propres données ; ici l'identifiant du document est "
        "dans TXA-12 et dans le CDA pour MDM, dans le CDA seul pour ORU, comme le veut ce jeu.",
        steps=(
            Step(act=Act.CREATE, effects=_published(), report=1, forms=("ORU",)),
            Step(act=Act.CREATE, effects=_published(), report=2, forms=("MDM",)),
        ),
    ),
    Situation(
        name="performance",
        title="Scanner de 1 300 images",
        shows="Un scanner du thorax, 512 x 512, en JPEG-LS sans perte.",
        exams=(
            ExamPlan(
                series=1,
                images=1300,
                body_part="CHEST",
                transfer_syntax=_JPEG_LS,
                matrix=512,
            ),
        ),
        note="L'examen officiel pèse 209,6 Mo ; celui-ci, environ 250 Mo. Les coupes se répètent, "
        "comme dans l'examen officiel.",
        steps=(
            Step(
                act=Act.CREATE,
                effects=_published(
                    1,
                    Effect(
                        transaction="WADO-RS",
                        text="la série est rendue à 100 Mbit/s au moins",
                        requirements=("DB.SO.100",),
                        source=_DRAFT,
                    ),
                ),
            ),
        ),
    ),
)

SITUATIONS: Final = {situation.name: situation for situation in _ALL}
"""By name, in the order in which they are listed."""


def named(names: tuple[str, ...]) -> tuple[Situation, ...]:
    """The situations of those names, each once.

    Raises:
        BenchError: an unknown name; says which there are.
    """
    for name in names:
        if name not in SITUATIONS:
            raise BenchError(f"situation « {name} » inconnue ; il y a {', '.join(SITUATIONS)}")
    return tuple(SITUATIONS[name] for name in dict.fromkeys(names))
