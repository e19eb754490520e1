"""An exchange belongs to the scenario whose Case it names, whatever else runs."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bench.attribution import Attributor
from wire.exchange import Direction, Exchange, Outcome, Part, Payload


def exchange(body: bytes = b"", *, connection: str = "c1", **changes: object) -> Exchange:
    made = Exchange(
        protocol="HTTP",
        actor="dmp",
        peer="source",
        direction=Direction.IN,
        outcome=Outcome.ANSWERED,
        connection=connection,
        utc=datetime(2026, 11, 22, tzinfo=UTC),
        mono_start=1.0,
        mono_end=2.0,
        request=Payload.whole(body),
    )
    return replace(made, **changes)


@pytest.fixture
def attributor() -> Attributor:
    made = Attributor()
    made.open("SCN-A", {"l'INS": "279035121518989"})
    made.open("SCN-B", {"l'INS": "162018885045327"})
    return made


def test_body_that_names_the_patient(attributor: Attributor) -> None:
    scenario, why = attributor.attribute(exchange(b"PID|1||279035121518989^^^"))
    assert (scenario, why) == ("SCN-A", "nomme l'INS")


def test_key_minted_by_an_attributed_exchange_leads_to_the_same_scenario(
    attributor: Attributor,
) -> None:
    attributor.attribute(exchange(b"162018885045327", keys=("jti-7f3a9",)))
    later = exchange(b"token=opaque", connection="c2", keys=("jti-7f3a9",))
    assert attributor.attribute(later)[0] == "SCN-B"


def test_same_connection_as_an_attributed_exchange(attributor: Attributor) -> None:
    attributor.attribute(exchange(b"279035121518989", connection="c9"))
    assert attributor.attribute(exchange(b"nothing known", connection="c9"))[0] == "SCN-A"


def test_keys_of_a_connection_that_the_bench_opened_are_learnt(attributor: Attributor) -> None:
    ours = {"connection": "c5", "direction": Direction.OUT}
    attributor.attribute(exchange(b"279035121518989", **ours))
    attributor.attribute(exchange(b"redirect", keys=("state-9f2c1",), **ours))
    assert attributor.attribute(exchange(b"", connection="c6", keys=("state-9f2c1",)))[0] == "SCN-A"


def test_keys_of_a_pooled_connection_of_a_box_are_not(attributor: Attributor) -> None:
    attributor.attribute(exchange(b"279035121518989", connection="c5"))
    attributor.attribute(exchange(b"another story", connection="c5", keys=("code-77aa01",)))
    assert attributor.attribute(exchange(b"", connection="c6", keys=("code-77aa01",)))[0] is None


def test_stranger_is_ambient(attributor: Attributor) -> None:
    assert attributor.attribute(exchange(b"CRL", connection="c7")) == (None, "ambiant")


def test_refused_handshake_is_ambient_even_on_a_known_connection(attributor: Attributor) -> None:
    attributor.attribute(exchange(b"279035121518989", connection="c3"))
    refused = exchange(b"", connection="c3", protocol="TLS", outcome=Outcome.REFUSED)
    assert attributor.attribute(refused)[0] is None


def test_case_found_in_the_head_of_an_image_part(attributor: Attributor) -> None:
    part = Part(headers=(), size=9, sha256="", head=b"..279035121518989..")
    images = exchange(b"", response=Payload(parts=(part,)))
    assert attributor.attribute(images)[0] == "SCN-A"


def test_late_exchange_of_an_earlier_case_never_counts_for_the_active_one(
    attributor: Attributor,
) -> None:
    attributor.open("SCN-C", {"l'INS": "274075176079430"})
    assert attributor.attribute(exchange(b"279035121518989"))[0] == "SCN-A"


def test_short_identifiers_are_not_searched() -> None:
    made = Attributor()
    made.open("SCN-S", {"numéro": "12"})
    assert made.attribute(exchange(b"12"))[0] is None
