"""A publication says of the exam what the report and the files say: codes, times, visibility."""

from __future__ import annotations

from protocols.cda import Id
from spec.grade import Grade, Reference
from validators.cross.comparison import broken, equal, within
from validators.cross.exam import Exam
from validators.cross.fact import Subject, Voice
from validators.cross.from_hl7v2 import is_sent_to_dmp
from validators.cross.rules import (
    CROSS,
    CROSS_VALIDATOR,
    DEMONSTRATOR,
    DMP,
    REFERENCES,
    TD21,
    Findings,
    iti,
)
from validators.examples import exam as example
from validators.examples import kos
from validators.examples.exam import packed
from validators.finding import Severity
from validators.rule import Broken

__all__: list[str] = []

_KOS = ("DB.SO.18", "DB.SO.19")
_TIMES = Reference("IHE ITI TF", "Vol. 3, 4.2.3.1 (DTM en UTC)", Grade.STANDARD)
_VISIBILITY = Reference(
    "DRIM-M_DATA, test à blanc, Cross-validateur", "OK_HL7_XDS_invisible_masque", Grade.SAMPLE
)


@CROSS.rule(
    "CROSS-050",
    "L'entrée nomme les modalités du compte rendu et du KOS",
    reference=REFERENCES,
    requirements=_KOS,
    bad=packed(example.with_event(code=example.act("MR"))),
)
def published_modalities(exam: Exam) -> Findings:
    for voice in (Voice.REPORT, Voice.MANIFEST, Voice.IMAGE, Voice.RESPONSE, Voice.ANSWER):
        pairs = within(exam.said, Subject.MODALITY, (Voice.ENTRY, voice))
        yield from broken(pairs, "L'entrée ne nomme pas cette modalité")


@CROSS.rule(
    "CROSS-051",
    "Les modalités des images et du PACS sont celles du KOS",
    reference=CROSS_VALIDATOR,
    severity=Severity.WARNING,
    requirements=_KOS,
    bad=packed(image=example.image(modality="MR")),
)
def imaged_modalities(exam: Exam) -> Findings:
    told = ((Voice.MANIFEST, Voice.IMAGE), (Voice.MANIFEST, Voice.ANSWER))
    pairs = within(exam.said, Subject.MODALITY, *told)
    yield from broken(pairs, "La modalité diffère")


@CROSS.rule(
    "CROSS-052",
    "L'entrée nomme les régions anatomiques du compte rendu",
    reference=REFERENCES,
    requirements=_KOS,
    bad=packed(example.with_event(code=example.act("CT", "774007"))),
)
def published_regions(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.REGION, (Voice.ENTRY, Voice.REPORT))
    yield from broken(pairs, "L'entrée ne nomme pas cette région")


@CROSS.rule(
    "CROSS-053",
    "serviceStartTime est le début de l'acte, en UTC",
    reference=_TIMES,
    requirements=_KOS,
    bad=packed(publication={"entry": example.entry(service_start_time="20261121093000")}),
)
def start(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.START, (Voice.REPORT, Voice.ENTRY))
    yield from broken(pairs, "Le début de l'acte diffère")


@CROSS.rule(
    "CROSS-054",
    "serviceStopTime est la fin de l'acte, en UTC",
    reference=_TIMES,
    requirements=_KOS,
    bad=packed(publication={"entry": example.entry(service_stop_time="20261121094500")}),
)
def stop(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.STOP, (Voice.REPORT, Voice.ENTRY))
    yield from broken(pairs, "La fin de l'acte diffère")


@CROSS.rule(
    "CROSS-055",
    "creationTime est la création du KOS, en UTC",
    reference=DEMONSTRATOR,
    severity=Severity.WARNING,
    requirements=_KOS,
    bad=packed(publication={"entry": example.entry(creation_time="20261122101500")}),
)
def creation(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.CREATION, (Voice.MANIFEST, Voice.ENTRY))
    yield from broken(pairs, "La création du KOS diffère")


@CROSS.rule(
    "CROSS-060",
    "La visibilité que le message demande est celle de l'entrée",
    reference=_VISIBILITY,
    requirements=("DB.SO.03", "DB.SO.19"),
    bad=packed(meta={5: ("Y", "", "expandedYes-NoIndicator")}),
)
def visibility(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.VISIBILITY, (Voice.MESSAGE, Voice.ENTRY))
    yield from broken(pairs, "La visibilité diffère")


@CROSS.rule(
    "CROSS-061",
    "Rien n'est publié quand DESTDMP vaut N",
    reference=Reference(
        "CI-SIS, volet Transmission d'un document CDA-R2 en HL7v2 2.1", "meta-dmp-mss"
    ),
    requirements=("DB.SO.03",),
    bad=packed(message=example.message(example.report(), destination="N")),
)
def destination(exam: Exam) -> Findings:
    # Several messages of one exam may differ: one that asks for the DMP is enough.
    asked = [(name, is_sent_to_dmp(message)) for name, message in exam.messages]
    if not exam.submissions or any(sent is not False for _, sent in asked):
        return
    for name, _ in asked:
        yield Broken(
            message="Le message ne destine pas le compte rendu au DMP, et un lot y est déposé.",
            expected="aucune publication",
            actual=" ".join(name for name, _ in exam.submissions),
            where=f"{name} : OBX (DESTDMP)",
        )


@CROSS.rule(
    "CROSS-062",
    "Le valideur de l'entrée est celui du compte rendu",
    reference=DMP,
    requirements=_KOS,
    bad=packed(
        publication={
            "entry": example.entry(
                legal_authenticator="801234560802^AUTRE^ANNE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS"
            )
        }
    ),
)
def validator(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.VALIDATOR, (Voice.REPORT, Voice.ENTRY))
    yield from broken(pairs, "Le valideur diffère")


_FILES = (
    (Voice.ENTRY, Voice.MANIFEST),
    (Voice.REPORT_ENTRY, Voice.REPORT),
    (Voice.SUBMISSION, Voice.SEAL),
)


@CROSS.rule(
    "CROSS-080",
    "L'empreinte d'une entrée est celle de son document",
    reference=iti("Vol. 3, 4.2.3.2.10"),
    requirements=_KOS,
    bad=packed(manifest=example.manifest(study_id="X")),
)
def hash_of_file(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.HASH, *_FILES)
    yield from broken(pairs, "L'empreinte diffère")


@CROSS.rule(
    "CROSS-081",
    "La taille d'une entrée est celle de son document",
    reference=iti("Vol. 3, 4.2.3.2.22"),
    requirements=_KOS,
    bad=packed(publication={"entry": example.entry(size="1")}),
)
def size_of_file(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.SIZE, *_FILES)
    yield from broken(pairs, "La taille diffère")


@CROSS.rule(
    "CROSS-082",
    "La signature nomme le lot et chacun de ses documents",
    reference=TD21,
    requirements=("DB.SO.19", "DB.SO.89"),
    bad=packed(publication={"submission_set": {"unique_id": "1.2.250.1.999.1.1.8121.8.2"}}),
)
def signed(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.SIGNED, (Voice.SUBMISSION, Voice.SEAL))
    yield from broken(pairs, "La signature couvre autre chose que le lot")


@CROSS.rule(
    "CROSS-083",
    "La signature du lot couvre les octets du KOS",
    reference=TD21,
    requirements=("DB.SO.19", "DB.SO.89"),
    bad=packed(
        publication={"signed_documents": {kos.UID: kos.kos(study_id="X")}},
    ),
)
def digest(exam: Exam) -> Findings:
    pairs = within(exam.said, Subject.DIGEST, (Voice.MANIFEST, Voice.SEAL))
    yield from broken(pairs, "Le condensat signé n'est pas celui du KOS")


@CROSS.rule(
    "CROSS-090",
    "L'entrée du compte rendu porte l'identifiant du compte rendu",
    reference=iti("Vol. 3, 4.2.3.2.26"),
    requirements=("DB.SO.22",),
    bad=packed(
        example.report(id=Id("1.2.250.1.999.1.1.8121.2.2")),
        publication=example.with_report(),
    ),
    good=packed(publication=example.with_report()),
)
def report_entry(exam: Exam) -> Findings:
    pairs = equal(exam.said, Subject.REPORT_ID, (Voice.REPORT, Voice.REPORT_ENTRY))
    yield from broken(pairs, "L'identifiant du compte rendu diffère")
