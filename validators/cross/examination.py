"""An exam is one exam: accession, order, study, series and instances through every artefact."""

from __future__ import annotations

from protocols.cda import Id, Order
from protocols.kos import ContentItem
from spec.grade import Grade, Reference
from spec.xds import ReferenceType
from validators.cross.comparison import broken, equal, within
from validators.cross.exam import Exam
from validators.cross.fact import Subject, Voice
from validators.cross.rules import (
    CROSS,
    CROSS_VALIDATOR,
    IMG_KOS,
    REFERENCES,
    Findings,
    dicom,
)
from validators.examples import cfind, kos, wado
from validators.examples import exam as example
from validators.examples.exam import packed
from validators.finding import Severity
from validators.rule import Broken

__all__: list[str] = []

_DRAFT = Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.12, DB.SO.17", Grade.DRAFT)
_SEARCH = Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.14", Grade.DRAFT)
_OTHER_STUDY = "1.2.250.1.999.1.1.8121.5.2"

_REQUESTS = (
    (Voice.REPORT, Voice.MESSAGE),
    (Voice.REPORT, Voice.REPORT_ENTRY),
    (Voice.REPORT, Voice.ENTRY),
    (Voice.REPORT, Voice.MANIFEST),
    (Voice.REPORT, Voice.IMAGE),
    (Voice.REPORT, Voice.RESPONSE),
    (Voice.REPORT_ENTRY, Voice.ENTRY),
    (Voice.ENTRY, Voice.MANIFEST),
    (Voice.ENTRY, Voice.IMAGE),
    (Voice.MANIFEST, Voice.IMAGE),
    (Voice.MANIFEST, Voice.RESPONSE),
    (Voice.REPORT, Voice.ANSWER),
    (Voice.ENTRY, Voice.ANSWER),
    (Voice.MANIFEST, Voice.ANSWER),
    (Voice.ANSWER, Voice.IMAGE),
    (Voice.ANSWER, Voice.RESPONSE),
    (Voice.MESSAGE, Voice.MANIFEST),
    (Voice.MESSAGE, Voice.IMAGE),
)
"""Wide and narrow: a report may answer several requests, a manifest lists some of them.

Réf.: REM DRIM-M, systèmes liés (projet 2023), DB/RIS.04, .06, .08: n requests, n exams.
"""
_STUDIES = (
    *_REQUESTS,
    (Voice.MANIFEST, Voice.ADDRESS),
    (Voice.MANIFEST, Voice.REQUEST),
    (Voice.ENTRY, Voice.REQUEST),
    (Voice.REPORT, Voice.REQUEST),
    (Voice.REQUEST, Voice.RESPONSE),
)


def _references(number: str, oid: str, kind: ReferenceType) -> dict[str, object]:
    """The publication with one reference replaced."""
    known = (
        (kos.ACCESSION, kos.ACCESSION_OID, ReferenceType.ACCESSION),
        (kos.ORDER, kos.ORDER_OID, ReferenceType.ORDER),
    )
    values = [
        f"{number}^^^&{oid}&ISO^{kind}" if one[2] is kind else f"{one[0]}^^^&{one[1]}&ISO^{one[2]}"
        for one in known
    ]
    study = f"{kos.STUDY}^^^^{ReferenceType.STUDY_INSTANCE_UID}"
    return {"entry": example.entry(reference_ids=(*values, study))}


@CROSS.rule(
    "CROSS-030",
    "Les Accession Numbers du KOS, de l'entrée et des images sont du compte rendu",
    reference=_DRAFT,
    requirements=("DB.SO.17",),
    bad=packed(
        publication=_references("ACN901", kos.ACCESSION_OID, ReferenceType.ACCESSION),
    ),
)
def accession(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.ACCESSION, *_REQUESTS)
    yield from broken(pairs, "L'Accession Number diffère")


@CROSS.rule(
    "CROSS-031",
    "L'émetteur d'un Accession Number est le même partout",
    reference=CROSS_VALIDATOR,
    requirements=("DB.SO.17", "DB.SO.18"),
    bad=packed(
        example.report(
            orders=(
                Order(
                    ids=(Id(kos.ORDER_OID, kos.ORDER),),
                    accession_numbers=(Id("1.2.250.1.999.2", kos.ACCESSION),),
                ),
            )
        )
    ),
)
def accession_issuer(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.ACCESSION_ISSUER, *_REQUESTS)
    yield from broken(pairs, "L'émetteur de l'Accession Number diffère")


@CROSS.rule(
    "CROSS-032",
    "Les numéros de demande du KOS et de l'entrée sont du compte rendu",
    reference=REFERENCES,
    requirements=("DB.SO.18",),
    bad=packed(publication=_references("OPN901", kos.ORDER_OID, ReferenceType.ORDER)),
)
def order(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.ORDER, *_REQUESTS)
    yield from broken(pairs, "Le numéro de demande diffère")


@CROSS.rule(
    "CROSS-033",
    "L'émetteur d'un numéro de demande est le même partout",
    reference=REFERENCES,
    requirements=("DB.SO.18",),
    bad=packed(publication=_references(kos.ORDER, "1.2.250.1.999.2", ReferenceType.ORDER)),
)
def order_issuer(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.ORDER_ISSUER, *_REQUESTS)
    yield from broken(pairs, "L'émetteur de la demande diffère")


@CROSS.rule(
    "CROSS-034",
    "Le StudyInstanceUID est celui du compte rendu, jusqu'aux adresses et aux images",
    reference=_DRAFT,
    requirements=("DB.SO.12", "DB.SO.37"),
    bad=packed(example.with_event(ids=(Id(_OTHER_STUDY),))),
)
def study(exam: Exam) -> Findings:
    yield from broken(within(exam.said, Subject.STUDY, *_STUDIES), "L'examen diffère")


@CROSS.rule(
    "CROSS-035",
    "Le SOPInstanceUID du KOS est l'uniqueId de son entrée",
    reference=CROSS_VALIDATOR,
    requirements=("DB.SO.18", "DB.SO.19"),
    bad=packed(manifest=example.manifest(sop_instance=f"{kos.UID}.2")),
)
def manifest_uid(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.MANIFEST_UID, (Voice.ENTRY, Voice.MANIFEST))
    yield from broken(pairs, "L'identifiant du KOS diffère")


@CROSS.rule(
    "CROSS-036",
    "La demande WADO-RS nomme le KOS publié",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.38", Grade.DRAFT),
    requirements=("DB.SO.38", "DB.VI-CO.14"),
    bad=packed(request=wado.request(kos_uid=(f"{kos.UID}.2",))),
)
def requested_manifest(exam: Exam) -> Findings:
    asked = ((Voice.MANIFEST, Voice.REQUEST), (Voice.ENTRY, Voice.REQUEST))
    pairs = within(exam.said, Subject.MANIFEST_UID, *asked)
    yield from broken(pairs, "La demande nomme un autre KOS")


@CROSS.rule(
    "CROSS-037",
    "Les séries adressées et demandées sont du KOS",
    reference=IMG_KOS,
    requirements=("DB.SO.18", "DB.VI-CO.11"),
    bad=packed(request=wado.request(path=f"{wado.PATH}.2")),
)
def series(exam: Exam) -> Findings:
    named = ((Voice.MANIFEST, Voice.ADDRESS), (Voice.MANIFEST, Voice.REQUEST))
    yield from broken(within(exam.said, Subject.SERIES, *named), "La série n'est pas du KOS")


@CROSS.rule(
    "CROSS-038",
    "La demande s'adresse à l'hôte des RetrieveURL",
    reference=IMG_KOS,
    severity=Severity.WARNING,
    requirements=("DB.VI-CO.11",),
    bad=packed(
        request=wado.request().replace(b"Host: db900.", b"Host: db901."),
    ),
)
def host(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.HOST, (Voice.ADDRESS, Voice.REQUEST))
    yield from broken(pairs, "L'hôte demandé n'est pas celui du KOS")


_LISTED = (
    (Voice.MANIFEST, Voice.IMAGE),
    (Voice.MANIFEST, Voice.RESPONSE),
    (Voice.MANIFEST, Voice.REQUEST),
)


@CROSS.rule(
    "CROSS-040",
    "Chaque instance demandée ou donnée est listée par le KOS",
    reference=Reference("REM DRIM-M (projet 2022-2023)", "DB.SO.37, DB.SO.38", Grade.DRAFT),
    requirements=("DB.SO.32", "DB.SO.38"),
    bad=packed(image=example.image(uid=f"{kos.SERIES}.3")),
)
def listed(exam: Exam) -> Findings:
    yield from broken(
        within(exam.said, Subject.INSTANCE, *_LISTED), "Une instance n'est pas du KOS"
    )


@CROSS.rule(
    "CROSS-041",
    "Le contenu et les preuves du KOS listent les mêmes instances",
    reference=dicom("PS3.3 C.17.6.2.1"),
    requirements=("DB.SO.18",),
    bad=packed(
        manifest=example.manifest(
            content=(
                ContentItem(
                    value_type="IMAGE",
                    references=((kos.instances()[0].sop_class, kos.instances()[0].sop_instance),),
                ),
            )
        )
    ),
)
def content(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.CONTENT, (Voice.MANIFEST, Voice.CONTENT))
    yield from broken(pairs, "Le contenu du KOS ne liste pas ce que ses preuves listent")


@CROSS.rule(
    "CROSS-042",
    "Chaque instance est dans l'examen et la série où le KOS la liste",
    reference=dicom("PS3.3 C.17.6.2.1"),
    requirements=("DB.SO.18", "DB.SO.32"),
    bad=packed(image=example.image(series=f"{kos.SERIES}.2")),
)
def place(exam: Exam) -> Findings:
    voices = (Voice.IMAGE, Voice.RESPONSE, Voice.ANSWER)
    where = [(Voice.MANIFEST, voice) for voice in voices]
    pairs = equal(exam.said, Subject.PLACE, *where)
    yield from broken(pairs, "L'instance est d'un autre examen ou d'une autre série")


@CROSS.rule(
    "CROSS-043",
    "La classe SOP d'une instance est celle que le KOS écrit",
    reference=dicom("PS3.3 C.17.2.1"),
    requirements=("DB.SO.18",),
    bad=packed(image=example.image(sop_class="1.2.840.10008.5.1.4.1.1.4")),
)
def sop_class(exam: Exam) -> Findings:
    voices = (Voice.CONTENT, Voice.IMAGE, Voice.RESPONSE, Voice.ANSWER)
    pairs = equal(exam.said, Subject.SOP_CLASS, *((Voice.MANIFEST, voice) for voice in voices))
    yield from broken(pairs, "La classe SOP diffère")


@CROSS.rule(
    "CROSS-044",
    "La réponse WADO-RS donne tout ce que la demande nomme et que le KOS liste",
    reference=dicom("PS3.18 10.4.3"),
    requirements=("DB.SO.32",),
    bad=packed(response=wado.response([wado.instance(1)])),
)
def all_given(exam: Exam) -> Findings:
    answered = [one for one in exam.responses if one.files]
    # Fewer answers than requests: which one is missing cannot be told.
    if not exam.manifests or not exam.requests or len(answered) < len(exam.requests):
        return
    given = exam.said.values(Subject.INSTANCE, Voice.RESPONSE)
    for request in exam.requests:
        asked = request.resource
        if asked is None or asked.suffix:
            continue
        expected = {
            one.instance
            for manifest in exam.manifests
            for one in manifest.references()
            if one.study == asked.study
            and asked.series in (None, one.series)
            and asked.instance in (None, one.instance)
        }
        missing = sorted(expected - given)
        if missing:
            yield Broken(
                message="Il manque des instances que le KOS liste et que la demande nomme.",
                expected=str(len(expected)),
                actual=f"{len(expected) - len(missing)} ; manque {' '.join(missing[:5])}",
                where=request.path,
            )


@CROSS.rule(
    "CROSS-045",
    "Toutes les images que le KOS liste sont du dossier",
    reference=CROSS_VALIDATOR,
    severity=Severity.INFO,
    requirements=("DB.SO.18",),
    bad=packed(),
    good=packed(image=None),
)
def all_files(exam: Exam) -> Findings:
    # A note: one image is enough to compare, as in the official set.
    files = exam.said.values(Subject.INSTANCE, Voice.IMAGE)
    listed_ones = exam.said.values(Subject.INSTANCE, Voice.MANIFEST)
    missing = sorted(listed_ones - files)
    if files and missing:
        yield Broken(
            message="Des instances que le KOS liste ne sont pas parmi les images données.",
            expected=str(len(listed_ones)),
            actual=f"{len(listed_ones) - len(missing)} ; manque {' '.join(missing[:5])}",
        )


_COUNTED = (
    (Voice.ANSWER, Voice.MANIFEST),
    (Voice.ANSWER, Voice.CONTENT),
    (Voice.ANSWER, Voice.IMAGE),
    (Voice.ANSWER, Voice.RESPONSE),
)


@CROSS.rule(
    "CROSS-046",
    "Le PACS connaît chaque instance que le KOS liste ou que l'on donne",
    reference=_SEARCH,
    requirements=("DB.SO.14", "DB.SO.18"),
    good=packed(answer=cfind.answers()),
    bad=packed(answer=cfind.answers([cfind.image(1), cfind.image(2, instance=f"{kos.SERIES}.9")])),
)
def known_to_the_archive(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.INSTANCE, *_COUNTED)
    yield from broken(pairs, "Une instance n'est pas des réponses du PACS")


@CROSS.rule(
    "CROSS-047",
    "Le KOS liste chaque instance que le PACS répond",
    reference=_SEARCH,
    # A warning: what was rejected since, or is no image, may be left out of the manifest.
    severity=Severity.WARNING,
    requirements=("DB.SO.14", "DB.SO.18"),
    good=packed(answer=cfind.answers()),
    bad=packed(
        answer=cfind.answers(
            [cfind.image(1), cfind.image(2), cfind.image(2, instance=f"{kos.SERIES}.9")]
        )
    ),
)
def all_listed(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.INSTANCE, (Voice.MANIFEST, Voice.ANSWER))
    yield from broken(pairs, "Une instance répondue par le PACS n'est pas du KOS")


@CROSS.rule(
    "CROSS-048",
    "Le PACS compte autant de séries et d'instances que le KOS en liste",
    reference=_SEARCH,
    severity=Severity.WARNING,
    requirements=("DB.SO.14", "DB.SO.18"),
    good=packed(answer=cfind.answers([cfind.study()])),
    bad=packed(answer=cfind.answers([cfind.study(instance_count=3)])),
)
def counted(exam: Exam) -> Findings:
    for subject in (Subject.SERIES_COUNT, Subject.INSTANCE_COUNT):
        pairs = equal(exam.said, subject, (Voice.ANSWER, Voice.MANIFEST))
        yield from broken(pairs, f"Le {subject} diffère")


@CROSS.rule(
    "CROSS-049",
    "Les séries que le PACS répond sont celles du KOS",
    reference=_SEARCH,
    severity=Severity.WARNING,
    requirements=("DB.SO.14", "DB.SO.18"),
    good=packed(answer=cfind.answers([cfind.series()])),
    bad=packed(answer=cfind.answers([cfind.series(series=f"{kos.SERIES}.9")])),
)
def answered_series(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.SERIES, (Voice.ANSWER, Voice.MANIFEST))
    yield from broken(pairs, "Les séries diffèrent")
