"""Parameters of a form or of a link, altered one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from tests.alterations.model import ABSENT, DOUBLED, EMPTY, OTHER, Alteration

__all__ = ["of_form", "of_link"]


def of_form(good: bytes) -> Iterator[Alteration]:
    """Parameters left out, emptied, replaced, doubled."""
    pairs = parse_qsl(good.decode(), keep_blank_values=True)
    for rank, (name, value) in enumerate(pairs):
        for change, new in (
            (ABSENT, []),
            (EMPTY, [(name, "")]),
            (OTHER, [(name, "KIT")]),
            (DOUBLED, [(name, value)] * 2),
        ):
            edited = urlencode([*pairs[:rank], *new, *pairs[rank + 1 :]])
            yield Alteration(name, change, edited.encode())


def of_link(good: bytes) -> Iterator[Alteration]:
    """Scheme, host, path, then the parameters of the query."""
    address, _, query = good.partition(b"?")
    scheme, _, rest = address.partition(b"://")
    host, slash, path = rest.partition(b"/")
    for place, edited in (
        ("schéma", b"http://" + rest),
        ("hôte", scheme + b"://KIT/" + path),
        ("chemin", scheme + b"://" + host + slash + b"KIT"),
    ):
        yield Alteration(place, OTHER, edited + b"?" + query)
    for one in of_form(query):
        yield Alteration(one.place, one.change, address + b"?" + one.data)
