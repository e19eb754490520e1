"""The client of small requests: one kept-alive connection a target, in a process of its own.

A process, because a client that shared the interpreter of the services would measure who holds
its lock. Targets come as JSON on standard input, medians leave as JSON on standard output.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

__all__ = ["Target", "TargetError", "median_seconds"]

_TIMEOUT_S = 20.0
_MAX_ANSWER = 1024 * 1024


class TargetError(Exception):
    """A target does not answer as it should; the text is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One small request and where to send it. Without `trust` it goes in clear."""

    name: str
    address: str
    host: str
    path: str
    status: int = 200
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    """Base64."""
    trust: str = ""
    certificate: str = ""
    key: str = ""

    def request(self) -> bytes:
        """The bytes that leave."""
        body = base64.b64decode(self.body)
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class _Connection:
    """A kept-alive connection to one target."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._request = target.request()
        host, _, port = target.address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.trust:
            context = ssl.create_default_context(cafile=target.trust)
            if target.certificate:
                context.load_cert_chain(target.certificate, target.key)
            self._socket = context.wrap_socket(self._socket, server_hostname=target.host)

    def ask(self) -> float:
        """Send the request, read the whole answer; seconds from the first byte to the last.

        Raises:
            TargetError: another status, or an answer without Content-Length.
        """
        start = time.perf_counter()
        self._socket.sendall(self._request)
        answer = bytearray()
        while (end := answer.find(b"\r\n\r\n")) < 0:
            self._receive(answer)
        head = bytes(answer[:end]).lower()
        size = end + 4 + self._length(head)
        while len(answer) < size:
            self._receive(answer)
        elapsed = time.perf_counter() - start
        status = int(head.split(b" ", 2)[1][:3])
        if status != self._target.status or len(answer) != size:
            raise TargetError(
                f"{self._target.name} : réponse {status}, attendu {self._target.status}"
            )
        return elapsed

    def close(self) -> None:
        """Close, without waiting for the peer."""
        self._socket.close()

    def _receive(self, answer: bytearray) -> None:
        data = self._socket.recv(65536)
        if not data or len(answer) > _MAX_ANSWER:
            raise TargetError(f"{self._target.name} : connexion fermée ou réponse sans fin")
        answer += data

    def _length(self, head: bytes) -> int:
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name == b"content-length":
                return int(value)
        raise TargetError(f"{self._target.name} : réponse sans Content-Length")


def median_seconds(
    targets: Sequence[Target], *, rounds: int, requests: int
) -> dict[str, list[float]]:
    """For each target, the median of each round; rounds visit every target in turn.

    A first round, not counted, warms every connection.

    Raises:
        TargetError: a target answered otherwise than it should.
    """
    order = {
        "rounds": rounds,
        "requests": requests,
        "targets": [asdict(target) for target in targets],
    }
    done = subprocess.run(
        [sys.executable, "-m", "load.benchmarks.kept_alive"],
        input=json.dumps(order).encode(),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise TargetError(done.stderr.decode("utf-8", "replace").strip())
    medians: dict[str, list[float]] = json.loads(done.stdout)
    return medians


def _play(order: dict[str, object]) -> dict[str, list[float]]:
    rounds, requests, given = order["rounds"], order["requests"], order["targets"]
    assert isinstance(rounds, int)
    assert isinstance(requests, int)
    assert isinstance(given, list)
    targets = [Target(**{**one, "headers": tuple(map(tuple, one["headers"]))}) for one in given]
    connections = [_Connection(target) for target in targets]
    medians: dict[str, list[float]] = {target.name: [] for target in targets}
    for number in range(rounds + 1):
        for target, connection in zip(targets, connections, strict=True):
            times = [connection.ask() for _ in range(requests)]
            if number:
                medians[target.name].append(statistics.median(times))
    for connection in connections:
        connection.close()
    return medians


def main() -> None:
    """Read an order, play it, write the medians; exit 1 with a reason when a target is wrong."""
    try:
        sys.stdout.write(json.dumps(_play(json.load(sys.stdin))))
    except (TargetError, OSError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
