"""What a Source answered, told to a person, to a program, and kept as captures without secrets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.asking import Answer
from bench.judge import message
from bench.verdicts import Verdict
from drimbench.judging import show_findings
from protocols.dicom import split_part10
from protocols.errors import RemoteProtocolError
from protocols.pki import ChainError, read_certificate
from reports import redact
from reports.annotate.tls import common_name
from reports.json import finding_as_json
from spec.dicom import TRANSFER_SYNTAX_NAMES
from validators.api import Report
from wire.exchange import Payload

__all__ = ["conform", "document", "keep", "show"]

_MASK = re.compile("‹[^›]*sha256 ([0-9a-f]+)…›")
_STYLES = {Verdict.PASS: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


def conform(answers: Sequence[Answer]) -> bool:
    """No answer fails, and one at least was judged."""
    verdicts = {answer.verdict for answer in answers}
    return Verdict.FAIL not in verdicts and bool(verdicts & {Verdict.PASS, Verdict.WARN})


def document(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """The documented shape: one object for each question."""
    return [
        {
            "method": _method(answer),
            "url": answer.url,
            "verdict": answer.verdict.value,
            "status": answer.retrieved.status,
            "reason": _reason(answer),
            "images": answer.retrieved.images,
            "bytes": _size(answer),
            "complete": answer.retrieved.complete,
            "transfer_syntaxes": dict(_syntaxes(answer)),
            "duration_s": _duration(answer),
            "tls": _tls(answer),
            "request": _judged(answer.request),
            "response": _judged(answer.response),
        }
        for answer in answers
    ]


def show(answers: Sequence[Answer], console: Console) -> None:
    """What was asked, what came, and what the judges say of both."""
    for answer in answers:
        console.print(f"[bold]{_method(answer)}[/bold] {answer.url}", highlight=False)
        style = _STYLES.get(answer.verdict, "dim")
        console.print(f"  {_outcome(answer)}", style=style, highlight=False, markup=False)
        if (session := _session(answer)) is not None:
            console.print(f"  {session}", style="dim", highlight=False, markup=False)
        for title, report in (("demande", answer.request), ("réponse", answer.response)):
            if report is not None:
                verdict = Verdict(report.verdict)
                console.print(f"  {title} : {verdict.french}", highlight=False)
                show_findings(report.findings, console)


def keep(answer: Answer, folder: Path) -> None:
    """Write both messages beside the images, as `drimbench validate` reads them.

    Images are not written again: of an answer of images only the head is kept. Tokens are masked.

    Raises:
        OSError: the folder cannot be written.
    """
    exchange = answer.exchange
    if exchange is None:
        return
    for name, payload in (("demande", exchange.request), ("reponse", exchange.response)):
        if payload is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.http").write_bytes(_masked(payload))


def _masked(payload: Payload) -> bytes:
    # A mask that is still a legal token: the capture of a good request stays a good one.
    head = tuple(
        (name, _MASK.sub(r"masque-\1", redact.header(name, value))) for name, value in payload.head
    )
    body = b"" if payload.parts else redact.data(payload.body)
    return message(Payload.whole(body, start_line=payload.start_line, head=head))


def _method(answer: Answer) -> str:
    request = answer.exchange.request if answer.exchange else None
    return request.start_line.partition(" ")[0] if request else "-"


def _reason(answer: Answer) -> str:
    found = answer.retrieved
    if found.status is not None:
        return "" if found.complete else "réponse interrompue"
    return f"{found.reason} ({found.tls_reason})" if found.tls_reason else found.reason


def _outcome(answer: Answer) -> str:
    found = answer.retrieved
    if found.status is None:
        return f"pas de réponse : {_reason(answer)}"
    if answer.verdict is Verdict.OMIT:
        return f"{found.status} : cette façon de demander n'est pas servie"
    size = f"{_size(answer):,}".replace(",", " ")
    said = [str(found.status), f"{_duration(answer):.2f} s", f"{size} octets"]
    if found.parts:
        said.insert(1, f"{found.images} images")
        said += [f"{name} x {count}" for name, count in _syntaxes(answer).items()]
    elif found.status >= 400:
        said.append(redact.text(found.text)[:200].strip())
    return ", ".join(part for part in [*said, _reason(answer)] if part)


def _session(answer: Answer) -> str | None:
    tls = answer.exchange.tls if answer.exchange else None
    if tls is None or not tls.version:
        return None
    try:
        end = read_certificate(tls.peer_chain[0]).not_valid_after_utc if tls.peer_chain else None
    except ChainError:
        end = None
    days = "" if end is None else f", valable encore {(end - datetime.now(UTC)).days} jours"
    return f"{tls.version}, CN={common_name(tls)}{days}"


def _tls(answer: Answer) -> dict[str, str] | None:
    tls = answer.exchange.tls if answer.exchange else None
    if tls is None:
        return None
    return {
        "version": tls.version or "",
        "cipher": tls.cipher or "",
        "common_name": common_name(tls),
        "reason": tls.reason or "",
    }


def _judged(report: Report | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "verdict": report.verdict,
        "findings": [finding_as_json(finding) for finding in report.findings],
    }


def _size(answer: Answer) -> int:
    response = answer.exchange.response if answer.exchange else None
    return response.size if response else 0


def _duration(answer: Answer) -> float:
    exchange = answer.exchange
    return round(exchange.mono_end - exchange.mono_start, 3) if exchange else 0.0


def _syntaxes(answer: Answer) -> Counter[str]:
    """Transfer syntaxes really used, by name, from the file meta information of each part."""
    found: Counter[str] = Counter()
    for part in answer.retrieved.parts:
        try:
            uid = split_part10(part.head).transfer_syntax
        except RemoteProtocolError:
            uid = "illisible"
        found[TRANSFER_SYNTAX_NAMES.get(uid, uid)] += 1
    return found
