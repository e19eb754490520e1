"""A failure on its own: the shell lines that do again what a scenario did, or judge it again.

What the bench sent is sent by a program that everybody has: curl, storescu, openssl. What the
product sent on its own cannot be asked for again: it is taken out of the journal and judged. Lines
are to be run from the folder of the run; a secret is read in its journal, never written in them.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.judge import kind_of
from bench.results import RecordedExchange, ScenarioResult
from bench.verdicts import Verdict
from validators.finding import Severity
from wire.exchange import Direction, Exchange, Outcome, Payload, Reach
from wire.shard import BlobStore

__all__ = ["Reproduction", "reproductions"]

_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that curl writes by itself."""

_PATIENCE = 5
"""Seconds that an acknowledgement is waited for: MLLP connections stay open."""

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One line of shell, and what it does, in French."""

    what: str
    command: str


def reproductions(scenario: ScenarioResult) -> tuple[Reproduction, ...]:
    """The lines that show the failure of a scenario again; none when it did not fail.

    First the last thing that the bench sent before it failed, then each message found wrong.
    Paths are relative to the folder of the run.
    """
    if scenario.verdict not in (Verdict.FAIL, Verdict.XFAIL):
        return ()
    by_id = {recorded.id: recorded for recorded in scenario.exchanges}
    wrong = dict.fromkeys(
        exchange
        for exchange, finding in scenario.findings
        if finding.severity is Severity.ERROR and exchange in by_id
    )
    found = [by_id[one] for one in wrong]
    stimulus = _stimulus(scenario)
    asked = [one for one in found if one.exchange.reach is not None and one is not stimulus]
    sent = [*([stimulus] if stimulus else ()), *asked]
    lines = [line for recorded in sent for line in _again(recorded)]
    return (*lines, *(line for recorded in found for line in _judged(recorded)))


def _stimulus(scenario: ScenarioResult) -> RecordedExchange | None:
    """What the bench sent and the product answered wrongly: the exchange that an unmet expectation
    names, else the last that the bench began no later than the first step that failed."""
    failed = next((s.index for s in scenario.steps if s.verdict is Verdict.FAIL), None)
    begun = [
        recorded
        for recorded in scenario.exchanges
        if _began(recorded.exchange)
        and (failed is None or recorded.step is None or recorded.step <= failed)
    ]
    unmet = {
        one for awaited in scenario.expectations if not awaited.met for one in awaited.exchanges
    }
    named = [recorded for recorded in begun if recorded.id in unmet]
    candidates = named or begun
    return candidates[-1] if candidates else None


def _began(exchange: Exchange) -> bool:
    """Whether the bench began it of its own will: an image that a C-MOVE asked for, it did not."""
    if exchange.direction is not Direction.OUT or exchange.reach is None:
        return False
    request = exchange.request
    return request is None or request.header("MoveOriginatorMessageID") is None


def _again(recorded: RecordedExchange) -> Iterator[Reproduction]:
    exchange = recorded.exchange
    assert exchange.reach is not None
    name = exchange.transaction or exchange.protocol
    blobs = BlobStore(Path("blobs"))
    match exchange.protocol:
        case "HTTP":
            tls = exchange.tls
            if exchange.outcome is Outcome.REFUSED and tls is not None and tls.reason:
                server = _option("-servername", tls.server_name or "")
                command = f"openssl s_client {_connect(exchange.reach)}{server}"
                yield Reproduction("Refaire la poignée de main TLS", f"{command} </dev/null")
            if exchange.request is not None:
                yield Reproduction(f"Renvoyer {name}", _curl(recorded, blobs))
        case "MLLP" if exchange.request is not None:
            yield Reproduction(f"Renvoyer {name}", _mllp(exchange, blobs))
        case "DIMSE" if exchange.request is not None:
            yield Reproduction(f"Refaire {name}", _dimse(exchange.request, exchange.reach))


def _judged(recorded: RecordedExchange) -> Iterator[Reproduction]:
    exchange = recorded.exchange
    answer = exchange.direction is Direction.OUT
    payload = exchange.response if answer else exchange.request
    kind = kind_of(exchange)
    # Images are kept by their beginning only: those are asked for again instead.
    if kind is None or payload is None or payload.truncated or payload.parts:
        return
    words = ["drimbench", "extract", ".", recorded.id, *(["--response"] if answer else [])]
    what = f"Juger de nouveau {'la réponse à ' if answer else ''}{exchange.transaction}"
    yield Reproduction(what, f"{shlex.join(words)} | drimbench validate {kind} -")


def _curl(recorded: RecordedExchange, blobs: BlobStore) -> str:
    exchange = recorded.exchange
    request, reach = exchange.request, exchange.reach
    assert request is not None
    assert reach is not None
    method, _, rest = request.start_line.partition(" ")
    target = rest.rpartition(" ")[0] or rest
    host = request.header("host") or reach.address
    secure = exchange.tls is not None or bool(reach.trust)
    words = ["curl", "--verbose", "--output", "-", "--request", method]
    if not host.rpartition(":")[2].isdigit():
        host = f"{host}:{443 if secure else 80}"
    if host != reach.address:
        words += ["--connect-to", f"{host}:{reach.address}"]
    for option, file in (
        ("--cacert", reach.trust), ("--cert", reach.certificate), ("--key", reach.key),
    ):  # fmt: skip
        words += [option, file] if file else []
    line = shlex.join(words)
    for name, value in request.head:
        if name.lower() not in _OWN_HEADERS:
            line += f" --header {_header(name, value, recorded.id)}"
    if request.body:
        line += f" --data-binary @{_blob(request, blobs)}"
    scheme = "https" if secure else "http"
    name = host.removesuffix(":443" if secure else ":80")
    return f"{line} {shlex.quote(f'{scheme}://{name}{target}')}"


def _header(name: str, value: str, id: str) -> str:
    if name.lower() in _SECRET_HEADERS:
        return f'"{name}: $(drimbench extract . {shlex.quote(id)} --header {shlex.quote(name)})"'
    return shlex.quote(f"{name}: {value}")


def _mllp(exchange: Exchange, blobs: BlobStore) -> str:
    request, reach = exchange.request, exchange.reach
    assert request is not None
    assert reach is not None
    block = f"{{ printf '\\013'; cat {_blob(request, blobs)}; printf '\\034\\015'; }}"
    if reach.trust:
        server = _option("-servername", (exchange.tls and exchange.tls.server_name) or "")
        block = block.replace(" }", f" sleep {_PATIENCE}; }}")
        return f"{block} | openssl s_client -quiet {_connect(reach)}{server}"
    return f"{block} | curl --silent --max-time {_PATIENCE} telnet://{reach.address}"


def _dimse(request: Payload, reach: Reach) -> str:
    host, _, port = reach.address.rpartition(":")
    calling = _option("-aet", request.header("CallingAETitle") or "")
    called = _option("-aec", request.header("CalledAETitle") or "")
    operation = request.start_line.removesuffix("-RQ")
    program = {"C-STORE": "storescu", "C-FIND": "findscu", "C-MOVE": "movescu"}.get(operation)
    line = f"{program or 'echoscu'} -v{calling}{called} {host.strip('[]')} {port}"
    if operation == "C-STORE":
        instance = request.header("AffectedSOPInstanceUID") or ""
        return f"{line} IMAGE.dcm  # instance {instance}".rstrip()
    return line


def _connect(reach: Reach) -> str:
    options = (("-CAfile", reach.trust), ("-cert", reach.certificate), ("-key", reach.key))
    return f"-connect {reach.address}{''.join(_option(*option) for option in options)}"


def _option(name: str, value: str) -> str:
    return f" {name} {shlex.quote(value)}" if value else ""


def _blob(payload: Payload, blobs: BlobStore) -> str:
    return blobs.path(hashlib.sha256(payload.body).hexdigest()).as_posix()
