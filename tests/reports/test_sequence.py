"""The diagram: well-formed, deterministic, nested in time, refused arrows crossed."""

from __future__ import annotations

import re
from types import SimpleNamespace

from lxml import etree

from reports.flow import condensed, messages
from reports.sequence import diagram, tone
from wire.exchange import Direction, Exchange, Outcome, TlsInfo


def _svg(world: SimpleNamespace, *exchanges: Exchange, **options: object) -> str:
    recorded = [world.recorded(f"e{n}", one, step=n) for n, one in enumerate(exchanges)]
    return str(diagram(condensed(messages(recorded, 1)), **options))


def _links(svg: str) -> list[str]:
    return re.findall(r'aria-label="((?:Message|Réponse)[^"]*)"', svg)


def test_nothing_to_draw(world: SimpleNamespace) -> None:
    assert _svg(world) == ""


def test_the_drawing_is_well_formed_and_links_each_message(
    world: SimpleNamespace, tls: TlsInfo
) -> None:
    svg = _svg(world, world.oru(), world.c_find(1), world.submission(2, tls), world.refused(3))
    root = etree.fromstring(svg)
    assert {a.get("href") for a in root.iter("{*}a")} == {"#m1", "#m2", "#m3", "#m4"}
    assert "NaN" not in svg


def test_what_happens_in_between_is_drawn_in_between(world: SimpleNamespace, tls: TlsInfo) -> None:
    inner = world.exchange(0.5, 0.1, actor="psc", transaction="introspection",
                           response=world.answer("200 OK"))  # fmt: skip
    assert _links(_svg(world, world.wado(0, tls), inner)) == [
        "Message 1 : WADO-RS",
        "Message 2 : introspection",
        "Réponse au message 2 : 200",
        "Réponse au message 1 : 200",
    ]


def test_refused_and_unanswered_arrows_are_crossed(world: SimpleNamespace) -> None:
    refused = _svg(world, world.refused(0))
    assert refused.count('class="cross"') == 1
    assert "refusé : TLSV1_ALERT_UNKNOWN_CA" in refused
    late = _svg(world, world.oru(outcome=Outcome.TIMED_OUT, response=None))
    assert late.count('class="cross"') == 1
    assert 'class="cross"' not in _svg(world, world.oru())


def test_tones(world: SimpleNamespace, tls: TlsInfo) -> None:
    made = messages(
        [
            world.recorded(f"e{n}", one)
            for n, one in enumerate(
                (
                    world.oru(),
                    world.submission(1, tls),
                    world.refused(2),
                    world.exchange(3, outcome=Outcome.ABORTED),
                    world.exchange(4, outcome=Outcome.TIMED_OUT),
                )
            )
        ],
        1,
    )
    assert [tone(message) for message in made] == ["ok", "no", "refused", "aborted", "late"]


def test_steps_are_bands_and_findings_are_marks(world: SimpleNamespace) -> None:
    svg = _svg(world, world.oru(), world.c_find(1), steps={0: "Quand <x>"}, marks={"e1": "error"})
    assert svg.count('class="band"') == 1
    assert "Quand &lt;x&gt;" in svg
    assert svg.count('class="mark error"') == 1


def test_a_finding_on_the_other_record_of_a_message_marks_the_arrow(world: SimpleNamespace) -> None:
    asked = world.request("GET /auth")
    client = world.exchange(
        0, 0.2, actor="user", peer="psc", direction=Direction.OUT, request=asked
    )
    server = world.exchange(0.01, 0.1, actor="psc", peer="127.0.0.1:5000", request=asked)
    svg = _svg(world, client, server, marks={"e1": "warning"})
    assert _links(svg) == ["Message 1 : HTTP", "Réponse au message 1 : réponse"]
    assert svg.count('class="mark warning"') == 1


def test_an_actor_may_call_itself(world: SimpleNamespace) -> None:
    svg = _svg(world, world.exchange(0, actor="dmp", peer="dmp", direction=Direction.OUT))
    etree.fromstring(svg)


def test_instantaneous_exchanges_end_after_they_begin(world: SimpleNamespace) -> None:
    instant = world.exchange(0, 0.0, response=world.answer("200 OK"), transaction="CRL")
    assert _links(_svg(world, instant, instant)) == [
        "Message 1 : CRL",
        "Réponse au message 1 : 200",
        "Message 2 : CRL",
        "Réponse au message 2 : 200",
    ]


def test_labels_are_escaped_and_masked(world: SimpleNamespace) -> None:
    svg = _svg(world, world.exchange(0, transaction=f"<script>{world.TOKEN}", peer='"><b>'))
    assert "<script>" not in svg
    assert world.TOKEN not in svg
    etree.fromstring(svg)


def test_the_same_messages_give_the_same_drawing(world: SimpleNamespace) -> None:
    assert _svg(world, world.oru(), world.c_find(1)) == _svg(world, world.oru(), world.c_find(1))
