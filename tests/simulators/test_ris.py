"""The RIS: what its reports, messages and contextual calls say, and how it is answered."""

from __future__ import annotations

import asyncio
import itertools
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qsl

import pybase64
import pytest
import zxingcpp
from PIL import Image

from protocols import cda, hl7v2
from protocols.mllp import frame
from simulators.ris.contextual_call import body, parameters
from simulators.ris.messages import Header, Options, Steering, oru
from simulators.ris.pdf import qr
from simulators.ris.people import (
    Coded,
    Identifier,
    Patient,
    Professional,
    Structure,
    ins_of,
    nir_key,
)
from simulators.ris.report import CCAM, CIM10, DCM, LOINC, SNOMED_CT, Exam, Order, Report
from simulators.ris.service import Ack, Ris, label
from simulators.ris.subject import Subject
from spec.hl7v2 import MDM_EVENTS
from spec.oids import INS_NIR_TEST
from wire.exchange import Exchange, Outcome
from wire.mllp import MllpTimeout, PeerInfo, serve_mllp

SAMPLES = Path(__file__).parents[3] / "shared/reference/ans-demonstrator-samples/CDA"
NOW = datetime(2026, 11, 22, 10, 15, tzinfo=timezone(timedelta(hours=1)))

ORDER = Order(
    placer=Identifier("OPN1", "1.2.3.6", "LPS"), accession=Identifier("ACN1", "1.2.3.5", "RIS")
)
SECOND_ORDER = Order(
    placer=Identifier("OPN2", "1.2.3.6", "LPS"), accession=Identifier("ACN2", "1.2.3.5", "RIS")
)


@pytest.fixture(scope="module")
def report() -> Report:
    head = Exam(
        study_uid="2.25.101",
        order=ORDER,
        act=Coded("24727-0", "CT Head W contrast IV", LOINC),
        ccam=Coded("ACQH004", "Scanographie du crâne", CCAM),
        modality=Coded("CT", "Tomodensitométrie", DCM),
        regions=(Coded("774007", "tête et cou", SNOMED_CT),),
        started=NOW - timedelta(hours=1),
        ended=NOW - timedelta(minutes=30),
    )
    return Report(
        id="2.25.1",
        set_id="2.25.2",
        created=NOW,
        patient=Patient(
            family="KIT-ALBAREDE",
            given="ADÈLE",
            givens="ADÈLE FLORE",
            used_family="KIT-VALMONT",
            birth_date="19790328",
            sex="F",
            birthplace_code="51215",
            birthplace_city="DOMMARTIN",
            ins=ins_of("2790351215189"),
            ipp=Identifier("IPP1", "1.2.3.4", "KIT-RIS"),
        ),
        author=Professional(id="899700367909", family="KIT-DOCTEUR", given="ANNE", prefix="MME"),
        structure=Structure(id="1630013605", name="KIT CENTRE & IMAGERIE"),
        exams=(
            head,
            replace(head, study_uid="2.25.102", order=SECOND_ORDER),
            Exam(act=Coded("Z13.9", "Examen spécial de dépistage", CIM10)),
        ),
    )


@pytest.fixture(scope="module")
def document(report: Report) -> bytes:
    return report.document()


def header(**changes: str) -> Header:
    return replace(Header(control_id="M1", moment=NOW), **changes)


class TestIdentity:
    @pytest.mark.parametrize(
        "matricule", ["279035121518989", "188102B17295165", "148115530271002", "211066322074514"]
    )
    def test_keys_of_the_test_patients(self, matricule: str) -> None:
        assert nir_key(matricule[:13]) == matricule[13:]

    def test_ins_is_of_the_test_authority(self) -> None:
        assert ins_of("2790351215189") == Identifier("279035121518989", INS_NIR_TEST)

    @pytest.mark.parametrize("number", ["", "279035121518", "27903512151AB", "²790351215189"])
    def test_not_a_nir(self, number: str) -> None:
        with pytest.raises(ValueError, match="NIR"):
            nir_key(number)


class TestReport:
    def test_header(self, document: bytes) -> None:
        read = cda.parse(document)
        assert read.id == cda.Id("2.25.1")
        assert read.set_id == cda.Id("2.25.2")
        assert read.effective_time == "20261122101500+0100"
        assert [order.accession_numbers for order in read.orders] == [
            (cda.Id("1.2.3.5", "ACN1"),),
            (cda.Id("1.2.3.5", "ACN2"),),
        ]
        assert [event.id for event in read.service_events] == [
            cda.Id("2.25.101"),
            cda.Id("2.25.102"),
            None,
        ]
        assert read.legal_authenticator is not None
        organization = read.legal_authenticator.organization
        assert organization is not None
        assert organization.ids == (cda.Id("1.2.250.1.71.4.2.2", "1630013605"),)
        assert read.encounter is not None
        assert read.encounter.facility_code is not None
        assert read.encounter.facility_code.code == "SA08"

    def test_act_translations(self, document: bytes) -> None:
        code = cda.parse(document).service_events[0].code
        assert code is not None
        assert [one.code for one in code.translations] == ["ACQH004", "CT", "774007"]
        assert [one.code for one in code.translated("121139")] == ["CT"]
        assert [one.code for one in code.translated("39111-0")] == ["774007"]

    def test_names_have_the_qualifiers_of_the_french_header(self, document: bytes) -> None:
        patient = cda.parse(document).patient
        assert patient is not None
        assert patient.values("family", "BR") == ("KIT-ALBAREDE",)
        assert patient.values("given", "BR") == ("ADÈLE",)
        assert patient.values("given") == ("ADÈLE FLORE",)
        assert patient.values("family", "CL") == ("KIT-VALMONT",)

    def test_replacement(self, report: Report) -> None:
        newer = replace(report, id="2.25.9", version=2, replaces="2.25.1")
        read = cda.parse(newer.document())
        assert read.version_number == "2"
        assert read.related_documents == (
            cda.RelatedDocument(type_code="RPLC", ids=(cda.Id("2.25.1"),)),
        )

    def test_same_report_same_bytes(self, report: Report, document: bytes) -> None:
        assert report.document() == document

    def test_pdf_claims_pdfa_1b_and_links_to_each_exam(self, report: Report) -> None:
        pdf = report.pdf()
        assert pdf.startswith(b"%PDF-1.4")
        assert b"<pdfaid:part>1</pdfaid:part>" in pdf
        assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
        assert len(report.links()) == 2
        assert {one.decode() for one in re.findall(rb"/URI\((.*?)\)", pdf)} == set(report.links())
        assert "studyUID=2.25.102&accessionNumber=ACN2&idCDA=2.25.1" in report.links()[1]

    def test_each_link_is_drawn_for_a_telephone(self, report: Report) -> None:
        assert report.pdf().count(b"/Subtype/Image") == len(report.links())
        for link in report.links():
            with Image.open(BytesIO(bytes(qr(link)))) as drawn:
                (read,) = zxingcpp.read_barcodes(drawn.convert("L"))
            assert read.text == link

    def test_markup_in_a_name_is_only_text(self, report: Report) -> None:
        hostile = replace(report, findings='#panic("x") $ \\ ] #include "/etc/passwd"')
        assert hostile.pdf().startswith(b"%PDF")


class TestMessage:
    @pytest.fixture(scope="class")
    @staticmethod
    def message(report: Report, document: bytes) -> hl7v2.Message:
        return hl7v2.parse(oru(document, Subject.of(report), header()))

    def test_structure(self, message: hl7v2.Message) -> None:
        names = [segment.name for segment in message.segments]
        assert names == ["MSH", "PID", "PV1", "ORC", "OBR", "OBX", "PRT", *["OBX"] * 10]
        assert not message.lf_ended

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("MSH-9", "ORU^R01^ORU_R01"),
            ("MSH-12", "2.5"),
            ("MSH-17", "FRA"),
            ("MSH-18", "UNICODE UTF-8"),
            ("MSH-21", "2.1^CISIS_CDA_HL7_V2"),
            ("PID-3[1].1", "279035121518989"),
            ("PID-3[1].4.2", INS_NIR_TEST),
            ("PID-3[1].5", "INS"),
            ("PID-3[2]", "IPP1^^^KIT-RIS&1.2.3.4&ISO^PI"),
            ("PID-5[1]", "KIT-ALBAREDE^ADÈLE^ADÈLE FLORE^^^^L"),
            ("PID-5[2].1", "KIT-VALMONT"),
            ("PID-11[1].9", "51215"),
            ("PID-32", "VALI"),
            ("PV1-2", "O"),
            ("PV1-19.5", "VN"),
            ("ORC-1", "NW"),
            ("OBR-4", "18748-4^CR d'imagerie médicale^LN"),
            ("OBX-2", "ED"),
            ("OBX-11", "F"),
            ("PRT-4", "SB^Send by^participation"),
            ("PRT-5.9.2", "1.2.250.1.71.4.2.1"),
            ("PRT-5.13", "IDNPS"),
            ("PRT-8.1", "KIT CENTRE & IMAGERIE"),
            ("PRT-8.7", "IDNST"),
            ("PRT-8.10", "1630013605"),
            ("OBX[7]-3.1", "DESTDMP"),
            ("OBX[7]-5", "Y^^expandedYes-NoIndicator"),
            ("OBX[11]-3.1", "ACK_LECTURE_MSS"),
        ],
    )
    def test_field(self, message: hl7v2.Message, path: str, value: str) -> None:
        assert message.value(path) == value

    def test_the_document_travels_unchanged(self, message: hl7v2.Message, document: bytes) -> None:
        assert pybase64.b64decode(message.value("OBX-5.5"), validate=True) == document
        assert message.value("OBX-5.4") == "Base64"

    def test_options(self, report: Report, document: bytes) -> None:
        options = Options(
            identity_status=None,
            with_ins=False,
            ipp=Identifier("OTHER", "9.9"),
            order_control="CA",
            result_status="D",
            steering=Steering(masque_ps=True, destdmp=False),
        )
        message = hl7v2.parse(oru(document, Subject.of(report), header(), options))
        assert message.value("PID-32") == ""
        assert message.value("PID-3") == "OTHER^^^&9.9&ISO^PI"
        assert (message.value("ORC-1"), message.value("OBX-11")) == ("CA", "D")
        assert message.value("OBX[2]-5.1") == "Y"
        assert message.value("OBX[7]-5.1") == "N"

    def test_bytes_follow_the_character_set(self, report: Report, document: bytes) -> None:
        data = oru(document, Subject.of(report), header(character_set="8859/15"))
        assert "ADÈLE".encode("iso8859-15") in data
        assert hl7v2.parse(data).value("PID-5.2") == "ADÈLE"

    def test_a_report_that_we_did_not_write(self, report: Report, document: bytes) -> None:
        read, own = Subject.read(document), Subject.of(report)
        assert read.patient.ins == own.patient.ins
        assert read.patient.ipp is not None
        assert (read.patient.ipp.value, read.patient.ipp.oid) == ("IPP1", "1.2.3.4")
        assert read.patient.givens == "ADÈLE FLORE"
        assert (read.professional.id, read.structure.id) == ("899700367909", "1630013605")

    @pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/reference absent de cette machine")
    def test_the_official_sample_can_be_sent(self) -> None:
        (path,) = sorted(SAMPLES.glob("*.xml"))
        document = path.read_bytes()
        subject = Subject.read(document)
        assert subject.patient.ins == Identifier("279035121518989", INS_NIR_TEST)
        assert subject.patient.given == "DOMINIQUE"
        assert subject.structure.id == "101235555"
        message = hl7v2.parse(oru(document, subject, header()))
        assert message.value("PID-3[2].1") == "1234567890121"
        assert message.value("PRT-8.7") == "FINEG"
        assert pybase64.b64decode(message.value("OBX-5.5")) == document

    def test_no_patient(self) -> None:
        with pytest.raises(ValueError, match="patient"):
            Subject.read(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>')


class TestSending:
    @pytest.fixture
    @staticmethod
    def seen() -> list[Exchange]:
        return []

    @pytest.fixture
    @staticmethod
    def ris(seen: list[Exchange]) -> Ris:
        numbers = itertools.count(1)
        return Ris(observe=seen.append, clock=lambda: NOW, ids=lambda: f"RIS{next(numbers):06d}")

    def test_accepted(self, ris: Ris, seen: list[Exchange], report: Report) -> None:
        async def box(message: bytes, peer: PeerInfo) -> bytes:
            asked = hl7v2.parse(message)
            header = hl7v2.segment("MSH", {9: ("ACK", "R01", "ACK"), 10: "B1", 12: "2.5"})
            return hl7v2.build([header, ["MSA", "AA", asked.value("MSH-10")]])

        async def scenario() -> Ack:
            server = await serve_mllp(box, actor="source", observe=lambda exchange: None)
            try:
                return await ris.send(ris.message(report), (server.host, server.port), timeout=5)
            finally:
                await server.stop()

        ack = asyncio.run(scenario())
        assert ack.accepted
        assert ack.control_id == "RIS000001"
        (exchange,) = seen
        assert exchange.transaction == "ORU^R01"
        assert exchange.keys == ("RIS000001",)
        assert exchange.outcome is Outcome.ANSWERED

    @pytest.mark.parametrize(("event", "control"), MDM_EVENTS.items())
    def test_in_an_mdm(self, ris: Ris, report: Report, event: str, control: str) -> None:
        version = replace(report, version=2, replaces="1.2.3")
        message = hl7v2.parse(ris.message(version, event=event))
        assert (message.value("MSH-9.2"), message.value("ORC-1")) == (event, control)
        assert message.value("TXA-12") == report.id
        # Only a replacement names what it replaces.
        assert message.value("TXA-13") == ("1.2.3" if event == "T10" else "")

    def test_refused_with_errors(self) -> None:
        ack = Ack.read(
            b"MSH|^~\\&|||||||ACK^R01^ACK|1\rMSA|AE|M1|non\r"
            b"ERR||MSH^1^12|203^Unsupported version id^HL70357|E|906^autre\r"
        )
        assert not ack.accepted
        (error,) = ack.errors
        assert (error.condition, error.severity, error.application) == ("203", "E", "906")
        assert error.location == "MSH^1^12"

    def test_silence(self, ris: Ris, seen: list[Exchange], report: Report) -> None:
        async def mute(message: bytes, peer: PeerInfo) -> None:
            return None

        async def scenario() -> None:
            server = await serve_mllp(mute, actor="source", observe=lambda exchange: None)
            try:
                with pytest.raises(MllpTimeout):
                    await ris.send(ris.message(report), (server.host, server.port), timeout=0.1)
            finally:
                await server.stop()

        asyncio.run(scenario())
        assert [exchange.outcome for exchange in seen] == [Outcome.TIMED_OUT]
        assert seen[0].transaction == "ORU^R01"

    def test_what_is_not_hl7_has_no_name(self, ris: Ris, seen: list[Exchange]) -> None:
        async def chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\x1c\r")
            writer.write(frame(b"hello"))
            await reader.read()
            writer.close()

        async def scenario() -> None:
            server = await asyncio.start_server(chatty, "127.0.0.1", 0)
            async with server:
                with pytest.raises(hl7v2.Hl7SyntaxError):
                    await ris.send(b"not HL7", server.sockets[0].getsockname(), timeout=5)

        asyncio.run(scenario())
        assert seen[0].transaction == ""
        assert label(seen[0]) is seen[0]

    def test_wrapping_keeps_every_byte(self, ris: Ris, document: bytes) -> None:
        foreign = document.replace(b"<title>", b"<!-- autre -->\n<title>")
        message = hl7v2.parse(ris.wrap(foreign))
        assert pybase64.b64decode(message.value("OBX-5.5")) == foreign
        assert message.value("MSH-10") == "RIS000001"


class TestContextualCall:
    def test_2024_12(self, report: Report) -> None:
        values = dict(parameters(report.patient, situation="1630013605"))
        assert values == {
            "Patient.identifier.value": "279035121518989",
            "Patient.identifier.system": INS_NIR_TEST,
            "Patient.name.family": "KIT-ALBAREDE",
            "Patient.name.given": "ADÈLE",
            "Patient.gender": "F",
            "Patient.birthDate": "19790328",
            "Address.district": "51215",
            "InformationEtConsentement": "oui",
            "PatientID": "IPP1",
            "PatientIDIssuer": "KIT-RIS&1.2.3.4&ISO",
            "Situation": "1630013605",
        }

    def test_2024_07_knows_a_search(self, report: Report) -> None:
        values = dict(
            parameters(report.patient, dialect="2024-07", search=[("Modality", "CT")], issuer="X")
        )
        assert values["InformationEtOppositionConsultation"] == "non"
        assert "InformationEtConsentement" not in values
        assert (values["Modality"], values["PatientIDIssuer"]) == ("CT", "X")

    def test_body_is_urlencoded(self, report: Report) -> None:
        values = parameters(report.patient, information="")
        written = body(values)
        assert b"Patient.name.given=AD%C3%88LE" in written
        assert parse_qsl(written.decode(), keep_blank_values=True) == list(values)
