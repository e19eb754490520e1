"""HAR: every HTTP exchange, in order, in a shape that its readers accept, without a secret."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from bench.results import Run
from reports.har import as_har, write_har
from tests.reports.conftest import COOKIE, TOKEN


def test_every_http_exchange_is_there_and_no_other(run: Run) -> None:
    log = as_har(run)["log"]
    http = [
        one for one in (*(e for s in run.scenarios for e in s.exchanges), *run.ambient)
        if one.exchange.protocol == "HTTP"
    ]  # fmt: skip
    assert len(log["entries"]) == len(http) > 3
    moments = [entry["startedDateTime"] for entry in log["entries"]]
    assert moments == sorted(moments)
    assert {entry["pageref"] for entry in log["entries"]} == {page["id"] for page in log["pages"]}


def test_an_entry_says_what_was_exchanged(run: Run) -> None:
    entry = next(one for one in as_har(run)["log"]["entries"] if "ITI-41" in one["comment"])
    assert entry["request"]["method"] == "POST"
    assert entry["request"]["url"].endswith("/si-dmp-server/v2/services/repository")
    assert entry["request"]["bodySize"] > 0
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (
        500, "Internal Server Error",
    )  # fmt: skip
    assert "DMPInvalidCertificate" in entry["response"]["content"]["text"]
    assert entry["time"] == entry["timings"]["wait"] == 210.0


def test_bytes_that_are_no_text_are_kept_as_base64(run: Run) -> None:
    """A body of a request has no base64 in HAR: it is left out, its size stays."""
    entry = next(one for one in as_har(run)["log"]["entries"] if "ITI-41" in one["comment"])
    assert entry["request"]["postData"]["text"] == ""
    for one in as_har(run)["log"]["entries"]:
        content = one["response"]["content"]
        if content.get("encoding") == "base64":
            base64.b64decode(content["text"], validate=True)


def test_no_secret_is_written(run: Run, tmp_path: Path) -> None:
    text = write_har(run, tmp_path / "a" / "echanges.har").read_text(encoding="utf-8")
    assert json.loads(text)["log"]["version"] == "1.2"
    assert TOKEN not in text
    assert COOKIE.partition("=")[2] not in text
    assert "SplxlOBeZQQYbYS6WxSbIA" not in text
    assert "masqué" in text
