"""Messages to and from the DMP: every form they come in, and what a request says of an answer."""

from __future__ import annotations

import copy

import pytest

from protocols import xml
from protocols.ebrim import DocumentRequest, Parameter, RegistryError
from protocols.hl7v3 import II
from spec.dmp import REPOSITORY_OID
from spec.xds import ErrorCode, ResponseStatus
from validators import package
from validators.api import KINDS, Context, guess, validate
from validators.examples import dmp, kos, vihf, xds
from validators.examples.xds import edit, remove
from validators.finding import Severity

REQUESTS = ("iti-18", "iti-43", "iti-57", "td0.2")
TYPE_VALUE = "//rim:Slot[@name='$XDSDocumentEntryTypeCode']//rim:Value"
ANSWERS = ("iti-18-response", "iti-43-response", "td0.2-response")


def fired(data: bytes, kind: str | None = None, context: Context | None = None) -> set[str]:
    return {found.rule for found in validate(data, kind, context=context).findings}


def body_of(message: bytes) -> bytes:
    body = package.read(message).body
    assert body is not None
    alone = copy.deepcopy(body)
    alone.tail = None
    return xml.serialize(alone)


@pytest.mark.parametrize("kind", [*REQUESTS, *ANSWERS])
def test_a_body_without_envelope_is_judged(kind: str) -> None:
    body = body_of(KINDS[kind].rules.good())
    assert guess(body) == kind
    report = validate(body)
    # An ITI-43 answer alone has lost its attachment: the only thing to say.
    assert {found.rule for found in report.findings} <= {"ITI43-122"}


@pytest.mark.parametrize("kind", [*REQUESTS, "iti-18-response", "td0.2-response"])
def test_an_envelope_without_http_is_judged(kind: str) -> None:
    envelope = KINDS[kind].rules.good().partition(b"\r\n\r\n")[2]
    assert guess(envelope) == kind
    assert validate(envelope).verdict == "pass"


def test_the_search_of_a_reference_may_be_indirect() -> None:
    """TD3.1b is open to the source, TD3.1a is not."""
    assert fired(dmp.reference()) == set()
    found = {"ITI18-039"}
    assert fired(dmp.reference(return_type="LeafClass")) == found
    assert fired(dmp.query(assertion=vihf.vihf())) == found


def test_the_patient_may_be_named_by_the_vihf_alone() -> None:
    """RG_3010."""
    assert fired(dmp.query(wanted=dmp.parameters(patient=None))) == set()


def test_two_slots_of_codes_are_an_and() -> None:
    region = Parameter(
        "$XDSDocumentEntryEventCodeList", ("67734004^^1.2.250.1.213.1.1.5.695",), is_list=True
    )
    assert fired(dmp.query(wanted=dmp.parameters(region=region))) == set()


@pytest.mark.parametrize(
    "text",
    ["'ouvert", "ouvert'", "('a'", "'a')", "('a',)", "()", "'a' 'b'", "'l'eau'", "", "(a)"],
)
def test_broken_quoting_is_told(text: str) -> None:
    spoiled = dmp.query(
        edit("//rim:Slot[@name='$XDSDocumentEntryTypeCode']//rim:Value", value=text)
    )
    assert "ITI18-024" in fired(spoiled)


def test_an_apostrophe_is_doubled() -> None:
    spoiled = dmp.query(edit(TYPE_VALUE, value="('l''x^^1.2')"))
    assert fired(spoiled) == set()


def test_a_bound_may_stop_at_the_month() -> None:
    name = "$XDSDocumentEntryServiceStartTimeFrom"
    assert fired(dmp.query(wanted=dmp.parameters(since=Parameter(name, ("202411",))))) == set()
    assert fired(dmp.query(wanted=dmp.parameters(since=Parameter(name, ("202413",))))) == {
        "ITI18-034"
    }
    late = Parameter(name, ("20270101",))
    assert fired(dmp.query(wanted=dmp.parameters(since=late))) == {"ITI18-034"}


def test_a_vihf_of_another_patient_is_told_wherever_it_travels() -> None:
    other = vihf.air({"urn:oasis:names:tc:xacml:2.0:resource:resource-id": (OTHER,)})
    assert "ITI18-030" in fired(dmp.query(assertion=other))
    assert "TD02-029" in fired(dmp.existence(assertion=other))
    assert "VIHF-022" in fired(dmp.update(assertion=other))


OTHER = "162018885045327^^^&1.2.250.1.213.1.4.10&ISO^NH"


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_vihf_changed_after_signature_is_told_in_every_request(kind: str) -> None:
    good = KINDS[kind].rules.good()
    assert "VIHF-008" in fired(good.replace(b"CLAIRE EXEMPLE", b"CLAIRE AUTREMT"), kind)


def test_an_answer_is_judged_with_its_request() -> None:
    context = Context(request=dmp.query())
    assert fired(dmp.query_answer(), context=context) == set()
    other = Context(request=dmp.reference())
    assert fired(dmp.query_answer(), context=other) == {"ITI18-127"}
    document = Context(request=dmp.retrieve(None, DocumentRequest(REPOSITORY_OID, "1.2.3")))
    assert fired(dmp.retrieve_answer(), context=document) == {"ITI43-124"}
    test = Context(request=dmp.existence(patient=II("1.2.250.1.213.1.4.10", "162018885045327")))
    assert fired(dmp.existence_answer(), context=test) == {"TD02-129"}


def test_an_unreadable_request_hides_nothing_of_the_answer() -> None:
    assert fired(dmp.query_answer(), context=Context(request=b"\x00")) == set()


def test_no_document_is_a_success() -> None:
    """TD3.1b: the DMP does not know the manifest."""
    assert fired(dmp.query_answer(refs=[])) == set()


def test_a_failure_is_a_good_answer() -> None:
    errors = [RegistryError(code=ErrorCode.UNKNOWN_STORED_QUERY, context="?")]
    failed = dmp.query_answer(status=ResponseStatus.FAILURE, errors=errors)
    assert validate(failed).verdict == "pass"


def test_a_fault_is_recognised() -> None:
    assert guess(dmp.fault()) == "soap-fault"
    assert validate(dmp.fault()).verdict == "pass"


def test_the_manifest_of_an_answer_is_judged() -> None:
    stranger = kos.kos(sop_instance=f"{kos.UID}.9")
    assert fired(dmp.retrieve_answer(document=stranger)) == {"ITI43-125"}
    assert fired(dmp.retrieve_answer(document=b"rien")) == {"ITI43-125"}


def test_metadata_of_an_entry_obey_the_rules_of_publication() -> None:
    """One text, one rule, whatever carries it."""
    bad = xds.iti41(entry={"unique_id": "urn:oid:1.2.250.1.999.1", "language_code": "fr"})
    assert {"XDS-053", "XDS-068"} <= fired(bad)
    assert {"XDS-053", "XDS-068"} <= fired(dmp.query_answer(message=bad))


@pytest.mark.parametrize("kind", [*REQUESTS, *ANSWERS, "registry-response"])
def test_another_message_is_one_finding(kind: str) -> None:
    report = validate(dmp.fault(), kind)
    assert [found.severity for found in report.findings] == [Severity.ERROR]
    assert report.findings[0].rule == KINDS[kind].rules.syntax.id


def test_an_empty_body_is_one_finding() -> None:
    report = validate(dmp.query(remove("//query:AdhocQueryRequest")), "iti-18")
    assert [found.rule for found in report.findings] == ["ITI18-000"]
