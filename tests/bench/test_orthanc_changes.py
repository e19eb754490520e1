"""The program of a site whose PACS is an Orthanc, before an HTTP server that answers as one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "examples" / "orthanc_changes.py"
HELD = {"StudyInstanceUID": {"1.2": "study-1"}, "SOPInstanceUID": {"1.2.3": "instance-1"}}
DOWN = "AE qui ne répond pas"


class FakeOrthanc(ThreadingHTTPServer):
    """Holds one study of one instance, and keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: FakeOrthanc

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(f"{self.command} {self.path}")
        status, answer = 200, {}
        if self.path == "/tools/find":
            ((key, uid),) = json.loads(content)["Query"].items()
            answer = [HELD[key][uid]] if uid in HELD[key] else []  # type: ignore[assignment]
        elif self.path == "/modalities?expand":
            answer = {"ma source": {"AET": "BOX"}, "panne": {"AET": "DOWN"}}
        elif self.path == "/modalities/panne/store":
            status, answer = 500, {"Details": DOWN}
        elif self.path == "/modalities/ma%20source/store":
            assert json.loads(content) == "instance-1"
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    do_GET = do_POST = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def orthanc() -> Iterator[FakeOrthanc]:
    with FakeOrthanc() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def call(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False,
        encoding="utf-8", timeout=60,
        env={**os.environ, "PYTHONUTF8": "1", "http_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("action", "last"),
    [
        (("remove-study", "1.2"), "DELETE /studies/study-1"),
        (("remove-instance", "1.2", "1.2.1", "1.2.3"), "DELETE /instances/instance-1"),
        (("send", "1.2", "1.2.1", "1.2.3", "BOX"), "POST /modalities/ma%20source/store"),
    ],
)
def test_what_it_does(orthanc: FakeOrthanc, action: tuple[str, ...], last: str) -> None:
    assert call(orthanc.root, *action) == (0, "")
    assert orthanc.asked[-1] == last


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (("remove-study", "9.9"), "Orthanc tient 0 objet(s) d'identifiant 9.9, 1 attendu"),
        (("send", "1.2", "1.2.1", "1.2.3", "AUTRE"), "Orthanc ne connaît pas AUTRE"),
        (("send", "1.2", "1.2.1", "1.2.3", "DOWN"), DOWN),
    ],
)
def test_what_it_cannot_do(orthanc: FakeOrthanc, action: tuple[str, ...], told: str) -> None:
    code, said = call(orthanc.root, *action)
    assert code == 1
    assert told in said
    assert not any(one.startswith("DELETE") for one in orthanc.asked)


def test_what_it_does_not_know(orthanc: FakeOrthanc) -> None:
    for arguments in ((), (orthanc.root, "import-xdm", "a.zip")):
        code, said = call(*arguments)
        assert code == 64
        assert "pacs_changes" in said
    assert orthanc.asked == []


def test_an_orthanc_that_is_not_there(orthanc: FakeOrthanc) -> None:
    root = orthanc.root
    orthanc.shutdown()
    orthanc.server_close()
    code, said = call(root, "remove-study", "1.2")
    assert code == 1
    assert f"POST {root}/tools/find : " in said
