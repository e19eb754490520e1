"""Example assertions, alone: that of the ITI-41 example, whatever was spoiled in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols import xml
from protocols.saml import AttributeValue
from spec.vihf import AUTHN_CONTEXTS, AttributeName, AuthenticationMode
from validators import package
from validators.examples import xds

__all__ = ["air", "air_changes", "assertion_of", "vihf"]


def vihf(**changes: Any) -> bytes:
    """The VIHF of a feeding, with fields of the assertion changed."""
    return assertion_of(xds.iti41(assertion=changes))


def air(
    attributes: Mapping[str, tuple[AttributeValue, ...] | None] | None = None, **changes: Any
) -> bytes:
    """The VIHF of a consultation, in AIR mode, with attributes and fields changed."""
    return vihf(**air_changes(attributes), **changes)


def air_changes(
    attributes: Mapping[str, tuple[AttributeValue, ...] | None] | None = None,
) -> dict[str, Any]:
    """The fields that make a VIHF of a consultation of that of a feeding."""
    mode: dict[str, tuple[AttributeValue, ...] | None] = {
        AttributeName.AUTHENTIFICATION_MODE: (AuthenticationMode.INDIRECTE_RENFORCEE.value,)
    }
    return {
        "attributes": xds.attributes({**mode, **(attributes or {})}),
        "authn_context_decl": AUTHN_CONTEXTS["SmartcardPKI"],
    }


def assertion_of(message: bytes) -> bytes:
    """The assertion of a message to the DMP, or the message itself when there is none."""
    found = next(package.read(message).root.iter(f"{{{xml.NS['saml']}}}Assertion"), None)
    if found is None:
        return message
    found.tail = None
    return xml.serialize(found)
