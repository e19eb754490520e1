"""`python -m load.users.wado`: professionals who ask a Source for a series, again and again.

The order comes as one JSON line on standard input; each transfer leaves as one JSON line when it
ends, and a last one says what this process itself cost. Nothing of an answer is kept.
"""

from __future__ import annotations

# isort: off
import locust  # gevent's patches come before any other import
import gevent

# isort: on
import http.client
import json
import signal
import ssl
import sys
import time
from itertools import count
from typing import Any

from protocols.errors import RemoteProtocolError
from protocols.multipart import Parser, PartEnd, boundary_of

__all__ = ["main"]

_CHUNK = 1 << 18
_PAUSE_S = 0.2
"""After an error: a server that refuses is not hammered."""


class _Wrong(Exception):
    """An answer that is no series; the text is its class."""


class Visit:
    """One transfer, told whatever its end."""

    def __init__(self, user: int) -> None:
        self.user = user
        self.begun = time.monotonic()
        self.first: float | None = None
        self.size = 0
        self.images = 0

    def take(self, chunk: bytes, parser: Parser) -> None:
        """Count what came and forget it."""
        self.size += len(chunk)
        self.images += sum(isinstance(event, PartEnd) for event in parser.feed(chunk))
        if self.images and self.first is None:
            self.first = time.monotonic() - self.begun

    def tell(self, outcome: str) -> None:
        """One line; `outcome` is "ok", "unfinished" or a class of error."""
        line = {
            "user": self.user,
            "begun": self.begun,
            "seconds": time.monotonic() - self.begun,
            "first": self.first,
            "size": self.size,
            "images": self.images,
            "outcome": outcome,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _users(order: dict[str, Any]) -> type:
    context = ssl.create_default_context(cafile=order["trust"])
    context.load_cert_chain(order["certificate"], order["key"])
    numbers = count()

    class Professional(locust.User):  # type: ignore[misc]
        """One professional: a token, a connection that is kept."""

        wait_time = locust.constant(0)

        def on_start(self) -> None:
            self.number = next(numbers)
            self.client: http.client.HTTPConnection | None = None

        @locust.task  # type: ignore[untyped-decorator]
        def series(self) -> None:
            visit = Visit(self.number)
            outcome = "ok"
            try:
                self._retrieve(visit)
            except gevent.GreenletExit:
                visit.tell("unfinished")
                raise
            except _Wrong as error:
                outcome = str(error)
            except ssl.SSLError:
                outcome = "tls"
            except TimeoutError:
                outcome = "timeout"
            except RemoteProtocolError:
                outcome = "multipart"
            except (OSError, http.client.HTTPException):
                outcome = "connection"
            visit.tell(outcome)
            self.environment.events.request.fire(
                request_type="WADO-RS",
                name="series",
                response_time=(time.monotonic() - visit.begun) * 1000,
                response_length=visit.size,
                exception=None if outcome == "ok" else _Wrong(outcome),
                context={},
            )
            if outcome != "ok":
                self._close()
                gevent.sleep(_PAUSE_S)

        def _close(self) -> None:
            if self.client is not None:
                self.client.close()
            self.client = None

        def _connected(self) -> http.client.HTTPConnection:
            if self.client is None:
                host, _, port = order["address"].rpartition(":")
                client = http.client.HTTPConnection(
                    host.strip("[]"), int(port), timeout=order["timeout"]
                )
                client.connect()
                # The certificate is checked on the Source's name, which no resolver knows.
                client.sock = context.wrap_socket(client.sock, server_hostname=order["host"])
                self.client = client
            return self.client

        def _retrieve(self, visit: Visit) -> None:
            client = self._connected()
            client.putrequest("GET", order["path"], skip_host=True, skip_accept_encoding=True)
            token = order["tokens"][self.number % len(order["tokens"])]
            client.putheader("Host", order["authority"])
            client.putheader("Authorization", f"Bearer {token}")
            for name, value in order["headers"]:
                client.putheader(name, value)
            client.endheaders()
            answer = client.getresponse()
            if answer.status != 200:
                raise _Wrong(f"http-{answer.status}")
            parser = Parser(boundary_of(answer.getheader("content-type") or ""))
            while chunk := answer.read1(_CHUNK):
                visit.take(chunk, parser)
            parser.finish()
            if visit.images != order["images"]:
                raise _Wrong("images")

    return Professional


def main() -> None:
    """Play one order."""
    order = json.loads(sys.stdin.readline())
    environment = locust.env.Environment(user_classes=[_users(order)], events=locust.events)
    runner = environment.create_local_runner()
    gevent.signal_handler(signal.SIGTERM, runner.quit)
    runner.start(order["users"], spawn_rate=order["spawn_rate"])
    gevent.spawn_later(order["seconds"], runner.quit)
    runner.greenlet.join()
    total = environment.stats.total
    end = {
        "cpu": time.process_time(),
        "requests": total.num_requests,
        "version": locust.__version__,
    }
    sys.stdout.write(json.dumps({"end": end}) + "\n")


if __name__ == "__main__":
    main()
