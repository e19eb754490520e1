"""The pace of a Consumer is judged by when Pro Santé Connect was asked, and by what it had said."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from bench.ciba_attacks import gaps, rings, strays
from bench.feed import Seen
from wire.exchange import Direction, Exchange, Outcome, Payload


def seen(transaction: str, at: float, asked: dict[str, str], answer: Any) -> Seen:
    exchange = Exchange(
        protocol="HTTP",
        actor="psc",
        peer="kit-consumer",
        direction=Direction.IN,
        outcome=Outcome.ANSWERED,
        connection="1",
        utc=datetime.now(UTC),
        mono_start=at,
        mono_end=at,
        transaction=transaction,
        request=Payload.whole(urlencode(asked).encode()),
        response=Payload.whole(
            answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        ),
    )
    return Seen(str(at), exchange, None, "", int(at))


def asked(at: float, id: str, **said: Any) -> Seen:
    return seen("PSC-CIBA", at, {"binding_message": "07"}, {"auth_req_id": id, **said})


def polled(at: float, id: str, error: str = "authorization_pending") -> Seen:
    return seen("PSC-CIBA-poll", at, {"auth_req_id": id}, {"error": error})


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"interval": 3}, 3),
        ({}, 5),
        ({"interval": 0}, 1),
        ({"interval": -5}, 1),
        ({"interval": 86_400}, 1),
        ({"interval": "2"}, 1),
    ],
)
def test_what_is_waited_for_is_what_was_said(said: dict[str, Any], wanted: float) -> None:
    (ring,) = rings([asked(0, "a", **said), polled(1, "a"), polled(5, "a")])
    assert gaps(ring) == [(wanted, 4.0, ["1", "5"])]
    assert ring.message == "07"


def test_slow_down_counts_from_then_on_and_each_time() -> None:
    errors = ("authorization_pending", "slow_down", "authorization_pending", "slow_down", "")
    (ring,) = rings([asked(0, "a", interval=1), *(polled(n, "a", e) for n, e in enumerate(errors))])
    assert [wanted for wanted, _, _ in gaps(ring)] == [1, 6, 6, 11]


def test_requests_are_told_apart_and_what_cannot_be_read_is_none() -> None:
    first, second = rings(
        [
            asked(0, "a", interval=1),
            asked(1, "b", interval=1),
            seen("PSC-CIBA", 2, {}, b"<html>"),
            seen("PSC-CIBA", 3, {}, {"expires_in": 120}),
            polled(4, "b"),
            polled(5, "a"),
            seen("PSC-CIBA-poll", 6, {"auth_req_id": "b"}, b""),
        ]
    )
    assert [one.id for one in first.polls] == ["5"]
    assert [one.id for one in second.polls] == ["4", "6"]


def test_a_poll_about_what_was_never_acknowledged_is_a_stray() -> None:
    right, wrong = polled(2, "a"), polled(3, "None")
    nameless = seen("PSC-CIBA-poll", 4, {}, {"error": "invalid_request"})
    unnamed = seen("PSC-CIBA", 1, {}, {"expires_in": 120})
    assert strays([asked(0, "a"), unnamed, right, wrong, nameless]) == [wrong, nameless]
