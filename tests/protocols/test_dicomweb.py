"""DICOMweb negotiation: what clients write, what servers answer."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.dicomweb import (
    DicomWebSyntaxError,
    Preference,
    Resource,
    format_accept,
    format_path,
    parse_accept,
    parse_media_type,
    parse_path,
    part_headers,
    ranked,
    response_content_type,
)
from protocols.errors import LocalProtocolError, RemoteProtocolError
from spec.wado import LOSSLESS_PROFILE, LOSSY_PROFILE

JPEG_LS = "1.2.840.10008.1.2.4.80"
EXPLICIT = "1.2.840.10008.1.2.1"


def test_sample_form_one_line_trailing_comma_and_boundary() -> None:
    line = (
        f'multipart/related; type="application/dicom";transfer-syntax={JPEG_LS};q=0.8;boundary=**,'
        f'multipart/related; type="application/dicom";transfer-syntax={EXPLICIT};q=0.4;boundary=**,'
    )
    assert parse_accept([line]) == (
        Preference(JPEG_LS, 0.8, boundary="**"),
        Preference(EXPLICIT, 0.4, boundary="**"),
    )


def test_several_lines_unquoted_type_and_missing_q() -> None:
    preferences = parse_accept(
        [
            f"multipart/related;type=application/dicom;transfer-syntax={EXPLICIT};q=0.5",
            f'MULTIPART/Related; Type="application/dicom"; transfer-syntax="{JPEG_LS}"',
            'multipart/related; type="application/dicom"; transfer-syntax=*; q=0',
        ]
    )
    assert [(p.transfer_syntax, p.q) for p in preferences] == [
        (EXPLICIT, 0.5),
        (JPEG_LS, 1.0),
        ("*", 0.0),
    ]
    assert preferences[1].q_written is None
    assert [p.transfer_syntax for p in ranked(preferences)] == [JPEG_LS, EXPLICIT]


@pytest.mark.parametrize(
    "line",
    [
        'multipart/related; type="application/dicom',
        "multipart/related; q=high",
        "multipart/related; q=1.5",
        "multipart/related; q=0.1234",
        "dicom",
        "multipart/related; transfer-syntax",
    ],
)
def test_unreadable_accept(line: str) -> None:
    with pytest.raises(DicomWebSyntaxError) as caught:
        parse_accept([line])
    assert caught.value.where in ("Accept", "")


@pytest.mark.parametrize("profile", [LOSSLESS_PROFILE, LOSSY_PROFILE])
def test_the_profiles_survive_both_header_forms(profile: tuple[tuple[str, float], ...]) -> None:
    values = format_accept(profile)
    assert len(values) == 10
    for lines in (values, [", ".join(values)]):
        assert tuple((p.transfer_syntax, p.q) for p in parse_accept(lines)) == profile


def test_ranking_keeps_the_order_written_among_equals() -> None:
    best = ranked(parse_accept(format_accept(LOSSLESS_PROFILE)))
    assert [p.transfer_syntax for p in best][:3] == [
        "1.2.840.10008.1.2.4.70",
        JPEG_LS,
        "1.2.840.10008.1.2.4.91",
    ]
    assert best[3].transfer_syntax == "1.2.840.10008.1.2.4.50"
    assert best[-1].transfer_syntax == EXPLICIT


def test_format_refuses_what_would_be_illegal() -> None:
    with pytest.raises(LocalProtocolError):
        format_accept([("not a uid", 0.5)])
    with pytest.raises(LocalProtocolError):
        format_accept([(EXPLICIT, 1.5)])
    with pytest.raises(LocalProtocolError):
        part_headers("*")
    with pytest.raises(LocalProtocolError):
        format_path("1.2", None, "1.3")


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/studies/1.2", Resource("1.2")),
        ("/rs/studies/1.2/series/1.3", Resource("1.2", "1.3", prefix="/rs")),
        (
            "/a/b/studies/1.2/series/1.3/instances/1.4",
            Resource("1.2", "1.3", "1.4", prefix="/a/b"),
        ),
        (
            "/studies/1.2/series/1.3/instances/1.4/frames/1,3",
            Resource("1.2", "1.3", "1.4", (1, 3)),
        ),
        ("/studies/1.2/series/1.3/metadata", Resource("1.2", "1.3", suffix="metadata")),
    ],
)
def test_paths(path: str, resource: Resource) -> None:
    assert parse_path(path) == resource


@pytest.mark.parametrize(
    "path",
    [
        "/studies",
        "/studies/",
        "/studies/1.02",
        "/studies/1.2/series/abc",
        "/studies/1.2/instances/1.3",
        "/studies/1.2/series/1.3/instances/1.4/frames/0x1",
        "/series/1.2",
        "/studies/" + "1." * 40 + "1",
    ],
)
def test_illegal_paths(path: str) -> None:
    with pytest.raises(DicomWebSyntaxError):
        parse_path(path)


def test_levels() -> None:
    assert parse_path("/studies/1.2").level == "study"
    assert parse_path("/studies/1.2/series/1.3").level == "series"
    assert parse_path(format_path("1.2", "1.3", "1.4", prefix="/rs/")).level == "instance"


def test_response_media_types() -> None:
    media = parse_media_type(response_content_type("b1", transfer_syntax=EXPLICIT))
    assert media.type == "multipart/related"
    assert media.get("type") == "application/dicom"
    assert media.get("boundary") == "b1"
    assert media.get("transfer-syntax") == EXPLICIT
    assert part_headers(JPEG_LS, length=12) == (
        ("Content-Type", f"application/dicom; transfer-syntax={JPEG_LS}"),
        ("Content-Length", "12"),
    )


@given(st.text(max_size=200))
def test_hostile_accept_never_raises_anything_else(text: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_accept([text])


@given(st.text(max_size=200).map("/studies/".__add__) | st.text(max_size=100))
def test_hostile_path_never_raises_anything_else(text: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse_path(text)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([JPEG_LS, EXPLICIT, "*"]),
            st.integers(0, 1000).map(lambda n: n / 1000),
        ),
        max_size=12,
    )
)
def test_accept_round_trip(preferences: list[tuple[str, float]]) -> None:
    parsed = parse_accept(format_accept(preferences))
    assert [(p.transfer_syntax, p.q) for p in parsed] == preferences
