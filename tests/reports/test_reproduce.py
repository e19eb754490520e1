"""The lines that do a failure again: strangers run them, and send what the bench had sent."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from bench.results import Expectation, Run
from bench.verdicts import Verdict
from reports.reproduce import reproductions
from tests.reports.conftest import exchange, recorded, refused, request, step
from tests.wire.conftest import TinyPki, pki  # noqa: F401
from validators.finding import Finding, Severity
from wire.exchange import Direction, Exchange, Outcome, Payload, Reach, TlsInfo
from wire.http_client import HttpClient
from wire.http_server import serve_http
from wire.mllp_client import MllpClient
from wire.mllp_server import serve_mllp
from wire.shard import BlobStore

CURL = shutil.which("curl")
needs_curl = pytest.mark.skipif(CURL is None, reason="curl n'est pas là")


def scenario(run: Run, *made: Exchange, **changes: Any) -> Any:
    """A failed scenario with these exchanges, which failed at its second step."""
    fields: dict[str, Any] = {
        "steps": (step(0, "Étant donné", "x"), step(1, "Quand", "y", Verdict.FAIL)),
        "expectations": (), "findings": (),
        "exchanges": tuple(
            recorded(f"e{rank}", one, step=1) for rank, one in enumerate(made, 1)
        ),
    }  # fmt: skip
    return replace(run.scenarios[0], **{**fields, **changes})


def run_line(line: str, folder: Path) -> bytes:
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, capture_output=True, check=False, timeout=30
    ).stdout


def in_a_loop(work: Callable[[], Awaitable[Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 60))


@needs_curl
def test_a_report_is_sent_again(run: Run, tmp_path: Path) -> None:
    message = "MSH|^~\\&|RIS|A|BOX|B|20261122||ORU^R01|1|T|2.5\rPID|1||é\r".encode()
    got: list[bytes] = []
    seen: list[Exchange] = []

    async def work() -> bytes:
        async def take(data: bytes, peer: object) -> bytes:
            got.append(data)
            return b"MSH|^~\\&|\rMSA|AA|1\r"

        server = await serve_mllp(take, actor="source", observe=lambda one: None)
        async with MllpClient("127.0.0.1", server.port, actor="ris", observe=seen.append) as client:
            await client.send(message)
        BlobStore(tmp_path / "blobs").put(message)
        lines = reproductions(scenario(run, *seen))
        line = lines[0].command.replace("--max-time 5", "--max-time 2")
        answer = await asyncio.to_thread(run_line, line, tmp_path)
        await server.stop()
        return answer

    answer = in_a_loop(work)
    assert got == [message, message]
    assert b"MSA|AA|1" in answer


@needs_curl
def test_a_request_is_sent_again_with_its_certificate_and_its_secret_read_elsewhere(
    run: Run,
    tmp_path: Path,
    pki: TinyPki,  # noqa: F811
) -> None:
    serving, calling = pki.serving("required"), pki.calling(pki.client)
    got: list[tuple[str, str, bytes, str]] = []
    seen: list[Exchange] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked = Request(scope, receive)
        got.append((asked.method, str(asked.url), await asked.body(),
                    asked.headers.get("x-kind", "")))  # fmt: skip
        await PlainTextResponse("ici")(scope, receive, send)

    async def work() -> bytes:
        server = await serve_http(app, actor="source", observe=lambda one: None, tls=serving)
        address = f"127.0.0.1:{server.port}"
        async with HttpClient(
            actor="pair", observe=seen.append, tls=calling, connect_to={"db.kit.test": address}
        ) as client:
            await client.request(
                "POST", "https://db.kit.test/a/b?c=d%20e", content=b"l'octet \x00",
                headers=[("X-Kind", "it's $HOME"), ("Authorization", "Bearer secret-de-test")],
            )  # fmt: skip
        BlobStore(tmp_path / "blobs").put(b"l'octet \x00")
        lines = reproductions(scenario(run, *seen))
        assert "secret-de-test" not in lines[0].command
        assert "drimbench extract . e1 --header" in lines[0].command
        answer = await asyncio.to_thread(run_line, lines[0].command, tmp_path)
        await server.stop()
        return answer

    assert in_a_loop(work) == b"ici"
    assert len(got) == 2
    assert got[0] == got[1]
    assert got[0][3] == "it's $HOME"


def test_a_refused_handshake_is_done_again_by_openssl(run: Run) -> None:
    reach = Reach(
        address="127.0.0.1:8443", trust="pki/m.pem", certificate="pki/c.pem", key="pki/c.key"
    )
    made = exchange(
        1.0, direction=Direction.OUT, outcome=Outcome.REFUSED, transaction="WADO-RS", reach=reach,
        tls=TlsInfo(server_name="box.test", reason="TLSV1_ALERT_UNKNOWN_CA"),
        request=request("GET /a"),
    )  # fmt: skip
    first, second = reproductions(scenario(run, made))
    assert first.command == (
        "openssl s_client -connect 127.0.0.1:8443 -CAfile pki/m.pem -cert pki/c.pem "
        "-key pki/c.key -servername box.test </dev/null"
    )
    assert second.command.startswith("curl ")


def test_an_image_that_the_product_asked_for_is_no_stimulus(run: Run) -> None:
    stored = exchange(
        2.0, protocol="DIMSE", direction=Direction.OUT, transaction="C-STORE",
        reach=Reach(address="127.0.0.1:11112"),
        request=Payload(start_line="C-STORE-RQ", head=(
            ("CallingAETitle", "KITPACS"), ("CalledAETitle", "BOX"),
            ("AffectedSOPInstanceUID", "1.2.3"))),
    )  # fmt: skip
    asked = replace(stored, request=replace(
        stored.request, head=(*stored.request.head, ("MoveOriginatorMessageID", "7"))
    ))  # fmt: skip
    (line,) = reproductions(scenario(run, stored))
    assert line.command == (
        "storescu -v -aet KITPACS -aec BOX 127.0.0.1 11112 IMAGE.dcm  # instance 1.2.3"
    )
    assert reproductions(scenario(run, asked)) == ()


def test_the_exchange_that_an_expectation_names_comes_first(run: Run) -> None:
    """The wrong request stands between two right ones: it is the one to do again."""
    reach = Reach(address="127.0.0.1:80")
    before, wrong, after = (
        exchange(at, direction=Direction.OUT, reach=reach, transaction="WADO-RS",
                 request=request(f"GET /{path}"))
        for at, path in ((1.0, "avant"), (2.0, "fautive"), (3.0, "apres"))
    )  # fmt: skip
    unmet = Expectation(scenario="x", step=1, what="refus", met=False, requirements=(),
                        exchanges=("e2",))  # fmt: skip
    found = reproductions(scenario(run, before, wrong, after, expectations=(unmet,)))
    assert [line.command.rpartition("/")[2] for line in found] == ["fautive"]
    found = reproductions(scenario(run, before, wrong, after))
    assert [line.command.rpartition("/")[2] for line in found] == ["apres"]


def test_what_the_product_sent_is_judged_again(run: Run) -> None:
    """A publication whose judge found an error; images, kept by their beginning, are not."""
    publication = run.scenarios[0]
    lines = [line.command for line in reproductions(publication)]
    assert lines == ["drimbench extract . e3 | drimbench validate iti-41 -"]
    wrong = Finding(rule="X-1", severity=Severity.ERROR, message="non")
    images = next(
        one for one in run.scenarios[1].exchanges if one.exchange.transaction == "WADO-RS"
    )
    got = replace(images, exchange=replace(images.exchange, direction=Direction.OUT))
    failed = replace(
        run.scenarios[1], verdict=Verdict.FAIL, findings=((images.id, wrong),), exchanges=(got,)
    )
    assert reproductions(failed) == ()


def test_a_scenario_that_passed_has_nothing_to_do_again(run: Run) -> None:
    passed = replace(run.scenarios[0], verdict=Verdict.PASS)
    assert reproductions(passed) == ()
    assert reproductions(scenario(run, refused(1.0))) == ()
