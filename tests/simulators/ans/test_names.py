"""The names of the bench, asked by a resolver that is not ours, and by hostile bytes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.resolver
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import given
from hypothesis import strategies as st

from simulators.ans.names import Directory, Place, start
from wire.exchange import Exchange, Outcome

HOSTS = {
    "db4.kit.mesimagesmedicales.fr": Place(ip_address("127.0.0.1"), 48606),
    "dmp.drimbench.test": Place(ip_address("::1"), 48600),
    "box.hopital.example": Place(ip_address("192.0.2.7")),
}


@contextmanager
def serving(seen: list[Exchange] | None = None) -> Iterator[int]:
    heard = [] if seen is None else seen
    with start_blocking_portal() as portal:
        server = portal.call(lambda: start(Directory(lambda: HOSTS), observe=heard.append))
        try:
            yield server.port
        finally:
            portal.call(server.stop)


def resolver(port: int) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port, made.lifetime = ["127.0.0.1"], port, 5
    return made


@pytest.mark.parametrize("tcp", [False, True])
def test_a_stranger_asks(tcp: bool) -> None:
    seen: list[Exchange] = []
    with serving(seen) as port:
        asks = resolver(port)
        found = asks.resolve("DB4.kit.mesimagesmedicales.fr", "A", tcp=tcp)
        assert [one.to_text() for one in found] == ["127.0.0.1"]
        assert found.response.flags & dns.flags.AA
        (sixth,) = asks.resolve("dmp.drimbench.test", "AAAA", tcp=tcp)
        assert sixth.to_text() == "::1"
        (elsewhere,) = asks.resolve("box.hopital.example", "A", tcp=tcp)
        assert elsewhere.to_text() == "192.0.2.7"
        (service,) = asks.resolve("db4.kit.mesimagesmedicales.fr", "HTTPS", tcp=tcp)
        assert 'port="48606"' in service.to_text()
        with pytest.raises(dns.resolver.NoAnswer):
            asks.resolve("db4.kit.mesimagesmedicales.fr", "AAAA", tcp=tcp)
        with pytest.raises(dns.resolver.NoAnswer):  # others stand below it
            asks.resolve("kit.mesimagesmedicales.fr", "A", tcp=tcp)
        with pytest.raises(dns.resolver.NXDOMAIN):
            asks.resolve("db5.kit.mesimagesmedicales.fr", "A", tcp=tcp)
    first = seen[0]
    assert (first.protocol, first.actor, first.outcome) == ("DNS", "dns", Outcome.ANSWERED)
    assert first.detail == "A DB4.kit.mesimagesmedicales.fr"
    assert first.request is not None
    assert first.request.header("Transport") == ("TCP" if tcp else "UDP")


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("esante.gouv.fr", "A", dns.rcode.REFUSED),
        ("fr", "A", dns.rcode.REFUSED),
        ("db5.drimbench.test", "TXT", dns.rcode.NXDOMAIN),
        ("mesimagesmedicales.fr", "SOA", dns.rcode.NOERROR),
        ("dmp.drimbench.test", "ANY", dns.rcode.NOERROR),
    ],
)
def test_what_is_not_ours_is_refused(name: str, kind: str, code: int) -> None:
    question = dns.message.make_query(name, kind)
    data = Directory(lambda: HOSTS).answer(question.to_wire(), False)
    assert data is not None
    answer = dns.message.from_wire(data)
    assert answer.rcode() == code
    assert question.is_response(answer)
    assert not answer.flags & dns.flags.RA


def test_what_is_no_plain_question() -> None:
    known = Directory(lambda: HOSTS)
    ask = dns.message.make_query("dmp.drimbench.test", "A")
    ask.set_opcode(dns.opcode.NOTIFY)
    assert _code(known, ask.to_wire()) == dns.rcode.NOTIMP
    new = dns.message.make_query("dmp.drimbench.test", "A", use_edns=1)
    assert _code(known, new.to_wire()) == dns.rcode.BADVERS
    none = dns.message.Message(7)
    assert _code(known, none.to_wire()) == dns.rcode.FORMERR
    chaos = dns.message.make_query("version.bind", "TXT", rdclass="CH")
    assert _code(known, chaos.to_wire()) == dns.rcode.REFUSED
    answer = dns.message.make_response(dns.message.make_query("dmp.drimbench.test", "A"))
    assert known.answer(answer.to_wire(), False) is None


def _code(known: Directory, question: bytes) -> int:
    data = known.answer(question, False)
    assert data is not None
    return dns.message.from_wire(data).rcode()


asked = st.builds(
    lambda name, kind, edns: dns.message.make_query(name, kind, use_edns=edns).to_wire(),
    st.sampled_from([*HOSTS, "db5.drimbench.test", "example.org", "."]),
    st.sampled_from(["A", "AAAA", "HTTPS", "SOA", "ANY", "TXT", "AXFR"]),
    st.sampled_from([False, 0, 1]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A question with some of its bytes changed, cut or added to."""
    data = bytearray(draw(asked))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) + draw(st.binary(max_size=12))


@given(st.one_of(asked, damaged(), st.binary(max_size=600)), st.booleans())
def test_hostile_bytes_get_an_answer_or_silence(data: bytes, tcp: bool) -> None:
    answer = Directory(lambda: HOSTS).answer(data, tcp)
    if answer is not None:
        assert answer[:2] == data[:2]
        assert answer[2] & 0x80
        assert tcp or len(answer) <= 1232
        dns.message.from_wire(answer)


def test_a_stream_cut_in_a_question_harms_nobody() -> None:
    with serving() as port:
        with socket.create_connection(("127.0.0.1", port), 5) as one:
            one.sendall(b"\x00\x20half")
        with socket.create_connection(("127.0.0.1", port), 5) as silent:
            question = dns.message.make_query("dmp.drimbench.test", "AAAA")
            answer = dns.query.tcp(question, "127.0.0.1", port=port, timeout=5)
            assert answer.rcode() == dns.rcode.NOERROR
            silent.sendall(b"\x00\x04\xff\xff\xff\xff")
            assert silent.recv(10) == b""


def test_the_port_is_free_again() -> None:
    with serving() as port:
        pass
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
