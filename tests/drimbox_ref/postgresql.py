"""A PostgreSQL server of its own for the tests, when its programs are on this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

__all__ = ["Server", "running"]

_USER = "postgres"
"""Whom the server runs as when the tests are root's: it refuses to be root."""


class Server:
    """A server on a free port of 127.0.0.1, without durability: it lives as long as the tests."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = count(1)

    def database(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"box{next(self._numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://kit@127.0.0.1:{self._port}/{name}"


@contextmanager
def running() -> Iterator[Server]:
    """Start a server and stop it in the end; skips, by name, when something is not there."""
    pytest.importorskip("psycopg", reason="psycopg absent (extra postgres)")
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="drimbench-pg-"))
    user: dict[str, str] = {}
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        user = {"user": _USER, "group": _USER}
        shutil.chown(folder, _USER, _USER)
    data = folder / "data"

    def call(name: str, *arguments: str) -> None:
        command = [str(programs / name), *arguments]
        with (folder.with_suffix(".log")).open("ab") as log:
            subprocess.run(command, check=True, cwd=folder, stdout=log, stderr=log, **user)

    port = _free_port()
    try:
        call("initdb", "-D", str(data), "-A", "trust", "-U", "kit", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -h 127.0.0.1 -k '' -F"
        call("pg_ctl", "start", "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"))
        yield Server(port)
    finally:
        if (data / "postmaster.pid").exists():
            call("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_suffix(".log").unlink(missing_ok=True)


def _programs() -> Path:
    """Where initdb and pg_ctl are."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    pytest.skip("PostgreSQL (initdb, pg_ctl) absent")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
