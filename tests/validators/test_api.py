"""The judges' door: kinds, context, floor, strict reading, broken checkers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocols.kos import ContentItem, InstanceRef
from spec.grade import Grade
from tests.cost import growth
from validators import api
from validators.api import CheckerError, Context, guess, judge, validate
from validators.examples import hl7v2, kos, wado, xds
from validators.finding import Severity
from validators.rule import RuleSet
from validators.wado import WadoPart, WadoResponse


def fired(report: api.Report) -> set[str]:
    return {found.rule for found in report.findings}


def test_unreadable_bytes_are_a_finding_with_its_place() -> None:
    report = validate(b"\x00\x01", "kos")
    assert report.verdict == "fail"
    (found,) = report.findings
    assert (found.rule, found.severity) == ("KOS-000", Severity.ERROR)
    assert found.where


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(LookupError):
        validate(b"...", "sorte-inconnue")
    with pytest.raises(LookupError):
        validate(b"nothing that we know")


def test_a_framed_message_is_read() -> None:
    framed = b"\x0b" + hl7v2.oru() + b"\x1c\r"
    assert guess(framed) == "oru"
    assert validate(framed).verdict == "pass"


def test_cross_rules_abstain_without_their_fact() -> None:
    other = kos.kos(patient_id="162018885045327", other_patient_ids=None)
    assert "KOS-080" not in fired(validate(other))
    assert "KOS-080" in fired(validate(other, context=Context(ins=kos.INS)))


def test_the_floor_turns_errors_into_warnings() -> None:
    bad = hl7v2.oru({"PID": {32: "PROV"}})
    assert validate(bad).verdict == "fail"
    report = validate(bad, context=Context(floor=Grade.FAQ))
    (found,) = [found for found in report.findings if found.rule == "ORU-024"]
    assert found.severity is Severity.WARNING


def test_strict_reading_makes_errors_of_what_the_field_tolerates() -> None:
    bad = xds.iti41(body=lambda data: data.replace(b"\r\n", b"\n"))
    assert validate(bad).verdict == "warn"
    assert validate(bad, context=Context(strict=True)).verdict == "fail"


def test_a_rule_that_breaks_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(artefact: object) -> list[object]:
        raise ZeroDivisionError

    rules = api.KINDS["kos"].rules.rules
    monkeypatch.setitem(rules, "KOS-001", replace(rules["KOS-001"], check=broken))
    with pytest.raises(CheckerError) as caught:
        validate(kos.kos())
    assert caught.value.rule == "KOS-001"


def test_an_id_serves_once() -> None:
    kind = api.KINDS["kos"].rules
    register = kind.rule(
        "KOS-001", "Déjà pris", reference=kind.syntax.reference, bad=kind.syntax.bad
    )
    with pytest.raises(ValueError, match="KOS-001"):
        register(lambda artefact: ())
    assert isinstance(kind, RuleSet)


def test_a_response_is_judged_from_the_heads_of_its_parts() -> None:
    """What a journal keeps of bulk images: headers, size, the beginning."""
    context = Context(ins=kos.INS, ipp=wado.IPP, kos=kos.kos(), target=wado.PATH)
    typed = (("Content-Type", "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"),)
    whole = [wado.instance(1), wado.instance(2)]
    parts = tuple(WadoPart(typed, len(data) + 500_000, data[:-4]) for data in whole)
    kind = 'multipart/related; type="application/dicom"; boundary=x'
    response = WadoResponse(200, (("Content-Type", kind),), parts, context=context)
    assert judge(response, "wado-response", context=context).verdict == "pass"
    cut = replace(response, parts=parts[:1])
    assert fired(judge(cut, "wado-response", context=context)) == {"WADO-124"}
    for parts_left in (parts[:1], ()):
        lost = replace(response, parts=parts_left, cut=True)
        assert judge(lost, "wado-response", context=context).verdict == "pass"


def test_a_large_manifest_is_judged_in_linear_time_and_briefly() -> None:
    small, large = incoherent(1_000), incoherent(10_000)
    report = validate(large)
    assert {"KOS-011", "KOS-012"} <= fired(report)
    assert len(report.findings) < 40
    assert growth(lambda: validate(small), lambda: validate(large)) < 40  # 100 if quadratic


def incoherent(instances: int) -> bytes:
    """A manifest of so many instances, none of them in the content."""
    many = tuple(
        InstanceRef("1.2.840.10008.5.1.4.1.1.2", f"{kos.SERIES}.{number}")
        for number in range(1, instances + 1)
    )
    content = tuple(
        ContentItem(value_type="IMAGE", references=((one.sop_class, f"{one.sop_instance}.1"),))
        for one in many
    )
    data = kos.manifest()
    study = data.studies[0]
    series = replace(study.series[0], instances=many)
    return kos.kos(studies=(replace(study, series=(series,)),), content=content)


def test_findings_survive_json() -> None:
    report = validate(hl7v2.oru({"PID": {32: None}}))
    for found in report.findings:
        assert type(found).from_dict(found.as_dict()) == found
