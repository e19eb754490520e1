"""Which validator judges which side of an exchange: only what a box under test emitted.

A Source emits acknowledgements, submissions, images; a Consumer emits requests for images. What
the bench itself emits is the bench's affair and is judged by its own tests.
"""

from __future__ import annotations

from collections.abc import Mapping

from bench.submissions import package
from validators.api import CheckerError, Context, validate
from validators.finding import Cause, Finding, Severity
from wire.exchange import Direction, Exchange, Payload

__all__ = ["judge_exchange"]


def judge_exchange(
    exchange: Exchange, roles: frozenset[str], case: Mapping[str, str]
) -> list[Finding]:
    """Findings on what a box under test said in this exchange.

    `roles` are those under test in the scenario, `case` its public identifiers.
    """
    judged = _judged(exchange, roles, case)
    if judged is None:
        return []
    kind, data, context = judged
    try:
        return list(validate(data, kind, context=context).findings)
    except CheckerError as error:
        return [
            Finding(
                rule="KIT-JUGE",
                severity=Severity.INFO,
                message=f"le validateur {kind} s'est arrêté : {error}",
                cause=Cause.BENCH,
            )
        ]


def _judged(
    exchange: Exchange, roles: frozenset[str], case: Mapping[str, str]
) -> tuple[str, bytes, Context] | None:
    ins = case.get("matricule INS", "")
    match exchange.transaction, exchange.direction:
        case "ORU^R01", Direction.OUT if "source" in roles and exchange.response:
            request = exchange.request.body if exchange.request else b""
            return "ack", exchange.response.body, Context(request=request)
        case "ITI-41", Direction.IN if "source" in roles and exchange.request:
            if package(exchange.request) is None:
                return None
            return "iti-41", message(exchange.request), Context()
        case "WADO-RS", Direction.OUT if "source" in roles and _images(exchange.response):
            assert exchange.response is not None
            target = exchange.request.start_line.split(" ")[1] if exchange.request else ""
            return "wado-response", _summary(exchange.response), Context(ins=ins, target=target)
        case "WADO-RS", Direction.IN if "consumer" in roles and exchange.request:
            return "wado-request", message(exchange.request), Context(purpose="export")
    return None


def message(payload: Payload) -> bytes:
    """An HTTP message as a file would hold it, its body out of any transfer coding."""
    lines = [
        payload.start_line,
        *(
            f"{name}: {value}"
            for name, value in payload.head
            if name.lower() != "transfer-encoding"
        ),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + payload.body


def _images(payload: Payload | None) -> bool:
    return payload is not None and bool(payload.parts) and " 200" in payload.start_line


def _summary(payload: Payload) -> bytes:
    """The answer with each part cut after its DICOM header: what the journal keeps of images."""
    boundary = "drimbench-resume"
    content_type = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
    lines = [payload.start_line, f"Content-Type: {content_type}", "", ""]
    body = bytearray("\r\n".join(lines).encode("latin-1", "replace"))
    for part in payload.parts:
        kept = [(n, v) for n, v in part.headers if n.lower() != "content-length"]
        head = "\r\n".join([f"--{boundary}", *(f"{n}: {v}" for n, v in kept), "", ""])
        body += head.encode("latin-1", "replace") + part.head + b"\r\n"
    return bytes(body) + f"--{boundary}--\r\n".encode()
