"""Numbered messages between named actors, in time order."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from reports.flow import Group, Message, actor_label, actor_rank, condensed, messages
from wire.exchange import Direction, Outcome, Payload, TlsInfo


def test_messages_are_numbered_in_time_order(world: SimpleNamespace) -> None:
    late, early = world.recorded("z", world.c_find(2)), world.recorded("a", world.oru(1))
    made = messages([late, early], 40)
    assert [(m.number, m.recorded.id, m.caller, m.callee) for m in made] == [
        (40, "a", "ris", "source"),
        (41, "z", "source", "pacs"),
    ]


def test_an_address_takes_the_name_said_on_its_connection(world: SimpleNamespace) -> None:
    named = world.exchange(0, connection="k", peer="source")
    unnamed = world.exchange(1, connection="k", peer="127.0.0.1:40122")
    made = messages([world.recorded("a", named), world.recorded("b", unnamed)], 1)
    assert [m.caller for m in made] == ["source", "source"]


def test_an_address_takes_the_name_of_its_certificate(world: SimpleNamespace, tls: TlsInfo) -> None:
    made = messages([world.recorded("a", world.exchange(0, peer="127.0.0.1:40122", tls=tls))], 1)
    assert made[0].caller == "source"


def test_told_names_come_first(world: SimpleNamespace, tls: TlsInfo) -> None:
    told = {"DB-Source.kit.example": "consumer", "KITLOCAL": "pacs-local"}
    by_certificate = world.exchange(0, peer="127.0.0.1:40122", tls=tls, transaction="ITI-41")
    by_title = world.exchange(1, actor="pacs", peer="KITLOCAL")
    made = messages([world.recorded("a", by_certificate), world.recorded("b", by_title)], 1, told)
    assert [m.caller for m in made] == ["consumer", "pacs-local"]


@pytest.mark.parametrize(
    ("name", "actor"),
    [("DRIMBOX", "source"), ("kit-drimbox-source", "source"), ("CONSUMER", "consumer"),
     ("kit-drimbox-consumer", "consumer"), ("navigateur (kit-drimbox-consumer)", "user"),
     ("psc.drimbench.test", "psc"), ("KITPACS", "pacs"), ("ACME", "ACME")],
)  # fmt: skip
def test_names_of_the_field_hint_at_their_owner(
    world: SimpleNamespace, name: str, actor: str
) -> None:
    assert messages([world.recorded("a", world.exchange(0, peer=name))], 1)[0].caller == actor


def test_a_transaction_says_who_plays_it_when_nothing_else_does(world: SimpleNamespace) -> None:
    made = messages(
        [world.recorded("a", world.exchange(0, peer="127.0.0.1:1", transaction="TD0.2")),
         world.recorded("b", world.exchange(1, peer="127.0.0.1:2", transaction="ITI-18",
                                            detail="TD3.1b"))], 1,
    )  # fmt: skip
    assert [m.caller for m in made] == ["consumer", "source"]


def test_an_association_that_we_open_goes_to_the_title_that_it_calls(
    world: SimpleNamespace,
) -> None:
    titles = [("CallingAETitle", "KITPACS"), ("CalledAETitle", "DRIMBOX")]
    asked = Payload.whole(b"", head=titles)
    sent = world.exchange(0, protocol="DIMSE", actor="pacs", peer="KITPACS",
                          direction=Direction.OUT, request=asked)  # fmt: skip
    made = messages([world.recorded("a", sent)], 1)[0]
    assert (made.caller, made.callee) == ("pacs", "source")


def test_an_unnamed_client_is_not_told_by_its_port(world: SimpleNamespace) -> None:
    served = world.exchange(0, peer="127.0.0.1:40122")
    called = world.exchange(1, peer="127.0.0.1:11112", direction=Direction.OUT)
    made = messages([world.recorded("a", served), world.recorded("b", called)], 1)
    assert made[0].caller == "pair non identifié"
    assert made[1].callee == "127.0.0.1:11112"


def test_the_same_exchange_seen_from_both_ends_is_one(world: SimpleNamespace) -> None:
    client = world.exchange(
        0, 0.2, actor="utilisateur", peer="psc", direction=Direction.OUT,
        request=world.request("GET https://psc.kit.example/auth?x=1"),
    )  # fmt: skip
    server = world.exchange(
        0.01, 0.1, actor="psc", peer="127.0.0.1:5000", request=world.request("GET /auth?x=1")
    )
    made = messages([world.recorded("c", client), world.recorded("s", server)], 1)
    assert [m.mirror_of for m in made] == [None, 1]
    assert made[1].caller == "user"


def test_a_server_gives_its_name_to_what_its_client_called(world: SimpleNamespace) -> None:
    asked = world.request("GET /auth", Host="hote-inconnu:8443")
    client = world.exchange(0, actor="user", peer="hote-inconnu:8443", direction=Direction.OUT,
                            request=asked)  # fmt: skip
    server = world.exchange(0.001, 0.001, actor="psc", peer="127.0.0.1:5000", request=asked)
    made = messages([world.recorded("c", client), world.recorded("s", server)], 1)
    assert [(m.caller, m.callee) for m in made] == [("user", "psc"), ("user", "psc")]


def test_two_calls_alike_are_not_mirrors(world: SimpleNamespace) -> None:
    first = world.exchange(0, actor="user", peer="psc", direction=Direction.OUT,
                           request=world.request("GET /auth"))  # fmt: skip
    second = world.exchange(
        5, actor="psc", peer="127.0.0.1:5000", request=world.request("GET /auth")
    )
    made = messages([world.recorded("c", first), world.recorded("s", second)], 1)
    assert made[1].mirror_of is None


def test_long_series_are_told_by_their_ends(world: SimpleNamespace) -> None:
    stores = [world.recorded(f"s{n}", world.c_store(n)) for n in range(400)]
    items = condensed(messages(stores, 1))
    assert [type(item) for item in items] == [Message, Message, Group, Message]
    group = items[2]
    assert isinstance(group, Group)
    assert len(group.messages) == 397


def test_what_matters_stays_in_a_long_series(world: SimpleNamespace) -> None:
    stores = [world.recorded(f"s{n}", world.c_store(n)) for n in range(60)]
    cut = world.exchange(30.5, protocol="DIMSE", actor="pacs", peer="consumer",
                         transaction="C-STORE", outcome=Outcome.ABORTED)  # fmt: skip
    items = condensed(messages([*stores, world.recorded("cut", cut)], 1), {"s10"})
    shown = {item.recorded.id for item in items if isinstance(item, Message)}
    assert {"s10", "cut"} <= shown
    assert len(items) < 20


def test_lifelines_keep_one_order() -> None:
    actors = ["zeta", "consumer", "user", "dmp", "ris", "alpha", "source", "psc", "pacs", "ans"]
    assert sorted(actors, key=actor_rank) == [
        "ris", "pacs", "source", "dmp", "psc", "ans", "consumer", "user", "alpha", "zeta",
    ]  # fmt: skip


def test_a_real_neighbour_is_told_from_its_simulator() -> None:
    assert actor_label("dmp (réel)") == "DMP (réel)"
    assert actor_rank("dmp (réel)")[0] == actor_rank("dmp")[0] < actor_rank("inconnu")[0]
