"""What the Consumer reads and writes: situations, VIHF, TD0.2, KOS, addresses, identities."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from drimbox_ref.consumer.access import decide
from drimbox_ref.consumer.addresses import address_of
from drimbox_ref.consumer.api_tokens import NoTokens
from drimbox_ref.consumer.identity import InsCheck
from drimbox_ref.consumer.images import accept_header
from drimbox_ref.consumer.localizer import IppLocalizer
from drimbox_ref.consumer.manifests import KosManifests
from drimbox_ref.consumer.professionals import UserinfoSituations
from drimbox_ref.consumer.values import Behalf, ExamUnreadable, ExportFailed, Received
from drimbox_ref.psc_login import LoginRefused
from protocols import kos, saml
from protocols.dicom import DicomSyntaxError, build_part10, read_texts
from protocols.dicomweb import parse_accept
from protocols.ebrim import DocumentEntry
from protocols.hl7v3 import II, AckDetail, ExistenceAnswer
from simulators.psc import TEST_PROFESSIONALS
from simulators.psc.professionals import userinfo
from spec.wado import LOSSLESS_PROFILE
from tests.drimbox_ref.consumer.world import (
    CT,
    EXPLICIT,
    INS,
    PROFESSIONAL,
    SITUATION,
    STUDY,
    World,
    call,
    dataset,
    image,
    ins_item,
)

IMPLICIT = "1.2.840.10008.1.2"


# Professionals ---------------------------------------------------------------------------------


def test_situations_of_userinfo() -> None:
    situations = UserinfoSituations()
    person = next(one for one in TEST_PROFESSIONALS if one.id == "899700990032")
    professional = situations.read(userinfo(person, "sub"))
    assert [one.structure for one in professional.situations] == ["10B9900015", "10B9900023"]
    assert {one.profession for one in professional.situations} == {"10"}
    (clinic,) = situations.match(professional, "10B9900023")
    assert clinic.sector == "SA04"
    assert situations.match(professional, "F0B9900023") == (clinic,)
    assert situations.match(professional, "") == ()


def test_userinfo_that_names_nobody_is_refused() -> None:
    with pytest.raises(LoginRefused):
        UserinfoSituations().read({"sub": "x", "SubjectRefPro": {"exercices": "?"}})
    bare = UserinfoSituations().read(
        {"SubjectNameID": "8997", "SubjectRefPro": {"exercices": [1, {"activities": [None]}]}}
    )
    assert bare.situations == ()


def test_the_vihf_is_in_air_mode_and_signed_for_the_structure(world: World, credentials) -> None:
    logged = datetime(2026, 11, 22, 8, 55, tzinfo=UTC)
    behalf = Behalf(
        professional=PROFESSIONAL,
        situation=SITUATION,
        credentials=credentials,
        patient=INS,
        authenticated=logged,
        authorization=NoTokens(),
    )
    element = world.parts.vihf.assertion(behalf, now=world.clock.now())
    verified = saml.verify(element)
    vihf = verified.assertion
    assert verified.certificate == credentials.sign_chain[0]
    assert vihf.text("Authentification_Mode") == "INDIRECTE_RENFORCEE"
    assert vihf.name_id == "899700990016"
    assert vihf.text("Identifiant_Structure") == "10B9900015"
    assert vihf.text("Secteur_Activite") == "SA01^1.2.250.1.71.4.2.4"
    resource = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
    assert vihf.text(resource) == f"{INS.value}^^^&{INS.oid}&ISO^NH"
    roles = vihf.codes("urn:oasis:names:tc:xacml:2.0:subject:role")
    assert [(role.code, role.code_system) for role in roles] == [
        ("10", "1.2.250.1.71.1.2.7"),
        ("SM44", "1.2.250.1.71.4.2.5"),
    ]
    assert vihf.authn_instant == logged
    assert vihf.authn_context_decl == "APP_BROWSER_AUTH"
    assert "OU=10B9900015" in vihf.issuer


# TD0.2 -----------------------------------------------------------------------------------------

OPEN = ExistenceAnswer(
    message_id=II("1.2", "a"),
    creation_time="20261122090000",
    target_message=II("1.2", "b"),
    response_code="OK",
    patient_status="active",
    authorisation="VALIDE",
)


def test_only_an_open_dmp_with_a_valid_authorisation_goes_on() -> None:
    assert decide(OPEN).granted


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"acknowledgement": "AE", "details": (AckDetail("X", "PS et Structure non liés"),)},
            "liés",
        ),
        ({"response_code": "NF"}, "n'a pas de DMP"),
        ({"response_code": ""}, "n'a pas dit"),
        ({"patient_status": "terminated"}, "fermé"),
        ({"patient_status": "terminated", "authorisation": ""}, "fermé"),
        ({"patient_status": ""}, "pas ouvert"),
        ({"authorisation": "INTERDIT"}, "interdit"),
        ({"authorisation": "EXPIRE"}, "expiré"),
        ({"authorisation": "NON_EXISTE"}, "pas d'autorisation"),
        ({"authorisation": ""}, "pas confirmé"),
        ({"authorisation": "valide "}, "pas confirmé"),
    ],
)
def test_everything_else_is_said_in_plain_french(changes, said: str) -> None:
    access = decide(replace(OPEN, **changes))
    assert not access.granted
    assert said in access.reason


# KOS -------------------------------------------------------------------------------------------


def manifest(studies: int = 1) -> bytes:
    evidence = tuple(
        kos.StudyEvidence(
            f"{STUDY}.{n}",
            (
                kos.SeriesEvidence(
                    series_uid=f"{STUDY}.{n}.1",
                    retrieve_url=f"https://db4.test/rs/studies/{STUDY}.{n}/series/{STUDY}.{n}.1",
                    instances=(kos.InstanceRef(CT, f"{STUDY}.{n}.1.1"),),
                ),
            ),
        )
        for n in range(studies)
    )
    text = f"Examen : Scanner\nActe = ZBQK002\nSérie-{STUDY}.0.1 : CT @ Thorax : Sans injection"
    return kos.encode(
        kos.Manifest(
            sop_instance="1.2.3.4",
            study_uid=f"{STUDY}.0",
            series_uid="1.2.3.5",
            study_date="20260102",
            accession_number="A1",
            studies=evidence,
            content=(kos.ContentItem(value_type="TEXT", text=text),),
            requests=(kos.Request(accession_number="A1"), kos.Request(accession_number="A2")),
        )
    )


def entry(data: bytes) -> DocumentEntry:
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return DocumentEntry(id="urn:uuid:1", hash=digest, unique_id="1.2.3.4")


def test_a_kos_is_read_as_an_exam() -> None:
    data = manifest()
    exam = KosManifests().read(entry(data), data)
    assert (exam.kos_uid, exam.study_uid, exam.date) == ("1.2.3.4", f"{STUDY}.0", "20260102")
    assert exam.description == "Scanner"
    assert exam.modalities == ("CT",)
    assert exam.accessions == ("A1", "A2")
    (series,) = exam.series
    assert (series.region, series.description) == ("Thorax", "Sans injection")
    assert exam.count == 1


def test_what_is_no_kos_is_unreadable() -> None:
    data = manifest()
    with pytest.raises(ExamUnreadable, match="empreinte"):
        KosManifests().read(replace(entry(data), hash="0" * 40), data)
    with pytest.raises(ExamUnreadable, match="illisible"):
        KosManifests().read(entry(b"no"), b"no")
    several = manifest(3)
    with pytest.raises(ExamUnreadable, match="un examen"):
        KosManifests().read(entry(several), several)
    other = data.replace(b"1.2.840.10008.5.1.4.1.1.88.59", b"1.2.840.10008.5.1.4.1.1.88.11")
    with pytest.raises(ExamUnreadable, match="pas un KOS"):
        KosManifests().read(entry(other), other)


# Addresses -------------------------------------------------------------------------------------


def test_an_address_must_be_that_of_the_series(world: World) -> None:
    exam = world.exam()
    series = exam.series[0]
    assert address_of(exam, series).host == "db4.drimbench.test"
    path = f"/rs/studies/{STUDY}/series/{STUDY}.1"
    upper = replace(series, retrieve_url=f"https://DB4.drimbench.test:8443{path}")
    assert address_of(exam, upper).host == "db4.drimbench.test"
    for url in (
        "",
        f"http://db4.drimbench.test{path}",
        f"https://db4.drimbench.test@evil.test{path}",
        f"https://db4.drimbench.test{path}?token=1",
        f"https://db4.drimbench.test{path}/instances/1.2",
        f"https://db4.drimbench.test/rs/studies/{STUDY}/series/1.2.3",
        f"https://db4.drimbench.test/rs/studies/1.2.3/series/{STUDY}.1",
        f"https://db4.drimbench.test\\evil.test{path}",
        f"https://[::1{path}",
        f"https://db4.drimbench.test:x{path}",
        f"https://{path}",
        "file:///etc/passwd",
    ):
        with pytest.raises(ExportFailed, match="récupération"):
            address_of(exam, replace(series, retrieve_url=url))


def test_accept_lists_the_ten_syntaxes_with_the_lossless_profile() -> None:
    preferences = parse_accept([accept_header(LOSSLESS_PROFILE)])
    assert [(one.transfer_syntax, one.q) for one in preferences] == list(LOSSLESS_PROFILE)
    assert {one.boundary for one in preferences} == {"**"}
    assert len(preferences) == 10


# Identities ------------------------------------------------------------------------------------


def received(tmp_path: Path, items: list[bytes], syntax: str = EXPLICIT) -> Received:
    path = tmp_path / "image.dcm"
    data = dataset("1.2.3", items, implicit=syntax == IMPLICIT)
    path.write_bytes(
        build_part10(sop_class=CT, sop_instance="1.2.3", transfer_syntax=syntax, dataset=data)
    )
    return Received(path=path, sop_class=CT, sop_instance="1.2.3", transfer_syntax=syntax, size=0)


RIGHT = ins_item(INS.value, INS.oid)
LOCAL = ins_item("IPP-9", "1.2.250.1.999.9", issuer="CLINIQUE")


@pytest.mark.parametrize("items", [[RIGHT], [LOCAL, RIGHT], [ins_item(INS.value, None)]])
def test_the_patient_s_image_passes(tmp_path: Path, items: list[bytes]) -> None:
    assert InsCheck().check(received(tmp_path, items), INS) == ""


def test_implicit_vr_is_read_too(tmp_path: Path) -> None:
    items = [ins_item(INS.value, INS.oid, implicit=True)]
    assert InsCheck().check(received(tmp_path, items, IMPLICIT), INS) == ""


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "ne porte pas"),
        ([LOCAL], "ne porte pas"),
        ([ins_item("279035121518988", INS.oid)], "autre patient"),
        ([ins_item(INS.value, "1.2.250.1.213.1.4.8")], "autre patient"),
        ([RIGHT, ins_item("162018885045327", INS.oid)], "autre patient"),
        ([ins_item("162018885045327", None)], "autre patient"),
    ],
)
def test_any_other_image_does_not(tmp_path: Path, items: list[bytes], said: str) -> None:
    assert said in InsCheck().check(received(tmp_path, items), INS)


def test_an_unreadable_image_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.dcm"
    path.write_bytes(b"\0" * 500)
    bad = Received(path=path, sop_class=CT, sop_instance="1", transfer_syntax=EXPLICIT, size=500)
    with pytest.raises(DicomSyntaxError):
        InsCheck().check(bad, INS)


@pytest.mark.parametrize("implicit", [False, True])
def test_only_patient_id_changes(implicit: bool) -> None:
    syntax = IMPLICIT if implicit else EXPLICIT
    before = dataset("1.2.3", [ins_item(INS.value, INS.oid, implicit=implicit)], implicit=implicit)
    after = IppLocalizer(issuer=False).localize(before, syntax, call())
    old, new = b"AILLEURS-1", b"LOCAL-77"
    assert after.count(new) == 1
    position = before.index(old)
    head = 8  # tag and length, with or without VR
    assert after[: position - head] == before[: position - head]
    assert after[position + len(new) :] == before[position + len(old) :]


def test_the_issuer_is_written_on_demand() -> None:
    before = dataset("1.2.3", [RIGHT])
    after = IppLocalizer(issuer=True).localize(before, EXPLICIT, call())
    texts = read_texts(after, transfer_syntax=EXPLICIT, tags=(0x00100020, 0x00100021))
    assert texts == {0x00100020: "LOCAL-77", 0x00100021: "CLINIQUE"}
    assert b"1.2.250.1.999.9" in after
    named = IppLocalizer(issuer=True).localize(before, EXPLICIT, call(ipp_issuer="HOPITAL"))
    texts = read_texts(named, transfer_syntax=EXPLICIT, tags=(0x00100021,))
    assert texts == {0x00100021: "HOPITAL"}


def test_the_fixture_is_what_it_says(tmp_path: Path) -> None:
    assert image("1.2.3", INS)[128:132] == b"DICM"
