"""What the tests of the Consumer's parts share: one PKI, fakes of the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from drimbox_ref.credentials import Credentials
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
