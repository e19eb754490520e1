"""12,000 short associations by four threads: what was acknowledged is there, at us, at DCMTK."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.deadline import until
from load.benchmarks.c_find import exams
from load.benchmarks.peers import answers, free_port
from protocols.dicom import split_part10
from spec.dicom import EXPLICIT_VR_LITTLE_ENDIAN
from wire.dimse import DimseClient, DimsePeer, Handlers, StoreRequest, serve_dimse
from wire.exchange import ignore

pytestmark = [pytest.mark.interop, pytest.mark.slow]

_THREADS, _EACH = 4, 3_000
_CT = "1.2.840.10008.5.1.4.1.1.2"
_PATIENCE_S = 20.0


@contextmanager
def ours(folder: Path) -> Iterator[int]:
    """Our receiver, which makes an empty file of each instance."""

    def store(request: StoreRequest) -> int:
        (folder / request.sop_instance).touch()
        return 0x0000

    server = serve_dimse(
        Handlers(store=store),
        ae_title="ANY-SCP",
        actor="a",
        observe=ignore,
        storage={_CT: [EXPLICIT_VR_LITTLE_ENDIAN]},
    )
    try:
        yield server.port
    finally:
        server.stop()


@contextmanager
def dcmtk(folder: Path) -> Iterator[int]:
    """DCMTK's `storescp`, a process for each association."""
    program = shutil.which("storescp", path="/usr/bin")
    if program is None:
        pytest.skip("programme absent : storescp")
    port = free_port()
    process = subprocess.Popen(
        [program, "--fork", "-od", str(folder), str(port)],
        env={**os.environ, "TCP_NODELAY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert until(lambda: answers(port), deadline_s=_PATIENCE_S)
        yield port
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


@pytest.mark.parametrize("receiver", [ours, dcmtk])
def test_no_acknowledged_instance_is_lost(tmp_path: Path, receiver: object) -> None:
    assert callable(receiver)
    part = split_part10(next(exams(1)))
    acknowledged: list[set[str]] = [set() for _ in range(_THREADS)]
    with receiver(tmp_path) as port:
        peer = DimsePeer("127.0.0.1", port, "ANY-SCP")

        def send(thread: int) -> None:
            client = DimseClient("BENCH", actor="b", observe=ignore, timeout=_PATIENCE_S)
            for number in range(_EACH):
                # As long as the one that it replaces.
                uid = f"2.25.{thread + 1}.{100_000_000 + number}"
                with client.open_store(peer, [(_CT, EXPLICIT_VR_LITTLE_ENDIAN)]) as session:
                    status = session.send(
                        part.dataset.replace(part.sop_instance.encode(), uid.encode()),
                        sop_class=_CT,
                        sop_instance=uid,
                        transfer_syntax=EXPLICIT_VR_LITTLE_ENDIAN,
                    )
                if status == 0x0000:
                    acknowledged[thread].add(uid)

        threads = [threading.Thread(target=send, args=(one,)) for one in range(_THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    # Each was acknowledged, and each is kept: DCMTK names its files by modality and instance.
    told = set().union(*acknowledged)
    assert len(told) == _THREADS * _EACH
    kept = {one.name.partition(".")[2] if one.name[:2] == "CT" else one.name
            for one in tmp_path.iterdir()}  # fmt: skip
    assert told <= kept
