"""ORU: who the patient is, as the message and the report say it."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.hl7v2 import Repetition
from spec import hl7v2 as table
from spec.oids import INS_AUTHORITIES
from validators.context import Context
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.reading import Hl7Artefact
from validators.hl7v2.rules import ORU
from validators.hl7v2.sources import DATA, DRAFT, INS_ANNEX, PAM, one_of, same, volet
from validators.identifiers import is_dtm, is_ins_key_right, is_matricule
from validators.rule import Broken

__all__: list[str] = []

Findings = Iterator[Broken]
_INS = ("DB.SO.03", "DB.SO.11")


def _identifiers(hl7: Hl7Artefact) -> tuple[Repetition, ...]:
    pid = hl7.message.first("PID")
    return () if pid is None else pid.field(3).repetitions


def _of_type(hl7: Hl7Artefact, type_code: str) -> list[tuple[int, Repetition]]:
    """Identifiers of a CX.5, with their rank: their order is not fixed."""
    return [
        (rank, cx)
        for rank, cx in enumerate(_identifiers(hl7), start=1)
        if cx.component(5).value == type_code
    ]


def _authority(cx: Repetition) -> tuple[str, str]:
    authority = cx.component(4)
    return authority.subcomponent(2).value, authority.subcomponent(3).value


def _pid3(ins: str = example.INS, oid: str = "1.2.250.1.213.1.4.10", kind: str = "INS") -> bytes:
    """The example with one INS repetition changed."""
    local = (example.IPP, "", "", ("RIS_EXEMPLE", example.LOCAL, "ISO"), "PI")
    cx = (ins, "", "", ("ASIP-SANTE-INS-NIR", oid, "ISO"), kind)
    return example.oru({"PID": {3: [cx, local]}})


@ORU.rule(
    "ORU-020",
    "PID-3 porte une seule fois l'INS (CX.5 = INS)",
    reference=DATA,
    requirements=_INS,
    bad=lambda: _pid3(kind="NH"),
)
def one_ins(hl7: Hl7Artefact) -> Findings:
    count = len(_of_type(hl7, table.INS_TYPE))
    if count != 1:
        yield Broken(
            message="Le matricule INS doit figurer une fois et une seule.",
            expected="1",
            actual=str(count),
            where="PID-3",
        )


@ORU.rule(
    "ORU-021",
    "L'autorité de l'INS est l'un des OID de l'INS, de type ISO",
    reference=DATA,
    requirements=_INS,
    bad=lambda: _pid3(oid="1.2.250.1.213.1.4.2"),
)
def ins_authority(hl7: Hl7Artefact) -> Findings:
    for rank, cx in _of_type(hl7, table.INS_TYPE):
        oid, kind = _authority(cx)
        if oid not in INS_AUTHORITIES or kind != "ISO":
            yield Broken(
                message="L'autorité d'affectation n'est pas celle d'un INS.",
                expected=" | ".join(INS_AUTHORITIES) + ", ISO",
                actual=f"{oid}, {kind}",
                where=f"PID-3[{rank}].4",
            )


@ORU.rule(
    "ORU-022",
    "Le matricule INS a 15 caractères et une clé juste",
    reference=INS_ANNEX,
    requirements=_INS,
    bad=lambda: _pid3(ins="279035121518988"),
)
def ins_shape(hl7: Hl7Artefact) -> Findings:
    for rank, cx in _of_type(hl7, table.INS_TYPE):
        value = cx.component(1).value
        if not is_matricule(value):
            yield Broken(
                message="Le matricule n'a pas la forme d'un INS.",
                expected="13 caractères et une clé de 2 chiffres",
                actual=value,
                where=f"PID-3[{rank}].1",
            )
        elif not is_ins_key_right(value):
            yield Broken(
                message="La clé du matricule INS est fausse.",
                actual=value,
                where=f"PID-3[{rank}].1",
            )


@ORU.rule(
    "ORU-023",
    "PID-3 porte l'IPP (CX.5 = PI) et l'OID de son autorité",
    reference=DATA,
    requirements=("DB.SO.03", "DB.SO.16"),
    bad=lambda: example.oru(
        {"PID": {3: (example.INS, "", "", ("INS", "1.2.250.1.213.1.4.10", "ISO"), "INS")}}
    ),
)
def local_identifier(hl7: Hl7Artefact) -> Findings:
    local = _of_type(hl7, table.LOCAL_TYPE)
    if not local:
        yield Broken(message="Aucun identifiant local (IPP).", expected="CX.5 = PI", where="PID-3")
    for rank, cx in local:
        if not cx.component(1) or not _authority(cx)[0]:
            yield Broken(
                message="L'IPP ou l'OID de son autorité est vide.",
                actual=cx.text,
                where=f"PID-3[{rank}]",
            )


@ORU.rule(
    "ORU-024",
    "PID-32 dit l'identité qualifiée (VALI)",
    reference=DRAFT,
    requirements=_INS,
    bad=lambda: example.oru({"PID": {32: "PROV"}}),
)
def qualified(hl7: Hl7Artefact) -> Findings:
    pid = hl7.message.first("PID")
    codes = [] if pid is None else [code.value for code in pid.field(32).repetitions]
    if table.QUALIFIED not in codes:
        yield Broken(
            message="L'identité n'est pas qualifiée : la DRIMbox ne doit rien publier.",
            expected=table.QUALIFIED,
            actual="~".join(codes),
            where="PID-32",
        )


@ORU.rule(
    "ORU-025",
    "PID-5 donne le nom de naissance et le premier prénom (type L)",
    reference=PAM,
    bad=lambda: example.oru({"PID": {5: ("PAT-TROIS", "", "", "", "", "", "D")}}),
)
def birth_name(hl7: Hl7Artefact) -> Findings:
    pid = hl7.message.first("PID")
    names = () if pid is None else pid.field(5).repetitions
    legal = [name for name in names if name.component(7).value == "L"]
    if not any(name.component(1) and name.component(2) for name in legal):
        yield Broken(
            message="Aucun nom de naissance complet.",
            expected="NOM^PRÉNOM^PRÉNOMS^^^^L",
            actual="~".join(name.text for name in names),
            where="PID-5",
        )


@ORU.rule(
    "ORU-026",
    "PID-7 est une date de naissance",
    reference=PAM,
    bad=lambda: example.oru({"PID": {7: "28/03/1979"}}),
)
def birth_date(hl7: Hl7Artefact) -> Findings:
    value = hl7.value("PID-7.1")
    if not is_dtm(value):
        yield Broken(
            message="La date de naissance est absente ou illisible.",
            expected="AAAAMMJJ",
            actual=value,
            where="PID-7",
        )


@ORU.rule(
    "ORU-027",
    "PID-8 vaut F ou M",
    reference=DATA,
    bad=lambda: example.oru({"PID": {8: "2"}}),
    severity=Severity.WARNING,
)
def sex(hl7: Hl7Artefact) -> Findings:
    return one_of(hl7.value("PID-8"), ("F", "M"), "PID-8", "Le sexe")


@ORU.rule(
    "ORU-028",
    "PID-11 donne le lieu de naissance (type BDL, code INSEE)",
    reference=DATA,
    bad=lambda: example.oru({"PID": {11: ("", "", "PARIS", "", "75001", "FRA", "H")}}),
    severity=Severity.WARNING,
)
def birth_place(hl7: Hl7Artefact) -> Findings:
    pid = hl7.message.first("PID")
    places = () if pid is None else pid.field(11).repetitions
    if not any(place.component(7).value == "BDL" and place.component(9) for place in places):
        yield Broken(
            message="Le code INSEE du lieu de naissance manque.",
            expected="XAD.7 = BDL, XAD.9 = code INSEE",
            where="PID-11",
        )


@ORU.rule(
    "ORU-029",
    "Les identifiants de PID-3 sont ceux du compte rendu",
    reference=volet("profils-messages, PID-3"),
    requirements=_INS,
    bad=lambda: example.oru(document=example.cda(ins="162018885045327")),
)
def same_patient_as_report(hl7: Hl7Artefact) -> Findings:
    if hl7.cda is None:
        return
    ids = [
        (str(element.get("root", "")), str(element.get("extension", "")))
        for element in hl7.cda.iterfind("{*}recordTarget/{*}patientRole/{*}id")
    ]
    for rank, cx in enumerate(_identifiers(hl7), start=1):
        if cx.component(5).value not in (table.INS_TYPE, table.LOCAL_TYPE):
            continue
        written = (_authority(cx)[0], cx.component(1).value)
        if written not in ids:
            yield Broken(
                message="Cet identifiant n'est pas dans recordTarget du compte rendu.",
                expected=" | ".join(f"{root}:{extension}" for root, extension in ids),
                actual=":".join(written),
                where=f"PID-3[{rank}]",
            )


@ORU.rule(
    "ORU-030",
    "L'INS et l'IPP sont ceux du patient du cas",
    reference=DRAFT,
    requirements=("DB.SO.11", "DB.SO.16"),
    given=Context(ins=example.INS, ipp=example.IPP),
    bad=lambda: _pid3(ins="162018885045327"),
)
def same_patient_as_case(hl7: Hl7Artefact) -> Findings:
    for type_code, expected in (
        (table.INS_TYPE, hl7.context.ins),
        (table.LOCAL_TYPE, hl7.context.ipp),
    ):
        if expected:
            for rank, cx in _of_type(hl7, type_code)[:1]:
                yield from same(
                    cx.component(1).value, expected, f"PID-3[{rank}].1", "L'identifiant du patient"
                )
