"""Example white lists: one that is right, and changes that spoil it before or after signing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from protocols import whitelist, xml
from protocols.whitelist import Domain, Format, WhiteList
from validators.examples.credential import NOW, STRUCTURE, certificate, key

__all__ = ["domain", "entries", "tampered", "white_list"]

SIGNER = "KIT Liste Blanche"


def domain(number: int = 900, **changes: Any) -> Domain:
    """The entry of an imaginary operator."""
    host = f"db{number}.test.mesimagesmedicales.fr"
    return replace(
        Domain(
            identifier=str(number),
            db=host,
            vi=f"vi{number}.test.mesimagesmedicales.fr",
            denomination="CENTRE EXEMPLE",
            operator_dn=f"CN={host},OU=3101235550001,O=CENTRE EXEMPLE,ST=Paris (75),C=FR",
            support_contact="support@exemple.invalid",
            updated=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        ),
        **changes,
    )


def entries(*domains: Domain) -> bytes:
    """A signed list of these entries."""
    return white_list(domains=domains)


def white_list(
    before: Callable[[etree._Element], None] | None = None,
    *,
    signer: str = SIGNER,
    unit: str = STRUCTURE,
    usage: str = "sign",
    format: Format = "B",
    signing_time: datetime = NOW,
    **changes: Any,
) -> bytes:
    """A signed list; `before` edits it, and `changes` replace its fields, before it is signed."""
    listed = replace(WhiteList(generated=NOW, domains=(domain(), domain(901))), **changes)
    root = xml.parse(whitelist.unsigned(listed))
    if before is not None:
        before(root)
    return whitelist.sign(
        xml.serialize(root),
        key=key(),
        certificate=certificate(signer, unit, usage),
        signing_time=signing_time,
        format=format,
    )


def tampered(old: bytes, new: bytes, *, format: Format = "B") -> bytes:
    """The signed list with some bytes replaced afterwards."""
    return white_list(format=format).replace(old, new)
