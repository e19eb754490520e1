"""A Case is fresh, reproducible, and its INS is a legal test matricule."""

from hypothesis import given
from hypothesis import strategies as st

from bench.cases import mint, mint_other


@given(st.integers(0, 2**32 - 1), st.sampled_from(["SCN-A", "SCN-B"]))
def test_same_seed_same_case(seed: int, scenario: str) -> None:
    one, two = mint(scenario, seed), mint(scenario, seed)
    assert one.public() == two.public()
    assert one.uid("examen") == two.uid("examen")


@given(st.integers(0, 2**32 - 1))
def test_matricule_has_fifteen_characters_and_its_key(seed: int) -> None:
    patient = mint("SCN-A", seed).patient
    assert len(patient.ins) == 15
    assert (97 - int(patient.ins[:13]) % 97) == int(patient.ins[13:])
    assert patient.ins[0] == {"M": "1", "F": "2"}[patient.sex]


def test_two_scenarios_share_nothing() -> None:
    one, two = mint("SCN-A", 1), mint("SCN-B", 1)
    assert not set(one.identifiers.values()) & set(two.identifiers.values())


def test_uid_is_a_legal_dicom_uid() -> None:
    case = mint("SCN-A", 7)
    uid = case.uid("examen 1")
    assert len(uid) <= 64
    assert uid == case.uid("examen 1") != case.uid("examen 2")
    assert all(arc == "0" or not arc.startswith("0") for arc in uid.split("."))


def test_number_fits_a_dicom_short_string() -> None:
    assert len(mint("SCN-A", 7).number("numéro d'accession", "ACN")) == 16


@given(st.integers(0, 2**32 - 1))
def test_another_patient_of_the_scenario_has_neither_name(seed: int) -> None:
    first = mint("SCN-KIT-01", seed)
    other = mint_other(first)
    assert other.patient.family not in first.patient.family
    assert first.patient.family not in other.patient.family
    assert other.patient.given != first.patient.given
    assert other.root != first.root
    assert mint_other(mint("SCN-KIT-01", seed)).patient == other.patient
