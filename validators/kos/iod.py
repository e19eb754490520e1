"""KOS: what DICOM demands of a Key Object Selection Document."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from protocols.kos import Code, ContentItem, InstanceRef
from spec.dicom import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    KEY_OBJECT_SELECTION_STORAGE,
    KEY_OBJECT_TEMPLATE,
    MANIFEST,
    value_type_of,
)
from validators.examples import kos as example
from validators.finding import Severity
from validators.identifiers import is_dtm, is_uid
from validators.kos.reading import Kos
from validators.kos.rules import KOS, Findings, dicom, filled, present
from validators.rule import Broken

__all__: list[str] = []

_ENOUGH = 5
"""Places reported of one rule that breaks at every instance."""


@KOS.rule(
    "KOS-001",
    "La classe SOP est Key Object Selection Document",
    reference=dicom("PS3.3 A.35.4"),
    bad=lambda: example.kos(sop_class="1.2.840.10008.5.1.4.1.1.88.11"),
)
def sop_class(kos: Kos) -> Findings:
    written = kos.root.text(0x00080016)
    if written != KEY_OBJECT_SELECTION_STORAGE:
        yield Broken(
            message="Ce n'est pas un Key Object Selection Document.",
            expected=KEY_OBJECT_SELECTION_STORAGE,
            actual=written,
            where="0008,0016",
        )


@KOS.rule(
    "KOS-002",
    "La méta-information nomme la classe et l'instance du document",
    reference=dicom("PS3.10 7.1"),
    bad=lambda: example.kos().replace(b".8121.7.1", b".8121.7.9", 1),
)
def meta_information(kos: Kos) -> Findings:
    for written, expected, where in (
        (kos.file.media_sop_class, kos.root.text(0x00080016), "0002,0002"),
        (kos.file.media_sop_instance, kos.sop_instance, "0002,0003"),
    ):
        if written != expected:
            yield Broken(
                message="La méta-information contredit le document.",
                expected=expected,
                actual=written,
                where=where,
            )


@KOS.rule(
    "KOS-003",
    "La modalité est KO",
    reference=dicom("PS3.3 C.17.6.1"),
    bad=lambda: example.kos(modality="OT"),
)
def modality(kos: Kos) -> Findings:
    written = kos.root.text(0x00080060)
    if written != "KO":
        yield Broken(
            message="La modalité n'est pas KO.", expected="KO", actual=written, where="0008,0060"
        )


_TYPE_1 = {
    0x00080018: "SOPInstanceUID",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
    0x00200011: "SeriesNumber",
    0x00200013: "InstanceNumber",
    0x00080023: "ContentDate",
    0x00080033: "ContentTime",
    0x0040A040: "ValueType",
    0x0040A043: "ConceptNameCodeSequence",
    0x0040A050: "ContinuityOfContent",
    0x0040A375: "CurrentRequestedProcedureEvidenceSequence",
    0x0040A730: "ContentSequence",
}
_TYPE_2 = {
    0x00080020: "StudyDate",
    0x00080030: "StudyTime",
    0x00080050: "AccessionNumber",
    0x00080070: "Manufacturer",
    0x00080090: "ReferringPhysicianName",
    0x00081111: "ReferencedPerformedProcedureStepSequence",
    0x00100010: "PatientName",
    0x00100020: "PatientID",
    0x00100030: "PatientBirthDate",
    0x00100040: "PatientSex",
    0x00200010: "StudyID",
}


@KOS.rule(
    "KOS-004",
    "Les attributs de type 1 ont une valeur",
    reference=dicom("PS3.3 A.35.4.3, C.17.3, C.17.6"),
    bad=lambda: example.kos(content_date=None),
)
def type_1(kos: Kos) -> Findings:
    for tag, name in _TYPE_1.items():
        yield from filled(kos.root, tag, name)


@KOS.rule(
    "KOS-005",
    "Les attributs de type 2 sont présents",
    reference=dicom("PS3.3 A.35.4.3, C.7.1.1, C.7.2.1, C.7.5.1"),
    bad=lambda: example.kos(study_id=None),
)
def type_2(kos: Kos) -> Findings:
    for tag, name in _TYPE_2.items():
        yield from present(kos.root, tag, name)


@KOS.rule(
    "KOS-006",
    "Le titre est le manifeste (113030, DCM)",
    reference=dicom("PS3.16 CID 7010"),
    bad=lambda: example.kos(title=(Code("113000", "DCM", "Of Interest"),)),
)
def title(kos: Kos) -> Findings:
    codes = [(item.text(0x00080100), item.text(0x00080102)) for item in kos.root.items(0x0040A043)]
    if codes != [MANIFEST[:2]]:
        yield Broken(
            message="Le titre n'est pas celui d'un manifeste.",
            expected=f"{MANIFEST.value}, {MANIFEST.scheme}",
            actual=" | ".join(", ".join(code) for code in codes),
            where="0040,A043",
        )


@KOS.rule(
    "KOS-007",
    "Le contenu est un CONTAINER de continuité SEPARATE",
    reference=dicom("PS3.16 TID 2010"),
    bad=lambda: example.kos(continuity="CONTINUOUS"),
)
def container(kos: Kos) -> Findings:
    for tag, expected in ((0x0040A040, "CONTAINER"), (0x0040A050, "SEPARATE")):
        written = kos.root.text(tag)
        if written != expected:
            yield Broken(
                message="La racine du contenu n'est pas celle du gabarit 2010.",
                expected=expected,
                actual=written,
                where=kos.root.where(tag),
            )


@KOS.rule(
    "KOS-008",
    "Le gabarit 2010 de DCMR est nommé",
    reference=dicom("PS3.3 C.18.8.1.2"),
    severity=Severity.WARNING,
    bad=lambda: example.kos(template=None),
)
def template(kos: Kos) -> Findings:
    # Neither the ANS samples nor the demonstrator carry it: warned of, never refused.
    named = [(item.text(0x00080105), item.text(0x0040DB00)) for item in kos.root.items(0x0040A504)]
    if KEY_OBJECT_TEMPLATE not in named:
        yield Broken(
            message="ContentTemplateSequence ne nomme pas le gabarit 2010.",
            expected=", ".join(KEY_OBJECT_TEMPLATE),
            actual=" | ".join(", ".join(pair) for pair in named),
            where="0040,A504",
        )


@KOS.rule(
    "KOS-009",
    "Les UID sont légaux",
    reference=dicom("PS3.5 9.1"),
    bad=lambda: example.kos(series_uid="1.2.250.01.5"),
)
def legal_uids(kos: Kos) -> Findings:
    wanted = [
        (kos.root.text(tag), kos.root.where(tag)) for tag in (0x00080018, 0x0020000D, 0x0020000E)
    ]
    wanted += [(study.text(0x0020000D), study.where(0x0020000D)) for study in kos.studies]
    wanted += [(series.text(0x0020000E), series.where(0x0020000E)) for _, series in kos.series]
    wanted += [(reference.instance, reference.where) for reference in kos.references()]
    illegal = [(uid, where) for uid, where in wanted if not is_uid(uid)]
    for uid, where in illegal[:_ENOUGH]:
        yield Broken(
            message="Cet UID n'est pas légal.",
            expected="64 caractères au plus, sans zéro en tête",
            actual=uid,
            where=where,
        )


@KOS.rule(
    "KOS-010",
    "L'évidence liste au moins une instance, une seule fois chacune",
    reference=dicom("PS3.3 C.17.2.1"),
    bad=lambda: example.with_series(instances=example.instances() + example.instances(1)),
)
def evidence(kos: Kos) -> Findings:
    counted = Counter(reference.instance for reference in kos.references())
    if not counted:
        yield Broken(message="Aucune instance n'est référencée.", where="0040,A375")
    for uid in [uid for uid, count in counted.items() if count > 1][:_ENOUGH]:
        yield Broken(
            message="Cette instance est listée plusieurs fois.",
            expected="1",
            actual=f"{uid} : {counted[uid]}",
            where="0040,A375",
        )


@KOS.rule(
    "KOS-011",
    "Toute instance du contenu figure dans l'évidence",
    reference=dicom("PS3.3 C.17.6.2.1"),
    bad=lambda: example.with_series(instances=example.instances(1)),
)
def content_in_evidence(kos: Kos) -> Findings:
    listed = {(item.sop_class, item.instance) for item in kos.references()}
    strangers = [
        reference
        for _, reference in kos.content()
        if (reference.text(0x00081150), reference.text(0x00081155)) not in listed
    ]
    for reference in strangers[:_ENOUGH]:
        yield Broken(
            message="Cette instance du contenu n'est pas dans l'évidence.",
            actual=reference.text(0x00081155),
            where=reference.where(0x00081155),
        )


@KOS.rule(
    "KOS-012",
    "Toute instance de l'évidence figure dans le contenu",
    reference=dicom("PS3.3 C.17.6.2.1"),
    bad=lambda: example.kos(content=example.manifest().content[1:]),
)
def evidence_in_content(kos: Kos) -> Findings:
    named = {reference.text(0x00081155) for _, reference in kos.content()}
    missing = [item for item in kos.references() if item.instance not in named]
    for item in missing[:_ENOUGH]:
        yield Broken(
            message="Cette instance de l'évidence n'est pas dans le contenu.",
            actual=item.instance,
            where=item.where,
        )


@KOS.rule(
    "KOS-013",
    "Le manifeste ne se liste pas lui-même",
    reference=dicom("PS3.3 C.17.6.2.1"),
    bad=lambda: _self_listed(),
)
def not_itself(kos: Kos) -> Findings:
    for item in kos.references():
        if item.instance == kos.sop_instance:
            yield Broken(
                message="Le manifeste est dans sa propre évidence.",
                actual=item.instance,
                where=item.where,
            )


def _self_listed() -> bytes:
    data = example.manifest()
    own = InstanceRef(KEY_OBJECT_SELECTION_STORAGE, example.UID)
    item = ContentItem(value_type="COMPOSITE", references=((own.sop_class, own.sop_instance),))
    study = data.studies[0]
    series = replace(study.series[0], instances=(*example.instances(), own))
    return example.kos(studies=(replace(study, series=(series,)),), content=(*data.content, item))


def _first_item(value_type: str) -> bytes:
    """The example with its first content item of another type."""
    first, *others = example.manifest().content
    return example.kos(content=(replace(first, value_type=value_type), *others))


@KOS.rule(
    "KOS-014",
    "Les items du contenu sont IMAGE, WAVEFORM ou COMPOSITE, en relation CONTAINS",
    reference=dicom("PS3.16 TID 2010"),
    bad=lambda: _first_item("NUM"),
)
def content_items(kos: Kos) -> Findings:
    for tag, allowed, what in (
        (0x0040A040, ("IMAGE", "WAVEFORM", "COMPOSITE", "TEXT", "CONTAINER"), "Ce type d'item"),
        (0x0040A010, ("CONTAINS", "HAS OBS CONTEXT", "HAS CONCEPT MOD"), "Cette relation"),
    ):
        wrong = [item for item in kos.root.items(0x0040A730) if item.text(tag) not in allowed]
        for item in wrong[:_ENOUGH]:
            yield Broken(
                message=f"{what} n'appartient pas au gabarit.",
                expected=" | ".join(allowed),
                actual=item.text(tag),
                where=item.where(tag),
            )


@KOS.rule(
    "KOS-015",
    "Le type d'item convient à la classe SOP référencée",
    reference=dicom("PS3.3 C.18.3 à C.18.5"),
    severity=Severity.WARNING,
    bad=lambda: _first_item("WAVEFORM"),
)
def value_types(kos: Kos) -> Findings:
    # COMPOSITE refers to any storage class (C.18.3): only the other two can be wrong.
    wrong = [
        (item, expected)
        for item, reference in kos.content()
        if item.text(0x0040A040)
        not in (expected := value_type_of(reference.text(0x00081150)), "COMPOSITE")
    ]
    for item, expected in wrong[:_ENOUGH]:
        yield Broken(
            message="Le type d'item ne convient pas à la classe SOP.",
            expected=expected,
            actual=item.text(0x0040A040),
            where=item.where(0x0040A040),
        )


@KOS.rule(
    "KOS-016",
    "La syntaxe de transfert est Explicit VR Little Endian, ou celle que le profil nomme",
    reference=dicom("PS3.10 7.1"),
    severity=Severity.WARNING,
    named_by="kos_transfer_syntax",
    bad=lambda: example.kos(transfer_syntax=IMPLICIT_VR_LITTLE_ENDIAN),
)
def transfer_syntax(kos: Kos) -> Findings:
    # Both are among the accepted ANS samples; explicit is what a file exchanged should have.
    written = kos.file.transfer_syntax
    wanted = kos.context.demands.kos_transfer_syntax or EXPLICIT_VR_LITTLE_ENDIAN
    if written != wanted:
        yield Broken(
            message="Le KOS n'est pas dans la syntaxe de transfert attendue.",
            expected=wanted,
            actual=written,
            where="0002,0010",
        )


@KOS.rule(
    "KOS-017",
    "Les dates et heures sont lisibles",
    reference=dicom("PS3.5 6.2"),
    bad=lambda: example.kos(content_time="10:15"),
)
def dates(kos: Kos) -> Findings:
    for tag in (0x00080012, 0x00080020, 0x00080021, 0x00080023, 0x00100030):
        value = kos.root.text(tag)
        if value and not is_dtm(value, precision=8):
            yield _unreadable(kos, tag, "AAAAMMJJ")
    for tag in (0x00080013, 0x00080030, 0x00080031, 0x00080033):
        value = kos.root.text(tag)
        if value and not _is_time(value):
            yield _unreadable(kos, tag, "HHMMSS[.FFFFFF]")


def _is_time(value: str) -> bool:
    whole, dot, fraction = value.partition(".")
    if dot and not (fraction.isdigit() and len(fraction) <= 6 and len(whole) == 6):
        return False
    return len(whole) in (2, 4, 6) and is_dtm("20000101" + whole)


def _unreadable(kos: Kos, tag: int, expected: str) -> Broken:
    return Broken(
        message="Cette date ou heure est illisible.",
        expected=expected,
        actual=kos.root.text(tag),
        where=kos.root.where(tag),
    )


@KOS.rule(
    "KOS-018",
    "La série du manifeste lui est propre",
    reference=dicom("PS3.3 C.17.6.1"),
    bad=lambda: example.kos(series_uid=example.SERIES),
)
def own_series(kos: Kos) -> Findings:
    own = kos.root.text(0x0020000E)
    if own and own in {item.series for item in kos.references()}:
        yield Broken(
            message="Le manifeste est dans la série d'images qu'il référence.",
            actual=own,
            where="0020,000E",
        )
