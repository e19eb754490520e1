"""The HTTP exchanges of a run as HAR 1.2: what a browser's network panel opens.

One page for each scenario, one for what no scenario awaited. Secrets are masked, as everywhere.
Réf. W3C Web Performance WG, "HTTP Archive (HAR) format", draft of 2012-08-14.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bench.results import RecordedExchange, Run
from reports import redact
from wire.exchange import Direction, Exchange, Payload

__all__ = ["as_har", "write_har"]

_AMBIENT = "ambiant"
_UNKNOWN = -1
"""HAR's word for a size or a time that was not measured."""


def write_har(run: Run, target: Path) -> Path:
    """Write the archive and return its path.

    Raises:
        OSError: the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(as_har(run), ensure_ascii=False, indent=1), encoding="utf-8")
    return target


def as_har(run: Run) -> dict[str, Any]:
    """The archive, ready for `json.dumps`: entries in the order of their start."""
    found = [
        (scenario.id, recorded) for scenario in run.scenarios for recorded in scenario.exchanges
    ]
    found += [(_AMBIENT, recorded) for recorded in run.ambient]
    http = sorted(
        ((page, one) for page, one in found if one.exchange.protocol == "HTTP"),
        key=lambda pair: (pair[1].exchange.mono_start, pair[1].id),
    )
    begun: dict[str, str] = {}
    for page, recorded in http:
        begun.setdefault(page, recorded.exchange.utc.isoformat())
    titles = {scenario.id: scenario.title for scenario in run.scenarios}
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "drimbench", "version": str(run.meta.get("version", ""))},
            "pages": [
                {
                    "id": page,
                    "title": titles.get(page, "Échanges ambiants"),
                    "startedDateTime": moment,
                    "pageTimings": {},
                }
                for page, moment in begun.items()
            ],
            "entries": [_entry(page, recorded) for page, recorded in http],
        }
    }


def _entry(page: str, recorded: RecordedExchange) -> dict[str, Any]:
    exchange = recorded.exchange
    elapsed = round((exchange.mono_end - exchange.mono_start) * 1000, 3)
    told = " ".join(filter(None, (exchange.transaction, exchange.detail)))
    sides = f"{exchange.actor} > {exchange.peer}"
    if exchange.direction is Direction.IN:
        sides = f"{exchange.peer} > {exchange.actor}"
    comment = ", ".join(filter(None, (told, sides, exchange.outcome.value, exchange.reason)))
    entry: dict[str, Any] = {
        "pageref": page,
        "startedDateTime": exchange.utc.isoformat(),
        "time": elapsed,
        "request": _request(exchange),
        "response": _response(exchange.response),
        "cache": {},
        "timings": {"send": 0, "wait": elapsed, "receive": 0},
        "connection": exchange.connection,
        "comment": redact.text(f"{recorded.id} : {comment}"),
    }
    if exchange.reach is not None:
        entry["serverIPAddress"] = exchange.reach.address.rpartition(":")[0].strip("[]")
    return entry


def _request(exchange: Exchange) -> dict[str, Any]:
    payload = exchange.request or Payload()
    method, _, rest = payload.start_line.partition(" ")
    target, _, version = rest.rpartition(" ")
    scheme = "http" if exchange.tls is None else "https"
    url = f"{scheme}://{payload.header('Host') or exchange.peer}{target}"
    request: dict[str, Any] = {
        "method": method,
        "url": redact.text(url),
        "httpVersion": version,
        "cookies": _cookies(payload.header("Cookie")),
        "headers": _headers(payload),
        "queryString": _pairs(urlsplit(target).query),
        "headersSize": _UNKNOWN,
        "bodySize": payload.size,
    }
    if payload.body:
        # No place for base64 in a request: what is not text is left out, its size stays.
        kind = payload.header("Content-Type") or ""
        text = _text(payload.body)
        post: dict[str, Any] = {"mimeType": redact.text(kind), "params": [], "text": text or ""}
        if kind.startswith("application/x-www-form-urlencoded") and text is not None:
            post["params"] = _pairs(payload.body.decode())
            post["text"] = ""
        request["postData"] = post
    return request


def _response(payload: Payload | None) -> dict[str, Any]:
    if payload is None:
        # Nothing was answered: HAR says it with a status of 0.
        payload = Payload(start_line="")
    version, _, rest = payload.start_line.partition(" ")
    status, _, phrase = rest.partition(" ")
    content: dict[str, Any] = {
        "size": payload.size,
        "mimeType": redact.text(payload.header("Content-Type") or ""),
    }
    if payload.body:
        text = _text(payload.body)
        if text is None:
            content["text"] = base64.b64encode(redact.data(payload.body)).decode()
            content["encoding"] = "base64"
        else:
            content["text"] = text
        if payload.truncated:
            content["comment"] = f"{len(payload.body)} octets conservés sur {payload.size}"
    return {
        "status": int(status) if status.isdigit() else 0,
        "statusText": phrase,
        "httpVersion": version,
        "cookies": [],
        "headers": _headers(payload),
        "content": content,
        "redirectURL": redact.text(payload.header("Location") or ""),
        "headersSize": _UNKNOWN,
        "bodySize": payload.size,
    }


def _headers(payload: Payload) -> list[dict[str, str]]:
    return [{"name": name, "value": redact.header(name, value)} for name, value in payload.head]


def _cookies(header: str | None) -> list[dict[str, str]]:
    try:
        names = SimpleCookie(header or "").keys()
    except CookieError:
        return []
    return [{"name": name, "value": "‹masqué›"} for name in names]


def _pairs(query: str) -> list[dict[str, str]]:
    return [{"name": name, "value": redact.value(name, value)} for name, value in _read(query)]


def _read(query: str) -> Iterator[tuple[str, str]]:
    try:
        yield from parse_qsl(query, keep_blank_values=True)
    except ValueError:  # a scenario may send anything
        return


def _text(body: bytes) -> str | None:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else redact.text(text)
