"""MDM: the rules that it shares with ORU, each with its own example.

A rule keeps the number, the text and the severity that it has for ORU; what an MDM writes otherwise
is in `mdm_document`.
"""

from __future__ import annotations

from collections.abc import Mapping

from spec import hl7v2 as table
from validators.examples import hl7v2 as example
from validators.hl7v2.encoding import register
from validators.hl7v2.oru import ORU
from validators.hl7v2.sources import clause
from validators.rule import Example, RuleSet

__all__ = ["MDM", "adopt"]

MDM = RuleSet(
    "mdm",
    good=example.mdm,
    syntax="MDM-000",
    unreadable=lambda: b"EVN|T02",
    reference=clause("2.14.9 MSH"),
    requirements=("DB.SO.03",),
)

_TEN = table.META_DMP_MSS
_FORMER = {"MSH": {21: tuple(table.FORMER_PROFILE.split("^"))}}
_INS = ("ASIP-SANTE-INS-NIR", "1.2.250.1.213.1.4.10", "ISO")
_IPP = (example.IPP, "", "", ("RIS_EXEMPLE", example.LOCAL, "ISO"), "PI")


def _pid3(ins: str = example.INS, oid: str = _INS[1], kind: str = "INS") -> bytes:
    """The example with one INS repetition changed."""
    return example.mdm({"PID": {3: [(ins, "", "", (_INS[0], oid, "ISO"), kind), _IPP]}})


def adopt(kind: RuleSet, prefix: str, bad: Mapping[str, Example]) -> None:
    """Register rules of ORU, by number, for another kind of message."""
    for number, spoiled in bad.items():
        rule = ORU.rules[f"ORU-{number}"]
        kind.rule(
            f"{prefix}-{number}",
            rule.title,
            reference=rule.reference,
            bad=spoiled,
            severity=rule.severity,
            requirements=rule.requirements,
            given=rule.given,
            tolerated=rule.tolerated,
        )(rule.check)


register(MDM, "MDM", example.mdm)
adopt(
    MDM,
    "MDM",
    {
        "003": lambda: example.mdm({"MSH": {17: "FR"}}),
        "004": lambda: example.mdm({"MSH": {18: "8859/1"}}, encoding="latin-1"),
        "005": lambda: example.mdm(encoding="iso8859-15"),
        "006": lambda: example.mdm({"MSH": {10: None}}),
        "007": lambda: example.mdm({"MSH": {7: "283084121661677"}}),
        "008": lambda: example.mdm(end="\n"),
        "009": lambda: example.mdm({"MSH": {21: ("1.2", "CISIS_CDA_HL7_V1")}}),
        "010": lambda: example.mdm({"MSH": {11: "X"}}),
        "011": lambda: example.mdm({"MSH": {4: None}}),
        "012": lambda: example.mdm(_FORMER),
        "020": lambda: _pid3(kind="NH"),
        "021": lambda: _pid3(oid="1.2.250.1.213.1.4.2"),
        "022": lambda: _pid3(ins="279035121518988"),
        "023": lambda: example.mdm({"PID": {3: (example.INS, "", "", _INS, "INS")}}),
        "024": lambda: example.mdm({"PID": {32: "PROV"}}),
        "025": lambda: example.mdm({"PID": {5: ("PAT-TROIS", "", "", "", "", "", "D")}}),
        "026": lambda: example.mdm({"PID": {7: "28/03/1979"}}),
        "027": lambda: example.mdm({"PID": {8: "2"}}),
        "028": lambda: example.mdm({"PID": {11: ("", "", "PARIS", "", "75001", "FRA", "H")}}),
        "029": lambda: example.mdm(document=example.cda(ins="162018885045327")),
        "030": lambda: _pid3(ins="162018885045327"),
        "041": lambda: example.mdm(tail=(("PID", {1: "2"}),)),
        "043": lambda: example.mdm({"PV1": {19: None}}),
        "044": lambda: example.mdm({"ORC": {1: "OK"}}),
        "045": lambda: example.mdm({"OBX": {11: "D"}}),
        "046": lambda: example.mdm(event="T10", document=example.cda()),
        "050": lambda: example.mdm({"OBR": {4: ("18748-4", "CR", "L")}}),
        "051": lambda: example.mdm({"OBR": {4: ("11502-2", "CR de biologie", "LN")}}),
        "052": lambda: example.mdm({"OBX": {2: "TX"}}),
        "053": lambda: example.mdm({"OBX": {3: ("11528-7", "CR", "LN")}}),
        "054": lambda: example.mdm({"OBX": {5: "UEQ="}}),
        "055": lambda: example.mdm(payload="PENsaW5p*Y2Fs"),
        "056": lambda: example.mdm(document=b"%PDF-1.4"),
        "057": lambda: example.mdm(document=example.cda(study="")),
        "058": lambda: example.mdm(document=example.cda(accession="")),
        "059": lambda: example.mdm(document=example.cda(study=f"{example.STUDY}.9")),
        "060": lambda: example.mdm({"PRT": {4: ("RCT", "Result Copies To", "participation")}}),
        "061": lambda: example.mdm({"PRT": {8: "CENTRE EXEMPLE"}}),
        "062": lambda: example.mdm({"PRT": {5: ("801234560801", "EXEMPLE", "CLAIRE")}}),
        "064": lambda: example.mdm().replace(b"|801234560801^", b"|EXEMPLE01^"),
        "063": lambda: example.mdm(document=example.cda(structure="750000001")),
        "070": lambda: example.mdm(meta_edits={1: "1"}),
        "080": lambda: example.mdm(meta=_TEN[:5] + _TEN[6:]),
        "081": lambda: example.mdm(meta=(*_TEN, "INVISIBLE_REPRESENTANTS_LEGAUX")),
        "082": lambda: example.mdm(meta=(_TEN[1], _TEN[0], *_TEN[2:])),
        "084": lambda: example.mdm(meta_edits={11: "C"}),
        "085": lambda: example.mdm(
            _FORMER, meta=(*_TEN[:2], "INVISIBLE_REPRESENTANTS_LEGAUX", *_TEN[3:])
        ),
        "190": lambda: example.mdm(
            {"PV1": {19: ("V900", "", "", ("RIS_EXEMPLE", example.LOCAL, "DNS"), "VN")}}
        ),
        "191": lambda: example.mdm({"OBR": {1: "I"}}),
        "192": lambda: example.mdm({"PV1": {19: ("V900", "", "", "", "VN")}}),
        "193": lambda: example.mdm({"OBX": {3: (table.IMAGING_REPORT, "CR", "TRE_A05")}}),
        "194": lambda: example.mdm({"PRT": {4: ("SB", "Sent by", "HL70912")}}),
        "195": lambda: example.mdm(
            {"PRT": {5: ("801234560801", *[""] * 7, ("", example.LOCAL, "ISO"))}}
        ),
    },
)
