"""MDM, OMI, acknowledgements of each, versions of the volet, frame and characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import mllp
from protocols.errors import RemoteProtocolError
from spec import hl7v2 as table
from validators.api import Context, Report, guess, validate
from validators.examples import hl7v2 as example
from validators.finding import Severity
from validators.hl7v2.framing import FaultKind, capture

FORMER = {"MSH": {21: tuple(table.FORMER_PROFILE.split("^"))}}


def fired(report: Report) -> set[str]:
    return {found.rule for found in report.findings}


@pytest.mark.parametrize("event", ["T02", "T04", "T10"])
def test_every_event_of_mdm_passes(event: str) -> None:
    data = example.mdm(event=event)
    assert guess(data) == "mdm"
    assert validate(data, context=Context(strict=True)).findings == ()


def test_an_mdm_with_an_identifier_and_its_extension() -> None:
    document = example.cda().replace(
        f'<id root="{example.DOCUMENT}"/>'.encode(),
        f'<id root="{example.DOCUMENT}" extension="CR-1"/>'.encode(),
    )
    number = ("CR-1", "", example.DOCUMENT, "ISO")
    assert fired(validate(example.mdm({"TXA": {12: number}}, document=document))) == {"MDM-077"}
    assert "MDM-074" in fired(validate(example.mdm(document=document)))


def test_a_replacement_that_names_another_parent() -> None:
    wrong = example.mdm({"TXA": {13: "1.2.3"}}, event="T10")
    assert fired(validate(wrong)) == {"MDM-075"}


def test_the_kind_is_read_in_the_message_type_alone() -> None:
    assert guess(example.mdm({"MSH": {3: "ORU"}})) == "mdm"
    assert guess(example.oru({"MSH": {9: ("ZAM", "Z01", "ZAM_Z01")}})) is None


def test_several_studies_in_one_notification() -> None:
    second = {1: "ACN901", 2: "RP", 3: f"{example.STUDY}.1", 4: "SPS", 5: "MR"}
    both = example.omi(tail=(("IPC", second),))
    case = Context(study_uid=f"{example.STUDY}.1", accession="ACN901")
    assert validate(both, context=case).verdict == "pass"


@pytest.mark.parametrize(
    ("request_bytes", "trigger", "version"),
    [
        (example.oru(), "R01", "2.5"),
        (example.mdm(event="T10"), "T10", "2.6"),
        (example.omi(), "O23", "2.5.1"),
    ],
)
def test_each_message_has_its_acknowledgement(
    request_bytes: bytes, trigger: str, version: str
) -> None:
    context = Context(request=request_bytes, control_id="EX000001")
    right = example.ack(edits={"MSH": {9: ("ACK", trigger, "ACK"), 12: version}})
    assert validate(right, context=context).findings == ()
    other = example.ack(edits={"MSH": {9: ("ACK", "T04", "ACK"), 12: "2.6"}})
    assert fired(validate(other, context=context)) == {"ACK-001"}


class TestVersion20:
    def test_it_is_tolerated_with_its_name(self) -> None:
        report = validate(example.oru(FORMER))
        assert (report.verdict, fired(report)) == ("warn", {"ORU-012"})

    def test_former_codes_count_as_the_new_ones(self) -> None:
        former = {new: old for old, new in table.FORMER_META.items()}
        codes = tuple(former.get(code, code) for code in table.META_DMP_MSS)
        report = validate(example.oru(FORMER, meta=codes))
        assert fired(report) == {"ORU-012", "ORU-085"}
        assert len(report.findings) == 4
        strict = validate(example.oru(FORMER, meta=codes), context=Context(strict=True))
        assert strict.verdict == "fail"

    def test_former_codes_do_not_pass_in_version_21(self) -> None:
        codes = (*table.META_DMP_MSS[:9], "ACK_LECTURE")
        assert fired(validate(example.oru(meta=codes))) == {"ORU-080", "ORU-081"}


class TestCharacters:
    def test_twice_encoded_labels(self) -> None:
        once = "CR d'imagerie médicale"
        twice = once.encode().decode("latin-1")
        data = example.oru().replace(once.encode(), twice.encode(), 1)
        (found,) = validate(data).findings
        assert (found.rule, found.where, found.severity) == ("ORU-093", "OBR[1]", Severity.WARNING)

    def test_utf8_announced_as_latin(self) -> None:
        data = example.oru({"MSH": {18: "8859/15"}})
        assert "ORU-093" in fired(validate(data))

    def test_latin_announced_as_latin(self) -> None:
        assert validate(example.oru({"MSH": {18: "8859/15"}}, encoding="iso8859-15")).findings == ()


class TestFrame:
    def test_a_message_in_its_block_passes(self) -> None:
        assert validate(example.framed(example.mdm())).findings == ()

    def test_a_frame_is_judged_with_the_message(self) -> None:
        report = validate(example.framed(end=b""))
        (found,) = report.findings
        assert (found.rule, report.kind) == ("ORU-091", "oru")
        assert found.where.startswith("octets 0-")

    def test_a_capture_of_both_directions(self) -> None:
        data = example.framed() + example.framed(example.ack())
        assert guess(data) == "mllp"
        assert validate(data).findings == ()

    def test_what_lies_between_blocks_has_its_place(self) -> None:
        first = example.framed()
        report = validate(first + b"\r\n" + b"XYZ" + example.framed(example.ack()))
        (found,) = report.findings
        assert (found.rule, found.where) == (
            "MLLP-001",
            f"octets {len(first)}-{len(first) + 5}",
        )

    def test_unended_block_holds_what_came(self) -> None:
        cut = capture(b"\x0bMSH|1\x0bMSH|2\x1c\r")
        assert [block.data for block in cut.blocks] == [b"MSH|1", b"MSH|2"]
        assert [fault.kind for fault in cut.faults] == [FaultKind.RESTARTED]

    @settings(max_examples=200)
    @given(
        st.lists(
            st.binary(max_size=30).filter(lambda data: b"\x0b" not in data and b"\x1c" not in data),
            min_size=1,
            max_size=6,
        )
    )
    def test_what_the_protocol_frames_has_no_fault(self, messages: list[bytes]) -> None:
        found = capture(b"".join(mllp.frame(message) for message in messages))
        assert [block.data for block in found.blocks] == messages
        assert found.faults == ()

    @settings(max_examples=300)
    @given(st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\n", b"A", b"MSH|"]), max_size=40))
    def test_any_stream(self, pieces: list[bytes]) -> None:
        data = b"".join(pieces)
        try:
            found = capture(data)
        except RemoteProtocolError:
            assert b"\x0b" not in data
            return
        decoded = [event for event in mllp.Decoder().feed(data) if isinstance(event, bytes)]
        assert all(message in [block.data for block in found.blocks] for message in decoded)
        assert len(found.blocks) == data.count(b"\x0b")
