"""ORU: the ten coded observations that steer the DMP and MSSanté."""

from __future__ import annotations

from collections.abc import Iterator

from spec import hl7v2 as table
from validators.examples import hl7v2 as example
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ORU
from validators.hl7v2.sources import one_of, same, volet
from validators.rule import Broken

__all__ = ["answers"]

Findings = Iterator[Broken]

_META = volet("meta-dmp-mss")
_TEN = table.META_DMP_MSS


def _coded(hl7: Hl7Artefact) -> list[tuple[int, str]]:
    """Rank among the OBX and code of every MetaDMPMSS observation but the mail bodies.

    A message of version 2.0 may use the former names: they count as the new ones.
    """
    former = table.FORMER_META if hl7.former else {}
    return [(rank, former.get(code, code)) for rank, code in _written(hl7)]


def _written(hl7: Hl7Artefact) -> list[tuple[int, str]]:
    """The same, with the codes as they are written."""
    return [
        (rank, obx.field(3).component(1).value)
        for rank, obx in enumerate(hl7.message.all("OBX"), start=1)
        if obx.field(3).component(3).value == table.META_SYSTEM
        and obx.field(3).component(1).value not in table.META_TEXTS
    ]


@ORU.rule(
    "ORU-080",
    "Les dix observations MetaDMPMSS figurent une fois chacune",
    reference=_META,
    bad=lambda: example.oru(meta=_TEN[:5] + _TEN[6:]),
)
def all_ten(hl7: Hl7Artefact) -> Findings:
    codes = [code for _, code in _coded(hl7)]
    for code in _TEN:
        if codes.count(code) != 1:
            yield Broken(
                message=f"L'observation {code} doit figurer une fois.",
                expected="1",
                actual=str(codes.count(code)),
                where="OBX",
            )


@ORU.rule(
    "ORU-081",
    "Aucun autre code MetaDMPMSS n'est employé",
    reference=_META,
    bad=lambda: example.oru(meta=(*_TEN, "INVISIBLE_REPRESENTANTS_LEGAUX")),
)
def only_known(hl7: Hl7Artefact) -> Findings:
    for rank, code in _coded(hl7):
        yield from one_of(code, _TEN, f"OBX[{rank}]-3.1", "Le code MetaDMPMSS")


@ORU.rule(
    "ORU-082",
    "Les observations MetaDMPMSS suivent l'ordre du volet",
    reference=_META,
    bad=lambda: example.oru(meta=(_TEN[1], _TEN[0], *_TEN[2:])),
)
def order(hl7: Hl7Artefact) -> Findings:
    known = [code for _, code in _coded(hl7) if code in _TEN]
    if known != sorted(known, key=_TEN.index):
        yield Broken(
            message="Les observations ne sont pas dans l'ordre du volet.",
            expected=" ".join(_TEN),
            actual=" ".join(known),
            where="OBX",
        )


@ORU.rule(
    "ORU-083",
    "Les observations MetaDMPMSS sont de type CE et valent Y ou N",
    reference=_META,
    bad=lambda: example.oru(meta_edits={5: "NON"}),
)
def yes_or_no(hl7: Hl7Artefact) -> Findings:
    return answers(hl7, "CE")


def answers(hl7: Hl7Artefact, data_type: str) -> Findings:
    """The ten observations hold Y or N, written in that data type: ORU and MDM differ there."""
    observations = hl7.message.all("OBX")
    for rank, _ in _coded(hl7):
        obx = observations[rank - 1]
        yield from same(obx.field(2).value, data_type, f"OBX[{rank}]-2", "Le type de donnée")
        answer = obx.field(5)
        yield from one_of(answer.component(1).value, ("Y", "N"), f"OBX[{rank}]-5.1", "La réponse")
        system = answer.component(3).value
        yield from same(system, table.YES_NO, f"OBX[{rank}]-5.3", "Le système de codage")


@ORU.rule(
    "ORU-084",
    "OBX-11 des observations MetaDMPMSS vaut F",
    reference=_META,
    bad=lambda: example.oru(meta_edits={11: "C"}),
)
def final(hl7: Hl7Artefact) -> Findings:
    observations = hl7.message.all("OBX")
    for rank, _ in _coded(hl7):
        yield from same(observations[rank - 1].field(11).value, "F", f"OBX[{rank}]-11", "Le statut")


@ORU.rule(
    "ORU-085",
    "Les codes MetaDMPMSS portent le nom de la version 2.1",
    reference=volet("change-log"),
    tolerated=True,
    bad=lambda: example.oru(
        {"MSH": {21: tuple(table.FORMER_PROFILE.split("^"))}},
        meta=(*_TEN[:2], "INVISIBLE_REPRESENTANTS_LEGAUX", *_TEN[3:]),
    ),
)
def former_names(hl7: Hl7Artefact) -> Findings:
    if not hl7.former:
        return
    for rank, code in _written(hl7):
        if code in table.FORMER_META:
            yield Broken(
                message="Ce nom est celui d'une version antérieure.",
                expected=table.FORMER_META[code],
                actual=code,
                where=f"OBX[{rank}]-3.1",
            )
