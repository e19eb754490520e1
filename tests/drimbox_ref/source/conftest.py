"""A Source whose outside world is made of fakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from drimbox_ref.credentials import Credentials
from tests.drimbox_ref.source.world import STUDIES, World, found_study, make_credentials, make_world


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(tmp_path: Path, credentials: Credentials) -> World:
    made = make_world(tmp_path / "state", credentials)
    for uid in STUDIES:
        made.pacs.studies[uid] = found_study(uid)
    return made
