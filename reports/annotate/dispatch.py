"""From an exchange to its annotated sections, by protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reports import redact
from reports.annotate import dicom, hl7, http, names, text, tls
from reports.annotate.model import Fact, Facts, Section
from wire.exchange import Exchange, Outcome, Payload

__all__ = ["Annotated", "annotate", "answer"]

_STATUS = re.compile(r"HTTP/[\d.]+ (\d{3})|^(\d{3})\b")


@dataclass(frozen=True, slots=True)
class Annotated:
    """An exchange ready to be rendered. `response` is empty when there was none."""

    request: tuple[Section, ...]
    response: tuple[Section, ...]
    session: tuple[Section, ...]


def annotate(exchange: Exchange) -> Annotated:
    """The sections of both directions and of the TLS session."""
    return Annotated(
        request=_payload(exchange, exchange.request, "Requête"),
        response=_payload(exchange, exchange.response, "Réponse"),
        session=(tls.section(exchange.tls),) if exchange.tls else (),
    )


def answer(exchange: Exchange) -> tuple[str, bool]:
    """What the answer says in a few characters, and whether it says yes.

    `200`, `401`, `AA`, `AE 207`, `0000`...: what an arrow of a diagram can bear.
    """
    payload = exchange.response
    if payload is None:
        return "", exchange.outcome is Outcome.ANSWERED
    match exchange.protocol:
        case "HTTP":
            found = _STATUS.search(payload.start_line)
            status = (found[1] or found[2]) if found else ""
            return status, status[:1] in ("1", "2", "3")
        case "MLLP":
            code = hl7.answer(payload.body)
            return code, code.startswith(("AA", "CA"))
        case "DIMSE":
            status = payload.header("Status") or ""
            # Success, pending, and the warnings of PS3.7 annex C (Bxxx).
            positive = status.lower().removeprefix("0x")[:4] in ("0000", "ff00", "ff01", "0")
            return status, positive or status.lower().removeprefix("0x").startswith("b")
        case _:
            return "", True


def _payload(exchange: Exchange, payload: Payload | None, word: str) -> tuple[Section, ...]:
    if payload is None:
        return ()
    match exchange.protocol:
        case "HTTP":
            return http.sections(payload)
        case "MLLP":
            # What the framing had of its own: junk between blocks, a missing end.
            framing = _facts("Trame MLLP", payload)
            return (*framing, *(hl7.sections(payload.body, word) if payload.body else ()))
        case "DIMSE":
            return _dimse(payload, word)
        case "DNS":
            return (*_facts("Transport", payload), names.section(payload.body, word))
        case _:
            blocks, note = text.text_or_hex(payload.body)
            return (Section(word, blocks, note),) if payload.body else ()


def _dimse(payload: Payload, word: str) -> tuple[Section, ...]:
    """The command set, then the identifier (bytes) or the answers (one DICOM JSON a line)."""
    command = redact.text(payload.start_line)
    title = f"Commande · {command}" if command else "Commande"
    made = list(_facts(title, payload))
    if payload.body:
        if payload.body.lstrip()[:1] in (b"{", b"["):
            made += dicom.json_sections(payload.body, "Correspondance")
        else:
            size = text.size(payload.size or len(payload.body))
            title = f"Jeu de données · {size}, sha256 {payload.sha256}"
            made += dicom.sections(payload.body, title, total=payload.size)
    return tuple(made)


def _facts(title: str, payload: Payload) -> tuple[Section, ...]:
    rows = tuple(
        Fact(name, redact.text(dicom.named_uid(value) if "UID" in name else value))
        for name, value in payload.head
    )
    return (Section(title, (Facts(rows),)),) if rows else ()
