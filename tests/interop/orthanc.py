"""An Orthanc of its own for the tests, when it is on this machine: a program run beside, no more.

Orthanc is free software under the GPL: it is installed by who wants it (`make interop` on Debian),
and nothing of it is part of drimbench.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from bench.archives import MODALITY
from bench.deadline import until
from bench.profile import EMBEDDED
from tests.bench.test_external import free_ports

__all__ = ["AE_TITLE", "Orthanc", "program", "running", "sample_configuration"]

AE_TITLE = "ORTHANC"
_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
_START_S = 30.0
_COMMENTS = re.compile(r'("(?:\\.|[^"\\])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)


@dataclass(frozen=True)
class Orthanc:
    """Where it answers, and where it sends what a C-MOVE to the Source asks for."""

    http: str
    """Root of its REST API."""
    dicom: int
    source: int
    """The port that it knows of the Source's C-STORE."""

    def profile(self, manner: str = "écouté", **more: Any) -> dict[str, Any]:
        """The tables of a profile whose site has this PACS."""
        changes = Path(__file__).parents[2] / "examples" / "orthanc_changes.py"
        return {
            "claims": {"consumer": False},
            "neighbours": {"pacs": f"{manner} 127.0.0.1:{self.dicom} {AE_TITLE}"},
            "source": {
                "ports": {"dicom": self.source},
                "pacs_changes": ["{python}", str(changes), self.http],
            },
            **more,
        }


def program() -> str:
    """Its path; skips, by name, when it is not there."""
    found = shutil.which("Orthanc", path=os.pathsep.join(("/usr/sbin", os.environ.get("PATH", ""))))
    if found is None:
        pytest.skip("programme absent : Orthanc")
    if not _PLUGIN.is_file():
        pytest.skip(f"greffon absent : {_PLUGIN} (orthanc-dicomweb)")
    return found


def sample_configuration() -> dict[str, Any]:
    """What Orthanc is when nobody has changed anything, as it says itself."""
    with TemporaryDirectory(prefix="drimbench-orthanc-") as folder:
        file = Path(folder) / "orthanc.json"
        subprocess.run([program(), f"--config={file}"], check=True, capture_output=True, timeout=60)
        text = file.read_text(encoding="utf-8")
    plain = _COMMENTS.sub(lambda found: found[1] or "", text)
    read: dict[str, Any] = json.loads(plain)
    return read


@contextmanager
def running() -> Iterator[Orthanc]:
    """Start one on free ports, without a file kept, and stop it in the end."""
    command = program()
    http, dicom, source = free_ports(3)
    here = Orthanc(f"http://127.0.0.1:{http}", dicom, source)
    with TemporaryDirectory(prefix="drimbench-orthanc-") as name:
        folder = Path(name)
        (folder / "orthanc.json").write_text(
            json.dumps(
                {
                    "StorageDirectory": str(folder / "storage"),
                    "IndexDirectory": str(folder / "storage"),
                    "HttpPort": http,
                    "DicomPort": dicom,
                    "DicomAet": AE_TITLE,
                    "DicomCheckCalledAet": True,
                    "DicomModalities": {
                        "source": [EMBEDDED.source.ae_title, "127.0.0.1", source],
                        "banc": [MODALITY, "127.0.0.1", 1],
                    },
                    "Plugins": [str(_PLUGIN)],
                }
            )
        )
        log = folder / "log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                [command, str(folder / "orthanc.json")],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            if not until(lambda: _answers(here, started), deadline_s=_START_S):
                pytest.fail(f"Orthanc ne répond pas : {log.read_text(errors='replace')[-2000:]}")
            yield here
        finally:
            started.terminate()
            started.wait(_START_S)


def _answers(here: Orthanc, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        return True  # it ended: the first who asks will say so
    try:
        return httpx.get(f"{here.http}/system", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
