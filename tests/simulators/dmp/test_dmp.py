"""The DMP on a real wire: mutual TLS, the journal, crash points, kill and restart."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from bench.deadline import until
from protocols import mtom
from simulators.dmp import Cut, Dmp, DmpConfig, DmpState, Patient, Trust, build
from simulators.dmp.service import Reply
from spec.dmp import Masking
from spec.oids import INS_NIR_TEST
from spec.xds import Action, Status
from tests.simulators.dmp.box import MATRICULE, NOW, Box, Certificates, Lot, codes, outcome
from wire.exchange import Exchange, Outcome, ignore
from wire.http_client import HttpClient, Interrupted, Unreachable
from wire.tls import ClientTls, ServerTls

HOST = "dmp.drimbench.test"


class World:
    """A DMP that listens, and a client that it trusts."""

    def __init__(self, dmp: Dmp, box: Box, tls: ClientTls, journal: list[Exchange]) -> None:
        self.dmp, self.box, self.tls, self.journal = dmp, box, tls, journal

    @asynccontextmanager
    async def client(self, tls: ClientTls | None = None) -> AsyncIterator[HttpClient]:
        async with HttpClient(
            actor="test",
            observe=ignore,
            tls=tls or self.tls,
            connect_to={f"{HOST}:{self.dmp.port}": f"127.0.0.1:{self.dmp.port}"},
        ) as client:
            yield client

    async def publish(self, lot: Lot, tls: ClientTls | None = None) -> Reply:
        element, parts = lot.element()
        vihf = self.box.vihf(patient=lot.patient)
        envelope = self.box.request(Action.PROVIDE_AND_REGISTER, element, vihf)
        content_type, body = mtom.pack(envelope, parts, "MIMEBoundary_Kit")
        async with self.client(tls) as client:
            response = await client.request(
                "POST",
                f"https://{HOST}:{self.dmp.port}/si-dmp-server/v2/services/repository",
                headers=[("Content-Type", content_type)],
                content=body,
            )
        content_type = response.headers.get("content-type")
        return Reply(
            status=response.status, content_type=content_type, body=response.body, transaction=""
        )


@pytest.fixture(scope="module")
def files(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> tuple[ServerTls, ClientTls]:
    directory = tmp_path_factory.mktemp("pki")
    trust = certificates.pki.write(directory)
    server = certificates.pki.server(HOST, key=certificates.auth.key).write(directory, "dmp")
    client = certificates.auth.write(directory, "box")
    return (
        ServerTls(server.certificate, server.key, trust.igc_trust, "required"),
        ClientTls(trust.market_trust, client.certificate, client.key),
    )


@asynccontextmanager
async def world(
    files: tuple[ServerTls, ClientTls], trust: Trust, certificates: Certificates, directory: Path
) -> AsyncIterator[World]:
    journal: list[Exchange] = []
    dmp = build(
        DmpConfig(
            tls=files[0],
            trust=trust,
            database=directory / "dmp.sqlite",
            clock=lambda: NOW,
            uuid=uuid.uuid4,
        ),
        journal.append,
    )
    await dmp.start()
    try:
        yield World(dmp, Box(dmp._service, certificates), files[1], journal)
    finally:
        await dmp.stop()


Files = tuple[ServerTls, ClientTls]


def test_a_publication_over_mutual_tls(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            lot = it.box.lot()
            assert outcome(await it.publish(lot)).succeeded
            (kos, signature) = it.dmp.documents(MATRICULE, INS_NIR_TEST)
            assert (kos.entry.unique_id, kos.content) == (lot.unique_id, b"a KOS")
            assert it.dmp.entry(lot.unique_id) == kos.entry
            links = it.dmp.associations([kos.entry.id])
            assert [link.target for link in links] == [kos.entry.id]
            assert signature.entry.mime_type == "text/xml"
            (exchange,) = [e for e in it.journal if e.protocol == "HTTP"]
            assert exchange.outcome is Outcome.ANSWERED
            assert (exchange.transaction, exchange.detail) == ("ITI-41", "TD2.1a")
            assert kos.entry.id in exchange.keys
            assert exchange.tls is not None
            assert exchange.tls.peer_chain
            minted = Patient(matricule="1" * 15, state=DmpState.CLOSED)
            it.dmp.register_patient(minted)
            assert it.dmp.patient("1" * 15, INS_NIR_TEST) == minted

    anyio.run(main)


def test_who_masks_a_document_changes_its_entry_uuid(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            lot = it.box.lot()
            await it.publish(lot)
            before = it.dmp.entry(lot.unique_id)
            assert before is not None
            uuid = it.dmp.hide(lot.unique_id, Masking.PROFESSIONALS)
            after = it.dmp.entry(lot.unique_id)
            assert after is not None
            assert uuid == after.id != before.id
            assert (after.logical_id, after.version) == (before.logical_id, "2")
            assert after.status == Status.APPROVED
            assert after.confidentiality_codes[-1].code == "MASQUE_PS"
            late = it.box.lot(2, content=b"another KOS", replaces=before.id)
            assert codes(await it.publish(late)) == ["UnresolvedReferenceException"]
            replacing = it.box.lot(2, content=b"another KOS", replaces=uuid)
            assert outcome(await it.publish(replacing)).succeeded
            with pytest.raises(KeyError):
                it.dmp.hide("1.2.3", Masking.PROFESSIONALS)

    anyio.run(main)


def test_without_a_client_certificate_nothing_is_said(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            with pytest.raises(Unreachable):
                await it.publish(it.box.lot(), ClientTls(files[1].trust))
            assert not it.dmp.documents()

    anyio.run(main)


@pytest.mark.parametrize("cut", Cut)
def test_a_scripted_crash_loses_no_publication_and_doubles_none(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path, cut: Cut
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            lot = it.box.lot()
            it.dmp.faults.set("coupure", "TD2.1", times=1, moment=cut)
            half = cut is Cut.HALF
            with pytest.raises(Interrupted if half else Unreachable):
                await it.publish(lot)
            kept = cut is not Cut.BEFORE
            assert bool(it.dmp.documents()) is kept
            again = await it.publish(lot)
            assert codes(again) == (["XDSDuplicateUniqueIdInRegistry"] if kept else [])
            assert len(it.dmp.documents()) == 2
            lost = [e for e in it.journal if e.outcome is Outcome.ABORTED]
            assert [e.transaction for e in lost] == ["ITI-41"]

    anyio.run(main)


def test_killed_then_restarted_it_remembers(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            lot, port = it.box.lot(), it.dmp.port
            await it.publish(lot)
            await it.dmp.kill()
            with pytest.raises(Unreachable):
                await it.publish(lot)
            await it.dmp.restart()
            assert it.dmp.port == port
            assert codes(await it.publish(lot)) == ["XDSDuplicateUniqueIdInRegistry"]
            assert it.dmp.url.endswith(f":{port}/si-dmp-server/v2/services")

    anyio.run(main)


def test_each_fault_on_the_wire(
    files: Files, trust: Trust, certificates: Certificates, tmp_path: Path
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            faults, lot = it.dmp.faults, it.box.lot()
            faults.set("refus", "TLS", times=1, alerte="access_denied")
            with pytest.raises(Unreachable, match=r"(?i)access.denied"):
                await it.publish(lot)
            faults.set("http", "TD2.1", times=1, code=503)
            reply = await it.publish(lot)
            assert (reply.status, reply.content_type) == (503, "text/plain; charset=UTF-8")
            faults.set("erreur-xds", "TD2.1", times=1, code="XDSRepositoryOutOfResources")
            assert codes(await it.publish(lot)) == ["XDSRepositoryOutOfResources"]
            faults.set("faute-soap", "TD2.1", times=1)
            assert (await it.publish(lot)).status == 500
            assert it.dmp.documents() == ()
            faults.set("http", "TD3.1")
            assert outcome(await it.publish(lot)).succeeded, "another service"
            (placed,) = faults.placed
            assert (placed.fault.service, placed.seen) == ("TD3.1", 0)

    anyio.run(main)


@pytest.mark.parametrize(
    ("kind", "value"), [("retard", {"secondes": 600}), ("lenteur", {"debit": 1})]
)
def test_an_answer_that_is_held_back_leaves_when_the_fault_is_removed(
    files: Files,
    trust: Trust,
    certificates: Certificates,
    tmp_path: Path,
    kind: str,
    value: dict[str, int],
) -> None:
    async def main() -> None:
        async with world(files, trust, certificates, tmp_path) as it:
            lot = it.box.lot()
            it.dmp.faults.set(kind, "TD2.1", value)
            answered = anyio.Event()

            async def publish() -> None:
                assert outcome(await it.publish(lot)).succeeded
                answered.set()

            async with anyio.create_task_group() as group:
                group.start_soon(publish)
                kept = await anyio.to_thread.run_sync(
                    lambda: until(lambda: bool(it.dmp.documents()), deadline_s=10)
                )
                assert kept
                with anyio.move_on_after(0.1):
                    await answered.wait()
                assert not answered.is_set(), "kept, and not answered yet"
                assert it.dmp.faults.clear() == 1
                with anyio.fail_after(10):
                    await answered.wait()

    anyio.run(main)
