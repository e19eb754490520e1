"""Reports with a CDA of 500 kB, received and acknowledged: our listener and the `hl7` library's.

Both are processes; one client sends to each in turn, on one connection, and waits for each
acknowledgement. Both parse each report; a second line shows ours when it also examines it as the
Source does before it takes responsibility (structure, base64, CDA), which the library does not do.
"""

from __future__ import annotations

import importlib.util
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from load.benchmarks.measure import Measure, Skipped, faster, timed
from load.benchmarks.peers import PeerError, our_process
from load.benchmarks.validation import long_report
from protocols.mllp import frame

__all__ = ["FLOOR", "NAME", "run"]

NAME = "mllp"
FLOOR = 2.0
"""How many times as fast as the library's, at least."""
_ROUNDS, _REPORTS = 5, 60


def run(*, rounds: int = _ROUNDS, reports: int = _REPORTS) -> list[Measure | Skipped]:
    """Measure both, where the library is installed.

    Raises:
        PeerError: a report was not accepted.
    """
    title = "comptes rendus de 500 ko"
    if importlib.util.find_spec("hl7") is None:
        reason = "bibliothèque hl7 absente (pip install hl7)"
        return [Skipped(benchmark=NAME, name=title, reason=reason)]
    block = frame(long_report())
    with tempfile.TemporaryDirectory(prefix="drimbench-") as name:
        folder = Path(name)
        with our_process("load.benchmarks.mllp_peer", {}, folder) as theirs:
            lines: list[Measure | Skipped] = []
            for examined, what in ((False, "reçus"), (True, "examinés")):
                with our_process(
                    "load.benchmarks.mllp_ours", {"examined": examined}, folder
                ) as ours:
                    lines.append(
                        faster(
                            NAME, f"{title}, {what}", "serveur de la bibliothèque hl7",
                            _sent(ours["mllp"], block, reports),
                            _sent(theirs["mllp"], block, reports),
                            amount=reports, unit="comptes rendus/s", rounds=rounds,
                            floor=None if examined else FLOOR,
                        )
                    )  # fmt: skip
            return lines


def _sent(address: str, block: bytes, count: int) -> Callable[[], float]:
    host, _, port = address.rpartition(":")

    def send() -> None:
        with socket.create_connection((host, int(port)), timeout=60) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(count):
                link.sendall(block)
                answer = b""
                while not answer.endswith(b"\x1c\r"):
                    data = link.recv(65_536)
                    if not data:
                        raise PeerError("connexion fermée")
                    answer += data
                if b"|AA" not in answer:
                    raise PeerError(f"compte rendu refusé : {answer[:500]!r}")

    return timed(send)
