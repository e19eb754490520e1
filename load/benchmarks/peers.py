"""Programs of others that benchmarks compare us with: found, started, stopped, or named as absent.

DCMTK and Orthanc leave Nagle's algorithm on unless told otherwise, and then wait 40 ms a message:
a comparison without `TCP_NODELAY=1` in their environment would be bogus.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.deadline import until
from bench.process import ChildBox

__all__ = [
    "AbsentError",
    "PeerError",
    "answers",
    "environment",
    "free_port",
    "orthanc",
    "our_process",
    "program",
    "run_timed",
    "started",
]

_FOLDERS = ("/usr/bin", "/usr/sbin", os.environ.get("PATH", ""))
"""pynetdicom installs scripts of the same names as DCMTK's programs: the system's come first."""
_START_S = 30.0
_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


class AbsentError(Exception):
    """A peer that is not on this machine; the text names it and what holds it."""


class PeerError(Exception):
    """A peer that failed: its time would mean nothing."""


def program(name: str, package: str) -> str:
    """The path of a program.

    Raises:
        AbsentError: it is not installed.
    """
    found = shutil.which(name, path=os.pathsep.join(_FOLDERS))
    if found is None:
        raise AbsentError(f"{name} absent (paquet {package})")
    return found


def environment() -> dict[str, str]:
    """What peers run in."""
    return {**os.environ, "TCP_NODELAY": "1"}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@contextmanager
def started(
    command: Sequence[str], ready: Callable[[], bool], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A server of another's, until it is left.

    Raises:
        PeerError: it does not answer.
    """
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment(),
        )
    try:
        if not until(lambda: process.poll() is not None or ready(), deadline_s=_START_S) or (
            process.poll() is not None
        ):
            raise PeerError(f"{command[0]} : {log.read_text(errors='replace')[-500:]}")
        yield process
    finally:
        process.terminate()
        process.wait(_START_S)


def run_timed(command: Sequence[str]) -> float:
    """Seconds that a program takes, from its start to its end.

    Raises:
        PeerError: it failed.
    """
    begun = time.perf_counter()
    done = subprocess.run(list(command), capture_output=True, check=False, env=environment())
    taken = time.perf_counter() - begun
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")[-500:]
        raise PeerError(f"{command[0]} : code {done.returncode} : {said}")
    return taken


@contextmanager
def our_process(module: str, config: Mapping[str, Any], folder: Path) -> Iterator[dict[str, str]]:
    """A module of ours as a process of its own, which writes its addresses once it listens."""
    name = module.rpartition(".")[2]
    file = folder / f"{name}.json"
    file.write_text(json.dumps(config))
    command = (sys.executable, "-m", module, "--config", "{config}", "--ready", "{ready}")
    box = ChildBox(name, command, file, folder)
    try:
        yield box.start()
    finally:
        box.stop()


@contextmanager
def orthanc(folder: Path) -> Iterator[tuple[int, str]]:
    """Orthanc at its quickest (no fsync, PDU of 128 KiB): its DIMSE port, its HTTP root.

    Raises:
        AbsentError: it is not installed.
    """
    found = program("Orthanc", "orthanc")
    if not _PLUGIN.is_file():
        raise AbsentError("greffon DICOMweb d'Orthanc absent (paquet orthanc-dicomweb)")
    dicom, http = free_port(), free_port()
    storage = folder / "orthanc"
    file = folder / "orthanc.json"
    file.write_text(
        json.dumps(
            {
                "StorageDirectory": str(storage),
                "IndexDirectory": str(storage),
                "HttpPort": http,
                "DicomPort": dicom,
                "DicomAet": "ORTHANC",
                "DicomAlwaysAllowStore": True,
                "DicomAlwaysAllowFind": True,
                "DicomAlwaysAllowMove": True,
                "SyncStorageArea": False,
                "MaximumPduLength": 131072,
                "OverwriteInstances": True,
                "Plugins": [str(_PLUGIN)],
            }
        )
    )
    with started([found, str(file)], lambda: answers(dicom) and answers(http), folder):
        yield dicom, f"http://127.0.0.1:{http}"
