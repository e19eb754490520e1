"""The exchanges of a scenario as files that a verifier opens: text read, secrets masked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.results import RecordedExchange
from reports import redact
from reports.words import OUTCOMES, moment
from wire.exchange import Direction, Exchange, Payload

__all__ = ["exchange_path", "files_of", "slug"]

_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f]")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_HL7_FRAME: Final = "\x0b\x1c"
_SIDES: Final = (("requete", "Requête"), ("reponse", "Réponse"))


@dataclass(frozen=True, slots=True)
class _Shown:
    text: str
    binary: bytes | None = None


def slug(text: str) -> str:
    """A file name without anything that a file system could refuse."""
    return _UNSAFE.sub("-", text).strip("-.") or "sans-nom"


def exchange_path(scenario: str, rank: int, exchange: Exchange) -> str:
    """Where the text of an exchange is, `rank` counted from 1 in its scenario."""
    name = slug(
        " ".join(filter(None, (exchange.transaction or exchange.protocol, exchange.detail)))
    )
    return f"echanges/{slug(scenario)}/{rank:03d}-{name[:60]}.txt"


def files_of(path: str, recorded: RecordedExchange, whole: Exchange) -> Iterator[tuple[str, bytes]]:
    """The text of an exchange, then its binary bodies beside it."""
    sides = (whole.actor, whole.peer)
    if whole.direction is Direction.IN:
        sides = (whole.peer, whole.actor)
    lines = [
        f"Échange       {recorded.id}",
        f"Transaction   {whole.transaction or whole.protocol} {whole.detail}".rstrip(),
        f"De, vers      {sides[0]} > {sides[1]}",
        f"Date          {moment(whole.utc, milliseconds=True)}",
        f"Issue         {OUTCOMES[whole.outcome]} {whole.reason}".rstrip(),
        f"Attribution   {recorded.why}",
    ]
    if whole.tls is not None:
        lines.append(f"TLS           {whole.tls.version} {whole.tls.cipher}".rstrip())
    binaries = []
    for (side, title), payload in zip(_SIDES, (whole.request, whole.response), strict=True):
        if payload is None:
            continue
        beside = path.removesuffix(".txt") + f"-{side}.bin"
        shown = _shown(payload, beside.rpartition("/")[2])
        lines += ["", f"---- {title} ----", shown.text]
        if shown.binary is not None:
            binaries.append((beside, shown.binary))
    yield path, redact.text("\n".join(lines)).encode() + b"\n"
    yield from binaries


def _shown(payload: Payload, beside: str) -> _Shown:
    head = [payload.start_line] if payload.start_line else []
    head += [f"{name}: {redact.header(name, value)}" for name, value in payload.head]
    told = f"[{payload.size} octets, sha256 {payload.sha256}]"
    if payload.truncated:
        told = f"[{len(payload.body)} octets conservés sur {payload.size}, sha256 {payload.sha256}]"
    parts = [
        f"[partie {rank} : {part.size} octets, sha256 {part.sha256}]"
        for rank, part in enumerate(payload.parts, 1)
    ]
    lines = [*head, "", told, *parts]
    if not payload.body:
        return _Shown("\n".join(lines))
    if (text := _text(payload.body)) is not None:
        return _Shown("\n".join([*lines, "", _form(payload, text)]))
    return _Shown("\n".join([*lines, "", f"Octets : {beside}"]), redact.data(payload.body))


def _form(payload: Payload, text: str) -> str:
    """A form's fields are masked by their names, as those of a query are."""
    if (payload.header("Content-Type") or "").startswith("application/x-www-form-urlencoded"):
        pairs = (field.partition("=") for field in text.split("&"))
        return "&".join(f"{name}{mark}{redact.value(name, value)}" for name, mark, value in pairs)
    return redact.text(text)


def _text(body: bytes) -> str | None:
    for encoding in ("utf-8", "latin-1"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text.strip(_HL7_FRAME + "\r")):
            return text.replace("\r\n", "\n").replace("\r", "\n")
        return None
    return None
