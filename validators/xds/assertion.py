"""How the VIHF rules reach the assertion of a message, and spoil that of the ITI-41 example."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Protocol

from lxml import etree

from protocols import saml
from protocols.errors import RemoteProtocolError
from protocols.saml import Assertion
from protocols.xml import NS
from validators.context import Context
from validators.examples import xds as example

__all__ = [
    "HERE",
    "REQUIREMENTS",
    "Carrier",
    "elements",
    "parsed",
    "path",
    "read_assertion",
    "read_once",
    "with_attribute",
    "with_changes",
]

_SAML = f"{{{NS['saml']}}}"
_DS = f"{{{NS['ds']}}}"

HERE = "//saml:Assertion"
REQUIREMENTS = ("DB.SO.19", "DB.SO.89")
"""Of every VIHF rule."""


class Carrier(Protocol):
    """What a VIHF came in: a publication, another message to the DMP, or nothing but itself."""

    @property
    def context(self) -> Context:
        """What the judge knows beyond it."""

    @property
    def envelope(self) -> etree._Element | None:
        """The element that holds the assertion, or is it."""


def elements(xds: Carrier) -> Iterator[etree._Element]:
    """Every assertion of the message, wherever it stands."""
    if xds.envelope is not None:
        yield from xds.envelope.iter(f"{_SAML}Assertion")


def parsed(xds: Carrier) -> Iterator[Assertion]:
    """Each assertion that can be read, whatever its signature is worth."""
    for element in elements(xds):
        said = read_once(element)
        if isinstance(said, Assertion):
            yield said


@lru_cache(maxsize=4)
def read_once(element: etree._Element) -> Assertion | RemoteProtocolError:
    """An assertion, or why it cannot be read. Some thirty rules ask for it; none changes it."""
    try:
        return read_assertion(element)
    except RemoteProtocolError as error:
        return error


def read_assertion(element: etree._Element) -> Assertion:
    """What an assertion writes, its signature left out: a masked one still says something.

    Raises:
        RemoteProtocolError: it lacks what every VIHF has.
    """
    unsigned = copy.deepcopy(element)
    for signature in unsigned.findall(f"{_DS}Signature"):
        unsigned.remove(signature)
    return saml.parse(unsigned)


def with_changes(**changes: Any) -> Callable[[], bytes]:
    """The example with fields of its assertion changed, then signed."""
    return lambda: example.iti41(assertion=changes)


def with_attribute(name: str, *values: saml.AttributeValue) -> Callable[[], bytes]:
    """The example with one attribute replaced, or left out when there is no value."""
    return lambda: example.iti41(
        assertion={"attributes": example.attributes({name: values or None})}
    )


def path(name: str) -> str:
    """An XPath to an attribute."""
    return f"{HERE}//Attribute[@Name='{name}']"
