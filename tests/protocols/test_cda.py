"""CDA imaging reports: what is read, what is written, and hostile documents."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols import cda, xml
from protocols.cda import (
    Body,
    Code,
    Encounter,
    Id,
    ImagingReport,
    NamePart,
    Order,
    Organization,
    Patient,
    PersonName,
    Professional,
    RelatedDocument,
    ServiceEvent,
)
from protocols.errors import LocalProtocolError, RemoteProtocolError
from tests.cost import growth

SAMPLES = Path(__file__).parents[3] / "shared/reference/ans-demonstrator-samples/CDA"

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8).filter(
    lambda text: text == text.strip() and not set(text) & {"\ufffe", "\uffff"}
)
optional = st.none() | texts
ids = st.builds(Id, optional, optional, st.none())
leaf_codes = st.builds(Code, code=optional, system=optional, display=optional, system_name=optional)
translations = st.builds(Code, code=optional, system=optional, qualifier=st.none() | leaf_codes)
codes = st.builds(
    Code,
    code=optional,
    system=optional,
    display=optional,
    translations=st.lists(translations, max_size=3).map(tuple),
)


def many(one: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(one, max_size=2).map(tuple)


parts = st.builds(
    NamePart, st.sampled_from(["family", "given", "prefix", "suffix"]), texts, optional
)
names = st.builds(PersonName, many(parts), optional)
organizations = st.builds(
    Organization, ids=many(ids), name=optional, industry=st.none() | leaf_codes
)
professionals = st.builds(
    Professional,
    ids=many(ids),
    code=st.none() | leaf_codes,
    name=st.none() | names,
    organization=st.none() | organizations,
    time=optional,
)
patients = st.builds(
    Patient,
    ids=many(ids),
    names=many(names),
    birth_time=optional,
    sex=st.none() | leaf_codes,
    birthplace_county=optional,
    birthplace_city=optional,
)
events = st.builds(
    ServiceEvent,
    ids=many(ids),
    code=st.none() | codes,
    low=optional,
    high=optional,
    performers=many(professionals),
)
bodies = st.builds(
    Body, media_type=optional, representation=st.just("B64"), data=st.binary(max_size=30)
)
reports = st.builds(
    ImagingReport,
    realm=optional,
    template_ids=many(ids),
    id=st.none() | ids,
    code=st.none() | codes,
    title=optional,
    effective_time=optional,
    language=optional,
    set_id=st.none() | ids,
    version_number=optional,
    patients=many(patients),
    authors=many(professionals),
    custodian=st.none() | organizations,
    legal_authenticators=many(professionals),
    orders=many(st.builds(Order, ids=many(ids), accession_numbers=many(ids))),
    service_events=many(events),
    related_documents=many(
        st.builds(RelatedDocument, type_code=optional, ids=many(ids), version_number=optional)
    ),
    encounter=st.none() | st.builds(Encounter, code=st.none() | leaf_codes, low=optional),
    body=st.none() | bodies,
)


@settings(max_examples=60)
@given(reports)
def test_what_is_written_is_read(report: ImagingReport) -> None:
    assert cda.parse(cda.build(report)) == report


class TestParse:
    DOCUMENT = """<?xml version="1.0" encoding="ISO-8859-15"?>
    <?xml-stylesheet href="autre.xsl"?>
    <c:ClinicalDocument xmlns:c="urn:hl7-org:v3" xmlns:dcm="urn:dicom-org:ps3-20">
      <c:id root="1.2.3"/><c:id root="4.5.6"/>
      <c:title>Échographie <!-- un commentaire --> du foie</c:title>
      <c:recordTarget><c:patientRole>
        <c:id root="9.9" extension="B"/><c:id nullFlavor="NI"/>
        <c:patient><c:name><!-- vide -->Anne <c:family>ÉTÉ</c:family></c:name></c:patient>
      </c:patientRole></c:recordTarget>
      <c:inFulfillmentOf><c:order><c:id root="1" extension="OPN"/>
        <dcm:accessionNumber root="2" extension="ACN"/>
        <c:accessionNumber root="2" extension="another namespace"/>
      </c:order></c:inFulfillmentOf>
      <c:documentationOf><c:serviceEvent><c:id root="2.25.1"/></c:serviceEvent></c:documentationOf>
      <c:documentationOf><c:serviceEvent/></c:documentationOf>
      <c:component><c:nonXMLBody><c:text mediaType="application/pdf" representation="B64">
        JVBE
        Rg==
      </c:text></c:nonXMLBody></c:component>
    </c:ClinicalDocument>"""

    @pytest.fixture(scope="module")
    @staticmethod
    def report() -> ImagingReport:
        return cda.parse(TestParse.DOCUMENT.lstrip().encode("iso8859-15"))

    def test_prefix_encoding_and_comments_do_not_matter(self, report: ImagingReport) -> None:
        assert report.id == Id("1.2.3")
        assert report.title == "Échographie  du foie"

    def test_ids_in_document_order(self, report: ImagingReport) -> None:
        assert report.patient is not None
        assert report.patient.ids == (Id("9.9", "B"), Id(null_flavor="NI"))
        assert report.patient.id_of("8.8", "9.9") == Id("9.9", "B")
        assert report.patient.id_of("8.8") is None

    def test_text_outside_name_parts_is_kept(self, report: ImagingReport) -> None:
        assert report.patient is not None
        assert report.patient.names == (PersonName((NamePart("family", "ÉTÉ"),), None, "Anne"),)

    def test_accession_is_dicoms(self, report: ImagingReport) -> None:
        assert report.orders == (Order(ids=(Id("1", "OPN"),), accession_numbers=(Id("2", "ACN"),)),)

    def test_an_act_without_id_stays(self, report: ImagingReport) -> None:
        assert [event.id for event in report.service_events] == [Id("2.25.1"), None]

    def test_base64_may_be_broken_into_lines(self, report: ImagingReport) -> None:
        assert report.body is not None
        assert report.body.data == b"%PDF"

    def test_absent_is_absent(self) -> None:
        assert cda.parse(b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>') == ImagingReport()

    def test_bad_base64_is_told(self) -> None:
        document = self.DOCUMENT.lstrip().replace("JVBE", "JVB!")
        body = cda.parse(document.encode("iso8859-15")).body
        assert body is not None
        assert body.data is None
        assert body.error is not None

    def test_structured_body(self) -> None:
        body = cda.parse(
            b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody/></component>'
            b"</ClinicalDocument>"
        ).body
        assert body == Body(structured=True)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not xml",
            b"<ClinicalDocument/>",
            b'<x xmlns="urn:hl7-org:v3"/>',
            b'<ClinicalDocument xmlns="urn:hl7-org:v3">',
            b'<!DOCTYPE a [<!ENTITY e "x">]><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        ],
    )
    def test_what_is_not_a_cda(self, data: bytes) -> None:
        with pytest.raises(cda.CdaSyntaxError):
            cda.parse(data)


class TestBuild:
    def test_elements_follow_the_order_of_cda_r2(self) -> None:
        professional = Professional(ids=(Id("1", "2"),), time="2026", signature="S")
        document = cda.build(
            ImagingReport(
                realm="FR",
                template_ids=(Id("1"),),
                id=Id("2"),
                code=Code(code="18748-4"),
                title="t",
                effective_time="2026",
                confidentiality=Code(code="N"),
                language="fr-FR",
                set_id=Id("3"),
                version_number="1",
                patients=(Patient(),),
                authors=(professional,),
                custodian=Organization(),
                legal_authenticators=(professional,),
                orders=(Order(),),
                service_events=(ServiceEvent(),),
                related_documents=(RelatedDocument(type_code="RPLC", ids=(Id("1"),)),),
                encounter=Encounter(),
                body=Body(media_type="application/pdf", representation="B64", data=b""),
            )
        )
        children = [str(child.tag).rpartition("}")[2] for child in xml.parse(document)]
        # POCD_MT000040.ClinicalDocument, a sequence.
        assert children == [
            "realmCode",
            "typeId",
            "templateId",
            "id",
            "code",
            "title",
            "effectiveTime",
            "confidentialityCode",
            "languageCode",
            "setId",
            "versionNumber",
            "recordTarget",
            "author",
            "custodian",
            "legalAuthenticator",
            "inFulfillmentOf",
            "documentationOf",
            "relatedDocument",
            "componentOf",
            "component",
        ]

    @pytest.mark.parametrize(
        "report", [ImagingReport(title="\x00"), ImagingReport(body=Body(structured=True))]
    )
    def test_misuse(self, report: ImagingReport) -> None:
        with pytest.raises(LocalProtocolError):
            cda.build(report)


class TestCode:
    def test_translations_by_qualifier(self) -> None:
        modality = Code(code="CT", qualifier=Code(code="121139"))
        region = Code(code="774007", qualifier=Code(code="39111-0"))
        act = Code(code="24727-0", translations=(Code(code="ACQH004"), modality, region))
        assert act.translated("121139") == (modality,)
        assert act.translated("39111-0") == (region,)


@given(st.binary(max_size=120) | st.text(max_size=120).map(lambda text: text.encode()))
def test_hostile_bytes_raise_only_what_is_announced(data: bytes) -> None:
    for document in (data, b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + data):
        with pytest.raises(RemoteProtocolError):
            cda.parse(document)


def test_a_large_report_is_read_in_linear_time() -> None:
    small, large = (
        ImagingReport(body=Body(representation="B64", data=bytes(size)))
        for size in (100_000, 1_600_000)
    )
    first, second = cda.build(small), cda.build(large)
    assert cda.parse(second) == large
    assert growth(lambda: cda.parse(first), lambda: cda.parse(second)) < 64  # 256 if quadratic


@pytest.mark.skipif(not any(SAMPLES.glob("*.xml")), reason="../shared/reference absent")
def test_the_official_sample() -> None:
    (path,) = sorted(SAMPLES.glob("*.xml"))
    report = cda.parse(path.read_bytes())
    assert [event.id is None for event in report.service_events] == [False, False, False, True]
    assert len({event.id for event in report.service_events[:3]}) == 3
    assert report.service_events[3].code is not None
    assert report.service_events[3].code.code == "Z13.9"
    assert report.orders[0].accession_numbers[0].extension == "105234751"
    assert report.patient is not None
    assert report.patient.id_of("1.2.250.1.213.1.4.10") is not None
    assert report.body is not None
    assert (report.body.data or b"").startswith(b"%PDF")
    assert cda.parse(cda.build(report)) == report
