"""Contextual calls: the two parameter sets, and everything that makes one refused."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drimbox_ref.consumer.calls import MAX_BODY, ContextualCalls
from drimbox_ref.consumer.config import Options
from drimbox_ref.consumer.values import CallRefused, Consent, Ins
from simulators.ris.contextual_call import body, parameters
from simulators.ris.people import Identifier, Patient
from tests.drimbox_ref.consumer.bed import CALL

FORM = "application/x-www-form-urlencoded"
OPTIONS = Options(
    call_parameters="2024-12",
    consent_yes="oui",
    consent_no="non",
    consent_unknown="inconnu",
    acces_dmp="lps_mtls",
    login_mode="code",
    cnf_thumbprint="rfc8705",
    check_ins_key=False,
    vihf_version="3.0",
    signature_algorithm="rsa-sha256",
    attribute_mode_name="Authentification_Mode",
    authn_context="TLSClient",
    authn_context_decl="",
    patient_id_issuer="keep",
    max_exams=10,
    max_exam_mib=10,
    emergency_modes=(),
    declare_authorisation=False,
    document_years=2,
    parallel_exports=1,
    parallel_series=1,
    retries=0,
    export_syntax="lossless",
    zip_export=False,
    cache_mib=0,
    cache_days=1,
)
OLDER = replace(OPTIONS, call_parameters="2024-07")
READER = ContextualCalls(OPTIONS)


def read(values, options=OPTIONS, content_type=FORM):
    return ContextualCalls(options).read(content_type, "", urlencode(values).encode())


def problems(values, options=OPTIONS) -> tuple[str, ...]:
    with pytest.raises(CallRefused) as caught:
        read(values, options)
    assert caught.value.status == 400
    return caught.value.problems


def test_a_full_call() -> None:
    call = read({**CALL, "Situation": "10B9900015", "Patient.name.family": "MÉLÈZE & FILS+"})
    assert call.ins == Ins(value="279035121518989", oid="1.2.250.1.213.1.4.10")
    assert (call.family, call.given, call.birth_date) == ("MÉLÈZE & FILS+", "DOMINIQUE", "19790328")
    assert (call.ipp, call.ipp_issuer) == ("LOCAL-77", "CLINIQUE&1.2.250.1.999.9&ISO")
    assert call.situation == "10B9900015"
    assert call.consent is Consent.GIVEN


@pytest.mark.parametrize("dialect", ["2024-12", "2024-07"])
def test_the_call_of_the_ris_is_understood(dialect) -> None:
    patient = Patient(
        family="PAT-TROIS",
        given="DOMINIQUE",
        givens="DOMINIQUE",
        birth_date="19790328",
        sex="F",
        ins=Identifier("279035121518989", "1.2.250.1.213.1.4.10"),
        ipp=Identifier("IPP-1", "1.2.250.1.999.9", "CLINIQUE"),
        birthplace_code="51215",
    )
    options = replace(OPTIONS, call_parameters=dialect)
    call = ContextualCalls(options).read(FORM, "", body(parameters(patient, dialect=dialect)))
    assert (call.ipp, call.consent) == ("IPP-1", Consent.GIVEN)


@pytest.mark.parametrize("name", sorted(CALL))
def test_every_parameter_is_mandatory_single_and_filled(name: str) -> None:
    others = {key: value for key, value in CALL.items() if key != name}
    assert problems(others) == (f"paramètre obligatoire absent : {name}",)
    assert problems({**CALL, name: " "}) == (f"paramètre sans valeur : {name}",)
    assert problems([*CALL.items(), (name, "x")]) == (f"paramètre en double : {name}",)


@pytest.mark.parametrize(
    "name", ["Modality", "patient.name.family", "InformationEtOppositionConsultation", "<script>"]
)
def test_unknown_parameters_are_named(name: str) -> None:
    assert problems({**CALL, name: "x"}) == (f"paramètre inconnu : {name}",)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Patient.identifier.value": "12"}, "Patient.identifier.value"),
        ({"Patient.identifier.system": "1.2.250.1.213.1.4.2"}, "Patient.identifier.system"),
        ({"Patient.birthDate": "28/03/1979"}, "Patient.birthDate"),
        ({"InformationEtConsentement": "peut-être"}, "InformationEtConsentement"),
        ({"PatientID": "A\\B"}, "PatientID"),
        ({"PatientID": "x" * 65}, "PatientID"),
        ({"Patient.name.given": "A\x00B"}, "Patient.name.given"),
        ({"Patient.name.given": "A" * 600}, "Patient.name.given"),
    ],
)
def test_unreadable_values_are_named(changed, named: str) -> None:
    assert any(named in problem for problem in problems({**CALL, **changed}))


def test_the_key_of_the_matricule_is_an_option() -> None:
    wrong = {**CALL, "Patient.identifier.value": "279035121518988"}
    assert read(wrong).ins.value == "279035121518988"
    strict = replace(OPTIONS, check_ins_key=True)
    assert read(CALL, strict).ins.value == "279035121518989"
    assert "Patient.identifier.value" in problems(wrong, strict)[0]
    corsican = {**CALL, "Patient.identifier.value": "188102B17295165"}
    assert read(corsican).ins.value == "188102B17295165"


@pytest.mark.parametrize(
    ("value", "consent"),
    [("oui", Consent.GIVEN), ("NON", Consent.REFUSED), ("Inconnu", Consent.UNKNOWN)],
)
def test_consent(value: str, consent: Consent) -> None:
    assert read({**CALL, "InformationEtConsentement": value}).consent is consent


@pytest.mark.parametrize(
    ("value", "consent"),
    [("non", Consent.GIVEN), ("oui", Consent.REFUSED), ("inconnu", Consent.UNKNOWN)],
)
def test_opposition_is_the_contrary_of_consent(value: str, consent: Consent) -> None:
    values = {key: text for key, text in CALL.items() if key != "InformationEtConsentement"}
    values["InformationEtOppositionConsultation"] = value
    assert read(values, OLDER).consent is consent


def test_search_criteria_of_2024_07() -> None:
    values = {key: text for key, text in CALL.items() if key != "InformationEtConsentement"}
    values |= {
        "InformationEtOppositionConsultation": "non",
        "Modality": "CT\\MR",
        "StudyDate": "20240101-20241231",
        "AnatomicRegion": "67734004",
        "StudyInstanceUID": "1.2.3",
        "AccessionNumber": "ACC",
        "AccessionNumberIssuer": "1.2.4",
    }
    search = read(values, OLDER).search
    assert search.modalities == ("CT", "MR")
    assert search.regions == ("67734004",)
    assert (search.date_from, search.date_to) == ("20240101", "20241231")
    assert (search.study_uid, search.accession) == ("1.2.3", "ACC")
    only = read({**values, "StudyDate": "20240301"}, OLDER).search
    assert (only.date_from, only.date_to) == ("20240301", "20240301")
    assert "StudyDate" in problems({**values, "StudyDate": "-"}, OLDER)[0]
    assert "StudyInstanceUID" in problems({**values, "StudyInstanceUID": "a"}, OLDER)[0]


def test_what_is_no_form_is_refused() -> None:
    with pytest.raises(CallRefused) as caught:
        READER.read("application/json", "", b"{}")
    assert caught.value.status == 415
    with pytest.raises(CallRefused) as caught:
        READER.read(FORM, "", b"a=" + b"x" * MAX_BODY)
    assert caught.value.status == 413
    with pytest.raises(CallRefused, match="URL"):
        READER.read(FORM, urlencode(CALL), b"")
    with pytest.raises(CallRefused, match="UTF-8"):
        READER.read(FORM, "", b"%ff=1")


@given(st.binary(max_size=400))
def test_hostile_bytes_are_only_refused(data: bytes) -> None:
    with pytest.raises(CallRefused):
        READER.read(FORM, "", data)


@given(st.dictionaries(st.sampled_from(sorted(CALL)), st.text(max_size=80), max_size=10))
def test_hostile_values_are_read_or_refused(changed: dict[str, str]) -> None:
    data = urlencode({**CALL, **changed}, errors="replace").encode()
    try:
        call = READER.read(FORM, "", data)
    except CallRefused:
        return
    assert call.ipp.isascii()
