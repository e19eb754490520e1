"""ORU: the segments, the report that they carry and who sends it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spec import hl7v2 as table
from validators.context import Context
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ORU
from validators.hl7v2.sources import DATA, DRAFT, clause, one_of, same, volet
from validators.identifiers import is_uid
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]

_STRUCTURE = volet("profils-messages, ORU^R01^ORU_R01")
_DOCUMENT = volet("profils-messages, OBX du document")
_PRT = volet("profils-messages, PRT")
_LIFE = volet("evenements-declenchants")
_CODE = ".//cda:documentationOf/cda:serviceEvent/cda:id/@root"

_GRAMMAR = re.compile(
    r"MSH (SFT )*PID (PD1 )?(NTE )*(PV1 (PV2 )?)?"
    r"(ORC OBR (NTE )*(TQ1 (TQ2 )*)*(OBX (PRT )*(NTE )*)+)+"
)


@ORU.rule(
    "ORU-040",
    "Les segments sont ceux d'ORU_R01, dans leur ordre",
    reference=_STRUCTURE,
    bad=lambda: example.oru(without=("OBR",)),
)
def segment_order(hl7: Hl7Artefact) -> Findings:
    names = [part.name for part in hl7.message.segments if not part.name.startswith("Z")]
    written = "".join(f"{name} " for name in names)
    if _GRAMMAR.fullmatch(written) is None:
        yield Broken(
            message="L'enchaînement des segments n'est pas celui du profil.",
            expected="MSH PID [PV1] { ORC OBR [NTE] [TQ1] { OBX [PRT] [NTE] } }",
            actual=written[:200].strip(),
            where="MSH",
        )


@ORU.rule(
    "ORU-041",
    "Le message ne porte qu'un patient",
    reference=_STRUCTURE,
    bad=lambda: example.oru(tail=(("PID", {1: "2"}),)),
)
def one_patient(hl7: Hl7Artefact) -> Findings:
    count = len(hl7.message.all("PID"))
    if count != 1:
        yield Broken(
            message="PATIENT_RESULT figure une fois et une seule.",
            expected="1",
            actual=str(count),
            where="PID",
        )


@ORU.rule(
    "ORU-042",
    "Le segment PV1 est présent",
    reference=_STRUCTURE,
    bad=lambda: example.oru(without=("PV1",)),
    severity=Severity.WARNING,
)
def visit(hl7: Hl7Artefact) -> Findings:
    # The table says RE, the prose says required: always sent, its absence accepted.
    if hl7.message.first("PV1") is None:
        yield Broken(message="Le segment PV1 manque.", where="PV1")


@ORU.rule(
    "ORU-043",
    "PV1-2 est une classe connue et PV1-19 suit E, I, O et R",
    reference=volet("profils-messages, PV1"),
    bad=lambda: example.oru({"PV1": {19: None}}),
)
def patient_class(hl7: Hl7Artefact) -> Findings:
    if hl7.message.first("PV1") is None:
        return
    value = hl7.value("PV1-2")
    yield from one_of(value, table.PATIENT_CLASSES, "PV1-2", "La classe du patient")
    if value in ("E", "I", "O", "R") and not hl7.value("PV1-19"):
        yield Broken(message="Le numéro de venue manque.", expected="CX", where="PV1-19")


@ORU.rule(
    "ORU-044",
    "ORC-1 vaut NW, RO ou CA",
    reference=volet("profils-messages, ORC"),
    bad=lambda: example.oru({"ORC": {1: "OK"}}),
)
def order_control(hl7: Hl7Artefact) -> Findings:
    return one_of(hl7.value("ORC-1"), tuple(table.DOCUMENT_STATUSES), "ORC-1", "La commande")


@ORU.rule(
    "ORU-045",
    "OBX-11 du document est cohérent avec ORC-1 (NW-F, RO-C, CA-D)",
    reference=_LIFE,
    bad=lambda: example.oru({"OBX": {11: "D"}}),
)
def document_status(hl7: Hl7Artefact) -> Findings:
    expected = table.DOCUMENT_STATUSES.get(hl7.value("ORC-1"))
    if hl7.document is not None and expected:
        yield from same(
            hl7.document.field(11).value,
            expected,
            hl7.at(hl7.document, "11"),
            "Le statut du document",
        )


@ORU.rule(
    "ORU-046",
    "Un remplacement nomme le document remplacé (relatedDocument RPLC)",
    reference=_LIFE,
    bad=lambda: example.oru({"ORC": {1: "RO"}, "OBX": {11: "C"}}),
)
def replaced_document(hl7: Hl7Artefact) -> Findings:
    if hl7.value("ORC-1") != "RO" or hl7.cda is None:
        return
    path = "cda:relatedDocument[@typeCode='RPLC']/cda:parentDocument/cda:id/@root"
    if not hl7.cda_values(path):
        yield Broken(
            message="Le compte rendu ne dit pas quel document il remplace.",
            expected="relatedDocument[@typeCode='RPLC']/parentDocument/id",
            where="ClinicalDocument",
        )


@ORU.rule(
    "ORU-050",
    "OBR-4 est le code du document, de LOINC ou de TRE_A05",
    reference=volet("profils-messages, OBR"),
    bad=lambda: example.oru({"OBR": {4: ("18748-4", "CR", "L")}}),
)
def document_code(hl7: Hl7Artefact) -> Findings:
    if not hl7.value("OBR-4.1"):
        yield Broken(message="Le code du document est vide.", where="OBR-4.1")
    yield from one_of(
        hl7.value("OBR-4.3"), table.DOCUMENT_CODE_SYSTEMS, "OBR-4.3", "Le système de codage"
    )


@ORU.rule(
    "ORU-051",
    "Le document est un compte rendu d'imagerie (18748-4)",
    reference=DATA,
    bad=lambda: example.oru({"OBR": {4: ("11502-2", "CR de biologie", "LN")}}),
)
def imaging_report(hl7: Hl7Artefact) -> Findings:
    return same(hl7.value("OBR-4.1"), table.IMAGING_REPORT, "OBR-4.1", "Le code du document")


@ORU.rule(
    "ORU-052",
    "Une observation ED porte le document",
    reference=_DOCUMENT,
    bad=lambda: example.oru({"OBX": {2: "TX"}}),
)
def has_document(hl7: Hl7Artefact) -> Findings:
    if hl7.document is None:
        yield Broken(
            message="Aucune observation ne porte de document.",
            expected="OBX-2 = ED",
            where="OBX",
        )


@ORU.rule(
    "ORU-053",
    "OBX-3 du document est égal à OBR-4",
    reference=_DOCUMENT,
    bad=lambda: example.oru({"OBX": {3: ("11528-7", "CR", "LN")}}),
)
def observation_is_document(hl7: Hl7Artefact) -> Findings:
    if hl7.document is not None:
        code = hl7.document.field(3).component(1).value
        yield from same(
            code, hl7.value("OBR-4.1"), hl7.at(hl7.document, "3.1"), "Le code de l'observation"
        )


@ORU.rule(
    "ORU-054",
    "OBX-5 s'écrit ^TEXT^XML^Base64^données",
    reference=_DOCUMENT,
    bad=lambda: example.oru({"OBX": {5: "UEQ="}}),
)
def encapsulated_data(hl7: Hl7Artefact) -> Findings:
    if hl7.document is None:
        return
    data = hl7.document.field(5)
    parts = [data.component(number).value for number in (1, 2, 3, 4)]
    # Letter case differs between the volet's table and its samples: it distinguishes nothing.
    if [part.casefold() for part in parts] != ["", "text", "xml", "base64"]:
        yield Broken(
            message="Les composants du type ED ne sont pas ceux du profil.",
            expected="^TEXT^XML^Base64^",
            actual="^".join(parts)[:80] + "^",
            where=hl7.at(hl7.document, "5"),
        )


@ORU.rule(
    "ORU-055",
    "OBX-5.5 est du base64",
    reference=_DOCUMENT,
    bad=lambda: example.oru(payload="PENsaW5p*Y2Fs"),
)
def base64_data(hl7: Hl7Artefact) -> Findings:
    if hl7.document is not None and hl7.payload is None:
        yield Broken(
            message="Les données du document ne se décodent pas.",
            expected="base64 sans saut de ligne",
            actual=hl7.document.field(5).component(5).text[:40],
            where=hl7.at(hl7.document, "5.5"),
        )


@ORU.rule(
    "ORU-056",
    "Le document est un CDA R2",
    reference=_DOCUMENT,
    bad=lambda: example.oru(document=b"%PDF-1.4"),
)
def is_cda(hl7: Hl7Artefact) -> Findings:
    if hl7.document is None or hl7.payload is None:
        return
    root = "" if hl7.cda is None else str(hl7.cda.tag)
    if root != "{urn:hl7-org:v3}ClinicalDocument":
        yield Broken(
            message="Le document décodé n'est pas un CDA.",
            expected="ClinicalDocument",
            actual=root or repr(hl7.payload[:20]),
            where=hl7.at(hl7.document, "5.5"),
        )


@ORU.rule(
    "ORU-057",
    "Le compte rendu nomme au moins un examen par son StudyInstanceUID",
    reference=DRAFT,
    requirements=("DB.SO.12",),
    bad=lambda: example.oru(document=example.cda(study="")),
)
def study_uid(hl7: Hl7Artefact) -> Findings:
    if hl7.cda is None:
        return
    uids = hl7.cda_values(_CODE)
    if not any(is_uid(uid) for uid in uids):
        yield Broken(
            message="Aucun acte ne porte de StudyInstanceUID.",
            expected="documentationOf/serviceEvent/id/@root",
            actual=" ".join(uids),
            where="ClinicalDocument/documentationOf",
        )


@ORU.rule(
    "ORU-058",
    "Le compte rendu nomme au moins un Accession Number et son autorité",
    reference=DRAFT,
    requirements=("DB.SO.17",),
    bad=lambda: example.oru(document=example.cda(accession="")),
)
def accession(hl7: Hl7Artefact) -> Findings:
    if hl7.cda is None:
        return
    path = "cda:inFulfillmentOf/cda:order/ps3-20:accessionNumber[@root]/@extension"
    if not any(hl7.cda_values(path)):
        yield Broken(
            message="Aucune demande ne porte d'Accession Number.",
            expected="inFulfillmentOf/order/ps3-20:accessionNumber",
            where="ClinicalDocument/inFulfillmentOf",
        )


@ORU.rule(
    "ORU-059",
    "L'examen et l'Accession Number sont ceux du cas",
    reference=DRAFT,
    requirements=("DB.SO.12", "DB.SO.17"),
    given=Context(study_uid="1.2.250.1.999.1.1.8121.5.1", accession="ACN900"),
    bad=lambda: example.oru(document=example.cda(study="1.2.250.1.999.1.1.8121.5.2")),
)
def exam_of_case(hl7: Hl7Artefact) -> Findings:
    if hl7.cda is None:
        return
    accessions = "cda:inFulfillmentOf/cda:order/ps3-20:accessionNumber/@extension"
    for expected, path, what in (
        (hl7.context.study_uid, _CODE, "StudyInstanceUID"),
        (hl7.context.accession, accessions, "Accession Number"),
    ):
        written = hl7.cda_values(path)
        if expected and expected not in written:
            yield Broken(
                message=f"Le compte rendu ne nomme pas le {what} du cas.",
                expected=expected,
                actual=" ".join(written),
                where="ClinicalDocument",
            )


@ORU.rule(
    "ORU-070",
    "OBX-1 compte les observations à partir de 1",
    reference=clause("7.4.2.1 Set ID - OBX"),
    bad=lambda: example.oru(meta_edits={1: "1"}),
    severity=Severity.WARNING,
)
def set_ids(hl7: Hl7Artefact) -> Findings:
    for rank, obx in enumerate(hl7.message.all("OBX"), start=1):
        yield from same(obx.field(1).value, str(rank), f"OBX[{rank}]-1", "Le rang")
