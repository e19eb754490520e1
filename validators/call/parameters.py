"""How the call is sent and which parameters it holds."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from spec.contextual_call import COMMON, CONSENT, FORMER_NAMES, MEDIA_TYPES, OPPOSITION, PATH
from validators.call.reading import CallArtefact
from validators.call.rules import CALL, DRAFT, FORM, OWN, PROGRAMS, Findings
from validators.examples import call as example
from validators.finding import Severity
from validators.rule import Broken

__all__: list[str] = []


def _target(call: CallArtefact) -> str:
    words = call.request.start_line.split(" ") if call.request else []
    return words[1] if len(words) > 1 else ""


@CALL.rule(
    "APPEL-001",
    "L'appel est un POST",
    reference=DRAFT,
    bad=lambda: example.call(method="PUT"),
)
def method(call: CallArtefact) -> Findings:
    word = call.request.start_line.split(" ")[0] if call.request else "POST"
    if word != "POST":
        yield Broken(
            message="L'appel se fait par POST : une identité ne va pas dans une URL.",
            expected="POST",
            actual=word,
            where="ligne de requête",
        )


@CALL.rule(
    "APPEL-002",
    "L'adresse appelée se termine par /drim",
    reference=DRAFT,
    bad=lambda: example.call(target="/parameters"),
)
def path(call: CallArtefact) -> Findings:
    target = _target(call)
    if call.request is not None and not _path_of(target).endswith(PATH):
        yield Broken(
            message="Le chemin n'est pas celui de l'appel contextuel.",
            expected=f"…{PATH}",
            actual=target[:200],
            where="ligne de requête",
        )


def _path_of(target: str) -> str:
    try:
        return urlsplit(target).path.rstrip("/")
    except ValueError:
        return ""


@CALL.rule(
    "APPEL-003",
    "Aucun paramètre n'est dans l'URL",
    reference=OWN,
    severity=Severity.WARNING,
    bad=lambda: example.call(target="/drim?PatientID=IPP900"),
)
def nothing_in_url(call: CallArtefact) -> Findings:
    if "?" in _target(call):
        yield Broken(
            message="Les paramètres d'une URL restent dans les journaux de chaque intermédiaire.",
            actual=_target(call)[:200],
            where="ligne de requête",
        )


@CALL.rule(
    "APPEL-004",
    "Le corps s'annonce comme un formulaire",
    reference=FORM,
    severity=Severity.WARNING,
    bad=lambda: example.call(content_type="application/json"),
)
def content_type(call: CallArtefact) -> Findings:
    if call.request is None:
        return
    kind = call.request.header("Content-Type").partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        yield Broken(
            message="Content-Type n'est pas celui du corps.",
            expected=" | ".join(MEDIA_TYPES),
            actual=kind,
            where="Content-Type",
        )


@CALL.rule(
    "APPEL-005",
    "Noms et valeurs sont encodés (%XX, UTF-8)",
    reference=FORM,
    bad=lambda: example.call(body=lambda data: data.replace(b"DOMINIQUE", b"AD%C8LE")),
)
def encoding(call: CallArtefact) -> Findings:
    for one in call.parameters:
        if one.fault:
            yield Broken(
                message=f"Le paramètre ne se décode pas : {one.fault}.",
                actual=one.value[:80],
                where=one.name[:80],
            )


@CALL.rule(
    "APPEL-006",
    "Tous les paramètres obligatoires sont présents",
    reference=PROGRAMS,
    bad=lambda: example.call({"Patient.birthDate": None}),
)
def mandatory(call: CallArtefact) -> Findings:
    present = {one.name for one in call.parameters}
    for name in COMMON:
        if name not in present:
            yield Broken(message="Un paramètre obligatoire manque.", expected=name, where=name)
    if CONSENT not in present and OPPOSITION not in present:
        yield Broken(
            message="L'appel ne dit rien du consentement.",
            expected=f"{CONSENT} (2024-12) | {OPPOSITION} (2024-07)",
            where=CONSENT,
        )


@CALL.rule(
    "APPEL-007",
    "Aucun paramètre n'est vide",
    reference=PROGRAMS,
    bad=lambda: example.call({"Address.district": ""}),
)
def no_empty_value(call: CallArtefact) -> Findings:
    for one in call.parameters:
        if not one.value.strip():
            yield Broken(message="Le paramètre est vide.", where=one.name[:80])


@CALL.rule(
    "APPEL-008",
    "Aucun paramètre n'est inconnu du jeu suivi, à la casse près",
    reference=PROGRAMS,
    bad=lambda: example.call(extra=(("StudyDate", "20261122"),)),
)
def only_known(call: CallArtefact) -> Findings:
    for one in call.parameters:
        if one.name in call.known:
            continue
        if one.name in FORMER_NAMES:
            why = "Ce nom de 2023 n'est plus lu."
        elif one.name.casefold() in {name.casefold() for name in call.known}:
            why = "La casse du nom n'est pas celle du jeu."
        else:
            why = f"Ce paramètre n'est pas du jeu {call.version}".rstrip() + "."
        yield Broken(
            message=why,
            expected=" ".join(call.known),
            actual=one.name[:80],
            where=one.name[:80],
        )


@CALL.rule(
    "APPEL-009",
    "Aucun paramètre n'est répété",
    reference=PROGRAMS,
    bad=lambda: example.call(extra=(("PatientID", "IPP901"),)),
)
def no_duplicate(call: CallArtefact) -> Findings:
    for name, count in Counter(one.name for one in call.parameters).items():
        if count > 1:
            yield Broken(
                message="Le paramètre figure plusieurs fois : lequel vaut ?",
                expected="1",
                actual=str(count),
                where=name[:80],
            )


@CALL.rule(
    "APPEL-010",
    "L'appel suit un seul des deux jeux de paramètres",
    reference=PROGRAMS,
    bad=lambda: example.call(extra=((OPPOSITION, "non"),)),
)
def one_set(call: CallArtefact) -> Findings:
    present = {one.name for one in call.parameters}
    if CONSENT in present and OPPOSITION in present:
        yield Broken(
            message="Consentement et opposition ne sont pas du même jeu.",
            expected=f"{CONSENT} | {OPPOSITION}",
            actual=f"{CONSENT} {OPPOSITION}",
            where=OPPOSITION,
        )
