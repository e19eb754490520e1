"""The Source's smaller parts: stamping, KOS, storage, times, matching, configuration."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from drimbox_ref.config import ConfigError
from drimbox_ref.process import former_port, write_ready
from drimbox_ref.source.config import load
from drimbox_ref.source.matcher import CoherenceMatcher
from drimbox_ref.source.reports import CisisReports
from drimbox_ref.source.stamper import InsStamper
from drimbox_ref.source.storage import StorageReceiver
from drimbox_ref.source.times import utc_time
from drimbox_ref.source.values import FoundInstance, Ins, Mismatch, ReportOrder, StoredObject
from protocols.dicom import build_part10, split_part10
from tests.drimbox_ref.source.bed import image
from tests.drimbox_ref.source.world import INS, INS_OID, STUDIES, World, found_study, oru
from wire.dimse import AssociationInfo, StoreRequest

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
PATIENT = Ins(value=INS, oid=INS_OID)


def read_order() -> ReportOrder:
    order = CisisReports(without_dmp="stop").read(oru())
    assert isinstance(order, ReportOrder)
    return order


def as_stored(file: bytes) -> StoredObject:
    part = split_part10(file)
    return StoredObject(
        sop_class=part.sop_class,
        sop_instance=part.sop_instance,
        transfer_syntax=part.transfer_syntax,
        data=part.dataset,
    )


def as_dataset(stored: StoredObject) -> Dataset:
    file = build_part10(
        sop_class=stored.sop_class,
        sop_instance=stored.sop_instance,
        transfer_syntax=stored.transfer_syntax,
        dataset=stored.data,
    )
    return pydicom.dcmread(BytesIO(file))


@pytest.mark.parametrize("implicit", [False, True])
def test_stamping_changes_the_other_ids_and_nothing_else(implicit: bool) -> None:
    original = as_stored(image(STUDIES[0], 1, 1, implicit=implicit))
    stamped = InsStamper().stamp(original, PATIENT)
    assert stamped.transfer_syntax == EXPLICIT
    before, after = as_dataset(original), as_dataset(stamped)
    (item,) = after.OtherPatientIDsSequence
    assert (item.PatientID, item.TypeOfPatientID) == (INS, "TEXT")
    del after.OtherPatientIDsSequence
    assert after == before


def test_stamping_keeps_other_authorities_and_replaces_another_ins() -> None:
    data = pydicom.dcmread(BytesIO(image(STUDIES[0], 1, 1)))
    data.OtherPatientIDsSequence = []
    for value, oid in (("LOCAL-9", "1.2.3.4"), ("162018885045327", "1.2.250.1.213.1.4.8")):
        qualifiers = Dataset()
        qualifiers.UniversalEntityID, qualifiers.UniversalEntityIDType = oid, "ISO"
        item = Dataset()
        item.PatientID = value
        item.IssuerOfPatientIDQualifiersSequence = [qualifiers]
        data.OtherPatientIDsSequence.append(item)
    out = BytesIO()
    data.save_as(out)
    stamped = as_dataset(InsStamper().stamp(as_stored(out.getvalue()), PATIENT))
    assert [item.PatientID for item in stamped.OtherPatientIDsSequence] == ["LOCAL-9", INS]


def test_compressed_pixels_pass_untouched() -> None:
    stored = replace(as_stored(image(STUDIES[0], 1, 1)), transfer_syntax="1.2.840.10008.1.2.4.80")
    stamped = InsStamper().stamp(stored, PATIENT)
    assert stamped.transfer_syntax == stored.transfer_syntax
    assert stamped.data.endswith(stored.data[-100:])


def test_kos_is_what_pydicom_reads(world: World) -> None:
    order = read_order()
    kos = world.parts.kos.build(
        order, order.exams[0], found_study(), order.orders, version=3, now=world.clock.now()
    )
    data = pydicom.dcmread(BytesIO(kos.data))
    assert data.SOPInstanceUID == kos.uid
    assert (data.PatientID, data.IssuerOfPatientID) == (INS, "ASIP-SANTE-INS-NIR")
    assert str(data.PatientName) == "PAT-TROIS^DOMINIQUE"
    assert [str(name) for name in data.OtherPatientNames] == ["^DOMINIQUE MARIE", "DURAND^"]
    assert (data.InstanceNumber, data.Modality, data.AccessionNumber) == (3, "KO", "")
    assert (data.TimezoneOffsetFromUTC, data.InstanceCreationTime) == ("+0100", "100000")
    (request,) = data.ReferencedRequestSequence
    assert request.AccessionNumber == "ACC-1"
    assert request.PlacerOrderNumberImagingServiceRequest == "OPN-1"
    (evidence,) = data.CurrentRequestedProcedureEvidenceSequence
    assert [one.RetrieveURL for one in evidence.ReferencedSeriesSequence] == [
        f"https://db1.drimbench.test/drimbox/rs/studies/{STUDIES[0]}/series/{STUDIES[0]}.{n}"
        for n in (1, 2)
    ]
    assert [item.ValueType for item in data.ContentSequence] == ["TEXT"] + ["IMAGE"] * 6


def test_what_is_no_image_is_referenced_as_it_is(world: World) -> None:
    order, study = read_order(), found_study(series=1, instances=1)
    others = {
        "1.2.840.10008.5.1.4.1.1.9.1.1": "WAVEFORM",  # 12-lead ECG
        "1.2.840.10008.5.1.4.1.1.88.11": "COMPOSITE",  # Basic Text SR
        "1.2.840.10008.5.1.4.1.1.88.59": "COMPOSITE",  # key image note
        "1.2.840.10008.5.1.4.1.1.104.1": "COMPOSITE",  # Encapsulated PDF
        "1.2.840.10008.5.1.4.1.1.11.1": "COMPOSITE",  # Grayscale Softcopy Presentation State
    }
    more = tuple(
        replace(
            study.series[0],
            uid=f"{study.uid}.9.{rank}",
            instances=(
                FoundInstance(
                    sop_class=sop_class,
                    sop_instance=f"{study.uid}.9.{rank}.1",
                    number=1,
                    frames=None,
                ),
            ),
        )
        for rank, sop_class in enumerate(others)
    )
    kos = world.parts.kos.build(
        order,
        order.exams[0],
        replace(study, series=(*study.series, *more)),
        order.orders,
        version=1,
        now=world.clock.now(),
    )
    data = pydicom.dcmread(BytesIO(kos.data))
    items = [item for item in data.ContentSequence if "ReferencedSOPSequence" in item]
    assert [item.ValueType for item in items] == ["IMAGE", *others.values()]
    (evidence,) = data.CurrentRequestedProcedureEvidenceSequence
    listed = [one.ReferencedSOPSequence[0] for one in evidence.ReferencedSeriesSequence]
    assert [one.ReferencedSOPClassUID for one in listed[1:]] == list(others)


def test_an_exam_of_several_orders_names_each(world: World) -> None:
    report = read_order()
    second = replace(report.orders[0], accession="ACC-2", placer="OPN-2")
    third = replace(report.orders[0], accession="ACC-3", placer="OPN-3")
    report = replace(report, orders=(*report.orders, second, third))
    study = replace(found_study(), accessions=("ACC-2", "ACC-1"))
    orders = CoherenceMatcher().match(report, study)
    assert not isinstance(orders, Mismatch)
    assert [one.accession for one in orders] == ["ACC-2", "ACC-1"], "those of the exam alone"
    kos = world.parts.kos.build(
        report, report.exams[0], study, orders, version=1, now=world.clock.now()
    )
    data = pydicom.dcmread(BytesIO(kos.data))
    assert [
        (one.AccessionNumber, one.PlacerOrderNumberImagingServiceRequest)
        for one in data.ReferencedRequestSequence
    ] == [("ACC-2", "OPN-2"), ("ACC-1", "OPN-1")]


def test_kos_fingerprint_ignores_identity_and_date(world: World) -> None:
    order = read_order()

    def fingerprint(**changes: Any) -> str:
        return world.parts.kos.build(
            order,
            order.exams[0],
            found_study(**changes),
            order.orders,
            version=1,
            now=world.clock.now(),
        ).fingerprint

    first = fingerprint()
    world.clock.advance(3600)
    assert fingerprint() == first
    assert fingerprint(instances=4) != first


def test_ten_thousand_references_are_quick(world: World) -> None:
    order = read_order()
    study = found_study(series=10, instances=1000)
    kos = world.parts.kos.build(
        order, order.exams[0], study, order.orders, version=1, now=world.clock.now()
    )
    assert len(kos.data) > 1_000_000


@pytest.mark.parametrize(
    ("changes", "ban"),
    [
        ({}, None),
        ({"patient_ids": ("X",)}, "ipp-different"),
        ({"patient_ids": ("IPP-77", "X")}, "ipp-different"),
        ({"patient_ids": ()}, "ipp-different"),
        ({"accessions": ("ACC-2",)}, "accession-different"),
        ({"accessions": ("ACC-1", "ACC-2")}, "accession-different"),
        ({"accessions": ()}, "accession-different"),
    ],
)
def test_matching(changes: dict[str, Any], ban: str | None) -> None:
    found = CoherenceMatcher().match(read_order(), replace(found_study(), **changes))
    if ban is None:
        assert isinstance(found, tuple)
    else:
        assert isinstance(found, Mismatch)
        assert found.ban.value == ban


@pytest.mark.parametrize(
    ("written", "utc"),
    [
        ("20260101003000+0100", "20251231233000"),
        ("202601010030+0100", "202512312330"),
        ("20260101", "20260101"),
        ("20260101003000", "20260101003000"),
        ("20260101003000.1234-0500", "20260101053000"),
        ("", ""),
        ("bientôt", ""),
        ("20261399990000+0100", ""),
    ],
)
def test_xds_times_are_utc(written: str, utc: str) -> None:
    assert utc_time(written) == utc


def store(instance: str, originator: int | None) -> StoreRequest:
    return StoreRequest(
        dataset=b"",
        transfer_syntax=EXPLICIT,
        sop_class="1.2.840.10008.5.1.4.1.1.2",
        sop_instance=instance,
        message_id=1,
        move_originator_ae="DRIMBOX",
        move_originator_message_id=originator,
        association=AssociationInfo(
            calling_ae="PACS", called_ae="DRIMBOX", address="127.0.0.1", port=1, connection="1"
        ),
    )


@pytest.mark.anyio
async def test_instances_go_to_the_move_that_asked_for_them() -> None:
    storage = StorageReceiver(ae_title="DRIMBOX", timeout_s=0.2)
    one, two = storage.open(frozenset({"1.1", "1.2"})), storage.open(frozenset({"1.1", "2.1"}))
    receive = storage._store

    async def give(instance: str, originator: int | None) -> int:
        return await asyncio.to_thread(receive, store(instance, originator))

    assert await give("1.1", two.message_id) == 0
    got = await two.get()
    assert got is not None
    assert got.sop_instance == "1.1"
    assert await give("9.9", one.message_id) == 0, "not in the KOS: taken, and dropped"
    assert await give("1.1", 999) != 0, "a move that is not ours"
    assert await give("1.1", None) != 0, "two retrievals want it"
    assert await give("1.2", None) == 0
    got = await one.get()
    assert got is not None
    assert got.sop_instance == "1.2"
    storage.close(one)
    assert await give("1.2", one.message_id) != 0


@pytest.mark.anyio
async def test_the_pacs_waits_for_a_slow_client() -> None:
    storage = StorageReceiver(ae_title="DRIMBOX", timeout_s=0.2)
    inlet = storage.open(frozenset({"1.1"}))
    statuses = [
        await asyncio.to_thread(storage._store, store("1.1", inlet.message_id)) for _ in range(5)
    ]
    assert statuses == [0, 0, 0, 0, 0xA700], "the queue is bounded"


def test_ready_file_keeps_the_ports(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    assert former_port(ready, "mllp") == 0
    write_ready(ready, "source", {"mllp": "127.0.0.1:4321"})
    assert former_port(ready, "mllp") == 4321
    assert former_port(ready, "dicom") == 0
    ready.write_text("not json")
    assert former_port(ready, "mllp") == 0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[box", "fichier"),
        ("", "box"),
        ('[box]\nname = 3\nstate = "/tmp"', "box.name"),
        ('[box]\nname = "x"\nstate = "/tmp"\ntypo = 1', "box.typo"),
        ('[box]\nname = "x"\nstate = "/tmp"\nseed = -1', "box.seed"),
    ],
)
def test_configuration_errors_name_the_key(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "source.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert caught.value.key == key
    assert str(file) in str(caught.value)
