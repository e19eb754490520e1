"""The names of the trust space, as an authoritative DNS says them, without any real resolver.

It answers for its zones (`mesimagesmedicales.fr` and the bench's own) and for hosts that it is
told of elsewhere; all other names are refused, so that a resolver asks whom it should. A product's
resolver is told to forward the zones here; nothing of the machine is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from protocols.dns import read
from protocols.errors import RemoteProtocolError
from wire.dns import DnsServer, serve_dns
from wire.exchange import Exchange, Observe

__all__ = ["ZONES", "Directory", "Place", "start"]

ZONES = ("mesimagesmedicales.fr", "drimbench.test")
"""The domain of the national register of DRIMboxes (ANS, presentation of the trust space, grade:
faq), and ours, under `.test` (RFC 6761)."""

_TTL_S = 5
"""Addresses of a bench change from one start to the next."""
_PAYLOAD = 1232
"""What we take by UDP (DNS flag day 2020)."""
_PLAIN_UDP = 512
"""RFC 1035 4.2.1, without EDNS."""
_HEADER = 12
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host is. DNS says its port as well to who asks (HTTPS records, RFC 9460)."""

    address: IPv4Address | IPv6Address
    port: int = _HTTPS


class Directory:
    """What is answered to a question, from what `hosts` gives at that moment."""

    def __init__(
        self, hosts: Callable[[], Mapping[str, Place]], zones: Iterable[str] = ZONES
    ) -> None:
        self._hosts = hosts
        self._zones = tuple(dns.name.from_text(zone) for zone in zones)

    def answer(self, question: bytes, tcp: bool) -> bytes | None:
        """The answer to a message; None to what is no question at all.

        Never raises, whatever the bytes.
        """
        if len(question) < _HEADER or question[2] & 0x80:
            return None  # RFC 1035 4.1.1: too short for a header, or an answer
        try:
            asked = read(question)
            answer = self._answer(asked)
            return _written(answer, _PAYLOAD if tcp else _room(asked), tcp=tcp)
        except (RemoteProtocolError, dns.exception.DNSException):
            # What dnspython cannot read is told by its id alone (RFC 1035 4.1.1, RCODE 1).
            flags = (0x8000 | (int.from_bytes(question[2:4]) & 0x7900)) + int(dns.rcode.FORMERR)
            return question[:2] + flags.to_bytes(2) + bytes(8)

    def _answer(self, asked: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(asked, our_payload=_PAYLOAD)
        if asked.edns > 0:
            answer.set_rcode(dns.rcode.BADVERS)
        elif asked.opcode() != dns.opcode.QUERY:
            answer.set_rcode(dns.rcode.NOTIMP)
        elif len(asked.question) != 1:
            answer.set_rcode(dns.rcode.FORMERR)
        else:
            self._look_up(asked.question[0], answer)
        return answer

    def _look_up(self, wanted: dns.rrset.RRset, answer: dns.message.Message) -> None:
        hosts = {dns.name.from_text(host): place for host, place in self._hosts().items()}
        zone = next((one for one in self._zones if wanted.name.is_subdomain(one)), None)
        place = hosts.get(wanted.name)
        if wanted.rdclass != dns.rdataclass.IN or (zone is None and place is None):
            answer.set_rcode(dns.rcode.REFUSED)
            return
        answer.flags |= dns.flags.AA
        if place is not None:
            answer.answer += _records(wanted.name, wanted.rdtype, place)
        elif zone == wanted.name and wanted.rdtype in (dns.rdatatype.SOA, dns.rdatatype.ANY):
            answer.answer.append(_authority(zone))
        elif zone != wanted.name and not any(host.is_subdomain(wanted.name) for host in hosts):
            # Not of a name that others stand below: it exists, and has nothing (RFC 8020).
            answer.set_rcode(dns.rcode.NXDOMAIN)
        if not answer.answer and zone is not None:
            answer.authority.append(_authority(zone))


def _records(
    name: dns.name.Name, kind: dns.rdatatype.RdataType, place: Place
) -> list[dns.rrset.RRset]:
    version = place.address.version
    own = dns.rdatatype.A if version == 4 else dns.rdatatype.AAAA
    service = f"1 . alpn=http/1.1 port={place.port} ipv{version}hint={place.address}"
    known = {own: str(place.address), dns.rdatatype.HTTPS: service}
    return [
        dns.rrset.from_text(name, _TTL_S, dns.rdataclass.IN, one, text)
        for one, text in known.items()
        if kind in (one, dns.rdatatype.ANY)
    ]


def _authority(zone: dns.name.Name) -> dns.rrset.RRset:
    """The start of authority: how long a "no" may be kept is its last number (RFC 2308)."""
    text = f"ns.{zone} support.{zone} 1 3600 600 86400 {_TTL_S}"
    return dns.rrset.from_text(zone, _TTL_S, dns.rdataclass.IN, dns.rdatatype.SOA, text)


def _room(asked: dns.message.Message) -> int:
    return max(_PLAIN_UDP, min(asked.payload, _PAYLOAD)) if asked.edns >= 0 else _PLAIN_UDP


def _written(answer: dns.message.Message, room: int, *, tcp: bool) -> bytes:
    if tcp:
        return answer.to_wire()
    try:
        return answer.to_wire(max_size=room)
    except dns.exception.TooBig:
        return answer.to_wire(max_size=room, prefer_truncation=True)


def _label(exchange: Exchange) -> Exchange:
    """Name the exchange by what was asked: `A db4.drimbench.test`."""
    assert exchange.request is not None
    try:
        (asked,) = read(exchange.request.body).question
    except (RemoteProtocolError, ValueError):  # none, or not one question
        return exchange
    name = asked.name.to_text(omit_final_dot=True)
    return exchange.labelled(detail=f"{dns.rdatatype.to_text(asked.rdtype)} {name}")


async def start(
    directory: Directory, *, observe: Observe, host: str = "127.0.0.1", port: int = 0
) -> DnsServer:
    """Answer by UDP and TCP in the running loop.

    Raises:
        OSError: the port is taken.
    """
    return await serve_dns(
        directory.answer, actor="dns", observe=observe, label=_label, host=host, port=port
    )
