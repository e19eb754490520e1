"""The grammar of the viewer link, rule by rule.

Réf. draft requirement DB.VI_SO.07, after IHE IID; the normative section of the viewer
specification (4.2.2) is not public.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from spec.grade import Grade, Reference
from spec.viewer import HOST_PREFIX, PARAMETERS, PATH, REQUEST_TYPE
from validators.context import Context
from validators.examples import link as example
from validators.expect import same
from validators.finding import Severity
from validators.identifiers import is_oid, is_uid
from validators.link.reading import LinkArtefact
from validators.rule import Broken, RuleSet

__all__ = ["LINK"]

Findings = Iterator[Broken]

_GRAMMAR = Reference("REM DRIM-M (projet 2022-2023)", "DB.VI_SO.07", Grade.DRAFT)
_COHERENCE = Reference("REM DRIM-M (projet 2022-2023)", "DB.VI-SO.33, DB.VI_SO.28", Grade.DRAFT)
_HOSTS = Reference("Liste blanche DRIM-M", "Domaine/vi", Grade.SAMPLE)
_URI = Reference("RFC 3986", "2.1, 3", Grade.STANDARD)
_DICOM = Reference("DICOM PS3.5", "6.2, SH et 9.1", Grade.STANDARD)
_OWN = Reference("Lecture de drimbench", grade=Grade.INFERRED)
_LONGEST_ACCESSION = 16
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

LINK = RuleSet(
    "lien-visionneuse",
    good=example.link,
    syntax="LIEN-000",
    unreadable=lambda: b"Lien vers les images : NULL",
    reference=_URI,
    requirements=("DB.VI_SO.07",),
)


@LINK.rule(
    "LIEN-001",
    "Le lien est en HTTPS, ou dans un schéma que le profil nomme",
    reference=_GRAMMAR,
    tolerated=True,
    named_by="schemes",
    bad=lambda: example.link(base="http://vi900.test.mesimagesmedicales.fr/IHEInvokeImageDisplay"),
)
def scheme(link: LinkArtefact) -> Findings:
    named = link.context.demands.schemes or ("https",)
    if link.scheme and link.scheme not in named:
        yield Broken(
            message="Le lien n'est pas dans le schéma attendu.",
            expected=" | ".join(named),
            actual=link.scheme,
            where="schéma",
        )


@LINK.rule(
    "LIEN-002",
    "Le chemin est /IHEInvokeImageDisplay",
    reference=_GRAMMAR,
    bad=lambda: example.link(base="https://vi900.test.mesimagesmedicales.fr/viewer"),
)
def path(link: LinkArtefact) -> Findings:
    return same(link.path, PATH, "chemin", "Le chemin")


@LINK.rule(
    "LIEN-003",
    "requestType vaut STUDY",
    reference=_GRAMMAR,
    bad=lambda: example.link(requestType="PATIENT"),
)
def request_type(link: LinkArtefact) -> Findings:
    return same(link.value("requestType"), REQUEST_TYPE, "requestType", "Le type de demande")


@LINK.rule(
    "LIEN-004",
    "Les quatre paramètres sont présents et remplis",
    reference=_GRAMMAR,
    bad=lambda: example.link(names=("requestType", "studyUID", "accessionNumber")),
)
def complete(link: LinkArtefact) -> Findings:
    for name in PARAMETERS:
        if not link.value(name):
            yield Broken(
                message="Un paramètre manque ou est vide.",
                expected=" ".join(PARAMETERS),
                where=name,
            )


@LINK.rule(
    "LIEN-005",
    "Aucun autre paramètre n'est présent",
    reference=_GRAMMAR,
    severity=Severity.WARNING,
    bad=lambda: example.link(extra="&viewerType=DIAGNOSTIC"),
)
def nothing_else(link: LinkArtefact) -> Findings:
    for name, _, _ in link.parameters:
        if name not in PARAMETERS:
            yield Broken(
                message="Ce paramètre n'est pas de la grammaire, à la casse près.",
                expected=" ".join(PARAMETERS),
                actual=name[:80],
                where=name[:80],
            )


@LINK.rule(
    "LIEN-006",
    "Chaque paramètre figure une fois",
    reference=_GRAMMAR,
    bad=lambda: example.link(extra="&studyUID=1.2.3"),
)
def once(link: LinkArtefact) -> Findings:
    for name, count in Counter(name for name, _, _ in link.parameters).items():
        if count > 1:
            yield Broken(
                message="Le paramètre figure plusieurs fois : lequel vaut ?",
                expected="1",
                actual=str(count),
                where=name[:80],
            )


@LINK.rule(
    "LIEN-007",
    "Les paramètres sont dans l'ordre de la grammaire",
    reference=_GRAMMAR,
    severity=Severity.WARNING,
    bad=lambda: example.link(names=("studyUID", "requestType", "accessionNumber", "idCDA")),
)
def order(link: LinkArtefact) -> Findings:
    written = [name for name, _, _ in link.parameters if name in PARAMETERS]
    if written != sorted(written, key=PARAMETERS.index):
        yield Broken(
            message="Les paramètres ne sont pas dans l'ordre publié.",
            expected=" ".join(PARAMETERS),
            actual=" ".join(written),
            where="requête",
        )


@LINK.rule(
    "LIEN-010",
    "studyUID est un UID DICOM légal",
    reference=_DICOM,
    bad=lambda: example.link(studyUID="1.2.250.1.999.001"),
)
def study(link: LinkArtefact) -> Findings:
    value = link.value("studyUID")
    if value and not is_uid(value):
        yield Broken(
            message="L'examen n'a pas un UID légal.",
            expected="UID de 64 caractères au plus, sans zéro en tête",
            actual=value[:120],
            where="studyUID",
        )


@LINK.rule(
    "LIEN-011",
    "accessionNumber tient dans l'attribut DICOM (16 caractères)",
    reference=_DICOM,
    severity=Severity.WARNING,
    bad=lambda: example.link(accessionNumber="A" * 17),
)
def accession(link: LinkArtefact) -> Findings:
    value = link.value("accessionNumber")
    if len(value) > _LONGEST_ACCESSION or "\\" in value:
        yield Broken(
            message="Le PACS ne peut pas avoir cet Accession Number tel quel.",
            expected="16 caractères au plus (SH)",
            actual=value[:120],
            where="accessionNumber",
        )


@LINK.rule(
    "LIEN-012",
    "idCDA est l'OID du compte rendu, suivi ou non de son extension",
    reference=_GRAMMAR,
    bad=lambda: example.link(idCDA="compte-rendu-1"),
)
def report(link: LinkArtefact) -> Findings:
    value = link.value("idCDA")
    if value and not is_oid(value.partition("_")[0]):
        yield Broken(
            message="idCDA ne commence pas par un OID.",
            expected="OID[_extension]",
            actual=value[:120],
            where="idCDA",
        )


@LINK.rule(
    "LIEN-013",
    "Les valeurs sont encodées (%XX)",
    reference=_URI,
    bad=lambda: example.link(accessionNumber="ACN%9"),
)
def encoding(link: LinkArtefact) -> Findings:
    for name, _, written in link.parameters:
        if _BROKEN_ESCAPE.search(written) or re.search(r"[<>\"{}|\\^`\s]", written):
            yield Broken(
                message="Une séquence % est incomplète, ou un caractère n'est pas encodé.",
                actual=written[:120],
                where=name[:80],
            )


@LINK.rule(
    "LIEN-014",
    "Le lien ne nomme ni utilisateur ni fragment",
    reference=_OWN,
    severity=Severity.WARNING,
    bad=lambda: example.link(extra="#images"),
)
def bare(link: LinkArtefact) -> Findings:
    if link.fragment or "@" in link.authority:
        yield Broken(
            message="Un fragment n'atteint pas le serveur ; un utilisateur n'a pas sa place ici.",
            actual=link.text[:200],
            where="adresse",
        )


@LINK.rule(
    "LIEN-015",
    "L'hôte est celui d'une visionneuse (vi…), ou l'un de ceux que le profil nomme",
    reference=_HOSTS,
    tolerated=True,
    named_by="viewer_hosts",
    bad=lambda: example.link(base="https://localhost:4200/IHEInvokeImageDisplay"),
)
def host(link: LinkArtefact) -> Findings:
    named = link.context.demands.viewer_hosts
    if named and link.host not in named:
        yield Broken(
            message="Le lien désigne un hôte que le profil ne nomme pas.",
            expected=" | ".join(named),
            actual=link.host[:120],
            where="hôte",
        )
    elif not named and not link.host.startswith(HOST_PREFIX):
        yield Broken(
            message="L'hôte n'a pas la forme de ceux de la liste blanche.",
            expected=f"{HOST_PREFIX}<N>.….mesimagesmedicales.fr",
            actual=link.host[:120],
            where="hôte",
        )


@LINK.rule(
    "LIEN-020",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=_COHERENCE,
    requirements=("DB.VI-SO.33", "DB.VI_SO.28"),
    given=Context(study_uid=example.STUDY, accession=example.ACCESSION),
    bad=lambda: example.link(accessionNumber="ACN901"),
)
def exam_of_case(link: LinkArtefact) -> Findings:
    for name, expected in (
        ("studyUID", link.context.study_uid),
        ("accessionNumber", link.context.accession),
    ):
        if expected:
            yield from same(link.value(name), expected, name, "L'examen désigné")
