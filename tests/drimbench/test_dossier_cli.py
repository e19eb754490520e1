"""`drimbench pack` and `drimbench verify` as a user types them, stamped by the test authority."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bench.decisions import attach
from drimbench.dossier_cli import Purpose
from protocols.timestamp import REPLY_TYPE, timestamp_request
from reports.dossier.packing import Shape
from simulators.igc import Pki, pem
from simulators.igc.tsa import TimeStamper
from tests.bench.written import write_run

RUN = "20260101T000000Z-aaaa"


def drimbench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "drimbench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"},
    )


@pytest.fixture(scope="module")
def pki() -> Pki:
    return Pki.create(
        clock=lambda: datetime.now(UTC), crl_url="http://igc.test/CRL/KIT-ACI-EL-ORG.crl"
    )


@pytest.fixture
def authority(pki: Pki) -> Iterator[str]:
    """A stranger's HTTP server in front of the authority; `/autre` stamps something else."""
    stamper = TimeStamper(pki)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/autre":
                asked = timestamp_request(hashlib.sha256(b"autre").digest(), nonce=1)
            answer = stamper.answer(asked)
            self.send_response(200)
            self.send_header("Content-Type", REPLY_TYPE)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on the console of the tests."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path, pki: Pki) -> Path:
    write_run(tmp_path / "runs", RUN, {"SCN-1": None})
    who = pki.sign("KIT EDITEUR", "300000000000001")
    who.write(tmp_path, "editeur")
    (tmp_path / "racine.pem").write_bytes(pem(pki.igc_root))
    return tmp_path


SIGNED = ("--key", "editeur.key", "--cert", "editeur.pem")


def test_a_dossier_from_run_to_verification(folder: Path, authority: str) -> None:
    packed = drimbench(folder, "pack", "-o", "d.zip", *SIGNED, "--tsa", authority)
    assert packed.returncode == 0, packed.stderr
    assert "signé, horodaté" in packed.stderr
    told = drimbench(folder, "verify", "d.zip", "--trust", "racine.pem")
    assert told.returncode == 0, told.stdout
    assert "d.zip : intact" in told.stdout
    assert "KIT EDITEUR" in told.stdout
    assert drimbench(folder, "verify", "d.zip").returncode == 2
    later = ("--at", "2099-01-01T00:00:00Z", "--json")
    expired = drimbench(folder, "verify", "d.zip", "--trust", "racine.pem", *later)
    assert expired.returncode == 1
    assert "timestamp-expired" in {one["kind"] for one in json.loads(expired.stdout)["faults"]}


def test_what_is_added_to_a_packed_run_is_refused(folder: Path) -> None:
    assert drimbench(folder, "pack", "-o", "d.zip", "--json").returncode == 0
    (folder / "f.png").write_bytes(b"x")
    for words in (
        ("attach", "@1", "SCN-1", "f.png"),
        ("rejudge",),
        ("pack",),
        ("report", f"runs/{RUN}"),
    ):
        refused = drimbench(folder, *words)
        assert refused.returncode == 64, words
        assert "d.zip" in refused.stderr
    assert drimbench(folder, "rejudge", "--output", "ailleurs").returncode == 0


def test_a_leak_is_told_and_nothing_is_written(folder: Path) -> None:
    (folder / "f.txt").write_text("ok\nPID|1||1^^^X||DURAND^JEANNE^^^^^L\n")
    attach(folder / "runs" / RUN, "SCN-1", folder / "f.txt", by="A")
    refused = drimbench(folder, "pack", "-o", "d.zip")
    assert refused.returncode == 1
    assert "pieces/SCN-1/f.txt, ligne 2" in refused.stderr
    assert "DURAND" not in refused.stderr
    assert not (folder / "d.zip").exists()
    (found,) = json.loads(drimbench(folder, "pack", "-o", "d.zip", "--json").stdout)["leaks"]
    assert (found["file"], found["line"]) == ("pieces/SCN-1/f.txt", 2)
    (folder / "patients.txt").write_text("Durand\n")
    assert drimbench(folder, "pack", "-o", "d.zip", "--patients", "patients.txt").returncode == 0


def test_wrong_uses_say_why(folder: Path, authority: str) -> None:
    for words, said in (
        (("pack", "--key", "editeur.key"), "vont ensemble"),
        (("pack", "--key", "rien.key", "--cert", "editeur.pem"), "illisible"),
        (("pack", "--key", "editeur.key", "--cert", "racine.pem"), "premier certificat"),
        (("pack", "--tsa", authority), "accompagne --key"),
        (("pack", *SIGNED, "--tsa", f"{authority}/autre"), "porte sur autre chose"),
        (("pack", *SIGNED, "--tsa", "http://127.0.0.1:9/"), "--tsa"),
        (("verify", "rien.zip"), "illisible"),
        (("verify", "rien.zip", "--at", "hier"), "ISO 8601"),
    ):
        refused = drimbench(folder, *words)
        assert refused.returncode == 64, words
        assert said in refused.stderr, refused.stderr
    assert not list(folder.glob("*.zip"))
    assert not list(folder.glob(".*part"))


def test_the_dossier_of_a_new_version(folder: Path) -> None:
    for words in (
        ("--for", "version"),
        ("--since", "@2"),
        ("--for", "referencement", "--since", RUN),
    ):
        refused = drimbench(folder, "pack", *words)
        assert refused.returncode == 64, words
        assert "vont ensemble" in refused.stderr
    again = "20260201T000000Z-bbbb"
    write_run(folder / "runs", again, {"SCN-1": None})
    version = ("--for", "version", "--since", RUN)
    packed = drimbench(folder, "pack", again, *version, "-o", "d.zip", "--json")
    assert packed.returncode == 0, packed.stderr
    assert json.loads(packed.stdout)["shape"] == "version"
    refused = drimbench(folder, "pack", RUN, "--for", "version", "--since", again)
    assert refused.returncode == 64
    assert "jouée après" in refused.stderr


def test_each_purpose_is_a_shape() -> None:
    assert [one.value for one in Purpose] == [one.value for one in Shape]
