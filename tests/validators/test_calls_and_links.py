"""The contextual call in both parameter sets, and the link to the viewer."""

from __future__ import annotations

from typing import Literal

import pytest

from simulators.ris.contextual_call import body, parameters
from simulators.ris.people import Identifier, Patient, ins_of
from validators.api import Context, Report, guess, validate
from validators.examples import call, link

PATIENT = Patient(
    family="KIT-ALBAREDE",
    given="ADÈLE",
    givens="ADÈLE FLORE",
    birth_date="19790328",
    sex="F",
    birthplace_code="51215",
    ins=ins_of("2790351215189"),
    ipp=Identifier("IPP1", "1.2.3.4", "KIT-RIS"),
)


def fired(report: Report) -> set[str]:
    return {found.rule for found in report.findings}


class TestCall:
    @pytest.mark.parametrize("dialect", ["2024-12", "2024-07"])
    def test_the_call_of_our_ris_passes(self, dialect: Literal["2024-12", "2024-07"]) -> None:
        data = body(parameters(PATIENT, dialect=dialect, situation="1630013605"))
        assert guess(data) == "appel-contextuel"
        case = Context(ipp="IPP1", ins="279035121518989", strict=True)
        assert validate(data, context=case).findings == ()

    def test_search_criteria_belong_to_the_older_set(self) -> None:
        assert validate(call.older()).findings == ()
        report = validate(call.call(extra=(("Modality", "CT"),)))
        assert fired(report) == {"APPEL-008"}
        assert "2024-12" in report.findings[0].message

    def test_names_of_2023_are_told_from_strangers(self) -> None:
        report = validate(call.call(extra=(("lastName", "X"), ("patientid", "Y"), ("foo", "Z"))))
        assert [found.message for found in report.findings] == [
            "Ce nom de 2023 n'est plus lu.",
            "La casse du nom n'est pas celle du jeu.",
            "Ce paramètre n'est pas du jeu 2024-12.",
        ]

    def test_what_only_the_demonstrator_says_never_fails(self) -> None:
        assert validate(call.call({"Patient.birthDate": None})).verdict == "warn"

    def test_a_wrong_identity_fails(self) -> None:
        assert validate(call.call({"Patient.identifier.value": "1"})).verdict == "fail"

    @pytest.mark.parametrize("value", ["19790328", "1979-03-28"])
    def test_both_ways_to_write_a_date(self, value: str) -> None:
        assert validate(call.call({"Patient.birthDate": value})).findings == ()

    @pytest.mark.parametrize("value", ["20261122", "20261101-20261122", "-20261122", "20261101-"])
    def test_dates_and_ranges(self, value: str) -> None:
        assert validate(call.older({"StudyDate": value})).findings == ()

    @pytest.mark.parametrize("value", ["-", "2026", "20261101-20261122-20261123", "20261301"])
    def test_what_is_no_range(self, value: str) -> None:
        assert fired(validate(call.older({"StudyDate": value}))) == {"APPEL-041"}

    @pytest.mark.parametrize(
        "data", [b"", b"PatientID", b'{"PatientID": 1}', b"<a/>", b"a=1&" * 300, b"x=" * 1_000_000]
    )
    def test_what_is_no_form(self, data: bytes) -> None:
        assert fired(validate(data, "appel-contextuel")) == {"APPEL-000"}

    def test_plus_is_a_blank(self) -> None:
        data = call.call(body=lambda form: form.replace(b"DOMINIQUE", b"MARIE+ANNE"))
        assert validate(data).findings == ()


class TestLink:
    def test_an_address_or_the_request_that_follows_it(self) -> None:
        address = link.link()
        target = address.partition(b".fr")[2]
        request = b"GET " + target + b" HTTP/1.1\r\nHost: vi900.test.mesimagesmedicales.fr\r\n\r\n"
        for data in (address, address + b"\n", request):
            assert guess(data) == "lien-visionneuse"
            assert validate(data).findings == ()

    def test_an_extension_follows_the_root(self) -> None:
        assert validate(link.link(idCDA=f"{link.DOCUMENT}_CR-1")).findings == ()

    def test_the_demonstrator_s_host_is_tolerated(self) -> None:
        data = link.link(base="http://localhost:4200/IHEInvokeImageDisplay")
        assert fired(validate(data)) == {"LIEN-001", "LIEN-015"}

    def test_a_parameter_in_another_case_is_a_stranger(self) -> None:
        data = link.link().replace(b"studyUID", b"StudyUID")
        assert fired(validate(data)) == {"LIEN-004", "LIEN-005"}

    def test_values_are_decoded_before_they_are_compared(self) -> None:
        data = link.link(accessionNumber="ACN%2F900")
        assert validate(data, context=Context(accession="ACN/900")).findings == ()

    @pytest.mark.parametrize(
        "data",
        [b"", b"NULL", b"https://[::1", "https://é.fr/".encode(), b"https://a/" + b"a" * 9000],
    )
    def test_what_is_no_address(self, data: bytes) -> None:
        assert fired(validate(data, "lien-visionneuse")) == {"LIEN-000"}
