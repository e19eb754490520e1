"""DNS questions and answers, as zone files write them."""

from __future__ import annotations

from protocols import dns
from protocols.errors import RemoteProtocolError
from reports.annotate import text
from reports.annotate.model import Section

__all__ = ["section"]


def section(body: bytes, word: str) -> Section:
    """The message in words; bytes that are none, in hexadecimal."""
    try:
        blocks, note = text.plain(dns.read(body).to_text())
    except RemoteProtocolError:
        blocks, note = text.hexdump(body)
    return Section(word, blocks, note)
