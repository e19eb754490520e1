"""What a client meets when the PACS fails: each fault, seen by pynetdicom and by HTTP."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest
from pydicom.dataset import Dataset

from bench.deadline import until
from protocols.multipart import Parser, PartEnd, boundary_of
from simulators.modality import Exam, Patient, Series, make
from simulators.pacs import MENU, Pacs, PacsConfig, build
from wire.dimse import DimseClient, DimseFailure, DimsePeer
from wire.exchange import Exchange, Outcome, ignore
from wire.faults import BadFault

EXAM = Exam(
    patient=Patient(name="PAT-TROIS^Dominique", patient_id="IPP-1"), study_uid="2.25.3001",
    matrix=32,
    series=(Series(modality="CT", count=4), Series(modality="CT", count=2)),
)  # fmt: skip


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return list(make(EXAM))


@pytest.fixture
def pacs(files: list[bytes]) -> Iterator[Pacs]:
    with build(PacsConfig(timeout=5), ignore) as running:
        for file in files:
            running.load(file)
        yield running


@pytest.fixture
def station(pacs: Pacs) -> Iterator[Pacs]:
    """Where the PACS sends what it is asked to move."""
    with build(PacsConfig(ae_title="STATION", actor="station"), ignore) as running:
        pacs.add_destination("STATION", running.host, running.port)
        yield running


class Client:
    """A box's side of each operation, on an exam of six images."""

    def __init__(self, pacs: Pacs, *, timeout: float = 5.0) -> None:
        self.peer = DimsePeer(pacs.host, pacs.port, pacs.ae_title, "pacs")
        self.seen: list[Exchange] = []
        self._client = DimseClient("BOX", actor="source", observe=self.seen.append, timeout=timeout)

    def echo(self) -> None:
        self._client.echo(self.peer)

    def find(self, level: str = "IMAGE", **keys: Any) -> list[Any]:
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = level, EXAM.study_uid
        for keyword, value in keys.items():
            setattr(asked, keyword, value)
        return self._client.find(self.peer, asked)

    def move(self) -> Any:
        return self._client.move(self.peer, _study(), destination="STATION")

    def get(self, stored: list[str]) -> Any:
        def store(request: Any) -> int:
            stored.append(request.sop_instance)
            return 0

        return self._client.get(
            self.peer,
            _study(),
            storage={"1.2.840.10008.5.1.4.1.1.2": ["1.2.840.10008.1.2.1"]},
            store=store,
        )

    def store(self, files: list[bytes]) -> list[int]:
        return self._client.store(self.peer, files)


def _study() -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", EXAM.study_uid
    return asked


def failure(action: Callable[[], Any]) -> DimseFailure:
    with pytest.raises(DimseFailure) as caught:
        action()
    return caught.value


# Associations ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("congestion", "temporary congestion"),
        ("limite", "local limit exceeded"),
        ("appelant-inconnu", "calling AE title not recognised"),
        ("appele-inconnu", "called AE title not recognised"),
        ("sans-raison", "no reason given"),
    ],
)
def test_an_association_is_refused_then_accepted(pacs: Pacs, reason: str, said: str) -> None:
    client = Client(pacs)
    pacs.faults.set("refus", "association", times=2, raison=reason)
    for _ in range(2):
        refused = failure(client.echo)
        assert refused.kind == "refused"
        assert said in refused.comment.lower().replace("ae title", "AE title")
    client.echo()
    assert [one.outcome for one in client.seen] == [Outcome.REFUSED, Outcome.REFUSED, "answered"]


def test_the_kth_association_alone(pacs: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("abandon", "association", skip=2, times=1)
    client.echo()
    client.echo()
    assert failure(client.echo).kind == "aborted"
    client.echo()


def test_an_association_is_dropped_before_any_answer(pacs: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("coupure", "association", times=1)
    assert failure(client.echo).kind in ("aborted", "refused")
    client.echo()


@pytest.mark.parametrize("service", ["association", "C-ECHO"])
def test_a_mute_pacs_speaks_again_when_the_fault_is_removed(pacs: Pacs, service: str) -> None:
    impatient, patient = Client(pacs, timeout=0.2), Client(pacs)
    pacs.faults.set("retard", service, secondes=600)
    if service == "C-ECHO":
        assert failure(impatient.echo).kind == "timeout"
    waiting = threading.Thread(target=patient.echo)
    waiting.start()
    assert until(lambda: pacs.faults.placed[0].struck > 0, deadline_s=10)
    assert pacs.faults.clear() == 1
    waiting.join(5)
    assert [one.outcome for one in patient.seen] == [Outcome.ANSWERED]


# Requests -------------------------------------------------------------------------------------


def test_an_echo_fails(pacs: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("statut", "C-ECHO", times=1, statut=0x0122)
    assert failure(client.echo).status == 0x0122
    pacs.faults.set("abandon", "C-ECHO", times=1)
    assert failure(client.echo).kind == "aborted"
    client.echo()


@pytest.mark.parametrize("after", [0, 1, 50])
def test_a_query_ends_by_a_status_or_an_abort(pacs: Pacs, after: int) -> None:
    client = Client(pacs)
    pacs.faults.set("statut", "C-FIND", times=1, statut=0xC001, apres=after)
    assert failure(client.find).status == 0xC001
    pacs.faults.set("abandon", "C-FIND", times=1, apres=after)
    assert failure(client.find).kind == "aborted"
    assert len(client.find()) == 6


def test_a_query_finds_nothing_or_less(pacs: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("vide", "C-FIND", times=1)
    pacs.faults.set("partiel", "C-FIND", times=1, manque=2)
    pacs.faults.set("partiel", "C-FIND", times=1, manque=100)
    assert [len(client.find()) for _ in range(4)] == [0, 4, 0, 6]


@pytest.mark.parametrize(("excess", "told"), [(3, (9, 7)), (-5, (1, 0)), (-100, (0, 0))])
def test_a_pacs_that_lies_about_counts(pacs: Pacs, excess: int, told: tuple[int, int]) -> None:
    client = Client(pacs)
    pacs.faults.set("comptes-faux", "C-FIND", times=2, ecart=excess)
    (study,) = client.find("STUDY", NumberOfStudyRelatedInstances="")
    assert study.NumberOfStudyRelatedInstances == told[0]
    series = client.find("SERIES", SeriesInstanceUID="", NumberOfSeriesRelatedInstances="")
    assert series[0].NumberOfSeriesRelatedInstances == told[1]
    (study,) = client.find("STUDY", NumberOfStudyRelatedInstances="")
    assert study.NumberOfStudyRelatedInstances == 6
    assert len(client.find()) == 6, "what it holds has not changed"


def test_an_answer_is_cut_in_the_middle(pacs: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("coupure", "C-FIND", times=1, octets=300)
    assert failure(client.find).kind == "aborted"
    assert len(client.find()) == 6


def test_a_slow_line_is_slow_and_no_more_once_removed(pacs: Pacs) -> None:
    client = Client(pacs, timeout=30)
    found: list[Any] = []
    pacs.faults.set("lenteur", "C-FIND", debit=1)
    asking = threading.Thread(target=lambda: found.extend(client.find()))
    asking.start()
    assert until(lambda: pacs.faults.placed[0].struck > 0, deadline_s=10)
    asking.join(0.2)
    assert asking.is_alive(), "a byte a second"
    pacs.faults.clear()
    asking.join(10)
    assert len(found) == 6


def test_what_happens_to_one_answer_does_not_to_the_next_of_its_association(pacs: Pacs) -> None:
    from pynetdicom import AE

    entity = AE()
    entity.add_requested_context("1.2.840.10008.1.1")
    pacs.faults.set("lenteur", "C-ECHO", times=1, debit=1_000_000)
    association = entity.associate("127.0.0.1", pacs.port)
    try:
        assert [association.send_c_echo().Status for _ in range(3)] == [0, 0, 0]
    finally:
        association.release()


# Retrievals -----------------------------------------------------------------------------------


def test_a_move_fails_at_once_midway_or_by_an_abort(pacs: Pacs, station: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("statut", "C-MOVE", times=1, statut=0xA701)
    assert failure(client.move).status == 0xA701
    pacs.faults.set("statut", "C-MOVE", times=1, statut=0xA702, apres=2)
    result = failure(client.move).result
    assert result is not None
    assert (result.completed, result.failed) == (2, 4)
    pacs.faults.set("abandon", "C-MOVE", times=1, apres=1)
    assert failure(client.move).kind == "aborted"
    assert client.move().completed == 6


def test_a_partial_move_says_which_instances_failed(pacs: Pacs, station: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("partiel", "C-MOVE", times=1, manque=2)
    result = client.move()
    assert (result.status, result.completed, result.failed) == (0xB000, 4, 2)
    last = [one.sop_instance for one in pacs.instances()[-2:]]
    assert list(result.failed_instances) == last
    assert station.count() == 4
    pacs.faults.set("partiel", "C-MOVE", times=1, manque=6)
    assert failure(client.move).status == 0xA702


def test_a_move_that_lies_about_what_it_did(pacs: Pacs, station: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("comptes-faux", "C-MOVE", times=1, ecart=-2)
    result = client.move()
    assert (result.status, result.completed) == (0, 4)
    assert station.count() == 6


def test_the_line_of_a_move_is_cut(pacs: Pacs, station: Pacs) -> None:
    client = Client(pacs)
    pacs.faults.set("coupure", "C-MOVE", times=1, octets=4000)
    assert failure(client.move).kind == "aborted"
    assert 0 < station.count() < 6
    assert client.move().completed == 6


def test_a_get_fails_in_the_same_ways(pacs: Pacs) -> None:
    client, stored = Client(pacs), list[str]()
    pacs.faults.set("statut", "C-GET", times=1, statut=0xA702, apres=2)
    assert failure(lambda: client.get(stored)).status == 0xA702
    assert len(stored) == 2
    pacs.faults.set("partiel", "C-GET", times=1, manque=1)
    assert (client.get([]).status, client.get([]).status) == (0xB000, 0)
    pacs.faults.set("comptes-faux", "C-GET", times=1, ecart=3)
    assert client.get([]).completed == 9
    pacs.faults.set("coupure", "C-GET", times=1, octets=3000)
    assert failure(lambda: client.get([])).kind == "aborted"


def test_storing(pacs: Pacs, files: list[bytes]) -> None:
    client = Client(pacs)
    pacs.remove()
    pacs.faults.set("statut", "C-STORE", skip=1, times=1, statut=0xA700)
    pacs.faults.set("statut", "C-STORE", times=1, skip=2, statut=0xB000)
    assert client.store(files[:3]) == [0, 0xA700, 0xB000]
    assert pacs.count() == 2, "a failure keeps nothing, a warning does"
    assert [one.status for one in pacs.received] == [0, 0xA700, 0xB000]
    pacs.faults.set("abandon", "C-STORE", times=1)
    assert failure(lambda: client.store(files)).kind == "aborted"


# DICOMweb -------------------------------------------------------------------------------------


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def web(files: list[bytes]) -> AsyncIterator[tuple[Pacs, httpx.AsyncClient]]:
    pacs = build(PacsConfig(), ignore)
    for file in files:
        pacs.load(file)
    root = await pacs.start_web()
    async with httpx.AsyncClient(base_url=root, trust_env=False, timeout=10) as client:
        yield pacs, client
    await pacs.stop_web()


async def retrieved(client: httpx.AsyncClient) -> int:
    """How many instances a WADO-RS of the exam gives."""
    answer = await client.get(
        f"/studies/{EXAM.study_uid}",
        headers={"accept": 'multipart/related; type="application/dicom"'},
    )
    answer.raise_for_status()
    parser = Parser(boundary_of(answer.headers["content-type"]))
    found = [one for one in parser.feed(answer.content) if isinstance(one, PartEnd)]
    parser.finish()
    return len(found)


@pytest.mark.anyio
async def test_dicomweb_answers_by_an_error_or_in_part(
    web: tuple[Pacs, httpx.AsyncClient],
) -> None:
    pacs, client = web
    pacs.faults.set("http", "WADO-RS", times=1, code=500)
    pacs.faults.set("partiel", "WADO-RS", times=1, manque=2)
    with pytest.raises(httpx.HTTPStatusError, match="500"):
        await retrieved(client)
    assert [await retrieved(client), await retrieved(client)] == [4, 6]
    pacs.faults.set("http", "STOW-RS", times=1, code=503)
    assert (await client.post("/studies", content=b"")).status_code == 503


@pytest.mark.anyio
async def test_dicomweb_searches_wrongly(web: tuple[Pacs, httpx.AsyncClient]) -> None:
    pacs, client = web
    pacs.faults.set("vide", "QIDO-RS", times=1)
    assert (await client.get("/studies")).status_code == 204
    pacs.faults.set("comptes-faux", "QIDO-RS", times=1, ecart=10)
    (study,) = (await client.get("/studies")).json()
    assert study["00201208"]["Value"] == [16]
    pacs.faults.set("partiel", "QIDO-RS", times=1, manque=1)
    path = f"/studies/{EXAM.study_uid}/instances"
    assert [len((await client.get(path)).json()) for _ in range(2)] == [5, 6]


@pytest.mark.anyio
async def test_dicomweb_is_cut_or_slow(web: tuple[Pacs, httpx.AsyncClient]) -> None:
    pacs, client = web
    pacs.faults.set("coupure", "WADO-RS", times=1, octets=2000)
    with pytest.raises(httpx.RemoteProtocolError):
        await retrieved(client)
    pacs.faults.set("coupure", "WADO-RS", times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await retrieved(client)
    pacs.faults.set("lenteur", "WADO-RS", debit=1)
    with pytest.raises(httpx.ReadTimeout):
        await client.get(f"/studies/{EXAM.study_uid}", timeout=0.2)
    pacs.faults.clear()
    pacs.faults.set("retard", "WADO-RS", times=1, secondes=600)
    with pytest.raises(httpx.ReadTimeout):
        await client.get(f"/studies/{EXAM.study_uid}", timeout=0.2)
    pacs.faults.clear()
    assert await retrieved(client) == 6


# The menu -------------------------------------------------------------------------------------


def test_the_menu_refuses_what_it_does_not_have(pacs: Pacs) -> None:
    for kind, on, told in (
        ("panique", "C-FIND", "panne panique inconnue"),
        ("refus", "C-FIND", "service C-FIND inconnu .attendu : association"),
    ):
        with pytest.raises(BadFault, match=told):
            pacs.faults.set(kind, on)
    for values, told in (
        ({"statut": 0x10000}, "hexadécimal de 0001 à FEFF attendu"),
        ({"statut": "zz"}, "« zz » donné"),
        ({"code": 1}, "paramètre code inconnu"),
    ):
        with pytest.raises(BadFault, match=told):
            pacs.faults.set("statut", "C-FIND", **values)
    assert pacs.faults.placed == ()


def test_a_stopped_pacs_forgets_its_faults(pacs: Pacs) -> None:
    for kind in MENU:
        pacs.faults.set(kind.name, kind.services[0])
    pacs.stop()
    assert pacs.faults.placed == ()
    pacs.start()
    Client(pacs).echo()
