"""What the tests of the Consumer's parts share: one PKI, fakes of the outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal

from drimbox_ref.credentials import Credentials
from tests.drimbox_ref.consumer.bed import NUMBERS, SOURCE, Bed, Sync
from tests.drimbox_ref.consumer.world import World, make_credentials


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture
def world(tmp_path: Path, credentials: Credentials) -> World:
    return World(tmp_path, credentials)


@pytest.fixture(scope="module")
def running(portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    bed = Bed(tmp_path_factory.mktemp("bed"))
    portal.call(bed.start)
    yield bed
    portal.call(bed.stop)


@pytest.fixture
def bed(portal: BlockingPortal, running: Bed) -> Iterator[Sync]:
    running.ins = f"2790351{next(NUMBERS):08d}"
    running.patient()
    running.list_hosts(SOURCE)
    lifetimes = running.psc.lifetimes
    usual = lifetimes.access
    yield Sync(portal, running)
    lifetimes.access = usual
    running.psc.faults.clear()
