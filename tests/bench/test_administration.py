"""What a Source's local pages prove, and what one that does not answer leaves open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from bench.administration import Administration
from bench.deadline import until
from bench.feed import Feed
from bench.outcomes import CannotVerify, NotMet, StepKind
from bench.profile import EMBEDDED, Profile
from bench.publishing import Publishing
from bench.stage import ScenarioInfo, Stage
from tests.bench.test_external import free_ports
from wire.shard import Shard

QUICK = EMBEDDED.model_copy(
    update={"timing": EMBEDDED.timing.model_copy(update={"effect_s": 0.1, "retry_window_s": 0.0})}
)


class Page(ThreadingHTTPServer):
    """An administration page that says, to each question in turn, what the test wrote."""

    def __init__(self, *said: bytes | None) -> None:
        self.said = list(said)
        super().__init__(("127.0.0.1", 0), _Answer)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Page

    def do_GET(self) -> None:
        said = self.server.said.pop(0) if len(self.server.said) > 1 else self.server.said[0]
        self.send_response(503 if said is None else 200)
        self.end_headers()
        self.wfile.write(said or b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def page(*said: bytes | None) -> Iterator[str]:
    server = Page(*said)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def publishing(run: Path, address: str, profile: Profile = QUICK) -> Iterator[Publishing]:
    """A publication of which only the Source's page is looked at."""
    with closing(Shard(run, "bench")) as shard:
        info = ScenarioInfo(
            id="SCN-KIT-01", title="T", feature="F", domain="publication", requirements=(),
            roles=frozenset({"source"}), steps=(("Alors", StepKind.THEN, "t"),),
        )  # fmt: skip
        stage = Stage(info, Feed(shard), shard, profile, 1)
        stage.begin_step("Alors", StepKind.THEN, "t")
        story = SimpleNamespace(stage=stage, publisher={"admin": address}, case=stage.case)
        yield Publishing(story)  # type: ignore[arg-type]


def rows(*states: str) -> bytes:
    return json.dumps([{"state": state} for state in states]).encode()


def test_a_page_that_shows_nothing_waiting_proves_it(tmp_path: Path) -> None:
    with page(rows("sent", "sent")) as address, publishing(tmp_path, address) as one:
        one.expect_settled()
        assert one.story.stage.asserted == 1


def test_a_page_that_shows_something_waiting_disproves_it(tmp_path: Path) -> None:
    with (
        page(rows("sent", "pending")) as address,
        publishing(tmp_path, address) as one,
        pytest.raises(NotMet, match="1 envoi"),
    ):
        one.expect_settled()


def test_a_dead_page_proves_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with (
        publishing(tmp_path, f"127.0.0.1:{port}") as one,
        pytest.raises(CannotVerify, match=f"127.0.0.1:{port} .*ne répond pas"),
    ):
        one.expect_settled()


@pytest.mark.parametrize("said", [None, b"<html>", b"{}", b"[1]"])
def test_a_page_that_answers_something_else_proves_nothing(
    said: bytes | None, tmp_path: Path
) -> None:
    with (
        page(said) as address,
        publishing(tmp_path, address) as one,
        pytest.raises(CannotVerify, match="ne répond pas"),
    ):
        one.expect_settled()


def test_a_page_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    patient = EMBEDDED
    with (
        page(None, None, rows("pending"), rows()) as address,
        publishing(tmp_path, address, patient) as one,
    ):
        one.expect_settled()
        assert one.story.stage.asserted == 1


def test_what_a_dead_page_should_have_shown_is_not_said_to_be_missing(tmp_path: Path) -> None:
    with (
        page(None) as address,
        publishing(tmp_path, address) as one,
        pytest.raises(NotMet, match="la page d'administration ne répond pas"),
    ):
        one.expect_alert()


def test_rows_are_none_while_nobody_answers(tmp_path: Path) -> None:
    with page(None, rows("a"), rows("a", "b")) as address, publishing(tmp_path, address) as one:
        pages = Administration(address, one.story.stage)
        assert until(lambda: pages.rows("outbox") != [], deadline_s=5.0)
        assert pages.rows("outbox", state="b") == [{"state": "b"}]
