"""What a box under test emits is judged; what anyone else emits is not its affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.cases import PURPOSE
from bench.judge import judge_scenario, kind_of
from spec.hl7v2 import REPORT_MESSAGES
from spec.wado import LOSSLESS_PROFILE, LOSSY_PROFILE
from validators.api import KINDS, Context, validate
from validators.examples import kos, wado, xds
from validators.finding import Severity
from wire.exchange import Direction, Exchange, Outcome, Payload, new_connection_id, stamp

EMITTERS = {
    "ITI-18": "consumer",
    "ITI-43": "consumer",
    "ITI-57": "source",
    "TD0.2": "consumer",
    "ITI-41": "source",
}


def received(transaction: str, message: bytes) -> Exchange:
    """The exchange in which the DMP was sent this HTTP message."""
    head, _, body = message.partition(b"\r\n\r\n")
    start_line, *lines = head.decode("latin-1").split("\r\n")
    fields = [tuple(line.split(": ", 1)) for line in lines]
    utc, mono = stamp()
    return Exchange(
        protocol="HTTP",
        actor="dmp",
        peer="box",
        direction=Direction.IN,
        outcome=Outcome.ANSWERED,
        connection=new_connection_id(),
        utc=utc,
        mono_start=mono,
        mono_end=mono,
        transaction=transaction,
        request=Payload.whole(body, start_line=start_line, head=fields),
    )


def errors(transaction: str, message: bytes, role: str) -> set[str]:
    exchanges = [("x1", received(transaction, message))]
    found = judge_scenario(exchanges, frozenset({role}), {})
    return {one.rule for _, one in found if one.severity is Severity.ERROR}


@pytest.mark.parametrize(("transaction", "role"), EMITTERS.items())
def test_each_request_to_the_dmp_is_judged(transaction: str, role: str) -> None:
    rules = KINDS[transaction.lower()].rules.rules.values()
    broken = [one for one in rules if one.severity is Severity.ERROR and one.given == Context()]
    assert len(broken) > 20
    for rule in broken[:15]:
        assert errors(transaction, rule.good(), role) == set(), rule.id
        assert rule.id in errors(transaction, rule.bad(), role)


@pytest.mark.parametrize(
    ("transaction", "role", "kind"),
    [
        ("API-PSC-token", "consumer", "echange-jeton"),
        ("PSC-token", "consumer", "demande-jeton"),
        ("PSC-refresh", "consumer", "demande-jeton"),
        ("introspection", "source", "demande-introspection"),
    ],
)
def test_each_request_to_a_token_server_is_judged(transaction: str, role: str, kind: str) -> None:
    other = {"consumer": "source", "source": "consumer"}[role]
    for rule in KINDS[kind].rules.rules.values():
        if rule.severity is Severity.ERROR:
            assert errors(transaction, rule.good(), role) == set(), rule.id
            assert rule.id in errors(transaction, rule.bad(), role)
            assert errors(transaction, rule.bad(), other) == set()
    assert kind_of(received(transaction, b"POST / HTTP/1.1")) == kind


@pytest.mark.parametrize("transaction", REPORT_MESSAGES)
def test_each_acknowledgement_of_a_report_is_judged(transaction: str) -> None:
    asked, answered = received(transaction, b""), Payload.whole(b"MSH|^~\\&|x\rMSA|AA|\r")
    exchange = replace(asked, actor="ris", direction=Direction.OUT, response=answered)
    found = judge_scenario([("x1", exchange)], frozenset({"source"}), {})
    assert any(one.severity is Severity.ERROR and one.rule.startswith("ACK") for _, one in found)
    assert kind_of(exchange) == "ack"


def test_a_request_of_another_is_not_judged() -> None:
    wrong = next(
        one.bad() for one in KINDS["iti-43"].rules.rules.values() if one.severity is Severity.ERROR
    )
    assert errors("ITI-43", wrong, "consumer")
    assert not errors("ITI-43", wrong, "source")


def test_images_are_published_over_tls_alone() -> None:
    """What a file judged alone may excuse is an error where DRIMboxes meet."""
    series = f"/studies/{kos.STUDY}/series/{kos.SERIES}"
    clear = kos.with_series(retrieve_url=f"http://db900.test.mesimagesmedicales.fr{series}")
    assert errors("ITI-41", xds.iti41(), "source") == set()
    assert errors("ITI-41", xds.iti41(kos=clear), "source") == {"KOS-065"}
    assert validate(clear, "kos").verdict == "warn"


@pytest.mark.parametrize(
    ("case", "profile", "broken"),
    [
        ({}, LOSSLESS_PROFILE, set()),
        ({}, LOSSY_PROFILE, {"WADO-015"}),
        ({PURPOSE: "viewing"}, LOSSY_PROFILE, set()),
        ({PURPOSE: "viewing"}, LOSSLESS_PROFILE, {"WADO-016"}),
    ],
)
def test_what_images_are_for_decides_which_syntaxes_come_first(
    case: dict[str, str], profile: Sequence[tuple[str, float]], broken: set[str]
) -> None:
    exchange = received("WADO-RS", wado.request(profile=profile))
    found = judge_scenario([("x1", exchange)], frozenset({"consumer"}), case)
    assert {one.rule for _, one in found if one.rule in ("WADO-015", "WADO-016")} == broken
