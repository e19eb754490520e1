"""A report that reaches somebody, and the link that is read in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from io import BytesIO
from uuid import UUID
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import ebrim, xml
from protocols.ebrim import Code, DocumentEntry
from protocols.errors import RemoteProtocolError
from simulators.correspondent import Mail, Mailbox, links_of, readable
from simulators.dmp import Stored
from simulators.ris.depositing import entry_of
from simulators.ris.mailing import compose
from simulators.ris.people import Coded, Identifier, Patient, Professional, Structure, ins_of
from simulators.ris.report import DCM, LOINC, Exam, Order, Report
from spec.dmp import MASKING_SCHEME, Masking
from spec.xds import Status

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ADDRESS = "correspondant@kit.mssante.invalid"
REPORT = Report(
    id="2.25.1",
    set_id="2.25.2",
    created=NOW,
    patient=Patient(
        family="KIT-ALBARÈDE", given="ADELE", givens="ADELE", birth_date="19790328", sex="F",
        ins=ins_of("2790351215189"), ipp=Identifier("IPP1", "1.2.3.4", "KIT-RIS"),
    ),
    author=Professional(id="899700367909", family="KIT-DOCTEUR", given="ANNE"),
    structure=Structure(id="1630013605", name="KIT CENTRE"),
    exams=tuple(
        Exam(
            study_uid=f"2.25.10{number}",
            order=Order(
                placer=Identifier(f"OPN{number}", "1.2.3.6", "LPS"),
                accession=Identifier(f"ACN{number}", "1.2.3.5", "RIS"),
            ),
            act=Coded("24727-0", "CT Head W contrast IV", LOINC),
            modality=Coded("CT", "Tomodensitométrie", DCM),
        )
        for number in (1, 2)
    ),
)  # fmt: skip


def mail(report: Report = REPORT) -> bytes:
    return compose(
        report, sender="radiologie@kit.mssante.invalid", recipient=ADDRESS, installation="1.2.3",
        uuid=lambda: UUID(int=7),
    )  # fmt: skip


WHOLE = mail()


def test_the_mail_is_written_as_the_text_asks() -> None:
    read = message_from_bytes(mail(), policy=SMTP)
    assert read["Subject"] == "XDM/1.0/DDM+CR d'imagerie médicale KIT-ALBAREDE ADELE 28/03/1979"
    assert (read["X-MSS-INS"], read["X-MSS-CODECDA"]) == ("O", "18748-4")
    archive, page = read.iter_attachments()
    assert page.get_content() == REPORT.pdf()
    with ZipFile(BytesIO(archive.get_content())) as packed:
        assert packed.testzip() is None
        submitted = ebrim.parse_submit(xml.parse(packed.read("IHE_XDM/SUBSET01/METADATA.XML")))
    (entry,) = submitted.entries
    assert entry.patient_id.startswith("279035121518989^")
    assert entry.uri == ("CR000001.XML",)


def test_who_opens_it_finds_each_exam() -> None:
    mailbox = Mailbox(ADDRESS)
    mailbox.deliver(mail())
    (document,) = mailbox.mails[0].documents()
    assert document == REPORT.document()
    assert links_of(document) == REPORT.links()
    with pytest.raises(ValueError, match="n'est pas pour"):
        Mailbox("quelqu-un@kit.mssante.invalid").deliver(mail())


def test_a_report_that_cannot_be_read_says_why() -> None:
    with pytest.raises(RemoteProtocolError):
        links_of(b"<ClinicalDocument/>")
    with pytest.raises(RemoteProtocolError, match="pas de pièce jointe"):
        Mail(b"To: a@b\r\n\r\nrien\r\n").documents()


@given(st.binary(max_size=400) | st.integers(0, 4000).map(lambda cut: WHOLE[:cut]))
def test_any_mail_is_read_or_refused(data: bytes) -> None:
    try:
        documents = Mail(data).documents()
    except RemoteProtocolError:
        return
    assert documents == (REPORT.document(),)


def stored(**changes: object) -> Stored:
    entry: DocumentEntry = replace(entry_of(REPORT, REPORT.document()), status=Status.APPROVED)
    return Stored(replace(entry, **changes), b"")  # type: ignore[arg-type]


def test_a_patient_reads_what_is_in_force_and_not_hidden_from_him() -> None:
    shown = stored()
    hidden = Code(Masking.PATIENT.value, MASKING_SCHEME, "")
    others = Code(Masking.PROFESSIONALS.value, MASKING_SCHEME, "")
    assert readable([shown, stored(confidentiality_codes=(hidden,))]) == (shown,)
    assert readable([stored(status=Status.DEPRECATED)]) == ()
    assert readable([stored(type_code=Code("55113-5", LOINC, ""))]) == ()
    masked = stored(confidentiality_codes=(others,))
    assert readable([masked]) == (masked,), "it is hidden from others"
