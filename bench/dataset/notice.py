"""What a situation must cause, told to people (LISEZMOI.md) and to tools (situation.json)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bench.dataset.prepared import Prepared
from bench.dataset.situations import Effect, Situation, Step
from spec.requirements import resolve

__all__ = ["as_json", "as_text", "described"]


def described(situation: Situation) -> dict[str, Any]:
    """The situation as JSON (docs/reference/json.md)."""
    return {
        "name": situation.name,
        "title": situation.title,
        "shows": situation.shows,
        "note": situation.note,
        "exams": [
            {
                "modality": exam.modality,
                "series": exam.series,
                "images": exam.series * exam.images,
                "transfer_syntax": exam.transfer_syntax,
            }
            for exam in situation.exams
        ],
        "steps": [
            {
                "number": number,
                "act": step.act.value,
                "forms": list(step.forms),
                "causes": [_effect(effect) for effect in step.effects],
            }
            for number, step in enumerate(situation.steps, 1)
        ],
    }


def as_json(prepared: Prepared) -> bytes:
    """The same with the values that were given."""
    document = {
        **described(prepared.situation),
        "seed": prepared.seed,
        "identifiers": prepared.case.public(),
    }
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def as_text(prepared: Prepared) -> str:
    """The page to read first."""
    return "\n".join(_lines(prepared)) + "\n"


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "transaction": effect.transaction,
        "count": effect.count,
        "text": effect.text,
        "source": str(effect.source),
        "grade": effect.source.grade.value,
        "requirements": [{"id": id, "grade": _grade(id)} for id in effect.requirements],
    }


def _grade(id: str) -> str:
    found = resolve(id)
    assert found is not None, id
    return found.grade.value


def _lines(prepared: Prepared) -> Iterator[str]:
    situation, patient = prepared.situation, prepared.patient
    assert patient.ins is not None
    assert patient.ipp is not None
    yield f"# {situation.name} : {situation.title}"
    yield ""
    yield situation.shows
    if situation.note:
        yield ""
        yield situation.note
    yield ""
    yield (
        f"Graine {prepared.seed}. Patient fictif {patient.family} {patient.given}, INS de test "
        f"{patient.ins.value} ({patient.ins.oid}), IPP {patient.ipp.value} ({patient.ipp.oid})."
    )
    for number, exam in enumerate(prepared.exams, 1):
        yield (
            f"Examen {number} : {exam.modality}, {exam.images} images, StudyInstanceUID "
            f"{exam.study_uid}, accession {exam.accession.value}, demande {exam.placer.value}."
        )
    yield ""
    yield "## Avant de jouer"
    yield ""
    yield "1. Le PACS contient `images/` (`drimbench data push`)."
    yield "2. Le DMP du patient est ouvert ; la structure et le professionnel y sont connus."
    yield (
        "3. Une Source peut aussi partir de `xdm/IHE_XDM.zip`, l'archive d'une première "
        "publication : jouer alors à partir de l'étape 2. Sa signature est celle d'une clé tirée "
        "de la graine, que nulle autorité ne certifie."
    )
    yield (
        "4. Une Source native a son PACS en elle : C-FIND et note IOCM sont sans objet, et ses "
        "images changent chez elle (DB.SO.27)."
    )
    for number, step in prepared.steps:
        yield ""
        yield f"## Étape {number} : {step.act}"
        yield ""
        yield _to_send(step)
        yield ""
        yield "| Attendu | Combien | Quoi | Exigences | Source |"
        yield "|---|---|---|---|---|"
        for effect in step.effects:
            cited = ", ".join(f"{id} ({_grade(id)})" for id in effect.requirements)
            count = "" if effect.count is None else str(effect.count)
            source = f"{effect.source} ({effect.source.grade.value})"
            yield f"| {effect.transaction} | {count} | {effect.text} | {cited} | {source} |"


def _to_send(step: Step) -> str:
    if "IOCM" in step.forms:
        return (
            "À jouer : retirer du PACS les images que la note nomme, puis envoyer la note de "
            "`iocm/` par C-STORE, ou le message de `hl7v2/OMI/` par MLLP."
        )
    if len(step.forms) == 1:
        return f"À jouer : le message de `hl7v2/{step.forms[0]}/`, par MLLP."
    return "À jouer : le message de `hl7v2/ORU/` ou son jumeau de `hl7v2/MDM/`, par MLLP."
