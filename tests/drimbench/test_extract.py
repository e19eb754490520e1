"""`drimbench extract`: the bytes of one message, and clear words when they are not there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from drimbench.cli import main
from wire.exchange import Direction, Exchange, Outcome, Payload
from wire.shard import Shard

BODY = b"<a/>\x00\xff"


def play(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["drimbench", "extract", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.fixture
def run(tmp_path: Path) -> tuple[str, dict[str, str]]:
    """A run with an HTTP exchange, one without answer, one kept by its beginning."""
    shard = Shard(tmp_path / "r", "bench")

    def record(protocol: str, request: Payload, response: Payload | None) -> str:
        return shard.record(
            Exchange(
                protocol=protocol, actor="dmp", peer="source", direction=Direction.IN,
                outcome=Outcome.ANSWERED, connection="c", utc=datetime.now(UTC), mono_start=1.0,
                mono_end=2.0, request=request, response=response,
            )
        )  # fmt: skip

    head = [("Content-Type", "text/xml"), ("Authorization", "Bearer abc")]
    asked = Payload.whole(BODY, start_line="POST /x HTTP/1.1", head=head)
    ids = {
        "http": record("HTTP", asked, Payload.whole(b"ok", start_line="HTTP/1.1 200 OK")),
        "mllp": record("MLLP", Payload.whole(b"MSH|"), None),
        "half": record("HTTP", Payload(body=b"a", size=9, truncated=True), None),
    }
    shard.close()
    return str(tmp_path / "r"), ids


def test_a_message_comes_out_as_it_was(
    run: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path,
) -> None:  # fmt: skip
    folder, ids = run
    assert play(monkeypatch, folder, ids["http"]) == 0
    out = capfdbinary.readouterr().out
    assert out.startswith(b"POST /x HTTP/1.1\r\nContent-Type: text/xml\r\n")
    assert out.endswith(b"\r\n\r\n" + BODY)
    assert play(monkeypatch, folder, ids["mllp"], "--output", str(tmp_path / "m.hl7")) == 0
    assert (tmp_path / "m.hl7").read_bytes() == b"MSH|"
    assert play(monkeypatch, folder, ids["http"], "--header", "authorization") == 0
    assert capfdbinary.readouterr().out == b"Bearer abc\n"
    assert play(monkeypatch, folder, ids["http"], "--response") == 0
    assert capfdbinary.readouterr().out.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bench-0-0"], "aucun échange"),
        (["mllp", "--response"], "pas de réponse"),
        (["half"], "sur 9 octets"),
        (["http", "--header", "Cookie"], "pas d'en-tête « Cookie »"),
        (["http", "--output", "absent/x"], "absent/x"),
    ],
)
def test_what_is_not_there_is_said(
    run: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], words: list[str], said: str,
) -> None:  # fmt: skip
    folder, ids = run
    assert play(monkeypatch, folder, ids.get(words[0], words[0]), *words[1:]) == 64
    captured = capsys.readouterr()
    assert said in " ".join((captured.err + captured.out).split())
    assert captured.out == "" or said not in captured.out
