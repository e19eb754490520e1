"""The table of names is coherent and knows the fields that DRIM-M messages use."""

from __future__ import annotations

import pytest

from spec.hl7v2_names import COMPONENTS, FIELDS, SEGMENTS, component_name, field_name, segment_name


@pytest.mark.parametrize("segment", ["MSH", "PID", "PV1", "ORC", "OBR", "OBX", "PRT", "TXA", "MSA",
                                     "ERR", "EVN", "IPC"])  # fmt: skip
def test_every_segment_of_the_messages_has_fields(segment: str) -> None:
    assert segment_name(segment)
    assert FIELDS[segment]


def test_every_segment_with_fields_has_a_name() -> None:
    assert FIELDS.keys() <= SEGMENTS.keys()


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("PID", 3), "Patient Identifier List"),
        (("PID", 32), "Identity Reliability Code"),
        (("MSH", 18), "Character Set"),
        (("OBX", 11), "Observation Result Status"),
        (("PRT", 8), "Participation Organization"),
        (("TXA", 12), "Unique Document Number"),
        (("IPC", 3), "Study Instance UID"),
        (("ERR", 5), "Application Error Code"),
        (("ZZZ", 1), ""),
        (("PID", 99), ""),
    ],
)
def test_field_names(place: tuple[str, int], name: str) -> None:
    assert field_name(*place) == name


def test_component_names_follow_the_data_type() -> None:
    assert component_name("PID", 3, 5) == "Identifier Type Code"
    assert component_name("PID", 5, 7) == "Name Type Code"
    assert component_name("PRT", 5, 13) == "Identifier Type Code"
    assert component_name("PRT", 8, 10) == "Organization Identifier"
    assert component_name("MSH", 9, 2) == "Trigger Event"
    assert component_name("PID", 7, 1) == ""
    assert component_name("PID", 3, len(COMPONENTS["CX"]) + 1) == ""


def test_obx_5_is_typed_by_obx_2() -> None:
    assert component_name("OBX", 5, 5, value_type="ED") == "Data"
    assert component_name("OBX", 5, 3, value_type="CWE") == "Name of Coding System"
    assert component_name("OBX", 5, 1, value_type="ST") == ""
