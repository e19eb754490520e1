"""The HL7 v2 parser and builder: spans, tolerance, escapes, encodings, and hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import hl7v2
from protocols.errors import LocalProtocolError, RemoteProtocolError
from protocols.hl7v2_escape import escape, unescape
from tests.cost import costs

ORU = (
    "MSH|^~\\&|RIS|CLINIQUE|BOX|CLINIQUE|20261122101500+0100||ORU^R01^ORU_R01|M1|T|2.5|||||FRA"
    "|UNICODE UTF-8|||2.1^CISIS_CDA_HL7_V2\r"
    "PID|1||179^^^INS&1.2.250.1.213.1.4.10&ISO^INS~IPP1^^^RIS&1.2.3&ISO^PI||ÉTÉ^ANNE||19790328|F\r"
    "OBX|1|ED|18748-4^CR d'imagerie\\T\\co^LN||^TEXT^XML^Base64^QUJD||||||F\r"
    "PRT||UC||SB^Send by^participation\r"
    "OBX|2|CE|MASQUE_PS||N||||||F\r"
)


@pytest.fixture(scope="module")
def message() -> hl7v2.Message:
    return hl7v2.parse(ORU.encode())


class TestNavigation:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("MSH-1", "|"),
            ("MSH-2", "^~\\&"),
            ("MSH-2.1", "^~\\&"),
            ("MSH-9", "ORU^R01^ORU_R01"),
            ("MSH-9.2", "R01"),
            ("MSH-21.2", "CISIS_CDA_HL7_V2"),
            ("PID-3.1", "179"),
            ("PID-3[1].4.2", "1.2.250.1.213.1.4.10"),
            ("PID-3[2].5", "PI"),
            ("PID-3[2].4", "RIS&1.2.3&ISO"),
            ("PID-5.1", "ÉTÉ"),
            ("OBX-3.2", "CR d'imagerie&co"),
            ("OBX[2]-3.1", "MASQUE_PS"),
            ("OBX[1]-5.5", "QUJD"),
            ("OBX[3]-5", ""),
            ("PID-32", ""),
            ("PID-3[9].4.2", ""),
            ("ZZZ-1", ""),
        ],
    )
    def test_value(self, message: hl7v2.Message, path: str, value: str) -> None:
        assert message.value(path) == value

    def test_every_element_knows_its_bytes(self, message: hl7v2.Message) -> None:
        element = message.find("PID-5.1")
        assert element is not None
        start, end = element.span
        assert message.raw[start:end] == "ÉTÉ".encode()
        assert element.text == "ÉTÉ"

    def test_text_keeps_escapes(self, message: hl7v2.Message) -> None:
        element = message.find("OBX-3.2")
        assert element is not None
        assert element.text == "CR d'imagerie\\T\\co"

    def test_segments_in_order_with_index(self, message: hl7v2.Message) -> None:
        assert [segment.name for segment in message.segments] == ["MSH", "PID", "OBX", "PRT", "OBX"]
        assert [segment.index for segment in message.all("OBX")] == [2, 4]
        assert message.first("PV1") is None

    def test_fields_and_repetitions(self, message: hl7v2.Message) -> None:
        pid = message.first("PID")
        assert pid is not None
        assert len(pid.fields) == 8
        assert [rep.component(5).value for rep in pid.field(3).repetitions] == ["INS", "PI"]
        assert [sub.value for sub in pid.field(3).repetition(1).component(4).subcomponents] == [
            "INS",
            "1.2.250.1.213.1.4.10",
            "ISO",
        ]
        assert pid.field(2).repetitions == ()
        assert len(message.segments[0].fields) == 21

    @pytest.mark.parametrize("path", ["PID", "PID-0", "pid-3", "PID-3[0]", "PID-3.1.2.3", ""])
    def test_a_wrong_path_is_our_fault(self, message: hl7v2.Message, path: str) -> None:
        with pytest.raises(LocalProtocolError):
            message.value(path)


class TestTolerance:
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_line_feeds_end_segments(self, end: str) -> None:
        parsed = hl7v2.parse(ORU.replace("\r", end).encode())
        assert parsed.lf_ended
        assert len(parsed.segments) == 5
        assert parsed.value("OBX[2]-11") == "F"

    def test_carriage_returns_are_not_reported(self, message: hl7v2.Message) -> None:
        assert not message.lf_ended

    def test_mark_and_blank_lines_before_msh(self) -> None:
        parsed = hl7v2.parse(b"\xef\xbb\xbf\r\n\n" + ORU.encode())
        assert parsed.value("MSH-10") == "M1"
        assert parsed.segments[0].start == 6

    def test_last_segment_without_end(self) -> None:
        assert len(hl7v2.parse(ORU.rstrip().encode()).segments) == 5

    def test_other_delimiters(self) -> None:
        parsed = hl7v2.parse(b"MSH#*!?+#A*B!C+D#?S??F?")
        assert parsed.value("MSH-3[1].2") == "B"
        assert parsed.value("MSH-3[2].1.2") == "D"
        assert parsed.value("MSH-4") == "*#"

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\r\n",
            b"PID|1\rMSH|^~\\&|",
            b"MSH",
            b"MSHA^~\\&",
            b"MSH|^^\\&|",
            b"MSH||A",
            b"MSH|abcd|",
        ],
    )
    def test_without_a_usable_header_there_is_no_message(self, data: bytes) -> None:
        with pytest.raises(hl7v2.Hl7SyntaxError):
            hl7v2.parse(data)

    def test_a_flood_of_segments_is_refused(self) -> None:
        with pytest.raises(hl7v2.Hl7SyntaxError):
            hl7v2.parse(b"MSH|^~\\&\r" + b"A\r" * (hl7v2.MAX_SEGMENTS + 1))


class TestEncodings:
    def _message(self, declared: str, codec: str) -> hl7v2.Message:
        header = hl7v2.segment("MSH", {18: declared or None})
        return hl7v2.parse(hl7v2.build([header, ["PID", None, "Œuvré €"]], encoding=codec))

    @pytest.mark.parametrize(
        ("declared", "codec"),
        [("UNICODE UTF-8", "utf-8"), ("8859/15", "iso8859-15"), ("", "utf-8")],
    )
    def test_msh18_chooses(self, declared: str, codec: str) -> None:
        parsed = self._message(declared, codec)
        assert parsed.value("PID-2") == "Œuvré €"
        assert (parsed.declared_encoding, parsed.encoding) == (declared, codec)
        assert parsed.undecodable is None

    def test_without_msh18_and_not_utf8(self) -> None:
        parsed = hl7v2.parse("MSH|^~\\&\rPID||été".encode("latin-1"))
        assert parsed.encoding == "latin-1"
        assert parsed.value("PID-2") == "été"

    def test_bytes_that_contradict_msh18_are_located(self) -> None:
        parsed = self._message("UNICODE UTF-8", "iso8859-15")
        assert parsed.undecodable is not None
        start, end = parsed.undecodable
        assert parsed.raw[start:end] == "Œ".encode("iso8859-15")
        assert "\ufffd" in parsed.value("PID-2")


class TestEscapes:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
            ("l1\\.br\\l2", "l1\nl2"),
            ("\\XC3A9\\", "é"),
            ("\\XZZ\\ \\H\\gras\\N\\", "\\XZZ\\ \\H\\gras\\N\\"),
            ("seul\\", "seul\\"),
        ],
    )
    def test_known_sequences(self, text: str, value: str) -> None:
        assert unescape(text) == value

    @given(st.text(st.characters(codec="utf-8")))
    def test_roundtrip(self, text: str) -> None:
        written = escape(text)
        assert unescape(written) == text
        assert not set("|^~&\r\n") & set(written)


class TestBuild:
    def test_nesting(self) -> None:
        data = hl7v2.build(
            [
                hl7v2.segment("MSH", {9: ("ACK", "R01", "ACK"), 10: "1"}),
                ["MSA", "AA", "M|1"],
                ["PID", None, [("A", "B"), ("C", ("D", "E"))], hl7v2.Verbatim("x^y")],
            ]
        )
        assert data == (b"MSH|^~\\&|||||||ACK^R01^ACK|1\rMSA|AA|M\\F\\1\rPID||A^B~C^D&E|x^y\r")

    @pytest.mark.parametrize(
        "segments",
        [
            [],
            [["PID"]],
            [["MSH"]],
            [["MSH", None, "^~\\&"]],
            [["MSH", "|", "^^\\&"]],
            [["MSH", "|", "^~\\&"], ["pid"]],
            [["MSH", "|", "^~\\&"], []],
        ],
    )
    def test_misuse(self, segments: list[list[str]]) -> None:
        with pytest.raises(LocalProtocolError):
            hl7v2.build(segments)  # type: ignore[arg-type]

    def test_unwritable_character(self) -> None:
        with pytest.raises(LocalProtocolError):
            hl7v2.build([hl7v2.segment("MSH", {3: "漢"})], encoding="iso8859-15")

    @given(
        st.lists(
            st.lists(
                st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=3),
                min_size=1,
                max_size=3,
            ),
            min_size=1,
            max_size=4,
        )
    )
    def test_what_is_built_is_read(self, fields: list[list[list[str]]]) -> None:
        value = ["ZZZ", *([tuple(rep) for rep in field] for field in fields)]
        header = hl7v2.segment("MSH", {18: "UNICODE UTF-8"})
        parsed = hl7v2.parse(hl7v2.build([header, value]))  # type: ignore[list-item]
        segment = parsed.segments[1]
        for n, field in enumerate(fields, 1):
            for r, repetition in enumerate(field, 1):
                for c, component in enumerate(repetition, 1):
                    assert segment.field(n).repetition(r).component(c).value == component


@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda tail: b"MSH|^~\\&" + tail))
def test_hostile_bytes_raise_only_what_is_announced(data: bytes) -> None:
    try:
        parsed = hl7v2.parse(data)
    except RemoteProtocolError:
        return
    for segment in parsed.segments:
        for field in segment.fields:
            assert data[slice(*field.span)] == field.raw
            for repetition in field.repetitions:
                for component in repetition.components:
                    assert isinstance(component.value, str)


def test_half_a_megabyte_is_read_without_being_walked() -> None:
    payload = b"QUJD" * 125_000
    data = ORU.encode().replace(b"QUJD", payload)

    def walk() -> None:
        for _ in data:
            pass

    assert hl7v2.parse(data).value("OBX[2]-3.1") == "MASQUE_PS"
    read, walked = costs(lambda: hl7v2.parse(data), walk, rounds=10)
    assert read < walked / 4  # a fiftieth, when measured
