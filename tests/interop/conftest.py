"""One published series in a whole bed, and strangers' programs; absent ones skip by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from load.benchmarks.workbench import PublishedSeries, workbench


@dataclass(frozen=True)
class Done:
    """What a program answered."""

    code: int
    out: bytes
    text: str
    """Standard output and error."""


def run(name: str, *arguments: str | Path, data: bytes = b"") -> Done:
    """Run a foreign program, or skip the test by its name."""
    # pynetdicom installs scripts of the same names as DCMTK's programs: the system's come first.
    folders = ("/usr/bin", os.environ.get("PATH", ""), str(Path(sys.executable).parent))
    program = shutil.which(name, path=os.pathsep.join(folders))
    if program is None:
        pytest.skip(f"programme absent : {name}")
    done = subprocess.run(
        [program, *map(str, arguments)],
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
        # DCMTK leaves Nagle's algorithm on unless told otherwise.
        env={**os.environ, "TCP_NODELAY": "1"},
    )
    return Done(
        done.returncode, done.stdout, (done.stdout + done.stderr).decode("utf-8", "replace")
    )


@pytest.fixture(scope="session")
def series() -> Iterator[PublishedSeries]:
    """Three CT images in the PACS, published by the reference Source in its own process."""
    with workbench() as bench:
        yield bench.publish(3)


@pytest.fixture(scope="session")
def kos_file(series: PublishedSeries, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The KOS as the DMP holds it."""
    ins = series.story.patient.ins
    assert ins is not None
    uid = series.imaging.manifest.sop_instance
    documents = series.story.bed.dmp.documents(ins.value, ins.oid)
    (kos,) = [one for one in documents if one.entry.unique_id == uid]
    path = tmp_path_factory.mktemp("kos") / "kos.dcm"
    path.write_bytes(kos.content)
    return path
