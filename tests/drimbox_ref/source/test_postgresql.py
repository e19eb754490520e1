"""The same tests of publication, archive and trail, with PostgreSQL as the durable state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drimbox_ref.credentials import Credentials
from drimbox_ref.database import Database, DatabaseError
from tests.drimbox_ref.postgresql import Server, running
from tests.drimbox_ref.source.test_archive import *  # noqa: F403  (the same tests)
from tests.drimbox_ref.source.test_publication import *  # noqa: F403  (the same tests)
from tests.drimbox_ref.source.test_trail import *  # noqa: F403  (the same tests)
from tests.drimbox_ref.source.world import STUDIES, World, found_study, make_world

pytestmark = [pytest.mark.anyio, pytest.mark.interop]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def world(tmp_path: Path, credentials: Credentials, server: Server) -> Iterator[World]:
    made = make_world(tmp_path / "state", credentials, url=server.database())
    for uid in STUDIES:
        made.pacs.studies[uid] = found_study(uid)
    yield made
    made.database.close()


def test_the_state_is_not_in_a_file(world: World) -> None:
    assert world.database.engine.dialect.name == "postgresql"
    assert not (world.state / "source.sqlite").exists()


def test_a_server_that_is_not_there_is_told_without_its_password(server: Server) -> None:
    with pytest.raises(DatabaseError) as raised:
        Database("postgresql://kit:sesame@127.0.0.1:1/box?connect_timeout=2")
    assert "127.0.0.1" in str(raised.value)
    assert "sesame" not in str(raised.value)
