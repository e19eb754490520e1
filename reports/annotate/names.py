"""DNS questions and answers, as zone files write them."""

from __future__ import annotations

import dns.exception
import dns.message

from reports.annotate import text
from reports.annotate.model import Section

__all__ = ["section"]


def section(body: bytes, word: str) -> Section:
    """The message in words; bytes that are none, in hexadecimal."""
    try:
        blocks, note = text.plain(dns.message.from_wire(body).to_text())
    except (dns.exception.DNSException, ValueError, IndexError, KeyError, NotImplementedError):
        blocks, note = text.hexdump(body)
    return Section(word, blocks, note)
