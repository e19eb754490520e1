"""The client of small requests: one kept-alive connection a target, in a process of its own.

A process, because a client that shared the interpreter of the services would measure who holds
its lock. Targets come as JSON on standard input, rounds leave as JSON on standard output.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Round", "Target", "TargetError", "play_rounds"]

_TIMEOUT_S = 20.0


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
    limited: bool = True
    """False when what the service does for this request is more than to answer."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one round of requests cost, in seconds each."""

    median: float
    quiet: float
    """The fifth percentile: what a request costs when nothing disturbs it."""


class _Connection:
    """A kept-alive connection to one target, by the standard library's HTTP client."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._body = base64.b64decode(target.body) or None
        self._headers = {"Host": target.host, **dict(target.headers)}
        host, _, port = target.address.rpartition(":")
        self._client = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
        self._client.connect()
        if target.trust:
            context = ssl.create_default_context(cafile=target.trust)
            if target.certificate:
                context.load_cert_chain(target.certificate, target.key)
            # The certificate is checked on the service's name, which no resolver knows.
            self._client.sock = context.wrap_socket(self._client.sock, server_hostname=target.host)
        self._socket = self._client.sock

    def ask(self) -> float:
        """Send the request and read the whole answer; seconds that it took.

        Raises:
            TargetError: another status, or the connection was not kept alive.
        """
        target = self._target
        start = time.perf_counter()
        self._client.request(target.method, target.path, self._body, self._headers)
        answer = self._client.getresponse()
        answer.read()
        elapsed = time.perf_counter() - start
        if answer.status != target.status:
            raise TargetError(f"{target.name} : réponse {answer.status}, attendu {target.status}")
        if self._client.sock is not self._socket:
            raise TargetError(f"{target.name} : connexion fermée après la réponse")
        return elapsed

    def close(self) -> None:
        """Close, without waiting for the peer."""
        self._client.close()


def play_rounds(targets: Sequence[Target], *, rounds: int, requests: int) -> dict[str, list[Round]]:
    """The rounds of each target, by name; every round visits all targets in turn.

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
    answer: dict[str, list[list[float]]] = json.loads(done.stdout)
    return {name: [Round(*one) for one in played] for name, played in answer.items()}


def _play(order: dict[str, Any]) -> dict[str, list[tuple[float, float]]]:
    targets = [
        Target(**{**one, "headers": tuple(map(tuple, one["headers"]))}) for one in order["targets"]
    ]
    connections = [_Connection(target) for target in targets]
    played: dict[str, list[tuple[float, float]]] = {target.name: [] for target in targets}
    for number in range(order["rounds"] + 1):
        for target, connection in zip(targets, connections, strict=True):
            times = sorted(connection.ask() for _ in range(order["requests"]))
            if number:
                played[target.name].append((statistics.median(times), times[len(times) // 20]))
    for connection in connections:
        connection.close()
    return played


def main() -> None:
    """Read an order, play it, write the rounds; exit 1 with a reason when a target is wrong."""
    try:
        sys.stdout.write(json.dumps(_play(json.load(sys.stdin))))
    except (TargetError, OSError, http.client.HTTPException) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
