"""C-STORE: our receiver against `storescp` and Orthanc, our sender against `storescu`.

A receiver is a process that makes a file of each instance; `storescu` sends to all of them, its
start included, the same for all. A sender reads the same files, for a `storescp` that throws away.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from load.benchmarks.images import CT, MG, Sort, files
from load.benchmarks.measure import Measure, Skipped, faster
from load.benchmarks.peers import (
    AbsentError,
    PeerError,
    answers,
    free_port,
    orthanc,
    our_process,
    program,
    run_timed,
    started,
)
from protocols.dicom import Part10, split_part10
from wire.dimse import DimseClient, DimsePeer
from wire.exchange import ignore

__all__ = ["NAME", "run"]

NAME = "c_store"
_ROUNDS = 7
_UNIT = "images/s"
_HEAD = 4_096
"""Bytes that hold the meta information of a file."""
_STORESCP, _ORTHANC = 1.0, 2.0
"""How many times as fast as each we receive, at least."""


def run(*, rounds: int = _ROUNDS, sorts: tuple[Sort, ...] = (CT, MG)) -> list[Measure | Skipped]:
    """Measure what the programs on this machine allow.

    Raises:
        PeerError: one of them fails.
    """
    try:
        tools = (program("storescu", "dcmtk"), program("storescp", "dcmtk"))
    except AbsentError as absent:
        return [Skipped(benchmark=NAME, name="C-STORE", reason=str(absent))]
    lines: list[Measure | Skipped] = []
    with tempfile.TemporaryDirectory(prefix="drimbench-") as name, ExitStack() as stack:
        folder = Path(name)
        kept = {who: folder / who for who in ("ours", "storescp")}
        for one in kept.values():
            one.mkdir()
        ours = stack.enter_context(
            our_process("load.benchmarks.receiver", {"folder": str(kept["ours"])}, folder)
        )
        port = int(ours["dicom"].rpartition(":")[2])
        storescp = stack.enter_context(_storescp(tools[1], folder, "-od", str(kept["storescp"])))
        try:
            other: int | str = stack.enter_context(orthanc(folder))[0]
        except AbsentError as absent:
            other = str(absent)
        null = stack.enter_context(_storescp(tools[1], folder, "--ignore"))
        for sort in sorts:
            sent = folder / sort.modality
            sent.mkdir()
            for rank, data in enumerate(files(sort)):
                (sent / f"{rank:05d}.dcm").write_bytes(data)
            scu = _Scu(tools[0], sent)
            receive = _received(scu, port, kept["ours"], sort.count)
            lines.append(
                faster(
                    NAME, f"réception de {sort.words}", "storescp, par défaut", receive,
                    _received(scu, storescp, kept["storescp"], sort.count),
                    amount=sort.count, unit=_UNIT, rounds=rounds, floor=_STORESCP,
                )
            )  # fmt: skip
            if isinstance(other, str):
                title = f"réception de {sort.words}, face à Orthanc"
                lines.append(Skipped(benchmark=NAME, name=title, reason=other))
            else:
                lines.append(
                    faster(
                        NAME, f"réception de {sort.words}", "Orthanc, sans fsync", receive,
                        partial(scu.seconds, other, "-aec", "ORTHANC"),
                        amount=sort.count, unit=_UNIT, rounds=max(2, rounds // 2), floor=_ORTHANC,
                    )
                )  # fmt: skip
            lines.append(
                faster(
                    NAME, f"envoi de {sort.words}", "storescu", _sent(sent, null),
                    partial(scu.seconds, null),
                    amount=sort.count, unit=_UNIT, rounds=rounds, floor=1.0,
                )
            )  # fmt: skip
            shutil.rmtree(sent)
    return lines


@contextmanager
def _storescp(path: str, folder: Path, *options: str) -> Iterator[int]:
    port = free_port()
    with started([path, *options, str(port)], lambda: answers(port), folder):
        yield port


@dataclass(frozen=True, slots=True)
class _Scu:
    """`storescu` and the folder that it sends."""

    path: str
    folder: Path

    def seconds(self, port: int, *options: str) -> float:
        """To send all of it there, the start of the program included."""
        words = [self.path, *options, "+sd", "127.0.0.1", str(port), str(self.folder)]
        return run_timed(words)


def _received(scu: _Scu, port: int, kept: Path, count: int) -> Callable[[], float]:
    """One round: sent, and every instance there."""

    def seconds() -> float:
        for one in kept.iterdir():
            one.unlink()
        taken = scu.seconds(port)
        held = sum(1 for _ in kept.iterdir())
        if held != count:
            raise PeerError(f"{held} images gardées sur {count}")
        return taken

    return seconds


def _sent(folder: Path, port: int) -> Callable[[], float]:
    """One round of ours: the files read, their data sets sent unchanged."""
    client = DimseClient("BENCH", actor="bench", observe=ignore, timeout=60)
    peer = DimsePeer("127.0.0.1", port, "ANY-SCP")

    def seconds() -> float:
        begun = time.perf_counter()
        paths = sorted(folder.iterdir())
        first, _ = _read(paths[0])
        with client.open_store(peer, [(first.sop_class, first.transfer_syntax)]) as session:
            for path in paths:
                part, dataset = _read(path)
                status = session.send(
                    dataset,
                    sop_class=part.sop_class,
                    sop_instance=part.sop_instance,
                    transfer_syntax=part.transfer_syntax,
                )
                if status:
                    raise PeerError(f"C-STORE refusé : {status:04X}")
        return time.perf_counter() - begun

    return seconds


def _read(path: Path) -> tuple[Part10, bytes]:
    """What a file says of itself, and its data set, read once."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        part = split_part10(head)
        file.seek(len(head) - len(part.dataset))
        return part, file.read()
