"""TD0.2 messages: roundtrip, refusals, hostile bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from protocols.errors import RemoteProtocolError
from protocols.hl7v3 import (
    II,
    AckDetail,
    ExistenceAnswer,
    ExistenceTest,
    Hl7v3Error,
    Person,
    build_existence_answer,
    build_existence_test,
    parse_existence_answer,
    parse_existence_test,
)
from protocols.xml import parse, serialize

word = st.text(st.sampled_from("aZ9.é<&'-"), min_size=1, max_size=10)
maybe = st.one_of(st.just(""), word)
identifiers = st.builds(II, word, maybe)
flags = st.one_of(st.none(), st.booleans())


@given(
    st.builds(
        ExistenceTest, message_id=identifiers, creation_time=word, patient=identifiers,
        sender=word, query_id=identifiers, sender_name=maybe, receiver=word,
        receiver_name=maybe, reason=word,
    )
)  # fmt: skip
def test_requests_roundtrip(test: ExistenceTest) -> None:
    assert parse_existence_test(parse(serialize(build_existence_test(test)))) == test


@given(
    st.builds(
        ExistenceAnswer, message_id=identifiers, creation_time=word, target_message=identifiers,
        acknowledgement=word, details=st.lists(st.builds(AckDetail, word, maybe)).map(tuple),
        authorisation=maybe, treating_physician=flags, response_code=word,
        query_id=st.one_of(st.none(), identifiers),
        patient_ids=st.lists(identifiers, min_size=1, max_size=2).map(tuple), patient_status=word,
        person=st.one_of(
            st.none(),
            st.builds(Person, family=maybe, given=maybe, prefix=maybe, gender=maybe,
                      birth_time=maybe),
        ),
        internet_account=flags, ens=flags, sender=word, sender_name=maybe, receiver=word,
        receiver_name=maybe,
    )
)  # fmt: skip
def test_answers_roundtrip(answer: ExistenceAnswer) -> None:
    assert parse_existence_answer(parse(serialize(build_existence_answer(answer)))) == answer


REQUEST = ExistenceTest(
    message_id=II("1.2", "m"),
    creation_time="20260102030405",
    patient=II("1.2.250.1.213.1.4.10", "279035121518989"),
    sender="1.2.3",
    query_id=II("1.2", "q"),
)
ABSENT = ExistenceAnswer(
    message_id=II("1", "2"),
    creation_time="20260102030405",
    target_message=II("1.2", "m"),
    response_code="NF",
)


def test_a_patient_without_dmp_has_no_registration() -> None:
    answer = parse_existence_answer(build_existence_answer(ABSENT))
    assert answer == ABSENT
    assert answer.person is None
    assert answer.ens is None


@pytest.mark.parametrize("path", ["id", "controlActProcess", ".//{*}queryId", ".//{*}value"])
def test_requests_without_identifiers_are_refused(path: str) -> None:
    element = build_existence_test(REQUEST)
    found = element.find(path if path.startswith(".") else "{*}" + path)
    assert found is not None
    parent = found.getparent()
    assert parent is not None
    parent.remove(found)
    with pytest.raises(Hl7v3Error):
        parse_existence_test(element)


def test_other_elements_are_refused() -> None:
    with pytest.raises(Hl7v3Error, match="307"):
        parse_existence_test(etree.Element("x"))
    answer = build_existence_answer(ABSENT)
    acknowledgement = answer.find("{*}acknowledgement")
    assert acknowledgement is not None
    answer.remove(acknowledgement)
    with pytest.raises(Hl7v3Error, match="acknowledgement"):
        parse_existence_answer(answer)


@given(st.data())
def test_damaged_messages_only_raise_remote_errors(data: st.DataObject) -> None:
    elements = (build_existence_test(REQUEST), build_existence_answer(ABSENT))
    damaged = bytearray(serialize(data.draw(st.sampled_from(elements))))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(1, 12))] = data.draw(
            st.sampled_from([b"", b"x", b'="', b"/>"])
        )
    for parser in (parse_existence_test, parse_existence_answer):
        with contextlib.suppress(RemoteProtocolError):
            parser(parse(bytes(damaged)))
