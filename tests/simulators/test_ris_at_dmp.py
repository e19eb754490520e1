"""The RIS publishes its own reports in the DMP: what the DMP is told, replaced and deleted."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from protocols.hl7types import CXi
from simulators import dmp
from simulators.dmp import Dmp
from simulators.igc.pki import Pki
from simulators.ris.depositing import Depositor, Papers
from simulators.ris.dmp_client import DmpRefusal
from simulators.ris.people import Coded, Identifier, Patient, Professional, Structure, ins_of
from simulators.ris.report import DCM, LOINC, SNOMED_CT, Exam, Order, Report
from spec.dmp import Masking
from spec.xds import ReferenceType, Status
from wire.exchange import Exchange
from wire.tls import ClientTls, ServerTls

pytestmark = pytest.mark.anyio

STRUCTURE = "1630013605"


def exam(number: int) -> Exam:
    return Exam(
        study_uid=f"2.25.10{number}",
        order=Order(
            placer=Identifier(f"OPN{number}", "1.2.3.6"),
            accession=Identifier(f"ACN{number}", "1.2.3.5"),
        ),
        act=Coded("24727-0", "CT Head W contrast IV", LOINC),
        modality=Coded("CT", "Tomodensitométrie", DCM),
        regions=(Coded("774007", "tête et cou", SNOMED_CT),),
        started=datetime(2026, 11, 22, 9, tzinfo=UTC),
        ended=datetime(2026, 11, 22, 9, 20, tzinfo=UTC),
    )


REPORT = Report(
    id="2.25.1",
    set_id="2.25.2",
    created=datetime(2026, 11, 22, 10, 15, tzinfo=UTC),
    patient=Patient(
        family="PAT-TROIS", given="DOMINIQUE", givens="DOMINIQUE", birth_date="19790328", sex="F",
        ins=ins_of("2790351215189"), ipp=Identifier("IPP1", "1.2.3.4", "KIT-RIS"),
    ),
    author=Professional(id="899700367909", family="KIT-DOCTEUR", given="ANNE"),
    structure=Structure(id=STRUCTURE, name="KIT CENTRE"),
    exams=(exam(1), exam(2)),
)  # fmt: skip
SECOND = replace(REPORT, id="2.25.3", version=2, replaces=REPORT.id)


class World:
    """A DMP that knows the patient, and the papers of a RIS."""

    def __init__(self, directory: Path) -> None:
        pki = Pki.create(clock=self.now, crl_url="http://127.0.0.1:1/kit.crl")
        key, trust = pki.throwaway_key, pki.write(directory)
        server = pki.server("dmp.drimbench.test", key=key).write(directory, "dmp")
        auth = pki.auth_cli("KIT-RIS", STRUCTURE, key=key).write(directory, "auth")
        sign = pki.sign("KIT-RIS", STRUCTURE, key=key).write(directory, "sign")
        self.exchanges: list[Exchange] = []
        self.dmp: Dmp = dmp.build(
            dmp.DmpConfig(
                tls=ServerTls(server.certificate, server.key, trust.igc_trust, "required"),
                trust=dmp.Trust(
                    roots=(pki.igc_root,),
                    intermediates=(pki.igc_intermediate,),
                    crls=lambda: [x509.load_der_x509_crl(pki.crl())],
                ),
                database=directory / "dmp.sqlite",
                clock=self.now,
                uuid=uuid.uuid4,
            ),
            self.exchanges.append,
        )
        self._papers = Papers.read(
            ClientTls(trust.market_trust, auth.certificate, auth.key), sign.certificate, sign.key
        )

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)

    def ris(self) -> Depositor:
        return Depositor(
            self.dmp.url, papers=self._papers, installation="1.2.250.1.999.2",
            observe=lambda exchange: None, clock=self.now, uuid=uuid.uuid4,
        )  # fmt: skip

    def statuses(self) -> dict[str, str]:
        return {
            one.entry.unique_id: one.entry.status
            for one in self.dmp.documents()
            if one.entry.type_code and one.entry.type_code.code == "18748-4"
        }


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[World]:
    world = World(directory)
    ins = REPORT.patient.ins
    assert ins is not None
    world.dmp.register_patient(
        dmp.Patient(
            matricule=ins.value, oid=ins.oid, family="PAT-TROIS", given="DOMINIQUE",
            birth_date="19790328", gender="F",
        )
    )  # fmt: skip
    await world.dmp.start()
    try:
        yield world
    finally:
        await world.dmp.stop()


async def test_a_report_is_published_replaced_and_deleted(tmp_path: Path) -> None:
    async with running(tmp_path) as world, world.ris() as ris:
        await ris.deposit(REPORT, (Masking.PATIENT,))
        (held,) = (one for one in world.dmp.documents() if one.entry.unique_id == REPORT.id)
        entry = held.entry
        assert held.content == REPORT.document()
        assert [code.code for code in entry.confidentiality_codes] == ["N", "INVISIBLE_PATIENT"]
        told = {(one.type, one.id) for one in map(CXi.parse, entry.reference_ids)}
        assert told == {
            (kind, value)
            for number in (1, 2)
            for kind, value in (
                (ReferenceType.ACCESSION, f"ACN{number}"),
                (ReferenceType.ORDER, f"OPN{number}"),
                (ReferenceType.STUDY_INSTANCE_UID, f"2.25.10{number}"),
            )
        }
        assert [code.code for code in entry.event_codes] == ["CT", "774007"]

        await ris.deposit(SECOND)
        assert world.statuses() == {REPORT.id: Status.DEPRECATED, SECOND.id: Status.APPROVED}
        await ris.delete(SECOND)
        assert world.statuses()[SECOND.id] == Status.DELETED
    details = [one.detail for one in world.exchanges if one.transaction.startswith("ITI-")]
    assert details == ["TD2.1a", "TD3.1b", "TD2.1b", "TD3.1b", "TD3.3c"]


async def test_what_the_dmp_refuses_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as world, world.ris() as ris:
        with pytest.raises(DmpRefusal, match=f"0 document.* {REPORT.id}"):
            await ris.delete(REPORT)
        with pytest.raises(DmpRefusal, match="0 document"):
            await ris.deposit(SECOND)
        world.dmp.faults.set("erreur-xds", "TD2.1", code="XDSRegistryMetadataError")
        with pytest.raises(DmpRefusal, match="Panne simulée"):
            await ris.deposit(REPORT)
        await world.dmp.kill()
        with pytest.raises(DmpRefusal, match="injoignable"):
            await ris.deposit(REPORT)
    assert world.statuses() == {}
